//! Smoke test: a message from a customer to a bot, and the reply.

use serde_json::{Value, json};
use trunkline_core::model::{Owner, Verdict};
use trunkline_tests::{Fixture, SIGNING_SECRETS, TestEnvironment};

/// Shows W1, W2, W4, W6, W9, W16, W20, W21, W25.
pub async fn delivers_customer_message_to_bot_and_reply_to_customer(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "story").await;
    fixture.send_webex_message("wx-1", "m-1", "Where is my parcel?").await;

    let received = fixture.mock.expect_requests("/bot", 1).await.remove(0).json();
    assert_eq!(
        (&received["type"], &received["data"]["text"]),
        (&json!("message"), &json!("Where is my parcel?"))
    );
    assert_eq!(received["author"]["role"], "customer");
    assert_eq!(received["channel"], json!({"connection": "story-webex", "name": "WhatsApp"}));
    assert_eq!(env.reference.schema_problem(&received).await, Value::Null);

    let conversation = received["conversation"].as_str().unwrap();
    assert_ne!(conversation, "wx-1", "the bot gets Trunkline's conversation id");
    let answer =
        json!({"type": "message", "data": {"text": "Tomorrow.", "metadata": {"intent": "track"}}});
    let (status, body) = fixture.send_event("bot", "b-1", conversation, answer).await;
    assert_eq!((status, &body["status"]), (200, &json!("accepted")), "{body}");

    let out = fixture.mock.expect_requests("/webex", 1).await.remove(0).json();
    let timestamp = out["Timestamp"].clone();
    assert_eq!(
        out,
        json!({"eventid": "1001", "conversation_id": "wx-1", "message": "Tomorrow.",
               "Messagetype": "text", "Timestamp": timestamp, "customparam1": "intent=track"})
    );

    let transcript = fixture.transcript("wx-1").await;
    assert_eq!(transcript.len(), 2);
    for record in &transcript {
        let outcome = record.outcomes.values().next().unwrap();
        assert_eq!(
            (outcome.verdict, outcome.status, outcome.attempts),
            (Verdict::Delivered, Some(200), 1)
        );
    }
    let held = env.stack().store.conversation(&fixture.key("wx-1")).await.unwrap().unwrap();
    assert_eq!((held.owner(), held.version), (Owner::Bot, 1));
    assert_eq!(held.id, conversation);
}

pub async fn signatures_interoperate_with_reference_library(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "reference").await;
    fixture.send_webex_message("wx-1", "m-1", "Grüße, 你好 \u{1f44b}").await;
    let received = fixture.mock.wait_for_requests("/bot", 1).await.remove(0);
    for secret in SIGNING_SECRETS {
        assert!(
            env.reference.verifies(secret, &received).await,
            "each valid secret has a signature"
        );
    }
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(!env.reference.verifies(stranger, &received).await);

    let conversation = received.json()["conversation"].clone();
    for (i, secret) in SIGNING_SECRETS.into_iter().enumerate() {
        let id = format!("py-{i}");
        let body = json!({"id": id, "timestamp": "2026-03-04T09:15:20Z", "type": "message",
                          "conversation": conversation, "data": {"text": "Grüße zurück"}});
        let headers = env.reference.sign(secret, &id, &body.to_string()).await;
        let (status, answer) = fixture.post("bot", body.to_string(), &headers).await;
        assert_eq!(status, 200, "{answer}");
    }
    fixture.mock.expect_requests("/webex", 2).await;
}
