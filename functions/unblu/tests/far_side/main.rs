//! Against a stand-in of Unblu's web API, over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod calls;
#[path = "../common/mod.rs"]
mod common;
mod opens;
mod registration;
mod sends;

use serde_json::{Value, json};
use trunkline_shared::http_client::Outside;
use trunkline_shared::model::{Connection, Delivery, EventBody, Session};
use trunkline_shared::outbound::{Attempt, Outbound, Sending};
use trunkline_shared::secrets::SecretBag;
use trunkline_stand_ins::unblu;
use trunkline_unblu::Unblu;

/// An Unblu server, and our connection to it.
struct Far {
    server: unblu::Unblu,
    connection: Connection,
    secrets: SecretBag,
    outside: Outside,
}

impl Far {
    async fn start(version: &str, settings: &Value) -> Self {
        let server = unblu::Unblu::start().await;
        let mut all = json!({"base_url": server.base_url(version), "api_version": version});
        for (name, value) in settings.as_object().unwrap() {
            all[name] = value.clone();
        }
        let (secrets, outside) = (common::secrets(), Outside::new(true));
        Self { server, connection: common::connection(&all), secrets, outside }
    }

    fn sending<'a>(&'a self, delivery: &'a Delivery, session: Option<&'a Session>) -> Sending<'a> {
        let (connection, secrets) = (&self.connection, &self.secrets);
        Sending { connection, secrets, session, delivery, now: common::now() }
    }

    async fn try_open(&self, delivery: &Delivery) -> Result<Session, Box<Attempt>> {
        let opened = Unblu.open(&self.sending(delivery, None), &self.outside).await;
        opened.map(|session| session.expect("a session"))
    }

    /// Opened by a customer's message.
    async fn open(&self) -> Session {
        self.try_open(&common::delivery("open", common::says("hi"))).await.unwrap()
    }

    async fn send(&self, id: &str, body: EventBody, session: &Session) -> Attempt {
        let delivery = common::delivery(id, body);
        Unblu.send(&self.sending(&delivery, Some(session)), &self.outside).await
    }
}

const VERSIONS: [&str; 2] = ["v3", "v4"];
