//! Calls to Webex Connect and the classification of its responses.

use crate::common::{connection, map, no_settings, now, secrets};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Choice, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    HandoverMode, Resend, Role, Session, Target, Transcript, Verdict,
};
use trunkline_core::platform::PlatformSettings;
use trunkline_core::rendering::render;
use trunkline_runtime::http_client::{HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{EncodeError, Outbound, SendContext};
use trunkline_runtime::secrets::SecretBag;
use trunkline_webex::{Settings, Webex, classify_response};

fn encode_with(
    body: EventBody,
    settings: Value,
    secrets: &SecretBag,
) -> Result<HttpRequest, EncodeError> {
    let key = ConversationKey { channel: "shop".parse().unwrap(), customer: "conv-8f0f".into() };
    let delivery = Delivery {
        id: "dlv_1".into(),
        key: key.clone(),
        conversation: "conversation-1".into(),
        from: "bot".parse().unwrap(),
        to: Target::addressed(&connection(no_settings()).as_party(), Role::Channel),
        event: Event::new(
            EventId::from_parts(&["e", "1"]),
            "conversation-1",
            now(),
            Author::nameless(AuthorRole::Bot),
            body,
        ),
        filed_at: None,
        resend: Resend::No,
    };
    let session = Session::new("conversation-1", Webex.choose_conversation_id(&delivery));
    let connection = connection(settings);
    Webex.encode(&SendContext {
        connection: &connection,
        settings: &Settings::parse(&connection.settings).unwrap(),
        secrets,
        session: Some(&session),
        delivery: &delivery,
        now: now(),
    })
}

fn sent(body: EventBody, settings: Value) -> Value {
    let request = encode_with(body, settings, &secrets()).unwrap();
    serde_json::from_slice(&request.body).unwrap()
}

/// Shows W16, W25.
#[test]
fn encodes_a_reply_as_1001_in_the_exact_spelling() {
    let body = EventBody::Message {
        content: Content::text("Your parcel will arrive tomorrow."),
        metadata: map(json!({"intent": "track_order", "confidence": 0.93})),
    };
    assert_eq!(
        sent(body, no_settings()),
        json!({
            "eventid": "1001",
            "conversation_id": "conv-8f0f",
            "message": "Your parcel will arrive tomorrow.",
            "Messagetype": "text",
            "Timestamp": "2026-03-04 09:15:21.412",
            "customparam1": "confidence=0.93",
            "customparam2": "intent=track_order",
        })
    );
}

#[test]
fn encodes_choices_as_numbered_text_and_customparams() {
    let choice = |id: &str, title: &str| Choice { id: id.into(), title: title.into() };
    let content = Content {
        choices: vec![choice("A", "Red"), choice("B", "Blue")],
        ..Content::text("Which one?")
    };
    let body = EventBody::Message { content, metadata: map(json!({})) };
    let channel = Target::addressed(&connection(no_settings()).as_party(), Role::Channel);
    let author = Author::nameless(AuthorRole::Bot);
    let event = Event::new(EventId::from_parts(&["e", "1"]), "conversation-1", now(), author, body);
    let sent = sent(render(&event, &channel).remove(0).body, no_settings());
    assert_eq!(sent["message"], "Which one?\n1. Red\n2. Blue");
    assert_eq!(
        (&sent["customparam1"], &sent["customparam2"]),
        (&json!("choice1=A"), &json!("choice2=B"))
    );
}

/// Shows W13, W26, W29.
#[test]
fn encodes_a_handover_as_1002_with_reason_and_context() {
    let body = EventBody::Handover {
        mode: HandoverMode::Offer,
        transcript: Transcript::default(),
        reason: Some("customer_asked".into()),
        context: map(json!({"language": "nl", "summary": "Wants to return order 48121"})),
    };
    assert_eq!(
        sent(body, no_settings()),
        json!({
            "eventid": "1002",
            "conversation_id": "conv-8f0f",
            "Timestamp": "2026-03-04 09:15:21.412",
            "customparam1": "reason=customer_asked",
            "customparam2": "language=nl",
            "customparam3": "summary=Wants to return order 48121",
            "customparam4": "trunkline_conversation=conv-8f0f",
        })
    );
}

/// Shows W26, W28.
#[test]
fn event_names_come_from_the_settings() {
    let settings =
        json!({"event_key": "event_type", "handover_event": "handover", "close_event": "closed"});
    let handover = EventBody::Handover {
        mode: HandoverMode::Offer,
        transcript: Transcript::default(),
        reason: None,
        context: map(json!({})),
    };
    assert_eq!(sent(handover, settings.clone())["event_type"], "handover");
    let close = || EventBody::Close { reason: Some("done".into()) };
    let sent = sent(close(), settings);
    assert_eq!(
        (&sent["event_type"], &sent["customparam1"]),
        (&json!("closed"), &json!("reason=done"))
    );
    let undocumented = encode_with(close(), no_settings(), &secrets());
    assert!(
        matches!(undocumented, Err(EncodeError::Unsupported(_))),
        "the vendor documents no close event"
    );
}

/// Shows W21.
#[test]
fn uses_the_secret_url_and_headers() {
    let message = || EventBody::Message { content: Content::text("x"), metadata: map(json!({})) };
    let request = encode_with(message(), no_settings(), &secrets()).unwrap();
    assert_eq!(request.url, "https://hooks.example.net/events/abc");
    assert_eq!(request.headers["key"], "service-key");
    assert!(
        !format!("{:?}", request.headers).contains("service-key"),
        "debug output hides secrets"
    );
    let without = encode_with(message(), no_settings(), &SecretBag::default());
    assert!(matches!(without, Err(EncodeError::Misconfigured(_))));
}

fn response(status: u16, body: &str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap();
    HttpResponse { status, headers: HeaderMap::new(), body: body.into() }
}

/// Shows W24.
#[test]
fn the_id_of_a_sent_message_is_found_in_the_response() {
    let id = |body: &str, member: Option<&str>| {
        classify_response(&response(200, body), member).external_message_id
    };
    for (body, expected) in [
        (r#"{"messageId":"m-9"}"#, Some("m-9")),
        (r#"{"response":[{"code":"1002","transid":"t-1"}]}"#, Some("t-1")),
        (r#"{"data":{"id":"x","message_id":7}}"#, Some("7")),
        (r#"{"tid":"","id":"i-1"}"#, Some("i-1")),
        ("\u{feff}{\"tid\":\"t-2\"}", Some("t-2")),
        (r#"{"code":"1002","description":"Queued"}"#, None),
        ("OK", None),
    ] {
        assert_eq!(id(body, None), expected.map(Into::into), "{body}");
    }
    let named = r#"{"id":"x","result":{"Correlation-Id":"c-1"}}"#;
    assert_eq!(id(named, Some("correlationId")), Some("c-1".into()));
    assert_eq!(id(r#"{"id":"x"}"#, Some("correlationId")), None);
    assert_eq!(classify_response(&response(500, r#"{"id":"x"}"#), None).external_message_id, None);
}

/// Shows W24.
#[test]
fn a_reply_carries_its_own_id_in_a_parameter_if_the_operator_names_one() {
    let body = || EventBody::Message { content: Content::text("x"), metadata: map(json!({})) };
    let sent = sent(body(), json!({"message_id_param": "message"}));
    assert_eq!(sent["customparam1"], "message=dlv_1");
    assert!(self::sent(body(), no_settings()).get("customparam1").is_none());
}

/// Shows W29.
#[test]
fn a_handover_names_its_conversation_only_if_a_parameter_is_set() {
    let handover = || EventBody::Handover {
        mode: HandoverMode::Offer,
        transcript: Transcript::default(),
        reason: None,
        context: map(json!({})),
    };
    assert_eq!(
        sent(handover(), json!({"conversation_param": "thread"}))["customparam1"],
        "thread=conv-8f0f"
    );
    assert!(sent(handover(), json!({"conversation_param": ""})).get("customparam1").is_none());
}

#[test]
fn classifies_an_error_code_within_http_200() {
    use Verdict::{Delivered, Permanent, Retryable};

    let classify = |status: u16, body: &str| classify_response(&response(status, body), None);
    for (status, body, verdict) in [
        (200, "", Delivered),
        (200, "OK", Delivered),
        (200, r#"{"response":[{"code":"1002","description":"Queued"}]}"#, Delivered),
        (200, r#"{"response":[{"code":"7001","description":"Authentication failed"}]}"#, Permanent),
        (200, r#"{"response":{"code":7008}}"#, Permanent),
        (200, r#"{"code":"7005","description":"Internal error"}"#, Retryable),
        (200, r#"[{"code":"7020"}]"#, Retryable),
        (503, r#"{"code":"7007"}"#, Retryable),
        (500, "", Retryable),
        (400, "", Permanent),
        (413, "430", Permanent),
    ] {
        assert_eq!(classify(status, body).verdict, verdict, "{status} {body}");
    }
    let failed =
        classify(200, r#"{"response":[{"code":"7001","description":"Authentication failed"}]}"#);
    let reason = "Webex Connect answered code 7001: Authentication failed";
    assert_eq!(failed.reason.as_deref(), Some(reason));
    assert_eq!(classify(200, r#"{"messageId":"m-9"}"#).external_message_id, Some("m-9".into()));
}
