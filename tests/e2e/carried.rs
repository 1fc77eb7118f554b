//! What is carried across, and in what form: receipts, choices, long texts, order.

use jiff::SignedDuration;
use serde_json::{Value, json};
use trunkline_shared::app::{Clock, SystemClock};
use trunkline_tests::{SIGNING, Scene, World, says, signing_headers};

use crate::handover::{conversation, gist};

pub async fn receipts_and_typing_go_both_ways_under_the_right_ids(world: &World) {
    let scene = Scene::of_three(world, "receipts", "").await;
    scene.writes("c-1", "c-1", "hi").await;
    let bot = scene.far.hears("/bot", 1).await;
    let bots = conversation(&bot);
    assert_eq!(scene.sends("bot", "b-1", &bots, says("hello")).await.0, 200);
    let shown = scene.far.hears("/channel", 1).await[0].json()["id"].clone();
    scene.settled("channel", "c-1").await;
    let receipt = |message: &Value, status: &str| json!({"type": "receipt", "data": {"message": message, "status": status}});
    let typing = json!({"type": "typing", "data": {"active": true}});
    assert_eq!(scene.sends("channel", "r-1", "c-1", receipt(&shown, "read")).await.0, 200);
    assert_eq!(scene.sends("channel", "t-1", "c-1", typing.clone()).await.0, 200);
    let heard = scene.far.hears("/bot", 3).await;
    let told = &heard[1].json()["data"];
    assert_eq!((&told["message"], &told["status"]), (&json!("b-1"), &json!("read")));
    assert_eq!(heard[2].json()["type"], "typing");

    let theirs = bot[0].json()["id"].clone();
    assert_eq!(scene.sends("bot", "r-2", &bots, receipt(&theirs, "delivered")).await.0, 200);
    let told = scene.far.hears("/channel", 2).await[1].json();
    assert_eq!((&told["type"], &told["data"]["message"]), (&json!("receipt"), &json!("c-1")));

    // An agent's message, read after the bot has got the conversation back: the desk's is over.
    scene.writes("c-1", "c-2", "agent").await;
    let desks = conversation(&scene.far.hears("/desk", 2).await);
    assert_eq!(scene.sends("desk", "d-1", &desks, says("Hello.")).await.0, 200);
    let shown = scene.far.hears("/channel", 5).await[4].json()["id"].clone();
    scene.settled("channel", "c-1").await;
    assert_eq!(scene.sends("channel", "r-3", "c-1", receipt(&shown, "read")).await.0, 200);
    let told = &scene.far.hears("/desk", 3).await[2].json()["data"];
    assert_eq!((&told["message"], &told["status"]), (&json!("d-1"), &json!("read")));
    let strange = receipt(&json!("dlv_unknown"), "read");
    assert_eq!(scene.sends("channel", "r-4", "c-1", strange).await.0, 200);
    assert_eq!(scene.far.hears("/bot", 3).await.len(), 3);
}

pub async fn another_conversations_message_cannot_be_named(world: &World) {
    let scene = Scene::of_three(world, "others", "").await;
    for customer in ["c-1", "c-2"] {
        scene.writes(customer, &format!("m-{customer}"), "hi").await;
    }
    let heard = scene.far.hears("/bot", 2).await;
    let first = heard.iter().position(|heard| heard.json()["channel"]["connection"] != "").unwrap();
    assert_eq!(
        scene.sends("bot", "b-1", &conversation(&heard[..=first]), says("secret")).await.0,
        200
    );
    let shown = scene.far.hears("/channel", 1).await[0].json();
    scene.settled("channel", shown["conversation"].as_str().unwrap()).await;
    let other = if shown["conversation"] == "c-1" { "c-2" } else { "c-1" };
    let data = json!({"message": shown["id"], "status": "read"});
    let receipt = json!({"type": "receipt", "data": data});
    assert_eq!(scene.sends("channel", "r-1", other, receipt).await.0, 200);
    let told = scene.far.hears("/bot", 3).await[2].json();
    assert_eq!(told["data"]["message"], shown["id"], "not what the bot called it elsewhere");
}

pub async fn choices_become_numbers_where_there_are_no_buttons(world: &World) {
    let scene = Scene::usual(world, "numbers").await;
    scene.customer_writes("wx-1", "m-1", "hi").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    let choices = json!([{"id": "r", "title": "Red"}, {"id": "b", "title": "Blue"}]);
    let data = json!({"text": "**Which**?", "format": "markdown", "choices": choices,
                      "media": [{"url": "https://m.example/a.pdf", "name": "a.pdf"}]});
    let asks = json!({"type": "message", "data": data});
    assert_eq!(scene.sends("bot", "b-1", &bots, asks).await.0, 200);
    let shown = scene.far.hears("/webex", 1).await.remove(0);
    assert_eq!(shown.text(), "Which?\na.pdf: https://m.example/a.pdf\n1. Red\n2. Blue");
    scene.customer_writes("wx-1", "m-2", "2.").await;
    let picked = scene.far.hears("/bot", 2).await[1].json();
    assert_eq!(picked["type"], "choice");
    assert_eq!(picked["data"], json!({"id": "b", "title": "Blue", "typed": "2."}));
    assert_eq!(scene.sends("bot", "b-2", &bots, says("How many?")).await.0, 200);
    scene.far.hears("/webex", 2).await;
    scene.customer_writes("wx-1", "m-3", "2").await;
    assert_eq!(gist(&scene.far.hears("/bot", 3).await)[2], "2", "now it is a number");
}

pub async fn long_texts_arrive_in_parts_and_in_order(world: &World) {
    let file = trunkline_tests::THREE
        .replace("ROUTE", "")
        .replace("    sender_prefix: true\n", "    text_limit: 40\n    sender_prefix: true\n");
    let scene = Scene::of(world, "long", &file).await;
    scene.writes("c-1", "c-1", "agent").await;
    let desks = conversation(&scene.far.hears("/desk", 2).await);
    let mut long = says("It left on Monday. It is in Utrecht now. It comes tomorrow, before noon.");
    long["author"] = json!({"role": "agent", "name": "Ann"});
    assert_eq!(scene.sends("desk", "d-1", &desks, long).await.0, 200);
    let channel = scene.far.hears_only("/channel", 5).await;
    let parts =
        ["Ann: It left on Monday.", "It is in Utrecht now.", "It comes tomorrow, before noon."];
    assert_eq!(gist(&channel)[2..], parts);
    let ids: std::collections::HashSet<_> =
        channel.iter().map(|heard| heard.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 5, "each part can be told from the others");
}

pub async fn what_cannot_be_shown_is_said_once(world: &World) {
    let scene = Scene::of_three(world, "unshown", "").await;
    let raw = json!({"type": "opaque", "data": {"name": "sticker", "said": true, "raw": {}}});
    for id in ["c-1", "c-2"] {
        assert_eq!(scene.sends("channel", id, "c-1", raw.clone()).await.0, 200);
    }
    assert_eq!(gist(&scene.far.hears_only("/channel", 1).await), ["We cannot see this."]);
    scene.writes("c-1", "c-3", "hi").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    assert_eq!(scene.sends("bot", "b-1", &bots, raw).await.0, 200);
    let told = scene.far.hears("/bot", 2).await[1].json();
    assert_eq!(
        (&told["data"]["message"], &told["data"]["status"]),
        (&json!("b-1"), &json!("failed"))
    );
}

pub async fn events_that_come_out_of_order_wait_for_each_other(world: &World) {
    let file = trunkline_tests::THREE
        .replace("ROUTE", "")
        .replace("    sender_prefix: true\n", "    reorder_window: 3\n");
    let scene = Scene::of(world, "reorder", &file).await;
    let started = SystemClock.now();
    for (id, second) in [("c-3", 3), ("c-1", 1), ("c-2", 2), ("c-1", 1)] {
        let at = started - SignedDuration::from_secs(60 - second);
        let body = json!({"id": id, "timestamp": at, "conversation": "c-1", "type": "message",
                          "data": {"text": id}})
        .to_string();
        let headers = signing_headers(SIGNING[0], id, SystemClock.now(), &body);
        let (status, answer) = scene.post("channel", body, &headers).await;
        assert_eq!(status, 200, "{answer}");
    }
    let bot = scene.far.hears_only("/bot", 3).await;
    assert_eq!(gist(&bot), ["c-1", "c-2", "c-3"]);
    assert!(SystemClock.now().duration_since(started) >= SignedDuration::from_secs(3));
    let key = scene.key_on("channel", "c-1");
    let transcript = world.stack().store.transcript(&key, 100).await.unwrap();
    let ids: Vec<_> = transcript.iter().map(|record| record.event.external_id.as_deref()).collect();
    assert_eq!(ids, [Some("c-1"), Some("c-2"), Some("c-3")]);
}
