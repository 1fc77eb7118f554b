//! Settings and secrets of a connection to CM.com's router.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The name of the secret that is sent as `X-CM-PRODUCTTOKEN` (CM-AUTH).
pub const PRODUCT_TOKEN: &str = "product_token";

/// The name of the secret that the adapter sends: TwoWay does not sign calls (BRIDGE).
pub const SHARED_SECRET: &str = "shared_secret";

/// A connection's settings. Every setting but `send_url` has a default: the value on the vendor's
/// pages or, where those are silent, the fact sheet's proposal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The adapter's Outbound URL (SEED-CM).
    pub send_url: String,
    /// The HTTP status of successful responses.
    pub response_status: ResponseStatus,
    /// The header in which the adapter sends the shared secret.
    pub secret_header: String,
    /// How calls of the event endpoint are authenticated.
    pub event_secret: EventSecret,
    /// The meaning of a call of the handover endpoint. Default: depends on the role.
    pub handover_means: Option<HandoverMeaning>,
    /// The meaning of a customer's message that still arrives after a handover to agents in CM.com.
    pub message_after_handover: MessageAfterHandover,
    /// How a handover to agents in CM.com is requested.
    pub handover: HandoverMethod,
    /// The adapter that a mutation disables. Default: the adapter of `send_url`.
    pub disable_adapter: Option<String>,
    /// The adapter that a mutation enables.
    pub enable_adapter: Option<String>,
    /// The component that a mutation disables instead of an adapter, as CM.com's HALO does.
    pub disable_component: Option<String>,
    /// Which links a mutation matches.
    pub mutation_operator: MutationOperator,
    /// The id of the state that a handover sets, by the newer API.
    pub state_name_id: Option<String>,
    /// The account of the newer API. Default: the technical link's id.
    pub logical_account_id: Option<String>,
    /// Whether a close ends the router's session, by the newer API.
    pub end_session: bool,
    /// The base URL of the control API (CM-CTRL).
    pub control_url: String,
    /// The base URL of the newer state API (BRIDGE).
    pub state_url: String,
    /// The technical link's id. Default: the chat's, or the one in `send_url`.
    pub account_id: Option<String>,
    /// Client only: the chats' host. Default: the adapter of `send_url`, as in BRIDGE.
    pub conversation_host_id: Option<String>,
    /// Client only: the chats' channel, one that the router knows (BRIDGE).
    pub channel: String,
    /// Whether outbound messages have an id, the same for every attempt.
    pub send_message_id: bool,
    /// Desk only: whether a handover is sent as text.
    pub handover_text: bool,
    /// The message for a file, as JSON with variables. Default: a link.
    pub media_template: Option<String>,
    /// The message for choices, as JSON with variables. Default: numbered text.
    pub choices_template: Option<String>,
    /// One choice within `$choices`, as JSON with variables.
    pub choice_template: String,
}

/// The HTTP status of successful responses. 201 satisfies every page that states one (fact sheet
/// A4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub struct ResponseStatus(pub StatusCode);

impl From<Value> for ResponseStatus {
    fn from(value: Value) -> Self {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        Self(match text.as_str() {
            "200" => StatusCode::OK,
            "202" => StatusCode::ACCEPTED,
            "204" => StatusCode::NO_CONTENT,
            _ => StatusCode::CREATED,
        })
    }
}

/// How calls of the event endpoint are authenticated. CM.com's form has no headers for it (BRIDGE),
/// only a URL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSecret {
    /// By the shared secret in the query, as `?secret=`.
    #[default]
    Query,
    /// By the key in the connection's URL only.
    PathKey,
}

/// The meaning of a call of the handover endpoint: its body has no type (BRIDGE).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoverMeaning {
    /// Agents are asked to take over.
    Handover,
    /// The chat returned to the bot.
    Handback,
    /// An agent accepted the chat.
    Accept,
    /// None: the call is only recorded.
    Record,
}

/// The meaning of a customer's message that arrives after a handover to agents in CM.com.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageAfterHandover {
    /// The chat was handed back: the router sends a chat only to the adapter that it is routed to
    /// (CM-ADPT).
    #[default]
    Handback,
    /// The agents still have the chat: the ruleset lets Trunkline's adapter listen.
    Copy,
}

/// How a handover is requested (CM-CTRL, BRIDGE).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoverMethod {
    /// Not by Trunkline: the router's ruleset decides.
    #[default]
    None,
    /// By a mutation request.
    Mutation,
    /// By the newer state API.
    State,
}

/// Whether a mutation matches a link by both of its ends, or by either (CM-CTRL).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MutationOperator {
    #[default]
    Or,
    And,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            send_url: String::new(),
            response_status: ResponseStatus(StatusCode::CREATED),
            secret_header: "X-Trunkline-Secret".into(),
            event_secret: EventSecret::default(),
            handover_means: None,
            message_after_handover: MessageAfterHandover::default(),
            handover: HandoverMethod::default(),
            disable_adapter: None,
            enable_adapter: None,
            disable_component: None,
            mutation_operator: MutationOperator::default(),
            state_name_id: None,
            logical_account_id: None,
            end_session: false,
            control_url: "https://api.conversational.cm.com/conversational/control/v1".into(),
            state_url: "https://api.cm.com/router/control/v1".into(),
            account_id: None,
            conversation_host_id: None,
            channel: "CXWebConversations".into(),
            send_message_id: true,
            handover_text: true,
            media_template: None,
            choices_template: None,
            choice_template: r#"{"id":"$id","title":"$title"}"#.into(),
        }
    }
}

impl Settings {
    /// Reads the settings of a connection. If one value is invalid, all settings are the defaults;
    /// `apply` has validated them.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(settings.clone())).unwrap_or_default()
    }

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
    use super::*;

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
        for (written, status) in [
            (Value::from("200"), 200),
            (Value::from(202), 202),
            (Value::from("204"), 204),
            (Value::from("500"), 201),
            (Value::Null, 201),
        ] {
            assert_eq!(ResponseStatus::from(written).0.as_u16(), status);
        }
    }
}
