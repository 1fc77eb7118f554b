//! Queues deliveries: different legs concurrently, the deliveries of one leg in order.

use std::collections::{BTreeMap, VecDeque};

use futures_util::future::try_join_all;

use super::{InboundError, Rejection};
use crate::app::App;
use crate::queue::{QueueError, QueueMessage, Queues};
use trunkline_core::model::{Delivery, PlatformId};

/// Builds the queue messages of deliveries. A delivery that is too large rejects its event.
pub(super) fn to_messages(
    deliveries: impl Iterator<Item = Delivery>,
) -> Result<Vec<QueueMessage>, InboundError> {
    deliveries.map(Queues::delivery_message).collect::<Result<_, _>>().map_err(
        |error| match error {
            QueueError::TooLarge { size } => Rejection::TooLarge { size }.into(),
            other => other.into(),
        },
    )
}

/// Sends messages to their queues and returns when all are stored there. Messages of one leg are sent in
/// order; messages of several legs of one platform share a call.
pub(super) async fn send_in_order(
    app: &App,
    messages: Vec<QueueMessage>,
) -> Result<(), QueueError> {
    let mut legs: Vec<VecDeque<QueueMessage>> = Vec::new();
    for message in messages {
        match legs.iter_mut().find(|leg| leg[0].group() == message.group()) {
            Some(leg) => leg.push_back(message),
            None => legs.push(VecDeque::from([message])),
        }
    }
    while !legs.is_empty() {
        let firsts = legs.iter_mut().filter_map(VecDeque::pop_front);
        let mut queues: BTreeMap<PlatformId, Vec<QueueMessage>> = BTreeMap::new();
        for first in firsts {
            queues.entry(first.platform()).or_default().push(first);
        }
        try_join_all(queues.into_values().map(|queue| app.queues.send_all(queue))).await?;
        legs.retain(|leg| !leg.is_empty());
    }
    Ok(())
}
