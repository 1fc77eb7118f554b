//! Connections, calls and deliveries, shared by the tests.

use http::{HeaderMap, HeaderName, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Connection, ConnectionId, Content, ConversationKey, Delivery, Event,
    EventBody, EventId, Feature, PresentationOptions, Resend, Role, Session, Target,
};
use trunkline_core::platform::{Platform, PlatformSettings};
use trunkline_runtime::inbound::{Call, Inbound, ParsedCall};
use trunkline_runtime::outbound::SendContext;
use trunkline_runtime::secrets::SecretBag;
use trunkline_servisbot::{Servisbot, Settings};

pub fn now() -> Timestamp {
    "2026-03-04T09:15:21.412Z".parse().unwrap()
}

pub fn connection(role: &str, settings: &Value) -> Connection {
    let connection =
        json!({"id": "sb", "platform": "servisbot", "role": role, "settings": settings});
    let connection: Connection = serde_json::from_value(connection).unwrap();
    let (capabilities, behaviour) = (Servisbot::SPEC.capabilities, Servisbot::SPEC.behaviour);
    Connection { capabilities, behaviour, ..connection }
}

pub fn parsed(settings: &Value) -> Settings {
    Settings::parse(settings.as_object().unwrap()).unwrap()
}

pub fn secrets() -> SecretBag {
    let mut secrets = SecretBag::default();
    let two = |newest: &str, oldest: &str| vec![newest.to_owned(), oldest.to_owned()];
    secrets.set("engagement_secret", two("engage-7d1f", "engage-old"));
    secrets.set("api_key", two("eventing-key-51", "myApiKey"));
    secrets.set("jwt_secret", two("eventing-secret-4c1b0f8f7f0e4d3c", "jwt-old"));
    secrets
}

/// Parses a call from ServisBOT.
pub fn parse_call(
    platform: &Servisbot,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    settings: &Value,
) -> ParsedCall {
    let (connection, secrets) = (connection("bot", settings), secrets());
    let pair = |(name, value): &(&str, &str)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())
    };
    let headers: HeaderMap = headers.iter().map(pair).collect();
    platform.parse(&Call {
        connection: &connection,
        settings: &parsed(settings),
        secrets: &secrets,
        method: &Method::POST,
        path,
        query: "",
        headers: &headers,
        body,
        received_body: body,
        now: now(),
    })
}

pub const WITH_KEY: &[(&str, &str)] = &[("authorization", "ApiKey eventing-key-51")];
pub const WITH_BEARER: &[(&str, &str)] = &[("authorization", "Bearer engage-7d1f")];

pub fn events(received: ParsedCall) -> Vec<Event> {
    match received {
        ParsedCall::Events(events) => events,
        other => panic!("{other:?}"),
    }
}

/// Parses an eventing call into its event.
pub fn event(body: &str, settings: &Value) -> Event {
    let received = parse_call(&Servisbot::default(), "", WITH_KEY, body.as_bytes(), settings);
    events(received).remove(0)
}

/// The connection whose calls [`event`] parses.
pub fn connection_id() -> ConnectionId {
    "sb".parse().unwrap()
}

pub fn eventing() -> Value {
    json!({"replies": "eventing"})
}

pub fn content(event: &Event) -> &Content {
    match &event.body {
        EventBody::Message { content, .. } => content,
        other => panic!("{other:?}"),
    }
}

pub fn text_message(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

pub fn delivery(role: Role, author: AuthorRole, body: EventBody) -> Delivery {
    let name = if role == Role::Bot { "bot" } else { "observer" };
    let mut connection = connection(name, &json!({}));
    if role == Role::Observer {
        let shows = vec![Feature::Choices, Feature::Media];
        connection.presentation = PresentationOptions { shows, ..PresentationOptions::default() };
    }
    let to = Target::addressed(&connection.as_party(), role);
    let key = ConversationKey { channel: "shop".parse().unwrap(), customer: "+31 6 1".into() };
    let from = if author == AuthorRole::Customer { "shop" } else { "bot" }.parse().unwrap();
    let id = EventId::from_parts(&["m", "1"]);
    Delivery {
        id: Delivery::make_id(&key, &from, &id, &to),
        key,
        conversation: CONVERSATION.into(),
        from,
        to,
        event: Event::new(id, "+31 6 1", now(), Author::nameless(author), body),
        filed_at: None,
        resend: Resend::No,
    }
}

pub const CONVERSATION: &str = "0199c6c2-4a11-7d5e-9a51-52b0d3d3e0aa";

/// Builds the send context of a delivery and passes it to `with`.
pub fn sending<T>(
    delivery: &Delivery,
    settings: &Value,
    with: impl FnOnce(&SendContext<'_, Settings>) -> T,
) -> T {
    let role = if delivery.to.role == Role::Bot { "bot" } else { "observer" };
    let (connection, secrets) = (connection(role, settings), secrets());
    let session = Session::new(CONVERSATION, CONVERSATION);
    with(&SendContext {
        connection: &connection,
        settings: &parsed(settings),
        secrets: &secrets,
        session: Some(&session),
        delivery,
        now: now(),
    })
}
