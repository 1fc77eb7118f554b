//! Inbound and outbound calls: authentication, responses and URLs.

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Connection, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    HandoverMode, MessageReference, ReceiptStatus, Resend, Role, Session, Target, Transcript,
    TranscriptEntry,
};
use trunkline_core::platform::{Platform, PlatformSettings};
use trunkline_core::routing::Refusal;
use trunkline_runtime::http_client::HttpRequest;
use trunkline_runtime::inbound::{Call, CallOutcome, Inbound, InboundError, Ingested, ParsedCall};
use trunkline_runtime::outbound::{EncodeError, Outbound, SendContext};
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::security::{AuthError, sign};
use trunkline_webhook::{Settings, Webhook};

const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> Timestamp {
    "2026-03-04T09:15:21.412Z".parse().unwrap()
}

fn connection(settings: &Value) -> Connection {
    let mut settings = settings.clone();
    if settings.get("message_url").is_none() {
        settings["message_url"] = json!("https://bot.example/m");
    }
    let bot = json!({"id": "bot", "platform": "webhook", "role": "bot", "settings": settings});
    let bot: Connection = serde_json::from_value(bot).unwrap();
    let (capabilities, behaviour) = (Webhook::SPEC.capabilities, Webhook::SPEC.behaviour);
    Connection { capabilities, behaviour, ..bot }
}

fn secrets() -> SecretBag {
    serde_json::from_value(json!({
        "signing": [NEW, OLD], "bearer": ["t-new", "t-old"], "api_key": ["k-1"],
    }))
    .unwrap()
}

/// Builds a POST and passes it to `with`.
fn call<T>(
    connection: &Connection,
    headers: &HeaderMap,
    body: &str,
    with: impl FnOnce(&Call<'_, Settings>) -> T,
) -> T {
    let settings = &Settings::parse(&connection.settings).unwrap();
    let (secrets, method, body) = (&secrets(), &Method::POST, body.as_bytes());
    with(&Call {
        connection,
        settings,
        secrets,
        method,
        path: "",
        query: "",
        headers,
        body,
        received_body: body,
        now: now(),
    })
}

fn receive(settings: &Value, headers: &HeaderMap, body: &str) -> ParsedCall {
    call(&connection(settings), headers, body, |call| Webhook.parse(call))
}

fn reply(result: &CallOutcome<'_>) -> (StatusCode, Value) {
    let headers = HeaderMap::new();
    let reply = call(&connection(&json!({})), &headers, "", |call| Webhook.reply(call, result));
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
fn accepts_every_live_secret_and_no_other() {
    let body = message("hi");
    for secret in [OLD, NEW] {
        let received = receive(&json!({}), &signed(secret, &body), &body);
        let ParsedCall::Events(events) = received else { panic!("{received:?}") };
        assert_eq!(
            events[0].author.role,
            AuthorRole::Bot,
            "the default author of a bot connection"
        );
    }
    let unknown_secret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let denied = receive(&json!({}), &signed(unknown_secret, &body), &body);
    assert_eq!(denied, ParsedCall::Denied(AuthError::Mismatch));
    let tampered = receive(&json!({}), &signed(OLD, &body), &message("ho"));
    assert_eq!(tampered, ParsedCall::Denied(AuthError::Mismatch));
}

#[test]
fn accepts_bearer_and_api_key_instead_of_a_signature() {
    let body = message("hi");
    let (bearer, key) =
        (json!({"auth": "bearer"}), json!({"auth": "api_key", "api_key_header": "x-our-key"}));
    let is_accepted = |settings: &Value, headers: HeaderMap| {
        matches!(receive(settings, &headers, &body), ParsedCall::Events(_))
    };
    assert!(is_accepted(&bearer, headers(&[("authorization", "Bearer t-new")])));
    assert!(is_accepted(&bearer, headers(&[("authorization", "bearer t-old")])));
    assert!(!is_accepted(&bearer, headers(&[("authorization", "Basic t-new")])));
    assert!(!is_accepted(&bearer, headers(&[("authorization", "Bearer nope")])));
    assert!(!is_accepted(&bearer, signed(NEW, &body)));
    assert!(is_accepted(&key, headers(&[("x-our-key", "k-1")])));
    assert!(!is_accepted(&key, headers(&[("x-our-key", "k-2")])));
    assert!(!is_accepted(&key, headers(&[("x-api-key", "k-1")])));
}

/// Shows input 17.
#[test]
fn tries_every_value_of_a_header() {
    let (body, bearer) = (message("hi"), json!({"auth": "bearer"}));
    let key = json!({"auth": "api_key", "api_key_header": "x-our-key"});
    let receive = |settings: &Value, name: &'static str, values: &[&str]| {
        let pairs = values
            .iter()
            .map(|value| (http::HeaderName::from_static(name), value.parse().unwrap()));
        receive(settings, &pairs.collect(), &body)
    };
    for values in [
        &["Bearer nope", "Bearer t-new"][..],
        &["Bearer nope, Bearer t-new"],
        &["Bearer t-new,Basic x"],
    ] {
        let received = receive(&bearer, "authorization", values);
        assert!(matches!(received, ParsedCall::Events(_)), "{values:?}: {received:?}");
    }
    for values in [&["k-2", "k-1"][..], &["k-2,k-1"]] {
        let received = receive(&key, "x-our-key", values);
        assert!(matches!(received, ParsedCall::Events(_)), "{values:?}: {received:?}");
    }
    let denied = receive(&key, "x-our-key", &["k-2,k-3", "", "k-"]);
    assert_eq!(denied, ParsedCall::Denied(AuthError::Mismatch));
}

fn event(body: &str) -> trunkline_core::model::Event {
    let headers = headers(&[("x-api-key", "k-1")]);
    let settings = json!({"auth": "api_key"});
    let received = receive(&settings, &headers, body);
    let ParsedCall::Events(events) = received else { panic!("{received:?}") };
    events.into_iter().next().unwrap()
}

/// Shows input 11.
#[test]
fn an_explicit_null_is_a_member_that_is_left_out() {
    let envelope = |rest: &str| {
        format!(r#"{{"id":"n-1","timestamp":"2026-03-04T09:15:20Z","conversation":"c"{rest}}}"#)
    };
    for (nulls, absent) in [
        (
            r#","author":null,"channel":null,"language":null,"copy":null,"type":"message","data":{"text":"hi","reply_to":null,"format":null,"media":null,"cards":null,"location":null,"contact":null,"choices":null,"metadata":null}"#,
            r#","type":"message","data":{"text":"hi"}"#,
        ),
        (
            r#","type":"message","data":{"media":[{"url":"https://x.example/a","mime_type":null,"name":null}],"cards":[{"title":"a","format":null,"picture":null,"actions":null}]}"#,
            r#","type":"message","data":{"media":[{"url":"https://x.example/a"}],"cards":[{"title":"a"}]}"#,
        ),
        (r#","type":"accept","data":null"#, r#","type":"accept""#),
        (r#","type":"close","data":null"#, r#","type":"close","data":{}"#),
        (r#","type":"close","data":{"reason":null}"#, r#","type":"close""#),
        (
            r#","type":"offer","data":{"to":null,"reason":null,"context":null}"#,
            r#","type":"offer""#,
        ),
        (
            r#","type":"choice","data":{"id":"1","title":null,"typed":null}"#,
            r#","type":"choice","data":{"id":"1"}"#,
        ),
    ] {
        assert_eq!(event(&envelope(nulls)), event(&envelope(absent)), "{nulls}");
    }
    // The original JSON of an opaque event is kept as it is.
    let opaque =
        envelope(r#","type":"opaque","data":{"name":"x","is_message":null,"raw":{"a":null}}"#);
    let EventBody::Opaque { raw, .. } = event(&opaque).body else { panic!("{opaque}") };
    assert_eq!(raw, json!({"a": null}));
    let message = envelope(r#","type":"message","data":{"text":"x","metadata":{"a":null}}"#);
    let EventBody::Message { metadata, .. } = event(&message).body else { panic!("{message}") };
    assert_eq!(metadata.get("a"), Some(&Value::Null));
}

/// Shows input 8. Shows input 10.
#[test]
fn reads_half_an_emoji_and_a_byte_order_mark() {
    let body = message("Great!").replace("Great!", r"Great \ud83d");
    let EventBody::Message { content, .. } = event(&format!("\u{feff}{body}")).body else {
        panic!("a message")
    };
    assert_eq!(content.text.as_deref(), Some("Great \u{fffd}"));
}

#[test]
fn answers_a_verification_with_its_challenge() {
    let body = message("x").replace(r#""type":"message""#, r#""type":"verification""#);
    let body = body.replace(r#"{"text":"x"}"#, r#"{"challenge":"abc"}"#);
    let received = receive(&json!({}), &signed(NEW, &body), &body);
    let ParsedCall::Reply(reply) = received else { panic!("{received:?}") };
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, r#"{"challenge":"abc"}"#));
    assert!(matches!(receive(&json!({}), &HeaderMap::new(), &body), ParsedCall::Denied(_)));
}

#[test]
fn an_empty_message_is_unreadable() {
    let body = message(" ");
    let received = receive(&json!({}), &signed(NEW, &body), &body);
    assert!(matches!(received, ParsedCall::Unreadable(_)), "{received:?}");
}

#[test]
fn responses_state_the_result_or_the_reason() {
    let taken = Ingested { conversation: "c-9".into(), duplicate: true };
    let (status, body) = reply(&CallOutcome::Ingested(&[Ok(taken)]));
    assert_eq!((status, &body["conversation"]), (StatusCode::OK, &json!("c-9")));
    let refused =
        |refusal: Refusal| reply(&CallOutcome::Ingested(&[Err(InboundError::from(refusal))]));
    for (refusal, status) in [
        (Refusal::UnknownConversation, 404),
        (Refusal::NotOwner, 409),
        (Refusal::Closed, 409),
        (Refusal::ObserverCannotSend, 422),
        (Refusal::NoRoute, 422),
    ] {
        let (given, body) = refused(refusal);
        assert_eq!((given.as_u16(), &body["code"]), (status, &json!(refusal.code())));
        assert_eq!(body["detail"], refusal.to_string());
    }
    assert_eq!(
        reply(&CallOutcome::Denied(&AuthError::TimestampOutOfTolerance)).0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(reply(&CallOutcome::TooLarge).0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reply(&CallOutcome::Unreadable("not JSON")).1["detail"], "not JSON");
}

fn encode(body: EventBody, settings: &Value, copy: bool) -> Result<HttpRequest, EncodeError> {
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
        filed_at: None,
        resend: Resend::No,
    };
    let session = Session::new("conv-1", Webhook.choose_conversation_id(&delivery));
    let (connection, secrets) = (connection(settings), secrets());
    Webhook.encode(&SendContext {
        connection: &connection,
        settings: &Settings::parse(&connection.settings).unwrap(),
        secrets: &secrets,
        session: Some(&session),
        delivery: &delivery,
        now: now(),
    })
}

fn handover(context: Map<String, Value>, transcript: Transcript) -> EventBody {
    EventBody::Handover { mode: HandoverMode::Offer, reason: None, context, transcript }
}

fn message_body(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

#[test]
fn signs_messages_with_every_live_secret() {
    let settings = json!({"message_url": "https://bot.example/m"});
    let request = encode(message_body("hi"), &settings, true).unwrap();
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
fn selects_the_url_by_event_type() {
    let settings = json!({"message_url": "https://b.example/m", "handover_url": "https://b.example/h",
                          "events_url": "https://b.example/e"});
    let handover = || handover(Map::new(), Transcript::default());
    let url = |body, settings| encode(body, settings, false).unwrap().url;
    assert_eq!(url(message_body("x"), &settings), "https://b.example/m");
    assert_eq!(url(handover(), &settings), "https://b.example/h");
    assert_eq!(url(EventBody::Typing { active: true }, &settings), "https://b.example/e");
    let only = json!({"message_url": "https://b.example/m"});
    assert_eq!(url(handover(), &only), "https://b.example/m");
}

#[test]
fn renders_the_handover_body_template() {
    let settings = json!({
        "message_url": "https://b.example/m", "auth": "bearer",
        "handover_body": r#"{"chatId":"$chatId","sessionId":"{{$sessionId}}","accountId":"$accountId","channel":"$channel","conversationHostId":"$conversationHostId","conversationClientId":"$conversationClientId","context":$context}"#,
    });
    let Value::Object(context) = json!({"why": "\"quoted\""}) else { unreachable!() };
    let request = encode(handover(context, Transcript::default()), &settings, false).unwrap();
    assert_eq!(request.headers["authorization"], "Bearer t-new");
    assert!(!request.headers.contains_key("webhook-signature"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let expected = json!({"chatId": "conv-1", "sessionId": "conv-1", "accountId": "bot",
        "channel": "WhatsApp", "conversationHostId": "shop", "conversationClientId": "+31 6",
        "context": {"why": "\"quoted\""}});
    assert_eq!(body, expected);
}

#[test]
fn sends_the_transcript_to_a_desk() {
    let line = TranscriptEntry {
        at: now(),
        author: Author { role: AuthorRole::Customer, name: None },
        content: Content::text("help"),
    };
    let recall = Transcript { limit: 5, entries: vec![line], ..Transcript::default() };
    let settings = json!({"message_url": "https://b.example/m"});
    let request = encode(handover(Map::new(), recall), &settings, false).unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let line = json!({"timestamp": "2026-03-04T09:15:21.412Z", "author": {"role": "customer"},
                      "text": "help"});
    assert_eq!(body["data"], json!({"transcript": [line]}));
}

#[test]
fn a_receipt_uses_the_message_id_of_the_receiver() {
    let about = |connection: &str| {
        let connection = connection.parse().unwrap();
        Some(MessageReference { connection, message: "b-1".into() })
    };
    let settings = json!({"message_url": "https://b.example/m"});
    for (about, named) in [(about("bot"), "b-1"), (about("desk"), "wx-9"), (None, "wx-9")] {
        let (message, status) = ("wx-9".into(), ReceiptStatus::Read);
        let receipt = EventBody::Receipt { message, target: about, status, reason: None };
        let request = encode(receipt, &settings, false).unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["data"], json!({"message": named, "status": "read"}));
    }
}

#[test]
fn offer_pass_and_release_become_handovers_and_handbacks() {
    let received = |role: &str, kind: &str, data: Value| {
        let mut connection = connection(&json!({"auth": "bearer"}));
        connection.role = serde_json::from_value(json!(role)).unwrap();
        let body = json!({"id": "1", "timestamp": "2026-03-04T09:15:20Z", "conversation": "c",
                          "type": kind, "data": data})
        .to_string();
        let headers = headers(&[("authorization", "Bearer t-new")]);
        match call(&connection, &headers, &body, |call| Webhook.parse(call)) {
            ParsedCall::Events(mut events) => events.remove(0).body,
            other => panic!("{other:?}"),
        }
    };
    let mode = |body: EventBody| match body {
        EventBody::Handover { mode, .. } => mode,
        other => panic!("{other:?}"),
    };
    assert_eq!(mode(received("bot", "offer", json!({}))), HandoverMode::Offer);
    assert_eq!(mode(received("bot", "pass", json!({"to": "desk"}))), HandoverMode::Pass);
    assert_eq!(mode(received("bot", "release", json!({"reason": "done"}))), HandoverMode::Offer);
    for (role, kind, to) in
        [("desk", "pass", "next"), ("desk", "offer", "bot"), ("channel", "pass", "bot")]
    {
        assert_eq!(received(role, kind, json!({"to": to})).kind(), "handback", "{role} {kind}");
    }
    assert_eq!(received("desk", "release", json!({})).kind(), "handback");
    assert_eq!(received("desk", "accept", json!({})), EventBody::Accept);
}
