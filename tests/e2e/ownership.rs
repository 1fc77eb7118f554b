//! Who answers the customer.

use std::sync::Arc;

use serde_json::{Value, json};
use trunkline_shared::app::{Clock, SystemClock};
use trunkline_shared::inbound::take;
use trunkline_shared::model::{Job, Owner, Phase, time};
use trunkline_shared::outbound::{Budget, work};
use trunkline_tests::{Ahead, Scene, World, webex_message};

fn handover() -> Value {
    json!({"type": "handover", "data": {"reason": "asked", "context": {"language": "nl"}}})
}

fn says(text: &str) -> Value {
    json!({"type": "message", "data": {"text": text}})
}

pub async fn a_handover_and_the_way_back(world: &World) {
    let scene = Scene::usual(world, "handover").await;
    scene.customer_writes("wx-1", "m-1", "a person, please").await;
    let conversation = scene.far.hears("/bot", 1).await[0].json()["conversation"].clone();
    let conversation = conversation.as_str().unwrap();
    assert_eq!(scene.sends("bot", "b-1", conversation, says("One moment.")).await.0, 200);
    assert_eq!(scene.sends("bot", "b-2", conversation, handover()).await.0, 200);
    let out = scene.far.hears("/webex", 2).await;
    assert_eq!(out[0].json()["eventid"], "1001", "the last words go before the handover");
    let handed = out[1].json();
    assert_eq!((&handed["eventid"], &handed["conversation_id"]), (&json!("1002"), &json!("wx-1")));
    assert_eq!(
        (&handed["customparam1"], &handed["customparam2"]),
        (&json!("reason=asked"), &json!("language=nl"))
    );

    let (status, refused) = scene.sends("bot", "b-3", conversation, says("Still me!")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_owner")));
    let again = scene.sends("bot", "b-3", conversation, says("Still me!")).await;
    assert_eq!(
        (again.0, &again.1["code"]),
        (409, &json!("not_owner")),
        "a duplicate is answered like its first"
    );

    let by_agent = webex_message("wx-1", "m-2", "I am Ann").replace(r#""BOT""#, r#""CCSP""#);
    assert_eq!(scene.post("webex", by_agent, &[]).await.0, 200);
    let copy = scene.far.hears("/bot", 2).await[1].json();
    assert_eq!((&copy["copy"], &copy["data"]["text"]), (&json!(true), &json!("I am Ann")));

    // Written before the handover and late on its way: a copy. Written after, and for the bot: its turn.
    let before = time::spaced_millis(SystemClock.now() - jiff::SignedDuration::from_hours(1));
    let mut late: Value =
        serde_json::from_str(&webex_message("wx-1", "m-3", "an hour ago")).unwrap();
    late["Timestamp"] = json!(before);
    assert_eq!(scene.post("webex", late.to_string(), &[]).await.0, 200);
    assert_eq!(scene.far.hears("/bot", 3).await[2].json()["copy"], true);
    scene.customer_writes("wx-1", "m-4", "thanks, one more thing").await;
    let back = scene.far.hears("/bot", 4).await[3].json();
    assert_eq!((back.get("copy"), &back["data"]["text"]), (None, &json!("thanks, one more thing")));
    assert_eq!(scene.sends("bot", "b-4", conversation, says("Yes?")).await.0, 200);
    scene.far.hears_only("/webex", 3).await;
    let held = world.stack().store.conversation(&scene.key("wx-1")).await.unwrap().unwrap();
    assert_eq!((held.owner(), held.handover), (Owner::Bot, None));
}

pub async fn a_closed_conversation_starts_anew(world: &World) {
    let scene = Scene::usual(world, "closed").await;
    scene.customer_writes("wx-1", "m-1", "hi").await;
    let first = scene.far.hears("/bot", 1).await[0].json()["conversation"].clone();
    let first = first.as_str().unwrap();
    let close = json!({"type": "close", "data": {"reason": "done"}});
    assert_eq!(scene.sends("bot", "b-1", first, close.clone()).await.0, 200);
    assert_eq!(
        scene.sends("bot", "b-1", first, close).await.0,
        200,
        "a duplicate is answered like its first"
    );
    let (status, refused) = scene.sends("bot", "b-2", first, says("and another thing")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("conversation_closed")));

    scene.customer_writes("wx-1", "m-2", "hello again").await;
    let second = scene.far.hears("/bot", 2).await[1].json()["conversation"].clone();
    assert_ne!(second.as_str().unwrap(), first, "a new conversation has a new id");
    let held = world.stack().store.conversation(&scene.key("wx-1")).await.unwrap().unwrap();
    assert_eq!((held.phase, held.version), (Phase::Open, 3));
    let (status, _) =
        scene.sends("bot", "b-3", second.as_str().unwrap(), says("welcome back")).await;
    assert_eq!(status, 200);
    let out = scene.far.hears_only("/webex", 1).await;
    assert_eq!(out[0].json()["conversation_id"], "wx-1", "the customer's thread stays the same");
}

pub async fn a_conversation_that_goes_on_for_months_is_not_forgotten(world: &World) {
    let scene = Scene::usual(world, "months").await;
    scene.customer_writes("wx-1", "m-1", "hello").await;
    scene.far.hears("/bot", 1).await;
    let store = &world.stack().store;
    let before = store.conversation(&scene.key("wx-1")).await.unwrap().unwrap();
    let record = scene.transcript("wx-1").await.remove(0);
    let (leg, _) = store.leg_and_breaker(&record.deliveries().next().unwrap().leg()).await.unwrap();

    // A month later the same conversation goes on: what would expire is written anew, once.
    let app = world.app(Arc::new(Ahead::of_now(jiff::SignedDuration::from_hours(30 * 24))), None);
    for id in ["later-1", "later-2"] {
        let mut event = record.event.clone();
        event.id = trunkline_shared::model::EventId::from_parts(&["m", id]);
        take(&app, scene.connection("webex"), event.clone()).await.unwrap();
        let mut delivery = record.deliveries().next().unwrap();
        delivery.event = event;
        let job = serde_json::to_string(&Job::Deliver(Box::new(delivery))).unwrap();
        let budget = Budget { until: jiff::Timestamp::MAX };
        work(&app, &trunkline_webhook::Webhook, &job, 1, budget).await.unwrap();
    }
    let after = store.conversation(&scene.key("wx-1")).await.unwrap().unwrap();
    assert_eq!((after.id, after.version), (before.id, before.version + 1));
    let (renewed, _) = store.leg_and_breaker(&leg.id).await.unwrap();
    assert!(renewed.touched_at > leg.touched_at);
}
