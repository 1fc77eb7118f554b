//! What the mocks of platforms share. A mock plays the vendor's side of a protocol, according to the vendor's
//! documents: it rejects what the real server would reject, and shares no code with the platform's functions.
//! Tests use its server; `trunkline simulate` uses its player.

mod clock;
mod command;
mod inbox;

use std::str::FromStr;

use serde_json::Value;
use tokio::net::TcpListener;
use trunkline_core::model::Role;

pub use clock::now;
pub use command::{HELP, PlayerCommand};
pub use inbox::Inbox;

/// The party that the person acts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl FromStr for Persona {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Self::Customer, Self::Bot, Self::Agent];
        let found = all.into_iter().find(|persona| persona.name() == name);
        found.ok_or_else(|| format!("'{name}' is no persona: use customer, bot or agent"))
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
    /// The port of the local API that the inbound URL belongs to.
    pub api_port: u16,
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
    /// Builds a call to the connection's inbound URL.
    pub fn new(headers: impl IntoIterator<Item = (&'static str, String)>, body: String) -> Self {
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

/// The mock of a platform.
#[derive(Debug, Clone, Copy)]
pub struct Mock {
    /// The parties that a person can act as, the default one first.
    pub personas: &'static [Persona],
    /// Starts the mock with a person as one of its parties.
    pub start: StartPlayer,
}

/// Returns the items after the first `known`, and sets `known` to the length of the list.
pub fn take_new<T>(all: Vec<T>, known: &mut usize) -> Vec<T> {
    let skipped = std::mem::replace(known, all.len());
    all.into_iter().skip(skipped).collect()
}

/// Returns the message that there is no conversation yet.
pub fn no_conversation_yet() -> String {
    "there is no conversation yet: wait for a message".into()
}
