//! A markup as XML: strict, limited in size, without document types and custom entities (SX).

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::{MAX_BYTES, MAX_DEPTH, MarkupError, Node};

/// Maximum number of attributes of an element, more than any documented element has.
pub(super) const MAX_ATTRIBUTES: usize = 64;

/// Parses a markup.
///
/// # Errors
/// The reason why the markup is invalid.
pub fn from_xml(xml: &str) -> Result<Node, MarkupError> {
    if xml.len() > MAX_BYTES {
        return Err(MarkupError::TooLarge);
    }
    let xml = completed(xml.trim_start_matches('\u{feff}').trim_end());
    let mut reader = Reader::from_str(&xml);
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(not_xml)? {
            Event::Start(start) => tree.open(element(&start)?)?,
            Event::Empty(start) => {
                tree.open(element(&start)?)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.append_text(&text.xml10_content())?,
            Event::CData(text) => tree.append_text(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.append_text(&resolve(&reference)?)?,
            Event::DocType(_) => return Err(MarkupError::ForbiddenDeclaration),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return tree.root(),
        }
    }
}

/// Completes the last closing tag, whose `>` some bots omit (KK).
fn completed(xml: &str) -> Cow<'_, str> {
    match xml.rfind("</") {
        Some(at) if !xml[at..].contains('>') => Cow::Owned(format!("{xml}>")),
        _ => Cow::Borrowed(xml),
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Node>,
    root: Option<Node>,
}

impl Tree {
    fn open(&mut self, node: Node) -> Result<(), MarkupError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(MarkupError::TooDeep);
        }
        if self.root.is_some() {
            return Err(MarkupError::NotSingleElement);
        }
        self.open.push(node);
        Ok(())
    }

    fn close(&mut self) -> Result<(), MarkupError> {
        let mut node = self.open.pop().ok_or(MarkupError::NotSingleElement)?;
        if node.content.trim().is_empty() {
            // White space between elements has no meaning.
            node.content.clear();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }

    fn append_text(&mut self, text: &str) -> Result<(), MarkupError> {
        match self.open.last_mut() {
            Some(node) => node.content.push_str(text),
            // A stray `>` behind the last tag (KK).
            None if text.chars().all(|c| c.is_whitespace() || c == '>') => {}
            None => return Err(MarkupError::NotSingleElement),
        }
        Ok(())
    }

    fn root(self) -> Result<Node, MarkupError> {
        self.root.filter(|_| self.open.is_empty()).ok_or(MarkupError::NotSingleElement)
    }
}

fn element(start: &BytesStart<'_>) -> Result<Node, MarkupError> {
    let mut node = Node { name: start.name().as_ref().to_owned(), ..Node::default() };
    for attribute in start.attributes() {
        if node.attributes.len() >= MAX_ATTRIBUTES {
            return Err(MarkupError::TooManyAttributes);
        }
        let attribute = attribute.map_err(not_xml)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(not_xml)?;
        node.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(node)
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, MarkupError> {
    match reference.resolve_char_ref().map_err(not_xml)? {
        Some(character) => Ok(character.to_string()),
        None => resolve_predefined_entity(reference)
            .map(Into::into)
            .ok_or(MarkupError::ForbiddenDeclaration),
    }
}

fn not_xml(why: impl std::fmt::Display) -> MarkupError {
    MarkupError::NotXml(why.to_string())
}

/// Writes a markup as XML.
#[must_use]
pub fn to_xml(node: &Node) -> String {
    let mut written = String::new();
    write(node, &mut written);
    written
}

fn write(node: &Node, to: &mut String) {
    to.push('<');
    to.push_str(&node.name);
    for (name, value) in &node.attributes {
        to.push(' ');
        to.push_str(name);
        to.push_str("=\"");
        to.push_str(&escaped(value));
        to.push('"');
    }
    if node.content.is_empty() && node.children.is_empty() {
        to.push_str("/>");
        return;
    }
    to.push('>');
    to.push_str(&escaped(&node.content));
    node.children.iter().for_each(|child| write(child, to));
    to.push_str("</");
    to.push_str(&node.name);
    to.push('>');
}

/// Escapes a text for XML. Line breaks and tabs become references, because parsers normalize them
/// to spaces. Characters that XML forbids become U+FFFD.
fn escaped(text: &str) -> String {
    let legal: String = text
        .chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => c,
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
            _ => c,
        })
        .collect();
    escape(legal).replace('\r', "&#13;").replace('\n', "&#10;").replace('\t', "&#9;")
}
