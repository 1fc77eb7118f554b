//! Conversations and their timelines in the API.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use trunkline_core::model::{
    AgentLocation, AuthorRole, Conversation, Disposition, EventRecord, Handover, HandoverTrigger,
    Outcome, Owner, Role, State, Trace, Verdict,
};
use utoipa::ToSchema;

/// The owner of a conversation, who answers the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnerView {
    kind: Owner,
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
    state: State,
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
    /// Where the agents work.
    location: AgentLocation,
    /// What caused the handover.
    trigger: HandoverTrigger,
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
    role: AuthorRole,
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
    disposition: Disposition,
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
    role: Role,
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
    status: Verdict,
    at: Timestamp,
    /// The platform's HTTP status, if it responded.
    http_status: Option<u16>,
    /// Why the message was not delivered, or the error of the last failed attempt.
    reason: Option<String>,
    /// The message's id on the receiving platform.
    external_message_id: Option<String>,
    attempts: u32,
}

fn owner(conversation: &Conversation) -> OwnerView {
    let parties = &conversation.parties;
    let kind = conversation.owner();
    let party = match kind {
        Owner::Bot => parties.bot.as_ref(),
        Owner::Desk => parties.desk.as_ref().filter(|_| conversation.at_desk().is_some()),
    };
    OwnerView {
        kind,
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
            state: conversation.state(),
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
            location: handover.location,
            trigger: handover.trigger,
            reason: handover.reason.clone(),
            at: handover.at,
            accepted_at: handover.accepted_at,
            agent: handover.agent.clone(),
        }
    }
}

impl From<EventRecord> for TimelineEntry {
    fn from(record: EventRecord) -> Self {
        let deliveries = record.delivery_ids().map(|(id, to)| {
            let outcome = record.outcomes.get(&to.outcome_key());
            DeliveryView {
                id: id.into(),
                to: to.connection.to_string(),
                role: to.role,
                copy: to.copy,
                part: to.part,
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
            author: AuthorView { role: event.author.role, name: event.author.name },
            disposition: record.disposition,
            trace: event.trace.map(Trace::id),
            body: serde_json::to_value(event.body).unwrap_or_default(),
            deliveries,
        }
    }
}

impl From<&Outcome> for OutcomeView {
    fn from(outcome: &Outcome) -> Self {
        Self {
            status: outcome.verdict,
            at: outcome.at,
            http_status: outcome.status,
            reason: outcome.reason.clone(),
            external_message_id: outcome.external_message_id.clone().map(Into::into),
            attempts: outcome.attempts,
        }
    }
}
