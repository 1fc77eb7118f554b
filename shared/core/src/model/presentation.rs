//! How events are shown on a leg.

use serde::{Deserialize, Serialize};

use super::{Capabilities, Feature};

/// How a connection shows events, as configured. All members are always serialized, so that the API lists them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresentationOptions {
    /// Whether text from people starts with the author's name, because they share one account there.
    #[serde(default)]
    pub sender_prefix: bool,
    /// The maximum text length in characters. Without it: the platform's limit.
    #[serde(default)]
    pub text_limit: Option<u32>,
    /// Features that the connection supports in addition to its platform's.
    #[serde(default)]
    pub shows: Vec<Feature>,
}

/// How events are shown on a leg: the options of the connection, applied to the capabilities of its platform.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presentation {
    /// Whether text from people starts with the author's name.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub sender_prefix: bool,
    #[serde(default)]
    pub capabilities: Capabilities,
}

impl PresentationOptions {
    /// Applies the options to the capabilities of a platform.
    #[must_use]
    pub fn resolve(&self, platform: Capabilities) -> Presentation {
        let mut capabilities = platform;
        if let Some(limit) = self.text_limit {
            capabilities.max_text_chars = limit;
        }
        for feature in &self.shows {
            match feature {
                Feature::Markup => capabilities.markup = true,
                Feature::Choices => capabilities.choices = true,
                Feature::Media => capabilities.media = true,
            }
        }
        Presentation { sender_prefix: self.sender_prefix, capabilities }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_extend_the_capabilities_of_the_platform() {
        let platform =
            Capabilities { max_text_chars: 4_096, media: true, ..Capabilities::TEXT_ONLY };
        let own = PresentationOptions::default().resolve(platform);
        assert_eq!(own, Presentation { sender_prefix: false, capabilities: platform });
        let options = PresentationOptions {
            sender_prefix: true,
            text_limit: Some(100),
            shows: vec![Feature::Choices, Feature::Markup],
        };
        let set = options.resolve(platform);
        assert!(set.sender_prefix);
        let expected =
            Capabilities { max_text_chars: 100, markup: true, choices: true, ..platform };
        assert_eq!(set.capabilities, expected);
    }
}
