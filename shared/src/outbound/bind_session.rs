//! A conversation that the far side began is known by its id from now on. This is a message in the leg's
//! group, so it comes before whatever answers it.

use super::DispatchError;
use crate::app::App;
use crate::model::{LegId, Platform, Session};

pub(super) async fn adopt(
    app: &App,
    platform: Platform,
    id: &LegId,
    session: Session,
) -> Result<(), DispatchError> {
    let leg = app.store.leg(id).await?;
    if leg.session(&session.conversation) == Some(&session) {
        return Ok(());
    }
    let (conversation, now) = (session.conversation.clone(), app.clock.now());
    app.store.open_leg(platform, &leg.opened(session, now), &conversation, now).await?;
    Ok(())
}
