//! Parses the JSON that the router sends, and the invalid JSON that its handover template yields
//! for missing values: `"context":}`.

use serde_json::Value;
use trunkline_core::json;

/// Parses a body as strict JSON, or else as repaired JSON.
///
/// # Errors
/// The reason why neither succeeds.
pub(crate) fn parse(body: &[u8]) -> Result<Value, String> {
    let body = json::without_byte_order_mark(body);
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    json::from_slice(body).or_else(|strict| {
        let repaired = repair(text);
        json::from_slice(repaired.as_bytes()).map_err(|_| format!("the body is not JSON: {strict}"))
    })
}

/// Inserts `null` for a missing value and for an unreplaced variable (BRIDGE; fact sheet A5).
fn repair(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len() + 8);
    let mut in_string = false;
    let mut expects_value = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_string && let Some((_, after)) = variable(rest) {
            repaired.push_str("null");
            (expects_value, rest) = (false, after);
            continue;
        }
        // An escaped quote does not end the string.
        let escaped = in_string && c == '\\';
        let length = rest.chars().take(1 + usize::from(escaped)).map(char::len_utf8).sum();
        if !in_string && !c.is_whitespace() {
            if expects_value && matches!(c, ',' | '}') {
                repaired.push_str("null");
            }
            expects_value = c == ':';
        }
        in_string ^= c == '"';
        repaired.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    repaired
}

/// Parses a variable at the start of `text`, written `$name` (SEED-CM) or `{{$name}}` (BRIDGE).
/// Returns its name and the text after it.
pub(crate) fn variable(text: &str) -> Option<(&str, &str)> {
    if let Some(braced) = text.strip_prefix("{{") {
        let (name, after) = variable_name(braced.trim_start().strip_prefix('$')?)?;
        return after.trim_start().strip_prefix("}}").map(|after| (name, after));
    }
    variable_name(text.strip_prefix('$')?)
}

fn variable_name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let starts_with_letter = text.starts_with(|c: char| c.is_ascii_alphabetic());
    starts_with_letter.then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_values_and_variables_become_null() {
        let null = json!({"chatId": "c", "context": null, "z": 1});
        for body in [
            r#"{"chatId":"c","context":,"z":1}"#,
            r#"{"chatId":"c","z":1,"context":}"#,
            "{\"chatId\":\"c\",\"z\":1,\n \"context\": \n}",
            r#"{"chatId":"c","z":1,"context":{{$context}}}"#,
            r#"{"chatId":"c","z":1,"context":{{ $context }}}"#,
            r#"{"chatId":"c","z":1,"context":$context}"#,
            "\u{feff}{\"chatId\":\"c\",\"z\":1,\"context\":$context}",
        ] {
            assert_eq!(parse(body.as_bytes()), Ok(null.clone()), "{body}");
        }
    }

    #[test]
    fn does_not_change_strings() {
        let body = r#"{"a":"x:} {{$b}} $c \":,","b":}"#;
        assert_eq!(parse(body.as_bytes()), Ok(json!({"a": "x:} {{$b}} $c \":,", "b": null})));
    }

    #[test]
    fn reads_half_of_a_surrogate_pair_in_repaired_json_too() {
        let body = r#"{"a":"x \ud83d","b":}"#;
        assert_eq!(parse(body.as_bytes()), Ok(json!({"a": "x \u{fffd}", "b": null})));
    }

    #[test]
    fn rejects_what_it_cannot_repair() {
        for body in ["", "chat c", "{", r#"{"a":"b"#, r#"{"a":"b"c"}"#] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
        assert!(parse(&vec![b'['; 100_000]).is_err());
        assert!(parse(b"\xff").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[{}\\[\\]:,\"\\\\$a-c é\n]{0,60}") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn valid_json_is_unchanged(key in ".{0,8}", value in ".{0,20}", number in any::<i32>()) {
            let text = json!({key: [value, number, {"a": null}]}).to_string();
            prop_assert_eq!(repair(&text), text);
        }
    }
}
