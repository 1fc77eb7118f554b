//! JSON as TWIN's PHP writes it: numbers for texts, maps for lists.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A text that may also come as a number or null (`operatorId` does).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub struct Text(String);

impl From<Value> for Text {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        })
    }
}

impl Text {
    /// The text without white space around it.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.trim()
    }

    /// The text, unless it is blank.
    #[must_use]
    pub fn some(&self) -> Option<&str> {
        Some(self.get()).filter(|text| !text.is_empty())
    }

    /// The text exactly as it came.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }
}

/// A list that may also come as a map, as one alone or as null: empty maps are written `[]`, and
/// `actions` are a list in S3 but a map in `TS`. What does not fit is left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Value", bound = "T: DeserializeOwned")]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: DeserializeOwned> From<Value> for Many<T> {
    fn from(value: Value) -> Self {
        let items: Vec<Value> = match value {
            Value::Array(items) => items,
            Value::Object(map) => map.into_iter().map(|(_, item)| item).collect(),
            Value::Null => Vec::new(),
            one => vec![one],
        };
        Self(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
    }
}
