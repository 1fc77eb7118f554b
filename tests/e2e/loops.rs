//! What we said never comes back as new.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_shared::app::{Clock, SystemClock};
use trunkline_tests::{Heard, SIGNING, Scene, World, says, signing_headers};

use crate::handover::{conversation, gist};

pub async fn bridge_notice_is_never_bridged(world: &World) {
    let scene = Scene::of_three(world, "notice", "").await;
    scene.writes("c-1", "c-1", "agent").await;
    scene.far.hears("/desk", 2).await;
    let notice = scene.far.hears("/channel", 1).await.remove(0);
    assert_eq!(gist(std::slice::from_ref(&notice)), ["We look for somebody."]);
    assert_eq!(notice.json()["author"]["role"], "system");

    // The channel sends it back: as if the customer had said it, and under another id. (As it is, it
    // would be a duplicate of the first of these.)
    let mut other_id = notice.json();
    other_id["id"] = json!("their-own-1");
    let mut by_customer = notice.json();
    by_customer["author"]["role"] = json!("customer");
    for body in [by_customer, other_id] {
        assert_eq!(relay(&scene, "channel", &body).await, 200);
    }
    assert_eq!(gist(&scene.far.hears_only("/desk", 2).await), ["<handover>", "agent"]);
    assert!(scene.far.heard("/bot").is_empty());
    assert_eq!(scene.far.heard("/channel").len(), 1, "and no notice of a notice");
}

pub async fn two_linked_channels_do_not_loop(world: &World) {
    let file = "
connections:
  NAME-a: { platform: webhook, role: channel, settings: { message_url: FAR/a }, secrets: { signing: { env: NEW } } }
  NAME-b: { platform: webhook, role: channel, settings: { message_url: FAR/b }, secrets: { signing: { env: NEW } } }
  NAME-bot: { platform: webhook, role: bot, copies: true, settings: { message_url: FAR/bot }, secrets: { signing: { env: NEW } } }
routes:
  NAME: { channels: [NAME-a, NAME-b], bot: NAME-bot }
";
    let scene = Arc::new(Scene::of(world, "linked", file).await);
    assert_eq!(scene.sends("a", "a-1", "thread", says("hello")).await.0, 200);
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    assert_eq!(scene.sends("bot", "b-1", &bots, says("Hello to you.")).await.0, 200);
    // Each link passes on what one channel shows as said on the other: as a customer's, or under an id
    // of its own.
    let links: [fn(&mut Value); 2] = [
        |body| body["author"]["role"] = json!("customer"),
        |body| body["id"] = json!(format!("link-{}", body["id"])),
    ];
    let shown = scene.far.hears("/a", 1).await.remove(0);
    for change in links {
        let mut body = shown.json();
        change(&mut body);
        assert_eq!(relay(&scene, "b", &body).await, 200);
        assert_eq!(relay(&scene, "a", &body).await, 200);
    }
    // What would loop would by now have been around.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(gist(&scene.far.heard("/bot")), ["hello"], "the bot hears the customer, once");
    assert_eq!((scene.far.heard("/a").len(), scene.far.heard("/b").len()), (1, 0));
}

async fn relay(scene: &Scene<'_>, to: &str, body: &Value) -> u16 {
    let id = body["id"].as_str().unwrap().to_owned();
    let body = body.to_string();
    let headers = signing_headers(SIGNING[0], &id, SystemClock.now(), &body);
    scene.post(to, body, &headers).await.0
}

/// What a party has heard of a customer so far, repeats aside.
fn heard_of(scene: &Scene<'_>, path: &str, customer: &str) -> Vec<Heard> {
    let mut seen = std::collections::HashSet::new();
    let mut heard = scene.far.heard(path);
    heard.retain(|heard| String::from_utf8_lossy(&heard.body).contains(customer));
    heard.retain(|heard| seen.insert(heard.header("webhook-id").to_owned()));
    heard
}

/// The same, once it is so many calls.
async fn hears_of(scene: &Scene<'_>, path: &str, customer: &str, count: usize) -> Vec<Heard> {
    for _ in 0..400 {
        let heard = heard_of(scene, path, customer);
        if heard.len() >= count {
            return heard;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} heard {:?}, not {count}", gist(&heard_of(scene, path, customer)));
}

pub async fn a_story_told_twice_over_is_the_same_story(world: &World) {
    let scene = Scene::of_three(world, "twice", "").await;
    for (customer, times) in [("once-only", 1), ("thrice-told", 3)] {
        let mut sent: Vec<(&str, String, String, Value)> = Vec::new();
        // Who does what, once they have heard so much.
        let plot = [
            ("channel", 0, says("hello CUSTOMER")),
            ("bot", 1, says("hi CUSTOMER")),
            ("channel", 1, says("one CUSTOMER")),
            ("bot", 2, json!({"type": "handover", "data": {"reason": "CUSTOMER"}})),
            ("channel", 2, says("two CUSTOMER")),
            ("desk", 2, says("I am Ann, CUSTOMER")),
            ("bot", 2, says("still me CUSTOMER")),
            ("channel", 4, says("three CUSTOMER")),
            ("desk", 3, json!({"type": "handback", "data": {"reason": "CUSTOMER"}})),
            ("channel", 5, says("four CUSTOMER")),
            ("bot", 4, json!({"type": "offer", "data": {"reason": "CUSTOMER"}})),
            ("desk", 4, json!({"type": "close", "data": {"reason": "CUSTOMER"}})),
            ("channel", 7, says("five CUSTOMER")),
            ("bot", 6, says("bye CUSTOMER")),
        ];
        for (i, (who, count, event)) in plot.into_iter().enumerate() {
            let event = event.to_string().replace("CUSTOMER", customer);
            let event: Value = serde_json::from_str(&event).unwrap();
            let heard = hears_of(&scene, &format!("/{who}"), customer, count).await;
            let known = if who == "channel" { customer.to_owned() } else { conversation(&heard) };
            let id = format!("{customer}-{i}");
            sent.push((who, id, known, event));
            // The newest as often as told, and each time something old again.
            for round in 0..times {
                let (who, id, conversation, event) = sent.last().unwrap();
                scene.sends(who, id, conversation, event.clone()).await;
                if times > 1 {
                    let (who, id, conversation, event) = &sent[(i * 7 + round) % sent.len()];
                    scene.sends(who, id, conversation, event.clone()).await;
                }
            }
        }
    }
    let mut told = Vec::new();
    for customer in ["once-only", "thrice-told"] {
        let plain = |text: String| text.replace(customer, "CUSTOMER");
        for (path, count) in [("/channel", 8), ("/bot", 6), ("/desk", 4)] {
            hears_of(&scene, path, customer, count).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let legs = ["/channel", "/bot", "/desk"].map(|path| {
            gist(&heard_of(&scene, path, customer)).into_iter().map(plain).collect::<Vec<_>>()
        });
        told.push(legs);
    }
    assert_eq!(told[0], told[1]);
}
