//! Parses the JSON that Webex Connect sends, and the JSON-like samples that its documentation
//! prints: unquoted keys, curly quotes, comments, missing and trailing commas, lines of dots.

use serde_json::Value;
use trunkline_core::json;

/// Maximum nesting depth: more than any event has, and safe for any stack.
const MAX_DEPTH: usize = 32;

/// Parses a body as strict JSON, or else as repaired JSON5.
///
/// # Errors
/// The reason why neither succeeds.
pub(crate) fn parse(body: &[u8]) -> Result<Value, String> {
    let body = json::without_byte_order_mark(body);
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    if depth(text) > MAX_DEPTH {
        return Err(format!("the body is nested more than {MAX_DEPTH} deep"));
    }
    json::from_slice(body).or_else(|strict| {
        let whole = json::without_lone_surrogates(body);
        let repaired = repair(&String::from_utf8_lossy(&whole));
        json5::from_str(&repaired).map_err(|_| format!("the body is not JSON: {strict}"))
    })
}

/// An upper bound of the nesting depth: brackets inside strings count as well.
fn depth(text: &str) -> usize {
    let mut current = 0_usize;
    let mut deepest = 0;
    for c in text.bytes() {
        match c {
            b'{' | b'[' => current += 1,
            b'}' | b']' => current = current.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(current);
    }
    deepest
}

/// Turns the documentation's samples into JSON5: straight quotes, no comments, no lines of dots,
/// and a comma between a value and the key on the next line.
fn repair(text: &str) -> String {
    let straight = text.replace(['\u{201c}', '\u{201d}'], "\"");
    let lines = straight.lines().map(|line| without_comment(line).trim_end());
    let mut repaired = String::with_capacity(straight.len());
    for line in lines.filter(|line| !is_ellipsis(line)) {
        let follows_value = repaired.trim_end().ends_with(ends_value);
        if follows_value && line.trim_start().starts_with(starts_key) {
            repaired.push(',');
        }
        repaired.push('\n');
        repaired.push_str(line);
    }
    repaired
}

fn ends_value(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '"' | '\'' | '}' | ']')
}

fn starts_key(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '"' | '\'' | '_' | '$')
}

fn is_ellipsis(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.chars().all(|c| matches!(c, '.' | '\u{2026}'))
}

/// A line up to `//`, unless that is within quotes.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut escaped = false;
    let mut slash_before = false;
    for (i, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '/' if !quoted && slash_before => return &line[..i - 1],
            _ => {}
        }
        slash_before = c == '/' && !quoted;
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn strict_json_is_unchanged() {
        let body = br#"{"Message":"a // b, \u201cc\u201d","Media":"https://x.example/y"}"#;
        let expected =
            json!({"Message": "a // b, \u{201c}c\u{201d}", "Media": "https://x.example/y"});
        assert_eq!(parse(body).unwrap(), expected);
    }

    #[test]
    fn adds_only_missing_commas() {
        let text = "{\n a : \"x\"\n b : [\n 1,\n 2\n ]\n c: \"https://x.example\", // why\n ...\n d: 1,\n}";
        let expected = json!({"a": "x", "b": [1, 2], "c": "https://x.example", "d": 1});
        assert_eq!(parse(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn reads_half_of_a_surrogate_pair_in_repaired_json_too() {
        for body in [r#"{"a":"x \ud83d"}"#, "\u{feff}{\n a : \"x \\ud83d\"\n}"] {
            assert_eq!(parse(body.as_bytes()).unwrap(), json!({"a": "x \u{fffd}"}), "{body}");
        }
    }

    #[test]
    fn errors_name_the_reason() {
        assert_eq!(parse(b"\xff\xfe").unwrap_err(), "the body is not UTF-8");
        assert!(parse(b"hello there").unwrap_err().starts_with("the body is not JSON"));
        let deep = "[".repeat(100_000);
        assert!(parse(deep.as_bytes()).unwrap_err().contains("nested"));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&body);
        }

        #[test]
        fn json_like_text_never_panics(
            text in "[\\{\\}\\[\\]\":,/a-z0-9 \n\\\\.\u{201c}\u{201d}\u{2026}'+-]{0,200}"
        ) {
            let _ = parse(text.as_bytes());
        }
    }
}
