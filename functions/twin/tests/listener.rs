//! The listener, with real sockets and a TWIN whose history can be read; only the table is not real.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use common::{Leg, plain_http, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use trunkline_shared::http_client::Outside;
use trunkline_shared::model::{Connection, ConnectionId, ConversationKey, Event, LegId, Session};
use trunkline_shared::secrets::SecretBag;
use trunkline_shared::store::{Active, StoreError};
use trunkline_stand_ins::twin::sockets::Sockets;
use trunkline_stand_ins::twin::{EMAIL, PASSWORD, Twin24};
use trunkline_twin::Tokens;
use trunkline_twin::listener::{Ended, Pace, Shift, Trouble, World, listen};

const QUICK: Pace = Pace {
    look: Duration::from_millis(50),
    renew: Duration::from_millis(200),
    overlap: Duration::from_secs(2),
    last: Duration::from_millis(300),
    patience: Duration::from_secs(5),
    idle: Duration::from_millis(500),
};

#[derive(Default)]
struct Table {
    active: Vec<Active>,
    over: Vec<String>,
    lease: Option<(String, Timestamp)>,
    taken: Vec<Event>,
    failures: usize,
}

struct Fake {
    table: Mutex<Table>,
    connection: Connection,
    secrets: Arc<SecretBag>,
    outside: Outside,
    tokens: Tokens,
    called: mpsc::UnboundedSender<String>,
}

fn down() -> Trouble {
    StoreError::Unavailable { call: "PutItem", cause: "it is down".into() }.into()
}

impl Fake {
    fn of(leg: &Leg) -> (Arc<Self>, mpsc::UnboundedReceiver<String>) {
        let (called, calls) = mpsc::unbounded_channel();
        let fake = Self {
            table: Mutex::default(),
            connection: leg.connection.clone(),
            secrets: Arc::new(leg.secrets.clone()),
            outside: Outside::new(true),
            tokens: Tokens::default(),
            called,
        };
        (Arc::new(fake), calls)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap()
    }

    fn begins(&self, session: &str, lasts: SignedDuration) {
        let channel = "shop".parse().unwrap();
        let key = ConversationKey { channel, customer: session.to_owned() };
        let leg = LegId { key, connection: self.connection.id.clone() };
        let since = self.now();
        let mut known = Session::new(session, session);
        known.expires_at = Some(since + lasts);
        self.table().active.push(Active { leg, session: known, since });
    }

    /// The texts of what was taken, each event once.
    fn heard(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let table = self.table();
        let fresh = table.taken.iter().filter(|event| seen.insert(event.id.clone()));
        fresh.map(|event| text(event).to_owned()).collect()
    }

    async fn hears(&self, count: usize) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let heard = self.heard();
            if heard.len() >= count {
                return heard;
            }
            assert!(Instant::now() < end, "heard {heard:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl World for Fake {
    #[expect(clippy::disallowed_methods, reason = "the stand-in's clock is the machine's")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn active(&self, after: Option<&str>) -> Result<Vec<Active>, Trouble> {
        let table = self.table();
        let later = table.active.iter().filter(|one| after.is_none_or(|at| *one.place() > *at));
        Ok(later.cloned().collect())
    }

    async fn over(&self, active: &Active) -> Result<(), Trouble> {
        let mut table = self.table();
        table.active.retain(|one| one != active);
        table.over.push(active.session.external_id.clone());
        Ok(())
    }

    async fn hold(&self, me: &str, follows: Option<&str>) -> Result<bool, Trouble> {
        let now = self.now();
        let mut table = self.table();
        let free = table.lease.as_ref().is_none_or(|(holder, until)| {
            holder == me || *until < now || Some(holder.as_str()) == follows
        });
        if free {
            table.lease = Some((me.to_owned(), now + SignedDuration::from_secs(1)));
        }
        Ok(free)
    }

    async fn holder(&self) -> Result<Option<String>, Trouble> {
        Ok(self.table().lease.as_ref().map(|(holder, _)| holder.clone()))
    }

    async fn give_up(&self, me: &str) -> Result<(), Trouble> {
        self.table().lease.take_if(|(holder, _)| holder == me);
        Ok(())
    }

    async fn call_successor(&self, me: &str) -> Result<(), Trouble> {
        self.called.send(me.to_owned()).unwrap();
        Ok(())
    }

    async fn connection(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<(Arc<Connection>, Arc<SecretBag>)>, Trouble> {
        let known = (Arc::new(self.connection.clone()), Arc::clone(&self.secrets));
        Ok(Some(known).filter(|(connection, _)| connection.id == *id))
    }

    async fn take(&self, _: &Connection, event: Event) -> Result<(), Trouble> {
        let mut table = self.table();
        if table.failures > 0 {
            table.failures -= 1;
            return Err(down());
        }
        table.taken.push(event);
        Ok(())
    }

    fn outside(&self) -> &Outside {
        &self.outside
    }

    fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    fn is_local(&self) -> bool {
        true
    }
}

fn start(world: &Arc<Fake>, me: &str, follows: Option<&str>, seconds: u64) -> JoinHandle<Ended> {
    let shift = Shift {
        pace: QUICK,
        me: me.to_owned(),
        follows: follows.map(Into::into),
        deadline: Instant::now() + Duration::from_secs(seconds),
    };
    tokio::spawn(listen(Arc::clone(world), shift))
}

/// TWIN with sockets, and a leg whose answers are read there.
async fn twin() -> (Twin24, Sockets, Leg) {
    let http = plain_http();
    let sockets = Sockets::start(http.clone(), 25_000, 20_000).await;
    let twin = Twin24::start(http).await;
    twin.speaks_on(sockets.control());
    let settings = json!({"answers": "socket", "socket_url": sockets.newer()});
    let leg = Leg::new("bot", &twin.settings(&settings));
    (twin, sockets, leg)
}

fn message(session: &str, id: usize) -> serde_json::Value {
    json!({"id": format!("m-{session}-{id}"), "sessionId": session, "authorType": "BOT",
           "body": format!("{session} {id}"), "type": "TEXT"})
}

#[tokio::test]
async fn a_successor_takes_over_while_all_speak_and_nothing_is_lost() {
    let (_twin, sockets, leg) = twin().await;
    let (world, mut calls) = Fake::of(&leg);
    let sessions = ["one", "two", "three"];
    for session in sessions {
        world.begins(session, SignedDuration::from_mins(10));
    }
    let mut listening = start(&world, "a", None, 6);
    for session in sessions {
        sockets.joined(session, 1).await;
    }
    let mut relieved = Vec::new();
    let mut said = 0;
    let mut shifts = 1;
    while shifts < 3 || said < 100 {
        for session in sessions {
            sockets.emit(session, "chatMessageCreatedEmit", message(session, said)).await;
        }
        said += 1;
        if let Ok(predecessor) = calls.try_recv() {
            shifts += 1;
            let me = format!("shift {shifts}");
            let next = start(&world, &me, Some(&predecessor), if shifts < 3 { 6 } else { 60 });
            let before = std::mem::replace(&mut listening, next);
            relieved.push(before);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let heard = world.hears(said * sessions.len()).await;
    for session in sessions {
        let expected: Vec<_> = (0..said).map(|n| format!("{session} {n}")).collect();
        let of_session: Vec<_> =
            heard.iter().filter(|text| text.starts_with(session)).cloned().collect();
        assert_eq!(of_session, expected, "all of it, in order");
    }
    for before in relieved {
        assert_eq!(before.await.unwrap(), Ended::Succeeded);
    }
    let twice = world.table().taken.len() - heard.len();
    assert!(twice > 0, "while two listen, both hear: what is taken twice is known by its id");
    listening.abort();
}

#[tokio::test]
async fn what_was_said_while_nobody_listened_is_read_in_the_history() {
    let (twin, sockets, mut leg) = twin().await;
    leg.secret("email", EMAIL);
    leg.secret("password", PASSWORD);
    leg.say("Hello").await;
    let session = leg.external_id().to_owned();
    twin.bot_says(&session, json!({"body": "before"})).await;
    let (world, _calls) = Fake::of(&leg);
    world.begins(&session, SignedDuration::from_mins(10));
    let listening = start(&world, "a", None, 60);
    world.hears(1).await;
    twin.operator_says(&session, "Olga", "on the socket").await;
    world.hears(2).await;
    sockets.drop(&session, true).await;
    twin.bot_says(&session, json!({"body": "while it was broken"})).await;
    sockets.joined(&session, 2).await;
    twin.will_say(json!([{"body": "an answer"}]));
    leg.say("Where?").await;
    let heard = world.hears(4).await;
    assert_eq!(heard, ["before", "on the socket", "while it was broken", "an answer"]);
    assert_eq!(world.table().taken.len(), 4, "what the client said is not among it");
    let agent = world.table().taken[1].author.clone();
    assert_eq!(agent.name.as_deref(), Some("Olga"));
    listening.abort();
}

#[tokio::test]
async fn it_runs_only_while_there_is_somebody_to_listen_to() {
    let (_twin, sockets, leg) = twin().await;
    let (world, _calls) = Fake::of(&leg);
    assert_eq!(start(&world, "a", None, 60).await.unwrap(), Ended::Idle);
    assert_eq!(world.table().lease, None, "given up, so that the next session starts another");

    world.begins("short", SignedDuration::from_secs(2));
    let listening = start(&world, "b", None, 60);
    sockets.joined("short", 1).await;
    assert_eq!(start(&world, "c", None, 60).await.unwrap(), Ended::NotNeeded);
    assert_eq!(listening.await.unwrap(), Ended::Idle);
    assert_eq!(world.table().over, ["short"]);
    assert_eq!(sockets.of("short").await.1, 1, "one socket only");
}

#[tokio::test]
async fn a_session_in_whose_place_another_was_started_is_left() {
    let (_twin, sockets, leg) = twin().await;
    let (world, _calls) = Fake::of(&leg);
    world.begins("old", SignedDuration::from_mins(10));
    let newer = {
        let old = world.table().active[0].clone();
        let session = Session { external_id: "new".into(), ..old.session.clone() };
        Active { session, since: old.since + SignedDuration::from_millis(5), ..old }
    };
    world.table().active[0].since -= SignedDuration::from_secs(20);
    world
        .table()
        .active
        .push(Active { since: newer.since - SignedDuration::from_secs(15), ..newer });
    let listening = start(&world, "a", None, 60);
    sockets.joined("new", 1).await;
    assert_eq!(world.table().over, ["old"]);
    listening.abort();
}

#[tokio::test]
async fn what_cannot_be_taken_now_is_taken_later_and_in_order() {
    let (_twin, sockets, leg) = twin().await;
    let (world, _calls) = Fake::of(&leg);
    world.begins("one", SignedDuration::from_mins(10));
    let listening = start(&world, "a", None, 60);
    sockets.joined("one", 1).await;
    world.table().failures = 3;
    for n in 0..3 {
        sockets.emit("one", "chatMessageCreatedEmit", message("one", n)).await;
    }
    assert_eq!(world.hears(3).await, ["one 0", "one 1", "one 2"]);
    listening.abort();
}

#[tokio::test]
async fn an_event_is_safe_only_once_it_is_taken() {
    let (_twin, sockets, leg) = twin().await;
    let (world, _calls) = Fake::of(&leg);
    world.begins("one", SignedDuration::from_mins(10));
    let listening = start(&world, "a", None, 60);
    sockets.joined("one", 1).await;
    world.table().failures = 2;
    let safe = sockets.emit_safely("one", "chatMessageCreatedEmit", message("one", 0)).await;
    assert_eq!(safe, 1);
    assert_eq!(world.heard(), ["one 0"]);
    listening.abort();
}

#[tokio::test]
async fn a_listener_without_a_successor_ends_in_time() {
    let (_twin, sockets, leg) = twin().await;
    let (world, mut calls) = Fake::of(&leg);
    world.begins("one", SignedDuration::from_mins(10));
    let listening = start(&world, "a", None, 2);
    sockets.joined("one", 1).await;
    assert_eq!(listening.await.unwrap(), Ended::OutOfTime);
    assert_eq!(calls.try_recv().as_deref(), Ok("a"));
    assert_eq!(world.table().lease, None);
}
