//! What can be set for Webex Connect.

use trunkline_shared::model::{Platform, Role};
use trunkline_webex::{SEND_URL, VERIFICATION_TOKEN};

use super::checks;
use crate::config::{AddressSpec, Kind, PlatformSpec, SecretSpec, SettingSpec};

const fn text(name: &'static str, about: &'static str) -> SettingSpec {
    SettingSpec { name, kind: Kind::Text, required: false, about }
}

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
        SettingSpec {
            name: "answer",
            kind: Kind::Word(&["json", "text"]),
            required: false,
            about: "the form of our answers; try text if Verify fails (json)",
        },
        SettingSpec {
            name: "reject_wrong_token",
            kind: Kind::Truth,
            required: false,
            about: "keep unread what brings a verification token other than ours (false)",
        },
        SettingSpec {
            name: "closed_events",
            kind: Kind::Truth,
            required: false,
            about: "take an Event that speaks of a close or end as the conversation's end (false)",
        },
        text("event_key", "the key that names our events (eventid)"),
        text("reply_event", "the event of a reply (1001)"),
        text("handover_event", "the event of a handover to an agent (1002)"),
        text("close_event", "the event that closes a conversation; none is documented (none)"),
        text("message_type", "the Messagetype of a reply (text)"),
    ],
    secrets: &[
        SecretSpec {
            name: VERIFICATION_TOKEN,
            required: true,
            check: checks::header_value,
            about: "the Verification Token of the integration's form",
        },
        SecretSpec {
            name: SEND_URL,
            required: true,
            check: checks::address,
            about: "the URL that Webex Connect generated for the integration",
        },
        SecretSpec {
            name: "header:",
            required: false,
            check: checks::header_value,
            about: "a header to send along, such as header:key",
        },
    ],
    // It has no id to tell a repeat by, so the customer would read it twice.
    retry_unknown: Some(1),
    check: |_| Vec::new(),
};
