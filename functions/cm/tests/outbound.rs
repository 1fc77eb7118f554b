//! Calls to CM.com's router.

use crate::common::{
    CHAT, SEND_URL, TOKEN, TestCall, channel_call, connection, deliveries, delivery, json_of, map,
    message_body, secrets, sending, settings_of,
};
use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_cm::{Cm, check_template, message_id};
use trunkline_core::model::{
    Author, AuthorRole, Choice, Content, EventBody, HandoverMode, Media, Session, Transcript,
    TranscriptEntry,
};
use trunkline_runtime::http_client::HttpRequest;
use trunkline_runtime::outbound::{EncodeError, Outbound};
use trunkline_runtime::secrets::SecretBag;

/// The calls for an event, with an open chat.
fn requests(role: &str, settings: Value, body: EventBody) -> Result<Vec<HttpRequest>, EncodeError> {
    let connection = connection(role, settings);
    let (secrets, session) = (secrets(false), Session::new("conversation-1", CHAT));
    let deliveries = deliveries(&connection, body);
    let calls = deliveries.iter().map(|delivery| {
        Cm.encode(&sending(
            &connection,
            &settings_of(&connection),
            &secrets,
            Some(&session),
            delivery,
        ))
    });
    calls.collect()
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn sent(role: &str, settings: Value, event: EventBody) -> Value {
    body(&requests(role, settings, event).unwrap()[0])
}

/// The messages of a call, without the members that all have.
fn messages(call: &Value) -> Vec<Value> {
    let all = call["conversationMessages"].as_array().unwrap();
    let bare = all.iter().map(|message| {
        let mut message = map(message.clone());
        for name in ["id", "createdOn", "direction"] {
            assert!(message.remove(name).is_some(), "{name}");
        }
        Value::Object(message)
    });
    bare.collect()
}

fn is_unsupported(outcome: &Result<Vec<HttpRequest>, EncodeError>) -> bool {
    matches!(outcome, Err(EncodeError::Unsupported(_)))
}

fn misconfigured(outcome: Result<Vec<HttpRequest>, EncodeError>) -> String {
    match outcome {
        Err(EncodeError::Misconfigured(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn handover(context: Value) -> EventBody {
    EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: None,
        context: map(context),
        transcript: Transcript::default(),
    }
}

const REPLY: &str = "Your parcel will arrive tomorrow between 9:00 and 12:00.";

/// Shows C1, C10, C11, C12.
#[test]
fn encodes_a_hosts_reply_as_documented() {
    let requests = requests("channel", json!({}), message_body(Content::text(REPLY))).unwrap();
    let [request] = requests.as_slice() else { panic!("one call") };
    assert_eq!((&request.method, request.url.as_str()), (&Method::POST, SEND_URL));
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["X-CM-PRODUCTTOKEN"], TOKEN);
    assert!(!format!("{:?}", request.headers).contains(TOKEN), "debug output hides secrets");
    let mut expected = json_of(include_str!("../fixtures/host-reply.json"));
    let connection = connection("channel", json!({}));
    let id = message_id(&delivery(&connection, message_body(Content::text(REPLY))).id, 0);
    expected["conversationMessages"][0]["id"] = json!(id);
    assert_eq!(body(request), expected);
    let written = String::from_utf8(request.body.clone()).unwrap();
    assert!(
        written.contains(r#"[{"$type":"text","#),
        "the discriminator is in lower case, and first"
    );
}

#[test]
fn a_message_id_is_a_guid_and_the_same_for_every_attempt() {
    let id = message_id(&"dlv_1".into(), 0);
    assert_eq!(id, message_id(&"dlv_1".into(), 0));
    let dashes: Vec<_> = id.match_indices('-').map(|(at, _)| at).collect();
    assert_eq!((id.len(), dashes), (36, vec![8, 13, 18, 23]));
    assert_ne!(id, message_id(&"dlv_1".into(), 1));
    assert_ne!(id, message_id(&"dlv_2".into(), 0));
    let call = sent("channel", json!({"send_message_id": false}), message_body(Content::text("x")));
    assert!(call["conversationMessages"][0].get("id").is_none());
}

/// Shows C1, C4.
#[test]
fn encodes_a_clients_first_message_as_documented() {
    let connection = connection("desk", json!({"send_message_id": false}));
    let (secrets, mut delivery) =
        (secrets(false), delivery(&connection, message_body(Content::text("Where is my parcel?"))));
    delivery.event.at = "2026-03-04T09:15:20.001Z".parse().unwrap();
    let request = Cm
        .encode(&sending(&connection, &settings_of(&connection), &secrets, None, &delivery))
        .unwrap();
    let mut expected = json_of(include_str!("../fixtures/client-message.json"));
    expected["chat"]["id"] = json!("trunkline-conversation-1");
    assert_eq!(body(&request), expected);
    let known = Session::new("conversation-1", CHAT);
    let next = Cm
        .encode(&sending(&connection, &settings_of(&connection), &secrets, Some(&known), &delivery))
        .unwrap();
    expected["chat"]["id"] = json!(CHAT);
    assert_eq!(body(&next), expected);
}

#[test]
fn a_clients_chat_uses_settings_if_send_url_has_no_ids() {
    let settings = json!({"send_url": "https://proxy.example/cm", "account_id": "a",
        "conversation_host_id": "h", "channel": "WhatsApp"});
    let chat = sent("bot", settings, message_body(Content::text("x")))["chat"].clone();
    assert_eq!(
        (&chat["accountId"], &chat["conversationHostId"], &chat["channel"]),
        (&json!("a"), &json!("h"), &json!("WhatsApp"))
    );
    let without = json!({"send_url": "https://proxy.example/cm"});
    let why = misconfigured(requests("bot", without, message_body(Content::text("x"))));
    assert!(why.contains("account_id"), "{why}");
}

/// Shows C3.
#[test]
fn sends_a_choice_as_the_title_that_the_customer_saw() {
    let pick = |title: Option<&str>, typed: Option<&str>| {
        let (title, typed) = (title.map(Into::into), typed.map(Into::into));
        let body = EventBody::Choice { id: "A".into(), title, typed };
        messages(&sent("desk", json!({}), body))[0]["text"].clone()
    };
    assert_eq!(pick(Some("Red"), Some("1")), "Red");
    assert_eq!(pick(None, None), "A");
}

#[test]
fn sends_the_transcript_to_a_desk() {
    let line = |role, name: Option<&str>, text: &str| TranscriptEntry {
        at: crate::common::now(),
        author: Author { role, name: name.map(Into::into) },
        content: Content::text(text),
    };
    let lines = vec![
        line(AuthorRole::Customer, Some("Noor de Wit"), "Where is my parcel?"),
        line(AuthorRole::Bot, None, "Which one?"),
        line(AuthorRole::System, None, " "),
    ];
    let body = |transcript| EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: Some("the customer asked".into()),
        context: map(json!({"order": 48121})),
        transcript,
    };
    let event = body(Transcript { entries: lines, ..Transcript::default() });
    let expected = "Noor de Wit: Where is my parcel?\nBot: Which one?\nReason: the customer asked\norder: 48121";
    let call = sent("desk", json!({}), event.clone());
    assert_eq!(messages(&call), [json!({"$type": "text", "text": expected})]);
    assert_eq!(call["conversationMessages"][0]["direction"], "ClientOriginated");
    assert_eq!(call["chat"]["conversationClientName"], "Noor de Wit");
    assert!(is_unsupported(&requests("desk", json!({"handover_text": false}), event)));
    let long = vec![line(AuthorRole::Bot, None, &"word ".repeat(2_000))];
    let call = sent("desk", json!({}), body(Transcript { entries: long, ..Transcript::default() }));
    let texts = messages(&call);
    assert!(texts.len() > 2);
    assert!(texts.iter().all(|message| message["text"].as_str().unwrap().len() <= 4_000));
    assert!(
        is_unsupported(&requests("desk", json!({}), handover(json!({})))),
        "the handover has no content"
    );
}

fn rich() -> Content {
    let choice = |id: &str, title: &str| Choice { id: id.into(), title: title.into() };
    let media = |url: &str, name: Option<&str>, mime_type: Option<&str>| Media {
        url: url.into(),
        mime_type: mime_type.map(Into::into),
        name: name.map(Into::into),
        ..Media::default()
    };
    Content {
        media: vec![
            media("https://x.example/a.jpg", Some("a.jpg"), Some("image/jpeg")),
            media("https://x.example/b", None, None),
        ],
        choices: vec![choice("r", "Red"), choice("b", "Blue")],
        ..Content::text("Which one?")
    }
}

/// Shows C3.
#[test]
fn without_templates_all_content_is_text() {
    let links = "a.jpg: https://x.example/a.jpg\nhttps://x.example/b";
    let expected = format!("Which one?\n{links}\n1. Red\n2. Blue");
    for settings in [json!({}), json!({"shows": ["media", "choices"]})] {
        let messages = self::messages(&sent("channel", settings, message_body(rich())));
        assert_eq!(messages, [json!({"$type": "text", "text": expected})]);
    }
}

const IMAGE: &str = r#"{"$type":"image","url":"$url","mime":"$mimeType","alt":"$name"}"#;
const LIST: &str = r#"{"$type":"options","question":"$text","options":"$choices"}"#;

/// Shows C3.
#[test]
fn templates_map_files_and_choices_to_vendor_types() {
    let settings = json!({"shows": ["media", "choices"], "media_template": IMAGE,
        "choices_template": LIST, "choice_template": r#"{"value":"$id","label":"{{$number}}. $title"}"#});
    assert_eq!(
        messages(&sent("channel", settings.clone(), message_body(rich()))),
        [
            json!({"$type": "image", "url": "https://x.example/a.jpg", "mime": "image/jpeg", "alt": "a.jpg"}),
            json!({"$type": "image", "url": "https://x.example/b"}),
            json!({"$type": "options", "question": "Which one?", "options": [
                {"value": "r", "label": "1. Red"}, {"value": "b", "label": "2. Blue"}]}),
        ]
    );
    let captioned = Content { choices: Vec::new(), ..rich() };
    let messages = self::messages(&sent("channel", settings, message_body(captioned)));
    assert_eq!(messages[0], json!({"$type": "text", "text": "Which one?"}));
    assert_eq!(messages.len(), 3);
    let broken = json!({"shows": ["media"], "media_template": "{"});
    let why = misconfigured(requests("channel", broken, message_body(rich())));
    assert!(why.starts_with("media_template: not a JSON object"), "{why}");
}

/// Shows C3.
#[test]
fn a_template_can_differ_by_the_kind_of_file() {
    let template = r#"{"$type":"$kind","url":"$url"}"#;
    assert_eq!(check_template(template, trunkline_cm::MEDIA_VARIABLES), Ok(()));
    let settings = || json!({"shows": ["media"], "media_template": template});
    for (mime_type, kind) in [
        (Some("image/jpeg"), "image"),
        (Some("video/mp4"), "video"),
        (Some("audio/ogg"), "audio"),
        (Some("application/pdf"), "file"),
        (None, "file"),
    ] {
        let mime_type = mime_type.map(Into::into);
        let media = Media { url: "https://x.example/a".into(), mime_type, ..Media::default() };
        let content = Content { media: vec![media], ..Content::default() };
        let messages = self::messages(&sent("channel", settings(), message_body(content)));
        assert_eq!(messages, [json!({"$type": kind, "url": "https://x.example/a"})]);
    }
}

#[test]
fn ignores_templates_for_features_that_the_connection_does_not_show() {
    let settings = json!({"media_template": IMAGE, "choices_template": LIST});
    assert_eq!(messages(&sent("channel", settings, message_body(rich()))).len(), 1);
    assert_eq!(check_template(LIST, trunkline_cm::CHOICES_VARIABLES), Ok(()));
}

#[test]
fn splits_a_long_text_into_several_calls() {
    let long = "A sentence of many. ".repeat(300);
    let requests = requests("channel", json!({}), message_body(Content::text(long))).unwrap();
    assert_eq!(requests.len(), 2);
}

#[test]
fn encodes_a_mutation_handover_as_documented() {
    let settings = json!({"handover": "mutation",
        "enable_adapter": "2e8d4f10-5b7c-4d3e-9a1b-6c5d4e3f2a1b"});
    let expected = json_of(include_str!("../fixtures/mutation.json"));
    let event = handover(expected["Context"].clone());
    let requests = requests("channel", settings.clone(), event).unwrap();
    assert_eq!(requests[0].method, Method::POST);
    assert_eq!(
        requests[0].url,
        "https://api.conversational.cm.com/conversational/control/v1/accounts/0b3f6f9e-6a51-4a0e-9a4b-2f0c6a6a1d11/chats/5f1d3c0a-9f53-4c57-9a0e-4e6b5b1d2a77/routing/mutationrequests"
    );
    assert_eq!(requests[0].headers["x-cm-producttoken"], TOKEN);
    assert_eq!(body(&requests[0]), expected);
    let bare = sent("channel", settings, handover(json!({})));
    assert!(bare.get("Context").is_none());
}

#[test]
fn encodes_a_component_handover_as_the_vendors_bot() {
    let settings = json!({"handover": "mutation", "disable_component": "CMBot"});
    let context = json!({"RoutingKeywords": "returns", "CustomerInfo": "{}"});
    assert_eq!(
        sent("channel", settings, handover(context.clone())),
        json!({"ChatId": CHAT, "Context": context,
            "Mutations": [{"$type": "disableComponent", "ComponentId": "CMBot"}]})
    );
}

#[test]
fn encodes_a_state_handover_as_documented() {
    let settings =
        json!({"handover": "state", "state_name_id": "agent", "logical_account_id": "l 1"});
    let expected = json_of(include_str!("../fixtures/state.json"));
    let requests = requests("channel", settings, handover(expected["Context"].clone())).unwrap();
    assert_eq!(requests[0].method, Method::PUT);
    assert_eq!(
        requests[0].url,
        "https://api.cm.com/router/control/v1/accounts/l%201/chats/5f1d3c0a-9f53-4c57-9a0e-4e6b5b1d2a77/session/state"
    );
    assert_eq!(body(&requests[0]), expected);
}

#[test]
fn sends_the_context_as_strings_with_the_reason() {
    let settings = json!({"handover": "state", "state_name_id": "agent"});
    let event = EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: Some("asked".into()),
        context: map(json!({"order": 48121, "vip": true, "none": null})),
        transcript: Transcript::default(),
    };
    let context = sent("channel", settings, event)["Context"].clone();
    assert_eq!(context, json!({"order": "48121", "vip": "true", "reason": "asked"}));
}

#[test]
fn sends_handovers_and_closes_only_if_configured() {
    assert!(is_unsupported(&requests("channel", json!({}), handover(json!({})))));
    let close = || EventBody::Close { reason: None };
    assert!(is_unsupported(&requests("channel", json!({}), close())));
    let ends = requests("channel", json!({"end_session": true}), close()).unwrap();
    assert_eq!(ends[0].method, Method::PUT);
    assert!(ends[0].url.ends_with("/chats/5f1d3c0a-9f53-4c57-9a0e-4e6b5b1d2a77/session/end"));
    let nothing =
        misconfigured(requests("channel", json!({"handover": "mutation"}), handover(json!({}))));
    assert!(nothing.contains("enable_adapter"));
    let stateless =
        misconfigured(requests("channel", json!({"handover": "state"}), handover(json!({}))));
    assert!(stateless.contains("state_name_id"));
}

#[test]
fn ids_cannot_redirect_a_call() {
    let connection = connection("channel", json!({"end_session": true}));
    let (secrets, delivery) =
        (secrets(false), delivery(&connection, EventBody::Close { reason: None }));
    for id in ["../../x", "a/b", "a?b#c", "a%2fb"] {
        let session = Session::new("conversation-1", id);
        let request = Cm
            .encode(&sending(
                &connection,
                &settings_of(&connection),
                &secrets,
                Some(&session),
                &delivery,
            ))
            .unwrap();
        let path = request.url.strip_prefix("https://api.cm.com/").unwrap();
        assert_eq!(path.split('/').count(), 9, "{path}");
    }
}

#[test]
fn rejects_unsupported_events() {
    let typing = EventBody::Typing { active: true };
    let opaque = EventBody::Opaque { is_message: true, name: "x".into(), raw: json!({}) };
    for body in [typing, EventBody::Accept, opaque, message_body(Content::text(" "))] {
        for role in ["channel", "bot", "desk"] {
            assert!(is_unsupported(&requests(role, json!({}), body.clone())), "{role} {body:?}");
        }
    }
    let connection = connection("bot", json!({}));
    let mut copy = delivery(&connection, message_body(Content::text("x")));
    copy.to.copy = true;
    let (secrets, session) = (secrets(false), Session::new("conversation-1", CHAT));
    let outcome = Cm.encode(&sending(
        &connection,
        &settings_of(&connection),
        &secrets,
        Some(&session),
        &copy,
    ));
    assert!(
        matches!(outcome, Err(EncodeError::Unsupported(_))),
        "the receiver would answer a copy"
    );
}

#[test]
fn requires_a_product_token() {
    let connection = connection("channel", json!({}));
    let (session, none) = (Session::new("conversation-1", CHAT), SecretBag::default());
    let delivery = delivery(&connection, message_body(Content::text("x")));
    let outcome = Cm.encode(&sending(
        &connection,
        &settings_of(&connection),
        &none,
        Some(&session),
        &delivery,
    ));
    assert!(matches!(outcome, Err(EncodeError::Misconfigured(_))));
}

proptest! {
    /// One side parses what the other encodes: Trunkline's client is the customer of its host, and
    /// vice versa.
    /// Shows C4.
    #[test]
    fn encoded_messages_parse_back(text in ".{0,80}") {
        prop_assume!(!text.trim().is_empty());
        for (writer, reader, author) in [
            ("desk", "channel", AuthorRole::Customer),
            ("channel", "desk", AuthorRole::Agent),
            ("channel", "bot", AuthorRole::Bot),
        ] {
            let call = sent(writer, json!({}), message_body(Content::text(&text)));
            let event = TestCall { role: reader, ..channel_call() }.event(call.to_string().as_bytes());
            let EventBody::Message { content, .. } = &event.body else { panic!("a message") };
            prop_assert_eq!(content.text.as_ref(), Some(&text));
            prop_assert_eq!(event.author.role, author);
            prop_assert_eq!(&event.external_conversation_id, CHAT);
            prop_assert_eq!(event.at, crate::common::now());
        }
    }

    #[test]
    fn arbitrary_content_never_panics(
        text in ".{0,40}", url in ".{0,20}", title in ".{0,20}", template in "[{}\"$:a-z]{0,30}"
    ) {
        let content = Content {
            media: vec![Media { url, mime_type: None, name: None, ..Media::default() }],
            choices: vec![Choice { id: title.clone(), title }],
            ..Content::text(text)
        };
        let settings = json!({"shows": ["media", "choices"], "media_template": template,
            "choices_template": template, "choice_template": template});
        let _ = requests("channel", settings, message_body(content));
    }
}
