//! A list as TWIN's PHP may write it in JSON: also as a map, a single value or null.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A list that may also arrive as a map, a single value or null. PHP writes empty maps as `[]`, and
/// `actions` is a list in S3 but a map in `TS`. Items of another type are left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Value", bound = "T: DeserializeOwned")]
pub struct LenientList<T>(pub Vec<T>);

impl<T> Default for LenientList<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: DeserializeOwned> From<Value> for LenientList<T> {
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
