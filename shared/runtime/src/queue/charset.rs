//! The characters that SQS accepts: most of Unicode, but not all. SQS rejects a message with any other
//! character, on every retry.

use crate::json_escape;

/// Escapes the two characters in JSON that SQS rejects and serializers do not escape. They can occur only
/// in strings.
pub(super) fn escape_json(json: String) -> String {
    // Both begin with this UTF-8 byte, which is rare.
    if !json.as_bytes().contains(&0xef) {
        return json;
    }
    json_escape::escape(&json, |c| matches!(c, '\u{fffe}' | '\u{ffff}')).into_owned()
}

/// Replaces the characters in a text that SQS rejects.
pub(super) fn replace_unsupported(text: &str) -> String {
    let is_accepted =
        |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if is_accepted(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{escape_json, replace_unsupported};

    /// The characters that SQS documents for `SendMessage`.
    fn is_accepted(text: &str) -> bool {
        text.chars().all(|c| {
            matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
                | '\u{10000}'..='\u{10ffff}')
        })
    }

    #[test]
    fn escapes_the_two_noncharacters() {
        let body = json!({"t\u{ffff}": "a\u{fffe}b\u{fffd}\u{0}\u{1b}[31m"}).to_string();
        assert!(!is_accepted(&body));
        assert!(is_accepted(&escape_json(body.clone())));
        assert_eq!(
            serde_json::from_str::<Value>(&escape_json(body.clone())).unwrap(),
            serde_json::from_str::<Value>(&body).unwrap()
        );
        assert_eq!(replace_unsupported("a\u{0}b\u{ffff}\n"), "a\u{fffd}b\u{fffd}\n");
    }

    proptest! {
        #[test]
        fn any_text_survives_a_round_trip(content in any::<String>(), edge in "[\u{fff0}-\u{ffff}\u{0}-\u{20}]{0,9}") {
            let value = json!({content.clone(): [edge.clone(), content.clone()]});
            let written = escape_json(value.to_string());
            prop_assert!(is_accepted(&written));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
            prop_assert!(is_accepted(&replace_unsupported(&content)) && is_accepted(&replace_unsupported(&edge)));
        }
    }
}
