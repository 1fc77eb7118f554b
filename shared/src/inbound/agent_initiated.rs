//! Conversations that people at a desk begin.

use std::sync::Arc;

use jiff::Timestamp;

use super::IntakeError;
use crate::app::App;
use crate::model::{Connection, ConversationKey, Event, Job, LegId, Role, Session};
use crate::store::StoreError;

/// The channel on which a desk's event begins a conversation, if it names whom it is to reach and that
/// channel's route has this desk: nobody reaches another's customers.
pub(super) async fn channel(
    app: &App,
    desk: &Connection,
    event: &Event,
    now: Timestamp,
) -> Result<Option<Arc<Connection>>, StoreError> {
    let Some(key) = event.reaches.as_ref().filter(|_| desk.role == Role::Desk) else {
        return Ok(None);
    };
    let channel = app.directory.connection(&key.channel, now).await?;
    let Some(channel) = channel.filter(|channel| channel.role == Role::Channel) else {
        return Ok(None);
    };
    let Some(route) = &channel.route else { return Ok(None) };
    let serving = app.directory.serving(route, now).await?;
    let serves = serving.is_some_and(|serving| {
        serving.desk.as_ref().is_some_and(|party| party.connection == desk.id)
    });
    Ok(serves.then_some(channel))
}

/// Has the desk's own id of the conversation known, before anything is sent there.
pub(super) async fn adopt(
    app: &App,
    desk: &Connection,
    key: &ConversationKey,
    event: &Event,
) -> Result<(), IntakeError> {
    let conversation = app.store.conversation(key).await?;
    let Some(handover) = conversation.as_ref().and_then(|found| found.at_desk()) else {
        return Ok(());
    };
    let leg = LegId { key: key.clone(), connection: desk.id.clone() };
    let session = Session::new(&handover.id, &event.conversation);
    let (group, id) = (leg.group(), app.ids.next(app.clock.now()));
    app.queues.order(desk.platform, group, id, &Job::Adopt { leg, session }).await?;
    Ok(())
}
