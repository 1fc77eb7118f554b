//! What it remembers.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::{CHANNEL, Post, SECRET};

/// A message that it accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Its id of it.
    pub id: String,
    /// The conversation.
    pub conversation: String,
    /// The contact (v4) or person (v3) that sent it.
    pub sender: String,
    /// The sender's own id of it.
    pub source_id: String,
    /// What it says.
    pub data: Value,
}

/// A state that it was told.
#[derive(Debug, Clone, PartialEq)]
pub struct Marked {
    /// The call, such as `messageRead`.
    pub call: String,
    /// The message.
    pub message: String,
    /// The whole body.
    pub body: Value,
}

/// A conversation that it was told to end.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Which.
    pub conversation: String,
    /// Why.
    pub reason: String,
    /// In words.
    pub comment: Option<String>,
}

pub(super) struct Memory {
    pub(super) post: Option<Post>,
    pub(super) channel: Value,
    pub(super) persons: Vec<Value>,
    pub(super) contacts: Vec<Value>,
    /// With `contacts` and `state`, which the real one does not show like this.
    pub(super) conversations: Vec<Value>,
    /// Ids of messages that it sent out, with their conversations.
    pub(super) messages: Vec<(String, String)>,
    pub(super) sent: Vec<Sent>,
    pub(super) marked: Vec<Marked>,
    pub(super) ended: Vec<Ended>,
    pub(super) log: Vec<String>,
    pub(super) failing: VecDeque<(Option<String>, u16)>,
    pub(super) failing_after: Option<(u32, u16)>,
    pub(super) hiding: bool,
    pub(super) delay: Duration,
    pub(super) meddling: u32,
    ids: u32,
}

impl Memory {
    pub(super) fn new() -> Self {
        let channel = json!({
            "$_type": "CustomExternalMessengerChannel", "type": "CUSTOM", "id": CHANNEL,
            "accountId": "aCcOuNtIdExample0000001", "version": 1, "name": "acme-hub",
            "sourceId": "acme-hub-prod", "webhookEndpoint": "https://hub.example.com/unblu",
            "webhookApiVersion": "V4", "webhookSecret": SECRET, "webhookStatus": "ACTIVE",
            "messageStateHandledExternally": true, "outboundSupported": true,
            "outboundTimeoutMillis": 5_000, "contactIdentifierFieldType": "OTHER",
            "supportsMultipleConversationsPerContact": false, "metadata": {"hub.cursor": "0"},
        });
        Self {
            post: None,
            channel,
            persons: Vec::new(),
            contacts: Vec::new(),
            conversations: Vec::new(),
            messages: Vec::new(),
            sent: Vec::new(),
            marked: Vec::new(),
            ended: Vec::new(),
            log: Vec::new(),
            failing: VecDeque::new(),
            failing_after: None,
            hiding: false,
            delay: Duration::ZERO,
            meddling: 0,
            ids: 0,
        }
    }

    /// An id as Unblu's look.
    pub(super) fn new_id(&mut self, what: &str) -> String {
        self.ids += 1;
        format!("{what}-_{:0>width$}", self.ids, width = 20_usize.saturating_sub(what.len()))
    }

    pub(super) fn touch_channel(&mut self) {
        let version = self.channel["version"].as_u64().unwrap() + 1;
        self.channel["version"] = version.into();
    }

    /// The active conversation with that `sourceId` on the channel: ended ones are ignored.
    pub(super) fn active(&self, source_id: &str) -> Option<&Value> {
        let mut all = self.conversations.iter();
        all.find(|one| one["sourceId"] == source_id && one["state"] == "ACTIVE")
    }

    pub(super) fn conversation(&mut self, id: &str) -> Option<&mut Value> {
        self.conversations.iter_mut().find(|one| one["id"] == id)
    }
}
