//! The demo conversation: a customer writes through a simulated Webex Connect, a small bot answers over
//! signed webhooks, and the reply goes back to Webex Connect.

mod bot;
mod configuration;
mod customer;
mod instructions;
mod webex;

use std::net::Ipv4Addr;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use configuration::{CONFIGURATION, DemoSecrets, SIGNING};
pub use customer::{Customer, play_conversation};
pub use instructions::instructions;

/// The connection of the customer's channel.
pub const CUSTOMER_CONNECTION: &str = "demo-webex";
/// The connection of the bot.
pub const BOT_CONNECTION: &str = "demo-bot";
/// The connection of the channel for trying with curl.
pub const CHANNEL_CONNECTION: &str = "demo-channel";

/// The demo cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Another program uses the port.
    #[error(
        "port {port} is in use: end the program that uses it, or change the port in examples/demo/trunkline.yaml"
    )]
    PortTaken { port: u16 },
}

/// The ports of the two simulated platforms, as in the demo's configuration.
const BOT_PORT: u16 = 4611;
const WEBEX_PORT: u16 = 4612;

/// Starts the bot and the simulated Webex Connect. Both print the traffic. Without an inbound URL, the bot
/// does not reply.
///
/// # Errors
/// If one of their ports is in use.
pub async fn start(
    inbound_bot_url: Option<String>,
    api: LocalApi,
) -> Result<DemoPlatforms, DemoError> {
    let bot = listen(BOT_PORT).await?;
    let webex = listen(WEBEX_PORT).await?;
    let (sender, received) = watch::channel(0);
    let mut tasks = JoinSet::new();
    tasks.spawn(bot::serve(bot, inbound_bot_url, api));
    tasks.spawn(webex::serve(webex, sender));
    Ok(DemoPlatforms { received, _tasks: tasks })
}

/// The running simulated platforms. Dropping it stops them.
#[derive(Debug)]
pub struct DemoPlatforms {
    /// The number of messages that Webex Connect has received.
    received: watch::Receiver<usize>,
    _tasks: JoinSet<()>,
}

/// A client for the API of the local stack. The API's host name may not resolve, so it is sent in the `Host`
/// header.
#[derive(Debug, Clone)]
pub struct LocalApi {
    http: reqwest::Client,
    port: u16,
}

impl LocalApi {
    /// Returns a client for the local AWS on `port`.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self { http: plain_http(), port }
    }

    /// Returns the port of the local AWS.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns a POST request to a URL of the API.
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

async fn listen(port: u16) -> Result<TcpListener, DemoError> {
    let taken = |_| DemoError::PortTaken { port };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(taken)
}

/// Returns a client for plain http.
#[expect(clippy::disallowed_methods, reason = "not Trunkline's own calls")]
fn plain_http() -> reqwest::Client {
    // `reqwest` requires a TLS provider even for plain http.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Prints a line of the live transcript.
fn print_event(who: &str, what: &str) {
    println!("  {who:<22} {what}");
}
