//! One test's own corner of the stack: a Webex channel, a webhook bot, and the far side of both.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use trunkline::apply::{apply, inbound_url};
use trunkline::config::{Environment, Reading, SecretSource, read};
use trunkline_shared::app::{Clock, SystemClock};
use trunkline_shared::model::{Connection, Conversation, ConversationKey, time};
use trunkline_shared::store::EventRecord;

use crate::{FarSide, World, uses_secret};

/// The live signing secrets of a scene's bot, the newest first.
pub const SIGNING: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];

/// One test's own corner.
#[derive(Debug)]
pub struct Scene<'w> {
    /// The stack.
    pub world: &'w World,
    /// What the connections' names begin with.
    pub name: String,
    /// The far side of all its connections: `/webex` and `/bot`, and what else its file names.
    pub far: FarSide,
    urls: HashMap<String, String>,
    connections: HashMap<String, Connection>,
}

#[derive(Debug)]
struct Secrets {
    webex: String,
    others: Vec<(String, String)>,
}

impl Environment for Secrets {
    fn secret(&self, source: &SecretSource) -> Result<String, String> {
        let SecretSource::Env(name) = source else { return Err("no file".into()) };
        let other = self.others.iter().find(|(known, _)| known == name);
        let secret = match (other, name.as_str()) {
            (Some((_, value)), _) => value.clone(),
            (None, "WEBEX_URL") => self.webex.clone(),
            (None, "NEW") => SIGNING[0].into(),
            (None, "OLD") => SIGNING[1].into(),
            (None, other) => format!("secret-{other}"),
        };
        uses_secret(name, &secret);
        Ok(secret)
    }
}

/// A Webex channel and a webhook bot, as most scenes have them.
pub const USUAL: &str = "
connections:
  NAME-webex:
    platform: webex
    role: channel
    secrets: { verification_token: { env: TOKEN }, send_url: { env: WEBEX_URL } }
  NAME-bot:
    platform: webhook
    role: bot
    copies: true
    settings: { message_url: FAR/bot }
    secrets: { signing: [{ env: NEW }, { env: OLD }] }
routes:
  NAME: { channels: [NAME-webex], bot: NAME-bot }
";

/// A channel, a bot and a desk, all by signed webhooks; `ROUTE` stands for more of the route.
pub const THREE: &str = "
connections:
  NAME-channel:
    platform: webhook
    role: channel
    sender_prefix: true
    settings: { message_url: FAR/channel }
    secrets: { signing: { env: NEW } }
  NAME-bot:
    platform: webhook
    role: bot
    delivery: { retry: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], breaker_after: 2 }
    settings: { message_url: FAR/bot }
    secrets: { signing: { env: NEW } }
  NAME-desk:
    platform: webhook
    role: desk
    settings: { message_url: FAR/desk }
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
        nobody: Nobody is there now.
        unshown: We cannot see this.
        agent: Somebody
      nl: { waiting: We zoeken iemand. }
ROUTE";

impl<'w> Scene<'w> {
    /// A channel, a bot and a desk; `route` is more of their route.
    pub async fn of_three(world: &'w World, name: &str, route: &str) -> Self {
        Self::of(world, name, &THREE.replace("ROUTE", route)).await
    }

    /// The usual scene.
    pub async fn usual(world: &'w World, name: &str) -> Self {
        Self::of(world, name, USUAL).await
    }

    /// The usual scene, whose bot's deliveries are tried again as `policy` says.
    pub async fn with_policy(world: &'w World, name: &str, policy: &str) -> Self {
        let bot = "role: bot\n    copies: true\n";
        let file = USUAL.replace(bot, &format!("{bot}    delivery: {policy}\n"));
        Self::of(world, name, &file).await
    }

    /// A scene of its own: in `file`, `NAME` stands for the name and `FAR` for the far side.
    pub async fn of(world: &'w World, name: &str, file: &str) -> Self {
        Self::beside(world, name, file, &[]).await
    }

    /// The same beside other far sides: each word stands for its address in `file`, and as a secret's
    /// name for that secret.
    pub async fn beside(
        world: &'w World,
        name: &str,
        file: &str,
        others: &[(&str, String)],
    ) -> Self {
        let far = FarSide::start().await;
        let mut text =
            file.replace("NAME-", &format!("{name}-")).replace("NAME:", &format!("{name}:"));
        text = text.replace("FAR", far.url("").trim_end_matches('/'));
        for (word, address) in others {
            text = text.replace(&format!("<{word}>"), address.trim_end_matches('/'));
        }
        let others =
            others.iter().map(|(word, value)| ((*word).to_owned(), value.clone())).collect();
        let environment = Secrets { webex: far.url("/webex"), others };
        let reading = Reading { environment: &environment, allow_local: true };
        let desired = read(&text, reading).unwrap_or_else(|problems| panic!("{problems}"));
        apply(world.stack(), &desired, |_| ()).await.unwrap();
        let (mut urls, mut connections) = (HashMap::new(), HashMap::new());
        for desired in &desired.connections {
            let id = desired.connection.id.to_string();
            let url = inbound_url(world.stack(), &desired.connection).await.unwrap().unwrap();
            uses_secret("path key", url.rsplit('/').next().unwrap());
            urls.insert(id.clone(), url);
            let applied = world.stack().store.connection(&desired.connection.id).await.unwrap();
            connections.insert(id, applied.unwrap());
        }
        Self { world, name: name.into(), far, urls, connections }
    }

    /// The inbound address of `<name>-<which>`.
    pub fn url(&self, which: &str) -> &str {
        &self.urls[&format!("{}-{which}", self.name)]
    }

    /// The connection `<name>-<which>`, as it is stored.
    pub fn connection(&self, which: &str) -> &Connection {
        &self.connections[&format!("{}-{which}", self.name)]
    }

    /// Posts to a connection's address, and answers with status and body.
    pub async fn post(
        &self,
        which: &str,
        body: String,
        headers: &[(String, String)],
    ) -> (u16, Value) {
        let mut call = self.world.request(http::Method::POST, self.url(which)).body(body);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let answer = call.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Posts to a path below a connection's address, which may hold a query.
    pub async fn post_below(
        &self,
        which: &str,
        path: &str,
        body: String,
        headers: &[(String, String)],
    ) -> (u16, http::HeaderMap, String) {
        let url = format!("{}{path}", self.url(which));
        let mut call = self.world.request(http::Method::POST, &url).body(body);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let answer = call.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, headers, answer.text().await.unwrap())
    }

    /// A customer's message by way of Webex Connect.
    pub async fn customer_writes(&self, conversation: &str, id: &str, text: &str) {
        let (status, body) = self.post("webex", webex_message(conversation, id, text), &[]).await;
        assert_eq!((status, &body["verificationToken"]), (200, &json!("secret-TOKEN")), "{body}");
    }

    /// A signed event from a webhook connection; answers with status and body.
    pub async fn sends(
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
        let headers = signing_headers(SIGNING[0], id, SystemClock.now(), &body);
        self.post(which, body, &headers).await
    }

    /// A customer's message on the webhook channel `<name>-channel`.
    pub async fn writes(&self, customer: &str, id: &str, text: &str) {
        let (status, body) = self.sends("channel", id, customer, says(text)).await;
        assert_eq!(status, 200, "{body}");
    }

    /// What the table holds of a customer's conversation on the Webex channel.
    pub async fn transcript(&self, customer: &str) -> Vec<EventRecord> {
        self.world.stack().store.transcript(&self.key(customer), 100).await.unwrap()
    }

    /// A customer's conversation on `<name>-<which>`, as it is stored.
    pub async fn conversation(&self, which: &str, customer: &str) -> Conversation {
        let key = self.key_on(which, customer);
        self.world.stack().store.conversation(&key).await.unwrap().unwrap()
    }

    /// Waits until all deliveries of a customer's conversation on `<name>-<which>` have an outcome.
    pub async fn settled(&self, which: &str, customer: &str) {
        let key = self.key_on(which, customer);
        for _ in 0..200 {
            let transcript = self.world.stack().store.transcript(&key, 100).await.unwrap();
            if transcript.iter().flat_map(EventRecord::unsettled).count() == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("the deliveries of {customer} are not settled");
    }

    /// The key of a customer's conversation on the Webex channel.
    pub fn key(&self, customer: &str) -> ConversationKey {
        self.key_on("webex", customer)
    }

    /// The key of a customer's conversation on `<name>-<which>`.
    pub fn key_on(&self, which: &str, customer: &str) -> ConversationKey {
        let channel = format!("{}-{which}", self.name).parse().unwrap();
        ConversationKey { channel, customer: customer.into() }
    }
}

/// A message of the webhook protocol, without its envelope.
pub fn says(text: &str) -> Value {
    json!({"type": "message", "data": {"text": text}})
}

/// A customer's message as Webex Connect sends it.
pub fn webex_message(conversation: &str, id: &str, text: &str) -> String {
    json!({
        "Conversationid": conversation, "ConversationType": "BOT", "Message": text,
        "MessageType": "text", "Messageid": id, "Media": "", "Channel": "WhatsApp",
        "Event": "Incoming message", "Timestamp": time::spaced_millis(SystemClock.now()),
    })
    .to_string()
}

/// Standard Webhooks headers for a body.
pub fn signing_headers(secret: &str, id: &str, at: Timestamp, body: &str) -> Vec<(String, String)> {
    let signature =
        Webhook::new(secret).unwrap().sign(id, at.as_second(), body.as_bytes()).unwrap();
    vec![
        ("webhook-id".into(), id.into()),
        ("webhook-timestamp".into(), at.as_second().to_string()),
        ("webhook-signature".into(), signature),
    ]
}
