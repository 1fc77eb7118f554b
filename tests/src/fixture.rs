//! The connections and route of one test, with a mock platform behind them.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use trunkline::apply::{apply, inbound_url};
use trunkline::config::{ReadOptions, SecretResolver, SecretSource, read};
use trunkline_core::model::EventRecord;
use trunkline_core::model::{Connection, Conversation, ConversationKey, time};
use trunkline_registry::PLATFORMS;
use trunkline_runtime::app::{Clock, SystemClock};

use crate::{MockPlatform, TestEnvironment, record_secret};

/// The signing secrets of a fixture's bot, newest first. Both are valid.
pub const SIGNING_SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];

/// The connections and route of one test, applied to the shared stack.
#[derive(Debug)]
pub struct Fixture<'w> {
    /// The shared stack.
    pub env: &'w TestEnvironment,
    /// Prefix of the connection names.
    pub name: String,
    /// The mock behind all connections. Each has its own path, such as `/webex` and `/bot`.
    pub mock: MockPlatform,
    urls: HashMap<String, String>,
    connections: HashMap<String, Connection>,
}

#[derive(Debug)]
struct Secrets {
    webex: String,
    others: Vec<(String, String)>,
}

impl SecretResolver for Secrets {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let SecretSource::Env(name) = source else { return Err("no file".into()) };
        let other = self.others.iter().find(|(known, _)| known == name);
        let secret = match (other, name.as_str()) {
            (Some((_, value)), _) => value.clone(),
            (None, "WEBEX_URL") => self.webex.clone(),
            (None, "NEW") => SIGNING_SECRETS[0].into(),
            (None, "OLD") => SIGNING_SECRETS[1].into(),
            (None, other) => format!("secret-{other}"),
        };
        record_secret(name, &secret);
        Ok(secret)
    }
}

/// Configuration with a Webex channel and a webhook bot.
pub const WEBEX_AND_BOT: &str = "
connections:
  NAME-webex:
    platform: webex
    role: channel
    secrets: { verification_token: { env: TOKEN }, send_url: { env: WEBEX_URL } }
  NAME-bot:
    platform: webhook
    role: bot
    copies: true
    settings: { message_url: MOCK/bot }
    secrets: { signing: [{ env: NEW }, { env: OLD }] }
routes:
  NAME: { channels: [NAME-webex], bot: NAME-bot }
";

/// Configuration with a channel, a bot and a desk, all on signed webhooks. `ROUTE` is a placeholder for
/// additional route settings.
pub const CHANNEL_BOT_AND_DESK: &str = "
connections:
  NAME-channel:
    platform: webhook
    role: channel
    sender_prefix: true
    settings: { message_url: MOCK/channel }
    secrets: { signing: { env: NEW } }
  NAME-bot:
    platform: webhook
    role: bot
    delivery: { retry: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], breaker_after: 2 }
    settings: { message_url: MOCK/bot }
    secrets: { signing: { env: NEW } }
  NAME-desk:
    platform: webhook
    role: desk
    settings: { message_url: MOCK/desk }
    secrets: { signing: { env: NEW } }
routes:
  NAME:
    channels: [NAME-channel]
    bot: NAME-bot
    desk: NAME-desk
    language: en
    keywords:
      en: { handover: [agent], handback: [robot] }
    texts:
      en:
        waiting: We look for somebody.
        joined: '{agent} is here.'
        left: '{agent} has left.'
        unanswered: No agent is available.
        unsupported: We cannot see this.
        agent: Somebody
      nl: { waiting: We zoeken iemand. }
ROUTE";

impl<'w> Fixture<'w> {
    /// Applies [`CHANNEL_BOT_AND_DESK`] with the additional route settings `route`.
    pub async fn with_desk(env: &'w TestEnvironment, name: &str, route: &str) -> Self {
        Self::new(env, name, &CHANNEL_BOT_AND_DESK.replace("ROUTE", route)).await
    }

    /// Applies [`WEBEX_AND_BOT`].
    pub async fn webex_and_bot(env: &'w TestEnvironment, name: &str) -> Self {
        Self::new(env, name, WEBEX_AND_BOT).await
    }

    /// Applies [`WEBEX_AND_BOT`] with the delivery policy `policy` for the bot.
    pub async fn with_delivery_policy(env: &'w TestEnvironment, name: &str, policy: &str) -> Self {
        let bot = "role: bot\n    copies: true\n";
        let file = WEBEX_AND_BOT.replace(bot, &format!("{bot}    delivery: {policy}\n"));
        Self::new(env, name, &file).await
    }

    /// Applies the configuration `file`. `NAME` is a placeholder for the name, `MOCK` for the mock's URL.
    pub async fn new(env: &'w TestEnvironment, name: &str, file: &str) -> Self {
        Self::with_mocks(env, name, file, &[]).await
    }

    /// Applies `file` with additional placeholders: `<WORD>` for a value in `file`, and `WORD` for the
    /// value of the secret with that name.
    pub async fn with_mocks(
        env: &'w TestEnvironment,
        name: &str,
        file: &str,
        others: &[(&str, String)],
    ) -> Self {
        let mock = MockPlatform::start().await;
        let mut text =
            file.replace("NAME-", &format!("{name}-")).replace("NAME:", &format!("{name}:"));
        text = text.replace("MOCK", mock.url("").trim_end_matches('/'));
        for (word, address) in others {
            text = text.replace(&format!("<{word}>"), address.trim_end_matches('/'));
        }
        let others =
            others.iter().map(|(word, value)| ((*word).to_owned(), value.clone())).collect();
        let environment = Secrets { webex: mock.url("/webex"), others };
        let options =
            ReadOptions { platforms: PLATFORMS, secrets: &environment, allow_local: true };
        let desired = read(&text, options).unwrap_or_else(|problems| panic!("{problems}"));
        apply(env.stack(), &desired, |_| ()).await.unwrap();
        let (mut urls, mut connections) = (HashMap::new(), HashMap::new());
        for desired in &desired.connections {
            let id = desired.connection.id.to_string();
            let url = inbound_url(env.stack(), &desired.connection).await.unwrap().unwrap();
            record_secret("path key", url.rsplit('/').next().unwrap());
            urls.insert(id.clone(), url);
            let applied = env.stack().store.connection(&desired.connection.id).await.unwrap();
            connections.insert(id, applied.unwrap());
        }
        Self { env, name: name.into(), mock, urls, connections }
    }

    /// Returns the inbound URL of `<name>-<which>`.
    pub fn url(&self, which: &str) -> &str {
        &self.urls[&format!("{}-{which}", self.name)]
    }

    /// Returns the stored connection `<name>-<which>`.
    pub fn connection(&self, which: &str) -> &Connection {
        &self.connections[&format!("{}-{which}", self.name)]
    }

    /// Posts to the inbound URL of a connection. Returns status and body.
    pub async fn post(
        &self,
        which: &str,
        body: String,
        headers: &[(String, String)],
    ) -> (u16, Value) {
        let mut call = self.env.request(http::Method::POST, self.url(which)).body(body);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let answer = call.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Posts to a path below the inbound URL of a connection. `path` may contain a query.
    pub async fn post_below(
        &self,
        which: &str,
        path: &str,
        body: String,
        headers: &[(String, String)],
    ) -> (u16, http::HeaderMap, String) {
        let url = format!("{}{path}", self.url(which));
        let mut call = self.env.request(http::Method::POST, &url).body(body);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let answer = call.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, headers, answer.text().await.unwrap())
    }

    /// Sends a customer message through Webex Connect and expects success.
    pub async fn send_webex_message(&self, conversation: &str, id: &str, text: &str) {
        let (status, body) = self.post("webex", webex_message(conversation, id, text), &[]).await;
        assert_eq!((status, &body["verificationToken"]), (200, &json!("secret-TOKEN")), "{body}");
    }

    /// Sends a signed event from a webhook connection. Returns status and body.
    pub async fn send_event(
        &self,
        which: &str,
        id: &str,
        conversation: &str,
        event: Value,
    ) -> (u16, Value) {
        let mut body =
            json!({"id": id, "timestamp": SystemClock.now(), "conversation": conversation});
        body.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        let body = body.to_string();
        let headers = signing_headers(SIGNING_SECRETS[0], id, SystemClock.now(), &body);
        self.post(which, body, &headers).await
    }

    /// Sends a customer message on the webhook channel `<name>-channel` and expects success.
    pub async fn send_channel_message(&self, customer: &str, id: &str, text: &str) {
        let (status, body) = self.send_event("channel", id, customer, message_event(text)).await;
        assert_eq!(status, 200, "{body}");
    }

    /// Returns the stored transcript of a customer's conversation on the Webex channel.
    pub async fn transcript(&self, customer: &str) -> Vec<EventRecord> {
        self.env
            .stack()
            .store
            .transcript(&self.key(customer), 100, SystemClock.now())
            .await
            .unwrap()
    }

    /// Returns the stored conversation of a customer on `<name>-<which>`.
    pub async fn conversation(&self, which: &str, customer: &str) -> Conversation {
        let key = self.key_on(which, customer);
        self.env.stack().store.conversation(&key).await.unwrap().unwrap()
    }

    /// Waits until all deliveries of a customer's conversation on `<name>-<which>` have an outcome.
    pub async fn wait_for_outcomes(&self, which: &str, customer: &str) {
        let key = self.key_on(which, customer);
        for _ in 0..200 {
            let transcript =
                self.env.stack().store.transcript(&key, 100, SystemClock.now()).await.unwrap();
            if transcript.iter().flat_map(EventRecord::unfinished_deliveries).count() == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("deliveries of {customer} have no outcome");
    }

    /// Returns the key of a customer's conversation on the Webex channel.
    pub fn key(&self, customer: &str) -> ConversationKey {
        self.key_on("webex", customer)
    }

    /// Returns the key of a customer's conversation on `<name>-<which>`.
    pub fn key_on(&self, which: &str, customer: &str) -> ConversationKey {
        let channel = format!("{}-{which}", self.name).parse().unwrap();
        ConversationKey { channel, customer: customer.into() }
    }
}

/// Returns a message event of the webhook protocol, without the envelope.
pub fn message_event(text: &str) -> Value {
    json!({"type": "message", "data": {"text": text}})
}

/// Returns the body of a customer message from Webex Connect.
pub fn webex_message(conversation: &str, id: &str, text: &str) -> String {
    json!({
        "Conversationid": conversation, "ConversationType": "BOT", "Message": text,
        "MessageType": "text", "Messageid": id, "Media": "", "Channel": "WhatsApp",
        "Event": "Incoming message", "Timestamp": time::format_spaced_millis(SystemClock.now()),
    })
    .to_string()
}

/// Returns the Standard Webhooks headers for a body.
pub fn signing_headers(secret: &str, id: &str, at: Timestamp, body: &str) -> Vec<(String, String)> {
    let signature =
        Webhook::new(secret).unwrap().sign(id, at.as_second(), body.as_bytes()).unwrap();
    vec![
        ("webhook-id".into(), id.into()),
        ("webhook-timestamp".into(), at.as_second().to_string()),
        ("webhook-signature".into(), signature),
    ]
}
