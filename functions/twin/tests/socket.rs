//! The Socket.IO client against real servers of both protocol generations.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use std::time::Duration;

use common::plain_http;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use trunkline_stand_ins::twin::sockets::Sockets;
use trunkline_twin::socket::{Address, Heard, listen};

const SESSION: &str = "6b1d7f5e-3f0c-4a0e-9a51-1f6f1f8b0a01";

struct Ear {
    heard: mpsc::UnboundedReceiver<Heard>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Ear {
    fn to(origin: String) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let address = Address { origin, session: SESSION.into(), local: true };
        Self { heard, stop, task: tokio::spawn(listen(address, tell, stopped)) }
    }

    async fn next(&mut self) -> Heard {
        timeout(Duration::from_secs(20), self.heard.recv()).await.expect("in time").expect("open")
    }

    async fn joins(&mut self) {
        assert!(matches!(self.next().await, Heard::Joined));
    }

    async fn hears(&mut self, expected: &Value) {
        match self.next().await {
            Heard::Event { name, data, safe } => {
                assert_eq!((name.as_str(), &data), ("chatMessageCreatedEmit", expected));
                safe.tell();
            }
            Heard::Joined => panic!("joined anew"),
        }
    }
}

fn frame() -> Value {
    let frame: Value =
        serde_json::from_str(include_str!("../fixtures/socket-message.json")).unwrap();
    frame[1].clone()
}

async fn says(sockets: &Sockets, data: &Value) {
    // An older server that we asked for the newer protocol first may not have noticed yet that we left.
    sockets.one(SESSION).await;
    assert_eq!(sockets.emit(SESSION, "chatMessageCreatedEmit", data.clone()).await, 1);
}

#[tokio::test]
async fn both_generations_are_heard_and_kept_alive() {
    let sockets = Sockets::start(plain_http(), 300, 200).await;
    for origin in [sockets.newer(), sockets.older()] {
        let mut ear = Ear::to(origin);
        ear.joins().await;
        says(&sockets, &frame()).await;
        ear.hears(&frame()).await;
        // Several times the time after which either side gives up whoever is silent.
        let (_, joined) = sockets.of(SESSION).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(sockets.of(SESSION).await, (1, joined), "the one socket is alive");
        says(&sockets, &json!({"body": "still there"})).await;
        ear.hears(&json!({"body": "still there"})).await;
        ear.stop.send_replace(true);
        timeout(Duration::from_secs(5), ear.task).await.unwrap().unwrap();
        sockets.left(SESSION).await;
    }
}

#[tokio::test]
async fn an_older_server_that_refuses_the_newer_protocol_is_heard() {
    let sockets = Sockets::start(plain_http(), 300, 200).await;
    sockets.refuse_eio4().await;
    let mut ear = Ear::to(sockets.older());
    ear.joins().await;
    says(&sockets, &frame()).await;
    ear.hears(&frame()).await;
}

#[tokio::test]
async fn what_is_to_be_acknowledged_is() {
    let sockets = Sockets::start(plain_http(), 25_000, 20_000).await;
    for origin in [sockets.newer(), sockets.older()] {
        let mut ear = Ear::to(origin);
        ear.joins().await;
        let expected = frame();
        let (acked, ()) = tokio::join!(
            sockets.emit_safely(SESSION, "chatMessageCreatedEmit", frame()),
            ear.hears(&expected)
        );
        assert_eq!(acked, 1);
        ear.stop.send_replace(true);
        ear.task.await.unwrap();
        sockets.left(SESSION).await;
    }
}

#[tokio::test]
async fn a_socket_that_breaks_is_opened_again() {
    let sockets = Sockets::start(plain_http(), 25_000, 20_000).await;
    let mut ear = Ear::to(sockets.newer());
    ear.joins().await;
    for hard in [false, true] {
        sockets.drop(SESSION, hard).await;
        ear.joins().await;
        says(&sockets, &frame()).await;
        ear.hears(&frame()).await;
    }
}

#[tokio::test]
async fn a_silent_connection_is_given_up() {
    // Takes connections, opens the socket, and says nothing ever after.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (tell, mut opened) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        use futures_util::SinkExt;
        use tokio_tungstenite::tungstenite::Message;
        let mut kept = Vec::new();
        while let Ok((tcp, _)) = listener.accept().await {
            let mut ws = tokio_tungstenite::accept_async(tcp).await.unwrap();
            let open = r#"0{"sid":"x","pingInterval":300,"pingTimeout":200}"#;
            ws.send(Message::text(open)).await.unwrap();
            ws.send(Message::text(r#"40{"sid":"y"}"#)).await.unwrap();
            kept.push(ws);
            tell.send(()).unwrap();
        }
    });
    let mut ear = Ear::to(origin);
    for _ in 0..2 {
        ear.joins().await;
        timeout(Duration::from_secs(5), opened.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_is_not_known_is_asked_for_less_and_less_often() {
    let sockets = Sockets::start(plain_http(), 25_000, 20_000).await;
    sockets.refuse(SESSION).await;
    let mut ear = Ear::to(sockets.newer());
    let nothing = timeout(Duration::from_secs(2), ear.heard.recv()).await;
    assert!(nothing.is_err(), "nothing is heard, and nothing ends");
    ear.stop.send_replace(true);
    timeout(Duration::from_secs(5), ear.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_hears_no_more_is_told_nothing_more() {
    let sockets = Sockets::start(plain_http(), 25_000, 20_000).await;
    let mut ear = Ear::to(sockets.newer());
    ear.joins().await;
    drop(ear.heard);
    says(&sockets, &frame()).await;
    timeout(Duration::from_secs(5), ear.task).await.unwrap().unwrap();
}
