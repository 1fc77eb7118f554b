//! Test helpers: a connection, a callback from TWIN, and a leg that sends deliveries like the worker.

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Connection, Content, ConversationKey, Delivery, Event, EventBody, EventId,
    Resend, Role, Session, Target,
};
use trunkline_core::platform::{Platform, PlatformSettings};
use trunkline_core::rendering::render;
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::inbound::{Call, Inbound, ParsedCall};
use trunkline_runtime::outbound::{Attempt, Outbound, SendContext};
use trunkline_runtime::secrets::SecretBag;
use trunkline_twin::{Settings, Twin};

/// Trunkline's id of the conversation with the bot.
pub const CONVERSATION: &str = "01941f29-7c00-7000-8000-000000000001";

pub fn now() -> Timestamp {
    "2026-01-01T00:00:07Z".parse().unwrap()
}

pub fn connection(role: &str, settings: &Value) -> Connection {
    let bot = json!({"id": "assistant", "platform": "twin", "role": role, "settings": settings});
    let bot: Connection = serde_json::from_value(bot).unwrap();
    Connection { capabilities: Twin::SPEC.capabilities, behaviour: Twin::SPEC.behaviour, ..bot }
}

pub fn parse(settings: &Map<String, Value>) -> Settings {
    Settings::parse(settings).unwrap()
}

pub fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("an object") };
    map
}

/// Builds a call to a path of a bot's connection and passes it to `with`.
pub fn call<T>(
    method: &Method,
    settings: &Value,
    path: &str,
    body: &[u8],
    with: impl FnOnce(&Call<'_, Settings>) -> T,
) -> T {
    let connection = &connection("bot", settings);
    let settings = &parse(&connection.settings);
    let (secrets, headers) = (&SecretBag::default(), &HeaderMap::new());
    with(&Call {
        connection,
        settings,
        secrets,
        method,
        path,
        query: "",
        headers,
        body,
        received_body: body,
        now: now(),
    })
}

/// Parses a POST to a path of a bot's connection.
pub fn received(settings: &Value, path: &str, body: &[u8]) -> ParsedCall {
    call(&Method::POST, settings, path, body, |call| Twin::default().parse(call))
}

pub fn events(settings: &Value, path: &str, body: &[u8]) -> Vec<Event> {
    match received(settings, path, body) {
        ParsedCall::Events(events) => events,
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

/// A leg on a TWIN connection.
pub struct Leg {
    pub twin: Twin,
    pub connection: Connection,
    pub secrets: SecretBag,
    pub session: Option<Session>,
    pub copy: bool,
    pub now: Timestamp,
    pub count: usize,
    /// The author of the next deliveries.
    pub author: Author,
    /// The network of the channel.
    pub network: Option<String>,
    /// What the channel's platform wants back.
    pub origin: Map<String, Value>,
}

impl Leg {
    /// A leg without a session, at the current time.
    #[expect(clippy::disallowed_methods, reason = "the mock uses the system clock")]
    pub fn new(role: &str, settings: &Value) -> Self {
        Self {
            twin: Twin::default(),
            connection: connection(role, settings),
            secrets: SecretBag::default(),
            session: None,
            copy: false,
            now: Timestamp::now(),
            count: 0,
            author: Author { role: AuthorRole::Customer, name: Some("Ada Lovelace".into()) },
            network: None,
            origin: Map::new(),
        }
    }

    pub fn secret(&mut self, name: &str, value: &str) {
        self.secrets.set(name, vec![value.to_owned()]);
    }

    /// The next delivery, of a customer named Ada unless `author` is another.
    pub fn delivery(&self, body: EventBody) -> Delivery {
        let key =
            ConversationKey { channel: "shop".parse().unwrap(), customer: "hub-user-4711".into() };
        let id = EventId::from_parts(&["e", &self.count.to_string()]);
        let mut event = Event::new(id, CONVERSATION, self.now, self.author.clone(), body);
        event.language = Some("en".into());
        event.channel.clone_from(&self.network);
        event.origin.clone_from(&self.origin);
        let party = self.connection.as_party();
        let addressed = Target::addressed(&party, self.connection.role);
        let to = if self.copy { Target::copied(&party, Role::Bot) } else { addressed };
        let event = render(&event, &to).remove(0);
        Delivery {
            id: format!("dlv_{}", self.count).into(),
            key,
            conversation: CONVERSATION.into(),
            from: "shop".parse().unwrap(),
            to,
            event,
            filed_at: None,
            resend: Resend::No,
        }
    }

    /// Opens a session if necessary, sends the delivery and keeps the resulting session.
    pub async fn send(&mut self, body: EventBody) -> Attempt {
        self.count += 1;
        let delivery = self.delivery(body);
        let http_client = HttpClient::new(true);
        let former = self.session.clone();
        let lasting = former.clone().filter(|session| session.is_active(self.now));
        let mut context = SendContext {
            connection: &self.connection,
            settings: &parse(&self.connection.settings),
            secrets: &self.secrets,
            session: former.as_ref(),
            delivery: &delivery,
            now: self.now,
        };
        let opened = match lasting {
            Some(session) => Some(session),
            None => self.twin.open(&context, &http_client).await.unwrap(),
        };
        context.session = opened.as_ref().or(former.as_ref());
        let attempt = self.twin.send(&context, &http_client).await;
        let after = attempt.session.clone().or(opened);
        self.session = after;
        attempt
    }

    pub async fn say(&mut self, text: &str) -> Attempt {
        self.send(message(text)).await
    }

    /// TWIN's id of the session.
    pub fn external_id(&self) -> &str {
        self.session.as_ref().unwrap().external_conversation_id.as_str()
    }
}
