//! Tokens: `trk_<id>_<secret>`. Only the digest of the secret is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;
use trunkline_core::model::{AccessLevel, Token, TokenKind, digest};
use trunkline_runtime::app::{App, random_secret};
use trunkline_runtime::store::StoreError;

use crate::Console;
use crate::problem::Problem;
use crate::throttle::MAX_WRONG_TOKENS;

/// The prefix of each token.
const TOKEN_PREFIX: &str = "trk";

/// Returns the stored token that a text stands for, if it is valid now. Each wrong token counts against the
/// source address.
///
/// # Errors
/// If the source address has sent too many wrong tokens in the current minute.
pub async fn find_token(
    console: &Console,
    text: &str,
    source: Option<&str>,
    now: Timestamp,
) -> Result<Option<Token>, Problem> {
    let (app, throttle) = (&console.app, &console.throttle);
    if let Some(source) = source {
        throttle.check(source, now)?;
    }
    let mut parts = text.splitn(3, '_');
    let (Some(TOKEN_PREFIX), Some(id), Some(secret)) = (parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    let is_well_formed =
        (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if !is_well_formed {
        return Ok(None);
    }
    let found = match source {
        Some(source) => {
            let (found, guesses) = app.store.token_and_failures(id, source, now).await?;
            throttle.check_count(source, guesses, now)?;
            found
        }
        None => app.store.token(id).await?,
    };
    // DynamoDB removes expired items some time after they expire.
    let valid = found.filter(|token| {
        let same = token.digest.as_bytes().ct_eq(digest(&[secret]).as_bytes());
        bool::from(same) && token.expires_at.is_none_or(|at| now < at)
    });
    if let (None, Some(source)) = (&valid, source)
        && throttle.is_new_wrong_token(&digest(&[text]))
        && app.store.count_token_failure(source, now).await? == MAX_WRONG_TOKENS
    {
        tracing::warn!(
            source,
            "too many wrong tokens: the source is blocked until the minute ends"
        );
    }
    Ok(valid)
}

/// Creates a token and returns it with its text, which is not stored anywhere.
pub async fn issue(
    app: &App,
    name: &str,
    role: AccessLevel,
    kind: TokenKind,
    ttl: Option<SignedDuration>,
) -> Result<(Token, String), StoreError> {
    let now = app.clock.now();
    let secret = URL_SAFE_NO_PAD.encode(random_secret());
    let token = Token {
        id: app.ids.next(now),
        name: name.to_owned(),
        role,
        kind,
        digest: digest(&[&secret]),
        created_at: now,
        expires_at: ttl.map(|ttl| now + ttl),
    };
    app.store.put_token(&token).await?;
    let text = format!("{TOKEN_PREFIX}_{}_{secret}", token.id);
    Ok((token, text))
}
