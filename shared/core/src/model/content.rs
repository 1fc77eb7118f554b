//! The content of a message.

use serde::{Deserialize, Serialize};

use super::{EarlierMessage, FileId};

/// The content of a message. At least one part is present. Readers see the parts in the order of the members.
/// Parts that few messages have are boxed, so that the others stay small.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The earlier message that this one replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Box<EarlierMessage>>,
    /// The text, in the format that `format` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The format of `text`.
    #[serde(default, skip_serializing_if = "Format::is_plain")]
    pub format: Format,
    /// Pictures, recordings and other files, by reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Cards: one, or several as a carousel or list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Card>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Box<Location>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Box<Contact>>,
    /// Buttons or list entries from which the reader may select one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Whether only one of the choices can be selected, and only once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single_use: bool,
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

/// A card: a picture with texts and actions. At least one member is present.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text, in the format that `format` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The format of `text`.
    #[serde(default, skip_serializing_if = "Format::is_plain")]
    pub format: Format,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Media>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<CardAction>,
}

/// What the reader of a card can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CardAction {
    /// Select a choice.
    Reply(Choice),
    /// Open an address.
    Link {
        /// The label that the reader sees.
        title: String,
        url: String,
    },
}

/// A place on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north, from -90 to 90.
    pub latitude: f64,
    /// Degrees east, from -180 to 180.
    pub longitude: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A person or company in an address book. At least one member is present.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
}

impl Card {
    /// Returns whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let is_blank = |text: &Option<String>| text.as_deref().is_none_or(|t| t.trim().is_empty());
        is_blank(&self.title)
            && is_blank(&self.text)
            && self.picture.is_none()
            && self.actions.is_empty()
    }

    /// Returns the choices among the actions.
    pub fn choices(&self) -> impl Iterator<Item = &Choice> {
        self.actions.iter().filter_map(|action| match action {
            CardAction::Reply(choice) => Some(choice),
            CardAction::Link { .. } => None,
        })
    }
}

impl Location {
    /// Returns a location; `None` if the coordinates are not on the globe.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let is_valid = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        is_valid.then_some(Self { latitude, longitude, name: None, address: None })
    }

    /// Returns the address of a web page that shows the location on a map.
    #[must_use]
    pub fn map_url(&self) -> String {
        let Self { latitude, longitude, .. } = self;
        format!("https://www.google.com/maps/search/?api=1&query={latitude},{longitude}")
    }
}

impl Contact {
    /// Returns whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines().next().is_none()
    }

    /// Returns the members that are present and not blank, in the order in which readers see them.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        let names = self.name.iter().chain(&self.organization);
        let all = names.chain(&self.phones).chain(&self.emails);
        all.map(|line| line.trim()).filter(|line| !line.is_empty())
    }
}

impl Content {
    /// Returns content that consists of plain text only.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Returns whether there is nothing to show: no text except white space, and no other part.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty() && self.has_nothing_but_choices()
    }

    /// Returns whether there is nothing to show besides the content's own choices, if it has any.
    #[must_use]
    pub fn has_nothing_but_choices(&self) -> bool {
        self.text.as_deref().is_none_or(|text| text.trim().is_empty())
            && self.media.is_empty()
            && self.cards.iter().all(Card::is_empty)
            && self.location.is_none()
            && self.contact.as_ref().is_none_or(|contact| contact.is_empty())
    }

    /// Returns all choices that the message offers, in the order in which readers see them: those of its
    /// cards, then its own.
    #[must_use]
    pub fn offered_choices(&self) -> Vec<Choice> {
        self.cards.iter().flat_map(Card::choices).chain(&self.choices).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_with_only_blank_text_is_empty() {
        assert!(Content::text(" \n").is_empty());
        assert!(!Content::text("x").is_empty());
        let cards = vec![Card { title: Some(" ".into()), ..Card::default() }];
        assert!(Content { cards, ..Content::default() }.is_empty());
        let contact = Contact { phones: vec![" ".into()], ..Contact::default() };
        let contact = Some(Box::new(contact));
        assert!(Content { contact, ..Content::default() }.is_empty());
    }

    #[test]
    fn a_location_is_on_the_globe() {
        let map = "https://www.google.com/maps/search/?api=1&query=52.37,-4.9";
        assert_eq!(Location::new(52.37, -4.9).unwrap().map_url(), map);
        for (latitude, longitude) in [(90.1, 0.0), (0.0, -180.5), (f64::NAN, 0.0)] {
            assert_eq!(Location::new(latitude, longitude), None);
        }
    }
}
