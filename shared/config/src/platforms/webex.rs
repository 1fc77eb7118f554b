//! The settings and secrets of Webex Connect.

use trunkline_core::model::{Platform, Role};
use trunkline_webex::{SEND_URL, VERIFICATION_TOKEN};

use super::checks;
use crate::file::{AddressSpec, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Webex,
    name: "Webex Connect",
    docs: "docs/webex.md",
    addresses: &[AddressSpec {
        purpose: "Events",
        field: "Webhook URL",
        path: "",
        roles: &[Role::Channel],
    }],
    roles: &[Role::Channel],
    settings: &[
        SettingSpec::optional(
            "response_format",
            Kind::Enum(&["json", "text"]),
            "format of Trunkline's responses; try text if Verify fails (json)",
        ),
        SettingSpec::optional(
            "reject_wrong_token",
            Kind::Boolean,
            "whether events with a wrong verification token are rejected (false)",
        ),
        SettingSpec::optional(
            "closed_events",
            Kind::Boolean,
            "whether an Event that mentions close or end closes the conversation (false)",
        ),
        SettingSpec::optional(
            "event_key",
            Kind::Text,
            "JSON key of the event id in calls to Webex Connect (eventid)",
        ),
        SettingSpec::optional("reply_event", Kind::Text, "event id of a reply (1001)"),
        SettingSpec::optional(
            "handover_event",
            Kind::Text,
            "event id of a handover to an agent (1002)",
        ),
        SettingSpec::optional(
            "close_event",
            Kind::Text,
            "event id that closes a conversation; Webex Connect documents none (none)",
        ),
        SettingSpec::optional("message_type", Kind::Text, "Messagetype of a reply (text)"),
    ],
    secrets: &[
        SecretSpec::required(
            VERIFICATION_TOKEN,
            checks::header_value,
            "Verification Token of the integration's form",
        ),
        SecretSpec::required(
            SEND_URL,
            checks::callable_url,
            "URL that Webex Connect generated for the integration",
        ),
        SecretSpec::optional(
            "header:",
            checks::header_value,
            "header to send with each call, such as header:key",
        ),
    ],
    // Webex Connect does not deduplicate, so a retry could show the message twice.
    retry_unknown: Some(1),
    check: |_| Vec::new(),
};
