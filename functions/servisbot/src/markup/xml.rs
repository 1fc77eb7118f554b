//! A markup as XML: strict, small, without document type and entities of its own (SX).

use quick_xml::XmlVersion;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::{BadMarkup, MAX_BYTES, MAX_DEPTH, Node};

/// More attributes than any element has.
pub(super) const MAX_ATTRIBUTES: usize = 64;

/// Reads a markup.
///
/// # Errors
/// Why it cannot be read.
pub fn from_xml(xml: &str) -> Result<Node, BadMarkup> {
    if xml.len() > MAX_BYTES {
        return Err(BadMarkup::TooLong);
    }
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}'));
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(not_xml)? {
            Event::Start(start) => tree.open(element(&start)?)?,
            Event::Empty(start) => {
                tree.open(element(&start)?)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.say(&text.xml10_content())?,
            Event::CData(text) => tree.say(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.say(&resolve(&reference)?)?,
            Event::DocType(_) => return Err(BadMarkup::Declares),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return tree.root(),
        }
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Node>,
    root: Option<Node>,
}

impl Tree {
    fn open(&mut self, node: Node) -> Result<(), BadMarkup> {
        if self.open.len() >= MAX_DEPTH {
            return Err(BadMarkup::TooDeep);
        }
        if self.root.is_some() {
            return Err(BadMarkup::NotOneElement);
        }
        self.open.push(node);
        Ok(())
    }

    fn close(&mut self) -> Result<(), BadMarkup> {
        let mut node = self.open.pop().ok_or(BadMarkup::NotOneElement)?;
        if node.content.trim().is_empty() {
            // What is between elements only sets them apart.
            node.content.clear();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }

    fn say(&mut self, text: &str) -> Result<(), BadMarkup> {
        match self.open.last_mut() {
            Some(node) => node.content.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(BadMarkup::NotOneElement),
        }
        Ok(())
    }

    fn root(self) -> Result<Node, BadMarkup> {
        self.root.filter(|_| self.open.is_empty()).ok_or(BadMarkup::NotOneElement)
    }
}

fn element(start: &BytesStart<'_>) -> Result<Node, BadMarkup> {
    let mut node = Node { name: start.name().as_ref().to_owned(), ..Node::default() };
    for attribute in start.attributes() {
        if node.attributes.len() >= MAX_ATTRIBUTES {
            return Err(BadMarkup::TooManyAttributes);
        }
        let attribute = attribute.map_err(not_xml)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(not_xml)?;
        node.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(node)
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, BadMarkup> {
    match reference.resolve_char_ref().map_err(not_xml)? {
        Some(character) => Ok(character.to_string()),
        None => resolve_predefined_entity(reference).map(Into::into).ok_or(BadMarkup::Declares),
    }
}

fn not_xml(why: impl std::fmt::Display) -> BadMarkup {
    BadMarkup::NotXml(why.to_string())
}

/// Writes a markup.
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

/// A text as it can stand in XML: white space as references, or a reader makes spaces of it; characters
/// that XML has no form for as the one that stands for such.
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
