//! What is done later and beside: notes to ourselves that are due, dead letters, and once a minute a
//! look at whether anything was left lying.

mod dead;
mod due;
mod sweep;
mod tend;
mod wake;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use trunkline_shared::app::App;
use trunkline_shared::inbound::IntakeError;
use trunkline_shared::listener::ListeningError;
use trunkline_shared::queue::QueueError;
use trunkline_shared::store::StoreError;
use trunkline_shared::telemetry;

pub use sweep::sweep;
pub use tend::tend;
pub use wake::wake;

/// Why something could not be done. Ours: the queue, or the next minute, gives it again.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Nobody could be made to listen.
    #[error(transparent)]
    Listening(#[from] ListeningError),
    /// What came due could not be taken.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// It is not as we write them.
    #[error("a note cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Runs the function until Lambda ends it.
///
/// # Errors
/// If the environment is not as the template makes it, or the Lambda runtime fails.
pub async fn serve() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let app = &app;
    lambda_runtime::run(lambda_runtime::service_fn(move |event: LambdaEvent<Value>| async move {
        telemetry::begin(&event.context.request_id);
        // Boxed, so that the whole does not become one type too deep for the compiler.
        Box::pin(handle(app, event.payload)).await
    }))
    .await
}

/// A batch of a queue's messages, or the minute's tick.
async fn handle(app: &App, event: Value) -> Result<SqsBatchResponse, lambda_runtime::Error> {
    if event.get("Records").is_none() {
        sweep(app).await?;
        tend(app).await?;
        return Ok(SqsBatchResponse::default());
    }
    let event: SqsEvent = serde_json::from_value(event)?;
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        if let Err(error) = one(app, &message).await {
            tracing::error!(%error, "a note or dead letter could not be dealt with");
            response.add_failure(message.message_id.unwrap_or_default());
        }
    }
    Ok(response)
}

async fn one(app: &App, message: &SqsMessage) -> Result<(), UpkeepError> {
    if let Some(platform) = dead::platform(message) {
        return dead::keep(app, platform, message).await;
    }
    let body = message.body.as_deref().unwrap_or_default();
    wake(app, serde_json::from_str(body)?).await
}
