//! Test helpers: a connection, calls from Unblu, and deliveries.

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use trunkline_core::model::{
    Author, AuthorRole, Connection, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    HandoverMode, Resend, Role, Target, Transcript,
};
use trunkline_core::platform::{Platform, PlatformSettings};
use trunkline_runtime::inbound::{
    Call, CallOutcome, Inbound, InboundError, Ingested, ParsedCall, Reply,
};
use trunkline_runtime::secrets::SecretBag;
use trunkline_unblu::{Settings, Unblu};

pub const SECRET: &str = "s3cr3t-shared-key";
pub const CHANNEL: &str = "cHaNnElIdExample0000001";

pub fn now() -> Timestamp {
    "2026-03-04T09:15:21.412Z".parse().unwrap()
}

pub fn connection(settings: &Value) -> Connection {
    let mut all = json!({"base_url": "https://unblu.cloud/app/rest/v4", "channel_id": CHANNEL});
    for (name, value) in settings.as_object().unwrap() {
        all[name] = value.clone();
    }
    let desk = json!({"id": "desk", "platform": "unblu", "role": "desk", "settings": all});
    let desk: Connection = serde_json::from_value(desk).unwrap();
    Connection { capabilities: Unblu::SPEC.capabilities, behaviour: Unblu::SPEC.behaviour, ..desk }
}

pub fn settings_of(connection: &Connection) -> Settings {
    Settings::parse(&connection.settings).unwrap()
}

pub fn secrets() -> SecretBag {
    let secrets = json!({
        "username": ["hub"], "password": ["pa:ss wörd"], "webhook_secret": ["the new one", SECRET],
    });
    serde_json::from_value(secrets).unwrap()
}

pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap();
    let bytes = mac.finalize().into_bytes();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

pub fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// Builds a call and passes it to `with`.
pub fn call<T>(
    settings: &Value,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
    with: impl FnOnce(&Call<'_, Settings>) -> T,
) -> T {
    let (connection, secrets) = (&connection(settings), &secrets());
    let (settings, now) = (&settings_of(connection), now());
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
        now,
    })
}

/// Parses a call and replies as the handler does if ingestion succeeds.
pub fn post(settings: &Value, headers: &HeaderMap, body: &[u8]) -> (ParsedCall, Reply) {
    call(settings, &Method::POST, headers, body, |call| {
        let received = Unblu.parse(call);
        let reply = match &received {
            ParsedCall::Reply(reply) => reply.clone(),
            ParsedCall::Events(events) => {
                let ingested = |event: &Event| {
                    let conversation = event.external_conversation_id.as_str().into();
                    Ok::<_, InboundError>(Ingested { conversation, duplicate: false })
                };
                let ingested: Vec<_> = events.iter().map(ingested).collect();
                Unblu.reply(call, &CallOutcome::Ingested(&ingested))
            }
            ParsedCall::Unreadable(why) => Unblu.reply(call, &CallOutcome::Unreadable(why)),
            ParsedCall::Denied(why) => Unblu.reply(call, &CallOutcome::Denied(why)),
        };
        (received, reply)
    })
}

pub const NEW_MESSAGE: (&str, &str) = ("x-unblu-event", "external_messenger.new_message");
pub const NEW_MESSAGE_REQUEST: (&str, &str) =
    ("x-unblu-service-name", "outbound.external_messenger.new_message");

pub fn post_signed_with(settings: &Value, name: (&str, &str), body: &str) -> (ParsedCall, Reply) {
    let signature = sign(SECRET, body.as_bytes());
    let headers = headers([name, ("x-unblu-signature-256", &signature)]);
    post(settings, &headers, body.as_bytes())
}

pub fn post_signed(name: (&str, &str), body: &str) -> (ParsedCall, Reply) {
    post_signed_with(&no_settings(), name, body)
}

pub fn answer(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

pub fn is_signed(reply: &Reply) -> bool {
    let signature = sign(SECRET, reply.body.as_bytes());
    reply.headers.contains(&("x-unblu-signature-256", signature))
}

pub fn no_settings() -> Value {
    json!({})
}

pub fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("an object") };
    map
}

/// A delivery to the desk, in the session that its handover opened.
pub fn delivery(id: &str, body: EventBody) -> Delivery {
    let desk = connection(&no_settings());
    let session_id = Some("handover-1".into());
    let to = Target { session_id, ..Target::addressed(&desk.as_party(), Role::Desk) };
    let author = Author { role: AuthorRole::Customer, name: Some("Ada Lovelace".into()) };
    Delivery {
        id: delivery_id(id).into(),
        key: ConversationKey { channel: "shop".parse().unwrap(), customer: "4711".into() },
        conversation: "conversation-1".into(),
        from: "shop".parse().unwrap(),
        to,
        event: Event::new(EventId::from_parts(&["e", id]), "4711", now(), author, body),
        filed_at: None,
        resend: Resend::No,
    }
}

/// A delivery's id.
pub fn delivery_id(id: &str) -> String {
    format!("dlv_{id:A<43}")
}

pub fn text_message(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

pub fn handover(reason: Option<&str>, context: Value, transcript: Transcript) -> EventBody {
    let reason = reason.map(Into::into);
    EventBody::Handover { mode: HandoverMode::Offer, reason, context: map(context), transcript }
}
