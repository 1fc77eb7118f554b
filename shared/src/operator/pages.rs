//! What waits, page by page: connection by connection, what is parked leg by leg in its order, then what
//! has failed.

use serde::{Deserialize, Serialize};

use super::{Operator, OrderError, Selection, Waiting};
use crate::model::{ConnectionId, Failed, LegId, Parked};

/// How many are read at once.
const READ: u16 = 100;

/// What a delivery waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// For its connection, or its time.
    Parked,
    /// For a person.
    Failed,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    kind: Kind,
    connection: ConnectionId,
    /// The parked delivery's leg and its place there; the failed one's id.
    at: At,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum At {
    Parked(LegId, u64),
    Failed(String),
}

impl Operator<'_> {
    /// The next `most` that wait of a selection, from after where a page ended; and where this one ends,
    /// if there may be more.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn page(
        &self,
        selection: &Selection,
        only: Option<Kind>,
        after: Option<Place>,
        most: usize,
    ) -> Result<(Vec<Waiting>, Option<Place>), OrderError> {
        let mut found: Vec<Waiting> = Vec::new();
        let mut after = after;
        for kind in [Kind::Parked, Kind::Failed] {
            let past = after.as_ref().is_some_and(|after| after.kind > kind);
            if past || only.is_some_and(|only| only != kind) {
                continue;
            }
            for connection in self.connections(kind, selection).await? {
                let from =
                    after.take_if(|after| after.kind == kind && after.connection == connection);
                if after.as_ref().is_some_and(|a| a.kind == kind && a.connection > connection) {
                    continue;
                }
                after = None;
                match kind {
                    Kind::Parked => {
                        self.parked_from(&connection, from, selection, most, &mut found).await?;
                    }
                    Kind::Failed => {
                        self.failed_from(&connection, from, selection, most, &mut found).await?;
                    }
                }
                if found.len() >= most {
                    let ended = found.last().map(place);
                    return Ok((found, ended));
                }
            }
        }
        Ok((found, None))
    }

    async fn connections(
        &self,
        kind: Kind,
        selection: &Selection,
    ) -> Result<Vec<ConnectionId>, OrderError> {
        let mut all = match (&selection.connection, kind) {
            (Some(only), _) => vec![only.clone()],
            (None, Kind::Parked) => self.store.connections_with_parked().await?,
            (None, Kind::Failed) => self.store.connections_with_failed().await?,
        };
        all.sort();
        Ok(all)
    }

    async fn parked_from(
        &self,
        connection: &ConnectionId,
        from: Option<Place>,
        selection: &Selection,
        most: usize,
        found: &mut Vec<Waiting>,
    ) -> Result<(), OrderError> {
        let mut last = None;
        // The leg on which a page ended may have more; then come those after it.
        if let Some(At::Parked(leg, seq)) = from.map(|from| from.at) {
            self.leg_from(&leg, Some(seq), selection, most, found).await?;
            last = Some(leg.group());
        }
        while found.len() < most {
            let legs = self.store.parked_legs(connection, last.as_deref(), READ).await?;
            let Some(end) = legs.last() else { return Ok(()) };
            last = Some(end.leg.group());
            for parked in &legs {
                self.leg_from(&parked.leg, None, selection, most, found).await?;
                if found.len() >= most {
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
        most: usize,
        found: &mut Vec<Waiting>,
    ) -> Result<(), OrderError> {
        let mut after = after;
        while found.len() < most {
            let page: Vec<Parked> = self.store.parked(leg, after, READ).await?;
            let Some(end) = page.last() else { return Ok(()) };
            after = Some(end.seq);
            let fit = page.into_iter();
            let fit = fit.filter(|parked| selection.holds(&parked.delivery, parked.since));
            let fit = fit.map(|parked| Waiting::Parked(Box::new(parked)));
            found.extend(fit.take(most - found.len()));
        }
        Ok(())
    }

    async fn failed_from(
        &self,
        connection: &ConnectionId,
        from: Option<Place>,
        selection: &Selection,
        most: usize,
        found: &mut Vec<Waiting>,
    ) -> Result<(), OrderError> {
        let mut after = match from.map(|from| from.at) {
            Some(At::Failed(id)) => Some(id),
            _ => None,
        };
        while found.len() < most {
            let page: Vec<Failed> = self.store.failed(connection, after.as_deref(), READ).await?;
            let Some(end) = page.last() else { return Ok(()) };
            after = Some(end.delivery.id.clone());
            let fit = page.into_iter();
            let fit = fit.filter(|failed| selection.holds(&failed.delivery, failed.at));
            let fit = fit.map(|failed| Waiting::Failed(Box::new(failed)));
            found.extend(fit.take(most - found.len()));
        }
        Ok(())
    }
}

fn place(waiting: &Waiting) -> Place {
    match waiting {
        Waiting::Parked(parked) => Place {
            kind: Kind::Parked,
            connection: parked.delivery.to.connection.clone(),
            at: At::Parked(parked.delivery.leg(), parked.seq),
        },
        Waiting::Failed(failed) => Place {
            kind: Kind::Failed,
            connection: failed.delivery.to.connection.clone(),
            at: At::Failed(failed.delivery.id.clone()),
        },
    }
}
