//! Watches a bot that deliveries do not reach, if its route asks for that.

use jiff::{SignedDuration, Timestamp};

use super::OutboundError;
use crate::app::App;
use crate::schedule::schedule;
use trunkline_core::model::{Delivery, Role, ScheduledTask};

/// Schedules a check whether the bot has been down for too long. The check schedules the next one while
/// anything is parked on the leg.
pub(super) async fn schedule_check(
    app: &App,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), OutboundError> {
    if delivery.to.role != Role::Bot || delivery.to.copy {
        return Ok(());
    }
    let Some(conversation) = app.store.conversation(&delivery.key).await? else { return Ok(()) };
    let Some(route) = app.config_cache.resolved_route(&conversation.route, now).await? else {
        return Ok(());
    };
    if let Some(seconds) = route.handover_policy.bot_down_after {
        let at = now + SignedDuration::from_secs(i64::from(seconds));
        schedule(app, &ScheduledTask::CheckBotDown { leg: delivery.leg(), at }).await?;
    }
    Ok(())
}
