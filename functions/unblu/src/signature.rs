//! Unblu's signatures: HMAC over the raw body, as lower-case hexadecimal (UM, UB).

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha1::Sha1;
use sha2::Sha256;
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::security::{AuthError, hex, secrets_equal};

use crate::Call;
use crate::settings::WEBHOOK_SECRET;

/// How many values of a signature header are tried.
const MAX_VALUES: usize = 8;

/// The header of the SHA-1 signature.
const SHA1: &str = "x-unblu-signature";
/// The header of the SHA-256 signature, on Unblu's calls and on replies.
pub(crate) const SHA256: &str = "x-unblu-signature-256";

/// Verifies a call's signatures and returns the secret that signed it. Unblu may have signed the body before or
/// after it was compressed.
pub(crate) fn verified_caller<'a>(call: &Call<'a>) -> Result<&'a str, AuthError> {
    let mut verified = Err(AuthError::Mismatch);
    for body in call.signed_bodies() {
        if verified == Err(AuthError::Mismatch) {
            verified = verified_secret(call.secrets, call.headers, body);
        }
    }
    verified
}

/// Verifies signatures and returns the secret that signed `body`. At least one signature is required, and each
/// kind of signature that is present must be correct (UM). A gateway may join several header lines by commas;
/// one correct value is enough.
fn verified_secret<'a>(
    secrets: &'a SecretBag,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<&'a str, AuthError> {
    let live = secrets.live(WEBHOOK_SECRET);
    if live.is_empty() {
        return Err(AuthError::NoSecret);
    }
    let given = |name: &str| -> Vec<String> {
        // A header that is not text counts as a wrong signature, not as an absent one.
        let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_lowercase();
        let lines: Vec<String> = headers.get_all(name).iter().map(text).collect();
        let values = lines.iter().flat_map(|line| line.split(','));
        values.map(|value| value.trim().to_owned()).take(MAX_VALUES).collect()
    };
    let (sha1, sha256) = (given(SHA1), given(SHA256));
    if sha1.is_empty() && sha256.is_empty() {
        return Err(AuthError::InvalidHeader(SHA256));
    }
    let fits = |given: &[String], expected: Option<String>| {
        let one_fits = |expected: String| {
            given.iter().fold(false, |fits, one| fits | secrets_equal(one, &expected))
        };
        given.is_empty() || expected.is_some_and(one_fits)
    };
    // All secrets are tried, so that the timing does not show which one matches.
    let verified = live.into_iter().fold(None, |found, secret| {
        let both_fit = fits(&sha1, sign::<Hmac<Sha1>>(secret, body))
            & fits(&sha256, sign::<Hmac<Sha256>>(secret, body));
        found.or(both_fit.then_some(secret))
    });
    verified.ok_or(AuthError::Mismatch)
}

/// Returns the SHA-256 signature of a reply's exact bytes (UM). HMAC accepts keys of any length, so the
/// result is always `Some`.
pub(crate) fn sign_reply(secret: &str, body: &str) -> Option<String> {
    sign::<Hmac<Sha256>>(secret, body.as_bytes())
}

fn sign<M: Mac + KeyInit>(secret: &str, body: &[u8]) -> Option<String> {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(body);
    Some(hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 4231, test case 2, and RFC 2202, test case 2.
    const KEY: &str = "Jefe";
    const DATA: &[u8] = b"what do ya want for nothing?";
    const LONG: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const SHORT: &str = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";

    fn secrets(live: &[&str]) -> SecretBag {
        let mut secrets = SecretBag::default();
        secrets.set(WEBHOOK_SECRET, live.iter().map(|&secret| secret.to_owned()).collect());
        secrets
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn matches_the_rfc_test_vectors() {
        assert_eq!(sign::<Hmac<Sha256>>(KEY, DATA).as_deref(), Some(LONG));
        assert_eq!(sign::<Hmac<Sha1>>(KEY, DATA).as_deref(), Some(SHORT));
    }

    /// Shows U4.
    #[test]
    fn requires_one_signature_and_rejects_any_wrong_one() {
        let live = secrets(&["new", KEY]);
        let verified_secret =
            |pairs: &[(&'static str, &str)]| verified_secret(&live, &headers(pairs), DATA);
        assert_eq!(verified_secret(&[(SHA256, LONG)]), Ok(KEY));
        assert_eq!(verified_secret(&[(SHA1, SHORT)]), Ok(KEY));
        assert_eq!(verified_secret(&[(SHA1, SHORT), (SHA256, LONG)]), Ok(KEY));
        assert_eq!(verified_secret(&[(SHA256, &LONG.to_uppercase())]), Ok(KEY));
        for wrong in [
            &[(SHA1, SHORT), (SHA256, SHORT)][..],
            &[(SHA1, LONG), (SHA256, LONG)],
            &[(SHA256, SHORT), (SHA256, "")],
            &[(SHA256, "")],
        ] {
            assert_eq!(verified_secret(wrong), Err(AuthError::Mismatch), "{wrong:?}");
        }
        assert_eq!(verified_secret(&[]), Err(AuthError::InvalidHeader(SHA256)));
        let none = SecretBag::default();
        let none = super::verified_secret(&none, &headers(&[(SHA256, LONG)]), DATA);
        assert_eq!(none, Err(AuthError::NoSecret));
    }

    /// Shows input 17.
    #[test]
    fn one_correct_value_of_a_header_is_enough() {
        let live = secrets(&[KEY]);
        let verified = |pairs: &[(&'static str, &str)]| {
            super::verified_secret(&live, &headers(pairs), DATA).is_ok()
        };
        let joined = format!("{SHORT}, {LONG}");
        assert!(verified(&[(SHA256, &joined)]));
        assert!(verified(&[(SHA256, &format!("{LONG},{SHORT}"))]));
        assert!(verified(&[(SHA256, SHORT), (SHA256, LONG)]), "on two lines");
        assert!(verified(&[(SHA1, &format!("{LONG},{SHORT}"))]));
        assert!(!verified(&[(SHA256, &format!("{SHORT},{SHORT}"))]));
        let late = format!("{}{LONG}", "x,".repeat(MAX_VALUES));
        assert!(!verified(&[(SHA256, &late)]), "the number of values is limited");
    }

    /// Shows U4.
    #[test]
    fn all_signatures_must_use_the_same_secret() {
        let (sha1, sha256) = (sign::<Hmac<Sha1>>("new", DATA).unwrap(), LONG);
        let mixed = headers(&[(SHA1, &sha1), (SHA256, sha256)]);
        assert_eq!(
            verified_secret(&secrets(&["new", KEY]), &mixed, DATA),
            Err(AuthError::Mismatch)
        );
    }

    proptest! {
        #[test]
        fn accepts_only_signatures_by_a_known_secret(
            secret in ".{1,200}", other in ".{1,200}",
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let sha256 = sign::<Hmac<Sha256>>(&secret, &body).unwrap();
            let headers = headers(&[(SHA256, &sha256)]);
            let own = secrets(&[&secret]);
            prop_assert_eq!(verified_secret(&own, &headers, &body), Ok(secret.as_str()));
            if other != secret {
                let others = secrets(&[&other]);
                prop_assert_eq!(verified_secret(&others, &headers, &body), Err(AuthError::Mismatch));
            }
        }

        #[test]
        fn verification_never_panics(sha1 in "[ -~]{0,90}", sha256 in "[ -~]{0,90}") {
            let headers = headers(&[(SHA1, &sha1), (SHA256, &sha256)]);
            prop_assert!(verified_secret(&secrets(&[KEY]), &headers, DATA).is_err());
        }
    }
}
