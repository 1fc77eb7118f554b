//! Headers of calls to platforms.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::EncodeError;
use crate::secrets::SecretBag;

/// Returns the headers of a call with a JSON body.
#[must_use]
pub fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

/// Inserts a header whose value is marked as sensitive, so that logs do not show it.
///
/// # Errors
/// If the name or the value is not valid in HTTP.
pub fn insert_secret_header(
    headers: &mut HeaderMap,
    name: &str,
    value: &str,
) -> Result<(), EncodeError> {
    let invalid = || EncodeError::Misconfigured(format!("the header '{name}' is not valid"));
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
    value.set_sensitive(true);
    headers.insert(header, value);
    Ok(())
}

/// Returns the newest value of a secret that the call needs.
///
/// # Errors
/// If the secret is missing.
pub fn required_secret<'a>(secrets: &'a SecretBag, name: &str) -> Result<&'a str, EncodeError> {
    let missing = || EncodeError::Misconfigured(format!("the secret {name} is missing"));
    secrets.newest(name).ok_or_else(missing)
}
