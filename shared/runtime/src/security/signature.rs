//! Standard Webhooks 1.0 signatures over raw bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use jiff::Timestamp;

use super::{hmac_sha256, secrets_equal};

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
/// The version of symmetric signatures: the part before the comma.
const VERSION: &str = "v1";

/// Maximum difference between `webhook-timestamp` and the current time, in seconds, in either direction
/// (the specification's five minutes).
pub const TOLERANCE_SECONDS: i64 = 5 * 60;

/// Why an inbound call fails authentication.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// A header that authenticates the call is missing or not readable text.
    #[error("the header {0} is missing or unreadable")]
    InvalidHeader(&'static str),
    /// The signature's timestamp is outside of the tolerance.
    #[error(
        "webhook-timestamp differs by more than five minutes from the current time: check the sender's clock"
    )]
    TimestampOutOfTolerance,
    /// No signature or token matches a live secret.
    #[error("no signature matches the body and one of the connection's secrets")]
    Mismatch,
    /// The connection has no secret to verify the call with.
    #[error("the connection has no usable secret: apply its configuration again")]
    NoSecret,
}

/// Returns the `webhook-signature` header for `body`: one signature for each live secret, so that the
/// receiver can use either secret during a rotation.
///
/// # Errors
/// [`AuthError::NoSecret`] if no secret is usable.
pub fn sign(secrets: &[&str], id: &str, at: Timestamp, body: &[u8]) -> Result<String, AuthError> {
    let signatures = secrets
        .iter()
        .map(|secret| signature_of(secret, id, at.as_second(), body))
        .collect::<Result<Vec<_>, _>>()?;
    if signatures.is_empty() {
        return Err(AuthError::NoSecret);
    }
    let signatures = signatures.iter().map(|signature| format!("{VERSION},{signature}"));
    Ok(signatures.collect::<Vec<_>>().join(" "))
}

/// Verifies a call's signature with the live secrets. `bodies` are what the signature may cover: the body as
/// received and, if it was compressed, the decompressed one.
///
/// # Errors
/// Why the call fails authentication.
pub fn verify(
    secrets: &[&str],
    headers: &HeaderMap,
    bodies: &[&[u8]],
    now: Timestamp,
) -> Result<(), AuthError> {
    let id = header(headers, ID)?;
    header(headers, SIGNATURE)?;
    let at: i64 =
        header(headers, TIMESTAMP)?.parse().map_err(|_| AuthError::InvalidHeader(TIMESTAMP))?;
    if now.as_second().abs_diff(at) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(AuthError::TimestampOutOfTolerance);
    }
    let expected = secrets
        .iter()
        .flat_map(|secret| bodies.iter().map(move |body| signature_of(secret, id, at, body)))
        .collect::<Result<Vec<_>, _>>()?;
    if expected.is_empty() {
        return Err(AuthError::NoSecret);
    }
    let matches = given_signatures(headers)
        .flat_map(|given| expected.iter().map(move |expected| secrets_equal(given, expected)))
        .fold(false, |found, same| found | same);
    if matches { Ok(()) } else { Err(AuthError::Mismatch) }
}

/// Returns the signatures of a call. They are separated by spaces. API Gateway joins several headers by a
/// comma, which also separates the version of a signature from its value: `v1,a,v1,b`.
fn given_signatures(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(SIGNATURE).iter().filter_map(|value| value.to_str().ok());
    let groups = values.flat_map(|value| value.split(' '));
    groups
        .flat_map(|group| {
            let parts = group.split(',');
            parts.clone().zip(parts.skip(1)).filter(|(version, _)| *version == VERSION)
        })
        .map(|(_, signature)| signature)
}

fn signature_of(secret: &str, id: &str, at: i64, body: &[u8]) -> Result<String, AuthError> {
    let key = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(key).map_err(|_| AuthError::NoSecret)?;
    let head = format!("{id}.{at}.");
    Ok(STANDARD.encode(hmac_sha256(&key, &[head.as_bytes(), body])))
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, AuthError> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or(AuthError::InvalidHeader(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRETS: [&str; 2] =
        ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];

    fn headers(id: &str, at: Timestamp, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ID, id.parse().unwrap());
        headers.insert(TIMESTAMP, at.as_second().to_string().parse().unwrap());
        headers.insert(SIGNATURE, signature.parse().unwrap());
        headers
    }

    #[test]
    fn signs_the_test_vector_of_the_specification() {
        let at = Timestamp::from_second(1_649_367_553).unwrap();
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let signature = sign(&SECRETS[..1], "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", at, body).unwrap();
        assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn reports_the_reason_of_a_failed_verification() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let good = headers("m", at, &sign(&SECRETS, "m", at, b"{}").unwrap());
        let later = at + jiff::SignedDuration::from_secs(301);
        assert_eq!(verify(&SECRETS, &good, &[b"{}"], at), Ok(()));
        assert_eq!(verify(&SECRETS[1..], &good, &[b"{}"], at), Ok(()));
        assert_eq!(
            verify(&SECRETS, &good, &[b"{}"], later),
            Err(AuthError::TimestampOutOfTolerance)
        );
        assert_eq!(verify(&SECRETS, &good, &[b"{ }"], at), Err(AuthError::Mismatch));
        assert_eq!(verify(&[], &good, &[b"{}"], at), Err(AuthError::NoSecret));
        let none = verify(&SECRETS, &HeaderMap::new(), &[b"{}"], at);
        assert_eq!(none, Err(AuthError::InvalidHeader(ID)));
    }

    /// The library of the specification's authors signs as we do.
    #[test]
    fn signs_like_the_reference_library() {
        for (secret, body) in SECRETS.iter().flat_map(|s| ["", "{}", "\u{1f44d}"].map(|b| (s, b))) {
            let reference = standardwebhooks::Webhook::new(secret).unwrap();
            let at = Timestamp::from_second(1_700_000_000).unwrap();
            let expected = reference.sign("m", at.as_second(), body.as_bytes()).unwrap();
            assert_eq!(sign(&[secret], "m", at, body.as_bytes()).unwrap(), expected);
        }
    }

    /// Shows input 12.
    #[test]
    fn a_signature_covers_the_compressed_or_the_decompressed_body() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let compressed = b"\x1f\x8b\xff\x00";
        for signed in [&compressed[..], b"{}"] {
            let headers = headers("m", at, &sign(&SECRETS, "m", at, signed).unwrap());
            assert_eq!(verify(&SECRETS, &headers, &[compressed, b"{}"], at), Ok(()));
            assert_eq!(verify(&SECRETS, &headers, &[b"{ }"], at), Err(AuthError::Mismatch));
        }
    }

    /// Shows input 17.
    #[test]
    fn tries_every_signature_of_every_header() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let good = sign(&SECRETS[..1], "m", at, b"{}").unwrap();
        let wrong = sign(&SECRETS[1..], "m", at, b"{}").unwrap();
        let with = |values: &[&str]| {
            let mut headers = headers("m", at, values[0]);
            for value in &values[1..] {
                headers.append(SIGNATURE, value.parse().unwrap());
            }
            verify(&SECRETS[..1], &headers, &[b"{}"], at)
        };
        for values in [
            &[&*wrong, &*good][..],
            &[&good, &wrong],
            &[&format!("{wrong},{good}")],
            &[&format!("{good}, {wrong}")],
            &[&format!("v1a,xyz {wrong} {good}")],
        ] {
            assert_eq!(with(values), Ok(()), "{values:?}");
        }
        let bare = good.trim_start_matches("v1,");
        for values in [
            &[&*wrong][..],
            &[&wrong, &wrong],
            &[""],
            &[","],
            &["v1,"],
            &["v1"],
            &[bare],
            &[&format!("v2,{bare}")],
        ] {
            assert_eq!(with(values), Err(AuthError::Mismatch), "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn verifies_only_what_was_signed(
            id in "[a-zA-Z0-9_-]{1,40}", body in ".{0,200}", other in ".{0,200}", at in 0i64..4_000_000_000
        ) {
            let at = Timestamp::from_second(at).unwrap();
            let good = headers(&id, at, &sign(&SECRETS[..1], &id, at, body.as_bytes()).unwrap());
            prop_assert_eq!(verify(&SECRETS, &good, &[body.as_bytes()], at), Ok(()));
            prop_assert_eq!(verify(&SECRETS[1..], &good, &[body.as_bytes()], at), Err(AuthError::Mismatch));
            if other != body {
                prop_assert!(verify(&SECRETS, &good, &[other.as_bytes()], at).is_err());
            }
        }

        #[test]
        fn verify_never_panics(id in ".{0,40}", at in ".{0,30}", signature in ".{0,90}") {
            let mut map = HeaderMap::new();
            for (name, value) in [(ID, id), (TIMESTAMP, at),
                                  (SIGNATURE, signature)] {
                if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
                    map.insert(name, value);
                }
            }
            let verified = verify(&SECRETS, &map, &[b"{}"], Timestamp::UNIX_EPOCH);
            prop_assert!(verified.is_err());
        }
    }
}
