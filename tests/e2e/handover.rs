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

pub async fn message_while_pending_reaches_desk(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "pending", "").await;
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    assert_eq!(
        fixture.send_event("bot", "b-1", &bot_conversation, json!({"type": "handover"})).await.0,
        200
    );
    for i in 2..6 {
        fixture.send_channel_message("c-1", &format!("c-{i}"), &format!("waiting {i}")).await;
    }
    let desk = fixture.mock.expect_requests("/desk", 5).await;
    assert_eq!(
        summarize(&desk),
        ["<handover>", "waiting 2", "waiting 3", "waiting 4", "waiting 5"]
    );
    let held = fixture.conversation("channel", "c-1").await;
    assert_eq!(held.participation(Owner::Desk), Participation::Pending);
    assert_eq!(summarize(&fixture.mock.requests("/bot")), ["hi"], "each message reaches one party");
    assert_eq!(summarize(&fixture.mock.requests("/channel")), ["We look for somebody."]);
    let accept = by_ann(json!({"type": "accept"}));
    assert_eq!(fixture.send_event("desk", "d-1", &conversation(&desk), accept).await.0, 200);
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/channel", 2).await)[1], "Ann is here.");
}

pub async fn late_bot_reply_is_not_delivered(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "late", "").await;
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    fixture.send_channel_message("c-1", "c-2", "agent").await;
    fixture.mock.wait_for_requests("/desk", 2).await;
    let (status, refused) =
        fixture.send_event("bot", "b-1", &bot_conversation, message_event("Still me!")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_owner")));
    assert_eq!(
        summarize(&fixture.mock.expect_requests("/channel", 1).await),
        ["We look for somebody."]
    );
    let key = fixture.key_on("channel", "c-1");
    let transcript = env.stack().store.transcript(&key, 100).await.unwrap();
    let late =
        transcript.iter().find(|record| record.event.external_message_id == Some("b-1".into()));
    assert!(late.is_some_and(|late| late.targets.is_empty()), "recorded and not delivered");
}

pub async fn closed_by_agent_returns_control_to_bot(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "closed-by", "").await;
    fixture.send_channel_message("c-1", "c-1", "agent").await;
    let desk_conversation = conversation(&fixture.mock.wait_for_requests("/desk", 2).await);
    let close = json!({"type": "close", "data": {}});
    assert_eq!(fixture.send_event("desk", "d-1", &desk_conversation, close).await.0, 200);
    fixture.send_channel_message("c-1", "c-2", "thanks").await;
    let bot = fixture.mock.expect_requests("/bot", 2).await;
    assert_eq!(summarize(&bot), ["<handback>", "thanks"]);
    assert!(bot[1].json().get("copy").is_none(), "the bot owns the conversation");
    assert_eq!(
        fixture.send_event("bot", "b-1", &conversation(&bot), message_event("Bye.")).await.0,
        200
    );
    let channel = fixture.mock.wait_for_requests("/channel", 3).await;
    assert_eq!(summarize(&channel)[1..], ["No agent is available.", "Bye."]);
    assert_eq!(
        fixture.mock.requests("/desk").len(),
        2,
        "the desk receives nothing after the close"
    );
}

pub async fn keyword_in_customer_language_switches_owner(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "keyword", "").await;
    let mut first = message_event("agent");
    first["language"] = json!("nl-BE");
    assert_eq!(fixture.send_event("channel", "c-1", "c-1", first).await.0, 200);
    assert_eq!(
        summarize(&fixture.mock.wait_for_requests("/channel", 1).await),
        ["We zoeken iemand."]
    );
    fixture.send_channel_message("c-1", "c-2", "Robot").await;
    let desk = fixture.mock.expect_requests("/desk", 3).await;
    assert_eq!(summarize(&desk), ["<handover>", "agent", "<close>"]);
    assert_eq!(summarize(&fixture.mock.expect_requests("/bot", 2).await), ["<handback>", "Robot"]);
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

pub async fn rejects_events_that_sender_may_not_send(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "refused", "").await;
    let unknown = fixture.send_event("desk", "d-0", "nowhere", message_event("hi")).await;
    assert_eq!((unknown.0, &unknown.1["code"]), (404, &json!("unknown_conversation")));
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    let code = async |which: &str, id: &str, conversation: &str, event: Value| {
        let (status, body) = fixture.send_event(which, id, conversation, event).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = |status: u16, word: &str| (status, word.to_owned());
    let nested = json!({"type": "handover", "data": {"context": {"a": {"b": 1}}}});
    assert_eq!(
        code("bot", "b-1", &bot_conversation, nested).await,
        refused(422, "context_not_flat")
    );
    let large = json!({"type": "handover", "data": {"context": {"a": "x".repeat(5_000)}}});
    assert_eq!(
        code("bot", "b-2", &bot_conversation, large).await,
        refused(422, "context_too_large")
    );
    let back = json!({"type": "handback"});
    assert_eq!(code("bot", "b-3", &bot_conversation, back).await, refused(422, "unexpected_event"));
    let accept = json!({"type": "accept"});
    assert_eq!(code("channel", "c-2", "c-1", accept).await, refused(422, "unexpected_event"));

    fixture.send_channel_message("c-1", "c-3", "agent").await;
    let desk_conversation = conversation(&fixture.mock.wait_for_requests("/desk", 2).await);
    let pick = json!({"type": "choice", "data": {"id": "x"}});
    assert_eq!(
        code("desk", "d-1", &desk_conversation, pick).await,
        refused(422, "unexpected_event")
    );
    let again = json!({"type": "offer", "data": {"to": "desk"}});
    assert_eq!(
        code("desk", "d-2", &desk_conversation, again).await,
        refused(422, "unexpected_event")
    );
    assert_eq!(
        code("bot", "b-4", &bot_conversation, message_event("x")).await,
        refused(409, "not_owner")
    );
    let handover = json!({"type": "handover"});
    assert_eq!(code("bot", "b-5", &bot_conversation, handover).await, refused(409, "not_owner"));
    let close = json!({"type": "close"});
    assert_eq!(fixture.send_event("channel", "c-4", "c-1", close).await.0, 200);
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/desk", 3).await)[2], "<close>");
    for (which, id) in [("bot", &bot_conversation), ("desk", &desk_conversation)] {
        let closed = code(which, "late", id, message_event("x")).await;
        assert_eq!(closed, refused(409, "conversation_closed"));
    }
}

pub async fn transcript_shows_choice_titles(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "picked", "").await;
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    let choices = json!([{"id": "opt-1", "title": "A parcel"}, {"id": "opt-2", "title": "A bill"}]);
    let asks = json!({"type": "message", "data": {"text": "What about?", "choices": choices}});
    assert_eq!(fixture.send_event("bot", "b-1", &bot_conversation, asks).await.0, 200);
    fixture.mock.wait_for_requests("/channel", 1).await;
    let pick = json!({"type": "choice", "data": {"id": "opt-2"}});
    assert_eq!(fixture.send_event("channel", "c-2", "c-1", pick).await.0, 200);
    fixture.send_channel_message("c-1", "c-3", "agent").await;
    let handover = fixture.mock.wait_for_requests("/desk", 1).await[0].json();
    let lines = handover["data"]["transcript"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(lines, ["hi", "What about?", "A bill"]);
}

pub async fn open_conversation_survives_configuration_change(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "changed", "").await;
    fixture.send_channel_message("c-1", "c-1", "agent").await;
    let desk_conversation = conversation(&fixture.mock.wait_for_requests("/desk", 2).await);
    // Other bot and desk, and another route for the channel.
    let more = "
  NAME-other:
    bot: NAME-bot-2
    desk: NAME-desk-2
    default: true
";
    let parties = trunkline_tests::CHANNEL_BOT_AND_DESK.replace("NAME-bot:", "NAME-bot-2:");
    let parties = parties.replace("NAME-desk:", "NAME-desk-2:").replace("/desk ", "/desk-2 ");
    let file = parties[..parties.find("routes:").unwrap()].to_owned() + "routes:" + more;
    let changed = Fixture::new(env, "changed", &file).await;
    assert_eq!(changed.connection("channel").route.as_ref().unwrap().as_str(), "changed-other");

    fixture.send_channel_message("c-1", "c-2", "still there?").await;
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/desk", 3).await)[2], "still there?");
    let (status, answer) =
        fixture.send_event("desk", "d-1", &desk_conversation, by_ann(message_event("Yes."))).await;
    assert_eq!(status, 200, "{answer}");
    assert!(changed.mock.requests("/desk-2").is_empty());
    let close = json!({"type": "close"});
    assert_eq!(fixture.send_event("desk", "d-2", &desk_conversation, close).await.0, 200);
    fixture.send_channel_message("c-1", "c-3", "bye").await;
    let hears = async |far: &trunkline_tests::MockPlatform| summarize(&far.requests("/bot"));
    fixture.mock.wait_for_requests("/desk", 3).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let (before, after) = (hears(&fixture.mock).await, hears(&changed.mock).await);
    assert_eq!(
        [before, after].concat(),
        ["<handback>", "bye"],
        "one bot received it, the old or the new one"
    );
}

pub async fn route_without_bot_starts_at_desk(env: &TestEnvironment) {
    let file = trunkline_tests::CHANNEL_BOT_AND_DESK
        .replace("    bot: NAME-bot\n", "")
        .replace("ROUTE", "");
    let fixture = Fixture::new(env, "no-bot", &file).await;
    fixture.send_channel_message("c-1", "c-1", "hi").await;
    let desk = fixture.mock.expect_requests("/desk", 2).await;
    assert_eq!(summarize(&desk), ["<handover>", "hi"]);
    let desk_conversation = conversation(&desk);
    let back =
        fixture.send_event("desk", "d-1", &desk_conversation, json!({"type": "handback"})).await;
    assert_eq!((back.0, &back.1["code"]), (422, &json!("no_bot")));
    assert_eq!(
        fixture.send_event("desk", "d-2", &desk_conversation, json!({"type": "close"})).await.0,
        200
    );
    fixture.send_channel_message("c-1", "c-2", "hi again").await;
    let desk = fixture.mock.expect_requests("/desk", 4).await;
    assert_eq!(summarize(&desk)[2..], ["<handover>", "hi again"]);
    assert_ne!(conversation(&desk), desk_conversation);
    assert!(fixture.mock.requests("/bot").is_empty());
}
