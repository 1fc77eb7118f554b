//! TWIN's sockets: whoever listens is replaced in mid-conversation, and killed, and nothing is lost.

use std::time::{Duration, Instant};

use serde_json::json;
use trunkline_stand_ins::twin::sockets::Sockets;
use trunkline_stand_ins::twin::{EMAIL, PASSWORD, Twin24};
use trunkline_tests::{Scene, World, kill, workers_running};

use crate::handover::gist;

const FILE: &str = "
connections:
  NAME-channel:
    platform: webhook
    role: channel
    settings: { message_url: FAR/channel }
    secrets: { signing: { env: NEW } }
  NAME-twin:
    platform: twin
    role: bot
    settings: <TWIN>
    secrets: { email: { env: EMAIL }, password: { env: PASSWORD } }
routes:
  NAME: { channels: [NAME-channel], bot: NAME-twin }
";

pub async fn a_listener_is_replaced_and_killed_and_nothing_is_lost_or_said_twice(world: &World) {
    let sockets = Sockets::start(world.http.clone(), 5_000, 5_000).await;
    let twin = Twin24::start(world.http.clone()).await;
    twin.speaks_on(sockets.control());
    let settings = json!({"answers": "socket", "socket_url": sockets.newer()});
    let others = [
        ("TWIN", twin.settings(&settings).to_string()),
        ("EMAIL", EMAIL.to_owned()),
        ("PASSWORD", PASSWORD.to_owned()),
    ];
    let scene = Scene::beside(world, "listener", FILE, &others).await;
    scene.writes("c-1", "m-1", "hello").await;
    twin.accepts(1).await;
    let session = twin.sessions().remove(0);
    sockets.joined(&session, 1).await;

    let (began, mut said, mut killed) = (Instant::now(), 0, false);
    while began.elapsed() < Duration::from_secs(70) {
        twin.bot_says(&session, json!({"body": format!("message {said}")})).await;
        said += 1;
        if !killed && began.elapsed() > Duration::from_secs(35) {
            let listeners = workers_running(world.port(), "TwinListener");
            assert!(!listeners.is_empty(), "somebody listens");
            listeners.into_iter().for_each(kill);
            killed = true;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let (_, joined) = sockets.of(&session).await;
    assert!(joined >= 3, "replaced at least once, and followed after the kill: {joined}");
    scene.far.takes("/channel", said, Duration::from_mins(1)).await;
    let heard = scene.far.hears_only("/channel", said).await;
    let expected: Vec<_> = (0..said).map(|i| format!("message {i}")).collect();
    assert_eq!(gist(&heard), expected, "each once, and in order");

    // Nobody is listened to any more: nobody listens.
    twin.expire(&session);
}
