//! A set of public keys (RFC 7517).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// How many keys of a set are remembered.
pub(crate) const KEYS: usize = 32;

/// A public key.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// What tokens name it by.
    pub(crate) id: Option<String>,
    /// What it verifies.
    pub(crate) algorithm: Algorithm,
    /// The key itself.
    pub(crate) public: DecodingKey,
}

/// Reads a key set. A key that we cannot use does not spoil the others.
///
/// # Errors
/// If it is not one, or holds no key that we can use.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Key>, String> {
    let set: Value = serde_json::from_slice(body).map_err(|why| format!("not JSON: {why}"))?;
    let listed = set.get("keys").and_then(Value::as_array).ok_or("there is no list of keys")?;
    let keys: Vec<Key> = listed.iter().filter_map(usable).take(KEYS).collect();
    if keys.is_empty() { Err("there is no key for RS256 or ES256".into()) } else { Ok(keys) }
}

fn usable(value: &Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        _ => return None,
    };
    let is_for =
        jwk.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    if !is_for || !signs {
        return None;
    }
    let public = DecodingKey::from_jwk(&jwk).ok()?;
    Some(Key { id: jwk.common.key_id, algorithm, public })
}
