//! Reads the JSON that the router sends, and what its handover template makes of values that are not
//! there: `"context":}`.

use serde_json::Value;

/// Reads a body, strictly if that goes.
///
/// # Errors
/// Why it cannot be read in any way.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).or_else(|strict| {
        serde_json::from_str(&mend(text)).map_err(|_| format!("the body is not JSON: {strict}"))
    })
}

/// Puts `null` where a value is missing, and where a variable was not replaced (BRIDGE; fact sheet A5).
fn mend(text: &str) -> String {
    let mut mended = String::with_capacity(text.len() + 8);
    let mut in_string = false;
    let mut wants_value = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_string && let Some((_, after)) = variable(rest) {
            mended.push_str("null");
            (wants_value, rest) = (false, after);
            continue;
        }
        // What is escaped cannot end a string.
        let escaped = in_string && c == '\\';
        let taken = rest.chars().take(1 + usize::from(escaped)).map(char::len_utf8).sum();
        if !in_string && !c.is_whitespace() {
            if wants_value && matches!(c, ',' | '}') {
                mended.push_str("null");
            }
            wants_value = c == ':';
        }
        in_string ^= c == '"';
        mended.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    mended
}

/// A variable at the beginning of `text`, written `$name` (SEED-CM) or `{{$name}}` (BRIDGE): its name,
/// and what follows it.
pub(crate) fn variable(text: &str) -> Option<(&str, &str)> {
    if let Some(braced) = text.strip_prefix("{{") {
        let (name, after) = name(braced.trim_start().strip_prefix('$')?)?;
        return after.trim_start().strip_prefix("}}").map(|after| (name, after));
    }
    name(text.strip_prefix('$')?)
}

fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    begins.then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_template_leaves_open_is_null() {
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
            assert_eq!(read(body.as_bytes()), Ok(null.clone()), "{body}");
        }
    }

    #[test]
    fn strings_are_left_alone() {
        let body = r#"{"a":"x:} {{$b}} $c \":,","b":}"#;
        assert_eq!(read(body.as_bytes()), Ok(json!({"a": "x:} {{$b}} $c \":,", "b": null})));
    }

    #[test]
    fn what_is_beyond_mending_is_said_to_be() {
        for body in ["", "chat c", "{", r#"{"a":"b"#, r#"{"a":"b"c"}"#] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        assert!(read(&vec![b'['; 100_000]).is_err());
        assert!(read(b"\xff").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[{}\\[\\]:,\"\\\\$a-c é\n]{0,60}") {
            let _ = read(text.as_bytes());
        }

        #[test]
        fn mending_changes_no_json(key in ".{0,8}", value in ".{0,20}", number in any::<i32>()) {
            let text = json!({key: [value, number, {"a": null}]}).to_string();
            prop_assert_eq!(mend(&text), text);
        }
    }
}
