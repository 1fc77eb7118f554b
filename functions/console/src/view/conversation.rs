//! Conversations, and what was said in them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trunkline_shared::model::{
    Conversation, Handover, Outcome, Owner as Side, State as Stands, Trace,
};
use trunkline_shared::store::EventRecord;
use utoipa::ToSchema;

use super::word;

/// How a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The bot has it.
    Bot,
    /// People are asked to take it.
    Pending,
    /// People have it.
    Desk,
    /// It is over.
    Closed,
}

/// Who answers the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnerView {
    /// `bot`, or `desk`: people.
    kind: String,
    /// At which connection; nowhere of ours, if people are on the channel's own side.
    connection: Option<String>,
    /// Who took it, as far as we know.
    agent: Option<String>,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConversationView {
    /// Its channel connection.
    channel: String,
    /// The customer, as the channel's platform knows them.
    customer: String,
    /// Its own id.
    id: String,
    /// How it stands.
    state: State,
    /// Who answers.
    owner: OwnerView,
    /// By which route it started.
    route: String,
    /// The customer's language.
    language: Option<String>,
    /// When it started.
    started_at: Timestamp,
    /// When it last changed.
    changed_at: Timestamp,
}

/// Who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartiesView {
    channel: String,
    bot: Option<String>,
    desk: Option<String>,
    observers: Vec<String>,
}

/// That people have it, or are asked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HandoverView {
    id: String,
    /// `desk`, or `channel`: on its own side.
    place: String,
    /// What brought it about.
    by: String,
    reason: Option<String>,
    at: Timestamp,
    accepted_at: Option<Timestamp>,
    agent: Option<String>,
}

/// A conversation in particular.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Details {
    #[serde(flatten)]
    conversation: ConversationView,
    parties: PartiesView,
    handover: Option<HandoverView>,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuthorView {
    /// `customer`, `bot`, `agent`, `system` or `unknown`.
    role: String,
    name: Option<String>,
}

/// An event of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Entry {
    /// Its id among those of the connection that it came from.
    id: String,
    /// What its sender knows it by, where receipts can name it.
    external_id: Option<String>,
    /// The connection that it came from; `trunkline` for the house.
    from: String,
    /// Which of the customer's conversations it belongs to.
    conversation: String,
    /// When it happened.
    at: Timestamp,
    /// When it came.
    arrived: Timestamp,
    /// Who did it.
    author: AuthorView,
    /// `regular`, `record`, `late` or `echo`.
    standing: String,
    /// The trace that it is in: the functions' log lines have the same.
    trace: Option<String>,
    /// What happened; `type` says what kind it is.
    #[schema(value_type = Object)]
    body: Value,
    /// Where it goes, and what became of that.
    deliveries: Vec<DeliveryView>,
}

/// A delivery of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeliveryView {
    id: String,
    /// The connection.
    to: String,
    role: String,
    /// Whether it is a copy: for the record.
    copy: bool,
    /// Which part of a long text.
    part: u16,
    outcome: Option<OutcomeView>,
}

/// What became of a delivery so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutcomeView {
    /// `delivered`, `retryable`, `permanent`, `unknown`, `skipped`, `parked`, `exhausted`, `discarded`.
    verdict: String,
    at: Timestamp,
    /// The platform's HTTP status, if it answered.
    status: Option<u16>,
    /// Why, where it is not delivered.
    reason: Option<String>,
    /// What the platform knows it by.
    external_id: Option<String>,
    attempts: u32,
}

impl State {
    /// As the table has it.
    #[must_use]
    pub fn stands(self) -> Stands {
        match self {
            Self::Bot => Stands::Bot,
            Self::Pending => Stands::Pending,
            Self::Desk => Stands::Desk,
            Self::Closed => Stands::Closed,
        }
    }
}

impl From<Stands> for State {
    fn from(stands: Stands) -> Self {
        match stands {
            Stands::Bot => Self::Bot,
            Stands::Pending => Self::Pending,
            Stands::Desk => Self::Desk,
            Stands::Closed => Self::Closed,
        }
    }
}

fn owner(conversation: &Conversation) -> OwnerView {
    let parties = &conversation.parties;
    let (kind, party) = match conversation.owner() {
        Side::Bot => ("bot", parties.bot.as_ref()),
        Side::Desk => ("desk", parties.desk.as_ref().filter(|_| conversation.at_desk().is_some())),
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
            id: conversation.id.clone(),
            state: conversation.state().into(),
            owner: owner(conversation),
            route: conversation.route.to_string(),
            language: conversation.language.clone(),
            started_at: conversation.started_at,
            changed_at: conversation.touched_at,
        }
    }
}

impl From<&Conversation> for Details {
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
            id: handover.id.clone(),
            place: word(&handover.place),
            by: word(&handover.by),
            reason: handover.reason.clone(),
            at: handover.at,
            accepted_at: handover.accepted_at,
            agent: handover.agent.clone(),
        }
    }
}

impl From<EventRecord> for Entry {
    fn from(record: EventRecord) -> Self {
        let deliveries = record.deliveries().map(|delivery| {
            let outcome = record.outcomes.get(&delivery.to.outcome_key());
            DeliveryView {
                id: delivery.id,
                to: delivery.to.connection.to_string(),
                role: word(&delivery.to.role),
                copy: delivery.to.copy,
                part: delivery.to.part,
                outcome: outcome.map(OutcomeView::from),
            }
        });
        let deliveries = deliveries.collect();
        let event = record.event;
        Self {
            id: event.id.as_str().to_owned(),
            external_id: event.external_id,
            from: record.from.to_string(),
            conversation: record.conversation,
            at: event.at,
            arrived: record.arrived,
            author: AuthorView { role: word(&event.author.role), name: event.author.name },
            standing: word(&record.standing),
            trace: event.trace.map(Trace::id),
            body: serde_json::to_value(event.body).unwrap_or_default(),
            deliveries,
        }
    }
}

impl From<&Outcome> for OutcomeView {
    fn from(outcome: &Outcome) -> Self {
        Self {
            verdict: word(&outcome.verdict),
            at: outcome.at,
            status: outcome.status,
            reason: outcome.reason.clone(),
            external_id: outcome.external_id.clone(),
            attempts: outcome.attempts,
        }
    }
}
