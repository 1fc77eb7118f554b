//! Puts deliveries into their queues: legs side by side, each leg's in order.

use std::collections::{BTreeMap, VecDeque};

use futures_util::future::try_join_all;

use super::{IntakeError, Rejection};
use crate::app::App;
use crate::model::Delivery;
use crate::queue::{Packed, QueueError, Queues};

pub(super) fn pack(deliveries: impl Iterator<Item = Delivery>) -> Result<Vec<Packed>, IntakeError> {
    deliveries.map(Queues::pack).collect::<Result<_, _>>().map_err(|error| match error {
        QueueError::TooLarge { size } => Rejection::TooLarge { size }.into(),
        other => other.into(),
    })
}

/// Returns when all are in their queues: each leg's in order, of several legs in one call where they are
/// in one queue.
pub(super) async fn all(app: &App, packed: Vec<Packed>) -> Result<(), QueueError> {
    let mut legs: Vec<VecDeque<Packed>> = Vec::new();
    for packed in packed {
        match legs.iter_mut().find(|leg| leg[0].group() == packed.group()) {
            Some(leg) => leg.push_back(packed),
            None => legs.push(VecDeque::from([packed])),
        }
    }
    while !legs.is_empty() {
        let firsts = legs.iter_mut().filter_map(VecDeque::pop_front);
        let mut queues: BTreeMap<&str, Vec<Packed>> = BTreeMap::new();
        for first in firsts {
            queues.entry(first.platform().name()).or_default().push(first);
        }
        try_join_all(queues.into_values().map(|queue| app.queues.send_all(queue))).await?;
        legs.retain(|leg| !leg.is_empty());
    }
    Ok(())
}
