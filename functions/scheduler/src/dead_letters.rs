//! Dead letters: stored in the table with their reason, from where an operator can redrive them.

use aws_lambda_events::event::sqs::SqsMessage;
use trunkline_core::model::{ConnectionId, DeadLetter, Job, PlatformId, time};
use trunkline_runtime::alerts::{self, Alert};
use trunkline_runtime::app::App;
use trunkline_runtime::queue::REASON_ATTRIBUTE;
use trunkline_runtime::telemetry;

use crate::SchedulerError;

/// Returns the platform whose dead-letter queue the message comes from: `<stack>-<platform>-dead.fifo`.
pub(crate) fn source_platform(message: &SqsMessage) -> Option<PlatformId> {
    let queue = message.event_source_arn.as_deref()?.strip_suffix("-dead.fifo")?;
    queue.rsplit('-').next()?.parse().ok()
}

pub(crate) async fn store(
    app: &App,
    platform: PlatformId,
    message: &SqsMessage,
) -> Result<(), SchedulerError> {
    let now = app.clock.now();
    let given = message.message_attributes.get(REASON_ATTRIBUTE);
    let given = given.and_then(|attribute| attribute.string_value.clone());
    let reason = given.unwrap_or_else(|| {
        "the worker crashed, or could not reach the table, each time that it received the message".into()
    });
    let message_id = message.message_id.as_deref().unwrap_or_default();
    let letter = DeadLetter {
        // SQS's message id, so that storing it twice overwrites the same item.
        id: format!(
            "{}#{message_id}",
            sent_at(message).unwrap_or_else(|| time::format_rfc3339_millis(now))
        ),
        platform,
        at: now,
        reason: reason.clone(),
        group: message.attributes.get("MessageGroupId").cloned().unwrap_or_default(),
        body: message.body.clone().unwrap_or_default(),
    };
    app.store.put_dead_letter(&letter).await?;
    telemetry::record_dead_letter(now, platform);
    tracing::error!(id = letter.id, %platform, reason, "dead letter stored: see `trunkline deliveries --dead`");
    if let Some(connection) = connection_of(&letter) {
        alerts::notify(app, &connection, &Alert::dead_letter(&letter)).await;
    }
    Ok(())
}

/// Returns the connection of the job; if the job does not name one or is unreadable, the platform's name instead.
fn connection_of(letter: &DeadLetter) -> Option<ConnectionId> {
    let connection = match serde_json::from_str(&letter.body) {
        Ok(Job::Deliver(delivery)) => delivery.to.connection,
        Ok(
            Job::Drain { leg, .. }
            | Job::Discard { leg, .. }
            | Job::ReleaseHeld { leg }
            | Job::BindSession { leg, .. },
        ) => leg.connection,
        Ok(
            Job::Verify { connection, .. }
            | Job::FixRegistration { connection, .. }
            | Job::ReconcileRegistration { connection },
        ) => connection,
        Ok(Job::RelayFile { .. }) | Err(_) => letter.platform.as_str().parse().ok()?,
    };
    Some(connection)
}

fn sent_at(message: &SqsMessage) -> Option<String> {
    let millis = message.attributes.get("SentTimestamp")?.parse().ok()?;
    jiff::Timestamp::from_millisecond(millis).ok().map(time::format_rfc3339_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_platform_from_the_queue_name() {
        let from = |arn: &str| {
            let mut message = SqsMessage::default();
            message.event_source_arn = Some(arn.to_owned());
            source_platform(&message)
        };
        assert_eq!(
            from("arn:aws:sqs:x:1:my-stack-fax-dead.fifo"),
            Some(PlatformId::from_static("fax"))
        );
        assert_eq!(from("arn:aws:sqs:x:1:my-stack-tasks"), None);
    }
}
