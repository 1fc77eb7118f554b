//! Authentication: HTTP Basic for the web API, HMAC signatures for the endpoint.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::{ADMIN, REGISTERED};

/// An account's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Registered,
    Admin,
}

/// Returns the role of the account in the `Authorization` header; `None` without a valid login.
pub(super) fn role(headers: &HeaderMap) -> Option<Role> {
    let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let is = |(name, password): (&str, &str)| {
        given == format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
    };
    if is(ADMIN) { Some(Role::Admin) } else { is(REGISTERED).then_some(Role::Registered) }
}

pub(super) fn sha1(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    hexadecimal(&mac.finalize().into_bytes())
}

pub(super) fn sha256(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    hexadecimal(&mac.finalize().into_bytes())
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| char::from(DIGITS[usize::from(four)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
