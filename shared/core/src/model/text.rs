//! Text values in the forms in which platforms send them.

use serde::Deserialize;
use serde_json::Value;

/// A text that some platforms send as a number, a boolean or null instead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub struct LenientText(String);

impl From<Value> for LenientText {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        })
    }
}

impl LenientText {
    /// Returns the text without surrounding white space.
    #[must_use]
    pub fn trimmed(&self) -> &str {
        self.0.trim()
    }

    /// Returns the trimmed text, or `None` if it is blank.
    #[must_use]
    pub fn non_blank(&self) -> Option<&str> {
        Some(self.trimmed()).filter(|text| !text.is_empty())
    }

    /// Returns the text as received.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }
}
