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

pub use customer::{Customer, play};
pub use trunkline_setup::demo::{CONFIGURATION, DemoSecrets, SIGNING};

/// Where the demo's two far sides listen, as its configuration says.
const BOT_PORT: u16 = 4611;
const WEBEX_PORT: u16 = 4612;

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
