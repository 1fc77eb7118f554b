//! TWIN's sockets: real Socket.IO servers, as a program of their own.

use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::sync::Once;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Servers of both protocol generations.
#[derive(Debug)]
pub struct Sockets {
    _child: Child,
    http: reqwest::Client,
    ports: Value,
}

/// Where the program is, from whichever crate this is built.
fn folder() -> PathBuf {
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut places = places.map(|place| place.join("functions/twin/tests/socketio"));
    places.find(|place| place.is_dir()).expect("the sockets' program")
}

/// Installs what the servers are made of, once, where it is missing.
fn install(folder: &Path) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        if folder.join("node_modules").join("socket.io-4").exists() {
            return;
        }
        let npm =
            Blocking::new("npm").args(["ci", "--ignore-scripts"]).current_dir(folder).output();
        let npm = npm.expect("npm is needed for the sockets' tests");
        assert!(npm.status.success(), "npm ci: {}", String::from_utf8_lossy(&npm.stderr));
    });
}

impl Sockets {
    /// Starts them, pinging so often (in milliseconds).
    pub async fn start(http: reqwest::Client, interval: u32, timeout: u32) -> Self {
        let folder = folder();
        install(&folder);
        let mut child = Command::new("node")
            .arg("server.js")
            .args([interval.to_string(), timeout.to_string()])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node is needed for the sockets' tests");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("its ports");
        Self { _child: child, http, ports: serde_json::from_str(&first).unwrap() }
    }

    fn at(&self, which: &str) -> String {
        format!("http://127.0.0.1:{}", self.ports[which])
    }

    /// The origin of the server of Engine.IO 4.
    pub fn newer(&self) -> String {
        self.at("newer")
    }

    /// The origin of the server of Engine.IO 3.
    pub fn older(&self) -> String {
        self.at("older")
    }

    /// Where they are told what to do.
    pub fn control(&self) -> String {
        self.at("control")
    }

    async fn tell(&self, deed: &str, what: Value) -> Value {
        let url = format!("{}/{deed}", self.control());
        self.http.post(url).json(&what).send().await.unwrap().json().await.unwrap()
    }

    /// Has something said in a session. Answers with how many heard it.
    pub async fn emit(&self, session: &str, event: &str, data: Value) -> Value {
        let told = self.tell("emit", json!({"session": session, "event": event, "data": data}));
        told.await["sockets"].clone()
    }

    /// Has something said in a session, and waits until it is safe. Answers with how many said so.
    pub async fn emit_safely(&self, session: &str, event: &str, data: Value) -> Value {
        let what = json!({"session": session, "event": event, "data": data, "ack": true});
        self.tell("emit", what).await["acked"].clone()
    }

    /// Closes a session's sockets.
    pub async fn drop(&self, session: &str, hard: bool) {
        self.tell("drop", json!({"session": session, "hard": hard})).await;
    }

    /// From now on lets nobody in who speaks Engine.IO 4.
    pub async fn refuse_eio4(&self) {
        self.tell("refuse", json!({"eio4": true})).await;
    }

    /// From now on does not know a session.
    pub async fn refuse(&self, session: &str) {
        self.tell("refuse", json!({"session": session})).await;
    }

    /// How many sockets a session has now, and ever had.
    pub async fn of(&self, session: &str) -> (u64, u64) {
        let all = self.tell("sockets", json!({})).await;
        let count = |which: &str| all[session][which].as_u64().unwrap_or_default();
        (count("now"), count("ever"))
    }

    /// Waits until a session has had so many sockets.
    pub async fn joined(&self, session: &str, ever: u64) {
        self.until(session, |(_, had)| had >= ever).await;
    }

    /// Waits until a session has exactly one socket.
    pub async fn one(&self, session: &str) {
        self.until(session, |(now, _)| now == 1).await;
    }

    /// Waits until a session has no socket any more.
    pub async fn left(&self, session: &str) {
        self.until(session, |(now, _)| now == 0).await;
    }

    async fn until(&self, session: &str, is: impl Fn((u64, u64)) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !is(self.of(session).await) {
            assert!(Instant::now() < end, "{session} has {:?}", self.of(session).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
