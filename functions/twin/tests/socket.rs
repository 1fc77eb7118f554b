//! The Socket.IO client against real servers of both protocol generations.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use trunkline_twin::socket::{Address, SocketEvent, listen};
use trunkline_twin_mock::plain_http;
use trunkline_twin_mock::sockets::Sockets;

const SESSION: &str = "6b1d7f5e-3f0c-4a0e-9a51-1f6f1f8b0a01";

struct Client {
    events: mpsc::UnboundedReceiver<SocketEvent>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Client {
    fn connect(origin: String) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let address = Address { origin, session: SESSION.into(), allow_local: true };
        Self { events, stop, task: tokio::spawn(listen(address, sender, stopped)) }
    }

    async fn next(&mut self) -> SocketEvent {
        timeout(Duration::from_secs(20), self.events.recv()).await.expect("in time").expect("open")
    }

    async fn expect_joined(&mut self) {
        assert!(matches!(self.next().await, SocketEvent::Joined));
    }

    async fn expect_event(&mut self, expected: &Value) {
        match self.next().await {
            SocketEvent::Event { name, data, acknowledgement } => {
                assert_eq!((name.as_str(), &data), ("chatMessageCreatedEmit", expected));
                acknowledgement.send();
            }
            other => panic!("{other:?}"),
        }
    }
}

fn frame() -> Value {
    let frame: Value =
        serde_json::from_str(include_str!("../fixtures/socket-message.json")).unwrap();
    frame[1].clone()
}

async fn emit(sockets: &Sockets, data: &Value) {
    // The client tries the newer protocol first; an older server may not have noticed yet that it left.
    sockets.wait_for_single(SESSION).await;
    assert_eq!(sockets.emit(SESSION, "chatMessageCreatedEmit", data.clone()).await, 1);
}

/// Shows T1, T30.
#[tokio::test]
async fn receives_events_and_stays_connected_with_both_generations() {
    let sockets = Sockets::start(plain_http(), 300, 200).await;
    for origin in [sockets.newer(), sockets.older()] {
        let mut client = Client::connect(origin);
        client.expect_joined().await;
        emit(&sockets, &frame()).await;
        client.expect_event(&frame()).await;
        // Several times the timeout after which either side drops a silent connection.
        let (_, joined) = sockets.counts(SESSION).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(sockets.counts(SESSION).await, (1, joined), "the only socket is still open");
        emit(&sockets, &json!({"body": "still there"})).await;
        client.expect_event(&json!({"body": "still there"})).await;
        client.stop.send_replace(true);
        timeout(Duration::from_secs(5), client.task).await.unwrap().unwrap();
        sockets.wait_for_none(SESSION).await;
    }
}

/// Shows T30.
#[tokio::test]
async fn falls_back_when_an_older_server_refuses_the_newer_protocol() {
    let sockets = Sockets::start(plain_http(), 300, 200).await;
    sockets.refuse_eio4().await;
    let mut client = Client::connect(sockets.older());
    client.expect_joined().await;
    emit(&sockets, &frame()).await;
    client.expect_event(&frame()).await;
}

#[tokio::test]
async fn acknowledges_events_on_request() {
    let sockets = Sockets::start(plain_http(), 25_000, 20_000).await;
    for origin in [sockets.newer(), sockets.older()] {
        let mut client = Client::connect(origin);
        client.expect_joined().await;
        let expected = frame();
        let (acked, ()) = tokio::join!(
            sockets.emit_with_ack(SESSION, "chatMessageCreatedEmit", frame()),
            client.expect_event(&expected)
        );
        assert_eq!(acked, 1);
        client.stop.send_replace(true);
        client.task.await.unwrap();
        sockets.wait_for_none(SESSION).await;
    }
}

/// Shows input 8, input 9.
#[tokio::test]
async fn an_unreadable_frame_is_reported_and_half_an_emoji_is_read() {
    let sockets = Sockets::start(plain_http(), 25_000, 20_000).await;
    for origin in [sockets.newer(), sockets.older()] {
        let mut client = Client::connect(origin);
        client.expect_joined().await;
        sockets.wait_for_single(SESSION).await;
        sockets.send_raw(SESSION, r#"2["chatMessageCreatedEmit",{"body":"ok \ud83d"}]"#).await;
        client.expect_event(&json!({"body": "ok \u{fffd}"})).await;
        let cut = r#"2["chatMessageCreatedEmit",{"body":"o"#;
        sockets.send_raw(SESSION, cut).await;
        match client.next().await {
            SocketEvent::Unreadable { frame, .. } => assert_eq!(frame, format!("4{cut}")),
            other => panic!("{other:?}"),
        }
        emit(&sockets, &frame()).await;
        client.expect_event(&frame()).await;
        client.stop.send_replace(true);
        client.task.await.unwrap();
        sockets.wait_for_none(SESSION).await;
    }
}

#[tokio::test]
async fn reconnects_a_broken_socket() {
    let sockets = Sockets::start(plain_http(), 25_000, 20_000).await;
    let mut client = Client::connect(sockets.newer());
    client.expect_joined().await;
    for hard in [false, true] {
        sockets.drop(SESSION, hard).await;
        client.expect_joined().await;
        emit(&sockets, &frame()).await;
        client.expect_event(&frame()).await;
    }
}

#[tokio::test]
async fn drops_a_silent_connection() {
    // Accepts connections, completes the handshake, and then sends nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (notify, mut opened) = mpsc::unbounded_channel();
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
            notify.send(()).unwrap();
        }
    });
    let mut client = Client::connect(origin);
    for _ in 0..2 {
        client.expect_joined().await;
        timeout(Duration::from_secs(5), opened.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn keeps_retrying_a_session_that_the_server_refuses() {
    let sockets = Sockets::start(plain_http(), 25_000, 20_000).await;
    sockets.refuse(SESSION).await;
    let mut client = Client::connect(sockets.newer());
    let nothing = timeout(Duration::from_secs(2), client.events.recv()).await;
    assert!(nothing.is_err(), "no event, and the client keeps running");
    client.stop.send_replace(true);
    timeout(Duration::from_secs(5), client.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn stops_when_the_receiver_is_dropped() {
    let sockets = Sockets::start(plain_http(), 25_000, 20_000).await;
    let mut client = Client::connect(sockets.newer());
    client.expect_joined().await;
    drop(client.events);
    emit(&sockets, &frame()).await;
    timeout(Duration::from_secs(5), client.task).await.unwrap().unwrap();
}
