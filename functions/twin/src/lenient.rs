//! JSON as TWIN's PHP writes it: maps for lists.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
