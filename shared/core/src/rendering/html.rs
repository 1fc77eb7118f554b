//! Renders HTML as plain text, from the tokens of a WHATWG tokenizer.

use html5gum::{DefaultEmitter, EndTag, Span, StartTag, Token, Tokenizer};

use super::plain_text::{Container, Gap, PlainTextWriter, next_marker};

/// What an element of HTML is for a reader of plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its content is not text for a reader.
    Hidden,
    /// It begins and ends with a blank line.
    Paragraph,
    /// It begins and ends a line.
    Line,
    Other,
}

/// Returns the kind of an element, also of former HTML; `None` if HTML has no such element. Names with a colon
/// belong to an XML namespace, as in text from office programs.
fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "script" | "style" | "title" | "template" | "svg" | "math" => Kind::Hidden,
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" | "figure" => Kind::Paragraph,
        "address" | "article" | "aside" | "body" | "caption" | "center" | "dd" | "details"
        | "dir" | "div" | "dt" | "fieldset" | "figcaption" | "footer" | "form" | "header"
        | "hgroup" | "legend" | "main" | "nav" | "option" | "search" | "section" | "summary" => {
            Kind::Line
        }
        "a" | "abbr" | "acronym" | "applet" | "area" | "audio" | "b" | "base" | "basefont"
        | "bdi" | "bdo" | "bgsound" | "big" | "blink" | "blockquote" | "br" | "button"
        | "canvas" | "cite" | "code" | "col" | "colgroup" | "data" | "datalist" | "del" | "dfn"
        | "dialog" | "em" | "embed" | "font" | "frame" | "frameset" | "head" | "hr" | "html"
        | "i" | "iframe" | "img" | "input" | "ins" | "kbd" | "keygen" | "label" | "li" | "link"
        | "listing" | "map" | "mark" | "marquee" | "menu" | "meta" | "meter" | "nobr"
        | "noframes" | "noscript" | "object" | "ol" | "optgroup" | "output" | "param"
        | "picture" | "plaintext" | "pre" | "progress" | "q" | "rp" | "rt" | "ruby" | "s"
        | "samp" | "select" | "slot" | "small" | "source" | "span" | "strike" | "strong"
        | "sub" | "sup" | "table" | "tbody" | "td" | "textarea" | "tfoot" | "th" | "thead"
        | "time" | "tr" | "track" | "tt" | "u" | "ul" | "var" | "video" | "wbr" | "xmp" => {
            Kind::Other
        }
        name if name.contains(':') => Kind::Other,
        _ => return None,
    })
}

/// Returns whether HTML has such an element. A tag with another name is text.
pub(super) fn is_element(name: &str) -> bool {
    kind(name).is_some()
}

/// Returns whether the element needs no end tag.
pub(super) fn has_no_end(name: &str) -> bool {
    ["br", "hr", "img", "wbr", "input"].contains(&name)
}

/// The state between pieces of HTML: Markdown brings them one by one.
#[derive(Debug, Default)]
pub(super) struct HtmlRenderer {
    lists: Vec<List>,
    preformatted: usize,
}

#[derive(Debug)]
struct List {
    /// The number of the next item; `None` for bullets.
    next: Option<u64>,
    in_item: bool,
}

impl HtmlRenderer {
    /// Writes a piece of HTML.
    pub(super) fn write(&mut self, html: &str, writer: &mut PlainTextWriter) {
        let mut emitter = DefaultEmitter::<usize>::new_with_span();
        emitter.naively_switch_states(true);
        // The end of the last token, and the element whose content is hidden with the start of its content.
        let mut end = 0;
        let mut hidden: Option<(String, usize)> = None;
        for token in Tokenizer::new_with_emitter(html, emitter).map(|Ok(token)| token) {
            end = span(&token).map_or(end, |span| span.end);
            if let Some((name, _)) = &hidden {
                if matches!(&token, Token::EndTag(tag) if *tag.name == *name.as_bytes()) {
                    hidden = None;
                }
                continue;
            }
            match token {
                Token::StartTag(tag) => {
                    let name = String::from_utf8_lossy(&tag.name).into_owned();
                    match kind(&name) {
                        Some(Kind::Hidden) if !tag.self_closing => {
                            hidden = Some((name, tag.span.end));
                        }
                        Some(_) => self.start(&name, &tag, writer),
                        None => writer.verbatim(source(html, tag.span)),
                    }
                }
                Token::EndTag(EndTag { name, span }) => match String::from_utf8_lossy(&name) {
                    name if is_element(&name) => self.end(&name, writer),
                    _ => writer.verbatim(source(html, span)),
                },
                Token::String(text) => self.text(&String::from_utf8_lossy(&text), writer),
                // A comment that is not closed would hide all that follows.
                Token::Comment(comment) if !source(html, comment.span).ends_with('>') => {
                    self.text(source(html, comment.span), writer);
                }
                Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        // The tokenizer drops a tag that is not closed. The reader would miss all that follows.
        let rest = hidden.map_or(end, |(_, start)| start);
        self.text(html.get(rest..).unwrap_or_default(), writer);
    }

    fn text(&self, text: &str, writer: &mut PlainTextWriter) {
        if self.preformatted > 0 {
            writer.verbatim(text);
        } else {
            writer.collapsed(text);
        }
    }

    fn start(&mut self, name: &str, tag: &StartTag<usize>, writer: &mut PlainTextWriter) {
        let attribute = |name: &str| {
            let value = tag.attributes.get(name.as_bytes())?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let number = |name: &str| attribute(name).and_then(|value| value.trim().parse().ok());
        match name {
            "br" => writer.line_break(),
            "hr" => writer.rule(),
            "ul" | "menu" | "dir" => self.start_list(None, writer),
            "ol" => self.start_list(Some(number("start").unwrap_or(1)), writer),
            "li" => self.start_item(number("value"), writer),
            "blockquote" => writer.start_quote(),
            "pre" | "listing" | "xmp" => {
                writer.block(Gap::Blank);
                self.preformatted += 1;
            }
            "a" => {
                if writer.in_link() {
                    writer.end_link();
                }
                writer.start_link(&attribute("href").unwrap_or_default());
            }
            "img" | "video" | "audio" | "iframe" => {
                let text = attribute("alt").or_else(|| attribute("title")).unwrap_or_default();
                writer.start_link(&attribute("src").unwrap_or_default());
                writer.collapsed(&text);
                writer.end_image();
            }
            "table" => writer.start_table(),
            "tr" => writer.start_row(),
            "td" | "th" => writer.start_cell(),
            "q" => writer.verbatim("“"),
            _ => block(name, writer),
        }
    }

    fn end(&mut self, name: &str, writer: &mut PlainTextWriter) {
        match name {
            // Browsers read `</br>` as a line break, and `</p>` without a start as an empty paragraph.
            "br" => writer.line_break(),
            "ul" | "ol" | "menu" | "dir" => self.end_list(writer),
            "li" => self.end_item(writer),
            "blockquote" => writer.end_quote(),
            "pre" | "listing" | "xmp" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                writer.block(Gap::Blank);
            }
            "a" => writer.end_link(),
            "table" => writer.end_table(),
            "td" | "th" => writer.end_cell(),
            "q" => writer.verbatim("”"),
            _ => block(name, writer),
        }
    }

    fn start_list(&mut self, next: Option<u64>, writer: &mut PlainTextWriter) {
        writer.block(Gap::of_list(self.lists.len()));
        self.lists.push(List { next, in_item: false });
    }

    fn start_item(&mut self, number: Option<u64>, writer: &mut PlainTextWriter) {
        self.end_item(writer);
        writer.block(Gap::Line);
        let Some(list) = self.lists.last_mut() else {
            return writer.open(Container::Item, "- ".to_owned());
        };
        list.in_item = true;
        list.next = list.next.map(|next| number.unwrap_or(next));
        writer.open(Container::Item, next_marker(&mut list.next, '.'));
    }

    fn end_item(&mut self, writer: &mut PlainTextWriter) {
        if self.lists.last_mut().is_none_or(|list| std::mem::take(&mut list.in_item)) {
            writer.close(Container::Item);
        }
        writer.block(Gap::Line);
    }

    fn end_list(&mut self, writer: &mut PlainTextWriter) {
        if self.lists.is_empty() {
            return;
        }
        self.end_item(writer);
        self.lists.pop();
        writer.block(Gap::of_list(self.lists.len()));
    }
}

fn block(name: &str, writer: &mut PlainTextWriter) {
    match kind(name) {
        Some(Kind::Paragraph) => writer.block(Gap::Blank),
        Some(Kind::Line) => writer.block(Gap::Line),
        Some(Kind::Hidden | Kind::Other) | None => {}
    }
}

fn span(token: &Token<usize>) -> Option<Span<usize>> {
    match token {
        Token::StartTag(tag) => Some(tag.span),
        Token::EndTag(tag) => Some(tag.span),
        Token::String(text) => Some(text.span),
        Token::Comment(comment) => Some(comment.span),
        Token::Doctype(doctype) => Some(doctype.span),
        Token::Error(_) => None,
    }
}

fn source(html: &str, span: Span<usize>) -> &str {
    html.get(span.start..span.end).unwrap_or_default()
}
