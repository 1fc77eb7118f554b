//! Checks of the values of secrets. No message contains the value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use trunkline_runtime::security::check_url;

/// Checks a text that is sent as the value of a header.
pub(super) fn header_value(value: &str, _: bool) -> Result<(), String> {
    let printable = |c: u8| (b' '..=b'~').contains(&c);
    if !value.trim().is_empty() && value.bytes().all(printable) {
        Ok(())
    } else {
        Err("is empty or has characters that are not allowed in a header".into())
    }
}

/// Checks a URL that Trunkline calls.
pub(super) fn callable_url(value: &str, local: bool) -> Result<(), String> {
    // The URL is a secret, so the message must not contain it.
    check_url(value, local)
        .map(|_| ())
        .map_err(|_| "must be a public https URL without user name and password".into())
}

/// Checks a Standard Webhooks secret: `whsec_` and 24 to 64 bytes in base64.
pub(super) fn signing_secret(value: &str, _: bool) -> Result<(), String> {
    let bytes = value.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
    match bytes {
        Some(bytes) if (24..=64).contains(&bytes.len()) => Ok(()),
        _ => Err("must be 'whsec_' and 24 to 64 bytes in base64: `trunkline secret` generates one"
            .into()),
    }
}
