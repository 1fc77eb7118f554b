//! The Lambda handler of the listener: a queue message starts it.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tokio::time::Instant;
use trunkline_runtime::app::App;
use trunkline_runtime::queue::StartListener;
use trunkline_runtime::telemetry;

use super::{AppBackend, Backend, ExitReason, Run, Timing, listen};

/// How long before Lambda's timeout the listener stops; at most an eighth of the invocation.
const SHUTDOWN_RESERVE: Duration = Duration::from_secs(5);

/// Runs the function until Lambda stops it.
///
/// # Errors
/// Fails if the environment lacks a variable that the template sets, or the Lambda runtime fails.
pub async fn serve() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let local = std::env::var("TRUNKLINE_ALLOW_LOCAL").is_ok_and(|value| value == "yes");
    let (ids, queues) = (Arc::clone(&app.ids), app.queues.clone());
    let backend = Arc::new(AppBackend::new(app, local));
    let (backend, ids, queues) = (&backend, &ids, &queues);
    lambda_runtime::run(lambda_runtime::service_fn(move |event: LambdaEvent<Value>| async move {
        let message: SqsEvent = serde_json::from_value(event.payload).unwrap_or_default();
        queues.chain().continue_from(&message.records);
        telemetry::set_request_id(&event.context.request_id);
        let now = backend.now();
        let left = time_left(event.context.deadline, now.as_millisecond());
        let run = Run {
            timing: Timing::default(),
            id: ids.next(now),
            predecessor: predecessor(&message),
            deadline: Instant::now() + left.saturating_sub(SHUTDOWN_RESERVE.min(left / 8)),
        };
        let exit: ExitReason = Box::pin(listen(Arc::clone(backend), run)).await;
        tracing::info!(?exit, "listener stopped");
        Ok::<_, std::convert::Infallible>(())
    }))
    .await
}

/// Returns the time until a deadline, both in milliseconds since 1970.
fn time_left(deadline: u64, now: i64) -> Duration {
    Duration::from_millis(deadline.saturating_sub(u64::try_from(now).unwrap_or_default()))
}

/// Reads from the queue message which listener to take over from. Any other message starts a listener
/// without a predecessor.
fn predecessor(event: &SqsEvent) -> Option<String> {
    let body = event.records.first()?.body.as_deref()?;
    serde_json::from_str::<StartListener>(body).ok()?.predecessor
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_the_predecessor_from_the_queue_message() {
        let event =
            |body: &str| serde_json::from_value(json!({"Records": [{"body": body}]})).unwrap();
        assert_eq!(predecessor(&event(r#"{"predecessor":"one"}"#)), Some("one".into()));
        for event in [event("{}"), event("?"), SqsEvent::default()] {
            assert_eq!(predecessor(&event), None, "{event:?}");
        }
        assert_eq!(time_left(5_000, 3_000), Duration::from_secs(2));
        assert_eq!(time_left(0, 3_000), Duration::ZERO);
    }
}
