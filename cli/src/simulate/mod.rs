//! Simulated platforms on which a person acts as customer, bot or agent. They use the mocks of the tests.

mod cm;
mod command;
mod inbox;
mod membership;
mod servisbot;
mod twin;
mod unblu;
mod webex;
mod webhook;

use serde_json::Value;
use tokio::net::TcpListener;
use trunkline_core::model::{Platform, Role};

pub use command::{HELP, PlayerCommand};
pub use membership::{JoinError, Membership, join, leave};

use crate::local::demo::LocalApi;

/// The party that the person acts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Persona {
    /// The customer on a channel.
    Customer,
    /// The bot of a route.
    Bot,
    /// The agent of a desk.
    Agent,
}

impl Persona {
    /// Returns the role of the persona's connection.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Customer => Role::Channel,
            Self::Bot => Role::Bot,
            Self::Agent => Role::Desk,
        }
    }

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Bot => "bot",
            Self::Agent => "agent",
        }
    }
}

/// What a player is started with.
#[derive(Debug)]
pub struct PlayerContext {
    pub persona: Persona,
    /// The listener of the simulated platform.
    pub listener: TcpListener,
    /// The port of the listener.
    pub port: u16,
    /// The inbound URL of its connection.
    pub inbound: String,
    /// The client for that URL.
    pub api: LocalApi,
}

/// The settings and secrets of a connection to a player.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionSetup {
    pub settings: Value,
    pub secrets: Vec<(&'static str, String)>,
}

/// A call from a simulated platform to Trunkline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The path to append to the connection's inbound URL.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Call {
    fn new(headers: impl IntoIterator<Item = (&'static str, String)>, body: String) -> Self {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { path: String::new(), headers, body }
    }
}

/// A simulated platform with a person as one of its parties.
pub trait Player: Send {
    /// Returns the settings and secrets of a connection to it.
    fn setup(&self) -> ConnectionSetup;

    /// Executes a command. Returns the calls that the platform makes to Trunkline.
    ///
    /// # Errors
    /// A message for the person if the platform does not support the command.
    fn execute(&mut self, command: PlayerCommand) -> Result<Vec<Call>, String>;

    /// Returns what Trunkline has sent since the last call, as the person sees it.
    fn received(&mut self) -> Vec<String>;
}

/// Starts a simulated platform.
pub type StartPlayer = fn(PlayerContext) -> Box<dyn Player>;

/// The personas of each platform, the default one first, and the function that starts it.
const TABLE: [(Platform, &[Persona], StartPlayer); 6] = [
    (Platform::Cm, &[Persona::Customer, Persona::Bot, Persona::Agent], cm::start),
    (Platform::Servisbot, &[Persona::Bot], servisbot::start),
    (Platform::Twin, &[Persona::Bot], twin::start),
    (Platform::Unblu, &[Persona::Agent], unblu::start),
    (Platform::Webex, &[Persona::Customer], webex::start),
    (Platform::Webhook, &[Persona::Bot, Persona::Agent, Persona::Customer], webhook::start),
];

/// Returns the personas of a platform and the function that starts it.
#[must_use]
pub fn player_for(platform: Platform) -> (&'static [Persona], StartPlayer) {
    let row = TABLE.iter().find(|(known, ..)| *known == platform).unwrap_or(&TABLE[0]);
    (row.1, row.2)
}

/// Returns the items after the first `known`, and sets `known` to the length of the list.
fn take_new<T>(all: Vec<T>, known: &mut usize) -> Vec<T> {
    let skipped = std::mem::replace(known, all.len());
    all.into_iter().skip(skipped).collect()
}

/// Returns the message that there is no conversation yet.
fn no_conversation_yet() -> String {
    "there is no conversation yet: wait for a message".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_can_be_simulated() {
        for name in Platform::names() {
            let platform: Platform = name.parse().unwrap();
            assert!(TABLE.iter().any(|(known, ..)| *known == platform), "{name}");
        }
    }
}
