//! Parses TWIN's callbacks, socket events and history items, and the replies to callbacks.

use crate::common::{CONVERSATION, call, events, map, now, received, text};
use http::{Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_core::model::{
    AuthorRole, CardAction, Choice, Content, EarlierMessage, Event, EventBody, EventId, Media,
    ReceiptStatus,
};
use trunkline_core::platform::PlatformSettings;
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall};
use trunkline_twin::{Context, Settings, Twin, callback_data, message_event, named_event};

const SESSION: &str = "6b1d7f5e-3f0c-4a0e-9a51-1f6f1f8b0a01";
const DIALOG: &str = "d1a10900-0000-4000-8000-000000000001";

fn of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn context(settings: &Settings) -> Context<'_> {
    Context {
        settings,
        conversation: None,
        default_role: AuthorRole::Bot,
        client_id: None,
        now: now(),
    }
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

/// The same message is the same event, whichever way it arrives.
/// Shows T24, T30.
#[test]
fn a_message_from_socket_callback_or_history_is_the_same_event() {
    let frame = of(include_str!("../fixtures/socket-message.json"));
    let item = of(include_str!("../fixtures/history-item.json"));
    let settings = Settings::default();
    let on_socket = named_event(frame[0].as_str().unwrap(), &frame[1], &context(&settings));
    let in_history = message_event(&item, &context(&settings), &[]);
    let callback = json!({"event": "chatMessageCreated", "data": item}).to_string();
    let called = events(&json!({}), "events", callback.as_bytes());
    let bare = events(&json!({}), "events", item.to_string().as_bytes());
    let found = [on_socket.unwrap(), in_history.unwrap(), called[0].clone(), bare[0].clone()];
    for event in &found {
        assert_eq!(event.id.as_str(), "m:0f0e0d0c-0000-4000-8000-00000000b001");
        assert_eq!(event.external_message_id, Some("0f0e0d0c-0000-4000-8000-00000000b001".into()));
        assert_eq!(event.external_conversation_id, SESSION);
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
        private: true,
        ..Media::default()
    };
    assert_eq!(
        content(&found[0]).media,
        [by_id],
        "a file without a link gets an address by its id"
    );
}

/// Shows T21, T22, T24.
#[test]
fn parses_the_vendors_example_of_a_message() {
    let started = of(include_str!("../fixtures/documented-started.json"));
    let settings = Settings::default();
    let context = Context { conversation: Some("s"), ..context(&settings) };
    let event = message_event(&started["messages"][0], &context, &["r", "d", "0"]).unwrap();
    assert_eq!((event.id.as_str(), event.external_conversation_id.as_str()), ("r:d:0", "s"));
    assert_eq!((event.author.role, event.at), (AuthorRole::Bot, now()));
    let file = Media {
        url: "https://iam.twin24.ai/api/v1/files/bce7d22e-dde6-4427-b391-ebbdfda44de6".into(),
        mime_type: None,
        name: Some("bot.png".into()),
        private: true,
        ..Media::default()
    };
    let expected =
        Content { media: vec![file], choices: vec![choice("string")], ..Content::text("string") };
    assert_eq!(content(&event), &expected);
    let own = of(include_str!("../fixtures/started.json"));
    let event = message_event(&own["messages"][0], &context, &["r"]).unwrap();
    let file = &content(&event).media[0];
    assert_eq!((file.url.as_str(), file.private), ("https://files.example/p?dl=1", true));
    assert_eq!(content(&event).choices, [choice("Order"), choice("Refund")]);
}

/// Shows T24.
#[test]
fn a_public_file_with_a_link_needs_no_login() {
    let settings = Settings::default();
    let message = |is_private: Value| {
        let file = json!({"id": "1", "isPrivate": is_private, "url": "https://files.example/p"});
        let message = json!({"sessionId": "s", "body": "x", "attachments": [file]});
        message_event(&message, &context(&settings), &["x"]).unwrap()
    };
    for (is_private, expected) in
        [(json!(true), true), (json!("true"), true), (json!(false), false), (Value::Null, false)]
    {
        assert_eq!(content(&message(is_private)).media[0].private, expected);
    }
}

#[test]
fn maps_author_types_to_roles() {
    let settings = Settings::default();
    let role = |message: Value, client_id: Option<&str>| {
        let context = Context { client_id, ..context(&settings) };
        message_event(&message, &context, &["x"]).unwrap().author.role
    };
    let by = |kind: &str| json!({"sessionId": "s", "body": "x", "authorType": kind});
    assert_eq!(role(by("BOT"), None), AuthorRole::Bot);
    assert_eq!(role(by("operator"), None), AuthorRole::Agent);
    assert_eq!(role(by("CLIENT"), None), AuthorRole::Customer);
    assert_eq!(role(by("SYSTEM"), None), AuthorRole::System);
    assert_eq!(role(by("ROBOT"), None), AuthorRole::Unknown);
    assert_eq!(role(by(""), None), AuthorRole::Bot, "the context's default role");
    let mine = json!({"sessionId": "s", "body": "x", "authorType": "X", "authorId": "c11e"});
    assert_eq!(role(mine, Some("c11e")), AuthorRole::Customer, "recognized by its id");
    let named = Settings { client_author: "KUNDE".into(), ..Settings::default() };
    let event = message_event(&by("kunde"), &context(&named), &["x"]).unwrap();
    assert_eq!(event.author.role, AuthorRole::Customer);
    assert!(
        matches!(event.body, EventBody::Opaque { is_message: false, .. }),
        "an echo is not passed on"
    );
}

#[test]
fn unsupported_messages_become_opaque_events() {
    let settings = Settings::default();
    let body = |message: Value| message_event(&message, &context(&settings), &["x"]).unwrap().body;
    let location = body(json!({"sessionId": "s", "type": "LOCATION", "body": ""}));
    assert!(matches!(location, EventBody::Opaque { is_message: true, .. }));
    let actions = body(json!({"sessionId": "s", "body": null, "actions": {"type": "x"}}));
    assert!(matches!(actions, EventBody::Opaque { is_message: false, .. }));
    assert_eq!(message_event(&json!({"body": "x"}), &context(&settings), &["x"]), None);
}

/// Shows T23.
#[test]
fn keyboards_and_actions_are_choices_and_are_passed_on() {
    let settings = Settings::default();
    let message = json!({
        "sessionId": "s", "id": "m-1", "body": "Which order?", "answers": ["None"],
        "keyboard": [[{"text": "Shoes", "value": "17"}, {"text": "Shop", "url": "https://x.example"}]],
        "actions": [{"type": "transfer", "group": "9"}],
    });
    let event = message_event(&message, &context(&settings), &["x"]).unwrap();
    let EventBody::Message { content: shown, metadata } = &event.body else { panic!("{event:?}") };
    let shoes = Choice { id: "17".into(), title: "Shoes".into() };
    assert_eq!(shown.choices, [choice("None"), shoes]);
    let link = CardAction::Link { title: "Shop".into(), url: "https://x.example".into() };
    assert_eq!(shown.cards[0].actions, [link]);
    assert_eq!(metadata["twin_actions"], r#"[{"group":"9","type":"transfer"}]"#);
    assert!(metadata["twin_keyboard"].as_str().unwrap().contains("Shoes"));
    let buttons = json!({"sessionId": "s", "body": "", "keyboard": ["Yes", "No"]});
    let event = message_event(&buttons, &context(&settings), &["x"]).unwrap();
    assert_eq!(content(&event).choices, [choice("Yes"), choice("No")]);
}

/// Shows input 8, input 10.
#[test]
fn callbacks_may_have_a_byte_order_mark_and_half_an_emoji() {
    let body = r#"{"event":"chatMessageCreated","data":{"id":"m-8","sessionId":"s","body":"Great \ud83d"}}"#;
    for mark in ["", "\u{feff}"] {
        let read = events(&json!({}), "events", format!("{mark}{body}").as_bytes());
        assert_eq!(text(&read[0]), "Great \u{fffd}");
    }
}

/// Shows input 11.
#[test]
fn a_null_member_counts_as_absent() {
    let of = |body: Value| events(&json!({}), "events", body.to_string().as_bytes());
    let message = json!({"id": "m-1", "sessionId": "s", "body": "Hi"});
    let expected = of(json!({"event": "chatMessageCreated", "data": message}));
    let nulls = json!({
        "id": "m-1", "sessionId": "s", "body": "Hi", "answers": null, "actions": null, "keyboard": null,
        "attachments": [{"id": null, "url": null}], "replyTo": null, "createdAt": null,
        "authorType": null, "type": null,
    });
    let full = json!({"eventName": "chatMessageCreated", "event": null, "data": null, "payload": nulls,
                      "eventCallbackData": null, "callbackData": null, "messages": null});
    assert_eq!(of(full), expected);
    let started = json!({"event": "chatSessionStarted", "data": {"id": "s", "sessionId": null, "chatId": "c"}});
    assert_eq!(of(started)[0].external_conversation_id, "s");
    let dialog = json!({"dialogId": "d", "callbackData": null, "status": null,
                        "messages": [{"body": "Hi", "answers": null}]});
    assert_eq!(text(&of(dialog)[0]), "Hi");
}

#[test]
fn parses_a_dialog_callback() {
    let body = include_bytes!("../fixtures/dialog-callback.json");
    for path in ["", "callback", "events"] {
        let events = events(&json!({}), path, body);
        assert_eq!(events.len(), 1, "the end is passed on only with close_on_stop");
        assert_eq!(
            events[0].external_conversation_id, DIALOG,
            "the callback data is not Trunkline's"
        );
        assert_eq!(text(&events[0]), "all good then");
        assert_eq!(events[0].author.role, AuthorRole::Bot);
    }
    let closing = events(&json!({"close_on_stop": true}), "callback", body);
    assert!(matches!(closing[1].body, EventBody::Close { .. }));
}

#[test]
fn the_same_answer_to_another_message_is_a_new_event() {
    let answered = |delivery: &str, body: &str| {
        let state = json!({"dialogId": DIALOG, "callbackData": callback_data(CONVERSATION, delivery),
                           "messages": [{"body": body}, {"body": body}]});
        events(&json!({}), "callback", state.to_string().as_bytes())
    };
    let first = answered("dlv_1", "I did not get that");
    assert_eq!(
        first[0].external_conversation_id, CONVERSATION,
        "the callback data identifies the conversation before the dialog id is known"
    );
    assert_ne!(first[0].id, first[1].id, "two equal messages in one callback");
    assert_eq!(first, answered("dlv_1", "I did not get that"), "a repeat has the same ids");
    assert_ne!(first[0].id, answered("dlv_2", "I did not get that")[0].id);
}

/// Shows T31.
#[test]
fn parses_event_callbacks_of_chats() {
    let read = |settings: Value, event: &str, data: Value| {
        let body = json!({"event": event, "data": data, "eventCallbackData": callback_data(CONVERSATION, "d")});
        events(&settings, "events", body.to_string().as_bytes())
    };
    let started =
        events(&json!({}), "events", include_bytes!("../fixtures/event-session-started.json"));
    assert_eq!(started[0].external_conversation_id, SESSION);
    assert!(
        matches!(&started[0].body, EventBody::Opaque { is_message: false, name, .. } if name == "chatSessionStarted")
    );

    let edited =
        json!({"id": "m-1", "sessionId": SESSION, "authorType": "OPERATOR", "body": "New"});
    let edited = read(json!({}), "chatMessageEdited", edited).remove(0);
    assert_eq!(edited.external_conversation_id, CONVERSATION, "the callback data takes precedence");
    let earlier = EarlierMessage::new("m-1", EventId::from_parts(&["m", "m-1"]));
    let content = Box::new(Content::text("New"));
    assert_eq!(edited.body, EventBody::Edit { earlier, content, notice: None });

    let emptied = json!({"id": "m-1", "sessionId": SESSION, "authorType": "OPERATOR", "body": " "});
    let emptied = read(json!({}), "chatMessageEdited", emptied).remove(0);
    assert!(matches!(emptied.body, EventBody::Opaque { .. }), "there is nothing to show");

    let seen = read(json!({}), "chatMessageRead", json!({"id": "m-1", "sessionId": SESSION}));
    let status = ReceiptStatus::Read;
    let receipt = EventBody::Receipt { message: "m-1".into(), target: None, status, reason: None };
    assert_eq!(seen[0].body, receipt);

    let over = json!({"id": SESSION, "chatId": "c"});
    let closing = json!({"close_events": "chatSessionDeleted"});
    let closed = read(closing, "chatSessionDeleted", over.clone()).remove(0);
    assert!(matches!(closed.body, EventBody::Close { .. }));
    let kept = read(json!({}), "chatSessionDeleted", over).remove(0);
    assert!(matches!(kept.body, EventBody::Opaque { .. }), "no closing event is documented");
}

#[test]
fn passes_typing_on_only_when_enabled() {
    let frame = of(include_str!("../fixtures/socket-typing.json"));
    let typing_event = |typing: bool| {
        let settings = Settings { typing, ..Settings::default() };
        let context = Context { conversation: Some("s"), ..context(&settings) };
        named_event(frame[0].as_str().unwrap(), &frame[1], &context)
    };
    assert_eq!(typing_event(false), None);
    let event = typing_event(true).unwrap();
    assert_eq!(event.body, EventBody::Typing { active: true });
    assert_eq!(event.author.role, AuthorRole::Bot);
    let body = json!({"event": "showTypingIndicator", "data": {"sessionId": "s"}}).to_string();
    assert_eq!(events(&json!({}), "events", body.as_bytes()), []);
}

#[test]
fn rejects_callbacks_without_a_conversation() {
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
        assert!(matches!(outcome, ParsedCall::Unreadable(_)), "{body}: {outcome:?}");
    }
    let several = format!(
        "[{},{}]",
        include_str!("../fixtures/history-item.json"),
        include_str!("../fixtures/event-session-started.json")
    );
    assert_eq!(events(&json!({}), "events", several.as_bytes()).len(), 2);
}

#[test]
fn every_reply_is_200() {
    let twin = Twin::default();
    let tested = call(&Method::GET, &json!({}), "", b"", |call| twin.parse(call));
    assert!(matches!(tested, ParsedCall::Reply(reply) if reply.status == StatusCode::OK));
    for came in [CallOutcome::Ingested(&[]), CallOutcome::Unreadable("x"), CallOutcome::TooLarge] {
        let reply = call(&Method::POST, &json!({}), "", b"{}", |call| twin.reply(call, &came));
        assert_eq!(reply.status, StatusCode::OK);
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
    fn parsing_any_body_never_panics(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = received(&json!({}), "", &body);
    }

    #[test]
    fn parsing_any_json_is_deterministic(value in any_json()) {
        let body = value.to_string();
        let settings = json!({"typing": true, "close_on_stop": true, "close_events": "x"});
        let first = received(&settings, "events", body.as_bytes());
        prop_assert_eq!(&first, &received(&settings, "events", body.as_bytes()));
        if let ParsedCall::Events(events) = first {
            for event in events {
                prop_assert!(!event.external_conversation_id.as_str().is_empty());
                prop_assert!(event.id.as_str().len() <= 128);
            }
        }
    }

    #[test]
    fn reading_any_settings_never_panics(value in any_json()) {
        if value.is_object() {
            let _ = Settings::parse(&map(value));
        }
    }
}
