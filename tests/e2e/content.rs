//! Content across platforms: receipts, choices, long texts, unsupported content, order.

use jiff::SignedDuration;
use serde_json::{Value, json};
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_tests::{Fixture, SIGNING_SECRETS, TestEnvironment, message_event, signing_headers};

use crate::handover::{conversation, summarize};

pub async fn receipts_and_typing_are_forwarded_with_original_ids(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "receipts", "").await;
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let bot = fixture.mock.wait_for_requests("/bot", 1).await;
    let bot_conversation = conversation(&bot);
    assert_eq!(
        fixture.send_event("bot", "b-1", &bot_conversation, message_event("hello")).await.0,
        200
    );
    let shown = fixture.mock.wait_for_requests("/channel", 1).await[0].json()["id"].clone();
    fixture.wait_for_outcomes("channel", "c-1").await;
    let receipt = |message: &Value, status: &str| json!({"type": "receipt", "data": {"message": message, "status": status}});
    let typing = json!({"type": "typing", "data": {"active": true}});
    assert_eq!(fixture.send_event("channel", "r-1", "c-1", receipt(&shown, "read")).await.0, 200);
    assert_eq!(fixture.send_event("channel", "t-1", "c-1", typing.clone()).await.0, 200);
    let received = fixture.mock.wait_for_requests("/bot", 3).await;
    let receipt_event = &received[1].json()["data"];
    assert_eq!(
        (&receipt_event["message"], &receipt_event["status"]),
        (&json!("b-1"), &json!("read"))
    );
    assert_eq!(received[2].json()["type"], "typing");

    let theirs = bot[0].json()["id"].clone();
    assert_eq!(
        fixture.send_event("bot", "r-2", &bot_conversation, receipt(&theirs, "delivered")).await.0,
        200
    );
    let receipt_event = fixture.mock.wait_for_requests("/channel", 2).await[1].json();
    assert_eq!(
        (&receipt_event["type"], &receipt_event["data"]["message"]),
        (&json!("receipt"), &json!("c-1"))
    );

    // A read receipt for an agent's message.
    fixture.send_channel_message("c-1", "c-2", "agent").await;
    let desk_conversation = conversation(&fixture.mock.wait_for_requests("/desk", 2).await);
    assert_eq!(
        fixture.send_event("desk", "d-1", &desk_conversation, message_event("Hello.")).await.0,
        200
    );
    let shown = fixture.mock.wait_for_requests("/channel", 5).await[4].json()["id"].clone();
    fixture.wait_for_outcomes("channel", "c-1").await;
    assert_eq!(fixture.send_event("channel", "r-3", "c-1", receipt(&shown, "read")).await.0, 200);
    let receipt_event = &fixture.mock.wait_for_requests("/desk", 3).await[2].json()["data"];
    assert_eq!(
        (&receipt_event["message"], &receipt_event["status"]),
        (&json!("d-1"), &json!("read"))
    );
    let strange = receipt(&json!("dlv_unknown"), "read");
    assert_eq!(fixture.send_event("channel", "r-4", "c-1", strange).await.0, 200);
    assert_eq!(fixture.mock.wait_for_requests("/bot", 3).await.len(), 3);
}

pub async fn receipt_cannot_reference_another_conversation(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "others", "").await;
    for customer in ["c-1", "c-2"] {
        fixture.send_channel_message(customer, &format!("m-{customer}"), "hi").await;
    }
    let received = fixture.mock.wait_for_requests("/bot", 2).await;
    let first = received
        .iter()
        .position(|received| received.json()["channel"]["connection"] != "")
        .unwrap();
    assert_eq!(
        fixture
            .send_event("bot", "b-1", &conversation(&received[..=first]), message_event("secret"))
            .await
            .0,
        200
    );
    let shown = fixture.mock.wait_for_requests("/channel", 1).await[0].json();
    fixture.wait_for_outcomes("channel", shown["conversation"].as_str().unwrap()).await;
    let other = if shown["conversation"] == "c-1" { "c-2" } else { "c-1" };
    let data = json!({"message": shown["id"], "status": "read"});
    let receipt = json!({"type": "receipt", "data": data});
    assert_eq!(fixture.send_event("channel", "r-1", other, receipt).await.0, 200);
    let receipt_event = fixture.mock.wait_for_requests("/bot", 3).await[2].json();
    assert_eq!(
        receipt_event["data"]["message"], shown["id"],
        "not the id that the bot used in the other conversation"
    );
}

pub async fn choices_render_as_numbers_without_buttons(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "numbers").await;
    fixture.send_webex_message("wx-1", "m-1", "hi").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    let choices = json!([{"id": "r", "title": "Red"}, {"id": "b", "title": "Blue"}]);
    let data = json!({"text": "**Which**?", "format": "markdown", "choices": choices,
                      "media": [{"url": "https://m.example/a.pdf", "name": "a.pdf"}]});
    let asks = json!({"type": "message", "data": data});
    assert_eq!(fixture.send_event("bot", "b-1", &bot_conversation, asks).await.0, 200);
    let shown = fixture.mock.wait_for_requests("/webex", 1).await.remove(0);
    assert_eq!(shown.text(), "Which?\na.pdf: https://m.example/a.pdf\n1. Red\n2. Blue");
    fixture.send_webex_message("wx-1", "m-2", "2.").await;
    let picked = fixture.mock.wait_for_requests("/bot", 2).await[1].json();
    assert_eq!(picked["type"], "choice");
    assert_eq!(picked["data"], json!({"id": "b", "title": "Blue", "typed": "2."}));
    assert_eq!(
        fixture.send_event("bot", "b-2", &bot_conversation, message_event("How many?")).await.0,
        200
    );
    fixture.mock.wait_for_requests("/webex", 2).await;
    fixture.send_webex_message("wx-1", "m-3", "2").await;
    assert_eq!(
        summarize(&fixture.mock.wait_for_requests("/bot", 3).await)[2],
        "2",
        "after another question, the text is no choice"
    );
}

pub async fn long_text_is_split_in_order(env: &TestEnvironment) {
    let file = trunkline_tests::CHANNEL_BOT_AND_DESK
        .replace("ROUTE", "")
        .replace("    sender_prefix: true\n", "    text_limit: 40\n    sender_prefix: true\n");
    let fixture = Fixture::new(env, "long", &file).await;
    fixture.send_channel_message("c-1", "c-1", "agent").await;
    let desk_conversation = conversation(&fixture.mock.wait_for_requests("/desk", 2).await);
    let mut long =
        message_event("It left on Monday. It is in Utrecht now. It comes tomorrow, before noon.");
    long["author"] = json!({"role": "agent", "name": "Ann"});
    assert_eq!(fixture.send_event("desk", "d-1", &desk_conversation, long).await.0, 200);
    let channel = fixture.mock.expect_requests("/channel", 5).await;
    let parts =
        ["Ann: It left on Monday.", "It is in Utrecht now.", "It comes tomorrow, before noon."];
    assert_eq!(summarize(&channel)[2..], parts);
    let ids: std::collections::HashSet<_> =
        channel.iter().map(|received| received.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 5, "each part has its own id");
}

pub async fn unsupported_content_notice_is_sent_once(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "unsupported", "").await;
    let raw = json!({"type": "opaque", "data": {"name": "sticker", "is_message": true, "raw": {}}});
    for id in ["c-1", "c-2"] {
        assert_eq!(fixture.send_event("channel", id, "c-1", raw.clone()).await.0, 200);
    }
    assert_eq!(
        summarize(&fixture.mock.expect_requests("/channel", 1).await),
        ["We cannot see this."]
    );
    fixture.send_channel_message("c-1", "c-3", "hi").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    assert_eq!(fixture.send_event("bot", "b-1", &bot_conversation, raw).await.0, 200);
    let receipt_event = fixture.mock.wait_for_requests("/bot", 2).await[1].json();
    assert_eq!(
        (&receipt_event["data"]["message"], &receipt_event["data"]["status"]),
        (&json!("b-1"), &json!("failed"))
    );
}

pub async fn out_of_order_events_are_reordered(env: &TestEnvironment) {
    let file = trunkline_tests::CHANNEL_BOT_AND_DESK
        .replace("ROUTE", "")
        .replace("    sender_prefix: true\n", "    reorder_window: 3\n");
    let fixture = Fixture::new(env, "reorder", &file).await;
    let started = SystemClock.now();
    for (id, second) in [("c-3", 3), ("c-1", 1), ("c-2", 2), ("c-1", 1)] {
        let at = started - SignedDuration::from_secs(60 - second);
        let body = json!({"id": id, "timestamp": at, "conversation": "c-1", "type": "message",
                          "data": {"text": id}})
        .to_string();
        let headers = signing_headers(SIGNING_SECRETS[0], id, SystemClock.now(), &body);
        let (status, answer) = fixture.post("channel", body, &headers).await;
        assert_eq!(status, 200, "{answer}");
    }
    let bot = fixture.mock.expect_requests("/bot", 3).await;
    assert_eq!(summarize(&bot), ["c-1", "c-2", "c-3"]);
    assert!(SystemClock.now().duration_since(started) >= SignedDuration::from_secs(3));
    let key = fixture.key_on("channel", "c-1");
    let transcript = env.stack().store.transcript(&key, 100).await.unwrap();
    let ids: Vec<_> =
        transcript.iter().map(|record| record.event.external_message_id.clone()).collect();
    assert_eq!(ids, [Some("c-1".into()), Some("c-2".into()), Some("c-3".into())]);
}
