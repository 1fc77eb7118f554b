//! Routes: which bot, desk and observers serve a channel connection, and under which policy.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, ConversationId, HandoverId, Party, RouteId};

/// A route: the bot, the desk and the observers of the channels that name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub id: RouteId,
    /// `None`: everything goes to the desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<ConnectionId>,
    /// `None`: the route has no desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<ConnectionId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observers: Vec<ConnectionId>,
    #[serde(default)]
    pub handover_policy: HandoverPolicy,
    /// Increases with each change. A change is only written to the version that it was based on.
    #[serde(default)]
    pub version: u64,
}

/// A route with its parties as currently configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedRoute {
    pub route: RouteId,
    pub bot: Option<Party>,
    pub desk: Option<Party>,
    pub observers: Vec<Party>,
    pub handover_policy: HandoverPolicy,
}

/// When agents take over and return a conversation, and which texts the customer receives. Times are in
/// seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct HandoverPolicy {
    /// How long an offered handover waits to be accepted. Without it: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_within: Option<u32>,
    /// How long a customer waits for the agent's answer. Without it: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_idle: Option<u32>,
    /// After how long without messages the conversation is closed. Without it: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ttl: Option<u32>,
    /// After how long an outage of the bot's connection agents take over. Without it: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot_down_after: Option<u32>,
    /// What happens when the desk closes its session.
    pub after_close: OnClose,
    /// What happens when no agent accepts or the agent does not answer.
    pub if_unanswered: OnClose,
    /// The maximum number of earlier messages in a handover.
    pub transcript: u16,
    /// The start of the transcript that a handover passes on.
    pub transcript_since: TranscriptStart,
    /// The language (BCP 47) of customers whose language is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The keywords of customers, by language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keywords: BTreeMap<String, Keywords>,
    /// The texts for customers, by language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, Texts>,
}

impl Default for HandoverPolicy {
    fn default() -> Self {
        Self {
            accept_within: None,
            agent_idle: None,
            session_ttl: None,
            bot_down_after: None,
            after_close: OnClose::Bot,
            if_unanswered: OnClose::Bot,
            transcript: 20,
            transcript_since: TranscriptStart::Start,
            language: None,
            keywords: BTreeMap::new(),
            texts: BTreeMap::new(),
        }
    }
}

/// What happens to a conversation when the agents are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnClose {
    /// The bot becomes the owner.
    Bot,
    /// The conversation is closed.
    Close,
}

/// The start of the transcript that a handover includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TranscriptStart {
    /// The start of the conversation.
    Start,
    /// The last hand-back to the bot.
    Handback,
}

/// Keywords by which a customer changes the owner. A message matches if it consists of the keyword only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Keywords {
    /// Keywords for a handover to agents.
    pub handover: Vec<String>,
    /// Keywords for a hand-back to the bot.
    pub handback: Vec<String>,
}

/// Texts that the customer receives. An empty text is not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Texts {
    /// Sent when a handover is offered.
    pub waiting: String,
    /// Sent when an agent accepts. `{agent}` is replaced by the name.
    pub joined: String,
    /// Sent when the agent leaves. `{agent}` is replaced by the name.
    pub left: String,
    /// Sent when no agent accepts.
    pub unanswered: String,
    /// Sent when a message of the customer cannot be shown.
    pub unsupported: String,
    /// Replaces a private file that could not be fetched. `{name}` is replaced by the file's name. If empty,
    /// an English sentence replaces it.
    pub file_failed: String,
    /// Sent when a message is edited, to people whose platform cannot show edits. `{text}` is replaced by the
    /// new text.
    pub edited: String,
    /// Sent when a message is deleted, to people whose platform cannot show deletions.
    pub deleted: String,
    /// Replaces `{agent}` if the name is unknown.
    pub agent: String,
}

/// A timer of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "timer", rename_all = "snake_case")]
pub enum Timer {
    /// An offered handover has not been accepted.
    AcceptWithin { handover: HandoverId },
    /// The agent has not answered the customer.
    AgentIdle { handover: HandoverId },
    /// The conversation has had no messages.
    SessionTtl { conversation: ConversationId },
}

/// A timer with the time at which to evaluate it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTimer {
    pub timer: Timer,
    pub at: Timestamp,
}
