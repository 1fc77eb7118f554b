//! Pending deliveries, page by page: first the parked ones, by connection, leg and order on the leg; then the
//! failed ones, by connection.

use serde::{Deserialize, Serialize};

use super::{OperatorActions, PendingDelivery, Selection};
use crate::error::BackendError;
use trunkline_core::model::{ConnectionId, DeliveryId, Failed, LegId, Parked};

/// How many items one query reads.
const PAGE_SIZE: u16 = 100;

/// The kind of a pending delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingKind {
    /// Waits for its connection, or for its next attempt.
    Parked,
    /// Waits for an operator.
    Failed,
}

/// The position after which the next page starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCursor {
    kind: PendingKind,
    connection: ConnectionId,
    /// The leg and sequence number of a parked delivery, or the id of a failed one.
    position: Position,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    Parked(LegId, u64),
    Failed(DeliveryId),
}

impl OperatorActions<'_> {
    /// Returns up to `limit` selected deliveries after a cursor, and the next cursor if there may be more.
    pub async fn page(
        &self,
        selection: &Selection,
        only: Option<PendingKind>,
        after: Option<PageCursor>,
        limit: usize,
    ) -> Result<(Vec<PendingDelivery>, Option<PageCursor>), BackendError> {
        let mut found: Vec<PendingDelivery> = Vec::new();
        let mut after = after;
        for kind in [PendingKind::Parked, PendingKind::Failed] {
            let past = after.as_ref().is_some_and(|after| after.kind > kind);
            if past || only.is_some_and(|only| only != kind) {
                continue;
            }
            for connection in self.connections(kind, selection).await? {
                let cursor =
                    after.take_if(|after| after.kind == kind && after.connection == connection);
                if after.as_ref().is_some_and(|a| a.kind == kind && a.connection > connection) {
                    continue;
                }
                after = None;
                match kind {
                    PendingKind::Parked => {
                        self.parked_from(&connection, cursor, selection, limit, &mut found).await?;
                    }
                    PendingKind::Failed => {
                        self.failed_from(&connection, cursor, selection, limit, &mut found).await?;
                    }
                }
                if found.len() >= limit {
                    let next = found.last().map(cursor_at);
                    return Ok((found, next));
                }
            }
        }
        Ok((found, None))
    }

    async fn connections(
        &self,
        kind: PendingKind,
        selection: &Selection,
    ) -> Result<Vec<ConnectionId>, BackendError> {
        let mut all = match (&selection.connection, kind) {
            (Some(only), _) => vec![only.clone()],
            (None, PendingKind::Parked) => self.store.connections_with_parked().await?,
            (None, PendingKind::Failed) => self.store.connections_with_failed().await?,
        };
        all.sort();
        Ok(all)
    }

    async fn parked_from(
        &self,
        connection: &ConnectionId,
        cursor: Option<PageCursor>,
        selection: &Selection,
        limit: usize,
        found: &mut Vec<PendingDelivery>,
    ) -> Result<(), BackendError> {
        let mut last = None;
        // The leg on which the previous page ended may have more; the legs after it follow.
        if let Some(Position::Parked(leg, seq)) = cursor.map(|cursor| cursor.position) {
            self.leg_from(&leg, Some(seq), selection, limit, found).await?;
            last = Some(leg.message_group());
        }
        while found.len() < limit {
            let legs = self.store.parked_legs(connection, last.as_deref(), PAGE_SIZE).await?;
            let Some(end) = legs.last() else { return Ok(()) };
            last = Some(end.leg.message_group());
            for parked in &legs {
                self.leg_from(&parked.leg, None, selection, limit, found).await?;
                if found.len() >= limit {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn leg_from(
        &self,
        leg: &LegId,
        after: Option<u64>,
        selection: &Selection,
        limit: usize,
        found: &mut Vec<PendingDelivery>,
    ) -> Result<(), BackendError> {
        let mut after = after;
        while found.len() < limit {
            let page: Vec<Parked> = self.store.parked(leg, after, PAGE_SIZE).await?;
            let Some(end) = page.last() else { return Ok(()) };
            after = Some(end.seq);
            let selected = page.into_iter();
            let selected =
                selected.filter(|parked| selection.matches(&parked.delivery, parked.parked_at));
            let selected = selected.map(|parked| PendingDelivery::Parked(Box::new(parked)));
            found.extend(selected.take(limit - found.len()));
        }
        Ok(())
    }

    async fn failed_from(
        &self,
        connection: &ConnectionId,
        cursor: Option<PageCursor>,
        selection: &Selection,
        limit: usize,
        found: &mut Vec<PendingDelivery>,
    ) -> Result<(), BackendError> {
        let mut after = match cursor.map(|cursor| cursor.position) {
            Some(Position::Failed(id)) => Some(id),
            _ => None,
        };
        while found.len() < limit {
            let page: Vec<Failed> =
                self.store.failed(connection, after.as_ref(), PAGE_SIZE).await?;
            let Some(end) = page.last() else { return Ok(()) };
            after = Some(end.delivery.id.clone());
            let selected = page.into_iter();
            let selected = selected.filter(|failed| selection.matches(&failed.delivery, failed.at));
            let selected = selected.map(|failed| PendingDelivery::Failed(Box::new(failed)));
            found.extend(selected.take(limit - found.len()));
        }
        Ok(())
    }
}

fn cursor_at(pending: &PendingDelivery) -> PageCursor {
    match pending {
        PendingDelivery::Parked(parked) => PageCursor {
            kind: PendingKind::Parked,
            connection: parked.delivery.to.connection.clone(),
            position: Position::Parked(parked.delivery.leg(), parked.seq),
        },
        PendingDelivery::Failed(failed) => PageCursor {
            kind: PendingKind::Failed,
            connection: failed.delivery.to.connection.clone(),
            position: Position::Failed(failed.delivery.id.clone()),
        },
    }
}
