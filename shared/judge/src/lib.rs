//! Judges what adapters send and what mocks answer by the vendor's own machine-readable document.
//!
//! A [`Document`] is an excerpt of it that `make specs` writes: facts only. The judge is stricter than the document: its
//! objects are closed, so that a member that the document does not name is a violation, the member that names an object's
//! type must be there, and a union is resolved by its discriminator.

mod close;
mod excerpt;
mod query;
mod tags;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

pub use excerpt::{ExcerptError, Operation, Source};
pub use query::parameters;

use excerpt::Excerpt;

/// A difference between a request, an answer or a call and the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The place: `path`, `query`, or a JSON pointer in the body.
    pub at: String,
    /// What the document says otherwise.
    pub why: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.why)
    }
}

/// Why the document has no such operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownOperation {
    /// No operation has this path.
    #[error("the document has no such path")]
    Path,
    /// The path has operations, but none with this method.
    #[error("the document has no such method for this path")]
    Method,
}

/// An excerpt of a vendor's document, ready to judge by.
#[derive(Debug)]
pub struct Document {
    excerpt: Excerpt,
    /// The closed types.
    types: Map<String, Value>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Document {
    /// Reads an excerpt and closes its types.
    ///
    /// # Errors
    /// Fails if the text is no excerpt, or refers to a type that it does not have.
    pub fn parse(text: &str) -> Result<Self, ExcerptError> {
        let excerpt = Excerpt::parse(text)?;
        let close = |(name, schema): (&String, &Value)| {
            (name.clone(), close::closed(schema, excerpt.tag.as_deref()))
        };
        let types = excerpt.types.iter().map(close).collect();
        let document = Self { excerpt, types, validators: Mutex::default() };
        for schema in document.excerpt.schemas() {
            document.validator(schema)?;
        }
        Ok(document)
    }

    /// Returns the origin of the document.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.excerpt.document
    }

    /// Finds the operation of a method and a path without a query.
    ///
    /// # Errors
    /// Says whether the path or the method is unknown.
    pub fn operation(&self, method: &str, path: &str) -> Result<&Operation, UnknownOperation> {
        let on_path = || self.excerpt.by_path.values().filter(|known| known.has_path(path));
        let found = on_path().filter(|known| known.method() == method);
        found.max_by_key(|known| known.literal_segments()).ok_or_else(|| match on_path().next() {
            Some(_) => UnknownOperation::Method,
            None => UnknownOperation::Path,
        })
    }

    /// Finds a callback: a webhook or another request that the vendor makes.
    #[must_use]
    pub fn callback(&self, name: &str) -> Option<&Operation> {
        self.excerpt.callbacks.get(name)
    }

    /// Judges the query and the body of a request.
    #[must_use]
    pub fn judge_request(
        &self,
        operation: &Operation,
        query: &str,
        body: Option<&Value>,
    ) -> Vec<Violation> {
        let mut violations = query::judge(self, operation, query);
        violations.extend(self.judge_content(operation.body.as_ref(), body));
        violations
    }

    /// Judges the answer to a request.
    #[must_use]
    pub fn judge_answer(
        &self,
        operation: &Operation,
        status: u16,
        body: Option<&Value>,
    ) -> Vec<Violation> {
        let exact = operation.answers.get(&status.to_string());
        // The answer `default` is the one for errors.
        let answer = exact.or_else(|| operation.answers.get("default").filter(|_| status >= 400));
        match answer {
            Some(schema) => self.judge_content(schema.as_ref(), body),
            None => vec![violation("status", format!("the document has no answer {status}"))],
        }
    }

    /// Judges a value by a type of the document.
    #[must_use]
    pub fn judge_value(&self, type_name: &str, value: &Value) -> Vec<Violation> {
        if !self.types.contains_key(type_name) {
            return vec![violation("", format!("the document has no type {type_name}"))];
        }
        self.judge_by(&json!({"$ref": format!("#/$defs/{type_name}")}), value)
    }

    /// Adds the members that name the types of objects to a value, where they are missing, as the vendor's software does.
    pub fn add_tags(&self, type_name: &str, value: &mut Value) {
        if let Some(schema) = self.excerpt.types.get(type_name) {
            tags::add(&self.excerpt, schema, value);
        }
    }

    fn judge_content(&self, schema: Option<&Value>, body: Option<&Value>) -> Vec<Violation> {
        match (schema, body) {
            (Some(schema), Some(body)) => self.judge_by(schema, body),
            (None, None) => Vec::new(),
            (Some(_), None) => vec![violation("", "the body is missing".to_owned())],
            (None, Some(_)) => vec![violation("", "the document has no body here".to_owned())],
        }
    }

    fn judge_by(&self, schema: &Value, value: &Value) -> Vec<Violation> {
        let mut value = value.clone();
        if self.excerpt.null_is_absent {
            remove_null_members(&mut value);
        }
        match self.validator(schema) {
            Ok(validator) => validator
                .iter_errors(&value)
                .map(|error| violation(error.instance_path().as_str(), error.to_string()))
                .collect(),
            Err(error) => vec![violation("", error.to_string())],
        }
    }

    fn validator(&self, schema: &Value) -> Result<Arc<Validator>, ExcerptError> {
        let key = schema.to_string();
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = validators.get(&key) {
            return Ok(Arc::clone(known));
        }
        let schema = close::closed(schema, self.excerpt.tag.as_deref());
        let whole = json!({"allOf": [schema], "$defs": self.types});
        let built = jsonschema::options().with_draft(Draft::Draft202012).build(&whole);
        let built = Arc::new(built.map_err(|error| ExcerptError::Schema(error.to_string()))?);
        validators.insert(key, Arc::clone(&built));
        Ok(built)
    }
}

fn violation(at: &str, why: String) -> Violation {
    Violation { at: at.to_owned(), why }
}

/// Removes the members that are null, at every depth.
fn remove_null_members(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(remove_null_members);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_null_members),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
