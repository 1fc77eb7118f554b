//! Unblu's signatures: HMAC over the raw body, in lower-case hexadecimal (UM, UB).

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha1::Sha1;
use sha2::Sha256;
use trunkline_shared::secrets::SecretBag;
use trunkline_shared::security::{Denied, same_secret};

use crate::settings::WEBHOOK_SECRET;

/// The header of the SHA-1 signature.
const SHA1: &str = "x-unblu-signature";
/// The header of the SHA-256 signature, on calls and on our answers.
pub(crate) const SHA256: &str = "x-unblu-signature-256";

/// The live secret with which a call was signed: every signature that is there must be right, and one
/// must be there (UM).
pub(crate) fn secret_of<'a>(
    secrets: &'a SecretBag,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<&'a str, Denied> {
    let live = secrets.live(WEBHOOK_SECRET);
    if live.is_empty() {
        return Err(Denied::NoSecret);
    }
    let given = |name: &str| -> Vec<String> {
        // One that is not text is wrong, not absent.
        let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_lowercase();
        headers.get_all(name).iter().map(text).collect()
    };
    let (short, long) = (given(SHA1), given(SHA256));
    if short.is_empty() && long.is_empty() {
        return Err(Denied::Header(SHA256));
    }
    let all = |given: &[String], right: Option<String>| match right {
        Some(right) => given.iter().fold(true, |all, one| all & same_secret(one.trim(), &right)),
        None => given.is_empty(),
    };
    // All are tried, whichever fits.
    let fitting = live.into_iter().fold(None, |found, secret| {
        let fits = all(&short, sign::<Hmac<Sha1>>(secret, body))
            & all(&long, sign::<Hmac<Sha256>>(secret, body));
        found.or(fits.then_some(secret))
    });
    fitting.ok_or(Denied::Mismatch)
}

/// The SHA-256 signature of our answer's exact bytes (UM). HMAC takes keys of any length, so there
/// always is one.
pub(crate) fn of_answer(secret: &str, body: &str) -> Option<String> {
    sign::<Hmac<Sha256>>(secret, body.as_bytes())
}

fn sign<M: Mac + KeyInit>(secret: &str, body: &[u8]) -> Option<String> {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(body);
    let mut text = String::new();
    for byte in mac.finalize().into_bytes() {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Some(text)
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
    fn the_rfcs_vectors() {
        assert_eq!(sign::<Hmac<Sha256>>(KEY, DATA).as_deref(), Some(LONG));
        assert_eq!(sign::<Hmac<Sha1>>(KEY, DATA).as_deref(), Some(SHORT));
    }

    #[test]
    fn every_signature_that_is_there_must_be_right_and_one_must_be_there() {
        let live = secrets(&["new", KEY]);
        let secret_of = |pairs: &[(&'static str, &str)]| secret_of(&live, &headers(pairs), DATA);
        assert_eq!(secret_of(&[(SHA256, LONG)]), Ok(KEY));
        assert_eq!(secret_of(&[(SHA1, SHORT)]), Ok(KEY));
        assert_eq!(secret_of(&[(SHA1, SHORT), (SHA256, LONG)]), Ok(KEY));
        assert_eq!(secret_of(&[(SHA256, &LONG.to_uppercase())]), Ok(KEY));
        for wrong in [
            &[(SHA1, SHORT), (SHA256, SHORT)][..],
            &[(SHA1, LONG), (SHA256, LONG)],
            &[(SHA256, LONG), (SHA256, "")],
            &[(SHA256, "")],
        ] {
            assert_eq!(secret_of(wrong), Err(Denied::Mismatch), "{wrong:?}");
        }
        assert_eq!(secret_of(&[]), Err(Denied::Header(SHA256)));
        let none = SecretBag::default();
        let none = super::secret_of(&none, &headers(&[(SHA256, LONG)]), DATA);
        assert_eq!(none, Err(Denied::NoSecret));
    }

    #[test]
    fn two_secrets_cannot_share_the_work() {
        let (short, long) = (sign::<Hmac<Sha1>>("new", DATA).unwrap(), LONG);
        let mixed = headers(&[(SHA1, &short), (SHA256, long)]);
        assert_eq!(secret_of(&secrets(&["new", KEY]), &mixed, DATA), Err(Denied::Mismatch));
    }

    proptest! {
        #[test]
        fn what_is_signed_is_believed_and_nothing_else(
            secret in ".{1,200}", other in ".{1,200}",
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let long = sign::<Hmac<Sha256>>(&secret, &body).unwrap();
            let headers = headers(&[(SHA256, &long)]);
            let own = secrets(&[&secret]);
            prop_assert_eq!(secret_of(&own, &headers, &body), Ok(secret.as_str()));
            if other != secret {
                let others = secrets(&[&other]);
                prop_assert_eq!(secret_of(&others, &headers, &body), Err(Denied::Mismatch));
            }
        }

        #[test]
        fn no_header_makes_it_panic(short in "[ -~]{0,90}", long in "[ -~]{0,90}") {
            let headers = headers(&[(SHA1, &short), (SHA256, &long)]);
            prop_assert!(secret_of(&secrets(&[KEY]), &headers, DATA).is_err());
        }
    }
}
