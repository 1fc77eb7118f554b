//! Judges a query: unknown, missing and repeated parameters, and their values.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{Document, Operation, Violation};

/// Returns the decoded parameters of a query without its question mark.
#[must_use]
pub fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let split = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    pairs.map(split).collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Judges a query without its question mark.
pub(crate) fn judge(document: &Document, operation: &Operation, query: &str) -> Vec<Violation> {
    let pairs = parameters(query);
    let mut violations = Vec::new();
    let mut add = |name: &str, why: String| {
        violations.push(Violation { at: format!("query {name}"), why });
    };
    for name in &operation.required {
        if !pairs.iter().any(|(given, _)| given == name) {
            add(name, "the parameter is missing".to_owned());
        }
    }
    for (index, (name, text)) in pairs.iter().enumerate() {
        let Some(schema) = operation.query.get(name) else {
            add(name, "the document has no such parameter".to_owned());
            continue;
        };
        let is_exploded_list = schema["type"] == "array" && schema["explode"] != false;
        if !is_exploded_list && pairs[..index].iter().any(|(earlier, _)| earlier == name) {
            add(name, "the parameter is there twice".to_owned());
        }
        let mut plain = schema.clone();
        if let Value::Object(plain) = &mut plain {
            plain.remove("explode");
        }
        for found in document.judge_by(&plain, &value(&plain, text, is_exploded_list)) {
            add(name, found.why);
        }
    }
    violations
}

/// Returns a parameter's text as the value that its schema describes.
fn value(schema: &Value, text: &str, is_exploded_list: bool) -> Value {
    match schema["type"].as_str() {
        Some("array") if is_exploded_list => json!([value(&schema["items"], text, false)]),
        Some("array") => text.split(',').map(|one| value(&schema["items"], one, false)).collect(),
        Some("integer" | "number" | "boolean") => {
            serde_json::from_str(text).unwrap_or_else(|_| text.into())
        }
        _ => text.into(),
    }
}
