//! Writes log lines to standard output without raw control characters.

use std::io::{self, Write};

use crate::json_escape::escape;

/// Whether JSON allows a control character in a string: DEL, and C1 (U+0080 to U+009F, which some terminals
/// execute).
fn is_unescaped_control(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}')
}

/// Standard output for lines of JSON. Each call of `write` has whole lines.
#[derive(Debug, Default)]
pub(super) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut out = io::stdout().lock();
        match str::from_utf8(line) {
            Ok(text) => out.write_all(escape(text, is_unescaped_control).as_bytes())?,
            Err(_) => out.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{escape, is_unescaped_control};

    #[test]
    fn a_line_has_no_control_characters_and_the_same_value() {
        let text: String = (0..0x300).filter_map(char::from_u32).collect();
        let value = json!({text.clone(): [text]});
        let json = value.to_string();
        let line = escape(&json, is_unescaped_control);
        assert_eq!(line.chars().find(|c| c.is_control()), None);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }
}
