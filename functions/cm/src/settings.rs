//! What an operator sets for a connection to CM.com's router.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The secret that our calls carry as `X-CM-PRODUCTTOKEN` (CM-AUTH).
pub const PRODUCT_TOKEN: &str = "product_token";

/// The secret that the adapter's calls carry, for TwoWay signs nothing (BRIDGE).
pub const SHARED_SECRET: &str = "shared_secret";

/// A connection's settings. All but `send_url` have defaults: those of the vendor's pages, or for what
/// they leave open, the fact sheet's proposals.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The adapter's Outbound URL (SEED-CM).
    pub send_url: String,
    /// The status of our answers.
    pub answer_status: AnswerStatus,
    /// The header in which the adapter sends the shared secret.
    pub secret_header: String,
    /// Whether calls of the event endpoint bring the shared secret, too.
    pub event_secret: EventSecret,
    /// What a call of the handover endpoint means; by role, if absent.
    pub handover_means: Option<Means>,
    /// Whose a customer's message is that still reaches us after a handover to CM.com's people.
    pub after_handover: Whose,
    /// How a handover to CM.com's people is brought about.
    pub handover: HandoverCall,
    /// The adapter that a handover switches off; our own, if absent.
    pub disable_adapter: Option<String>,
    /// The adapter that a handover switches on.
    pub enable_adapter: Option<String>,
    /// The component that a handover switches off, in place of an adapter (as CM.com's HALO does it).
    pub disable_component: Option<String>,
    /// Which links a mutation is about.
    pub mutation_operator: Operator,
    /// The state that a handover goes to, by the newer API.
    pub state_name_id: Option<String>,
    /// The account of the newer API; the technical link's, if absent.
    pub logical_account_id: Option<String>,
    /// Whether a close ends the router's session, by the newer API.
    pub end_session: bool,
    /// The control API (CM-CTRL).
    pub control_url: String,
    /// The newer state API (BRIDGE).
    pub state_url: String,
    /// The technical link's id; the one of the chat or of `send_url`, if absent.
    pub account_id: Option<String>,
    /// As client: the chats' host; the adapter of `send_url`, if absent, as BRIDGE has it.
    pub conversation_host_id: Option<String>,
    /// As client: the chats' channel, one that the router knows (BRIDGE).
    pub channel: String,
    /// Whether our messages carry an id, the same for every attempt.
    pub send_message_id: bool,
    /// As a desk's client: whether a handover is told as a text.
    pub handover_text: bool,
    /// The message that a file becomes, as JSON with variables; a link, if absent.
    pub media_template: Option<String>,
    /// The message that choices become, as JSON with variables; numbered text, if absent.
    pub choices_template: Option<String>,
    /// What one choice becomes within `$choices`.
    pub choice_template: String,
}

/// The status of our answers: 201 satisfies every page that says one (fact sheet A4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub struct AnswerStatus(pub StatusCode);

impl From<Value> for AnswerStatus {
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

/// Whether calls of the event endpoint bring the shared secret: CM.com's form has no headers for it
/// (BRIDGE), only the address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSecret {
    /// In the query, as `?secret=`.
    #[default]
    Query,
    /// No: the address's own key is enough.
    PathKey,
}

/// What a call of the handover endpoint means: its body has no type (BRIDGE).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// People are to take over.
    Handover,
    /// The bot has the chat again.
    Handback,
    /// An agent took it.
    Accept,
    /// Nothing: it is kept.
    Record,
}

/// Whose a customer's message is that reaches us after a handover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Ours: the router sends a chat only to whom it is routed (CM-ADPT), so it is routed to us again.
    #[default]
    Ours,
    /// Theirs: the ruleset lets our adapter listen.
    Theirs,
}

/// How a handover is brought about (CM-CTRL, BRIDGE).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoverCall {
    /// Not by us: by the ruleset.
    #[default]
    None,
    /// By a mutation request.
    Mutation,
    /// By the newer state API.
    State,
}

/// Whether a link must touch both adapters of a mutation, or either (CM-CTRL).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Either.
    #[default]
    Or,
    /// Both.
    And,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            send_url: String::new(),
            answer_status: AnswerStatus(StatusCode::CREATED),
            secret_header: "X-Trunkline-Secret".into(),
            event_secret: EventSecret::default(),
            handover_means: None,
            after_handover: Whose::default(),
            handover: HandoverCall::default(),
            disable_adapter: None,
            enable_adapter: None,
            disable_component: None,
            mutation_operator: Operator::default(),
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
    /// As they were applied, which checked them; whatever does not fit any more takes its default.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(settings.clone())).unwrap_or_default()
    }

    /// The adapter's id.
    #[must_use]
    pub fn adapter(&self) -> Option<&str> {
        place_of(&self.send_url).map(|(_, adapter)| adapter)
    }

    /// The technical link's id, where no chat says it.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let place = place_of(&self.send_url).map(|(account, _)| account);
        self.account_id.as_deref().or(place)
    }
}

/// The technical link's and the adapter's id in an Outbound URL, `…/accounts/{technicalLinkId}/adapters/
/// {adapterId}` (SEED-CM).
#[must_use]
pub fn place_of(send_url: &str) -> Option<(&str, &str)> {
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
    fn the_outbound_url_tells_account_and_adapter() {
        let seeds = "https://api.conversational.cm.com/conversational/twoway/v2/accounts/{technicalLinkId}/adapters/{adapterId}";
        assert_eq!(place_of(seeds), Some(("{technicalLinkId}", "{adapterId}")));
        assert_eq!(place_of("http://x/accounts/a/adapters/b?c=/accounts/"), Some(("a", "b")));
        for bad in ["", "https://x", "https://x/accounts/a", "https://x/accounts//adapters/b"] {
            assert_eq!(place_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_answers_status_is_one_of_four() {
        for (written, status) in [
            (Value::from("200"), 200),
            (Value::from(202), 202),
            (Value::from("204"), 204),
            (Value::from("500"), 201),
            (Value::Null, 201),
        ] {
            assert_eq!(AnswerStatus::from(written).0.as_u16(), status);
        }
    }
}
