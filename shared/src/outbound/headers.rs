//! The headers of calls to platforms.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Unsendable;
use crate::secrets::SecretBag;

/// The headers of a call whose body is JSON.
#[must_use]
pub fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

/// Puts a header whose value no log may show.
///
/// # Errors
/// If its name or its value is none.
pub fn put_header(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Unsendable> {
    let bad = || Unsendable::Misconfigured(format!("the header '{name}' or its value is not one"));
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
    value.set_sensitive(true);
    headers.insert(header, value);
    Ok(())
}

/// A secret that a call cannot do without.
///
/// # Errors
/// If it is missing.
pub fn needed<'a>(secrets: &'a SecretBag, name: &str) -> Result<&'a str, Unsendable> {
    let missing = || Unsendable::Misconfigured(format!("the secret {name} is missing"));
    secrets.newest(name).ok_or_else(missing)
}
