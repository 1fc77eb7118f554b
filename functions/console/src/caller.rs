//! Who calls, and what they may do.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use jiff::{SignedDuration, Timestamp};
use lambda_http::request::RequestContext;
use serde_json::Value;
use subtle::ConstantTimeEq;
use trunkline_shared::app::{App, unguessable};
use trunkline_shared::model::{Access, Audit, Token, TokenKind, digest};
use trunkline_shared::store::StoreError;

use crate::Console;
use crate::problem::Problem;
use crate::throttle::{self, MOST};

/// The cookie of a sign-in.
pub const COOKIE: &str = "trunkline";
/// What a changing call that comes with a cookie must bring: no other site's page can send it.
pub const OWN_HEADER: &str = "x-trunkline-console";
/// The claim that says what the bearer of an identity provider's token may do.
const ROLE_CLAIM: &str = "trunkline_role";
/// What a token begins with.
const PREFIX: &str = "trk";
/// For how long a token is remembered: one that was taken back is good no longer than that.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// How many tokens are remembered.
const REMEMBERED: usize = 1_000;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// By the token's name.
    pub name: String,
    /// What they may do.
    pub role: Access,
    /// Which token it is.
    pub token: String,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
}

impl Caller {
    /// Whether they may do what that role may.
    ///
    /// # Errors
    /// If not.
    pub fn may(&self, role: Access) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        let (own, needed) = (self.role.name(), role.name());
        Err(Problem::forbidden(format!("this needs the role {needed}; {} is {own}", self.name)))
    }

    /// Notes a change that they made.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn note(
        &self,
        app: &App,
        what: &str,
        target: &str,
        detail: Value,
    ) -> Result<(), StoreError> {
        let at = app.clock.now();
        let audit = Audit {
            id: app.ids.next(at),
            at,
            who: self.name.clone(),
            role: self.role,
            what: what.to_owned(),
            target: target.to_owned(),
            detail,
        };
        tracing::info!(who = self.name, what, target, "a change was made");
        app.store.keep_audit(&audit).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(|| Problem::unauthorised("sign in first"))
    }
}

/// Tokens that this process has seen lately, by digest of the whole.
#[derive(Debug, Default)]
pub struct Seen(RwLock<HashMap<String, (Timestamp, Caller)>>);

impl Seen {
    fn recall(&self, key: &str, since: Timestamp) -> Option<Caller> {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        seen.get(key).filter(|(at, _)| *at >= since).map(|(_, caller)| caller.clone())
    }

    fn remember(&self, key: String, caller: Caller, now: Timestamp) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(key, (now, caller));
    }

    /// Forgets all: some token was taken back.
    pub fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Lets nobody in who is not known.
pub async fn admit(
    State(console): State<Arc<Console>>,
    mut request: Request,
    next: Next,
) -> Response {
    // Only this program itself can put one there: no call from outside brings extensions.
    if request.extensions().get::<Caller>().is_some() {
        return next.run(request).await;
    }
    if let Some(context) = request.extensions().get::<RequestContext>()
        && let Some(caller) = by_claims(context)
    {
        request.extensions_mut().insert(caller);
        return next.run(request).await;
    }
    let source = request.extensions().get::<RequestContext>().and_then(throttle::source);
    match known(&console, request.method(), request.headers(), source.as_deref()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Whom API Gateway's own authorizer has let in, by their token's claims: it is there only on the path
/// that has one.
fn by_claims(context: &RequestContext) -> Option<Caller> {
    let RequestContext::ApiGatewayV2(context) = context else { return None };
    let claims = &context.authorizer.as_ref()?.jwt.as_ref()?.claims;
    let role = claims.get(ROLE_CLAIM)?;
    let role = Access::ALL.into_iter().find(|access| access.name() == role)?;
    let name = ["email", "name", "sub"].iter().find_map(|claim| claims.get(*claim))?;
    Some(Caller { name: name.clone(), role, token: String::new(), expires_at: None })
}

async fn known(
    console: &Console,
    method: &Method,
    headers: &HeaderMap,
    source: Option<&str>,
) -> Result<Caller, Problem> {
    let nobody = || Problem::unauthorised("sign in, or bring a token: Authorization: Bearer trk_…");
    let (token, by_cookie) = match (bearer(headers), cookie(headers)) {
        (Some(token), _) => (token, false),
        (None, Some(token)) => (token, true),
        (None, None) => return Err(nobody()),
    };
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if by_cookie && !reads && !headers.contains_key(OWN_HEADER) {
        let why = format!("a change that comes with a cookie needs the header {OWN_HEADER}");
        return Err(Problem::forbidden(why));
    }
    let now = console.app.clock.now();
    let key = digest(&[token]);
    if let Some(caller) = console.seen.recall(&key, now - FRESH) {
        return Ok(caller);
    }
    let found = find(console, token, source, now).await?;
    let found = found.filter(|token| token.kind != TokenKind::Once).ok_or_else(nobody)?;
    let caller = caller(&found);
    console.seen.remember(key, caller.clone(), now);
    Ok(caller)
}

fn caller(token: &Token) -> Caller {
    Caller {
        name: token.name.clone(),
        role: token.role,
        token: token.id.clone(),
        expires_at: token.expires_at,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// The cookie's value.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|pairs| pairs.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The token that a text is, if it is good now. Wrong ones count against where they come from.
///
/// # Errors
/// If the table does not answer, or there were too many.
pub async fn find(
    console: &Console,
    text: &str,
    source: Option<&str>,
    now: Timestamp,
) -> Result<Option<Token>, Problem> {
    let (app, throttle) = (&console.app, &console.throttle);
    if let Some(source) = source {
        throttle.pass(source, now)?;
    }
    let mut parts = text.splitn(3, '_');
    let (Some(PREFIX), Some(id), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let plain =
        (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if !plain {
        return Ok(None);
    }
    let found = match source {
        Some(source) => {
            let (found, guesses) = app.store.token_and_guesses(id, source, now).await?;
            throttle.judge(source, guesses, now)?;
            found
        }
        None => app.store.token(id).await?,
    };
    // DynamoDB takes its time to remove what has expired.
    let good = found.filter(|token| {
        let same = token.digest.as_bytes().ct_eq(digest(&[secret]).as_bytes());
        bool::from(same) && token.expires_at.is_none_or(|at| now < at)
    });
    if let (None, Some(source)) = (&good, source)
        && throttle.is_another(&digest(&[text]))
        && app.store.count_guess(source, now).await? == MOST
    {
        tracing::warn!(source, "many wrong tokens: whoever is there waits for a minute");
    }
    Ok(good)
}

/// Makes a token; answers with its text, which is nowhere else.
///
/// # Errors
/// If the table does not answer.
pub async fn issue(
    app: &App,
    name: &str,
    role: Access,
    kind: TokenKind,
    lasts: Option<SignedDuration>,
) -> Result<(Token, String), StoreError> {
    let now = app.clock.now();
    let secret = URL_SAFE_NO_PAD.encode(unguessable());
    let token = Token {
        id: app.ids.next(now),
        name: name.to_owned(),
        role,
        kind,
        digest: digest(&[&secret]),
        made_at: now,
        expires_at: lasts.map(|lasts| now + lasts),
    };
    app.store.put_token(&token).await?;
    let text = format!("{PREFIX}_{}_{secret}", token.id);
    Ok((token, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=1; trunkline=trk_1_x; b=2".parse().unwrap());
        assert_eq!(cookie(&headers), Some("trk_1_x"));
        headers.insert(header::COOKIE, "trunkline2=trk_1_x".parse().unwrap());
        assert_eq!(cookie(&headers), None);
    }
}
