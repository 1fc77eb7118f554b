//! The SQS shell of every outbound function.

use std::collections::BTreeMap;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use lambda_runtime::LambdaEvent;

use super::Outbound;
use super::deliver::{DispatchError, attempt};
use super::retry::wait_after;
use super::verify::verify;
use crate::app::App;
use crate::model::{Job, Verdict};
use crate::telemetry;

/// Runs an outbound function until Lambda ends it.
///
/// # Errors
/// If the environment is not as the template makes it, or the Lambda runtime fails.
pub async fn serve(platform: impl Outbound) -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let (app, platform) = (&app, &platform);
    lambda_runtime::run(lambda_runtime::service_fn(
        move |event: LambdaEvent<SqsEvent>| async move {
            Ok::<_, std::convert::Infallible>(batch(app, platform, event.payload.records).await)
        },
    ))
    .await
}

/// Works through a batch: legs side by side, each leg in order. Where one delivery of a leg has to
/// wait, those behind it go back to the queue untried.
async fn batch<P: Outbound>(app: &App, platform: &P, records: Vec<SqsMessage>) -> SqsBatchResponse {
    let mut groups: BTreeMap<String, Vec<SqsMessage>> = BTreeMap::new();
    for record in records {
        let group = record.attributes.get("MessageGroupId").cloned().unwrap_or_default();
        groups.entry(group).or_default().push(record);
    }
    let legs = groups.into_values().map(|leg| in_order(app, platform, leg));
    let undone = join_all(legs).await.into_iter().flatten();
    let mut response = SqsBatchResponse::default();
    for id in undone {
        response.add_failure(id);
    }
    response
}

/// Works through a leg's messages until one has to wait; answers with the ids of that and the rest.
async fn in_order<P: Outbound>(app: &App, platform: &P, leg: Vec<SqsMessage>) -> Vec<String> {
    let mut messages = leg.into_iter();
    while let Some(message) = messages.next() {
        let received = times_received(&message);
        let done = match work(app, platform, &message, received).await {
            Ok(verdict) => verdict.is_final(),
            Err(error) => {
                tracing::error!(%error, received, "a delivery could not be worked on: ours");
                false
            }
        };
        if !done {
            postpone::<P>(app, &message, received).await;
            return std::iter::once(message).chain(messages).filter_map(|m| m.message_id).collect();
        }
    }
    Vec::new()
}

async fn work<P: Outbound>(
    app: &App,
    platform: &P,
    message: &SqsMessage,
    received: u32,
) -> Result<Verdict, DispatchError> {
    match serde_json::from_str(message.body.as_deref().unwrap_or_default())? {
        Job::Deliver(delivery) => attempt(app, platform, &delivery, received).await,
        Job::Verify { connection, challenge } => {
            verify(app, platform, &connection, &challenge).await?;
            Ok(Verdict::Delivered)
        }
    }
}

/// Sets when the queue gives the message again. If that fails, it does so after its own, longer time.
async fn postpone<P: Outbound>(app: &App, message: &SqsMessage, received: u32) {
    let Some(receipt) = &message.receipt_handle else { return };
    if let Err(error) = app.queues.postpone(P::PLATFORM, receipt, wait_after(received)).await {
        tracing::warn!(%error, "a message's next attempt could not be set");
    }
}

fn times_received(message: &SqsMessage) -> u32 {
    let count = message.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}
