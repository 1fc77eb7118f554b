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

/// What each party hears of a conversation.
fn heard_of(scene: &Scene<'_>, customer: &str) -> Vec<(&'static str, Vec<String>)> {
    let legs = ["/channel", "/bot", "/desk"];
    let of = |path: &str| -> Vec<Heard> {
        let heard = scene.far.heard(path).into_iter();
        heard.filter(|heard| String::from_utf8_lossy(&heard.body).contains(customer)).collect()
    };
    legs.map(|path| (path, gist(&of(path)))).to_vec()
}

pub async fn a_story_told_twice_over_is_the_same_story(world: &World) {
    let scene = Scene::of_three(world, "twice", "").await;
    for (customer, times) in [("once-only", 1), ("thrice-told", 3)] {
        let mut sent: Vec<(&str, String, String, Value)> = Vec::new();
        let mut ids = std::collections::HashMap::from([("channel", customer.to_owned())]);
        let plot = [
            ("channel", says("hello CUSTOMER")),
            ("bot", says("hi CUSTOMER")),
            ("channel", says("one CUSTOMER")),
            ("bot", json!({"type": "handover", "data": {"reason": "CUSTOMER"}})),
            ("channel", says("two CUSTOMER")),
            ("desk", says("I am Ann, CUSTOMER")),
            ("bot", says("still me CUSTOMER")),
            ("channel", says("three CUSTOMER")),
            ("desk", json!({"type": "handback", "data": {"reason": "CUSTOMER"}})),
            ("channel", says("four CUSTOMER")),
            ("bot", json!({"type": "offer", "data": {"reason": "CUSTOMER"}})),
            ("desk", json!({"type": "close", "data": {"reason": "CUSTOMER"}})),
            ("channel", says("five CUSTOMER")),
            ("bot", says("bye CUSTOMER")),
        ];
        for (i, (who, event)) in plot.into_iter().enumerate() {
            let event = event.to_string().replace("CUSTOMER", customer);
            let event: Value = serde_json::from_str(&event).unwrap();
            if who != "channel" {
                // By now that party knows the conversation that it has.
                let path = format!("/{who}");
                let known = async || {
                    let heard = scene.far.heard(&path);
                    let all = String::from_utf8_lossy;
                    let mine: Vec<Heard> =
                        heard.into_iter().filter(|h| all(&h.body).contains(customer)).collect();
                    (!mine.is_empty()).then(|| conversation(&mine))
                };
                tokio::time::sleep(Duration::from_secs(2)).await;
                ids.insert(who, known().await.unwrap());
            }
            let id = format!("{customer}-{i}");
            sent.push((who, id, ids[who].clone(), event));
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
    tokio::time::sleep(Duration::from_secs(4)).await;
    let plain = |customer: &str| {
        let heard = heard_of(&scene, customer).into_iter();
        let plain = |text: String| text.replace(customer, "CUSTOMER");
        heard
            .map(|(path, gist)| (path, gist.into_iter().map(plain).collect::<Vec<_>>()))
            .collect::<Vec<_>>()
    };
    let once = plain("once-only");
    assert_eq!(once.iter().map(|(_, gist)| gist.len()).sum::<usize>(), 18, "{once:#?}");
    assert_eq!(once, plain("thrice-told"));
}
