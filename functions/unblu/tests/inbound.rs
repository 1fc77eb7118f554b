//! What Unblu tells, in both styles, and what it is answered.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use common::{
    NEW_MESSAGE, NEW_MESSAGE_REQUEST, SECRET, answer, call, headers, is_signed, no_settings, now,
    post, sign, told, told_with,
};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use trunkline_shared::inbound::{Inbound, Received, Result as Came};
use trunkline_shared::model::{
    Author, AuthorRole, Choice, Content, Event, EventBody, Format, Media, ReceiptStatus,
};
use trunkline_shared::security::Denied;
use trunkline_unblu::{Unblu, reaches};

const WEBHOOK: &str = include_str!("../fixtures/new-message-webhook.json");
const OUTBOUND: &str = include_str!("../fixtures/new-message-outbound.json");

fn event_with(settings: &Value, name: (&str, &str), body: &str) -> Event {
    match told_with(settings, name, body).0 {
        Received::Events(mut events) => events.remove(0),
        other => panic!("{other:?}"),
    }
}

fn event(body: &str) -> Event {
    event_with(&no_settings(), NEW_MESSAGE, body)
}

fn content(body: &str) -> Content {
    match event(body).body {
        EventBody::Message { content, .. } => content,
        other => panic!("{other:?}"),
    }
}

fn choice(id: &str, title: &str) -> Choice {
    Choice { id: id.into(), title: title.into() }
}

#[test]
fn a_message_in_both_styles_is_one() {
    let (webhook, outbound) =
        (event(WEBHOOK), event_with(&no_settings(), NEW_MESSAGE_REQUEST, OUTBOUND));
    for event in [&webhook, &outbound] {
        assert_eq!(event.id.as_str(), "m:mEsSaGeIdExample0000001");
        assert_eq!(event.external_id.as_deref(), Some("mEsSaGeIdExample0000001"));
        assert_eq!(event.conversation, "cOnVeRsAtIoNiDexample01");
        assert_eq!(event.at, "2025-12-31T23:59:59.99Z".parse().unwrap());
        let author = Author { role: AuthorRole::Agent, name: Some("Grace Hopper".into()) };
        assert_eq!(event.author, author);
    }
    let EventBody::Message { content, .. } = webhook.body else { panic!("a message") };
    let expected = Content {
        format: Format::Markdown,
        choices: vec![choice("Track my order", "Track my order")],
        ..Content::text("How can **I** help?")
    };
    assert_eq!(content, expected);
    let EventBody::Message { content, .. } = outbound.body else { panic!("a message") };
    assert_eq!(content, Content::text("How can I help?"));
}

#[test]
fn each_style_has_its_answer() {
    let (_, reply) = told(NEW_MESSAGE, WEBHOOK);
    assert_eq!((reply.status, answer(&reply)), (StatusCode::OK, json!({})));
    let (_, reply) = told(NEW_MESSAGE_REQUEST, OUTBOUND);
    assert!(is_signed(&reply) && reply.status == StatusCode::OK, "{reply:?}");
    // The id of ours is optional (UA4), and there is none yet.
    let mut documented: Value =
        serde_json::from_str(include_str!("../fixtures/new-message-response.json")).unwrap();
    documented.as_object_mut().unwrap().remove("externalMessageId");
    assert_eq!(answer(&reply), documented);
}

#[test]
fn whom_an_agents_message_reaches() {
    assert_eq!(reaches(OUTBOUND.as_bytes()), None, "not a customer as we write them");
    let ours = OUTBOUND.replace("hub-user-4711", "shop/+31 6");
    let key = reaches(ours.as_bytes()).unwrap();
    assert_eq!((key.channel.as_str(), key.customer.as_str()), ("shop", "+31 6"));
    assert_eq!(reaches(WEBHOOK.as_bytes()), None, "webhooks do not say");
    assert_eq!(reaches(b"not json"), None);
}

#[test]
fn files() {
    let file = content(include_str!("../fixtures/message-file.json"));
    let media = vec![Media {
        url: "https://unblu.cloud/app/rest/v4/files/1".into(),
        mime_type: Some("application/pdf".into()),
        name: Some("invoice.pdf".into()),
    }];
    let expected = Content { format: Format::Markdown, media, ..Content::text("Your **invoice**") };
    assert_eq!(file, expected);
    let rejected = content(include_str!("../fixtures/message-file-rejected.json"));
    assert_eq!(rejected, Content::text("The file was rejected"));
}

#[test]
fn cards_and_lists_are_lines_links_pictures_and_choices() {
    let picture = |url: &str, name: Option<&str>| Media {
        url: url.into(),
        mime_type: None,
        name: name.map(Into::into),
    };
    let card = content(include_str!("../fixtures/message-card.json"));
    let text = "Travel insurance\nFrom 9 a month\nRead more: https://acme.example/travel";
    let expected = Content {
        media: vec![picture("https://acme.example/i.png", Some("A beach"))],
        choices: vec![choice("WANT", "I want it")],
        ..Content::text(text)
    };
    assert_eq!(card, expected);
    let list = content(include_str!("../fixtures/message-list.json"));
    let text = "Our branches\nZurich: Main Street 1\nMap: https://maps.example/z\nBern";
    let media = vec![picture("https://acme.example/z.png", None)];
    assert_eq!(list, Content { media, ..Content::text(text) });
}

#[test]
fn questions_have_choices_that_name_them() {
    let question = content(include_str!("../fixtures/message-question.json"));
    let choices = vec![
        choice("question/mEsSaGeIdExample0000010/1", "Savings"),
        choice("question/mEsSaGeIdExample0000010/2", "Salary"),
    ];
    assert_eq!(question, Content { choices, ..Content::text("Which account?") });
    let rating = content(include_str!("../fixtures/message-rating.json"));
    let skip = choice("question/mEsSaGeIdExample0000010/none", "Skip");
    assert_eq!((rating.choices.len(), rating.choices.last()), (3, Some(&skip)));
}

#[test]
fn whatever_else_is_shown_by_its_fallback_text() {
    assert_eq!(content(include_str!("../fixtures/message-reply.json")), Content::text("Savings"));
    for kind in [
        "APPROVAL_REQUEST",
        "TEXT_QUESTION",
        "QUESTION_ABORTED",
        "RECORDING_AVAILABLE",
        "WHATSAPP_TEMPLATE",
        "NEW_IN_V9",
        "TEXT",
        "CARD",
        "LIST",
        "MULTICHOICE_QUESTION",
    ] {
        let body = include_str!("../fixtures/message-reply.json")
            .replace("\"REPLY\"", &format!("\"{kind}\""));
        assert_eq!(content(&body), Content::text("Savings"), "{kind}");
    }
    let empty = include_str!("../fixtures/message-reply.json").replace("Savings", " ");
    let EventBody::Opaque { said, name, .. } = event(&empty).body else { panic!("opaque") };
    assert_eq!((said, name.as_str()), (true, "REPLY"), "something was said that cannot be shown");
}

#[test]
fn notes_our_own_words_and_system_messages_are_not_passed_on() {
    for (body, kept_as) in [
        (include_str!("../fixtures/message-internal.json"), "internal"),
        (include_str!("../fixtures/message-own.json"), "our own"),
        (include_str!("../fixtures/message-system.json"), "SYSTEM"),
    ] {
        let EventBody::Opaque { said, name, raw } = event(body).body else { panic!("{body}") };
        assert_eq!((said, name.as_str()), (false, kept_as));
        assert!(!raw.to_string().contains("Careful"), "agents' notes are not copied");
    }
    let own = include_str!("../fixtures/message-own.json");
    for only in [own.replace("VIRTUAL", "USER_DB"), own.replace("dlv_", "hub-")] {
        assert!(matches!(event(&only).body, EventBody::Opaque { .. }), "either sign is enough");
    }
    let told = include_str!("../fixtures/message-own.json").replace("AAA\"", "AAA#2\"");
    assert!(matches!(event(&told).body, EventBody::Opaque { .. }));
    let system = include_str!("../fixtures/message-system.json");
    let event = event_with(&json!({"system_messages": true}), NEW_MESSAGE, system);
    assert_eq!(event.author.role, AuthorRole::System);
    assert!(matches!(event.body, EventBody::Message { .. }));
}

#[test]
fn who_wrote() {
    let bot = event(include_str!("../fixtures/message-by-bot.json"));
    assert_eq!(bot.author, Author { role: AuthorRole::Bot, name: Some("Queue Bot".into()) });
    let visitor = include_str!("../fixtures/message-own.json")
        .replace("VIRTUAL", "USER_DB")
        .replace("dlv_", "x-");
    assert_eq!(event(&visitor).author.role, AuthorRole::Unknown, "another visitor");
}

#[test]
fn states_of_our_messages_are_receipts_by_the_deliverys_id() {
    let ours = common::delivery_id("m1");
    let webhook =
        include_str!("../fixtures/message-state-webhook.json").replace("hub-msg-5002", &ours);
    let outbound =
        include_str!("../fixtures/message-state-outbound.json").replace("hub-msg-5002", &ours);
    let name = ("x-unblu-event", "external_messenger.message_state");
    let service = ("x-unblu-service-name", "outbound.external_messenger.message_state");
    for (name, body, status, at) in [
        (name, &webhook, ReceiptStatus::Read, "2026-01-01T00:00:01Z".parse().unwrap()),
        (service, &outbound, ReceiptStatus::Delivered, now()),
    ] {
        let event = event_with(&no_settings(), name, body);
        let message = ours.clone();
        assert_eq!(event.body, EventBody::Receipt { message, about: None, status, reason: None });
        assert_eq!((event.conversation.as_str(), event.at), ("cOnVeRsAtIoNiDexample01", at));
    }
    let (_, reply) = told(service, &outbound);
    let documented: Value =
        serde_json::from_str(include_str!("../fixtures/message-state-response.json")).unwrap();
    assert_eq!(answer(&reply), documented);
    for other in ["hub-msg-5002", &format!("{ours}#1")] {
        let body = webhook.replace(&ours, other);
        let event = event_with(&no_settings(), name, &body);
        assert!(matches!(event.body, EventBody::Opaque { said: false, .. }), "nobody waits for it");
    }
}

#[test]
fn an_agents_end_is_a_close() {
    let name = ("x-unblu-event", "conversation.ended");
    let body = include_str!("../fixtures/conversation-ended.json");
    let event = event_with(&no_settings(), name, body);
    assert_eq!(event.body, EventBody::Close { reason: Some("ENDED_BY_PARTICIPANT".into()) });
    assert_eq!(event.conversation, "cOnVeRsAtIoNiDexample01");
    assert_eq!(event.author.name.as_deref(), Some("Grace Hopper"));
    for elsewhere in ["\"another channel\"", "null"] {
        let body = body.replace("\"cHaNnElIdExample0000001\"", elsewhere);
        let (received, reply) = told(name, &body);
        assert!(matches!(received, Received::Answered(_)), "not ours to keep: {received:?}");
        assert_eq!(reply.status, StatusCode::OK);
    }
}

#[test]
fn pings_in_both_styles() {
    let ping = include_str!("../fixtures/ping-request.json");
    let (received, reply) = told(("x-unblu-service-name", "outbound.ping"), ping);
    assert!(matches!(received, Received::Answered(_)) && is_signed(&reply));
    let documented: Value =
        serde_json::from_str(include_str!("../fixtures/ping-response.json")).unwrap();
    assert_eq!(answer(&reply), documented);
    let (_, reply) = told(("x-unblu-event", "ping"), include_str!("../fixtures/ping-webhook.json"));
    assert_eq!((reply.status, answer(&reply)["pingId"].clone()), (StatusCode::OK, Value::Null));
}

#[test]
fn a_contact_that_an_agent_wants() {
    let name = ("x-unblu-service-name", "outbound.external_messenger.create_contact");
    let request = include_str!("../fixtures/create-contact-request.json");
    let (_, reply) = told(name, request);
    let documented: Value =
        serde_json::from_str(include_str!("../fixtures/create-contact-create.json")).unwrap();
    assert!(is_signed(&reply));
    assert_eq!(answer(&reply), documented);

    let shop = json!({"contact_channel": "shop"});
    let source = |request: &str| answer(&told_with(&shop, name, request).1)["sourceId"].clone();
    assert_eq!(source(request), "shop/hub-user-4711");
    assert_eq!(source(&request.replace("hub-user-4711", "other/4711")), "other/4711");

    let mut invalid: Value =
        serde_json::from_str(include_str!("../fixtures/create-contact-invalid.json")).unwrap();
    let answered = answer(&told(name, &request.replace("hub-user-4711", &"x".repeat(251))).1);
    invalid["errorText"] = answered["errorText"].clone();
    assert_eq!(answered, invalid);
}

#[test]
fn a_conversation_that_an_agent_begins() {
    let request = include_str!("../fixtures/create-conversation-request.json");
    let begin = |invocation: &str| {
        let signature = sign(SECRET, request.as_bytes());
        let headers = headers([
            ("x-unblu-service-name", "outbound.external_messenger.create_conversation"),
            ("x-unblu-invocation-id", invocation),
            ("x-unblu-signature-256", &signature),
        ]);
        let reply = post(&no_settings(), &headers, request.as_bytes()).1;
        assert!(is_signed(&reply));
        answer(&reply)
    };
    let mut documented: Value =
        serde_json::from_str(include_str!("../fixtures/create-conversation-create.json")).unwrap();
    let answered = begin("i-1");
    documented["sourceId"] = answered["sourceId"].clone();
    documented["sourceUrl"] = Value::Null;
    assert_eq!(answered, documented);
    assert_eq!(begin("i-1"), answered, "asked again, it is the same");
    assert_ne!(begin("i-2"), answered);
}

#[test]
fn what_is_not_signed_right_is_not_believed() {
    for (signature, why) in [
        (("x-unblu-signature-256", "00"), Denied::Mismatch),
        (("x-unblu-signature", &*sign(SECRET, WEBHOOK.as_bytes())), Denied::Mismatch),
        (("accept", "*/*"), Denied::Header("x-unblu-signature-256")),
    ] {
        for name in [NEW_MESSAGE, ("x-unblu-event", "ping")] {
            let (received, reply) =
                post(&no_settings(), &headers([name, signature]), WEBHOOK.as_bytes());
            assert_eq!(received, Received::Denied(why.clone()));
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        }
    }
    let rotated = sign("the new one", WEBHOOK.as_bytes());
    let headers = headers([NEW_MESSAGE, ("x-unblu-signature-256", &rotated)]);
    let (received, reply) = post(&no_settings(), &headers, WEBHOOK.as_bytes());
    assert!(matches!(received, Received::Events(_)));
    let signature = ("x-unblu-signature-256", sign("the new one", reply.body.as_bytes()));
    assert!(reply.headers.contains(&signature), "answered with the secret that was used");
}

#[test]
fn what_cannot_be_read_is_kept_and_a_webhook_is_answered_200_all_the_same() {
    for body in ["", "[]", "{", "{}", r#"{"conversationMessage":{"id":"x"}}"#] {
        let (received, reply) = told(NEW_MESSAGE, body);
        assert!(matches!(received, Received::Unreadable(_)), "{body}: {received:?}");
        assert_eq!(reply.status, StatusCode::OK);
        let (received, reply) = told(NEW_MESSAGE_REQUEST, body);
        assert!(matches!(received, Received::Unreadable(_)), "{body}: {received:?}");
        assert!(reply.status == StatusCode::BAD_REQUEST && is_signed(&reply));
    }
    let (received, _) = told(("accept", "*/*"), WEBHOOK);
    assert!(matches!(received, Received::Unreadable(_)), "neither header: {received:?}");
    let (received, reply) = told(("x-unblu-service-name", "outbound.bot.dialog"), "{}");
    assert!(matches!(received, Received::Unreadable(_)));
    assert_eq!(answer(&reply)["$_type"], "Error");
    let size = |name| {
        let headers = headers([name]);
        call(&no_settings(), &Method::POST, &headers, b"", |c| {
            Unblu.reply(c, &Came::TooLarge).status
        })
    };
    assert_eq!((size(NEW_MESSAGE).as_u16(), size(NEW_MESSAGE_REQUEST).as_u16()), (200, 413));
}

#[test]
fn other_webhooks_are_kept_and_never_stand_in_a_messages_way() {
    let name = ("x-unblu-event", "conversation.new_message");
    let other = event_with(&no_settings(), name, WEBHOOK);
    assert!(matches!(other.body, EventBody::Opaque { said: false, .. }));
    assert_eq!(other.conversation, "cOnVeRsAtIoNiDexample01");
    assert_ne!(other.id, event(WEBHOOK).id);
    let (received, _) = told(("x-unblu-event", "agent.created"), "{}");
    assert!(matches!(received, Received::Unreadable(_)));
}

#[test]
fn a_browser_is_told_that_it_is_ready() {
    let get = |method| {
        call(&no_settings(), &method, &HeaderMap::new(), b"", |call| match Unblu.receive(call) {
            Received::Answered(reply) => reply.status.as_u16(),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!((get(Method::GET), get(Method::DELETE)), (200, 405));
}
