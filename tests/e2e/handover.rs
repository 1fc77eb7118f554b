//! Handover from bot to desk and back, on three webhook connections.

use serde_json::{Value, json};
use trunkline_core::model::{Owner, Participation};
use trunkline_tests::{Fixture, ReceivedRequest, TestEnvironment, message_event};

/// Summarizes requests: a message by its text, other events as `<type>`.
pub fn summarize(received: &[ReceivedRequest]) -> Vec<String> {
    let one = |received: &ReceivedRequest| {
        let json = received.json();
        let kind = json["type"].as_str().unwrap_or_default();
        let copy = if json["copy"] == true { " (copy)" } else { "" };
        match kind {
            "message" => format!("{}{copy}", json["data"]["text"].as_str().unwrap_or_default()),
            "choice" => format!("[{}]{copy}", json["data"]["id"].as_str().unwrap_or_default()),
            other => format!("<{other}>{copy}"),
        }
    };
    received.iter().map(one).collect()
}

/// Returns the conversation id of the last request.
pub fn conversation(received: &[ReceivedRequest]) -> String {
    received.last().unwrap().json()["conversation"].as_str().unwrap().to_owned()
}

fn by_ann(mut event: Value) -> Value {
    event["author"] = json!({"role": "agent", "name": "Ann"});
    event
}

pub async fn bot_hands_over_to_desk_and_gets_conversation_back(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "full", "").await;
    fixture.send_channel_message("c-1", "c-1", "Where is my parcel?").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    assert_eq!(
        fixture.send_event("bot", "b-1", &bot_conversation, message_event("Which one?")).await.0,
        200
    );
    fixture.mock.wait_for_requests("/channel", 1).await;
    fixture.send_channel_message("c-1", "c-2", "Agent!").await;

    // The desk receives the transcript, and then the message that requested the handover.
    let desk = fixture.mock.expect_requests("/desk", 2).await;
    assert_eq!(summarize(&desk), ["<handover>", "Agent!"]);
    let handover = desk[0].json();
    assert_eq!(handover["data"]["reason"], "the customer asked");
    let lines = handover["data"]["transcript"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| (&line["author"]["role"], &line["text"])).collect();
    assert_eq!(
        lines,
        [
            (&json!("customer"), &json!("Where is my parcel?")),
            (&json!("bot"), &json!("Which one?"))
        ]
    );
    assert_eq!(env.reference.schema_problem(&handover).await, Value::Null);
    let desk_conversation = conversation(&desk);
    assert_ne!(desk_conversation, bot_conversation);

    assert_eq!(
        fixture
            .send_event(
                "desk",
                "d-1",
                &desk_conversation,
                by_ann(message_event("Hello, I am Ann."))
            )
            .await
            .0,
        200
    );
    assert_eq!(
        fixture
            .send_event("desk", "d-2", &desk_conversation, by_ann(message_event("It comes today.")))
            .await
            .0,
        200
    );
    let close = json!({"type": "close", "data": {"reason": "solved"}});
    assert_eq!(fixture.send_event("desk", "d-3", &desk_conversation, close).await.0, 200);
    let channel = fixture.mock.expect_requests("/channel", 6).await;
    assert_eq!(
        summarize(&channel),
        [
            "Which one?",
            "We look for somebody.",
            "Ann is here.",
            "Ann: Hello, I am Ann.",
            "Ann: It comes today.",
            "Ann has left.",
        ]
    );

    // The bot owns the conversation again, and the handback contains the agents' messages.
    let bot = fixture.mock.expect_requests("/bot", 2).await;
    assert_eq!(summarize(&bot), ["Where is my parcel?", "<handback>"]);
    let handback = bot[1].json();
    assert_eq!(handback["data"]["reason"], "solved");
    let lines = handback["data"]["transcript"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(lines, ["Agent!", "Hello, I am Ann.", "It comes today."]);
    assert_eq!(conversation(&bot), bot_conversation, "the bot's conversation id stays the same");

    // A second handover: the desk gets a new conversation id.
    let pass = json!({"type": "pass", "data": {"reason": "again", "context": {"order": 7}}});
    assert_eq!(fixture.send_event("bot", "b-2", &bot_conversation, pass).await.0, 200);
    let again = fixture.mock.wait_for_requests("/desk", 3).await;
    let data = &again[2].json()["data"];
    assert_eq!((&data["context"], &data["passed"]), (&json!({"order": 7}), &json!(true)));
    assert_ne!(conversation(&again), desk_conversation);
    let held = fixture.conversation("channel", "c-1").await;
    assert_eq!(
        (held.participation(Owner::Desk), held.participation(Owner::Bot)),
        (Participation::Active, Participation::Standby)
    );
    let (status, late) = fixture
        .send_event("desk", "d-4", &desk_conversation, by_ann(message_event("Old news")))
        .await;
    assert_eq!(
        (status, &late["code"]),
        (409, &json!("not_owner")),
        "the previous handover's conversation"
    );
}

pub async fn operator_hands_over_and_back_and_closes(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "operator", "").await;
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let first = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    let order = async |verb: &str| {
        let arguments = [verb, "operator-channel", "c-1", "--reason", "a complaint"];
        let done = env.trunkline(&arguments, &[]).await;
        let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
        (done.status.success(), stdout + &String::from_utf8_lossy(&done.stderr))
    };
    let (done, stdout) = order("handover").await;
    assert!(done && stdout.contains("offered to the desk"), "{stdout}");
    let desk = fixture.mock.wait_for_requests("/desk", 1).await;
    assert_eq!(desk[0].json()["data"]["reason"], "a complaint");
    let (done, stdout) = order("handover").await;
    assert!(!done && stdout.contains("nothing to change"), "the desk owns it: {stdout}");
    assert!(order("handback").await.0);
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/desk", 2).await)[1], "<close>");
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/bot", 2).await)[1], "<handback>");
    assert!(order("close").await.0);
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/bot", 3).await)[2], "<close>");
    fixture.send_channel_message("c-1", "c-2", "hi again").await;
    assert_ne!(
        conversation(&fixture.mock.wait_for_requests("/bot", 4).await),
        first,
        "a new conversation"
    );
}
