//! The story that everything else stands on.

use serde_json::{Value, json};
use trunkline_shared::model::{Owner, Verdict};
use trunkline_tests::{SIGNING, Scene, World};

pub async fn a_customers_message_reaches_the_bot_and_the_answer_the_customer(world: &World) {
    let scene = Scene::usual(world, "story").await;
    scene.customer_writes("wx-1", "m-1", "Where is my parcel?").await;

    let heard = scene.far.hears_only("/bot", 1).await.remove(0).json();
    assert_eq!(
        (&heard["type"], &heard["data"]["text"]),
        (&json!("message"), &json!("Where is my parcel?"))
    );
    assert_eq!(heard["author"]["role"], "customer");
    assert_eq!(heard["channel"], json!({"connection": "story-webex", "name": "WhatsApp"}));
    assert_eq!(world.reference.schema_problem(&heard).await, Value::Null);

    let conversation = heard["conversation"].as_str().unwrap();
    assert_ne!(conversation, "wx-1", "the bot knows the conversation by an id of our own");
    let answer =
        json!({"type": "message", "data": {"text": "Tomorrow.", "metadata": {"intent": "track"}}});
    let (status, body) = scene.sends("bot", "b-1", conversation, answer).await;
    assert_eq!((status, &body["status"]), (200, &json!("accepted")), "{body}");

    let out = scene.far.hears_only("/webex", 1).await.remove(0).json();
    let timestamp = out["Timestamp"].clone();
    assert_eq!(
        out,
        json!({"eventid": "1001", "conversation_id": "wx-1", "message": "Tomorrow.",
               "Messagetype": "text", "Timestamp": timestamp, "customparam1": "intent=track"})
    );

    let transcript = scene.transcript("wx-1").await;
    assert_eq!(transcript.len(), 2);
    for record in &transcript {
        let outcome = record.outcomes.values().next().unwrap();
        assert_eq!(
            (outcome.verdict, outcome.status, outcome.attempts),
            (Verdict::Delivered, Some(200), 1)
        );
    }
    let held = world.stack().store.conversation(&scene.key("wx-1")).await.unwrap().unwrap();
    assert_eq!((held.owner(), held.version), (Owner::Bot, 1));
    assert_eq!(held.id, conversation);
}

pub async fn signatures_hold_in_the_reference_library_both_ways(world: &World) {
    let scene = Scene::usual(world, "reference").await;
    scene.customer_writes("wx-1", "m-1", "Grüße, 你好 \u{1f44b}").await;
    let heard = scene.far.hears("/bot", 1).await.remove(0);
    for secret in SIGNING {
        assert!(world.reference.believes(secret, &heard).await, "both live secrets sign");
    }
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(!world.reference.believes(stranger, &heard).await);

    let conversation = heard.json()["conversation"].clone();
    for (i, secret) in SIGNING.into_iter().enumerate() {
        let id = format!("py-{i}");
        let body = json!({"id": id, "timestamp": "2026-03-04T09:15:20Z", "type": "message",
                          "conversation": conversation, "data": {"text": "Grüße zurück"}});
        let headers = world.reference.signs(secret, &id, &body.to_string()).await;
        let (status, answer) = scene.post("bot", body.to_string(), &headers).await;
        assert_eq!(status, 200, "{answer}");
    }
    scene.far.hears_only("/webex", 2).await;
}
