//! Writes log lines to standard output without raw control characters.

use std::io::{self, Write};

/// Escapes the control characters that JSON allows in strings: DEL, and C1 (U+0080 to U+009F, which some
/// terminals execute). Serializers escape the others. In JSON they occur only in strings, where the escape is
/// equivalent (RFC 8259, section 7).
fn escape_controls(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars() {
        if is_unescaped_control(c) {
            let code = format!("\\u{:04x}", u32::from(c));
            escaped.push_str(&code);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

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
            Ok(text) if text.contains(is_unescaped_control) => {
                out.write_all(escape_controls(text).as_bytes())?;
            }
            _ => out.write_all(line)?,
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

    use super::escape_controls;

    #[test]
    fn a_line_has_no_control_characters_and_the_same_value() {
        let text: String = (0..0x300).filter_map(char::from_u32).collect();
        let value = json!({text.clone(): [text]});
        let line = escape_controls(&value.to_string());
        assert_eq!(line.chars().find(|c| c.is_control()), None);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }
}
