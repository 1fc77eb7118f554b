//! The vendors' sides, played by a person on this machine: what the tests' stand-ins do, for trying
//! things out.

mod act;
mod cm;
mod inbox;
mod join;
mod servisbot;
mod twin;
mod unblu;
mod webex;
mod webhook;

use serde_json::Value;
use tokio::net::TcpListener;
use trunkline_shared::model::{Platform, Role};

pub use act::{Act, HELP};
pub use join::{JoinError, Joined, join, leave};

use crate::local::demo::Api;

/// Who is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Who writes on a channel.
    Customer,
    /// The program that answers first.
    Bot,
    /// Who takes over.
    Agent,
}

impl Part {
    /// The role of a connection behind which that part is played.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Customer => Role::Channel,
            Self::Bot => Role::Bot,
            Self::Agent => Role::Desk,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Bot => "bot",
            Self::Agent => "agent",
        }
    }
}

/// What a player finds when it starts.
#[derive(Debug)]
pub struct Stage {
    /// Who is to be played.
    pub part: Part,
    /// Where its side listens.
    pub listener: TcpListener,
    /// On which port that is.
    pub port: u16,
    /// Its connection's inbound address.
    pub inbound: String,
    /// How that is reached.
    pub api: Api,
}

/// A connection that leads to a player.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Its settings.
    pub settings: Value,
    /// Its secrets.
    pub secrets: Vec<(&'static str, String)>,
}

/// A call that a player's platform makes to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What to append to the connection's inbound address.
    pub path: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Call {
    fn new(headers: impl IntoIterator<Item = (&'static str, String)>, body: String) -> Self {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { path: String::new(), headers, body }
    }
}

/// One platform's side, with a person at it.
pub trait Player: Send {
    /// What leads to it.
    fn setup(&self) -> Setup;

    /// What the platform calls us with when the person does that.
    ///
    /// # Errors
    /// Why the person cannot do that, in words for them.
    fn act(&mut self, act: Act) -> Result<Vec<Call>, String>;

    /// What has come from us since it was last asked, as the person would see it.
    fn heard(&mut self) -> Vec<String>;
}

/// Starts a platform's side.
pub type Play = fn(Stage) -> Box<dyn Player>;

/// Which parts of each platform can be played, the usual one first, and how it is started.
const TABLE: [(Platform, &[Part], Play); 6] = [
    (Platform::Cm, &[Part::Customer, Part::Bot, Part::Agent], cm::play),
    (Platform::Servisbot, &[Part::Bot], servisbot::play),
    (Platform::Twin, &[Part::Bot], twin::play),
    (Platform::Unblu, &[Part::Agent], unblu::play),
    (Platform::Webex, &[Part::Customer], webex::play),
    (Platform::Webhook, &[Part::Bot, Part::Agent, Part::Customer], webhook::play),
];

/// Which parts of a platform can be played, and how it is started.
#[must_use]
pub fn side(platform: Platform) -> (&'static [Part], Play) {
    let row = TABLE.iter().find(|(known, ..)| *known == platform).unwrap_or(&TABLE[0]);
    (row.1, row.2)
}

/// What comes after the first `known` of a list, which are counted as known then.
fn fresh<T>(all: Vec<T>, known: &mut usize) -> Vec<T> {
    let skipped = std::mem::replace(known, all.len());
    all.into_iter().skip(skipped).collect()
}

/// Why nothing can be said yet.
fn nobody() -> String {
    "nobody has written yet: wait for a conversation".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_can_be_played() {
        for name in Platform::names() {
            let platform: Platform = name.parse().unwrap();
            assert!(TABLE.iter().any(|(known, ..)| *known == platform), "{name}");
        }
    }
}
