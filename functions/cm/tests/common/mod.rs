//! Connections, calls and deliveries, shared by the tests.

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_cm::{Cm, Settings};
use trunkline_core::model::{
    Author, AuthorRole, Connection, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    Resend, Role, Session, Target,
};
use trunkline_core::platform::{Platform, PlatformSettings};
use trunkline_core::rendering::render;
use trunkline_runtime::inbound::{Call, Inbound, ParsedCall};
use trunkline_runtime::outbound::SendContext;
use trunkline_runtime::secrets::SecretBag;

pub const TOKEN: &str = "00000000-0000-0000-0000-000000000000";
pub const SECRET: &str = "a secret of 24 characters";
pub const CHAT: &str = "5f1d3c0a-9f53-4c57-9a0e-4e6b5b1d2a77";
pub const ADAPTER: &str = "7d1c2a94-3f0b-4e0d-8f5d-0a9d5c1e7b22";
pub const SEND_URL: &str = "https://api.conversational.cm.com/conversational/twoway/v2/accounts/0b3f6f9e-6a51-4a0e-9a4b-2f0c6a6a1d11/adapters/7d1c2a94-3f0b-4e0d-8f5d-0a9d5c1e7b22";

pub fn now() -> Timestamp {
    "2026-03-04T09:15:27.120Z".parse().unwrap()
}

pub fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("an object") };
    map
}

pub fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A connection in a role, with additional settings.
pub fn connection(role: &str, settings: Value) -> Connection {
    let mut all = map(json!({"send_url": SEND_URL}));
    all.extend(map(settings));
    let shows = all.remove("shows").unwrap_or(json!([]));
    let id = if role == "channel" { "shop" } else { role };
    let connection: Connection = serde_json::from_value(json!({
        "id": id, "platform": "cm", "role": role, "settings": all, "presentation": {"shows": shows},
    }))
    .unwrap();
    Connection { capabilities: Cm::SPEC.capabilities, behaviour: Cm::SPEC.behaviour, ..connection }
}

/// The settings of a connection.
pub fn settings_of(connection: &Connection) -> Settings {
    Settings::parse(&connection.settings).unwrap()
}

/// The secrets, with or without the shared secret.
pub fn secrets(shared: bool) -> SecretBag {
    let mut secrets = SecretBag::default();
    secrets.set("product_token", vec![TOKEN.into()]);
    if shared {
        secrets.set("shared_secret", vec![SECRET.into(), "the previous secret, still live".into()]);
    }
    secrets
}

/// The parameters of a call.
pub struct TestCall<'a> {
    pub role: &'a str,
    pub settings: Value,
    pub has_shared_secret: bool,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: HeaderMap,
}

/// A call to a channel without a shared secret.
pub fn channel_call() -> TestCall<'static> {
    let headers = HeaderMap::new();
    TestCall {
        role: "channel",
        settings: json!({}),
        has_shared_secret: false,
        path: "",
        query: "",
        headers,
    }
}

impl TestCall<'_> {
    /// Builds the call and passes it to `with`.
    pub fn call<T>(&self, body: &[u8], with: impl FnOnce(&Call<'_, Settings>) -> T) -> T {
        let (connection, secrets) =
            (&connection(self.role, self.settings.clone()), &secrets(self.has_shared_secret));
        let (method, headers) = (&Method::POST, &self.headers);
        let (path, query) = (self.path, self.query);
        let (settings, now) = (&settings_of(connection), now());
        with(&Call {
            connection,
            settings,
            secrets,
            method,
            path,
            query,
            headers,
            body,
            received_body: body,
            now,
        })
    }

    pub fn receive(&self, body: &[u8]) -> ParsedCall {
        self.call(body, |call| Cm.parse(call))
    }

    /// The events of a call.
    pub fn events(&self, body: &[u8]) -> Vec<Event> {
        match self.receive(body) {
            ParsedCall::Events(events) => events,
            other => panic!("{other:?}"),
        }
    }

    /// The one event of a call.
    pub fn event(&self, body: &[u8]) -> Event {
        let mut events = self.events(body);
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

pub const MESSAGE: &str = include_str!("../../fixtures/message.json");
pub const HANDOVER: &str = include_str!("../../fixtures/handover.json");
pub const EMPTY_CONTEXT: &str = include_str!("../../fixtures/handover-empty-context.txt");
pub const ENDED: &str = include_str!("../../fixtures/session-ended.json");
pub const ENDED_FLAT: &str = include_str!("../../fixtures/session-ended-flat.json");
pub const REPLY: &str = include_str!("../../fixtures/host-reply.json");

/// A call without a shared secret in a role and at an endpoint.
pub fn at<'a>(role: &'a str, path: &'a str) -> TestCall<'a> {
    TestCall { role, path, ..channel_call() }
}

/// A call to a channel with settings.
pub fn with(settings: Value) -> TestCall<'static> {
    TestCall { settings, ..channel_call() }
}

/// The text of a message.
pub fn text(event: &Event) -> Option<&str> {
    match &event.body {
        EventBody::Message { content, .. } => content.text.as_deref(),
        _ => None,
    }
}

/// The sample call with another message.
pub fn message(message: &Value) -> String {
    let mut body = json_of(MESSAGE);
    body["conversationMessages"] = json!([message]);
    body.to_string()
}

/// The chat of the customer's last message.
pub fn origin() -> Map<String, Value> {
    let reply = json_of(include_str!("../../fixtures/host-reply.json"));
    map(reply["chat"].clone())
}

pub fn message_body(content: Content) -> EventBody {
    EventBody::Message { content, metadata: Map::new() }
}

/// The deliveries of an event to a connection, one per rendered part.
pub fn deliveries(connection: &Connection, body: EventBody) -> Vec<Delivery> {
    let (channel, customer) = match connection.role {
        Role::Channel => ("shop", CHAT),
        _ => ("webshop", "visitor-48121"),
    };
    let key = ConversationKey { channel: channel.parse().unwrap(), customer: customer.into() };
    let mut to = Target::addressed(&connection.as_party(), connection.role);
    let author = match connection.role {
        Role::Channel => {
            to.origin = origin();
            Author::nameless(AuthorRole::Bot)
        }
        _ => Author { role: AuthorRole::Customer, name: Some("Noor de Wit".into()) },
    };
    let event = Event::new(EventId::from_parts(&["e", "1"]), "conversation-1", now(), author, body);
    let parts = render(&event, &to).into_iter();
    parts
        .map(|event| Delivery {
            id: Delivery::make_id(&key, &"bot".parse().unwrap(), &event.id, &to),
            key: key.clone(),
            conversation: "conversation-1".into(),
            from: "bot".parse().unwrap(),
            to: to.clone(),
            event,
            filed_at: None,
            resend: Resend::No,
        })
        .collect()
}

/// The one delivery of an event.
pub fn delivery(connection: &Connection, body: EventBody) -> Delivery {
    deliveries(connection, body).remove(0)
}

/// The context of a delivery; `session` is `None` until the chat is open.
pub fn sending<'a>(
    connection: &'a Connection,
    settings: &'a Settings,
    secrets: &'a SecretBag,
    session: Option<&'a Session>,
    delivery: &'a Delivery,
) -> SendContext<'a, Settings> {
    SendContext { connection, settings, secrets, session, delivery, now: now() }
}
