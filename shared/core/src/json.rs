//! Reads the JSON that other programs send. It is as tolerant on every platform: half a surrogate pair in an
//! escape is read as U+FFFD, a byte-order mark is skipped, and `null` can stand for a missing member.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The byte-order mark, which RFC 8259, section 8.1, allows a reader to ignore.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const REPLACEMENT: &[u8] = br"\ufffd";
/// Length of an escaped UTF-16 unit, `\uXXXX`, in bytes.
const ESCAPE_LENGTH: usize = 6;

/// Parses JSON of another program.
///
/// # Errors
/// The reason why `body` is not JSON, or not of the type `T`.
pub fn from_slice<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let text = without_byte_order_mark(body);
    serde_json::from_slice(text).or_else(|strict| match without_lone_surrogates(text) {
        Cow::Borrowed(_) => Err(strict),
        Cow::Owned(repaired) => serde_json::from_slice(&repaired),
    })
}

/// Returns `body` without the byte-order mark at its start.
#[must_use]
pub fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// Replaces each escaped surrogate without its other half by an escaped U+FFFD. A sender that cuts a text
/// within an emoji produces one.
#[must_use]
pub fn without_lone_surrogates(text: &[u8]) -> Cow<'_, [u8]> {
    let mut repaired: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let length = if byte == b'\\' { 2 } else { 1 };
        let (length, lone) = match utf16_unit(&text[at..]) {
            Some(0xd800..=0xdbff) => match utf16_unit(&text[at + ESCAPE_LENGTH..]) {
                Some(0xdc00..=0xdfff) => (2 * ESCAPE_LENGTH, false),
                _ => (ESCAPE_LENGTH, true),
            },
            Some(unit) => (ESCAPE_LENGTH, (0xdc00..=0xdfff).contains(&unit)),
            None => (length.min(text.len() - at), false),
        };
        if lone {
            repaired.get_or_insert_with(|| text[..at].to_vec()).extend_from_slice(REPLACEMENT);
        } else if let Some(repaired) = &mut repaired {
            repaired.extend_from_slice(&text[at..at + length]);
        }
        at += length;
    }
    repaired.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The UTF-16 unit that is escaped at the start of `text`.
fn utf16_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok().filter(|d| !d.starts_with('+'))?;
    u16::from_str_radix(digits, 16).ok()
}

/// Removes the members that are `null`, at every depth: many serializers write `null` for a member that is
/// not set. Items of arrays keep their places.
pub fn remove_null_members(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.values().any(Value::is_null) {
                members.retain(|_, member| !member.is_null());
            }
            members.values_mut().for_each(remove_null_members);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_null_members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Finds a member by name, in any case. Of several spellings, the exact one counts, unless it is empty and
/// another one is not. `None`: no spelling has a value.
#[must_use]
pub fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let others = object.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let mut found = object.get(name).into_iter().chain(others.map(|(_, value)| value));
    found.find(|value| !is_empty(value))
}

/// Returns whether a value is `null`, a blank text, or a list or object without content.
#[must_use]
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Shows input 8.
    #[test]
    fn reads_half_of_a_surrogate_pair_as_the_replacement_character() {
        for (sent, expected) in [
            (r#""Great \ud83d""#, "Great \u{fffd}"),
            (r#""\udc4d!""#, "\u{fffd}!"),
            (r#""\ud83d\ud83d\udc4d""#, "\u{fffd}\u{1f44d}"),
            (r#""\uD83D\n\udc4d""#, "\u{fffd}\n\u{fffd}"),
            (r#""\\ud83d \ud83d\\""#, "\\ud83d \u{fffd}\\"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
        ] {
            assert_eq!(from_slice::<String>(sent.as_bytes()).unwrap(), expected, "{sent}");
        }
    }

    /// Shows input 10.
    #[test]
    fn skips_a_byte_order_mark() {
        assert_eq!(from_slice::<Value>(b"\xef\xbb\xbf{\"a\":1}").unwrap(), json!({"a": 1}));
        assert_eq!(without_byte_order_mark(b"\xef\xbb"), b"\xef\xbb");
    }

    #[test]
    fn errors_name_what_is_not_json() {
        for bad in [&b""[..], b"{", br#""\ud83d"#, br#""\u12"#, b"\xff", br#""\u+123""#] {
            assert!(from_slice::<Value>(bad).is_err(), "{bad:?}");
        }
    }

    /// Shows input 11.
    #[test]
    fn null_members_are_removed_at_every_depth() {
        let mut value = json!({"a": null, "b": {"c": null, "d": [null, {"e": null}]}, "f": 0});
        remove_null_members(&mut value);
        assert_eq!(value, json!({"b": {"d": [null, {}]}, "f": 0}));
    }

    /// Shows input 14.
    #[test]
    fn of_several_spellings_the_one_with_a_value_counts() {
        let found = |object: Value| member(object.as_object().unwrap(), "Id").cloned();
        assert_eq!(found(json!({"Id": "a", "ID": "b"})), Some(json!("a")));
        assert_eq!(found(json!({"Id": " ", "id": "b", "iD": null})), Some(json!("b")));
        assert_eq!(found(json!({"Id": [], "id": 0})), Some(json!(0)));
        assert_eq!(found(json!({"Id": {}, "other": 1})), None);
    }

    proptest! {
        #[test]
        fn valid_json_is_unchanged(text in ".{0,40}", number in any::<f64>()) {
            let sent = json!({"a": text, "b": [number, null]});
            let body = sent.to_string();
            prop_assert!(matches!(without_lone_surrogates(body.as_bytes()), Cow::Borrowed(_)));
            prop_assert_eq!(from_slice::<Value>(body.as_bytes()).unwrap(), serde_json::from_str::<Value>(&body).unwrap());
        }

        /// Shows input 8.
        #[test]
        fn any_escapes_of_utf16_units_are_read(units in prop::collection::vec(any::<u16>(), 0..12)) {
            let escaped = units.iter().map(|unit| format!("\\u{unit:04x}"));
            let escaped = escaped.collect::<Vec<_>>().concat();
            let read: String = from_slice(format!("\"{escaped}\"").as_bytes()).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..60),
                                       text in "[\\\\ud8c0-9\"a]{0,40}") {
            let _ = from_slice::<Value>(&body);
            let _ = from_slice::<Value>(text.as_bytes());
        }
    }
}
