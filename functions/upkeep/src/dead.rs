//! Dead letters: kept in the table with their reason, where `redrive` finds them.

use aws_lambda_events::event::sqs::SqsMessage;
use trunkline_shared::alerts::{self, Report};
use trunkline_shared::app::App;
use trunkline_shared::model::{ConnectionId, DeadLetter, Job, Platform, time};
use trunkline_shared::queue::REASON;
use trunkline_shared::telemetry;

use crate::UpkeepError;

/// The platform whose dead-letter queue a message comes from: `<stack>-<platform>-dead.fifo`.
pub(crate) fn platform(message: &SqsMessage) -> Option<Platform> {
    let queue = message.event_source_arn.as_deref()?.strip_suffix("-dead.fifo")?;
    queue.rsplit('-').next()?.parse().ok()
}

pub(crate) async fn keep(
    app: &App,
    platform: Platform,
    message: &SqsMessage,
) -> Result<(), UpkeepError> {
    let now = app.clock.now();
    let told = message.message_attributes.get(REASON);
    let told = told.and_then(|attribute| attribute.string_value.clone());
    let reason = told.unwrap_or_else(|| {
        "the worker died of it, or could not reach the table, each time that it was received".into()
    });
    let own = message.message_id.as_deref().unwrap_or_default();
    let letter = DeadLetter {
        // The queue's own id, so that keeping it twice keeps it once.
        id: format!("{}#{own}", sent_at(message).unwrap_or_else(|| time::rfc3339_millis(now))),
        platform,
        at: now,
        reason: reason.clone(),
        group: message.attributes.get("MessageGroupId").cloned().unwrap_or_default(),
        body: message.body.clone().unwrap_or_default(),
    };
    app.store.keep_dead_letter(&letter).await?;
    telemetry::count_dead_letter(now, platform);
    tracing::error!(id = letter.id, %platform, reason, "a dead letter was kept: see `trunkline deliveries --dead`");
    if let Some(connection) = connection_of(&letter) {
        alerts::tell(app, &connection, &Report::dead_letter(&letter)).await;
    }
    Ok(())
}

/// The connection that it was for; where that cannot be read, its platform stands in.
fn connection_of(letter: &DeadLetter) -> Option<ConnectionId> {
    let connection = match serde_json::from_str(&letter.body) {
        Ok(Job::Deliver(delivery)) => delivery.to.connection,
        Ok(
            Job::Drain { leg, .. }
            | Job::Discard { leg, .. }
            | Job::Release { leg }
            | Job::Adopt { leg, .. },
        ) => leg.connection,
        Ok(Job::Verify { connection, .. } | Job::Tend { connection }) => connection,
        Err(_) => letter.platform.name().parse().ok()?,
    };
    Some(connection)
}

fn sent_at(message: &SqsMessage) -> Option<String> {
    let millis = message.attributes.get("SentTimestamp")?.parse().ok()?;
    jiff::Timestamp::from_millisecond(millis).ok().map(time::rfc3339_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letters_platform_is_in_its_queues_name() {
        let from = |arn: &str| {
            let mut message = SqsMessage::default();
            message.event_source_arn = Some(arn.to_owned());
            platform(&message)
        };
        assert_eq!(from("arn:aws:sqs:x:1:my-stack-webex-dead.fifo"), Some(Platform::Webex));
        assert_eq!(from("arn:aws:sqs:x:1:my-stack-wake"), None);
    }
}
