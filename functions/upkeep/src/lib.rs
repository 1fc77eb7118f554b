//! Background work: runs scheduled tasks when they are due, stores dead letters, and once a minute finds
//! parked deliveries whose task was lost.

mod dead_letters;
mod registrations;
mod sweep;
mod tasks;
mod timers;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use trunkline_shared::app::App;
use trunkline_shared::error::BackendError;
use trunkline_shared::from_backend_errors;
use trunkline_shared::inbound::InboundError;
use trunkline_shared::telemetry;

pub use registrations::check_registrations;
pub use sweep::sweep;
pub use tasks::run_task;

/// Why background work failed. Internal and retryable: SQS, or the next minute's run, repeats it.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// The table, a queue or the secrets failed.
    #[error(transparent)]
    Backend(BackendError),
    /// The event of a timer could not be ingested.
    #[error(transparent)]
    Inbound(#[from] InboundError),
    /// The scheduled task is not valid JSON of a known kind.
    #[error("cannot parse scheduled task: {0}")]
    Unreadable(#[from] serde_json::Error),
}

from_backend_errors!(UpkeepError);

/// Runs the function until Lambda ends it.
///
/// # Errors
/// If the environment is incomplete, or the Lambda runtime fails.
pub async fn serve() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let app = &app;
    lambda_runtime::run(lambda_runtime::service_fn(move |event: LambdaEvent<Value>| async move {
        telemetry::set_request_id(&event.context.request_id);
        // Boxed: the type of the whole future would exceed the compiler's depth limit.
        Box::pin(handle(app, event.payload)).await
    }))
    .await
}

/// Handles a batch of messages from a queue, or the event of the one-minute schedule.
///
/// # Errors
/// If the work of the one-minute schedule fails, or the event is not valid.
pub async fn handle(app: &App, event: Value) -> Result<SqsBatchResponse, lambda_runtime::Error> {
    if event.get("Records").is_none() {
        sweep(app).await?;
        check_registrations(app).await?;
        return Ok(SqsBatchResponse::default());
    }
    let event: SqsEvent = serde_json::from_value(event)?;
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        if let Err(error) = process(app, &message).await {
            tracing::error!(%error, "cannot process scheduled task or dead letter");
            response.add_failure(message.message_id.unwrap_or_default());
        }
    }
    Ok(response)
}

async fn process(app: &App, message: &SqsMessage) -> Result<(), UpkeepError> {
    if let Some(platform) = dead_letters::source_platform(message) {
        return dead_letters::store(app, platform, message).await;
    }
    let body = message.body.as_deref().unwrap_or_default();
    run_task(app, serde_json::from_str(body)?).await
}
