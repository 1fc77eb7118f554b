//! What waits.

use jiff::Timestamp;
use serde::Serialize;
use trunkline_shared::model::DeadLetter;
use trunkline_shared::operator::Waiting;
use utoipa::ToSchema;

/// A delivery that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WaitingView {
    /// Its id.
    id: String,
    /// `parked`: for its connection, or its time. `failed`: for a person.
    state: &'static str,
    /// Where it is to go.
    connection: String,
    /// Whose conversation it is.
    channel: String,
    customer: String,
    conversation: String,
    /// What kind of event it is.
    kind: &'static str,
    /// Since when it waits.
    since: Timestamp,
    /// When it is tried next, if that is known.
    due: Option<Timestamp>,
    /// How often it was attempted.
    attempts: u32,
    /// Why it waits.
    reason: String,
}

/// A queue's message that our own side could not handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeadLetterView {
    id: String,
    platform: String,
    at: Timestamp,
    reason: String,
    /// Its message group.
    group: String,
    /// In bytes.
    size: usize,
}

impl From<&Waiting> for WaitingView {
    fn from(waiting: &Waiting) -> Self {
        let (delivery, since, attempts, reason) = waiting.particulars();
        let (state, due) = match waiting {
            Waiting::Parked(parked) => ("parked", parked.due),
            Waiting::Failed(_) => ("failed", None),
        };
        Self {
            id: delivery.id.clone(),
            state,
            connection: delivery.to.connection.to_string(),
            channel: delivery.key.channel.to_string(),
            customer: delivery.key.customer.clone(),
            conversation: delivery.conversation.clone(),
            kind: delivery.event.body.kind(),
            since,
            due,
            attempts,
            reason: reason.to_owned(),
        }
    }
}

impl From<&DeadLetter> for DeadLetterView {
    fn from(letter: &DeadLetter) -> Self {
        Self {
            id: letter.id.clone(),
            platform: letter.platform.to_string(),
            at: letter.at,
            reason: letter.reason.clone(),
            group: letter.group.clone(),
            size: letter.body.len(),
        }
    }
}
