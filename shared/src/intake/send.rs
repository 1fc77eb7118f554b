//! Puts deliveries into their queues: legs side by side, each leg's in order.

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

/// Returns when all are in their queues.
pub(super) async fn all(app: &App, packed: Vec<Packed>) -> Result<(), QueueError> {
    let mut legs: Vec<Vec<Packed>> = Vec::new();
    for packed in packed {
        match legs.iter_mut().find(|leg| leg[0].group() == packed.group()) {
            Some(leg) => leg.push(packed),
            None => legs.push(vec![packed]),
        }
    }
    let in_order = async |leg: Vec<Packed>| {
        for packed in leg {
            app.queues.send(packed).await?;
        }
        Ok::<_, QueueError>(())
    };
    try_join_all(legs.into_iter().map(in_order)).await.map(|_| ())
}
