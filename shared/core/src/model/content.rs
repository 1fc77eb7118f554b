//! The content of a message.

use serde::{Deserialize, Serialize};

use super::FileId;

/// The content of a message. At least one part is present.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The text, in the format that `format` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The format of `text`.
    #[serde(default, skip_serializing_if = "Format::is_plain")]
    pub format: Format,
    /// Pictures, recordings and other files, by reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Buttons or list entries from which the reader may select one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
}

/// The format of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Plain text, without markup.
    #[default]
    Plain,
    /// Markdown (CommonMark).
    Markdown,
    Html,
}

impl Format {
    /// Returns whether this is the default format, plain text.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// A file, by reference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// The URL from which the file can be downloaded.
    pub url: String,
    /// The MIME type. `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The file name. `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the download needs the credentials of the connection that sent the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// The relayed file behind `url`, if the URL is Trunkline's own link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileId>,
}

/// A choice that a message offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The id that a selection of this choice returns.
    pub id: String,
    /// The label that the reader sees.
    pub title: String,
}

impl Content {
    /// Returns content that consists of plain text only.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Returns whether there is nothing to show: no text except white space, no files and no choices.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.as_deref().is_none_or(|text| text.trim().is_empty())
            && self.media.is_empty()
            && self.choices.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_with_only_blank_text_is_empty() {
        assert!(Content::text(" \n").is_empty());
        assert!(!Content::text("x").is_empty());
    }
}
