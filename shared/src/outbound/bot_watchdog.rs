//! A bot that does not get what it is sent is watched, where its route says so.

use jiff::{SignedDuration, Timestamp};

use super::DispatchError;
use crate::app::App;
use crate::model::{Delivery, Role, Wake};

/// Leaves a note to see whether the bot has been down for too long. Whoever reads it leaves the next,
/// as long as anything is parked on the leg.
pub(super) async fn bot(
    app: &App,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), DispatchError> {
    if delivery.to.role != Role::Bot || delivery.to.copy {
        return Ok(());
    }
    let Some(conversation) = app.store.conversation(&delivery.key).await? else { return Ok(()) };
    let Some(serving) = app.directory.serving(&conversation.route, now).await? else {
        return Ok(());
    };
    if let Some(seconds) = serving.switching.bot_down_after {
        let at = now + SignedDuration::from_secs(i64::from(seconds));
        app.queues.wake(&Wake::BotDown { leg: delivery.leg(), at }, now).await?;
    }
    Ok(())
}
