//! Conversations and their timelines in the API.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trunkline_core::model::EventRecord;
use trunkline_core::model::{Conversation, Handover, Outcome, Owner, State, Trace};
use utoipa::ToSchema;

use super::serialized_name;

/// The state of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    /// The bot owns the conversation.
    Bot,
    /// The conversation is offered to human agents.
    Pending,
    /// Human agents own the conversation.
    Desk,
    /// The conversation is closed.
    Closed,
}

/// The owner of a conversation, who answers the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnerView {
    /// `bot`, or `desk` for human agents.
    kind: String,
    /// The owner's connection; null if the agents work on the channel's own platform.
    connection: Option<String>,
    /// The name of the agent who accepted, if known.
    agent: Option<String>,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConversationView {
    /// The channel connection.
    channel: String,
    /// The customer's id on the channel's platform.
    customer: String,
    id: String,
    state: ConversationState,
    owner: OwnerView,
    /// The route on which the conversation started.
    route: String,
    /// The customer's language as BCP 47, such as `pt-BR`.
    language: Option<String>,
    started_at: Timestamp,
    /// When the owner last changed, or the conversation started.
    changed_at: Timestamp,
}

/// The connections that take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartiesView {
    channel: String,
    bot: Option<String>,
    desk: Option<String>,
    observers: Vec<String>,
}

/// The current handover to human agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HandoverView {
    id: String,
    /// Where the agents work: `desk`, or `channel` for the channel's own platform.
    location: String,
    /// What caused the handover: `bot`, `channel`, `desk`, `keyword`, `operator`, `bot_down` or `route`.
    trigger: String,
    reason: Option<String>,
    /// When the handover started.
    at: Timestamp,
    accepted_at: Option<Timestamp>,
    agent: Option<String>,
}

/// A conversation with its parties and its handover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConversationDetails {
    #[serde(flatten)]
    conversation: ConversationView,
    parties: PartiesView,
    handover: Option<HandoverView>,
}

/// The author of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuthorView {
    /// `customer`, `bot`, `agent`, `system` or `unknown`.
    role: String,
    name: Option<String>,
}

/// An event of a conversation and its deliveries.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// The event's id, unique per sending connection.
    id: String,
    /// The message's id on the sender's platform, if receipts can refer to it.
    external_message_id: Option<String>,
    /// The sending connection; `trunkline` for system events.
    from: String,
    /// The id of the conversation.
    conversation: String,
    /// When the event happened, by the sender's clock.
    at: Timestamp,
    /// When Trunkline received the event.
    received_at: Timestamp,
    author: AuthorView,
    /// `routed`, `recorded_only`, `not_owner` or `echo`.
    disposition: String,
    /// The trace id, which the functions' log lines contain too.
    trace: Option<String>,
    /// The content of the event, by its `type`.
    #[schema(value_type = Object)]
    body: Value,
    deliveries: Vec<DeliveryView>,
}

/// A delivery of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeliveryView {
    id: String,
    /// The receiving connection.
    to: String,
    role: String,
    /// Whether the receiver gets a copy for information.
    copy: bool,
    /// The number of the part of a long text, from 0.
    part: u16,
    /// The outcome of the latest attempt; null before the first.
    outcome: Option<OutcomeView>,
}

/// The outcome of the latest attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutcomeView {
    /// `delivered`, `retryable`, `permanent`, `unknown`, `skipped`, `parked`, `exhausted`, `discarded`.
    status: String,
    at: Timestamp,
    /// The platform's HTTP status, if it responded.
    http_status: Option<u16>,
    /// Why the message was not delivered, or the error of the last failed attempt.
    reason: Option<String>,
    /// The message's id on the receiving platform.
    external_message_id: Option<String>,
    attempts: u32,
}

impl ConversationState {
    /// Returns the model's state.
    #[must_use]
    pub fn to_model(self) -> State {
        match self {
            Self::Bot => State::Bot,
            Self::Pending => State::Pending,
            Self::Desk => State::Desk,
            Self::Closed => State::Closed,
        }
    }
}

impl From<State> for ConversationState {
    fn from(state: State) -> Self {
        match state {
            State::Bot => Self::Bot,
            State::Pending => Self::Pending,
            State::Desk => Self::Desk,
            State::Closed => Self::Closed,
        }
    }
}

fn owner(conversation: &Conversation) -> OwnerView {
    let parties = &conversation.parties;
    let (kind, party) = match conversation.owner() {
        Owner::Bot => ("bot", parties.bot.as_ref()),
        Owner::Desk => ("desk", parties.desk.as_ref().filter(|_| conversation.at_desk().is_some())),
    };
    OwnerView {
        kind: kind.to_owned(),
        connection: party.map(|party| party.connection.to_string()),
        agent: conversation.handover.as_ref().and_then(|handover| handover.agent.clone()),
    }
}

impl From<&Conversation> for ConversationView {
    fn from(conversation: &Conversation) -> Self {
        Self {
            channel: conversation.key.channel.to_string(),
            customer: conversation.key.customer.clone(),
            id: conversation.id.to_string(),
            state: conversation.state().into(),
            owner: owner(conversation),
            route: conversation.route.to_string(),
            language: conversation.language.clone(),
            started_at: conversation.started_at,
            changed_at: conversation.touched_at,
        }
    }
}

impl From<&Conversation> for ConversationDetails {
    fn from(conversation: &Conversation) -> Self {
        let parties = &conversation.parties;
        Self {
            conversation: conversation.into(),
            parties: PartiesView {
                channel: parties.channel.connection.to_string(),
                bot: parties.bot.as_ref().map(|party| party.connection.to_string()),
                desk: parties.desk.as_ref().map(|party| party.connection.to_string()),
                observers: parties.observers.iter().map(|o| o.connection.to_string()).collect(),
            },
            handover: conversation.handover.as_ref().map(HandoverView::from),
        }
    }
}

impl From<&Handover> for HandoverView {
    fn from(handover: &Handover) -> Self {
        Self {
            id: handover.id.to_string(),
            location: serialized_name(&handover.location),
            trigger: serialized_name(&handover.trigger),
            reason: handover.reason.clone(),
            at: handover.at,
            accepted_at: handover.accepted_at,
            agent: handover.agent.clone(),
        }
    }
}

impl From<EventRecord> for TimelineEntry {
    fn from(record: EventRecord) -> Self {
        let deliveries = record.deliveries().map(|delivery| {
            let outcome = record.outcomes.get(&delivery.to.outcome_key());
            DeliveryView {
                id: delivery.id.into(),
                to: delivery.to.connection.to_string(),
                role: serialized_name(&delivery.to.role),
                copy: delivery.to.copy,
                part: delivery.to.part,
                outcome: outcome.map(OutcomeView::from),
            }
        });
        let deliveries = deliveries.collect();
        let event = record.event;
        Self {
            id: event.id.as_str().to_owned(),
            external_message_id: event.external_message_id.map(Into::into),
            from: record.from.to_string(),
            conversation: record.conversation.into(),
            at: event.at,
            received_at: record.received_at,
            author: AuthorView {
                role: serialized_name(&event.author.role),
                name: event.author.name,
            },
            disposition: serialized_name(&record.disposition),
            trace: event.trace.map(Trace::id),
            body: serde_json::to_value(event.body).unwrap_or_default(),
            deliveries,
        }
    }
}

impl From<&Outcome> for OutcomeView {
    fn from(outcome: &Outcome) -> Self {
        Self {
            status: serialized_name(&outcome.verdict),
            at: outcome.at,
            http_status: outcome.status,
            reason: outcome.reason.clone(),
            external_message_id: outcome.external_message_id.clone().map(Into::into),
            attempts: outcome.attempts,
        }
    }
}
