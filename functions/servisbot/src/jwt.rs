//! Verifies and signs JSON Web Tokens (RFC 7519). ServisBOT documents neither the algorithm nor the
//! claims, so each is a setting.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::Deserialize;
use serde_json::{Value, json};
use trunkline_runtime::security::AuthError;

use crate::crypto;
use crate::settings::Settings;

/// Tolerated clock difference, in seconds.
const CLOCK_TOLERANCE_SECS: f64 = 60.0;
/// Lifetime of tokens that Trunkline signs, in seconds.
const LIFETIME_SECS: i64 = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claims {
    exp: Option<Value>,
    nbf: Option<Value>,
    iss: Option<Value>,
    aud: Option<Value>,
}

/// Returns the unverified header of a token, or `None` if the token is unsupported.
pub(crate) fn header(token: &str) -> Option<Header> {
    // An unknown critical extension must be rejected (RFC 7515, 4.1.11).
    jsonwebtoken::decode_header(token).ok().filter(|header| header.crit.is_none())
}

/// Verifies a token's signature and claims.
pub(crate) fn check(
    token: &str,
    algorithm: Algorithm,
    key: &DecodingKey,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), AuthError> {
    crypto::install();
    if header(token).is_none() {
        return Err(AuthError::Mismatch);
    }
    // The library would read the system clock, so `are_valid` compares the times with `now`.
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let claims = decode::<Claims>(token, key, &validation).map_err(|_| AuthError::Mismatch)?.claims;
    if claims.are_valid(settings, now) { Ok(()) } else { Err(AuthError::Mismatch) }
}

/// Verifies a token that one of these secrets must have signed.
pub(crate) fn check_secrets(
    token: &str,
    secrets: &[&str],
    settings: &Settings,
    now: Timestamp,
) -> Result<(), AuthError> {
    if secrets.is_empty() {
        return Err(AuthError::NoSecret);
    }
    let keys = secrets.iter().map(|secret| DecodingKey::from_secret(secret.as_bytes()));
    let mut checked = keys.map(|key| check(token, Algorithm::HS256, &key, settings, now));
    if checked.any(|checked| checked.is_ok()) { Ok(()) } else { Err(AuthError::Mismatch) }
}

impl Claims {
    fn are_valid(&self, settings: &Settings, now: Timestamp) -> bool {
        let now = now.as_duration().as_secs_f64();
        let not_expired = match &self.exp {
            Some(until) => until.as_f64().is_some_and(|until| now < until + CLOCK_TOLERANCE_SECS),
            None => !settings.require_expiry,
        };
        let not_early = self.nbf.as_ref().is_none_or(|from| {
            from.as_f64().is_some_and(|from| from <= now + CLOCK_TOLERANCE_SECS)
        });
        let matches_setting = |expected: &Option<String>, given: &Option<Value>| {
            expected.as_ref().is_none_or(|expected| match given {
                Some(Value::String(given)) => given == expected,
                Some(Value::Array(all)) => all.iter().any(|given| given == expected),
                _ => false,
            })
        };
        not_expired
            && not_early
            && matches_setting(&settings.issuer, &self.iss)
            && matches_setting(&settings.audience, &self.aud)
    }
}

/// Signs a token with HS256. Returns `None` if signing fails.
pub(crate) fn sign(secret: &str, settings: &Settings, now: Timestamp) -> Option<String> {
    crypto::install();
    let mut claims = json!({"iat": now.as_second(), "exp": now.as_second() + LIFETIME_SECS});
    let claimed = [("iss", &settings.issuer), ("aud", &settings.audience)];
    for (name, value) in
        claimed.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)))
    {
        claims[name] = Value::String(value.clone());
    }
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(Algorithm::HS256), &claims, &key).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 7515, A.1: issued by `joe`, valid until 2011-03-22T18:43:00Z.
    const RFC_TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
         eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
         dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const RFC_KEY: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings = Settings::default();
        change(&mut settings);
        settings
    }

    #[test]
    fn verifies_the_rfc_token_until_it_expires() {
        use base64::Engine;
        let key = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(RFC_KEY).unwrap();
        let key = DecodingKey::from_secret(&key);
        let check = |now, settings: &Settings| {
            check(RFC_TOKEN, Algorithm::HS256, &key, settings, at(now)).is_ok()
        };
        let (any, joe) = (Settings::default(), with(|set| set.issuer = Some("joe".into())));
        assert!(check(1_300_819_380, &any), "at the very second");
        assert!(check(1_300_819_439, &joe), "within the tolerance");
        assert!(!check(1_300_819_440, &joe), "beyond it");
        assert!(!check(1_300_819_380, &with(|set| set.issuer = Some("jim".into()))));
        assert!(!check(1_300_819_380, &with(|set| set.audience = Some("hub".into()))));
    }

    #[test]
    fn validates_claims() {
        let now = 1_700_000_000;
        let fits = |claims: Value, settings: &Settings| {
            let key = EncodingKey::from_secret(b"s");
            crypto::install();
            let token = encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
            check_secrets(&token, &["new", "s"], settings, at(now)).is_ok()
        };
        let usual = Settings::default();
        let lax = with(|set| set.require_expiry = false);
        let strict = with(|set| {
            set.issuer = Some("sb".into());
            set.audience = Some("us".into());
        });
        assert!(fits(json!({"exp": now + 1}), &usual));
        assert!(fits(json!({"exp": 1_700_000_000.5}), &usual));
        for bad in [json!({}), json!({"exp": "1900000000"}), json!({"exp": null})] {
            assert!(!fits(bad, &usual));
        }
        assert!(fits(json!({}), &lax) && !fits(json!({"exp": now - 61}), &lax));
        assert!(fits(json!({"exp": now, "nbf": now + 60}), &usual));
        assert!(!fits(json!({"exp": now, "nbf": now + 61}), &usual));
        assert!(fits(json!({"exp": now, "iss": "sb", "aud": ["them", "us"]}), &strict));
        assert!(!fits(json!({"exp": now, "iss": "sb", "aud": ["them"]}), &strict));
        assert!(!fits(json!({"exp": now, "aud": "us"}), &strict));
    }

    #[test]
    fn accepts_only_the_expected_algorithm() {
        use base64::Engine;
        let part = |value: Value| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
        };
        let claims = part(json!({"exp": 4_000_000_000_u64}));
        let none = format!("{}.{claims}.", part(json!({"alg": "none"})));
        assert!(check_secrets(&none, &["s"], &Settings::default(), at(0)).is_err());
        let signed = sign("s", &Settings::default(), at(0)).unwrap();
        let key = DecodingKey::from_secret(b"s");
        for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::HS512] {
            assert!(check(&signed, algorithm, &key, &Settings::default(), at(0)).is_err());
        }
        crypto::install();
        let mut critical = Header::new(Algorithm::HS256);
        critical.crit = Some(vec!["exp".into()]);
        let key = EncodingKey::from_secret(b"s");
        let token = encode(&critical, &json!({"exp": 100}), &key).unwrap();
        assert!(check_secrets(&token, &["s"], &Settings::default(), at(0)).is_err());
    }

    proptest! {
        #[test]
        fn signed_tokens_verify_only_with_their_secret(
            secret in ".{1,40}", other in ".{1,40}", now in 0i64..4_000_000_000
        ) {
            let settings = with(|set| set.audience = Some("archive".into()));
            let token = sign(&secret, &settings, at(now)).unwrap();
            prop_assert!(check_secrets(&token, &[&secret], &settings, at(now)).is_ok());
            prop_assert!(check_secrets(&token, &[&secret], &settings, at(now + 361)).is_err());
            if other != secret {
                prop_assert!(check_secrets(&token, &[&other], &settings, at(now)).is_err());
            }
        }

        #[test]
        fn arbitrary_tokens_never_panic(token in "[A-Za-z0-9_.=-]{0,200}|\\PC{0,60}") {
            let _ = header(&token);
            prop_assert!(check_secrets(&token, &["s"], &Settings::default(), at(0)).is_err());
        }
    }
}
