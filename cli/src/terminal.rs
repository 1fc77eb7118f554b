//! What the command prints. Customers, bots and desks write texts, and a terminal would carry out the control sequences in
//! them: clear the screen, set the title, write to the clipboard.

use std::fmt::Write;

use serde_json::Value;

/// Stands for a character that a terminal would not show.
const REPLACEMENT: char = '\u{fffd}';

/// Prints text and a line break, without what a terminal carries out.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {
        println!("{}", $crate::terminal::safe(&format!($($text)*)))
    };
}

/// Replaces the characters that a terminal carries out, or that change the direction of text. Line breaks and tabs stay.
#[must_use]
pub fn safe(text: &str) -> String {
    let shown = |c: char| if c == '\n' || c == '\t' || !is_unsafe(c) { c } else { REPLACEMENT };
    text.chars().map(shown).collect()
}

/// Does the same for text of others within a line: a line break would begin a line that looks like another entry.
#[must_use]
pub fn safe_line(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { REPLACEMENT } else { c }).collect()
}

/// Returns the JSON of a value, in which the characters are escaped that a terminal carries out.
#[must_use]
pub fn json_line(value: &Value) -> String {
    let mut escaped = String::new();
    for c in value.to_string().chars() {
        if is_unsafe(c) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a character is a control character (C0, DEL, C1) or controls the direction of text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Sets the title, clears the screen, and writes to the clipboard.
    const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{7f}\u{202e}hi";

    #[test]
    fn control_characters_are_replaced() {
        let shown = safe(HOSTILE);
        assert_eq!(shown, "\u{fffd}]0;owned\u{fffd}\u{fffd}[2J\u{fffd}31m\u{fffd}\u{fffd}hi");
        assert_eq!(safe("a\tb\nc"), "a\tb\nc");
        assert_eq!(safe_line("a\nb\rc"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(safe("naïve 你好 👍🏽 مرحبا"), "naïve 你好 👍🏽 مرحبا");
    }

    #[test]
    fn json_is_escaped_and_keeps_its_value() {
        let value = json!({"text": HOSTILE});
        let text = json_line(&value);
        assert!(!text.chars().any(is_unsafe), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
