//! A connection, a call of TWIN's, and a leg on which deliveries are sent as the dispatcher does.
#![allow(dead_code, reason = "each test binary uses its part")]

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_shared::http_client::Outside;
use trunkline_shared::inbound::{Call, Inbound, Received};
use trunkline_shared::model::{
    Author, AuthorRole, Connection, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    Role, Session, Target,
};
use trunkline_shared::outbound::{Attempt, Outbound, Sending};
use trunkline_shared::rendering::render;
use trunkline_shared::secrets::SecretBag;
use trunkline_twin::Twin;

/// Our conversation with the bot.
pub const OURS: &str = "01941f29-7c00-7000-8000-000000000001";

pub fn now() -> Timestamp {
    "2026-01-01T00:00:07Z".parse().unwrap()
}

pub fn connection(role: &str, settings: &Value) -> Connection {
    let bot = json!({"id": "assistant", "platform": "twin", "role": role, "settings": settings});
    serde_json::from_value(bot).unwrap()
}

pub fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("an object") };
    map
}

/// Posts a body on a path of a bot's connection.
pub fn received(settings: &Value, path: &str, body: &[u8]) -> Received {
    let (connection, secrets) = (&connection("bot", settings), &SecretBag::default());
    let (method, headers) = (&Method::POST, &HeaderMap::new());
    Twin::default().receive(&Call {
        connection,
        secrets,
        method,
        path,
        query: "",
        headers,
        body,
        now: now(),
    })
}

pub fn events(settings: &Value, path: &str, body: &[u8]) -> Vec<Event> {
    match received(settings, path, body) {
        Received::Events(events) => events,
        other => panic!("{other:?}"),
    }
}

pub fn text(event: &Event) -> &str {
    match &event.body {
        EventBody::Message { content, .. } => content.text.as_deref().unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

pub fn message(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

/// A leg to TWIN.
pub struct Leg {
    pub twin: Twin,
    pub connection: Connection,
    pub secrets: SecretBag,
    pub session: Option<Session>,
    pub copy: bool,
    pub now: Timestamp,
    pub count: usize,
}

impl Leg {
    /// A leg on which nothing was sent yet, at the time that it is.
    #[expect(clippy::disallowed_methods, reason = "the stand-in's clock is the machine's")]
    pub fn new(role: &str, settings: &Value) -> Self {
        Self {
            twin: Twin::default(),
            connection: connection(role, settings),
            secrets: SecretBag::default(),
            session: None,
            copy: false,
            now: Timestamp::now(),
            count: 0,
        }
    }

    pub fn secret(&mut self, name: &str, value: &str) {
        self.secrets.set(name, vec![value.to_owned()]);
    }

    /// The next delivery of what a customer named Ada did.
    pub fn delivery(&self, body: EventBody) -> Delivery {
        let key =
            ConversationKey { channel: "shop".parse().unwrap(), customer: "hub-user-4711".into() };
        let author = Author { role: AuthorRole::Customer, name: Some("Ada Lovelace".into()) };
        let id = EventId::from_parts(&["e", &self.count.to_string()]);
        let mut event = Event::new(id, OURS, self.now, author, body);
        event.language = Some("en".into());
        let party = self.connection.as_party();
        let addressed = Target::addressed(&party, self.connection.role);
        let to = if self.copy { Target::copied(&party, Role::Bot) } else { addressed };
        let event = render(&event, &to).remove(0);
        Delivery {
            id: format!("dlv_{}", self.count),
            key,
            conversation: OURS.into(),
            from: "shop".parse().unwrap(),
            to,
            event,
            again: false,
            replay: false,
        }
    }

    /// Opens the conversation if need be, sends, and keeps the session that it comes to.
    pub async fn send(&mut self, body: EventBody) -> Attempt {
        self.count += 1;
        let delivery = self.delivery(body);
        let outside = Outside::new(true);
        let lasting = self.session.clone().filter(|session| session.lasts(self.now));
        let mut sending = Sending {
            connection: &self.connection,
            secrets: &self.secrets,
            session: None,
            delivery: &delivery,
            now: self.now,
        };
        let opened = match lasting {
            Some(session) => Some(session),
            None => self.twin.open(&sending, &outside).await.unwrap(),
        };
        sending.session = opened.as_ref();
        let attempt = self.twin.send(&sending, &outside).await;
        let after = attempt.session.clone().or(opened);
        self.session = after;
        attempt
    }

    pub async fn say(&mut self, text: &str) -> Attempt {
        self.send(message(text)).await
    }

    /// TWIN's id of the session.
    pub fn external_id(&self) -> &str {
        &self.session.as_ref().unwrap().external_id
    }
}

/// A client for the far side's own calls.
pub fn plain_http() -> reqwest::Client {
    // The client wants a TLS provider even where it only speaks plain http.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
