//! Checks of the values of secrets, for the description of a platform. No message contains the value.

use super::check_url;

/// Checks a text that is sent as the value of a header.
pub fn header_value(value: &str, _: bool) -> Result<(), String> {
    let printable = |c: u8| (b' '..=b'~').contains(&c);
    if !value.trim().is_empty() && value.bytes().all(printable) {
        Ok(())
    } else {
        Err("is empty or has characters that are not allowed in a header".into())
    }
}

/// Checks a URL that Trunkline calls.
pub fn callable_url(value: &str, local: bool) -> Result<(), String> {
    // The URL is a secret, so the message must not contain it.
    check_url(value, local)
        .map(|_| ())
        .map_err(|_| "must be a public https URL without user name and password".into())
}

/// Checks that a text is not blank.
pub fn not_empty(value: &str, _: bool) -> Result<(), String> {
    if value.trim().is_empty() { Err("is empty".into()) } else { Ok(()) }
}
