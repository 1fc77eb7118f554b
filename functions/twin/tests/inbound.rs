//! What TWIN sends, in every way that it does, and what it is answered.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use common::{OURS, connection, events, map, now, received, text};
use http::{HeaderMap, Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_shared::inbound::{Call, Inbound, Received, Result as Came};
use trunkline_shared::model::{
    AuthorRole, Choice, Content, Event, EventBody, Media, ReceiptStatus,
};
use trunkline_shared::secrets::SecretBag;
use trunkline_twin::{Context, Settings, Twin, give, message_event, named_event};

const SESSION: &str = "6b1d7f5e-3f0c-4a0e-9a51-1f6f1f8b0a01";
const DIALOG: &str = "d1a10900-0000-4000-8000-000000000001";

fn of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn context(settings: &Settings) -> Context<'_> {
    Context { settings, conversation: None, unnamed: AuthorRole::Bot, client: None, now: now() }
}

fn content(event: &Event) -> &Content {
    match &event.body {
        EventBody::Message { content, .. } => content,
        other => panic!("{other:?}"),
    }
}

fn choice(title: &str) -> Choice {
    Choice { id: title.into(), title: title.into() }
}

/// The same message, however it came, is the same event.
#[test]
fn a_message_on_a_socket_in_a_callback_and_in_the_history_is_one_event() {
    let frame = of(include_str!("../fixtures/socket-message.json"));
    let item = of(include_str!("../fixtures/history-item.json"));
    let settings = Settings::default();
    let on_socket = named_event(frame[0].as_str().unwrap(), &frame[1], &context(&settings));
    let in_history = message_event(&item, &context(&settings), &[]);
    let told = json!({"event": "chatMessageCreated", "data": item}).to_string();
    let called = events(&json!({}), "events", told.as_bytes());
    let bare = events(&json!({}), "events", item.to_string().as_bytes());
    let found = [on_socket.unwrap(), in_history.unwrap(), called[0].clone(), bare[0].clone()];
    for event in &found {
        assert_eq!(event.id.as_str(), "m:0f0e0d0c-0000-4000-8000-00000000b001");
        assert_eq!(event.external_id.as_deref(), Some("0f0e0d0c-0000-4000-8000-00000000b001"));
        assert_eq!(event.conversation, SESSION);
        assert_eq!(event.at, "2026-01-01T00:00:06Z".parse().unwrap());
        assert_eq!(event.author.role, AuthorRole::Bot);
        assert_eq!(event.author.name.as_deref(), Some("Bot"));
        assert_eq!(text(event), "Order 17 is on its way");
        assert_eq!(content(event).choices, [choice("Thanks")]);
    }
    let by_id = Media {
        url: "https://iam.twin24.ai/api/v1/files/f11e0000-0000-4000-8000-000000000001".into(),
        mime_type: Some("image/png".into()),
        name: Some("map.png".into()),
    };
    assert_eq!(content(&found[0]).media, [by_id], "a file without a link has its id");
}

#[test]
fn the_vendors_own_example_of_a_message() {
    let started = of(include_str!("../fixtures/documented-started.json"));
    let settings = Settings::default();
    let context = Context { conversation: Some("s"), ..context(&settings) };
    let event = message_event(&started["messages"][0], &context, &["r", "d", "0"]).unwrap();
    assert_eq!((event.id.as_str(), event.conversation.as_str()), ("r:d:0", "s"));
    assert_eq!((event.author.role, event.at), (AuthorRole::Bot, now()));
    let file = Media {
        url: "https://iam.twin24.ai/api/v1/files/bce7d22e-dde6-4427-b391-ebbdfda44de6".into(),
        mime_type: None,
        name: Some("bot.png".into()),
    };
    let expected =
        Content { media: vec![file], choices: vec![choice("string")], ..Content::text("string") };
    assert_eq!(content(&event), &expected);
    let own = of(include_str!("../fixtures/started.json"));
    let event = message_event(&own["messages"][0], &context, &["r"]).unwrap();
    assert_eq!(content(&event).media[0].url, "https://files.example/p?dl=1");
    assert_eq!(content(&event).choices, [choice("Order"), choice("Refund")]);
}

#[test]
fn whose_it_is() {
    let settings = Settings::default();
    let role = |message: Value, client: Option<&str>| {
        let context = Context { client, ..context(&settings) };
        message_event(&message, &context, &["x"]).unwrap().author.role
    };
    let by = |kind: &str| json!({"sessionId": "s", "body": "x", "authorType": kind});
    assert_eq!(role(by("BOT"), None), AuthorRole::Bot);
    assert_eq!(role(by("operator"), None), AuthorRole::Agent);
    assert_eq!(role(by("CLIENT"), None), AuthorRole::Customer);
    assert_eq!(role(by("SYSTEM"), None), AuthorRole::System);
    assert_eq!(role(by("ROBOT"), None), AuthorRole::Unknown);
    assert_eq!(role(by(""), None), AuthorRole::Bot, "as the context says");
    let mine = json!({"sessionId": "s", "body": "x", "authorType": "X", "authorId": "c11e"});
    assert_eq!(role(mine, Some("c11e")), AuthorRole::Customer, "known by its id");
    let named = Settings { client_author: "KUNDE".into(), ..Settings::default() };
    let event = message_event(&by("kunde"), &context(&named), &["x"]).unwrap();
    assert_eq!(event.author.role, AuthorRole::Customer);
    assert!(
        matches!(event.body, EventBody::Opaque { said: false, .. }),
        "an echo is not passed on"
    );
}

#[test]
fn what_cannot_be_shown_is_kept() {
    let settings = Settings::default();
    let body = |message: Value| message_event(&message, &context(&settings), &["x"]).unwrap().body;
    let location = body(json!({"sessionId": "s", "type": "LOCATION", "body": ""}));
    assert!(matches!(location, EventBody::Opaque { said: true, .. }));
    let actions = body(json!({"sessionId": "s", "body": null, "actions": {"type": "x"}}));
    assert!(matches!(actions, EventBody::Opaque { said: false, .. }));
    assert_eq!(message_event(&json!({"body": "x"}), &context(&settings), &["x"]), None);
}

#[test]
fn a_dialogs_callback() {
    let body = include_bytes!("../fixtures/dialog-callback.json");
    for path in ["", "callback", "events"] {
        let events = events(&json!({}), path, body);
        assert_eq!(events.len(), 1, "its end is passed on only where that is asked for");
        assert_eq!(events[0].conversation, DIALOG, "what came back is not what we gave");
        assert_eq!(text(&events[0]), "all good then");
        assert_eq!(events[0].author.role, AuthorRole::Bot);
    }
    let closing = events(&json!({"close_on_stop": true}), "callback", body);
    assert!(matches!(closing[1].body, EventBody::Close { .. }));
}

#[test]
fn the_same_answer_to_another_message_is_another_event() {
    let answered = |delivery: &str, body: &str| {
        let state = json!({"dialogId": DIALOG, "callbackData": give(OURS, delivery),
                           "messages": [{"body": body}, {"body": body}]});
        events(&json!({}), "callback", state.to_string().as_bytes())
    };
    let first = answered("dlv_1", "I did not get that");
    assert_eq!(first[0].conversation, OURS, "known before the dialog's own id is");
    assert_ne!(first[0].id, first[1].id, "said twice at once");
    assert_eq!(first, answered("dlv_1", "I did not get that"), "a repeat is known again");
    assert_ne!(first[0].id, answered("dlv_2", "I did not get that")[0].id);
}

#[test]
fn what_a_chat_tells_of() {
    let read = |settings: Value, event: &str, data: Value| {
        let body = json!({"event": event, "data": data, "eventCallbackData": give(OURS, "d")});
        events(&settings, "events", body.to_string().as_bytes())
    };
    let started =
        events(&json!({}), "events", include_bytes!("../fixtures/event-session-started.json"));
    assert_eq!(started[0].conversation, SESSION);
    assert!(
        matches!(&started[0].body, EventBody::Opaque { said: false, name, .. } if name == "chatSessionStarted")
    );

    let edited =
        json!({"id": "m-1", "sessionId": SESSION, "authorType": "OPERATOR", "body": "New"});
    let edited = read(json!({}), "chatMessageEdited", edited).remove(0);
    assert_eq!(edited.conversation, OURS, "what we gave comes first");
    assert_eq!(
        edited.body,
        EventBody::Edit { message: "m-1".into(), content: Content::text("New") }
    );

    let seen = read(json!({}), "chatMessageRead", json!({"id": "m-1", "sessionId": SESSION}));
    let status = ReceiptStatus::Read;
    let receipt = EventBody::Receipt { message: "m-1".into(), about: None, status, reason: None };
    assert_eq!(seen[0].body, receipt);

    let over = json!({"id": SESSION, "chatId": "c"});
    let closing = json!({"close_events": "chatSessionDeleted"});
    let closed = read(closing, "chatSessionDeleted", over.clone()).remove(0);
    assert!(matches!(closed.body, EventBody::Close { .. }));
    let kept = read(json!({}), "chatSessionDeleted", over).remove(0);
    assert!(matches!(kept.body, EventBody::Opaque { .. }), "no such end is documented");
}

#[test]
fn typing_is_passed_on_where_it_is_asked_for() {
    let frame = of(include_str!("../fixtures/socket-typing.json"));
    let told = |typing: bool| {
        let settings = Settings { typing, ..Settings::default() };
        let context = Context { conversation: Some("s"), ..context(&settings) };
        named_event(frame[0].as_str().unwrap(), &frame[1], &context)
    };
    assert_eq!(told(false), None);
    let event = told(true).unwrap();
    assert_eq!(event.body, EventBody::Typing { active: true });
    assert_eq!(event.author.role, AuthorRole::Bot);
    let body = json!({"event": "showTypingIndicator", "data": {"sessionId": "s"}}).to_string();
    assert_eq!(events(&json!({}), "events", body.as_bytes()), []);
}

#[test]
fn what_belongs_nowhere_is_kept_for_a_person() {
    for body in [
        "",
        "{",
        "[1]",
        "7",
        "{}",
        r#"{"event":"x","data":{}}"#,
        r#"{"messages":[]}"#,
        r#"{"body":"x"}"#,
    ] {
        let outcome = received(&json!({}), "events", body.as_bytes());
        assert!(matches!(outcome, Received::Unreadable(_)), "{body}: {outcome:?}");
    }
    let several = format!(
        "[{},{}]",
        include_str!("../fixtures/history-item.json"),
        include_str!("../fixtures/event-session-started.json")
    );
    assert_eq!(events(&json!({}), "events", several.as_bytes()).len(), 2);
}

#[test]
fn every_answer_is_200() {
    let (connection, secrets) = (&connection("bot", &json!({})), &SecretBag::default());
    let (headers, get, post) = (&HeaderMap::new(), &Method::GET, &Method::POST);
    let call = |method, body| Call {
        connection,
        secrets,
        method,
        path: "",
        query: "",
        headers,
        body,
        now: now(),
    };
    let tested = Twin::default().receive(&call(get, b""));
    assert!(matches!(tested, Received::Answered(reply) if reply.status == StatusCode::OK));
    for came in [Came::Taken(&[]), Came::Unreadable("x"), Came::TooLarge] {
        assert_eq!(Twin::default().reply(&call(post, b"{}"), &came).status, StatusCode::OK);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("BOT")),
        Just(Value::from("STOP")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let key = prop::sample::select(vec![
            "event",
            "data",
            "id",
            "sessionId",
            "dialogId",
            "messages",
            "body",
            "answers",
            "attachments",
            "authorType",
            "callbackData",
            "eventCallbackData",
            "chatId",
            "createdAt",
            "type",
            "url",
            "status",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5).prop_map(|found| Value::Object(
                found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = received(&json!({}), "", &body);
    }

    #[test]
    fn no_json_makes_it_panic_and_a_repeat_is_known_again(value in any_json()) {
        let body = value.to_string();
        let settings = json!({"typing": true, "close_on_stop": true, "close_events": "x"});
        let first = received(&settings, "events", body.as_bytes());
        prop_assert_eq!(&first, &received(&settings, "events", body.as_bytes()));
        if let Received::Events(events) = first {
            for event in events {
                prop_assert!(!event.conversation.is_empty());
                prop_assert!(event.id.as_str().len() <= 128);
            }
        }
    }

    #[test]
    fn no_settings_make_it_panic(value in any_json()) {
        if value.is_object() {
            let _ = Settings::of(&map(value));
        }
    }
}
