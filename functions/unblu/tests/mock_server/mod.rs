//! Tests against the mock Unblu server, over real HTTP.

mod ahead;
mod files;
mod inbound;
mod opening;
mod questions;
mod registration;
mod sending;

use serde_json::{Value, json};
use trunkline_core::model::{Connection, Delivery, EventBody, Session};
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::outbound::{Attempt, Outbound, SendContext};
use trunkline_runtime::secrets::SecretBag;
use trunkline_unblu::{Settings, Unblu};
use trunkline_unblu_mock as unblu;

/// A mock Unblu server and a connection to it.
struct Setup {
    server: unblu::Unblu,
    connection: Connection,
    secrets: SecretBag,
    http_client: HttpClient,
}

impl Setup {
    async fn start(version: &str, settings: &Value) -> Self {
        let server = unblu::Unblu::start(version.parse().unwrap()).await;
        let mut all = json!({"base_url": server.base_url(version), "api_version": version});
        for (name, value) in settings.as_object().unwrap() {
            all[name] = value.clone();
        }
        let (secrets, http_client) = (crate::common::secrets(), HttpClient::new(true));
        Self { server, connection: crate::common::connection(&all), secrets, http_client }
    }

    fn settings(&self) -> Settings {
        crate::common::settings_of(&self.connection)
    }

    fn send_context<'a>(
        &'a self,
        settings: &'a Settings,
        delivery: &'a Delivery,
        session: Option<&'a Session>,
    ) -> SendContext<'a, Settings> {
        let (connection, secrets) = (&self.connection, &self.secrets);
        SendContext { connection, settings, secrets, session, delivery, now: crate::common::now() }
    }

    async fn try_open(&self, delivery: &Delivery) -> Result<Session, Box<Attempt>> {
        let settings = &self.settings();
        let context = self.send_context(settings, delivery, None);
        let opened = Unblu.open(&context, &self.http_client).await;
        opened.map(|session| session.expect("a session"))
    }

    /// Opens the conversation for a customer's message.
    async fn open(&self) -> Session {
        self.try_open(&crate::common::delivery("open", crate::common::text_message("hi")))
            .await
            .unwrap()
    }

    async fn send(&self, id: &str, body: EventBody, session: &Session) -> Attempt {
        let (settings, delivery) = (self.settings(), crate::common::delivery(id, body));
        let context = self.send_context(&settings, &delivery, Some(session));
        Unblu.send(&context, &self.http_client).await
    }
}

const VERSIONS: [&str; 2] = ["v3", "v4"];
