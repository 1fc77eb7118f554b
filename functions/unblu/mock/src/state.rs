//! The mock server's state.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::channels::Registrations;
use super::judging::ApiVersion;
use super::{ACCOUNT, CHANNEL, Endpoint, SECRET};

/// An accepted message.
#[derive(Debug, Clone, PartialEq)]
pub struct SentMessage {
    /// Unblu's id of the message.
    pub id: String,
    pub conversation: String,
    /// The id of the contact (v4) or person (v3) that sent it.
    pub sender: String,
    /// The sender's own id of the message.
    pub source_id: String,
    /// The `messageData`.
    pub data: Value,
}

/// A reported state of an agent's message.
#[derive(Debug, Clone, PartialEq)]
pub struct StateReport {
    /// The called path, such as `messageRead`.
    pub call: String,
    pub message: String,
    pub body: Value,
}

/// A conversation that was ended through the API.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedConversation {
    pub conversation: String,
    pub reason: String,
    pub comment: Option<String>,
}

/// A conversation at Unblu.
#[derive(Debug, Clone)]
pub(super) struct Conversation {
    /// The `ConversationData`.
    pub(super) data: Value,
    /// The ids of the contacts (v4) or persons (v3) that write through the channel.
    pub(super) customers: Vec<String>,
}

impl Conversation {
    pub(super) fn has_ended(&self) -> bool {
        self.data["state"] == "ENDED"
    }
}

pub(super) struct ServerState {
    pub(super) version: ApiVersion,
    /// What was against the document, unless a test took it.
    pub(super) violations: Vec<String>,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) channel: Value,
    pub(super) persons: Vec<Value>,
    pub(super) contacts: Vec<Value>,
    pub(super) conversations: Vec<Conversation>,
    /// The ids of agents' messages, with their conversations.
    pub(super) messages: Vec<(String, String)>,
    pub(super) sent: Vec<SentMessage>,
    pub(super) state_reports: Vec<StateReport>,
    pub(super) ended: Vec<EndedConversation>,
    pub(super) log: Vec<String>,
    pub(super) scheduled_failures: VecDeque<(Option<String>, u16)>,
    pub(super) failure_after_messages: Option<(u32, u16)>,
    pub(super) hide_contacts: bool,
    pub(super) delay: Duration,
    pub(super) concurrent_changes: u32,
    pub(super) registrations: Registrations,
    ids: u32,
}

impl ServerState {
    pub(super) fn new(version: ApiVersion) -> Self {
        let mut channel = json!({
            "$_type": "CustomExternalMessengerChannel", "type": "CUSTOM", "id": CHANNEL,
            "accountId": ACCOUNT, "version": 1, "name": "acme-hub",
            "sourceId": "acme-hub-prod", "webhookEndpoint": "https://hub.example.com/unblu",
            "webhookApiVersion": version.word().to_uppercase(), "webhookSecret": SECRET,
            "webhookStatus": "ACTIVE", "messageStateHandledExternally": true,
            "metadata": {"hub.cursor": "0"},
        });
        if version == ApiVersion::V4 {
            channel["outboundSupported"] = true.into();
            channel["outboundTimeoutMillis"] = 5_000.into();
            channel["contactIdentifierFieldType"] = "OTHER".into();
            channel["supportsMultipleConversationsPerContact"] = false.into();
        }
        Self {
            version,
            violations: Vec::new(),
            endpoint: None,
            channel,
            persons: Vec::new(),
            contacts: Vec::new(),
            conversations: Vec::new(),
            messages: Vec::new(),
            sent: Vec::new(),
            state_reports: Vec::new(),
            ended: Vec::new(),
            log: Vec::new(),
            scheduled_failures: VecDeque::new(),
            failure_after_messages: None,
            hide_contacts: false,
            delay: Duration::ZERO,
            concurrent_changes: 0,
            registrations: Registrations::default(),
            ids: 0,
        }
    }

    /// Returns a new id in Unblu's format.
    pub(super) fn new_id(&mut self, what: &str) -> String {
        self.ids += 1;
        format!("{what}-_{:0>width$}", self.ids, width = 20_usize.saturating_sub(what.len()))
    }

    pub(super) fn touch_channel(&mut self) {
        let version = self.channel["version"].as_u64().unwrap() + 1;
        self.channel["version"] = version.into();
    }

    /// Returns the active conversation with a `sourceId`.
    pub(super) fn active(&self, source_id: &str) -> Option<&Conversation> {
        let mut all = self.conversations.iter();
        all.find(|one| one.data["sourceId"] == source_id && !one.has_ended())
    }

    pub(super) fn conversation(&mut self, id: &str) -> Option<&mut Conversation> {
        self.conversations.iter_mut().find(|one| one.data["id"] == id)
    }

    /// Returns the version of the channel's webhooks and outbound requests.
    pub(super) fn call_version(&self) -> ApiVersion {
        let word = self.channel["webhookApiVersion"].as_str().unwrap_or_default();
        word.to_lowercase().parse().unwrap_or(self.version)
    }
}
