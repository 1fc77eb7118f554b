//! The sockets of all active sessions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use trunkline_shared::model::{ConnectionId, time};
use trunkline_shared::store::Active;

use super::session::{Held, hold};
use super::{Shift, World};

/// How many sockets are held at most: a function has 1,024 open files.
const MOST: usize = 900;
/// How often all active sessions are read anew; otherwise only those that began since.
const ANEW: Duration = Duration::from_secs(30);
/// How much longer than since the last look is read: whoever notes sessions has other clocks.
const EARLIER: SignedDuration = SignedDuration::from_secs(10);
/// How long a session without a known end is listened to: the longest that TWIN keeps one.
const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// Whose socket: the connection and the session.
type Key = (ConnectionId, String);

/// The sockets that are held.
pub(super) struct Sockets<W> {
    world: Arc<W>,
    since: Option<Timestamp>,
    deadline: Instant,
    /// What is active, by its place.
    active: BTreeMap<String, Active>,
    read_all_at: Option<Instant>,
    looked_at: Timestamp,
    held: HashMap<Key, Arc<Held>>,
    tasks: JoinSet<Key>,
    stop: watch::Sender<bool>,
}

/// When a session is over.
pub(super) fn end(active: &Active) -> Timestamp {
    active.session.expires_at.unwrap_or(active.since + LONGEST)
}

fn key(active: &Active) -> Key {
    (active.leg.connection.clone(), active.session.external_id.clone())
}

impl<W: World> Sockets<W> {
    pub(super) fn new(world: Arc<W>, since: Option<Timestamp>, shift: &Shift) -> Self {
        let (stop, _) = watch::channel(false);
        let looked_at = world.now();
        Self {
            world,
            since,
            deadline: shift.deadline,
            active: BTreeMap::new(),
            read_all_at: None,
            looked_at,
            held: HashMap::new(),
            tasks: JoinSet::new(),
            stop,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn are_joined(&self) -> bool {
        self.held.values().all(|held| held.is_joined())
    }

    /// Opens the sockets of sessions that began, and forgets those of sessions that are over.
    pub(super) async fn look(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Ok(key) = ended {
                self.held.remove(&key);
            }
        }
        self.read().await;
        self.forget().await;
        let mut wanted: HashMap<Key, &Active> = HashMap::new();
        for active in self.active.values() {
            // One that was prolonged stands there twice.
            let known = wanted.entry(key(active)).or_insert(active);
            if end(active) > end(known) {
                *known = active;
            }
        }
        for (key, active) in wanted {
            if self.held.contains_key(&key) {
                continue;
            }
            if self.held.len() >= MOST {
                tracing::error!(held = MOST, "there are more sessions than one listener can hold");
                break;
            }
            let held = Arc::new(Held::default());
            self.held.insert(key.clone(), Arc::clone(&held));
            let (world, active) = (Arc::clone(&self.world), active.clone());
            let (since, deadline, stop) = (self.since, self.deadline, self.stop.subscribe());
            self.tasks.spawn(async move {
                hold(&*world, &active, since, deadline, &held, stop).await;
                key
            });
        }
    }

    /// Reads which sessions are active: as a rule, only those that began since the last time.
    async fn read(&mut self) {
        let all = self.read_all_at.is_none_or(|at| at.elapsed() >= ANEW);
        let now = self.world.now();
        let after = (!all).then(|| time::rfc3339_millis(self.looked_at - EARLIER));
        let found = match self.world.active(after.as_deref()).await {
            Ok(found) => found,
            Err(why) => {
                tracing::warn!(%why, "the active sessions could not be read");
                return;
            }
        };
        if all {
            self.active.clear();
            self.read_all_at = Some(Instant::now());
        }
        self.looked_at = now;
        self.active.extend(found.into_iter().map(|active| (active.place(), active)));
    }

    /// Forgets the sessions that are over, and those in whose place another was started.
    async fn forget(&mut self) {
        let now = self.world.now();
        let mut newest: HashMap<(String, String), (Timestamp, String)> = HashMap::new();
        for active in self.active.values() {
            let whose = (active.leg.group(), active.session.conversation.clone());
            newest.insert(whose, (active.since, active.session.external_id.clone()));
        }
        let is_over = |active: &Active| {
            let whose = (active.leg.group(), active.session.conversation.clone());
            let replaced = newest.get(&whose).is_some_and(|(since, id)| {
                // Not at once: what it said last may be on its way.
                *id != active.session.external_id && *since + EARLIER < now
            });
            replaced || end(active) <= now
        };
        let over: Vec<String> = self
            .active
            .iter()
            .filter(|(_, active)| is_over(active))
            .map(|(at, _)| at.clone())
            .collect();
        for place in over {
            let Some(active) = self.active.remove(&place) else { continue };
            if let Err(why) = self.world.over(&active).await {
                // Read again with the next reading of all.
                tracing::warn!(%why, "a session that is over could not be forgotten");
            }
        }
    }

    /// Closes the sockets, and waits until all that was read is taken.
    pub(super) async fn stop(&mut self, last: Duration) {
        self.stop.send_replace(true);
        let end = self.deadline.max(Instant::now() + last);
        while let Ok(Some(_)) = timeout_at(end, self.tasks.join_next()).await {}
    }
}
