//! Answers of AWS's query services, as a tree of XML elements.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// The deepest element of an answer that is read.
const MAX_DEPTH: usize = 32;

/// An XML element: its name, its text and its children. Attributes are not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// Parses a document. `None`: it is not XML, or deeper than any answer of AWS.
    #[must_use]
    pub fn parse(xml: &str) -> Option<Self> {
        let mut reader = Reader::from_str(xml);
        // The first one contains the root.
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if open.len() <= MAX_DEPTH => {
                    open.push(Self { name: start.name().as_ref().to_owned(), ..Self::default() });
                }
                Event::Empty(start) => {
                    let empty = Self { name: start.name().as_ref().to_owned(), ..Self::default() };
                    open.last_mut()?.children.push(empty);
                }
                Event::End(_) => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().ok()?.map(String::from);
                    let entity = || resolve_predefined_entity(&reference).map(Into::into);
                    open.last_mut()?.text.push_str(&character.or_else(entity)?);
                }
                Event::Decl(_) | Event::Comment(_) => {}
                Event::Eof => break,
                _ => return None,
            }
        }
        let [document] = <[Self; 1]>::try_from(open).ok()?;
        document.children.into_iter().next()
    }

    /// Returns the first element of this name below this one, in the order of the document.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Self> {
        self.children
            .iter()
            .find_map(|child| if child.name == name { Some(child) } else { child.find(name) })
    }

    /// Returns the text of the first element of this name below this one, or an empty text.
    #[must_use]
    pub fn text_of(&self, name: &str) -> &str {
        self.find(name).map_or("", |element| element.text.trim())
    }

    /// Returns the elements of the first list of this name below this one.
    #[must_use]
    pub fn list(&self, name: &str) -> &[Self] {
        self.find(name).map_or(&[], |list| &list.children)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_an_answer() {
        let answer = Element::parse(
            "<?xml version=\"1.0\"?><R xmlns=\"x\"><Stacks><member><Name>a &amp; b&#33;</Name><Tags/>\
             <Parameters><member><Name>inner</Name></member></Parameters></member>\
             <member><Name>c</Name></member></Stacks></R>",
        )
        .unwrap();
        let names: Vec<_> = answer.list("Stacks").iter().map(|one| one.text_of("Name")).collect();
        assert_eq!(names, ["a & b!", "c"]);
        assert_eq!(answer.list("Parameters")[0].text_of("Name"), "inner");
        assert_eq!((answer.text_of("None"), answer.list("None").len()), ("", 0));
    }

    #[test]
    fn other_text_is_no_answer() {
        for text in ["", "{}", "<a>", "<a></b>", "<!DOCTYPE a><a/>", "<a>&unknown;</a>"] {
            assert_eq!(Element::parse(text), None, "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(99), "</a>".repeat(99));
        assert_eq!(Element::parse(&deep), None);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "[<>/a&;#! ]{0,60}") {
            let _ = Element::parse(&text);
        }
    }
}
