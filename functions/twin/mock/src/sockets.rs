//! TWIN's sockets: real Socket.IO servers in a separate Node.js program. That TWIN uses Socket.IO is in S3,
//! "Подключение к сокетам"; the path `/operator/socket.io/` and the query `key` in `TC-py`. Our assumptions: the
//! key is the session's id, no event has to be sent to join, and either protocol generation is possible.

use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::sync::Once;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Socket.IO servers of both protocol generations.
#[derive(Debug)]
pub struct Sockets {
    _child: Child,
    http: reqwest::Client,
    ports: Value,
}

/// Returns the program's folder.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/socketio")
}

/// Installs the program's packages once, if they are missing.
fn install(folder: &Path) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        if folder.join("node_modules").join("socket.io-4").exists() {
            return;
        }
        let npm =
            Blocking::new("npm").args(["ci", "--ignore-scripts"]).current_dir(folder).output();
        let npm = npm.expect("npm is required for the socket tests");
        assert!(npm.status.success(), "npm ci: {}", String::from_utf8_lossy(&npm.stderr));
    });
}

impl Sockets {
    /// Starts the servers with a ping interval and timeout in milliseconds.
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
            .expect("node is required for the socket tests");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("the first line contains the ports");
        Self { _child: child, http, ports: serde_json::from_str(&first).unwrap() }
    }

    fn at(&self, which: &str) -> String {
        format!("http://127.0.0.1:{}", self.ports[which])
    }

    /// Returns the origin of the Engine.IO 4 server.
    pub fn newer(&self) -> String {
        self.at("newer")
    }

    /// Returns the origin of the Engine.IO 3 server.
    pub fn older(&self) -> String {
        self.at("older")
    }

    /// Returns the control address.
    pub fn control(&self) -> String {
        self.at("control")
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/{path}", self.control());
        self.http.post(url).json(&body).send().await.unwrap().json().await.unwrap()
    }

    /// Emits an event to a session's sockets and returns their number.
    pub async fn emit(&self, session: &str, event: &str, data: Value) -> Value {
        let response =
            self.command("emit", json!({"session": session, "event": event, "data": data}));
        response.await["sockets"].clone()
    }

    /// Emits an event and waits for acknowledgements. Returns their number.
    pub async fn emit_with_ack(&self, session: &str, event: &str, data: Value) -> Value {
        let body = json!({"session": session, "event": event, "data": data, "ack": true});
        self.command("emit", body).await["acked"].clone()
    }

    /// Sends a session's sockets a Socket.IO packet as it is.
    pub async fn send_raw(&self, session: &str, packet: &str) {
        self.command("raw", json!({"session": session, "packet": packet})).await;
    }

    /// Closes a session's sockets; `hard` drops the TCP connection.
    pub async fn drop(&self, session: &str, hard: bool) {
        self.command("drop", json!({"session": session, "hard": hard})).await;
    }

    /// Refuses Engine.IO 4 from now on.
    pub async fn refuse_eio4(&self) {
        self.command("refuse", json!({"eio4": true})).await;
    }

    /// Refuses a session from now on.
    pub async fn refuse(&self, session: &str) {
        self.command("refuse", json!({"session": session})).await;
    }

    /// Returns how many sockets a session has now, and how many it has had in total.
    pub async fn counts(&self, session: &str) -> (u64, u64) {
        let all = self.command("sockets", json!({})).await;
        let count = |which: &str| all[session][which].as_u64().unwrap_or_default();
        (count("now"), count("ever"))
    }

    /// Waits until a session has had `ever` sockets in total.
    pub async fn wait_for_joins(&self, session: &str, ever: u64) {
        self.until(session, |(_, had)| had >= ever).await;
    }

    /// Waits until a session has exactly one socket.
    pub async fn wait_for_single(&self, session: &str) {
        self.until(session, |(now, _)| now == 1).await;
    }

    /// Waits until a session has no sockets.
    pub async fn wait_for_none(&self, session: &str) {
        self.until(session, |(now, _)| now == 0).await;
    }

    async fn until(&self, session: &str, is: impl Fn((u64, u64)) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !is(self.counts(session).await) {
            assert!(
                Instant::now() < end,
                "{session} has {:?} sockets (now, ever)",
                self.counts(session).await
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
