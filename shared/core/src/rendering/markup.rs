//! Converts Markdown and HTML to plain text.

use pulldown_cmark::{Options, Parser, html};

use crate::model::Format;

/// Returns the plain text of `text` for platforms without markup.
#[must_use]
pub fn to_plain_text(text: &str, format: Format) -> String {
    match format {
        Format::Plain => text.to_owned(),
        Format::Markdown => {
            let mut written = String::with_capacity(text.len() * 2);
            let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
            html::push_html(&mut written, Parser::new_ext(text, options));
            from_html(&written)
        }
        Format::Html => from_html(text),
    }
}

fn from_html(html: &str) -> String {
    let text = nanohtml2text::html2text(html).replace("\r\n", "\n");
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.dedup_by(|next, before| next.is_empty() && before.is_empty());
    lines.join("\n").trim().to_owned()
}
