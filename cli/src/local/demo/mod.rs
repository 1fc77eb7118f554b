//! A short real conversation: a customer's Webex webhook in, a small bot that answers over signed
//! webhooks, the reply out at the Webex side.

mod bot;
mod customer;
mod webex;

use std::net::Ipv4Addr;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{LocalError, plain_http};
use crate::config::{Environment, SecretSource};

pub use customer::{Customer, play};

/// The demo's configuration.
pub const CONFIGURATION: &str = include_str!("../../../../demo/trunkline.yaml");

/// Where the demo's two far sides listen, as its configuration says.
const BOT_PORT: u16 = 4611;
const WEBEX_PORT: u16 = 4612;

/// The demo's secrets: known to everybody, so that its URLs can be written into a README.
#[derive(Debug, Clone, Copy)]
pub struct DemoSecrets;

const SIGNING: &str = "whsec_ZGVtby1vbmx5LXNpZ25pbmcta2V5LW5vdC1hLXNlY3JldA==";

const SECRETS: [(&str, &str); 17] = [
    ("DEMO_WEBEX_PATH_KEY", "demo-webex-key-for-this-machine-only"),
    ("DEMO_WEBEX_TOKEN", "vt-demo"),
    ("DEMO_WEBEX_URL", "http://127.0.0.1:4612/events/demo"),
    ("DEMO_BOT_PATH_KEY", "demo-bot-key-for-this-machine-only-1"),
    ("DEMO_BOT_SIGNING", SIGNING),
    ("DEMO_CHANNEL_PATH_KEY", "demo-channel-key-for-this-machine-only"),
    ("DEMO_CHANNEL_TOKEN", "demo-token"),
    ("DEMO_CM_PATH_KEY", "demo-cm-key-for-this-machine-only-12"),
    ("DEMO_CM_TOKEN", "00000000-0000-4000-8000-000000000000"),
    ("DEMO_SERVISBOT_PATH_KEY", "demo-servisbot-key-for-this-machine-1"),
    ("DEMO_SERVISBOT_SECRET", "engage-7d1f"),
    ("DEMO_SERVISBOT_API_KEY", "demo-api-key"),
    ("DEMO_TWIN_PATH_KEY", "demo-twin-key-for-this-machine-only-1"),
    ("DEMO_UNBLU_PATH_KEY", "demo-unblu-key-for-this-machine-only"),
    ("DEMO_UNBLU_USER", "hub"),
    ("DEMO_UNBLU_PASSWORD", "pa:ss wörd"),
    ("DEMO_UNBLU_SECRET", "demo-webhook-secret"),
];

impl Environment for DemoSecrets {
    fn secret(&self, source: &SecretSource) -> Result<String, String> {
        let known = match source {
            SecretSource::Env(name) => SECRETS.iter().find(|(known, _)| known == name),
            SecretSource::File(_) => None,
        };
        let missing = || "it is not one of the demo's".to_owned();
        known.map(|(_, value)| (*value).to_owned()).ok_or_else(missing)
    }
}

/// Starts the bot and the Webex side. They tell what they see. Without an address to answer at, the
/// bot only listens.
///
/// # Errors
/// If their ports are taken.
pub async fn start(inbound_bot_url: Option<String>, api: Api) -> Result<FarSides, LocalError> {
    let bot = listen(BOT_PORT).await?;
    let webex = listen(WEBEX_PORT).await?;
    let (told, seen) = watch::channel(0);
    let mut tasks = JoinSet::new();
    tasks.spawn(bot::serve(bot, inbound_bot_url, api));
    tasks.spawn(webex::serve(webex, told));
    Ok(FarSides { seen, _tasks: tasks })
}

/// The running far sides. When they are dropped, they end.
#[derive(Debug)]
pub struct FarSides {
    /// How many messages have come out at the Webex side.
    seen: watch::Receiver<usize>,
    _tasks: JoinSet<()>,
}

/// How the API is reached from here: its name may not resolve, so it goes into the `Host` header.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    port: u16,
}

impl Api {
    /// The API on the local AWS at `port`.
    #[must_use]
    pub fn at(port: u16) -> Self {
        Self { http: plain_http(), port }
    }

    /// The local AWS's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A POST to one of the API's addresses.
    pub fn post(&self, url: &str, body: String) -> reqwest::RequestBuilder {
        let rest = url.trim_start_matches("http://");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        self.http
            .post(format!("http://127.0.0.1:{}/{path}", self.port))
            .header("host", host)
            .header("content-type", "application/json")
            .body(body)
    }
}

async fn listen(port: u16) -> Result<TcpListener, LocalError> {
    let taken = |_| LocalError::PortTaken { port, option: "demo/trunkline.yaml" };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(taken)
}

/// A line of the live transcript.
fn tell(who: &str, what: &str) {
    println!("  {who:<22} {what}");
}
