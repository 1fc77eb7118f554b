//! What can be set for Webex Connect.

use trunkline_shared::model::{Platform, Role};
use trunkline_webex::{SEND_URL, VERIFICATION_TOKEN};

use super::checks;
use crate::config::{AddressSpec, Kind, PlatformSpec, SecretSpec, SettingSpec};

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Webex,
    name: "Webex Connect",
    docs: "docs/webex.md",
    addresses: &[AddressSpec {
        what: "Events",
        field: "Webhook URL",
        path: "",
        roles: &[Role::Channel],
    }],
    roles: &[Role::Channel],
    settings: &[
        SettingSpec::optional(
            "answer",
            Kind::Word(&["json", "text"]),
            "the form of our answers; try text if Verify fails (json)",
        ),
        SettingSpec::optional(
            "reject_wrong_token",
            Kind::Truth,
            "keep unread what brings a verification token other than ours (false)",
        ),
        SettingSpec::optional(
            "closed_events",
            Kind::Truth,
            "take an Event that speaks of a close or end as the conversation's end (false)",
        ),
        SettingSpec::optional("event_key", Kind::Text, "the key that names our events (eventid)"),
        SettingSpec::optional("reply_event", Kind::Text, "the event of a reply (1001)"),
        SettingSpec::optional(
            "handover_event",
            Kind::Text,
            "the event of a handover to an agent (1002)",
        ),
        SettingSpec::optional(
            "close_event",
            Kind::Text,
            "the event that closes a conversation; none is documented (none)",
        ),
        SettingSpec::optional("message_type", Kind::Text, "the Messagetype of a reply (text)"),
    ],
    secrets: &[
        SecretSpec::required(
            VERIFICATION_TOKEN,
            checks::header_value,
            "the Verification Token of the integration's form",
        ),
        SecretSpec::required(
            SEND_URL,
            checks::address,
            "the URL that Webex Connect generated for the integration",
        ),
        SecretSpec::optional(
            "header:",
            checks::header_value,
            "a header to send along, such as header:key",
        ),
    ],
    // It has no id to tell a repeat by, so the customer would read it twice.
    retry_unknown: Some(1),
    check: |_| Vec::new(),
};
