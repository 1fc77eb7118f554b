//! Pending deliveries and dead letters in the API.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_core::model::DeadLetter;
use trunkline_runtime::operator::{PendingDelivery, PendingDetails};
use utoipa::ToSchema;

/// The state of a pending delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Sent automatically when the connection is available or the retry is due.
    Parked,
    /// Not sent until an operator replays it.
    Failed,
}

/// A pending delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PendingDeliveryView {
    id: String,
    /// A parked delivery is sent automatically when the connection is available or the retry is due. A failed
    /// one needs an operator.
    state: DeliveryState,
    /// The receiving connection.
    connection: String,
    /// The channel connection of the conversation.
    channel: String,
    customer: String,
    /// The id of the conversation.
    conversation: String,
    /// The type of the event, such as `message`.
    event_type: &'static str,
    waiting_since: Timestamp,
    /// When the next attempt is due; null if no time is set.
    next_attempt_at: Option<Timestamp>,
    /// The number of attempts so far.
    attempts: u32,
    /// Why it is pending.
    reason: String,
}

/// A queue message that Trunkline could not process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeadLetterView {
    id: String,
    platform: String,
    at: Timestamp,
    reason: String,
    /// The SQS message group, which names the leg.
    message_group: String,
    /// The size of the message in bytes.
    size: usize,
}

impl From<&PendingDelivery> for PendingDeliveryView {
    fn from(pending: &PendingDelivery) -> Self {
        let PendingDetails { delivery, since, attempts, reason } = pending.details();
        let (state, due) = match pending {
            PendingDelivery::Parked(parked) => (DeliveryState::Parked, parked.next_attempt_at),
            PendingDelivery::Failed(_) => (DeliveryState::Failed, None),
        };
        Self {
            id: delivery.id.to_string(),
            state,
            connection: delivery.to.connection.to_string(),
            channel: delivery.key.channel.to_string(),
            customer: delivery.key.customer.clone(),
            conversation: delivery.conversation.to_string(),
            event_type: delivery.event.body.kind(),
            waiting_since: since,
            next_attempt_at: due,
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
            message_group: letter.group.clone(),
            size: letter.body.len(),
        }
    }
}
