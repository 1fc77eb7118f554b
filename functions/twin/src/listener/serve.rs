//! The Lambda shell of the listener: a queue's message starts it.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tokio::time::Instant;
use trunkline_shared::app::App;
use trunkline_shared::queue::Listen;
use trunkline_shared::telemetry;

use super::{AppWorld, Ended, Pace, Shift, World, listen};

/// How long before Lambda ends an invocation it is to be over; less if that is soon.
const SPARE: Duration = Duration::from_secs(5);

/// Runs the function until Lambda ends it.
///
/// # Errors
/// If the environment is not as the template makes it, or the Lambda runtime fails.
pub async fn serve() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let local = std::env::var("TRUNKLINE_ALLOW_LOCAL").is_ok_and(|value| value == "yes");
    let ids = Arc::clone(&app.ids);
    let world = Arc::new(AppWorld::new(app, local));
    let (world, ids) = (&world, &ids);
    lambda_runtime::run(lambda_runtime::service_fn(move |event: LambdaEvent<Value>| async move {
        telemetry::begin(&event.context.request_id);
        let now = world.now();
        let left = left(event.context.deadline, now.as_millisecond());
        let shift = Shift {
            pace: Pace::default(),
            me: ids.next(now),
            follows: follows(&event.payload),
            deadline: Instant::now() + left.saturating_sub(SPARE.min(left / 8)),
        };
        let ended: Ended = Box::pin(listen(Arc::clone(world), shift)).await;
        tracing::info!(?ended, "a listener ended");
        Ok::<_, std::convert::Infallible>(())
    }))
    .await
}

/// How long is left until a deadline in milliseconds.
fn left(deadline: u64, now: i64) -> Duration {
    Duration::from_millis(deadline.saturating_sub(u64::try_from(now).unwrap_or_default()))
}

/// Whom it follows: the queue's message says so. What is no such message starts one that follows nobody.
fn follows(event: &Value) -> Option<String> {
    let body = event.pointer("/Records/0/body").and_then(Value::as_str)?;
    serde_json::from_str::<Listen>(body).ok()?.follows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whom_it_follows_is_in_the_message() {
        let event = |body: &str| json!({"Records": [{"body": body}]});
        assert_eq!(follows(&event(r#"{"follows":"one"}"#)), Some("one".into()));
        for nobody in [event("{}"), event("?"), json!({}), json!(null)] {
            assert_eq!(follows(&nobody), None, "{nobody}");
        }
        assert_eq!(left(5_000, 3_000), Duration::from_secs(2));
        assert_eq!(left(0, 3_000), Duration::ZERO);
    }
}
