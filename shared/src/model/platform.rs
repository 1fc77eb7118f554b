//! The platforms that Trunkline speaks with, and what each can carry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of system that we speak with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// CM.com's conversational router, TwoWay.
    Cm,
    /// ServisBOT, eventing and engagement adapter.
    Servisbot,
    /// TWIN chats.
    Twin,
    /// Unblu, external messengers.
    Unblu,
    /// Webex Connect, generic bot.
    Webex,
    /// Trunkline's own open protocol: signed webhooks.
    Webhook,
}

/// What a platform's side can be given, beyond plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a table of yes and no")]
pub struct Capabilities {
    /// The longest text, in characters; longer ones are split.
    pub text: u32,
    /// Markdown and HTML; otherwise both become plain text.
    pub markup: bool,
    /// Buttons or lists; otherwise choices become numbered text.
    pub choices: bool,
    /// Files and pictures; otherwise they become links.
    pub media: bool,
    /// Delivered and read receipts for what came from there.
    pub receipts: bool,
    /// "Is typing".
    pub typing: bool,
    /// A handover to people who sit on that side.
    pub handover: bool,
    /// Events that mean nothing here, as they came.
    pub opaque: bool,
    /// It chooses the ids of conversations itself, so what it says may come before we know them.
    pub own_ids: bool,
    /// Its own timestamps tell the order of its events, not their arrival.
    pub timestamps_rule: bool,
    /// It keeps a registration of ours, which it may switch off: upkeep looks after it.
    pub registers: bool,
}

/// What a connection shows although its platform's row does not say so, because it is set up for it.
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
    /// All features, as written in configuration.
    pub const NAMES: [(&'static str, Self); 3] =
        [("markup", Self::Markup), ("choices", Self::Choices), ("media", Self::Media)];
}

impl Capabilities {
    /// These, and what a connection shows beyond them.
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

/// Adding a platform adds its row here, and one in the command line's table of settings.
const TABLE: &[(Platform, &str, Capabilities)] = &[
    (
        Platform::Cm,
        "cm",
        Capabilities {
            // None is documented; the fact sheet proposes this.
            text: 4_000,
            markup: false,
            choices: false,
            media: false,
            receipts: false,
            typing: false,
            handover: true,
            opaque: false,
            own_ids: true,
            timestamps_rule: false,
            registers: false,
        },
    ),
    (
        Platform::Servisbot,
        "servisbot",
        Capabilities {
            // None is documented.
            text: u32::MAX,
            markup: false,
            choices: false,
            media: false,
            receipts: false,
            typing: false,
            handover: false,
            opaque: false,
            own_ids: false,
            timestamps_rule: true,
            registers: false,
        },
    ),
    (
        Platform::Twin,
        "twin",
        Capabilities {
            // None is documented.
            text: u32::MAX,
            markup: false,
            choices: false,
            media: true,
            receipts: false,
            typing: false,
            handover: false,
            opaque: false,
            own_ids: true,
            timestamps_rule: false,
            registers: false,
        },
    ),
    (
        Platform::Unblu,
        "unblu",
        Capabilities {
            // None is documented.
            text: u32::MAX,
            markup: true,
            choices: false,
            media: true,
            receipts: true,
            typing: false,
            handover: false,
            opaque: false,
            own_ids: true,
            timestamps_rule: false,
            registers: true,
        },
    ),
    (
        Platform::Webex,
        "webex",
        Capabilities {
            // None is documented. WhatsApp's, the tightest of its common channels.
            text: 4_096,
            markup: false,
            choices: false,
            media: false,
            receipts: false,
            typing: false,
            handover: true,
            opaque: false,
            own_ids: false,
            timestamps_rule: false,
            registers: false,
        },
    ),
    (
        Platform::Webhook,
        "webhook",
        Capabilities {
            text: u32::MAX,
            markup: true,
            choices: true,
            media: true,
            receipts: true,
            typing: true,
            handover: true,
            opaque: true,
            own_ids: false,
            timestamps_rule: false,
            registers: false,
        },
    ),
];

/// Why a text names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a platform: use {known}", known = Platform::names().join(", "))]
pub struct UnknownPlatform(pub String);

impl Platform {
    fn row(self) -> &'static (Platform, &'static str, Capabilities) {
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&TABLE[0])
    }

    /// The platform's name in paths, queues and configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What the platform's side can be given.
    #[must_use]
    pub fn capabilities(self) -> Capabilities {
        self.row().2
    }

    /// All names, in the table's order.
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
    fn every_platform_has_a_row_and_its_serde_name_is_the_rows() {
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
