//! Checks of secrets' values. None shows the value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use trunkline_shared::security::check_url;

/// A text that can be sent as a header's value.
pub(super) fn header_value(value: &str, _: bool) -> Result<(), String> {
    let printable = |c: u8| (b' '..=b'~').contains(&c);
    if !value.trim().is_empty() && value.bytes().all(printable) {
        Ok(())
    } else {
        Err("is empty or has characters that no header can hold".into())
    }
}

/// An address that deliveries go to.
pub(super) fn address(value: &str, local: bool) -> Result<(), String> {
    // The address is a secret, so what is wrong with it is said without it.
    check_url(value, local).map(|_| ()).map_err(|_| {
        "is not an address that may be called: it must be https, public, without user and password"
            .into()
    })
}

/// A Standard Webhooks secret: `whsec_` and 24 to 64 bytes in base64.
pub(super) fn signing(value: &str, _: bool) -> Result<(), String> {
    let bytes = value.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
    match bytes {
        Some(bytes) if (24..=64).contains(&bytes.len()) => Ok(()),
        _ => {
            Err("must be 'whsec_' and 24 to 64 bytes in base64: `trunkline secret` makes one"
                .into())
        }
    }
}
