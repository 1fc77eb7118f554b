//! Timeline Markup Language (SD, SX): read into content, and written.

mod node;
mod object;
mod show;
mod variables;
mod xml;

use serde_json::{Map, Value};
use trunkline_shared::model::Content;

pub use node::Node;
pub use object::{from_object, to_object};
pub use show::show;
pub use xml::{from_xml, to_xml};

/// What a markup begins with.
pub const OPENING: &str = "<TimelineMessage";
/// The largest markup, in bytes (SX).
pub const MAX_BYTES: usize = 100_000;
/// Deeper than any markup is nested, and shallow enough for any stack.
pub const MAX_DEPTH: usize = 32;

/// Why a markup cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMarkup {
    /// It is larger than [`MAX_BYTES`].
    #[error("it is larger than {MAX_BYTES} bytes")]
    TooLong,
    /// It is nested deeper than [`MAX_DEPTH`].
    #[error("it is nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// An element has more attributes than any has.
    #[error("an element has more than {} attributes", xml::MAX_ATTRIBUTES)]
    TooManyAttributes,
    /// It declares a document type, or names an entity that is not XML's own.
    #[error("it has a document type or an entity of its own")]
    Declares,
    /// It is not XML.
    #[error("it is not XML: {0}")]
    NotXml(String),
    /// It is not one element.
    #[error("it is not one element")]
    NotOneElement,
}

/// What an event's `contents` show: `markupObject` by preference, or else `markup` (SD). None, if it
/// cannot be read or shows nothing.
#[must_use]
pub fn read(contents: &Map<String, Value>) -> Option<Content> {
    let none = Map::new();
    let context = contents.get("context").and_then(Value::as_object).unwrap_or(&none);
    let shown = |node: &Node| {
        Some(show(&variables::resolved(node, context))).filter(|content| !content.is_empty())
    };
    let object = contents.get("markupObject").and_then(|object| from_object(object).ok());
    object.as_ref().and_then(shown).or_else(|| {
        let xml = contents.get("markup")?.as_str()?;
        shown(&from_xml(xml).ok()?)
    })
}

/// What a markup shows; none, if it cannot be read or shows nothing.
#[must_use]
pub fn read_xml(xml: &str, context: &Map<String, Value>) -> Option<Content> {
    let node = from_xml(xml).ok()?;
    Some(show(&variables::resolved(&node, context))).filter(|content| !content.is_empty())
}
