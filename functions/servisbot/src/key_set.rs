//! Parses JSON Web Key Sets (RFC 7517).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// Maximum number of keys that are read from a set.
pub(crate) const MAX_KEYS: usize = 32;

/// A public key of the key set.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// The key's `kid`.
    pub(crate) id: Option<String>,
    /// The signature algorithm: RS256 or ES256.
    pub(crate) algorithm: Algorithm,
    pub(crate) public: DecodingKey,
}

/// Parses a key set. Unsupported keys are skipped.
///
/// # Errors
/// If the body is not a key set, or has no supported key.
pub(crate) fn parse(body: &[u8]) -> Result<Vec<Key>, String> {
    let set: Value =
        trunkline_core::json::from_slice(body).map_err(|why| format!("not JSON: {why}"))?;
    let listed = set.get("keys").and_then(Value::as_array).ok_or("it has no array keys")?;
    let keys: Vec<Key> = listed.iter().filter_map(parse_key).take(MAX_KEYS).collect();
    if keys.is_empty() { Err("it has no key for RS256 or ES256".into()) } else { Ok(keys) }
}

fn parse_key(value: &Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        _ => return None,
    };
    let algorithm_matches =
        jwk.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    if !algorithm_matches || !signs {
        return None;
    }
    let public = DecodingKey::from_jwk(&jwk).ok()?;
    Some(Key { id: jwk.common.key_id, algorithm, public })
}
