//! Renders Markdown as plain text, from the events of a CommonMark parser. A line break stays a line break, as
//! in a chat.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::html::{self, HtmlRenderer};
use super::plain_text::{Container, Gap, PlainTextWriter, next_marker};

type Located<'a> = (Event<'a>, Range<usize>);

/// Writes the text of a Markdown document.
pub(super) fn write(markdown: &str, writer: &mut PlainTextWriter) {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    let events: Vec<Located<'_>> = Parser::new_ext(markdown, options).into_offset_iter().collect();
    let markup = matched_tags(&events);
    let mut renderer = MarkdownRenderer {
        markdown,
        writer,
        lists: Vec::new(),
        html: HtmlRenderer::default(),
        block: None,
    };
    for (index, (event, range)) in events.into_iter().enumerate() {
        match event {
            Event::InlineHtml(tag) if !markup.contains(&index) => renderer.writer.verbatim(&tag),
            event => renderer.event(event, range),
        }
    }
}

/// Returns the indexes of inline tags that are markup: elements of HTML with a start and an end, elements
/// without content, and comments. Other tags are placeholders that a person typed, such as `<code>`.
fn matched_tags(events: &[Located<'_>]) -> BTreeSet<usize> {
    let mut open: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (index, (event, _)) in events.iter().enumerate() {
        match event {
            Event::InlineHtml(tag) => match tag_name(tag) {
                None => _ = found.insert(index),
                Some((_, name)) if !html::is_element(&name) => {}
                Some((_, name)) if html::has_no_end(&name) => _ = found.insert(index),
                Some((false, name)) => open.entry(name).or_default().push(index),
                Some((true, name)) => {
                    if let Some(start) = open.get_mut(&name).and_then(Vec::pop) {
                        found.extend([start, index]);
                    }
                }
            },
            Event::End(
                TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell,
            ) => open.clear(),
            _ => {}
        }
    }
    found
}

/// Returns whether a tag is an end tag, and its name in lower case; `None` for a comment or an instruction.
fn tag_name(tag: &str) -> Option<(bool, String)> {
    let inner = tag.strip_prefix('<')?;
    let (is_end, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    let end = inner
        .find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')
        .unwrap_or(inner.len());
    let name =
        inner.get(..end).filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))?;
    Some((is_end, name.to_ascii_lowercase()))
}

struct MarkdownRenderer<'a> {
    markdown: &'a str,
    writer: &'a mut PlainTextWriter,
    /// The open lists, the innermost last.
    lists: Vec<List>,
    html: HtmlRenderer,
    /// The block of HTML that is being read.
    block: Option<String>,
}

/// A list whose end is not reached.
struct List {
    /// The number of the first item; `None` for bullets.
    first: Option<u64>,
    /// The number of the next item.
    next: Option<u64>,
}

impl MarkdownRenderer<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(end) => self.end(end),
            Event::Html(text) => match &mut self.block {
                Some(block) => block.push_str(&text),
                None => self.html.write(&text, self.writer),
            },
            Event::InlineHtml(tag) => self.html.write(&tag, self.writer),
            Event::Text(text) if self.block.is_some() => {
                self.block.get_or_insert_default().push_str(&text);
            }
            Event::Text(text) | Event::Code(text) => self.writer.verbatim(&text),
            Event::SoftBreak | Event::HardBreak => self.writer.line_break(),
            Event::Rule => self.writer.rule(),
            // These belong to extensions that are off.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.writer.verbatim(&text);
            }
            Event::TaskListMarker(done) => self.writer.verbatim(if done { "[x] " } else { "[ ] " }),
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) => {
                self.writer.block(Gap::Blank);
            }
            Tag::BlockQuote(_) => self.writer.start_quote(),
            Tag::HtmlBlock => self.block = Some(String::new()),
            Tag::List(start) => {
                self.writer.block(Gap::of_list(self.lists.len()));
                self.lists.push(List { first: start, next: start });
            }
            Tag::Item => {
                self.writer.block(Gap::Line);
                let marker = self.marker(range.start);
                self.writer.open(Container::Item, marker);
            }
            Tag::Table(_) => self.writer.start_table(),
            Tag::TableHead | Tag::TableRow => self.writer.start_row(),
            Tag::TableCell => self.writer.start_cell(),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.writer.start_link(&dest_url);
            }
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock => {
                self.writer.block(Gap::Blank);
            }
            TagEnd::BlockQuote(_) => self.writer.end_quote(),
            TagEnd::HtmlBlock => {
                let html = self.block.take().unwrap_or_default();
                self.writer.block(Gap::Blank);
                self.html.write(&html, self.writer);
                self.writer.block(Gap::Blank);
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.writer.block(Gap::of_list(self.lists.len()));
            }
            TagEnd::Item => {
                self.writer.close(Container::Item);
                self.writer.block(Gap::Line);
            }
            TagEnd::TableCell => self.writer.end_cell(),
            TagEnd::Table => self.writer.end_table(),
            TagEnd::Link => self.writer.end_link(),
            TagEnd::Image => self.writer.end_image(),
            _ => {}
        }
    }

    /// Returns what precedes the item that begins at `start`: its number, with the delimiter that was written. A
    /// number that repeats the first one means the next number: some people number all items `1.`.
    fn marker(&mut self, start: usize) -> String {
        let written = self.markdown.get(start..).unwrap_or_default();
        let after_number = written.trim_start_matches(|c: char| c.is_ascii_digit());
        let delimiter = if after_number.starts_with(')') { ')' } else { '.' };
        let number = written[..written.len() - after_number.len()].parse().ok();
        let Some(list) = self.lists.last_mut() else { return next_marker(&mut None, delimiter) };
        if list.next.is_some() && number.is_some() && number != list.first {
            list.next = number;
        }
        next_marker(&mut list.next, delimiter)
    }
}
