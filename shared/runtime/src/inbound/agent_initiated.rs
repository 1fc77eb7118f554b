//! Conversations that an agent starts.

use std::sync::Arc;

use jiff::Timestamp;

use super::InboundError;
use crate::app::App;
use crate::store::StoreError;
use trunkline_core::model::{Connection, ConversationKey, Event, Job, LegId, Role, Session};

/// Finds the channel on which a desk's event starts a conversation: the one that the event names as its
/// recipient, provided that the channel's route has this desk. A desk cannot reach the customers of
/// another route.
pub(super) async fn find_channel(
    app: &App,
    desk: &Connection,
    event: &Event,
    now: Timestamp,
) -> Result<Option<Arc<Connection>>, StoreError> {
    let Some(key) = event.intended_recipient.as_ref().filter(|_| desk.role == Role::Desk) else {
        return Ok(None);
    };
    let channel = app.config_cache.connection(&key.channel, now).await?;
    let Some(channel) = channel.filter(|channel| channel.role == Role::Channel) else {
        return Ok(None);
    };
    let Some(route) = &channel.route else { return Ok(None) };
    let route = app.config_cache.resolved_route(route, now).await?;
    let serves = route
        .is_some_and(|route| route.desk.as_ref().is_some_and(|party| party.connection == desk.id));
    Ok(serves.then_some(channel))
}

/// Queues a job that binds the desk's own conversation id to its leg, before anything is sent there.
pub(super) async fn bind_session(
    app: &App,
    desk: &Connection,
    key: &ConversationKey,
    event: &Event,
) -> Result<(), InboundError> {
    let conversation = app.store.conversation(key).await?;
    let Some(handover) = conversation.as_ref().and_then(|found| found.at_desk()) else {
        return Ok(());
    };
    let leg = LegId { key: key.clone(), connection: desk.id.clone() };
    let session = Session::new(&handover.id, &event.external_conversation_id);
    let (group, id) = (leg.message_group(), app.ids.next(app.clock.now()));
    app.queues.enqueue(desk.platform, group, id, &Job::BindSession { leg, session }).await?;
    Ok(())
}
