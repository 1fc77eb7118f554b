//! Keeps what connections store about their platform up to date. A function knows only its own platform, so
//! each connection stores what its platform can show and do; a new release may change that.

use trunkline_core::model::{Connection, ConnectionId};
use trunkline_core::platform::PlatformTraits;
use trunkline_runtime::app::App;
use trunkline_runtime::store::StoreError;

use crate::SchedulerError;

/// Number of connections per page.
const PAGE_SIZE: u16 = 250;

/// Updates the connections whose stored capabilities differ from their platform's. Runs once in each process,
/// because only a deployment changes them.
///
/// # Errors
/// If the table does not answer. The next tick tries again.
pub async fn refresh_capabilities(
    app: &App,
    platforms: &[PlatformTraits],
) -> Result<(), SchedulerError> {
    let mut after: Option<ConnectionId> = None;
    loop {
        let page = app.store.connections(after.as_ref(), PAGE_SIZE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        for listed in &page {
            let Some(stored) = app.store.connection(&listed.id).await? else { continue };
            let Some(current) = with_capabilities(&stored, platforms) else { continue };
            match app.store.put_connection(&current).await {
                // An operator changed the connection at the same time, which stores the capabilities, too.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Returns the next version of a connection with its platform's capabilities; `None` if it has them.
fn with_capabilities(stored: &Connection, platforms: &[PlatformTraits]) -> Option<Connection> {
    let known = platforms.iter().find(|known| known.id == stored.platform)?;
    let current = (known.capabilities, known.behaviour);
    (current != (stored.capabilities, stored.behaviour)).then(|| Connection {
        capabilities: known.capabilities,
        behaviour: known.behaviour,
        version: stored.version + 1,
        ..stored.clone()
    })
}

#[cfg(test)]
mod tests {
    use trunkline_core::model::{Behaviour, Capabilities, PlatformId};

    use super::*;

    const FAX: PlatformTraits = PlatformTraits {
        id: PlatformId::from_static("fax"),
        capabilities: Capabilities { media: true, ..Capabilities::TEXT_ONLY },
        behaviour: Behaviour::NONE,
    };

    #[test]
    fn updates_connections_with_outdated_capabilities_once() {
        let stored =
            serde_json::json!({"id": "shop", "platform": "fax", "role": "channel", "version": 3});
        let stored: Connection = serde_json::from_value(stored).unwrap();
        let current = with_capabilities(&stored, &[FAX]).unwrap();
        assert!(current.capabilities.media);
        assert_eq!(current.version, 4);
        assert_eq!(with_capabilities(&current, &[FAX]), None);
        assert_eq!(with_capabilities(&stored, &[]), None);
    }
}
