//! Timeline Markup Language (SD, SX): parses it into content, and writes it.

mod content;
mod loops;
mod node;
mod object;
mod variables;
mod xml;

use serde_json::{Map, Value};
use trunkline_core::model::Content;

pub use content::to_content;
pub use node::Node;
pub use object::{from_object, to_object};
pub use xml::{from_xml, to_xml};

/// The opening tag of a markup.
pub const OPENING_TAG: &str = "<TimelineMessage";
/// Maximum size of a markup, in bytes (SX).
pub const MAX_BYTES: usize = 100_000;
/// Maximum nesting depth: more than any markup has, and safe for any stack.
pub const MAX_DEPTH: usize = 32;

/// The reason why a markup cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkupError {
    /// The markup exceeds [`MAX_BYTES`].
    #[error("the markup exceeds {MAX_BYTES} bytes")]
    TooLarge,
    /// The markup is nested deeper than [`MAX_DEPTH`].
    #[error("the markup is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// An element has too many attributes.
    #[error("an element has more than {} attributes", xml::MAX_ATTRIBUTES)]
    TooManyAttributes,
    /// The markup declares a document type, or uses an entity that XML does not predefine.
    #[error("the markup has a document type or a custom entity")]
    ForbiddenDeclaration,
    /// The markup is not XML.
    #[error("the markup is not XML: {0}")]
    NotXml(String),
    /// The markup is not a single element.
    #[error("the markup is not a single element")]
    NotSingleElement,
}

/// Converts an event's `contents`: `markupObject` or, if that is not usable, `markup` (SD). Returns
/// `None` if neither has content.
#[must_use]
pub fn content_of(contents: &Map<String, Value>) -> Option<Content> {
    let none = Map::new();
    let context = contents.get("context").and_then(Value::as_object).unwrap_or(&none);
    let non_empty = |node: &Node| {
        Some(to_content(&variables::resolve(node, context))).filter(|content| !content.is_empty())
    };
    let object = contents.get("markupObject").and_then(|object| from_object(object).ok());
    object.as_ref().and_then(non_empty).or_else(|| {
        let xml = contents.get("markup")?.as_str()?;
        non_empty(&from_xml(xml).ok()?)
    })
}

/// Converts a markup in XML. Returns `None` if it is invalid or has no content.
#[must_use]
pub fn content_of_xml(xml: &str, context: &Map<String, Value>) -> Option<Content> {
    let node = from_xml(xml).ok()?;
    Some(to_content(&variables::resolve(&node, context))).filter(|content| !content.is_empty())
}
