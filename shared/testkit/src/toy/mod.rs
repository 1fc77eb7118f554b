//! A platform without a network: its inbound calls contain events as JSON, and its endpoints answer as the
//! test tells them to.

mod files;
mod inbound;
mod outbound;
mod replies;

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use trunkline_core::model::{ConnectionId, Delivery, EventBody};

use trunkline_core::model::{Behaviour, Capabilities, PlatformId, Role};
use trunkline_core::platform::{Platform, PlatformSettings, PlatformSpec};
use trunkline_core::settings;

use crate::aws::InProcessAws;
pub use files::FileReply;
use files::PrivateFiles;
pub use replies::Reply;
use replies::Script;

settings! {
    /// The settings of the platform.
    pub struct ToySettings {
        /// how many colours the platform has
        colours: trunkline_core::platform::BoundedNumber<1, 7> =
            trunkline_core::platform::BoundedNumber(3);
    }
}

impl Platform for ToyPlatform {
    type Settings = ToySettings;

    /// Can do everything, so that every path is taken.
    const SPEC: PlatformSpec = PlatformSpec {
        id: PlatformId::from_static("toy"),
        name: "Toy",
        roles: &[Role::Channel, Role::Bot, Role::Desk, Role::Observer],
        capabilities: Capabilities::ALL,
        optional_features: &[],
        behaviour: Behaviour::NONE,
        addresses: &[],
        settings: ToySettings::SPECS,
        secrets: &[],
        alerts_setting: None,
        retry_unknown: None,
        check: |_| Vec::new(),
    };
}

/// A platform in memory. Clones share their state, so it survives the crash of a worker.
#[derive(Debug, Clone, Default)]
pub struct ToyPlatform(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Counts the AWS calls; `None` outside a stack.
    aws: Option<InProcessAws>,
    calls: Vec<ToyCall>,
    script: Script,
    private_files: PrivateFiles,
}

/// A delivery that an endpoint of the platform received.
#[derive(Debug, Clone, PartialEq)]
pub struct ToyCall {
    /// The connection that the delivery was sent to.
    pub connection: ConnectionId,
    /// The platform's id of the conversation.
    pub conversation: String,
    pub delivery: Delivery,
    /// The number of AWS calls that functions had made before.
    pub after_aws_call: usize,
    /// When the call began.
    pub at: Timestamp,
    /// Whether the platform has taken the delivery, even if its answer was lost.
    pub accepted: bool,
}

impl ToyCall {
    /// Summarizes the delivery: a message by its text, a choice by its id in brackets, any other event by
    /// its kind, such as `<handover>`. ` (copy)` follows if it is a copy.
    pub fn summary(&self) -> String {
        let copy = if self.delivery.to.copy { " (copy)" } else { "" };
        let what = match &self.delivery.event.body {
            EventBody::Message { content, .. } => content.text.clone().unwrap_or_default(),
            EventBody::Choice { id, .. } => format!("[{id}]"),
            other => format!("<{}>", other.kind()),
        };
        what + copy
    }
}

impl ToyPlatform {
    /// Creates the platform of a stack.
    pub(crate) fn beside(aws: InProcessAws) -> Self {
        Self(Arc::new(Mutex::new(State { aws: Some(aws), ..State::default() })))
    }

    /// Sets the reply of a connection from now on; `None` restores [`Reply::Accept`].
    pub fn always(&self, connection: &str, reply: impl Into<Option<Reply>>) {
        self.0.lock().unwrap().script.set_standing(connection, reply.into());
    }

    /// Adds a reply for the connection's next call. Replies for single calls come before all others, in the
    /// order in which they were added.
    pub fn once(&self, connection: &str, reply: Reply) {
        self.0.lock().unwrap().script.add_once(connection, reply);
    }

    /// Sets the reply of a connection to deliveries whose summary contains `word`; `None` removes it.
    pub fn for_word(&self, connection: &str, word: &str, reply: impl Into<Option<Reply>>) {
        self.0.lock().unwrap().script.set_for_word(connection, word, reply.into());
    }

    /// Adds a reply to the downloads of a private file. The last one stays.
    pub fn file(&self, url: &str, reply: FileReply) {
        self.0.lock().unwrap().private_files.add(url, reply);
    }

    /// Returns how often a private file was downloaded.
    pub fn downloads(&self, url: &str) -> usize {
        self.0.lock().unwrap().private_files.downloads(url)
    }

    /// Returns the calls that a connection received, in order.
    pub fn calls(&self, connection: &str) -> Vec<ToyCall> {
        let state = self.0.lock().unwrap();
        state.calls.iter().filter(|call| call.connection.as_str() == connection).cloned().collect()
    }

    /// Returns the deliveries that a connection has taken, in the order in which it took them first.
    /// Repeats are left out.
    pub fn taken(&self, connection: &str) -> Vec<ToyCall> {
        let mut taken: Vec<ToyCall> = Vec::new();
        for call in self.calls(connection).into_iter().filter(|call| call.accepted) {
            if taken.iter().all(|known| known.delivery.id != call.delivery.id) {
                taken.push(call);
            }
        }
        taken
    }

    /// Returns the summaries of the deliveries that a connection has taken: see [`ToyPlatform::taken`].
    pub fn heard(&self, connection: &str) -> Vec<String> {
        self.taken(connection).iter().map(ToyCall::summary).collect()
    }

    /// Returns the platform's id of the conversation in the connection's last call.
    pub fn conversation(&self, connection: &str) -> String {
        let last = self.calls(connection).pop();
        last.unwrap_or_else(|| panic!("{connection} received nothing")).conversation
    }
}
