//! The settings and secrets of an Unblu connection.

use trunkline_core::platform::{BoundedNumber, WebUrl};
use trunkline_core::{setting_enum, settings};

use crate::recipients::Recipients;

/// The secret with the user name for Unblu's web API: HTTP Basic, an account with the role ADMIN (UA4).
pub const USERNAME: &str = "username";
/// The secret with the password that belongs to [`USERNAME`].
pub const PASSWORD: &str = "password";
/// The secret that signs Unblu's calls and the replies. Two values are valid during a rotation.
pub const WEBHOOK_SECRET: &str = "webhook_secret";
/// The name prefix of secrets that are sent as headers when customers' files are read, but only to the
/// hosts in `media_hosts`: `media_header:authorization` becomes the header `authorization`.
pub const MEDIA_HEADER: &str = "media_header:";

/// The largest possible file, in bytes: a function's memory is small, and a data URL is a third larger.
const MAX_FILE_BYTES: u32 = 16 * 1024 * 1024;
/// The default of `max_file_bytes`.
const DEFAULT_FILE_BYTES: u32 = 5 * 1024 * 1024;

settings! {
    /// A connection's settings.
    pub struct Settings {
        /// URL of the web API, such as https://unblu.cloud/app/rest/v4
        base_url: WebUrl;
        /// id of the custom external messenger channel (none: `trunkline check --fix` creates one and shows its id)
        channel_id: String = String::new();
        /// name of the channel and of the webhook registration that `trunkline check --fix` creates (Trunkline and
        /// the connection's id)
        channel_name: Option<String> = None;
        /// URL that Unblu calls, if a proxy hides the connection's own
        webhook_endpoint: Option<WebUrl> = None;
        /// version of the web API
        api_version: ApiVersion = ApiVersion::V4;
        /// type of the recipient of new conversations (Unblu decides)
        recipient_type: Option<RecipientType> = None;
        /// id of the recipient of new conversations
        recipient_id: Option<String> = None;
        /// recipients of the conversations of some customers: customer=TYPE:id, comma-separated (none)
        recipients: Recipients = Recipients::default();
        /// language of new conversations (the customer's)
        locale: Option<String> = None;
        /// whether the customer's language is sent with its region
        locale_region: bool = true;
        /// what a customer's id is; a phone number or an e-mail address is also stored in the person
        customer_id_type: CustomerIdType = CustomerIdType::Other;
        /// initialEngagementType of new conversations
        initial_engagement_type: String = "CHAT_REQUEST".into();
        /// conversationVisibility of new conversations (Unblu decides)
        visibility: Option<String> = None;
        /// topic of new conversations (none)
        topic: Option<String> = None;
        /// end reason of a conversation that goes back to the bot
        end_reason: String = "EXTERNAL_CHANNEL_CLOSED".into();
        /// maximum size of an uploaded file in bytes; larger files are sent as links
        max_file_bytes: BoundedNumber<0, MAX_FILE_BYTES> = BoundedNumber(DEFAULT_FILE_BYTES);
        /// hosts that receive the media_header: secrets, comma-separated (none)
        media_hosts: String = String::new();
        /// whether delivery states of agents' messages are reported; set the channel's
        /// messageStateHandledExternally likewise
        message_states: bool = true;
        /// failure type of a message that the customer's channel could not deliver
        fail_state: FailState = FailState::Terminal;
        /// whether messages of the type SYSTEM are relayed
        system_messages: bool = false;
        /// first line of a handover message
        handover_title: String = "Handed over by the assistant".into();
        /// channel connection of contacts that agents create with a customer id only (none)
        contact_channel: Option<String> = None;
    }
}

setting_enum! {
    /// The web API's version. The versions differ in paths, bodies and responses.
    pub enum ApiVersion {
        /// Web API v4, of Unblu 8.
        V4 = "v4",
        /// Web API v3, of Unblu 6 and 7.
        V3 = "v3",
    }
}

setting_enum! {
    /// The type of recipient of a new conversation (UA4).
    pub enum RecipientType {
        NamedArea = "NAMED_AREA",
        Team = "TEAM",
        Agent = "AGENT",
        Account = "ACCOUNT",
        /// An agent who is assigned to the conversation from the start, so that it does not wait in a queue.
        Assignee = "ASSIGNEE",
    }
}

setting_enum! {
    /// What a customer's id on the channel is.
    pub enum CustomerIdType {
        Other = "other",
        Phone = "phone",
        Email = "email",
    }
}

setting_enum! {
    /// The failure type of a message that the customer's channel could not deliver (UA4).
    pub enum FailState {
        /// The agent cannot send the message again.
        Terminal = "TERMINAL",
        /// The agent can send the message again.
        Retryable = "RETRYABLE",
    }
}

impl Settings {
    /// Returns the size limit of files, in bytes.
    #[must_use]
    pub fn file_size_limit(&self) -> usize {
        usize::try_from(self.max_file_bytes.0).unwrap_or(usize::MAX)
    }

    /// Returns whether the `media_header:` secrets may be sent to a host.
    #[must_use]
    pub fn trusts_host(&self, host: &str) -> bool {
        let mut hosts = self.media_hosts.split(',').map(str::trim);
        hosts.any(|known| !known.is_empty() && known.eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use trunkline_core::platform::{InvalidSetting, PlatformSettings};

    use super::*;

    fn parse(change: &Value) -> Result<Settings, InvalidSetting> {
        let mut settings = json!({"base_url": "https://u.example/v4", "channel_id": "c"});
        settings.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Settings::parse(settings.as_object().unwrap())
    }

    #[test]
    fn the_size_of_files_is_limited() {
        let limit = |bytes: Value| {
            parse(&json!({"max_file_bytes": bytes})).map(|settings| settings.file_size_limit())
        };
        assert_eq!(limit(json!(null)), Ok(5 * 1024 * 1024));
        assert_eq!((limit(json!("1000")), limit(json!(0))), (Ok(1_000), Ok(0)));
        for wrong in [json!("many"), json!("64 KB"), json!(100_000_000)] {
            assert_eq!(limit(wrong.clone()).unwrap_err().field, "max_file_bytes", "{wrong}");
        }
    }

    #[test]
    fn trusts_only_listed_hosts() {
        let settings = parse(&json!({"media_hosts": "files.example.com, M.example"})).unwrap();
        assert!(settings.trusts_host("files.example.com") && settings.trusts_host("m.example"));
        assert!(!settings.trusts_host("example.com") && !settings.trusts_host(""));
        assert!(!Settings::default().trusts_host(""));
    }
}
