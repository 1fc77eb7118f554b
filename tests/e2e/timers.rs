//! What comes due: within 15 seconds of its time.

use std::time::{Duration, Instant};

use serde_json::json;
use trunkline_shared::model::{Floor, Owner};
use trunkline_tests::{Behaviour, FarSide, Scene, World, says};

use crate::handover::{conversation, gist};

/// Waits for a path's call that is due after `seconds`, and makes sure that it is on time.
async fn in_time(far: &FarSide, path: &str, count: usize, since: Instant, seconds: u64) {
    far.hears(path, count).await;
    let late = since.elapsed().saturating_sub(Duration::from_secs(seconds));
    assert!(since.elapsed() >= Duration::from_millis(seconds * 1_000 - 600), "too early");
    assert!(late < Duration::from_secs(15), "late by {late:?}");
}

pub async fn nobody_accepts_in_time(world: &World) {
    let route = "    handover: { accept_within: 3 }\n";
    let scene = Scene::of_three(world, "accept", route).await;
    scene.writes("c-1", "c-1", "agent").await;
    let since = Instant::now();
    in_time(&scene.far, "/bot", 1, since, 3).await;
    let bot = scene.far.heard("/bot");
    assert_eq!(bot[0].json()["data"]["reason"], "nobody accepted in time");
    assert_eq!(gist(&scene.far.hears("/desk", 3).await), ["<handover>", "agent", "<close>"]);
    let channel = scene.far.hears("/channel", 2).await;
    assert_eq!(gist(&channel), ["We look for somebody.", "Nobody is there now."]);
    scene.writes("c-1", "c-2", "well then").await;
    assert_eq!(gist(&scene.far.hears_only("/bot", 2).await), ["<handback>", "well then"]);

    // One who accepts in time keeps it.
    scene.writes("c-2", "c-3", "agent").await;
    let desks = conversation(&scene.far.hears("/desk", 5).await);
    assert_eq!(scene.sends("desk", "d-1", &desks, json!({"type": "accept"})).await.0, 200);
    tokio::time::sleep(Duration::from_secs(7)).await;
    let held = scene.conversation("channel", "c-2").await;
    assert_eq!(held.floor(Owner::Desk), Floor::Active);
}

pub async fn an_agent_does_not_answer_in_time(world: &World) {
    let route = "    handover: { agent_idle: 4, if_nobody: close }\n";
    let scene = Scene::of_three(world, "idle", route).await;
    scene.writes("c-1", "c-1", "agent").await;
    let desks = conversation(&scene.far.hears("/desk", 2).await);
    assert_eq!(scene.sends("desk", "d-1", &desks, says("Hello.")).await.0, 200);
    // Everything is answered: nothing comes due.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(scene.conversation("channel", "c-1").await.floor(Owner::Desk), Floor::Active);
    scene.writes("c-1", "c-2", "A question?").await;
    let since = Instant::now();
    in_time(&scene.far, "/desk", 4, since, 4).await;
    let told = scene.far.heard("/desk")[3].json();
    assert_eq!(told["data"]["reason"], "the agent did not answer in time");
    assert!(!scene.conversation("channel", "c-1").await.is_open(), "as its route says");
}

pub async fn silence_ends_a_conversation(world: &World) {
    let scene = Scene::of_three(world, "silence", "    session_ttl: 4\n").await;
    scene.writes("c-1", "c-1", "hi").await;
    let first = conversation(&scene.far.hears("/bot", 1).await);
    tokio::time::sleep(Duration::from_secs(2)).await;
    scene.writes("c-1", "c-2", "hello?").await;
    let since = Instant::now();
    in_time(&scene.far, "/bot", 3, since, 4).await;
    assert_eq!(gist(&scene.far.heard("/bot")), ["hi", "hello?", "<close>"]);
    scene.writes("c-1", "c-3", "back again").await;
    assert_ne!(conversation(&scene.far.hears("/bot", 4).await), first);
}

pub async fn a_bot_that_is_down_for_long_is_left_and_what_waits_for_it_is_told(world: &World) {
    let scene = Scene::of_three(world, "bot-down", "    bot_down_after: 3\n").await;
    scene.writes("c-1", "c-1", "hi").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    scene.far.poisoned_by(&bots, Behaviour::down());
    let since = Instant::now();
    scene.writes("c-1", "c-2", "are you there?").await;
    // Two failures a second apart open the breaker; three seconds later people take over.
    in_time(&scene.far, "/desk", 1, since, 4).await;
    let handover = scene.far.heard("/desk")[0].json();
    assert_eq!(handover["data"]["reason"], "the bot cannot be reached");
    let lines = handover["data"]["transcript"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(lines, ["hi", "are you there?"], "what waits for the bot as well");
    scene.writes("c-1", "c-3", "anybody?").await;
    assert_eq!(gist(&scene.far.hears("/desk", 2).await)[1], "anybody?");

    // It comes back, hears what waited, and is too late.
    scene.far.healed();
    scene.far.takes("/bot", 2, Duration::from_secs(40)).await;
    let (status, refused) = scene.sends("bot", "b-1", &bots, says("Here I am!")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_owner")));
}

pub async fn slow_bot_ack_does_not_hand_over(world: &World) {
    let scene = Scene::of_three(world, "slow-ack", "    bot_down_after: 1\n").await;
    scene.writes("c-1", "c-1", "hi").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    // It hears the message, and takes six seconds to say so: that counts as a failure.
    scene.far.always(Some(Behaviour::Slow(Duration::from_secs(6))));
    scene.writes("c-1", "c-2", "one").await;
    scene.far.hears("/bot", 2).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    scene.far.always(None);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(scene.far.heard("/desk").is_empty());
    assert_eq!(scene.conversation("channel", "c-1").await.owner(), Owner::Bot);
    assert_eq!(scene.sends("bot", "b-1", &bots, says("Here.")).await.0, 200);
    assert_eq!(gist(&scene.far.hears("/channel", 1).await), ["Here."]);
}
