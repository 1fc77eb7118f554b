//! Escapes characters in JSON that its serializers do not escape.

use std::borrow::Cow;

/// Escapes the characters of the basic multilingual plane that `is_escaped` selects. It must select none that JSON
/// has outside of strings; in strings the escape is equivalent (RFC 8259, section 7).
pub(crate) fn escape(json: &str, is_escaped: fn(char) -> bool) -> Cow<'_, str> {
    if !json.contains(is_escaped) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_escaped(c) {
            let code = format!("\\u{:04x}", u32::from(c));
            escaped.push_str(&code);
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}
