//! Connections and routes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Map;
use trunkline_core::model::{
    Connection, DeliveryPolicy, HandoverPolicy, Keywords, PlatformId, PresentationOptions, Role,
    Route, Texts,
};
use trunkline_runtime::secrets::{PATH_KEY, SecretBag};

use trunkline_core::platform::{Platform, PlatformSpec};

use super::TestStack;
use crate::toy::ToyPlatform;

/// The key in the inbound URL of every connection.
pub(super) const URL_KEY: &str = "url-key";

impl TestStack {
    /// Starts a stack with the channel `channel` and the bot `bot`, which gets copies.
    pub async fn with_bot() -> Self {
        let stack = Self::start().await;
        stack
            .connect("channel", Role::Channel, |channel| {
                channel.route = Some("main".parse().unwrap());
            })
            .await;
        stack.connect("bot", Role::Bot, |bot| bot.copies = true).await;
        stack.route("main", |route| route.bot = Some("bot".parse().unwrap())).await;
        stack
    }

    /// Starts a stack with the channel `channel`, the bot `bot` and the desk `desk`. `agent` is the keyword
    /// for a handover and `robot` for a hand-back; the customer gets notices. The bot is retried every
    /// second, and two failures open its breaker. `policy` changes the route's policy.
    pub async fn with_desk(policy: impl FnOnce(&mut HandoverPolicy)) -> Self {
        let stack = Self::start().await;
        let channel = |channel: &mut Connection| {
            channel.route = Some("main".parse().unwrap());
            channel.presentation.sender_prefix = true;
        };
        stack.connect("channel", Role::Channel, channel).await;
        let delivery =
            DeliveryPolicy { retry: vec![1; 12], breaker_after: 2, ..DeliveryPolicy::default() };
        stack.connect("bot", Role::Bot, |bot| bot.delivery = delivery).await;
        stack.connect("desk", Role::Desk, |_| ()).await;
        let route = |route: &mut Route| {
            route.bot = Some("bot".parse().unwrap());
            route.desk = Some("desk".parse().unwrap());
            route.handover_policy = texts_and_keywords();
            policy(&mut route.handover_policy);
        };
        stack.route("main", route).await;
        stack
    }

    /// Adds a connection of the toy platform, or changes one that exists. It takes effect at once, also in
    /// running processes.
    pub async fn connect(&self, id: &str, role: Role, change: impl FnOnce(&mut Connection)) {
        self.connect_platform(id, ToyPlatform::SPEC.id, role, SecretBag::default(), change).await;
    }

    /// Adds a connection of any platform with its secrets, or changes one that exists.
    pub async fn connect_platform(
        &self,
        id: &str,
        platform: PlatformId,
        role: Role,
        mut secrets: SecretBag,
        change: impl FnOnce(&mut Connection),
    ) {
        let stored = self.connections.borrow().get(id).cloned();
        let mut connection =
            stored.unwrap_or_else(|| new_connection(&self.specs[platform.as_str()], role, id));
        let id = connection.id.clone();
        secrets.set(PATH_KEY, vec![URL_KEY.to_owned()]);
        connection.secrets = secrets.names().map(str::to_owned).collect();
        connection.secrets_version = self.app.secrets.write(&id, &secrets).await.unwrap();
        connection.version += 1;
        change(&mut connection);
        self.app.store.put_connection(&connection).await.unwrap();
        self.connections.borrow_mut().insert(id.to_string(), connection);
        self.restart_processes();
    }

    /// Adds a route, or changes one that exists. It takes effect at once, also in running processes.
    pub async fn route(&self, id: &str, change: impl FnOnce(&mut Route)) {
        let id = id.parse().unwrap();
        let stored = self.app.store.route(&id).await.unwrap();
        let mut route = stored.unwrap_or_else(|| Route {
            id,
            bot: None,
            desk: None,
            observers: Vec::new(),
            handover_policy: HandoverPolicy::default(),
            version: 0,
        });
        route.version += 1;
        change(&mut route);
        self.app.store.put_route(&route).await.unwrap();
        self.restart_processes();
    }

    /// Returns a connection as stored.
    pub fn connection(&self, id: &str) -> Connection {
        let stored = self.connections.borrow().get(id).cloned();
        stored.unwrap_or_else(|| panic!("there is no connection {id}"))
    }
}

fn new_connection(spec: &PlatformSpec, role: Role, id: &str) -> Connection {
    Connection {
        id: id.parse().unwrap(),
        platform: spec.id,
        role,
        route: None,
        copies: false,
        presentation: PresentationOptions::default(),
        capabilities: spec.capabilities,
        behaviour: spec.behaviour,
        reorder_window: None,
        allow_ips: Vec::new(),
        delivery: DeliveryPolicy::default(),
        suspended: false,
        version: 0,
        settings: Map::new(),
        secrets: BTreeSet::new(),
        secrets_version: 0,
    }
}

fn texts_and_keywords() -> HandoverPolicy {
    let keywords = Keywords { handover: vec!["agent".into()], handback: vec!["robot".into()] };
    let texts = Texts {
        waiting: "We look for somebody.".into(),
        joined: "{agent} is here.".into(),
        left: "{agent} has left.".into(),
        unanswered: "No agent is available.".into(),
        file_failed: "We could not deliver {name}.".into(),
        unsupported: "We cannot see this.".into(),
        edited: "Correction: {text}".into(),
        deleted: "This message was withdrawn.".into(),
        agent: "Somebody".into(),
    };
    let dutch = Texts { waiting: "We zoeken iemand.".into(), ..Texts::default() };
    HandoverPolicy {
        language: Some("en".into()),
        keywords: BTreeMap::from([("en".to_owned(), keywords)]),
        texts: BTreeMap::from([("en".to_owned(), texts), ("nl".to_owned(), dutch)]),
        ..HandoverPolicy::default()
    }
}
