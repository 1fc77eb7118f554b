//! Texts as platforms really send them.

use serde::Deserialize;
use serde_json::Value;

/// A text that may also come as a number, a boolean or null, as some platforms send it.
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
