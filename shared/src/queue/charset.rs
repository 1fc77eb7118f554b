//! What SQS takes: most of Unicode, but not all. A message with any other character is refused, each
//! time that it is sent again.

/// JSON with the two characters escaped that SQS does not take and JSON does not escape by itself. They
/// can stand in texts only, where an escape means the same.
pub(super) fn json(json: String) -> String {
    // Both begin with this byte, which few texts have.
    if !json.as_bytes().contains(&0xef) {
        return json;
    }
    json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

/// A text without the characters that SQS does not take.
pub(super) fn text(text: &str) -> String {
    let fits = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if fits(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{json, text};

    /// As SQS documents it for `SendMessage`.
    fn is_taken(text: &str) -> bool {
        text.chars().all(|c| {
            matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
                | '\u{10000}'..='\u{10ffff}')
        })
    }

    #[test]
    fn the_two_that_are_left_are_escaped() {
        let body = json!({"t\u{ffff}": "a\u{fffe}b\u{fffd}\u{0}\u{1b}[31m"}).to_string();
        assert!(!is_taken(&body));
        assert!(is_taken(&json(body.clone())));
        assert_eq!(
            serde_json::from_str::<Value>(&json(body.clone())).unwrap(),
            serde_json::from_str::<Value>(&body).unwrap()
        );
        assert_eq!(text("a\u{0}b\u{ffff}\n"), "a\u{fffd}b\u{fffd}\n");
    }

    proptest! {
        #[test]
        fn any_text_goes_and_comes_back(said in any::<String>(), odd in "[\u{fff0}-\u{ffff}\u{0}-\u{20}]{0,9}") {
            let value = json!({said.clone(): [odd.clone(), said.clone()]});
            let written = json(value.to_string());
            prop_assert!(is_taken(&written));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
            prop_assert!(is_taken(&text(&said)) && is_taken(&text(&odd)));
        }
    }
}
