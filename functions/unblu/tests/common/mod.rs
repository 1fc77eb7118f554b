//! A connection, a call of Unblu's, and a delivery to send.
#![allow(dead_code, reason = "each test binary uses its part")]

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use trunkline_shared::inbound::{
    Call, Inbound, IntakeError, Received, Reply, Result as Came, Taken,
};
use trunkline_shared::model::{
    Author, AuthorRole, Connection, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    Mode, Recall, Role, Target,
};
use trunkline_shared::secrets::SecretBag;
use trunkline_unblu::Unblu;

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
    serde_json::from_value(desk).unwrap()
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

/// Makes a call and hands it to `with`.
pub fn call<T>(
    settings: &Value,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
    with: impl FnOnce(&Call<'_>) -> T,
) -> T {
    let (connection, secrets) = (&connection(settings), &secrets());
    with(&Call { connection, secrets, method, path: "", query: "", headers, body, now: now() })
}

/// Receives a signed call, and answers it as the shell does where everything is taken.
pub fn post(settings: &Value, headers: &HeaderMap, body: &[u8]) -> (Received, Reply) {
    call(settings, &Method::POST, headers, body, |call| {
        let received = Unblu.receive(call);
        let reply = match &received {
            Received::Answered(reply) => reply.clone(),
            Received::Events(events) => {
                let taken = |event: &Event| {
                    let conversation = event.conversation.clone();
                    Ok::<_, IntakeError>(Taken { conversation, duplicate: false })
                };
                let taken: Vec<_> = events.iter().map(taken).collect();
                Unblu.reply(call, &Came::Taken(&taken))
            }
            Received::Unreadable(why) => Unblu.reply(call, &Came::Unreadable(why)),
            Received::Denied(why) => Unblu.reply(call, &Came::Denied(why)),
        };
        (received, reply)
    })
}

pub const NEW_MESSAGE: (&str, &str) = ("x-unblu-event", "external_messenger.new_message");
pub const NEW_MESSAGE_REQUEST: (&str, &str) =
    ("x-unblu-service-name", "outbound.external_messenger.new_message");

pub fn told_with(settings: &Value, name: (&str, &str), body: &str) -> (Received, Reply) {
    let signature = sign(SECRET, body.as_bytes());
    let headers = headers([name, ("x-unblu-signature-256", &signature)]);
    post(settings, &headers, body.as_bytes())
}

pub fn told(name: (&str, &str), body: &str) -> (Received, Reply) {
    told_with(&no_settings(), name, body)
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

/// A delivery to the desk, in the conversation that its handover opened.
pub fn delivery(id: &str, body: EventBody) -> Delivery {
    let desk = connection(&no_settings());
    let conversation = Some("handover-1".to_owned());
    let to = Target { conversation, ..Target::addressed(&desk.as_party(), Role::Desk) };
    let author = Author { role: AuthorRole::Customer, name: Some("Ada Lovelace".into()) };
    Delivery {
        id: delivery_id(id),
        key: ConversationKey { channel: "shop".parse().unwrap(), customer: "4711".into() },
        conversation: "ours-1".into(),
        from: "shop".parse().unwrap(),
        to,
        event: Event::new(EventId::from_parts(&["e", id]), "4711", now(), author, body),
        again: false,
        replay: false,
    }
}

/// An id as deliveries have them.
pub fn delivery_id(id: &str) -> String {
    format!("dlv_{id:A<43}")
}

pub fn says(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

pub fn handover(reason: Option<&str>, context: Value, recall: Recall) -> EventBody {
    let reason = reason.map(Into::into);
    EventBody::Handover { mode: Mode::Offer, reason, context: map(context), recall }
}
