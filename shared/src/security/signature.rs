//! Standard Webhooks 1.0 signatures over raw bytes.

use http::HeaderMap;
use jiff::Timestamp;
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook,
};

use super::same_secret;

/// How far a signature's time may be from ours, in seconds, either way (the specification's five
/// minutes).
pub const TOLERANCE_SECONDS: i64 = 5 * 60;

/// Why a call is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A header that carries proof is not there or not readable.
    #[error("the header {0} is missing or unreadable")]
    Header(&'static str),
    /// The signature's time is too far from ours.
    #[error(
        "webhook-timestamp is more than five minutes from the time here: check the sender's clock"
    )]
    Stale,
    /// No signature fits any live secret.
    #[error("no signature fits the body and any of the connection's secrets")]
    Mismatch,
    /// The body is not UTF-8, which signed JSON always is.
    #[error("the body is not UTF-8")]
    NotText,
    /// The connection has no secret to check against.
    #[error("the connection has no usable secret: apply its configuration again")]
    NoSecret,
}

/// The `webhook-signature` header for `body`: one signature for each live secret, so that a
/// receiver may hold either while secrets are rotated.
///
/// # Errors
/// If no secret is usable or the body is not UTF-8.
pub fn sign(secrets: &[&str], id: &str, at: Timestamp, body: &[u8]) -> Result<String, Denied> {
    let signatures = secrets
        .iter()
        .map(|secret| one(secret, id, at.as_second(), body))
        .collect::<Result<Vec<_>, _>>()?;
    if signatures.is_empty() { Err(Denied::NoSecret) } else { Ok(signatures.join(" ")) }
}

/// Checks a call's signature against the live secrets.
///
/// # Errors
/// Why it is not believed.
pub fn verify(
    secrets: &[&str],
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Denied> {
    let id = header(headers, HEADER_WEBHOOK_ID)?;
    let given = header(headers, HEADER_WEBHOOK_SIGNATURE)?;
    let at: i64 = header(headers, HEADER_WEBHOOK_TIMESTAMP)?
        .parse()
        .map_err(|_| Denied::Header(HEADER_WEBHOOK_TIMESTAMP))?;
    if now.as_second().abs_diff(at) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(Denied::Stale);
    }
    let expected =
        secrets.iter().map(|secret| one(secret, id, at, body)).collect::<Result<Vec<_>, _>>()?;
    if expected.is_empty() {
        return Err(Denied::NoSecret);
    }
    let fits = given
        .split(' ')
        .flat_map(|given| expected.iter().map(move |expected| same_secret(given, expected)))
        .fold(false, |found, same| found | same);
    if fits { Ok(()) } else { Err(Denied::Mismatch) }
}

fn one(secret: &str, id: &str, at: i64, body: &[u8]) -> Result<String, Denied> {
    let key = Webhook::new(secret).map_err(|_| Denied::NoSecret)?;
    key.sign(id, at, body).map_err(|_| Denied::NotText)
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Denied> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Denied::Header(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRETS: [&str; 2] =
        ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];

    fn headers(id: &str, at: Timestamp, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER_WEBHOOK_ID, id.parse().unwrap());
        headers.insert(HEADER_WEBHOOK_TIMESTAMP, at.as_second().to_string().parse().unwrap());
        headers.insert(HEADER_WEBHOOK_SIGNATURE, signature.parse().unwrap());
        headers
    }

    #[test]
    fn the_specifications_vector() {
        let at = Timestamp::from_second(1_649_367_553).unwrap();
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let signature = sign(&SECRETS[..1], "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", at, body).unwrap();
        assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let good = headers("m", at, &sign(&SECRETS, "m", at, b"{}").unwrap());
        let later = at + jiff::SignedDuration::from_secs(301);
        assert_eq!(verify(&SECRETS, &good, b"{}", at), Ok(()));
        assert_eq!(verify(&SECRETS[1..], &good, b"{}", at), Ok(()));
        assert_eq!(verify(&SECRETS, &good, b"{}", later), Err(Denied::Stale));
        assert_eq!(verify(&SECRETS, &good, b"{ }", at), Err(Denied::Mismatch));
        assert_eq!(verify(&[], &good, b"{}", at), Err(Denied::NoSecret));
        let none = verify(&SECRETS, &HeaderMap::new(), b"{}", at);
        assert_eq!(none, Err(Denied::Header(HEADER_WEBHOOK_ID)));
    }

    proptest! {
        #[test]
        fn what_we_sign_we_believe_and_nothing_else(
            id in "[a-zA-Z0-9_-]{1,40}", body in ".{0,200}", other in ".{0,200}", at in 0i64..4_000_000_000
        ) {
            let at = Timestamp::from_second(at).unwrap();
            let good = headers(&id, at, &sign(&SECRETS[..1], &id, at, body.as_bytes()).unwrap());
            prop_assert_eq!(verify(&SECRETS, &good, body.as_bytes(), at), Ok(()));
            prop_assert_eq!(verify(&SECRETS[1..], &good, body.as_bytes(), at), Err(Denied::Mismatch));
            if other != body {
                prop_assert!(verify(&SECRETS, &good, other.as_bytes(), at).is_err());
            }
        }

        #[test]
        fn no_header_makes_verifying_panic(id in ".{0,40}", at in ".{0,30}", signature in ".{0,90}") {
            let mut map = HeaderMap::new();
            for (name, value) in [(HEADER_WEBHOOK_ID, id), (HEADER_WEBHOOK_TIMESTAMP, at),
                                  (HEADER_WEBHOOK_SIGNATURE, signature)] {
                if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
                    map.insert(name, value);
                }
            }
            let verified = verify(&SECRETS, &map, b"{}", Timestamp::UNIX_EPOCH);
            prop_assert!(verified.is_err());
        }
    }
}
