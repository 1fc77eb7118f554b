//! Content across platforms: choices, long texts, unsupported content.

use serde_json::json;
use trunkline_tests::{Fixture, TestEnvironment, message_event};

use crate::handover::{conversation, summarize};

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
