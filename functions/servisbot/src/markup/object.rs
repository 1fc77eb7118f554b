//! `markupObject`: a markup as JSON, in the form of xml2js (SD).

use serde_json::{Map, Value, json};

use super::{MAX_DEPTH, MarkupError, Node};

const NAME: &str = "#name";

/// Parses a `markupObject`: an object with the root under its name, or the root itself.
///
/// # Errors
/// The reason why the object is invalid.
pub fn from_object(object: &Value) -> Result<Node, MarkupError> {
    let members = object.as_object().ok_or(MarkupError::NotSingleElement)?;
    if members.contains_key(NAME) {
        return node(members, "", 1);
    }
    let mut members = members.iter();
    match (members.next(), members.next()) {
        (Some((name, Value::Object(root))), None) => node(root, name, 1),
        _ => Err(MarkupError::NotSingleElement),
    }
}

fn node(members: &Map<String, Value>, name: &str, depth: usize) -> Result<Node, MarkupError> {
    if depth > MAX_DEPTH {
        return Err(MarkupError::TooDeep);
    }
    let attributes = members.get("attributes").and_then(Value::as_object);
    let attributes = attributes
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)));
    let children = members.get("children").and_then(Value::as_array);
    let children = children.into_iter().flatten().filter_map(Value::as_object);
    Ok(Node {
        name: members.get(NAME).and_then(Value::as_str).unwrap_or(name).to_owned(),
        attributes: attributes.collect(),
        content: members.get("content").and_then(text).unwrap_or_default(),
        children: children.map(|child| node(child, "", depth + 1)).collect::<Result<_, _>>()?,
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Builds a `markupObject`, as in S4's examples.
#[must_use]
pub fn to_object(root: &Node) -> Value {
    json!({&root.name: write(root)})
}

fn write(node: &Node) -> Value {
    let mut members = Map::from_iter([(NAME.to_owned(), Value::from(node.name.as_str()))]);
    if !node.attributes.is_empty() {
        let attributes = node.attributes.iter();
        let attributes =
            attributes.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        members.insert("attributes".into(), Value::Object(attributes.collect()));
    }
    if !node.content.is_empty() {
        members.insert("content".into(), Value::from(node.content.as_str()));
    }
    if !node.children.is_empty() {
        members.insert("children".into(), node.children.iter().map(write).collect());
    }
    Value::Object(members)
}
