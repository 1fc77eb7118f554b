//! Reads the JSON that Webex Connect sends, and what its documentation prints: unquoted keys, curly
//! quotes, comments, missing and trailing commas, lines of dots.

use serde_json::Value;

/// Deeper than any event is nested, and shallow enough for any stack.
const MAX_DEPTH: usize = 32;

/// Reads a body, strictly if that goes.
///
/// # Errors
/// Why it cannot be read in any way.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    if depth(text) > MAX_DEPTH {
        return Err(format!("the body is nested more than {MAX_DEPTH} deep"));
    }
    serde_json::from_str(text).or_else(|strict| {
        json5::from_str(&mend(text)).map_err(|_| format!("the body is not JSON: {strict}"))
    })
}

/// An upper bound of how deep a text nests, whatever is inside its strings.
fn depth(text: &str) -> usize {
    let mut now = 0_usize;
    let mut most = 0;
    for c in text.bytes() {
        match c {
            b'{' | b'[' => now += 1,
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// Makes the documentation's samples into JSON5: straight quotes, no comments, no lines of dots, and
/// a comma between a value and the next line's key.
fn mend(text: &str) -> String {
    let straight = text.replace(['\u{201c}', '\u{201d}'], "\"");
    let lines = straight.lines().map(|line| without_comment(line).trim_end());
    let mut mended = String::with_capacity(straight.len());
    for line in lines.filter(|line| !is_dots(line)) {
        let value_before = mended.trim_end().ends_with(ends_value);
        if value_before && line.trim_start().starts_with(starts_key) {
            mended.push(',');
        }
        mended.push('\n');
        mended.push_str(line);
    }
    mended
}

fn ends_value(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '"' | '\'' | '}' | ']')
}

fn starts_key(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '"' | '\'' | '_' | '$')
}

fn is_dots(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.chars().all(|c| matches!(c, '.' | '\u{2026}'))
}

/// A line up to `//`, where that is not within quotes.
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
    fn strict_json_is_read_as_it_is() {
        let body = br#"{"Message":"a // b, \u201cc\u201d","Media":"https://x.example/y"}"#;
        let expected =
            json!({"Message": "a // b, \u{201c}c\u{201d}", "Media": "https://x.example/y"});
        assert_eq!(read(body).unwrap(), expected);
    }

    #[test]
    fn a_missing_comma_is_put_in_only_where_one_is_missing() {
        let text = "{\n a : \"x\"\n b : [\n 1,\n 2\n ]\n c: \"https://x.example\", // why\n ...\n d: 1,\n}";
        let expected = json!({"a": "x", "b": [1, 2], "c": "https://x.example", "d": 1});
        assert_eq!(read(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert_eq!(read(b"\xff\xfe").unwrap_err(), "the body is not UTF-8");
        assert!(read(b"hello there").unwrap_err().starts_with("the body is not JSON"));
        let deep = "[".repeat(100_000);
        assert!(read(deep.as_bytes()).unwrap_err().contains("nested"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&body);
        }

        #[test]
        fn nothing_that_looks_like_json_makes_it_panic(
            text in "[\\{\\}\\[\\]\":,/a-z0-9 \n\\\\.\u{201c}\u{201d}\u{2026}'+-]{0,200}"
        ) {
            let _ = read(text.as_bytes());
        }
    }
}
