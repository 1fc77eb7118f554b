//! Settings and secrets of a connection to CM.com's router.

use http::StatusCode;
use trunkline_core::platform::WebUrl;
use trunkline_core::{setting_enum, settings};

/// The name of the secret that is sent as `X-CM-PRODUCTTOKEN` (CM-AUTH).
pub const PRODUCT_TOKEN: &str = "product_token";

/// The name of the secret that the adapter sends: TwoWay does not sign calls (BRIDGE).
pub const SHARED_SECRET: &str = "shared_secret";

settings! {
    /// A connection's settings. Every setting but `send_url` has a default: the value on the vendor's pages or,
    /// where those are silent, the fact sheet's proposal.
    pub struct Settings {
        /// Outbound URL of the adapter, copied from CM.com
        send_url: WebUrl;
        /// HTTP status of Trunkline's responses to CM.com
        response_status: ResponseStatus = ResponseStatus::Created;
        /// name of the header that carries shared_secret
        secret_header: String = "X-Trunkline-Secret".into();
        /// how event calls authenticate: by shared_secret in the query, or by the path key alone
        event_secret: EventSecret = EventSecret::Query;
        /// meaning of a call to the handover endpoint (channel: handover; bot, desk: record)
        handover_means: Option<HandoverMeaning> = None;
        /// meaning of other events, such as AgentJoined=accept, ChatReturned=handback (none)
        events: String = String::new();
        /// channel: member of a customer's answer with the id of the selected choice (by its label)
        choice_id_member: Option<String> = None;
        /// channel: meaning of a customer's message that arrives after a handover to CM.com's agents
        message_after_handover: MessageAfterHandover = MessageAfterHandover::Handback;
        /// channel: how a handover to CM.com's agents is triggered; none: by CM.com's ruleset
        handover: HandoverMethod = HandoverMethod::None;
        /// handover: mutation: the adapter that it enables
        enable_adapter: Option<String> = None;
        /// handover: mutation: the adapter that it disables (the adapter of send_url)
        disable_adapter: Option<String> = None;
        /// handover: mutation: the component that it disables in place of an adapter
        disable_component: Option<String> = None;
        /// handover: mutation: whether a link must match either adapter or both
        mutation_operator: MutationOperator = MutationOperator::Or;
        /// handover: state: the id of the state that a handover sets
        state_name_id: Option<String> = None;
        /// account of the state API (the account of the technical link)
        logical_account_id: Option<String> = None;
        /// whether a close ends the session through the state API
        end_session: bool = false;
        /// URL of the control API
        control_url: WebUrl = "https://api.conversational.cm.com/conversational/control/v1".into();
        /// URL of the state API
        state_url: WebUrl = "https://api.cm.com/router/control/v1".into();
        /// id of the technical link (from the chat, or from send_url)
        account_id: Option<String> = None;
        /// bot or desk: host of the chats (the adapter of send_url)
        conversation_host_id: Option<String> = None;
        /// bot or desk: channel of the chats
        channel: String = "CXWebConversations".into();
        /// whether messages to CM.com carry an id
        send_message_id: bool = true;
        /// desk: whether it receives a handover as a text
        handover_text: bool = true;
        /// JSON template of a file message (a text with a link)
        media_template: Option<String> = None;
        /// JSON template of a message with choices (a text)
        choices_template: Option<String> = None;
        /// JSON template of one choice in choices_template
        choice_template: String = r#"{"id":"$id","title":"$title"}"#.into();
    }
}

setting_enum! {
    /// The HTTP status of successful responses. 201 satisfies every page that states one (fact sheet A4).
    pub enum ResponseStatus {
        Created = "201",
        Ok = "200",
        Accepted = "202",
        NoContent = "204",
    }
}

setting_enum! {
    /// How calls of the event endpoint are authenticated. CM.com's form has no headers for it (BRIDGE), only a
    /// URL.
    pub enum EventSecret {
        /// By the shared secret in the query, as `?secret=`.
        Query = "query",
        /// By the key in the connection's URL only.
        PathKey = "path_key",
    }
}

setting_enum! {
    /// The meaning of a call of the handover endpoint: its body has no type (BRIDGE).
    pub enum HandoverMeaning {
        /// Agents are asked to take over.
        Handover = "handover",
        /// The chat returned to the bot.
        Handback = "handback",
        /// An agent accepted the chat.
        Accept = "accept",
        /// None: the call is only recorded.
        Record = "record",
    }
}

setting_enum! {
    /// The meaning of a customer's message that arrives after a handover to agents in CM.com.
    pub enum MessageAfterHandover {
        /// The chat was handed back: the router sends a chat only to the adapter that it is routed to (CM-ADPT).
        Handback = "handback",
        /// The agents still have the chat: the ruleset lets Trunkline's adapter listen.
        Copy = "copy",
    }
}

setting_enum! {
    /// How a handover is requested (CM-CTRL, BRIDGE).
    pub enum HandoverMethod {
        /// Not by Trunkline: the router's ruleset decides.
        None = "none",
        /// By a mutation request.
        Mutation = "mutation",
        /// By the newer state API.
        State = "state",
    }
}

setting_enum! {
    /// Whether a mutation matches a link by both of its ends, or by either (CM-CTRL).
    pub enum MutationOperator {
        Or = "or",
        And = "and",
    }
}

impl ResponseStatus {
    /// Returns the HTTP status.
    #[must_use]
    pub fn code(self) -> StatusCode {
        match self {
            Self::Created => StatusCode::CREATED,
            Self::Ok => StatusCode::OK,
            Self::Accepted => StatusCode::ACCEPTED,
            Self::NoContent => StatusCode::NO_CONTENT,
        }
    }
}

impl Settings {
    /// Returns the adapter's id in `send_url`.
    #[must_use]
    pub fn adapter_id(&self) -> Option<&str> {
        account_and_adapter(&self.send_url).map(|(_, adapter)| adapter)
    }

    /// Returns the technical link's id from the setting, or else from `send_url`.
    #[must_use]
    pub fn technical_link_id(&self) -> Option<&str> {
        let from_url = account_and_adapter(&self.send_url).map(|(account, _)| account);
        self.account_id.as_deref().or(from_url)
    }
}

/// Returns the technical link's and the adapter's id in an Outbound URL,
/// `…/accounts/{technicalLinkId}/adapters/{adapterId}` (SEED-CM).
#[must_use]
pub fn account_and_adapter(send_url: &str) -> Option<(&str, &str)> {
    let path = send_url.split(['?', '#']).next()?;
    let (_, rest) = path.split_once("/accounts/")?;
    let mut parts = rest.split('/');
    let (account, word, adapter) = (parts.next()?, parts.next()?, parts.next()?);
    (word == "adapters" && !account.is_empty() && !adapter.is_empty()).then_some((account, adapter))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trunkline_core::platform::PlatformSettings;

    use super::*;

    /// Shows C11.
    #[test]
    fn reads_account_and_adapter_from_the_outbound_url() {
        let documented = "https://api.conversational.cm.com/conversational/twoway/v2/accounts/{technicalLinkId}/adapters/{adapterId}";
        assert_eq!(account_and_adapter(documented), Some(("{technicalLinkId}", "{adapterId}")));
        assert_eq!(
            account_and_adapter("http://x/accounts/a/adapters/b?c=/accounts/"),
            Some(("a", "b"))
        );
        for invalid in ["", "https://x", "https://x/accounts/a", "https://x/accounts//adapters/b"] {
            assert_eq!(account_and_adapter(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn response_status_is_one_of_four() {
        let parse = |status| {
            let settings = json!({"send_url": "https://x.example", "response_status": status});
            Settings::parse(settings.as_object().unwrap())
        };
        for (written, status) in
            [(json!(null), 201), (json!("200"), 200), (json!(202), 202), (json!("204"), 204)]
        {
            assert_eq!(parse(written).unwrap().response_status.code().as_u16(), status);
        }
        assert_eq!(parse(json!("500")).unwrap_err().field, "response_status");
    }
}
