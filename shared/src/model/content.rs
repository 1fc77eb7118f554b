//! What a message says.

use serde::{Deserialize, Serialize};

/// A message's content. Each part may be absent, but not all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Pictures, recordings, files: by reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// What the reader may pick from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
}

/// A file by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Where it can be fetched.
    pub url: String,
    /// Its MIME type, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Its file name, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One thing that the reader may pick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What comes back when it is picked.
    pub id: String,
    /// What the reader sees.
    pub title: String,
}

impl Content {
    /// Only text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Nothing to show at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.as_deref().is_none_or(|text| text.trim().is_empty())
            && self.media.is_empty()
            && self.choices.is_empty()
    }

    /// The whole content as text, for a side that shows nothing else: the text, a line for each
    /// file's link, and the choices numbered from 1.
    #[must_use]
    pub fn to_plain_text(&self) -> String {
        let text = self.text.iter().cloned();
        let links = self.media.iter().map(|media| match &media.name {
            Some(name) => format!("{name}: {}", media.url),
            None => media.url.clone(),
        });
        let choices = self
            .choices
            .iter()
            .enumerate()
            .map(|(i, choice)| format!("{}. {}", i + 1, choice.title));
        text.chain(links).chain(choices).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_numbers_choices_and_links_media() {
        let media = |name: Option<&str>| Media {
            url: "https://x.example/a".into(),
            mime_type: None,
            name: name.map(Into::into),
        };
        let choice = |id: &str, title: &str| Choice { id: id.into(), title: title.into() };
        let content = Content {
            text: Some("Which one?".into()),
            media: vec![media(None), media(Some("bill.pdf"))],
            choices: vec![choice("a", "Red"), choice("b", "Blue")],
        };
        assert_eq!(
            content.to_plain_text(),
            "Which one?\nhttps://x.example/a\nbill.pdf: https://x.example/a\n1. Red\n2. Blue"
        );
    }

    #[test]
    fn blank_text_alone_is_empty() {
        assert!(Content::text(" \n").is_empty());
        assert!(!Content::text("x").is_empty());
    }
}
