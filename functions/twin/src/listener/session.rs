//! One session's socket, and what is heard on it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};
use trunkline_shared::model::{AuthorRole, Connection, Event, Role};
use trunkline_shared::secrets::SecretBag;
use trunkline_shared::store::Active;

use super::World;
use super::sockets::end;
use crate::answers::CLIENT;
use crate::api::Api;
use crate::history::history;
use crate::login::has_credentials;
use crate::message::{Context, named_event};
use crate::settings::Settings;
use crate::socket::{Address, Heard, listen};

/// How long is waited before what could not be taken is taken again.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A socket that is held.
#[derive(Debug, Default)]
pub(super) struct Held {
    joined: AtomicBool,
}

impl Held {
    pub(super) fn is_joined(&self) -> bool {
        self.joined.load(Ordering::Relaxed)
    }
}

/// Holds a session's socket until the session expires or it is told to stop, and then takes what was
/// read before that.
pub(super) async fn hold<W: World>(
    world: &W,
    active: &Active,
    since: Option<Timestamp>,
    deadline: Instant,
    held: &Held,
    stop: watch::Receiver<bool>,
) {
    let (connection, secrets) = match world.connection(&active.leg.connection).await {
        Ok(Some(known)) => known,
        Ok(None) => {
            // It is not configured any more: nothing that it says could be taken.
            held.joined.store(true, Ordering::Relaxed);
            expire(world, active, deadline, stop).await;
            return;
        }
        Err(why) => {
            tracing::warn!(connection = %active.leg.connection, %why, "a session waits");
            // Looked at again with the next look, as it is not held.
            sleep(FIRST_WAIT).await;
            return;
        }
    };
    let settings = Settings::of(&connection.settings);
    let ear =
        Ear { world, active, connection: &connection, secrets: &secrets, settings: &settings };
    let address = Address {
        origin: settings.socket_url.clone(),
        session: active.session.external_id.clone(),
        local: world.is_local(),
    };
    let (tell, mut heard) = mpsc::unbounded_channel();
    // Ends with the session, too.
    let socket = async {
        tokio::select! {
            () = listen(address, tell, stop.clone()) => {}
            () = expire(world, active, deadline, stop.clone()) => {}
        }
    };
    let taking = async {
        let mut seen = HashSet::new();
        let mut since = since;
        while let Some(heard) = heard.recv().await {
            match heard {
                Heard::Joined => {
                    held.joined.store(true, Ordering::Relaxed);
                    ear.fill(&mut since, &mut seen, deadline).await;
                }
                Heard::Event { name, data, safe } => {
                    let now = world.now();
                    if let Some(event) = named_event(&name, &data, &ear.context(now)) {
                        ear.take(event, &mut seen, deadline).await;
                    }
                    safe.tell();
                }
            }
        }
    };
    tokio::join!(socket, taking);
}

async fn expire<W: World>(
    world: &W,
    active: &Active,
    deadline: Instant,
    mut stop: watch::Receiver<bool>,
) {
    let left = Duration::try_from(end(active).duration_since(world.now())).unwrap_or_default();
    let _ = timeout_at(deadline.min(Instant::now() + left), stop.wait_for(|stop| *stop)).await;
}

/// What takes what a session says.
struct Ear<'a, W> {
    world: &'a W,
    active: &'a Active,
    connection: &'a Connection,
    secrets: &'a SecretBag,
    settings: &'a Settings,
}

impl<W: World> Ear<'_, W> {
    fn context(&self, now: Timestamp) -> Context<'_> {
        Context {
            settings: self.settings,
            conversation: Some(&self.active.session.external_id),
            unnamed: match self.connection.role {
                Role::Desk => AuthorRole::Unknown,
                _ => AuthorRole::Bot,
            },
            client: self.active.session.memory.get(CLIENT).map(String::as_str),
            now,
        }
    }

    /// Takes what was said while no socket was open, where somebody can log in to read it.
    async fn fill(
        &self,
        since: &mut Option<Timestamp>,
        seen: &mut HashSet<String>,
        deadline: Instant,
    ) {
        if !has_credentials(self.secrets) {
            return;
        }
        let now = self.world.now();
        let api = Api {
            tokens: self.world.tokens(),
            connection: self.connection,
            settings: self.settings,
            secrets: self.secrets,
            outside: self.world.outside(),
            now,
        };
        let mut wait = FIRST_WAIT;
        loop {
            match history(&api, &self.active.session.external_id, *since, &self.context(now)).await
            {
                Ok(events) => {
                    for event in events {
                        self.take(event, seen, deadline).await;
                    }
                    // A minute more than needed: its clock is not ours.
                    *since = Some(now - jiff::SignedDuration::from_mins(1));
                    return;
                }
                Err(why) => {
                    tracing::warn!(connection = %self.connection.id, %why, "no history");
                    if Instant::now() + wait > deadline || wait > LONGEST_WAIT {
                        return;
                    }
                    sleep(wait).await;
                    wait *= 2;
                }
            }
        }
    }

    /// Takes an event; while table or queue do not answer, again and again.
    async fn take(&self, event: Event, seen: &mut HashSet<String>, deadline: Instant) {
        // What the client said is ours, and in the transcript already.
        let known = event.external_id.as_ref().is_some_and(|id| seen.contains(id));
        if known || event.author.role == AuthorRole::Customer {
            return;
        }
        let id = event.external_id.clone();
        let mut wait = FIRST_WAIT;
        while let Err(why) = self.world.take(self.connection, event.clone()).await {
            tracing::warn!(connection = %self.connection.id, %why, "an event waits");
            if Instant::now() + wait > deadline {
                return;
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        seen.extend(id);
    }
}
