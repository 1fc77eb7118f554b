//! The functions of all platforms with their queues, and the parties of the conversations.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use trunkline_config::{SecretResolver, SecretSource};
use trunkline_mock::{Persona, PlayerContext};

use super::parties::{Conversation, Party};
use super::{CONVERSATIONS, PAIRS};
use crate::aws::{Aws, TASKS};
use crate::gateway::Gateway;
use crate::lambda::{Function, ProcessUsage};
use crate::mapping::EventSourceMapping;
use crate::testbed::{Backend, Configuration, PATH_KEY};

/// Resolves a reference to an environment variable to its own name: the configuration contains the secrets.
#[derive(Debug)]
struct Literal;

impl SecretResolver for Literal {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        match source {
            SecretSource::Env(value) => Ok(value.clone()),
            SecretSource::File(path) => Err(format!("{path} is a file")),
        }
    }
}

/// The running functions of all platforms.
#[derive(Debug)]
pub struct MixedBed {
    pub aws: Arc<Aws>,
    pub gateway: Arc<Gateway>,
    /// By name; without the scheduler.
    functions: BTreeMap<String, Arc<Function>>,
    _mappings: Vec<EventSourceMapping>,
}

impl MixedBed {
    /// Starts the functions with `width` processes each, and the parties.
    pub async fn start(programs: &Path, width: usize) -> (Self, Vec<Conversation>) {
        let gateway = Gateway::start().await;
        let (conversations, text) = conversations(&gateway).await;
        let configuration = Configuration { text: Cow::Owned(text), secrets: &Literal };
        let backend = Backend::start(programs, configuration).await;
        let (mut functions, mut inbound, mut mappings) =
            (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for platform in PAIRS.iter().flat_map(|pair| [pair.channel, pair.partner]) {
            for way in ["inbound", "outbound"] {
                let name = format!("{platform}-{way}");
                let function = Arc::new(backend.named(&name).function(width).await);
                if way == "inbound" {
                    inbound.insert(platform, Arc::clone(&function));
                } else {
                    let queue = format!("{name}.fifo");
                    mappings.push(EventSourceMapping::start(&backend.aws, &queue, &function));
                }
                functions.insert(name, function);
            }
        }
        let scheduler = Arc::new(backend.named("scheduler").function(1).await);
        mappings.push(EventSourceMapping::start(&backend.aws, TASKS, &scheduler));
        gateway.set_functions(inbound);
        let aws = Arc::clone(&backend.aws);
        (Self { aws, gateway, functions, _mappings: mappings }, conversations)
    }

    /// Returns the resources that each function has used.
    pub fn used(&self) -> BTreeMap<String, ProcessUsage> {
        self.functions.iter().map(|(name, function)| (name.clone(), function.used())).collect()
    }
}

impl Drop for MixedBed {
    /// Releases the functions, whose processes end with them.
    fn drop(&mut self) {
        self.gateway.set_functions(BTreeMap::new());
    }
}

/// Starts the parties. Returns the conversations and the configuration of their connections and routes.
async fn conversations(gateway: &Gateway) -> (Vec<Conversation>, String) {
    let (mut all, mut connections, mut routes) = (Vec::new(), Map::new(), Map::new());
    for number in 1..=CONVERSATIONS {
        for pair in PAIRS {
            let (customer, channel) = party(gateway, pair.channel, Persona::Customer, number).await;
            let (partner, other) = party(gateway, pair.partner, pair.persona, number).await;
            let mut route = json!({"channels": [customer.connection]});
            route[role(pair.persona)] = json!(partner.connection);
            routes.insert(format!("{}-{number}", pair.channel), route);
            connections.insert(customer.connection.clone(), channel);
            connections.insert(partner.connection.clone(), other);
            all.push(Conversation { customer, partner, number: 0 });
        }
    }
    (all, json!({"connections": connections, "routes": routes}).to_string())
}

/// Starts the mock of a platform as one party. Returns the party and its connection in the configuration.
async fn party(
    gateway: &Gateway,
    platform: &'static str,
    persona: Persona,
    number: usize,
) -> (Party, Value) {
    let connection = format!("{platform}-{number}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let inbound = gateway.url(platform, &connection);
    let mock = trunkline_mocks::mock(platform.parse().unwrap()).expect("the platform has a mock");
    let context = PlayerContext { persona, listener, port, inbound, api_port: gateway.port };
    let player = (mock.start)(context);
    let setup = player.setup();
    let own = setup.secrets.into_iter().map(|(name, value)| (name, json!({"env": value})));
    let path_key = ("path_key", json!({"env": PATH_KEY}));
    let secrets: BTreeMap<&str, Value> = own.chain([path_key]).collect();
    let configured = json!({
        "platform": platform, "role": role(persona),
        "settings": setup.settings, "secrets": secrets,
    });
    (Party { platform, connection, player }, configured)
}

/// Returns the name of a persona's role in the configuration.
fn role(persona: Persona) -> &'static str {
    match persona {
        Persona::Customer => "channel",
        Persona::Bot => "bot",
        Persona::Agent => "desk",
    }
}
