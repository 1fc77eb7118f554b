//! The parts of a message, and their conversion to and from Trunkline's content.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use trunkline_core::model;

/// The format of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Plain text, without markup.
    #[default]
    Plain,
    /// Markdown (CommonMark).
    Markdown,
    /// HTML of any version.
    Html,
}

impl Format {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// The earlier message that a message replies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ReplyTo {
    /// The id of that message: the one that you gave it, or the id of the event in which you received it.
    pub message: String,
    /// From Trunkline: the beginning of that message's text. To Trunkline: ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A file, by URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Media {
    /// The URL of the file.
    pub url: String,
    /// The MIME type, such as `image/jpeg`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The name of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A choice that the recipient can select.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Choice {
    /// The id that is returned when the choice is selected.
    pub id: String,
    /// The title that the recipient sees.
    pub title: String,
}

/// A card: a picture with texts and actions. Several cards are a carousel or a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Card {
    /// The title, as plain text without markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text, in the given `format`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The format of the text.
    #[serde(default, skip_serializing_if = "Format::is_plain")]
    pub format: Format,
    /// The picture, shown above the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Media>,
    /// What the recipient can do, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<CardAction>,
}

/// What the recipient of a card can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CardAction {
    /// Selecting it is an event of type `choice`.
    Reply {
        /// The id that is returned when the choice is selected.
        id: String,
        /// The title that the recipient sees.
        title: String,
    },
    /// Opening it is not reported to Trunkline.
    Link {
        /// The title that the recipient sees.
        title: String,
        /// The URL to open: https, tel, mailto or a relative one.
        url: String,
    },
}

/// A place on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Location {
    /// Degrees north of the equator, negative in the south.
    #[cfg_attr(feature = "schema", schemars(range(min = -90.0, max = 90.0)))]
    pub latitude: f64,
    /// Degrees east of Greenwich, negative in the west.
    #[cfg_attr(feature = "schema", schemars(range(min = -180.0, max = 180.0)))]
    pub longitude: f64,
    /// The name of the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A person or company in an address book: at least one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Contact {
    /// The name of the person, as displayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The company that the person works for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The telephone numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// The email addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
}

impl From<Format> for model::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Plain => Self::Plain,
            Format::Markdown => Self::Markdown,
            Format::Html => Self::Html,
        }
    }
}

impl From<model::Format> for Format {
    fn from(format: model::Format) -> Self {
        match format {
            model::Format::Plain => Self::Plain,
            model::Format::Markdown => Self::Markdown,
            model::Format::Html => Self::Html,
        }
    }
}

impl From<Media> for model::Media {
    fn from(media: Media) -> Self {
        let Media { url, mime_type, name } = media;
        Self { url, mime_type, name, ..Self::default() }
    }
}

impl From<model::Media> for Media {
    fn from(media: model::Media) -> Self {
        Self { url: media.url, mime_type: media.mime_type, name: media.name }
    }
}

impl From<Choice> for model::Choice {
    fn from(Choice { id, title }: Choice) -> Self {
        Self { id, title }
    }
}

impl From<model::Choice> for Choice {
    fn from(model::Choice { id, title }: model::Choice) -> Self {
        Self { id, title }
    }
}

impl From<CardAction> for model::CardAction {
    fn from(action: CardAction) -> Self {
        match action {
            CardAction::Reply { id, title } => Self::Reply(model::Choice { id, title }),
            CardAction::Link { title, url } => Self::Link { title, url },
        }
    }
}

impl From<model::CardAction> for CardAction {
    fn from(action: model::CardAction) -> Self {
        match action {
            model::CardAction::Reply(model::Choice { id, title }) => Self::Reply { id, title },
            model::CardAction::Link { title, url } => Self::Link { title, url },
        }
    }
}

impl From<Card> for model::Card {
    fn from(card: Card) -> Self {
        Self {
            title: card.title,
            text: card.text,
            format: card.format.into(),
            picture: card.picture.map(Into::into),
            actions: all(card.actions),
        }
    }
}

impl From<model::Card> for Card {
    fn from(card: model::Card) -> Self {
        Self {
            title: card.title,
            text: card.text,
            format: card.format.into(),
            picture: card.picture.map(Into::into),
            actions: all(card.actions),
        }
    }
}

impl From<model::Location> for Location {
    fn from(location: model::Location) -> Self {
        let model::Location { latitude, longitude, name, address } = location;
        Self { latitude, longitude, name, address }
    }
}

impl From<Contact> for model::Contact {
    fn from(contact: Contact) -> Self {
        let Contact { name, organization, phones, emails } = contact;
        Self { name, organization, phones, emails }
    }
}

impl From<model::Contact> for Contact {
    fn from(contact: model::Contact) -> Self {
        let model::Contact { name, organization, phones, emails } = contact;
        Self { name, organization, phones, emails }
    }
}

/// Converts every item of a list.
pub(crate) fn all<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}
