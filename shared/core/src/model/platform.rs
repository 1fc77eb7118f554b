//! Platform ids, and what a connection can show.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Maximum length of a platform id, in bytes. SQS allows 80 characters for a queue's name, which is
/// `<stack>-<platform>-outbound.fifo` with up to 56 characters for the stack.
pub const MAX_PLATFORM_ID: usize = 9;

/// Id of a platform: 2 to 9 lowercase letters and digits, the first a letter. It is part of URLs, of queue
/// names and of stored items.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlatformId {
    /// Padded with zeros.
    bytes: [u8; MAX_PLATFORM_ID],
}

/// A text that is not a platform id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a platform id: use 2 to 9 lowercase letters and digits, the first a letter")]
pub struct InvalidPlatformId(pub String);

impl PlatformId {
    /// Returns the id, for constants.
    ///
    /// # Panics
    /// If the text is not a platform id. In a constant, this is an error of the compiler.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        match Self::parse(text.as_bytes()) {
            Some(id) => id,
            None => panic!("not a platform id"),
        }
    }

    const fn parse(text: &[u8]) -> Option<Self> {
        if text.len() < 2 || text.len() > MAX_PLATFORM_ID || !text[0].is_ascii_lowercase() {
            return None;
        }
        let mut bytes = [0; MAX_PLATFORM_ID];
        let mut index = 0;
        while index < text.len() {
            if !text[index].is_ascii_lowercase() && !text[index].is_ascii_digit() {
                return None;
            }
            bytes[index] = text[index];
            index += 1;
        }
        Some(Self { bytes })
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(MAX_PLATFORM_ID);
        std::str::from_utf8(&self.bytes[..length]).unwrap_or_default()
    }
}

impl FromStr for PlatformId {
    type Err = InvalidPlatformId;

    fn from_str(text: &str) -> Result<Self, InvalidPlatformId> {
        Self::parse(text.as_bytes()).ok_or_else(|| InvalidPlatformId(text.to_owned()))
    }
}

impl fmt::Display for PlatformId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PlatformId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for PlatformId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PlatformId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a platform, or a connection to it, can show and do beyond plain text. As text, it is a letter for each
/// of them and the limit, such as `mcf4096`: every stored event and every delivery contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a table of flags")]
pub struct Capabilities {
    /// The maximum text length in characters. Longer texts are split.
    pub max_text_chars: u32,
    /// Markdown and HTML. Otherwise both are converted to plain text.
    pub markup: bool,
    /// Buttons or lists. Otherwise choices are sent as numbered text.
    pub choices: bool,
    /// Files and pictures. Otherwise they are sent as links.
    pub media: bool,
    /// Cards and carousels. Otherwise their parts are sent as text and files.
    pub cards: bool,
    /// Locations. Otherwise they are sent as a link to a map.
    pub locations: bool,
    /// Contacts. Otherwise they are sent as text.
    pub contacts: bool,
    /// Replies to a message. Otherwise the message is quoted.
    pub replies: bool,
    /// Edits and deletions of messages, and reactions to them. Otherwise they are sent as messages.
    pub changes: bool,
    /// Receipts for messages that came from the platform.
    pub receipts: bool,
    /// Typing indicators.
    pub typing: bool,
    /// Handovers to agents on the platform itself.
    pub handover: bool,
    /// Opaque events, as received.
    pub opaque: bool,
}

impl Capabilities {
    /// Returns each capability with its letter.
    fn by_letter(&mut self) -> [(char, &mut bool); 12] {
        [
            ('m', &mut self.markup),
            ('c', &mut self.choices),
            ('f', &mut self.media),
            ('k', &mut self.cards),
            ('l', &mut self.locations),
            ('v', &mut self.contacts),
            ('q', &mut self.replies),
            ('e', &mut self.changes),
            ('r', &mut self.receipts),
            ('t', &mut self.typing),
            ('h', &mut self.handover),
            ('o', &mut self.opaque),
        ]
    }

    fn to_text(mut self) -> String {
        let has = self.by_letter().into_iter().filter_map(|(letter, has)| has.then_some(letter));
        let mut text: String = has.collect();
        if self.max_text_chars != u32::MAX {
            text.push_str(&self.max_text_chars.to_string());
        }
        text
    }

    fn from_text(text: &str) -> Option<Self> {
        let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let mut read = Self::TEXT_ONLY;
        if let Some(limit) = text.get(letters.len()..).filter(|limit| !limit.is_empty()) {
            read.max_text_chars = limit.parse().ok()?;
        }
        for letter in letters.chars() {
            let (_, has) = read.by_letter().into_iter().find(|(known, _)| *known == letter)?;
            *has = true;
        }
        Some(read)
    }
}

impl Serialize for Capabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("'{text}' names no capabilities"));
        Self::from_text(&text).ok_or_else(unknown)
    }
}

impl Capabilities {
    /// Plain text without a limit, and nothing else.
    pub const TEXT_ONLY: Self = Self {
        max_text_chars: u32::MAX,
        markup: false,
        choices: false,
        media: false,
        cards: false,
        locations: false,
        contacts: false,
        replies: false,
        changes: false,
        receipts: false,
        typing: false,
        handover: false,
        opaque: false,
    };
}

impl Capabilities {
    /// Everything that Trunkline itself can express.
    pub const ALL: Self = Self {
        max_text_chars: u32::MAX,
        markup: true,
        choices: true,
        media: true,
        cards: true,
        locations: true,
        contacts: true,
        replies: true,
        changes: true,
        receipts: true,
        typing: true,
        handover: true,
        opaque: true,
    };
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::TEXT_ONLY
    }
}

/// How a platform behaves, beyond what it can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "a table of flags")]
pub struct Behaviour {
    /// The platform chooses conversation ids, so an event can arrive before its id is stored.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub assigns_conversation_ids: bool,
    /// The order of events follows the platform's timestamps instead of their arrival.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub orders_by_timestamp: bool,
    /// The platform keeps a registration of Trunkline, which it may deactivate. The scheduler reconciles it.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub keeps_registration: bool,
    /// The platform shows a message as pending until it hears that the message was sent.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub awaits_sent_receipts: bool,
}

impl Behaviour {
    /// A platform without peculiarities.
    pub const NONE: Self = Self {
        assigns_conversation_ids: false,
        orders_by_timestamp: false,
        keeps_registration: false,
        awaits_sent_receipts: false,
    };
}

/// A feature that a connection supports in addition to its platform's capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Feature {
    /// Markdown and HTML.
    Markup,
    /// Buttons or lists.
    Choices,
    /// Files and pictures.
    Media,
}

impl Feature {
    /// All features with their names in the configuration.
    pub const NAMES: [(&'static str, Self); 3] =
        [("markup", Self::Markup), ("choices", Self::Choices), ("media", Self::Media)];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_ids_round_trip() {
        for text in ["fax", "sms2", "ninechars"] {
            let id: PlatformId = text.parse().unwrap();
            assert_eq!(id.as_str(), text);
            assert_eq!(id, serde_json::from_value(serde_json::json!(text)).unwrap());
            assert_eq!(serde_json::to_value(id).unwrap(), text);
        }
        assert_eq!(PlatformId::from_static("fax").to_string(), "fax");
    }

    #[test]
    fn rejects_texts_that_are_no_platform_id() {
        for text in ["", "x", "Fax", "2fax", "fax-line", "tencharact", "f\u{e9}x"] {
            assert!(text.parse::<PlatformId>().is_err(), "{text}");
            assert!(serde_json::from_value::<PlatformId>(text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn capabilities_are_letters_and_a_limit() {
        let rich = Capabilities { max_text_chars: 20, media: true, ..Capabilities::TEXT_ONLY };
        for (capabilities, text) in
            [(Capabilities::TEXT_ONLY, ""), (Capabilities::ALL, "mcfklvqertho"), (rich, "f20")]
        {
            assert_eq!(serde_json::to_value(capabilities).unwrap(), text);
            let read: Capabilities = serde_json::from_value(text.into()).unwrap();
            assert_eq!(read, capabilities);
        }
        for bad in ["z", "20f", "f99999999999"] {
            assert!(serde_json::from_value::<Capabilities>(bad.into()).is_err(), "{bad}");
        }
    }
}
