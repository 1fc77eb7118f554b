//! Runs one pure step of a platform for a tool that counts instructions: reading a call, routing its event, or
//! writing a delivery. Calls and deliveries are the sample events of `events/`.
//!
//! Usage: `instructions <platform> <step> <rounds>`.

use std::hint::black_box;

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::Sha256;
use trunkline_config::{Desired, ReadOptions, read};
use trunkline_core::model::{
    Connection, Conversation, ConversationKey, Delivery, Event, EventBody, HandoverId,
    HandoverMode, Job, ResolvedRoute, Role, Session, Transcript,
};
use trunkline_core::platform::PlatformSettings;
use trunkline_core::routing::{NewConversation, RoutingInput, Sender, decide};
use trunkline_demo::{CONFIGURATION, DemoSecrets};
use trunkline_registry::PlatformVisitor;
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::inbound::{Call, Inbound, ParsedCall};
use trunkline_runtime::outbound::{Outbound, SendContext};
use trunkline_runtime::secrets::SecretBag;

/// The time of the sample events.
const NOW: &str = "2026-03-04T09:15:20.89Z";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [platform, step, rounds] = &arguments[..] else {
        eprintln!("usage: instructions <platform> read|route|write <rounds>");
        std::process::exit(2);
    };
    let rounds = rounds.parse().unwrap_or(1);
    let mut run = Run { platform, step, rounds, found: false };
    trunkline_registry::visit(&mut run);
    assert!(run.found, "no platform {platform}");
}

/// The steps to run, of one platform.
struct Run<'a> {
    platform: &'a str,
    step: &'a str,
    rounds: u32,
    found: bool,
}

impl PlatformVisitor for Run<'_> {
    fn visit<P: Inbound + Outbound + Default>(&mut self) {
        if P::SPEC.id.as_str() == self.platform {
            self.found = true;
            run(&P::default(), self.platform, self.step, self.rounds);
        }
    }
}

fn run<P: Inbound + Outbound>(platform: &P, name: &str, step: &str, rounds: u32) {
    let demo = Demo::read();
    match step {
        "read" => {
            let sample = Sample::of(&demo, name);
            let settings = sample.settings::<P>();
            for _ in 0..rounds {
                black_box(sample.read(black_box(platform), &settings));
            }
        }
        "route" => {
            let sample = Sample::of(&demo, name);
            let parsed = sample.read(platform, &sample.settings::<P>());
            let ParsedCall::Events(events) = parsed else {
                panic!("the sample event of {name} is no event: {parsed:?}");
            };
            let routing = Routing::of(&demo, &sample.connection, &events[0]);
            for _ in 0..rounds {
                routing.decide(black_box(&events[0]));
            }
        }
        "write" => {
            let delivery = delivery(name);
            let (connection, secrets) = demo.connection(delivery.to.connection.as_str());
            let session = Session::new(delivery.session_id(), "external-id");
            let settings = P::Settings::parse(&connection.settings).unwrap();
            // The client refuses local addresses, so everything but the network is counted.
            let http_client = HttpClient::new(false);
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            for _ in 0..rounds {
                let context = SendContext {
                    connection: &connection,
                    settings: &settings,
                    secrets: &secrets,
                    session: Some(&session),
                    delivery: black_box(&delivery),
                    now: now(),
                };
                black_box(runtime.block_on(platform.send(&context, &http_client)));
            }
        }
        other => panic!("no step {other}"),
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn json(path: &str) -> Value {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let text = std::fs::read_to_string(format!("{root}{path}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The configuration of `make run`.
struct Demo(Desired);

impl Demo {
    fn read() -> Self {
        let options = ReadOptions {
            platforms: trunkline_registry::PLATFORMS,
            secrets: &DemoSecrets,
            allow_local: true,
        };
        Self(read(CONFIGURATION, options).unwrap_or_else(|problems| panic!("{problems}")))
    }

    fn connection(&self, id: &str) -> (Connection, SecretBag) {
        let found = self.0.connections.iter().find(|desired| desired.connection.id.as_str() == id);
        let found =
            found.unwrap_or_else(|| panic!("no connection {id} in examples/demo/trunkline.yaml"));
        let mut bag = SecretBag::default();
        for (name, live) in &found.secrets {
            bag.set(name, live.clone());
        }
        (found.connection.clone(), bag)
    }
}

/// A sample call from a platform.
struct Sample {
    connection: Connection,
    secrets: SecretBag,
    path: String,
    headers: HeaderMap,
    body: String,
}

impl Sample {
    fn of(demo: &Demo, platform: &str) -> Self {
        let event = json(&format!("events/{platform}-inbound.json"));
        let named = event["pathParameters"]["connection"].as_str().unwrap_or_default();
        let (connection, secrets) = demo.connection(named);
        if platform == "unblu" {
            return Self::of_unblu(connection, secrets);
        }
        let headers = event["headers"].as_object().into_iter().flatten().map(|(name, value)| {
            let value = HeaderValue::from_str(value.as_str().unwrap_or_default()).unwrap();
            (HeaderName::try_from(name).unwrap(), value)
        });
        Self {
            connection,
            secrets,
            path: event["pathParameters"]["path"].as_str().unwrap_or_default().into(),
            headers: headers.collect(),
            body: event["body"].as_str().unwrap_or_default().into(),
        }
    }

    /// Returns a message of Unblu, because its sample event is a ping.
    fn of_unblu(connection: Connection, secrets: SecretBag) -> Self {
        let body = include_str!("../../../../functions/unblu/fixtures/new-message-outbound.json");
        let secret = secrets.newest("webhook_secret").unwrap_or_default();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature = mac
            .finalize()
            .into_bytes()
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let headers = [
            ("x-unblu-service-name", "outbound.external_messenger.new_message"),
            ("x-unblu-signature-256", &signature),
        ];
        let headers = headers.map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        let headers = headers.into_iter().collect();
        Self { connection, secrets, path: String::new(), headers, body: body.into() }
    }

    fn settings<P: Inbound>(&self) -> P::Settings {
        P::Settings::parse(&self.connection.settings).unwrap()
    }

    fn read<P: Inbound>(&self, platform: &P, settings: &P::Settings) -> ParsedCall {
        platform.parse(&Call {
            connection: &self.connection,
            settings,
            secrets: &self.secrets,
            method: &Method::POST,
            path: &self.path,
            query: "",
            headers: &self.headers,
            body: self.body.as_bytes(),
            received_body: self.body.as_bytes(),
            now: now(),
        })
    }
}

/// The state that an event of an open conversation is routed with.
struct Routing {
    conversation: Conversation,
    route: ResolvedRoute,
    role: Role,
    /// Created once, as the measured steps do not include it.
    new_handover_id: HandoverId,
}

impl Routing {
    fn of(demo: &Demo, from: &Connection, event: &Event) -> Self {
        let route = &demo.0.routes[0];
        let party = |id: &str| demo.connection(id).0.as_party();
        let route = ResolvedRoute {
            bot: route.bot.as_ref().map(|id| party(id.as_str())),
            desk: route.desk.as_ref().map(|id| party(id.as_str())),
            route: route.id.clone(),
            observers: Vec::new(),
            handover_policy: route.handover_policy.clone(),
        };
        let channel = if from.role == Role::Channel { from.id.as_str() } else { "demo-channel" };
        let new_conversation = NewConversation {
            key: ConversationKey { channel: channel.parse().unwrap(), customer: "c".into() },
            id: "conversation".into(),
            channel: party(channel),
        };
        let first = Event { body: event_body(), ..event.clone() };
        let input = RoutingInput {
            conversation: None,
            route: Some(&route),
            new_conversation: Some(&new_conversation),
            from: Sender::Party { role: Role::Channel, session: None },
            event: &first,
            echo: false,
            agent_initiated: false,
            now: now(),
            new_handover_id: &"handover".into(),
        };
        let mut conversation = decide(&input).unwrap().conversation;
        let new_handover_id: HandoverId = "handover".into();
        if from.role == Role::Desk {
            // The agents own the conversation.
            let body = EventBody::Handover {
                mode: HandoverMode::Pass,
                reason: None,
                context: Map::new(),
                transcript: Transcript::default(),
            };
            let handover = Event { body, ..event.clone() };
            let session = Some(conversation.id.as_session_id());
            let input = RoutingInput {
                conversation: Some(&conversation),
                new_conversation: None,
                from: Sender::Party { role: Role::Bot, session },
                event: &handover,
                ..input
            };
            conversation = decide(&input).unwrap().conversation;
        }
        Self { conversation, route, role: from.role, new_handover_id }
    }

    fn decide(&self, event: &Event) {
        let session = match self.role {
            Role::Channel => None,
            Role::Desk => Some(self.new_handover_id.as_session_id()),
            Role::Bot | Role::Observer => Some(self.conversation.id.as_session_id()),
        };
        let decision = decide(&RoutingInput {
            conversation: Some(&self.conversation),
            route: Some(&self.route),
            new_conversation: None,
            from: Sender::Party { role: self.role, session },
            event,
            echo: false,
            agent_initiated: false,
            now: now(),
            new_handover_id: &self.new_handover_id,
        });
        let _ = black_box(decision);
    }
}

fn event_body() -> EventBody {
    delivery("webhook").event.body
}

fn delivery(platform: &str) -> Delivery {
    let event = json(&format!("events/{platform}-outbound.json"));
    let body = event["Records"][0]["body"].as_str().unwrap_or_default();
    match serde_json::from_str(body).unwrap() {
        Job::Deliver(delivery) => *delivery,
        other => panic!("no delivery: {other:?}"),
    }
}
