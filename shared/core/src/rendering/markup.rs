//! Converts Markdown and HTML to plain text.

use super::html::HtmlRenderer;
use super::markdown;
use super::plain_text::PlainTextWriter;
use crate::model::Format;

/// A longer text with markup is shown as it was written, in bytes.
const MAX_MARKUP: usize = 128 * 1024;

/// Returns the plain text of `text` for platforms without markup. A text of which nothing would be left, such as
/// a comment, stays as it was written.
#[must_use]
pub fn to_plain_text(text: &str, format: Format) -> String {
    if format == Format::Plain || text.len() > MAX_MARKUP {
        return text.to_owned();
    }
    let mut writer = PlainTextWriter::default();
    match format {
        Format::Plain => {}
        Format::Markdown => markdown::write(text, &mut writer),
        Format::Html => HtmlRenderer::default().write(text, &mut writer),
    }
    let plain = writer.finish();
    if plain.is_empty() { text.to_owned() } else { plain }
}
