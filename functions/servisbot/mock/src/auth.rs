//! Authentication of ServisBOT's eventing: an API key or a token (S4, Authorization). The header of the key is that
//! of S4, Examples. The form of the token is our assumption.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

/// The key of [`EventingAuth::ApiKey`].
pub const API_KEY: &str = "eventing-key-51";
/// The secret of [`EventingAuth::JwtSecret`].
pub const JWT_SECRET: &str = "eventing-secret-4c1b0f8f7f0e4d3c";

/// How eventing authenticates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventingAuth {
    /// `Authorization: ApiKey …` (S4, Examples).
    #[default]
    ApiKey,
    /// A token signed with [`JWT_SECRET`]: HS256 is our assumption.
    JwtSecret,
    /// A token signed with the newest private key: ES256 and published keys are our assumption.
    Jwks,
}

/// Private keys, the newest last.
#[derive(Debug)]
pub(super) struct KeyRing {
    keys: Vec<(String, EcdsaKeyPair)>,
    made: usize,
}

impl Default for KeyRing {
    fn default() -> Self {
        let mut ring = Self { keys: Vec::new(), made: 0 };
        ring.rotate();
        ring
    }
}

impl KeyRing {
    pub(super) fn rotate(&mut self) {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let private = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref(), &random).unwrap();
        self.made += 1;
        self.keys.push((format!("key-{}", self.made), key));
        if self.keys.len() > 2 {
            self.keys.remove(0);
        }
    }

    /// Returns the public key set.
    pub(super) fn published(&self) -> Value {
        let keys = self.keys.iter().map(|(id, key)| {
            let (x, y) = key.public_key().as_ref()[1..].split_at(32);
            json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
                   "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)})
        });
        json!({"keys": keys.collect::<Vec<_>>()})
    }

    fn sign(&self, claims: &Value) -> String {
        let (id, key) = self.keys.last().unwrap();
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": id});
        let message = joined(&header, claims);
        let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl EventingAuth {
    /// Returns the `Authorization` header of a call made at `second`.
    pub(super) fn authorization(self, ring: &KeyRing, second: i64) -> String {
        let claims = json!({"iss": "servisbot", "aud": "hub", "iat": second, "exp": second + 60});
        match self {
            Self::ApiKey => format!("ApiKey {API_KEY}"),
            Self::Jwks => format!("Bearer {}", ring.sign(&claims)),
            Self::JwtSecret => {
                let message = joined(&json!({"alg": "HS256", "typ": "JWT"}), &claims);
                let signature = hmac::sign(&secret(), message.as_bytes());
                format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(signature))
            }
        }
    }

    /// Returns why the `Authorization` header of a call at `second` is invalid; `None` if it is valid.
    pub(super) fn problem(self, given: &str, second: i64) -> Option<&'static str> {
        match self {
            Self::ApiKey => (given != format!("ApiKey {API_KEY}")).then_some("wrong API key"),
            Self::Jwks => Some("no public key of the sender is known"),
            Self::JwtSecret => token_problem(given, second),
        }
    }
}

fn token_problem(given: &str, second: i64) -> Option<&'static str> {
    let Some((message, signature)) =
        given.strip_prefix("Bearer ").and_then(|token| token.rsplit_once('.'))
    else {
        return Some("no Bearer token");
    };
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    if hmac::verify(&secret(), message.as_bytes(), &decoded(signature)).is_err() {
        return Some("wrong signature");
    }
    let (header, claims) = message.split_once('.').unwrap_or_default();
    let json = |part| serde_json::from_slice::<Value>(&decoded(part)).unwrap_or_default();
    if json(header)["alg"] != "HS256" {
        return Some("wrong algorithm");
    }
    let in_time = json(claims)["exp"].as_i64().is_some_and(|until| second < until);
    (!in_time).then_some("the token has expired")
}

fn secret() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, JWT_SECRET.as_bytes())
}

fn joined(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Returns a header's value; empty if absent.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
