//! Conversation ownership between bot and agents of the channel's platform.

use serde_json::{Value, json};
use trunkline_core::model::{Owner, time};
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_tests::{Fixture, TestEnvironment, webex_message};

fn handover() -> Value {
    json!({"type": "handover", "data": {"reason": "asked", "context": {"language": "nl"}}})
}

fn message_event(text: &str) -> Value {
    json!({"type": "message", "data": {"text": text}})
}

/// Shows W3, W12, W13, W14, W15, W26, W30.
pub async fn handover_and_handback_transfer_ownership(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "handover").await;
    fixture.send_webex_message("wx-1", "m-1", "a person, please").await;
    let conversation =
        fixture.mock.wait_for_requests("/bot", 1).await[0].json()["conversation"].clone();
    let conversation = conversation.as_str().unwrap();
    assert_eq!(
        fixture.send_event("bot", "b-1", conversation, message_event("One moment.")).await.0,
        200
    );
    assert_eq!(fixture.send_event("bot", "b-2", conversation, handover()).await.0, 200);
    let out = fixture.mock.wait_for_requests("/webex", 2).await;
    assert_eq!(out[0].json()["eventid"], "1001", "the message precedes the handover");
    let handed = out[1].json();
    assert_eq!((&handed["eventid"], &handed["conversation_id"]), (&json!("1002"), &json!("wx-1")));
    assert_eq!(
        (&handed["customparam1"], &handed["customparam2"]),
        (&json!("reason=asked"), &json!("language=nl"))
    );

    let (status, refused) =
        fixture.send_event("bot", "b-3", conversation, message_event("Still me!")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_owner")));
    let again = fixture.send_event("bot", "b-3", conversation, message_event("Still me!")).await;
    assert_eq!(
        (again.0, &again.1["code"]),
        (409, &json!("not_owner")),
        "a duplicate gets the same response"
    );

    let by_agent = webex_message("wx-1", "m-2", "I am Ann").replace(r#""BOT""#, r#""CCSP""#);
    assert_eq!(fixture.post("webex", by_agent, &[]).await.0, 200);
    let copy = fixture.mock.wait_for_requests("/bot", 2).await[1].json();
    assert_eq!((&copy["copy"], &copy["data"]["text"]), (&json!(true), &json!("I am Ann")));

    // Sent before the handover and late: a copy. Sent after it and for the bot: the bot owns it again.
    let before =
        time::format_spaced_millis(SystemClock.now() - jiff::SignedDuration::from_hours(1));
    let mut late: Value =
        serde_json::from_str(&webex_message("wx-1", "m-3", "an hour ago")).unwrap();
    late["Timestamp"] = json!(before);
    assert_eq!(fixture.post("webex", late.to_string(), &[]).await.0, 200);
    assert_eq!(fixture.mock.wait_for_requests("/bot", 3).await[2].json()["copy"], true);
    fixture.send_webex_message("wx-1", "m-4", "thanks, one more thing").await;
    let back = fixture.mock.wait_for_requests("/bot", 4).await[3].json();
    assert_eq!((back.get("copy"), &back["data"]["text"]), (None, &json!("thanks, one more thing")));
    assert_eq!(fixture.send_event("bot", "b-4", conversation, message_event("Yes?")).await.0, 200);
    fixture.mock.expect_requests("/webex", 3).await;
    let held = env.stack().store.conversation(&fixture.key("wx-1")).await.unwrap().unwrap();
    assert_eq!((held.owner(), held.handover), (Owner::Bot, None));
}
