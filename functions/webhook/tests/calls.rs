//! Calls in and out: proofs, answers, addresses.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_shared::http_client::Request;
use trunkline_shared::inbound::{Call, Inbound, IntakeError, Received, Result as Came, Taken};
use trunkline_shared::model::{
    Author, AuthorRole, Connection, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    Line, Mode, Recall, ReceiptStatus, Reference, Role, Session, Target,
};
use trunkline_shared::outbound::{Outbound, Sending, Unsendable};
use trunkline_shared::routing::Refusal;
use trunkline_shared::secrets::SecretBag;
use trunkline_shared::security::{Denied, sign};
use trunkline_webhook::Webhook;

const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> Timestamp {
    "2026-03-04T09:15:21.412Z".parse().unwrap()
}

fn connection(settings: &Value) -> Connection {
    serde_json::from_value(json!({
        "id": "bot", "platform": "webhook", "role": "bot", "settings": settings,
    }))
    .unwrap()
}

fn secrets() -> SecretBag {
    serde_json::from_value(json!({
        "signing": [NEW, OLD], "bearer": ["t-new", "t-old"], "api_key": ["k-1"],
    }))
    .unwrap()
}

fn receive(settings: &Value, headers: &HeaderMap, body: &str) -> Received {
    let (connection, secrets) = (&connection(settings), &secrets());
    let (method, body) = (&Method::POST, body.as_bytes());
    Webhook.receive(&Call {
        connection,
        secrets,
        method,
        path: "",
        query: "",
        headers,
        body,
        now: now(),
    })
}

fn reply(result: &Came<'_>) -> (StatusCode, Value) {
    let (connection, secrets) = (&connection(&json!({})), &secrets());
    let (method, headers) = (&Method::POST, &HeaderMap::new());
    let call =
        Call { connection, secrets, method, path: "", query: "", headers, body: b"", now: now() };
    let reply = Webhook.reply(&call, result);
    (reply.status, serde_json::from_str(&reply.body).unwrap())
}

fn message(text: &str) -> String {
    json!({"id": "1", "timestamp": "2026-03-04T09:15:20Z", "conversation": "c",
           "type": "message", "data": {"text": text}})
    .to_string()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
        .collect()
}

fn signed(secret: &str, body: &str) -> HeaderMap {
    let signature = sign(&[secret], "msg_1", now(), body.as_bytes()).unwrap();
    let at = now().as_second().to_string();
    headers(&[
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", &at),
        ("webhook-signature", &signature),
    ])
}

#[test]
fn either_live_secret_is_good_and_none_other() {
    let body = message("hi");
    for secret in [OLD, NEW] {
        let received = receive(&json!({}), &signed(secret, &body), &body);
        let Received::Events(events) = received else { panic!("{received:?}") };
        assert_eq!(events[0].author.role, AuthorRole::Bot, "a bot's connection speaks as a bot");
    }
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let denied = receive(&json!({}), &signed(stranger, &body), &body);
    assert_eq!(denied, Received::Denied(Denied::Mismatch));
    let tampered = receive(&json!({}), &signed(OLD, &body), &message("ho"));
    assert_eq!(tampered, Received::Denied(Denied::Mismatch));
}

#[test]
fn bearer_and_api_key_in_place_of_a_signature() {
    let body = message("hi");
    let (bearer, key) =
        (json!({"auth": "bearer"}), json!({"auth": "api_key", "api_key_header": "x-our-key"}));
    let is_let_in = |settings: &Value, headers: HeaderMap| {
        matches!(receive(settings, &headers, &body), Received::Events(_))
    };
    assert!(is_let_in(&bearer, headers(&[("authorization", "Bearer t-new")])));
    assert!(is_let_in(&bearer, headers(&[("authorization", "bearer t-old")])));
    assert!(!is_let_in(&bearer, headers(&[("authorization", "Basic t-new")])));
    assert!(!is_let_in(&bearer, headers(&[("authorization", "Bearer nope")])));
    assert!(!is_let_in(&bearer, signed(NEW, &body)));
    assert!(is_let_in(&key, headers(&[("x-our-key", "k-1")])));
    assert!(!is_let_in(&key, headers(&[("x-our-key", "k-2")])));
    assert!(!is_let_in(&key, headers(&[("x-api-key", "k-1")])));
}

#[test]
fn a_handshake_is_answered_with_its_challenge() {
    let body = message("x").replace(r#""type":"message""#, r#""type":"verification""#);
    let body = body.replace(r#"{"text":"x"}"#, r#"{"challenge":"abc"}"#);
    let received = receive(&json!({}), &signed(NEW, &body), &body);
    let Received::Answered(reply) = received else { panic!("{received:?}") };
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, r#"{"challenge":"abc"}"#));
    assert!(matches!(receive(&json!({}), &HeaderMap::new(), &body), Received::Denied(_)));
}

#[test]
fn an_empty_message_is_unreadable() {
    let body = message(" ");
    let received = receive(&json!({}), &signed(NEW, &body), &body);
    assert!(matches!(received, Received::Unreadable(_)), "{received:?}");
}

#[test]
fn answers_say_what_was_done_and_why_not() {
    let taken = Taken { conversation: "c-9".into(), duplicate: true };
    let (status, body) = reply(&Came::Taken(&[Ok(taken)]));
    assert_eq!((status, &body["conversation"]), (StatusCode::OK, &json!("c-9")));
    let refused = |refusal: Refusal| reply(&Came::Taken(&[Err(IntakeError::from(refusal))]));
    for (refusal, status) in [
        (Refusal::UnknownConversation, 404),
        (Refusal::NotOwner, 409),
        (Refusal::Closed, 409),
        (Refusal::OnlyListens, 422),
        (Refusal::NoRoute, 422),
    ] {
        let (given, body) = refused(refusal);
        assert_eq!((given.as_u16(), &body["code"]), (status, &json!(refusal.code())));
        assert_eq!(body["detail"], refusal.to_string());
    }
    assert_eq!(reply(&Came::Denied(&Denied::Stale)).0, StatusCode::UNAUTHORIZED);
    assert_eq!(reply(&Came::TooLarge).0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reply(&Came::Unreadable("not JSON")).1["detail"], "not JSON");
}

fn encode(body: EventBody, settings: &Value, copy: bool) -> Result<Request, Unsendable> {
    let key = ConversationKey { channel: "shop".parse().unwrap(), customer: "+31 6".into() };
    let author = Author { role: AuthorRole::Customer, name: Some("Noor".into()) };
    let delivery = Delivery {
        id: "dlv_1".into(),
        key: key.clone(),
        conversation: "conv-1".into(),
        from: "shop".parse().unwrap(),
        to: Target { copy, ..Target::addressed(&connection(settings).as_party(), Role::Bot) },
        event: Event {
            channel: Some("WhatsApp".into()),
            ..Event::new(EventId::from_parts(&["m", "1"]), "+31 6", now(), author, body)
        },
        again: false,
        replay: false,
    };
    let session = Session::new("conv-1", Webhook.external_id(&delivery));
    let (connection, secrets) = (connection(settings), secrets());
    Webhook.encode(&Sending {
        connection: &connection,
        secrets: &secrets,
        session: Some(&session),
        delivery: &delivery,
        now: now(),
    })
}

fn handover(context: Map<String, Value>, recall: Recall) -> EventBody {
    EventBody::Handover { mode: Mode::Offer, reason: None, context, recall }
}

fn says(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

#[test]
fn a_message_goes_out_signed_with_every_live_secret() {
    let settings = json!({"message_url": "https://bot.example/m"});
    let request = encode(says("hi"), &settings, true).unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        json!({
            "id": "dlv_1", "timestamp": "2026-03-04T09:15:21.412Z", "conversation": "conv-1",
            "author": {"role": "customer", "name": "Noor"},
            "channel": {"connection": "shop", "name": "WhatsApp"},
            "copy": true, "type": "message", "data": {"text": "hi"},
        })
    );
    assert_eq!(request.url, "https://bot.example/m");
    assert_eq!(request.headers["webhook-id"], "dlv_1");
    let signature = request.headers["webhook-signature"].to_str().unwrap();
    for (secret, given) in [NEW, OLD].into_iter().zip(signature.split(' ')) {
        assert_eq!(sign(&[secret], "dlv_1", now(), &request.body).unwrap(), given);
    }
}

#[test]
fn each_kind_has_its_address() {
    let settings = json!({"message_url": "https://b.example/m", "handover_url": "https://b.example/h",
                          "events_url": "https://b.example/e"});
    let handover = || handover(Map::new(), Recall::default());
    let url = |body, settings| encode(body, settings, false).unwrap().url;
    assert_eq!(url(says("x"), &settings), "https://b.example/m");
    assert_eq!(url(handover(), &settings), "https://b.example/h");
    assert_eq!(url(EventBody::Typing { active: true }, &settings), "https://b.example/e");
    let only = json!({"message_url": "https://b.example/m"});
    assert_eq!(url(handover(), &only), "https://b.example/m");
}

#[test]
fn a_handover_takes_its_bodys_template() {
    let settings = json!({
        "message_url": "https://b.example/m", "auth": "bearer",
        "handover_body": r#"{"chatId":"$chatId","sessionId":"{{$sessionId}}","accountId":"$accountId","channel":"$channel","conversationHostId":"$conversationHostId","conversationClientId":"$conversationClientId","context":$context}"#,
    });
    let Value::Object(context) = json!({"why": "\"quoted\""}) else { unreachable!() };
    let request = encode(handover(context, Recall::default()), &settings, false).unwrap();
    assert_eq!(request.headers["authorization"], "Bearer t-new");
    assert!(!request.headers.contains_key("webhook-signature"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let expected = json!({"chatId": "conv-1", "sessionId": "conv-1", "accountId": "bot",
        "channel": "WhatsApp", "conversationHostId": "shop", "conversationClientId": "+31 6",
        "context": {"why": "\"quoted\""}});
    assert_eq!(body, expected);
}

#[test]
fn a_desk_is_told_what_was_said_before() {
    let line = Line {
        at: now(),
        author: Author { role: AuthorRole::Customer, name: None },
        content: Content::text("help"),
    };
    let recall = Recall { last: 5, lines: vec![line], ..Recall::default() };
    let settings = json!({"message_url": "https://b.example/m"});
    let request = encode(handover(Map::new(), recall), &settings, false).unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let line = json!({"timestamp": "2026-03-04T09:15:21.412Z", "author": {"role": "customer"},
                      "text": "help"});
    assert_eq!(body["data"], json!({"transcript": [line]}));
}

#[test]
fn a_receipt_names_the_message_as_its_sender_does() {
    let about = |connection: &str| {
        let connection = connection.parse().unwrap();
        Some(Reference { connection, message: "b-1".into() })
    };
    let settings = json!({"message_url": "https://b.example/m"});
    for (about, named) in [(about("bot"), "b-1"), (about("desk"), "wx-9"), (None, "wx-9")] {
        let (message, status) = ("wx-9".into(), ReceiptStatus::Read);
        let receipt = EventBody::Receipt { message, about, status, reason: None };
        let request = encode(receipt, &settings, false).unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["data"], json!({"message": named, "status": "read"}));
    }
}

#[test]
fn the_verbs_of_a_switchboard_mean_handovers_and_handbacks() {
    let received = |role: &str, kind: &str, data: Value| {
        let mut connection = connection(&json!({"auth": "bearer"}));
        connection.role = serde_json::from_value(json!(role)).unwrap();
        let body = json!({"id": "1", "timestamp": "2026-03-04T09:15:20Z", "conversation": "c",
                          "type": kind, "data": data})
        .to_string();
        let headers = headers(&[("authorization", "Bearer t-new")]);
        let (connection, secrets) = (&connection, &secrets());
        let (method, headers, body) = (&Method::POST, &headers, body.as_bytes());
        match Webhook.receive(&Call {
            connection,
            secrets,
            method,
            path: "",
            query: "",
            headers,
            body,
            now: now(),
        }) {
            Received::Events(mut events) => events.remove(0).body,
            other => panic!("{other:?}"),
        }
    };
    let mode = |body: EventBody| match body {
        EventBody::Handover { mode, .. } => mode,
        other => panic!("{other:?}"),
    };
    assert_eq!(mode(received("bot", "offer", json!({}))), Mode::Offer);
    assert_eq!(mode(received("bot", "pass", json!({"to": "desk"}))), Mode::Pass);
    assert_eq!(mode(received("bot", "release", json!({"reason": "done"}))), Mode::Offer);
    for (role, kind, to) in
        [("desk", "pass", "next"), ("desk", "offer", "bot"), ("channel", "pass", "bot")]
    {
        assert_eq!(received(role, kind, json!({"to": to})).kind(), "handback", "{role} {kind}");
    }
    assert_eq!(received("desk", "release", json!({})).kind(), "handback");
    assert_eq!(received("desk", "accept", json!({})), EventBody::Accept);
}
