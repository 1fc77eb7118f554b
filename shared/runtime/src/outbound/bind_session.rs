//! Binds a conversation that the platform started to the platform's id of it. The job is in the leg's
//! message group, so it runs before the first reply is delivered.

use super::OutboundError;
use crate::app::App;
use trunkline_core::model::{LegId, PlatformId, Session};

pub(super) async fn bind_session(
    app: &App,
    platform: PlatformId,
    id: &LegId,
    session: Session,
) -> Result<(), OutboundError> {
    let leg = app.store.leg(id).await?;
    if leg.session(&session.id) == Some(&session) {
        return Ok(());
    }
    let (session_id, now) = (session.id.clone(), app.clock.now());
    app.store.open_leg(platform, &leg.with_session(session, now), &session_id, now).await?;
    Ok(())
}
