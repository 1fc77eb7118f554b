//! The listener with real sockets and a mock TWIN; only the table is replaced.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::common::{Leg, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use trunkline_core::model::{Connection, ConnectionId, ConversationKey, Event, LegId, Session};
use trunkline_core::platform::PlatformSettings;
use trunkline_runtime::error::Cause;
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::store::{ActiveSession, StoreError};
use trunkline_twin::listener::{
    Backend, ConfiguredConnection, ExitReason, ListenerError, Run, Timing, listen,
};
use trunkline_twin::{Settings, Tokens};
use trunkline_twin_mock::sockets::Sockets;
use trunkline_twin_mock::{EMAIL, PASSWORD, Twin24, plain_http};

const FAST: Timing = Timing {
    poll_interval: Duration::from_millis(50),
    renew_interval: Duration::from_millis(200),
    overlap: Duration::from_secs(2),
    flush_timeout: Duration::from_millis(300),
    join_timeout: Duration::from_secs(5),
    idle_timeout: Duration::from_millis(500),
};

#[derive(Default)]
pub struct Table {
    active: Vec<ActiveSession>,
    ended: Vec<String>,
    lease: Option<(String, Timestamp)>,
    ingested: Vec<Event>,
    /// What was stored for operators: reason and body.
    pub rejected: Vec<(String, String)>,
    failures: usize,
}

pub struct TestBackend {
    table: Mutex<Table>,
    connection: Connection,
    secrets: Arc<SecretBag>,
    http_client: HttpClient,
    tokens: Tokens,
    called: mpsc::UnboundedSender<String>,
}

fn unavailable() -> ListenerError {
    StoreError::Unavailable { call: "PutItem", cause: Cause::new("unavailable") }.into()
}

impl TestBackend {
    pub fn of(leg: &Leg) -> (Arc<Self>, mpsc::UnboundedReceiver<String>) {
        let (called, calls) = mpsc::unbounded_channel();
        let fake = Self {
            table: Mutex::default(),
            connection: leg.connection.clone(),
            secrets: Arc::new(leg.secrets.clone()),
            http_client: HttpClient::new(true),
            tokens: Tokens::default(),
            called,
        };
        (Arc::new(fake), calls)
    }

    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap()
    }

    pub fn add_session(&self, session: &str, lasts: SignedDuration) {
        let channel = "shop".parse().unwrap();
        let key = ConversationKey { channel, customer: session.to_owned() };
        let leg = LegId { key, connection: self.connection.id.clone() };
        let since = self.now();
        let mut known = Session::new(session, session);
        known.expires_at = Some(since + lasts);
        self.table().active.push(ActiveSession { leg, session: known, since });
    }

    /// The texts of the ingested events, without duplicates.
    pub fn ingested_texts(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let table = self.table();
        let unique = table.ingested.iter().filter(|event| seen.insert(event.id.clone()));
        unique.map(|event| text(event).to_owned()).collect()
    }

    pub async fn wait_for_events(&self, count: usize) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let texts = self.ingested_texts();
            if texts.len() >= count {
                return texts;
            }
            assert!(Instant::now() < end, "texts {texts:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Backend for TestBackend {
    #[expect(clippy::disallowed_methods, reason = "the mock uses the system clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn active_sessions(
        &self,
        after: Option<&str>,
    ) -> Result<Vec<ActiveSession>, ListenerError> {
        let table = self.table();
        let later = table.active.iter().filter(|one| after.is_none_or(|at| *one.sort_key() > *at));
        Ok(later.cloned().collect())
    }

    async fn session_ended(&self, active: &ActiveSession) -> Result<(), ListenerError> {
        let mut table = self.table();
        table.active.retain(|one| one != active);
        table.ended.push(active.session.external_conversation_id.to_string());
        Ok(())
    }

    async fn acquire_lease(
        &self,
        id: &str,
        predecessor: Option<&str>,
    ) -> Result<bool, ListenerError> {
        let now = self.now();
        let mut table = self.table();
        let free = table.lease.as_ref().is_none_or(|(holder, until)| {
            holder == id || *until < now || Some(holder.as_str()) == predecessor
        });
        if free {
            table.lease = Some((id.to_owned(), now + SignedDuration::from_secs(1)));
        }
        Ok(free)
    }

    async fn lease_holder(&self) -> Result<Option<String>, ListenerError> {
        Ok(self.table().lease.as_ref().map(|(holder, _)| holder.clone()))
    }

    async fn relinquish_lease(&self, id: &str) -> Result<(), ListenerError> {
        self.table().lease.take_if(|(holder, _)| holder == id);
        Ok(())
    }

    async fn start_successor(&self, id: &str) -> Result<(), ListenerError> {
        self.called.send(id.to_owned()).unwrap();
        Ok(())
    }

    async fn connection(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<ConfiguredConnection>, ListenerError> {
        let known = ConfiguredConnection {
            connection: Arc::new(self.connection.clone()),
            settings: Arc::new(Settings::parse(&self.connection.settings)?),
            secrets: Arc::clone(&self.secrets),
        };
        Ok(Some(known).filter(|known| known.connection.id == *id))
    }

    async fn ingest(&self, _: &Connection, event: Event) -> Result<(), ListenerError> {
        let mut table = self.table();
        if table.failures > 0 {
            table.failures -= 1;
            return Err(unavailable());
        }
        table.ingested.push(event);
        Ok(())
    }

    async fn store_rejected(
        &self,
        _: &Connection,
        reason: &str,
        body: &[u8],
    ) -> Result<(), ListenerError> {
        let body = String::from_utf8_lossy(body).into_owned();
        self.table().rejected.push((reason.to_owned(), body));
        Ok(())
    }

    fn http_client(&self) -> &HttpClient {
        &self.http_client
    }

    fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    fn allows_local(&self) -> bool {
        true
    }
}

pub fn start(
    backend: &Arc<TestBackend>,
    id: &str,
    predecessor: Option<&str>,
    seconds: u64,
) -> JoinHandle<ExitReason> {
    let run = Run {
        timing: FAST,
        id: id.to_owned(),
        predecessor: predecessor.map(Into::into),
        deadline: Instant::now() + Duration::from_secs(seconds),
    };
    tokio::spawn(listen(Arc::clone(backend), run))
}

/// A mock TWIN with sockets, and a leg with `answers: socket`.
pub async fn twin() -> (Twin24, Sockets, Leg) {
    let http = plain_http();
    let sockets = Sockets::start(http.clone(), 25_000, 20_000).await;
    let twin = Twin24::start(http).await;
    twin.set_socket_control(sockets.control());
    let settings = json!({"answers": "socket", "socket_url": sockets.newer()});
    let leg = Leg::new("bot", &twin.settings(&settings));
    (twin, sockets, leg)
}

fn message(session: &str, id: usize) -> serde_json::Value {
    json!({"id": format!("m-{session}-{id}"), "sessionId": session, "authorType": "BOT",
           "body": format!("{session} {id}"), "type": "TEXT"})
}

#[tokio::test]
async fn a_successor_takes_over_without_losing_events() {
    let (_twin, sockets, leg) = twin().await;
    let (backend, mut calls) = TestBackend::of(&leg);
    let sessions = ["one", "two", "three"];
    for session in sessions {
        backend.add_session(session, SignedDuration::from_mins(10));
    }
    let mut listening = start(&backend, "a", None, 6);
    for session in sessions {
        sockets.wait_for_joins(session, 1).await;
    }
    let mut predecessors = Vec::new();
    let mut sent = 0;
    let mut listeners = 1;
    while listeners < 3 || sent < 100 {
        for session in sessions {
            sockets.emit(session, "chatMessageCreatedEmit", message(session, sent)).await;
        }
        sent += 1;
        if let Ok(predecessor) = calls.try_recv() {
            listeners += 1;
            let id = format!("listener {listeners}");
            let next = start(&backend, &id, Some(&predecessor), if listeners < 3 { 6 } else { 60 });
            let previous = std::mem::replace(&mut listening, next);
            predecessors.push(previous);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let texts = backend.wait_for_events(sent * sessions.len()).await;
    for session in sessions {
        let expected: Vec<_> = (0..sent).map(|n| format!("{session} {n}")).collect();
        let of_session: Vec<_> =
            texts.iter().filter(|text| text.starts_with(session)).cloned().collect();
        assert_eq!(of_session, expected, "every message, in order");
    }
    for previous in predecessors {
        assert_eq!(previous.await.unwrap(), ExitReason::Superseded);
    }
    let duplicates = backend.table().ingested.len() - texts.len();
    assert!(
        duplicates > 0,
        "two listeners overlapped: both ingest, and the id identifies duplicates"
    );
    listening.abort();
}

/// Shows T1.
#[tokio::test]
async fn recovers_missed_messages_from_the_history() {
    let (twin, sockets, mut leg) = twin().await;
    leg.secret("email", EMAIL);
    leg.secret("password", PASSWORD);
    leg.say("Hello").await;
    let session = leg.external_id().to_owned();
    twin.bot_says(&session, json!({"body": "before"})).await;
    let (backend, _calls) = TestBackend::of(&leg);
    backend.add_session(&session, SignedDuration::from_mins(10));
    let listening = start(&backend, "a", None, 60);
    backend.wait_for_events(1).await;
    twin.operator_says(&session, "Olga", "on the socket").await;
    backend.wait_for_events(2).await;
    sockets.drop(&session, true).await;
    twin.bot_says(&session, json!({"body": "while it was broken"})).await;
    sockets.wait_for_joins(&session, 2).await;
    twin.queue_reply(json!([{"body": "an answer"}]));
    leg.say("Where?").await;
    let texts = backend.wait_for_events(4).await;
    assert_eq!(texts, ["before", "on the socket", "while it was broken", "an answer"]);
    assert_eq!(backend.table().ingested.len(), 4, "the client's own messages are not ingested");
    let agent = backend.table().ingested[1].author.clone();
    assert_eq!(agent.name.as_deref(), Some("Olga"));
    listening.abort();
}

#[tokio::test]
async fn runs_only_while_a_session_is_active() {
    let (_twin, sockets, leg) = twin().await;
    let (backend, _calls) = TestBackend::of(&leg);
    assert_eq!(start(&backend, "a", None, 60).await.unwrap(), ExitReason::Idle);
    assert_eq!(
        backend.table().lease,
        None,
        "the lease is given up, so that the next session starts a listener"
    );

    backend.add_session("short", SignedDuration::from_secs(2));
    let listening = start(&backend, "b", None, 60);
    sockets.wait_for_joins("short", 1).await;
    assert_eq!(start(&backend, "c", None, 60).await.unwrap(), ExitReason::AlreadyRunning);
    assert_eq!(listening.await.unwrap(), ExitReason::Idle);
    assert_eq!(backend.table().ended, ["short"]);
    assert_eq!(sockets.counts("short").await.1, 1, "only one socket");
}

#[tokio::test]
async fn leaves_a_session_that_a_newer_one_replaced() {
    let (_twin, sockets, leg) = twin().await;
    let (backend, _calls) = TestBackend::of(&leg);
    backend.add_session("old", SignedDuration::from_mins(10));
    let newer = {
        let old = backend.table().active[0].clone();
        let session = Session { external_conversation_id: "new".into(), ..old.session.clone() };
        ActiveSession { session, since: old.since + SignedDuration::from_millis(5), ..old }
    };
    backend.table().active[0].since -= SignedDuration::from_secs(20);
    backend
        .table()
        .active
        .push(ActiveSession { since: newer.since - SignedDuration::from_secs(15), ..newer });
    let listening = start(&backend, "a", None, 60);
    sockets.wait_for_joins("new", 1).await;
    assert_eq!(backend.table().ended, ["old"]);
    listening.abort();
}

#[tokio::test]
async fn a_connection_with_invalid_settings_does_not_delay_a_successor() {
    let (_twin, sockets, mut leg) = twin().await;
    leg.connection.settings.insert("typing".into(), json!("yes"));
    let (backend, _calls) = TestBackend::of(&leg);
    let error = backend.connection(&leg.connection.id).await.unwrap_err();
    assert_eq!(error.to_string(), "the setting 'typing' must be true or false");
    backend.add_session("one", SignedDuration::from_mins(10));
    backend.table().lease = Some(("a".into(), backend.now() + SignedDuration::from_mins(1)));
    let listening = start(&backend, "b", Some("a"), 60);
    let end = Instant::now() + FAST.join_timeout / 2;
    while backend.lease_holder().await.unwrap().as_deref() != Some("b") {
        assert!(Instant::now() < end, "the successor waits for a socket that no listener can open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(sockets.counts("one").await.1, 0);
    listening.abort();
}

#[tokio::test]
async fn retries_failed_ingestion_in_order() {
    let (_twin, sockets, leg) = twin().await;
    let (backend, _calls) = TestBackend::of(&leg);
    backend.add_session("one", SignedDuration::from_mins(10));
    let listening = start(&backend, "a", None, 60);
    sockets.wait_for_joins("one", 1).await;
    backend.table().failures = 3;
    for n in 0..3 {
        sockets.emit("one", "chatMessageCreatedEmit", message("one", n)).await;
    }
    assert_eq!(backend.wait_for_events(3).await, ["one 0", "one 1", "one 2"]);
    listening.abort();
}

#[tokio::test]
async fn acknowledges_an_event_only_after_ingestion() {
    let (_twin, sockets, leg) = twin().await;
    let (backend, _calls) = TestBackend::of(&leg);
    backend.add_session("one", SignedDuration::from_mins(10));
    let listening = start(&backend, "a", None, 60);
    sockets.wait_for_joins("one", 1).await;
    backend.table().failures = 2;
    let safe = sockets.emit_with_ack("one", "chatMessageCreatedEmit", message("one", 0)).await;
    assert_eq!(safe, 1);
    assert_eq!(backend.ingested_texts(), ["one 0"]);
    listening.abort();
}

#[tokio::test]
async fn stops_before_its_deadline_without_a_successor() {
    let (_twin, sockets, leg) = twin().await;
    let (backend, mut calls) = TestBackend::of(&leg);
    backend.add_session("one", SignedDuration::from_mins(10));
    let listening = start(&backend, "a", None, 2);
    sockets.wait_for_joins("one", 1).await;
    assert_eq!(listening.await.unwrap(), ExitReason::DeadlineReached);
    assert_eq!(calls.try_recv().as_deref(), Ok("a"));
    assert_eq!(backend.table().lease, None);
}
