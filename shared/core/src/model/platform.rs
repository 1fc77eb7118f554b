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

/// What a platform, or a connection to it, can show and do beyond plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "a table of flags")]
pub struct Capabilities {
    /// The maximum text length in characters. Longer texts are split.
    #[serde(default = "no_limit", skip_serializing_if = "is_no_limit")]
    pub max_text_chars: u32,
    /// Markdown and HTML. Otherwise both are converted to plain text.
    #[serde(default, skip_serializing_if = "is_false")]
    pub markup: bool,
    /// Buttons or lists. Otherwise choices are sent as numbered text.
    #[serde(default, skip_serializing_if = "is_false")]
    pub choices: bool,
    /// Files and pictures. Otherwise they are sent as links.
    #[serde(default, skip_serializing_if = "is_false")]
    pub media: bool,
    /// Cards and carousels. Otherwise their parts are sent as text and files.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cards: bool,
    /// Locations. Otherwise they are sent as a link to a map.
    #[serde(default, skip_serializing_if = "is_false")]
    pub locations: bool,
    /// Contacts. Otherwise they are sent as text.
    #[serde(default, skip_serializing_if = "is_false")]
    pub contacts: bool,
    /// Replies to a message. Otherwise the message is quoted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replies: bool,
    /// Edits and deletions of messages, and reactions to them. Otherwise they are sent as messages.
    #[serde(default, skip_serializing_if = "is_false")]
    pub changes: bool,
    /// Receipts for messages that came from the platform.
    #[serde(default, skip_serializing_if = "is_false")]
    pub receipts: bool,
    /// Typing indicators.
    #[serde(default, skip_serializing_if = "is_false")]
    pub typing: bool,
    /// Handovers to agents on the platform itself.
    #[serde(default, skip_serializing_if = "is_false")]
    pub handover: bool,
    /// Opaque events, as received.
    #[serde(default, skip_serializing_if = "is_false")]
    pub opaque: bool,
}

const fn no_limit() -> u32 {
    u32::MAX
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_no_limit(limit: &u32) -> bool {
    *limit == u32::MAX
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
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
    #[serde(default, skip_serializing_if = "is_false")]
    pub assigns_conversation_ids: bool,
    /// The order of events follows the platform's timestamps instead of their arrival.
    #[serde(default, skip_serializing_if = "is_false")]
    pub orders_by_timestamp: bool,
    /// The platform keeps a registration of Trunkline, which it may deactivate. The scheduler reconciles it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keeps_registration: bool,
    /// The platform shows a message as pending until it hears that the message was sent.
    #[serde(default, skip_serializing_if = "is_false")]
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
    fn capabilities_store_only_what_differs_from_plain_text() {
        let json = serde_json::to_value(Capabilities::TEXT_ONLY).unwrap();
        assert_eq!(json, serde_json::json!({}));
        let rich = Capabilities { max_text_chars: 20, media: true, ..Capabilities::TEXT_ONLY };
        let json = serde_json::to_value(rich).unwrap();
        assert_eq!(json, serde_json::json!({"max_text_chars": 20, "media": true}));
        assert_eq!(serde_json::from_value::<Capabilities>(json).unwrap(), rich);
    }
}
