//! The supported platforms and their capabilities.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A supported platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// CM.com TwoWay, a conversational router.
    Cm,
    /// ServisBOT, eventing and engagement adapter.
    Servisbot,
    /// TWIN's chats and dialogs.
    Twin,
    /// Unblu, external messengers.
    Unblu,
    /// Webex Connect, generic bot.
    Webex,
    /// Trunkline's open protocol: signed webhooks.
    Webhook,
}

/// The capabilities of a platform, beyond plain text.
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
    /// Receipts for messages that came from the platform.
    pub receipts: bool,
    /// Typing indicators.
    pub typing: bool,
    /// Handovers to agents on the platform itself.
    pub handover: bool,
    /// Opaque events, as received.
    pub opaque: bool,
    /// The platform chooses conversation ids, so an event can arrive before its id is stored.
    pub assigns_conversation_ids: bool,
    /// The order of events follows the platform's timestamps instead of their arrival.
    pub orders_by_timestamp: bool,
    /// The platform keeps a registration of Trunkline, which it may deactivate. The upkeep function
    /// reconciles it.
    pub keeps_registration: bool,
}

/// A feature that a connection supports in addition to its platform's capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

impl Capabilities {
    /// Returns the capabilities with the features of a connection added.
    #[must_use]
    pub fn with(mut self, features: &[Feature]) -> Self {
        for feature in features {
            match feature {
                Feature::Markup => self.markup = true,
                Feature::Choices => self.choices = true,
                Feature::Media => self.media = true,
            }
        }
        self
    }
}

/// A new platform needs a row here, and one in the table of platform settings in `setup`.
const TABLE: &[(Platform, &str, Capabilities)] = &[
    (
        Platform::Cm,
        "cm",
        Capabilities {
            // The vendor documents no limit; the fact sheet proposes this one.
            max_text_chars: 4_000,
            markup: false,
            choices: false,
            media: false,
            receipts: false,
            typing: false,
            handover: true,
            opaque: false,
            assigns_conversation_ids: true,
            orders_by_timestamp: false,
            keeps_registration: false,
        },
    ),
    (
        Platform::Servisbot,
        "servisbot",
        Capabilities {
            // The vendor documents no limit.
            max_text_chars: u32::MAX,
            markup: false,
            choices: false,
            media: false,
            receipts: false,
            typing: false,
            handover: false,
            opaque: false,
            assigns_conversation_ids: false,
            orders_by_timestamp: true,
            keeps_registration: false,
        },
    ),
    (
        Platform::Twin,
        "twin",
        Capabilities {
            // The vendor documents no limit.
            max_text_chars: u32::MAX,
            markup: false,
            choices: false,
            media: true,
            receipts: false,
            typing: false,
            handover: false,
            opaque: false,
            assigns_conversation_ids: true,
            orders_by_timestamp: false,
            keeps_registration: false,
        },
    ),
    (
        Platform::Unblu,
        "unblu",
        Capabilities {
            // The vendor documents no limit.
            max_text_chars: u32::MAX,
            markup: true,
            choices: false,
            media: true,
            receipts: true,
            typing: false,
            handover: false,
            opaque: false,
            assigns_conversation_ids: true,
            orders_by_timestamp: false,
            keeps_registration: true,
        },
    ),
    (
        Platform::Webex,
        "webex",
        Capabilities {
            // The vendor documents no limit. This is WhatsApp's, the lowest of the common channels.
            max_text_chars: 4_096,
            markup: false,
            choices: false,
            media: false,
            receipts: false,
            typing: false,
            handover: true,
            opaque: false,
            assigns_conversation_ids: false,
            orders_by_timestamp: false,
            keeps_registration: false,
        },
    ),
    (
        Platform::Webhook,
        "webhook",
        Capabilities {
            max_text_chars: u32::MAX,
            markup: true,
            choices: true,
            media: true,
            receipts: true,
            typing: true,
            handover: true,
            opaque: true,
            assigns_conversation_ids: false,
            orders_by_timestamp: false,
            keeps_registration: false,
        },
    ),
];

/// A text that is not the name of a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a platform: use {known}", known = Platform::names().join(", "))]
pub struct UnknownPlatform(pub String);

impl Platform {
    fn row(self) -> &'static (Platform, &'static str, Capabilities) {
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&TABLE[0])
    }

    /// Returns the platform's name in paths, queues and configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Returns the capabilities of the platform.
    #[must_use]
    pub fn capabilities(self) -> Capabilities {
        self.row().2
    }

    /// Returns all names, in the order of the table.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        TABLE.iter().map(|row| row.1).collect()
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;
    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        TABLE
            .iter()
            .find(|row| row.1 == text)
            .map(|row| row.0)
            .ok_or_else(|| UnknownPlatform(text.to_owned()))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_names_round_trip() {
        use Platform::{Cm, Servisbot, Twin, Unblu, Webex, Webhook};
        for platform in [Cm, Servisbot, Twin, Unblu, Webex, Webhook] {
            assert_eq!(platform.name().parse(), Ok(platform));
            assert_eq!(serde_json::to_value(platform).unwrap(), platform.name());
        }
        assert_eq!(
            "fax".parse::<Platform>().unwrap_err().to_string(),
            "'fax' is not a platform: use cm, servisbot, twin, unblu, webex, webhook"
        );
    }
}
