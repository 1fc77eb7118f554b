//! The state of one queue and the rules by which messages pass through it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// How long a FIFO queue remembers a deduplication id.
/// Source: SQS guide, "Exactly-once processing in Amazon SQS".
const DEDUPLICATION_INTERVAL: SignedDuration = SignedDuration::from_mins(5);

/// The attributes of a queue, as `CreateQueue` names them in its documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueConfig {
    /// `FifoQueue`: messages have groups, in which they keep their order.
    pub fifo: bool,
    /// `VisibilityTimeout`, in seconds.
    pub visibility_timeout: i64,
    /// `DelaySeconds` of messages without their own.
    pub delay_seconds: i64,
    /// `ContentBasedDeduplication`: the body's digest is the deduplication id of a message without one.
    pub content_based_deduplication: bool,
    /// `DeduplicationScope` is `messageGroup`: the same id in another group is another message.
    pub deduplicates_by_group: bool,
    /// `RedrivePolicy`: the name of the dead-letter queue and `maxReceiveCount`.
    pub redrive: Option<(String, u32)>,
}

impl Default for QueueConfig {
    /// The defaults of `CreateQueue`: a standard queue.
    fn default() -> Self {
        Self {
            fifo: false,
            visibility_timeout: 30,
            delay_seconds: 0,
            content_based_deduplication: false,
            deduplicates_by_group: false,
            redrive: None,
        }
    }
}

impl QueueConfig {
    /// A FIFO queue with the other defaults of `CreateQueue`.
    pub fn fifo() -> Self {
        Self { fifo: true, ..Self::default() }
    }
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// Position among all messages of all queues, in the order in which they were sent.
    pub(super) sequence: u64,
    pub id: String,
    pub body: String,
    /// `MessageAttributes`, in the format of the API.
    pub attributes: Map<String, Value>,
    /// `MessageGroupId`; `None` on standard queues.
    pub group: Option<String>,
    pub deduplication_id: Option<String>,
    pub sent_at: Timestamp,
    pub first_received_at: Option<Timestamp>,
    /// How often the message was received.
    pub receive_count: u32,
    /// When it can be received: later than now while it is delayed or in flight.
    pub visible_at: Timestamp,
    /// The handle of the last receive; `None` before the first.
    pub receipt: Option<String>,
}

impl Message {
    fn is_in_flight(&self, now: Timestamp) -> bool {
        self.receipt.is_some() && self.visible_at > now
    }
}

/// A queue with its messages in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) config: QueueConfig,
    pub(super) messages: Vec<Message>,
    /// What was sent within the deduplication interval: time and message, by group and id.
    sent: BTreeMap<(String, String), (Timestamp, String, u64)>,
}

impl Queue {
    pub(super) fn new(config: QueueConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// Adds a message, unless the queue has accepted one with its deduplication id in the last five
    /// minutes. Returns the id and number of the message that the queue keeps.
    ///
    /// The id is remembered although the first message has been deleted. Source: SQS API, `SendMessage`,
    /// `MessageDeduplicationId`.
    pub(super) fn add(&mut self, message: Message, now: Timestamp) -> (String, u64) {
        if let Some(id) = &message.deduplication_id {
            self.sent.retain(|_, (at, ..)| now.duration_since(*at) < DEDUPLICATION_INTERVAL);
            let by_group = self.config.deduplicates_by_group;
            let scope = message.group.clone().filter(|_| by_group).unwrap_or_default();
            let known = (now, message.id.clone(), message.sequence);
            let key = (scope, id.clone());
            if let Some((_, id, sequence)) = self.sent.get(&key) {
                return (id.clone(), *sequence);
            }
            self.sent.insert(key, known);
        }
        let accepted = (message.id.clone(), message.sequence);
        self.messages.push(message);
        accepted
    }

    /// Returns the positions of the messages that a receive returns: up to `limit`, for a FIFO queue all of
    /// one group as far as possible, and none of a group of which a message is in flight.
    ///
    /// Source: SQS guide, "FIFO queue delivery logic". Assumption: of the groups with available messages,
    /// the one with the oldest message is first, and a message whose delay or visibility timeout has not
    /// passed blocks the later ones of its group.
    pub(super) fn available(&self, limit: usize, one_group: bool, now: Timestamp) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        if !self.config.fifo {
            found.extend((0..self.messages.len()).filter(|i| self.messages[*i].visible_at <= now));
            // Assumption: a standard queue, which has no order, returns what is visible longest.
            found.sort_by_key(|i| (self.messages[*i].visible_at, self.messages[*i].sequence));
            found.truncate(limit);
            return found;
        }
        let mut blocked: BTreeSet<&Option<String>> = self
            .messages
            .iter()
            .filter(|message| message.is_in_flight(now))
            .map(|message| &message.group)
            .collect();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        // The position of each group in `groups`.
        let mut positions: HashMap<&Option<String>, usize> = HashMap::new();
        for (index, message) in self.messages.iter().enumerate() {
            if blocked.contains(&message.group) {
                continue;
            }
            if message.visible_at > now {
                blocked.insert(&message.group);
                continue;
            }
            let position = *positions.entry(&message.group).or_insert(groups.len());
            if position == groups.len() {
                groups.push(Vec::new());
            }
            groups[position].push(index);
        }
        groups.truncate(if one_group { 1 } else { groups.len() });
        found.extend(groups.into_iter().flatten());
        found.truncate(limit);
        found
    }

    /// Returns the time at which the next message becomes visible that is not visible at `now`.
    pub(super) fn next_visible_after(&self, now: Timestamp) -> Option<Timestamp> {
        self.messages.iter().map(|message| message.visible_at).filter(|at| *at > now).min()
    }

    pub(super) fn by_receipt(&mut self, receipt: &str) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.receipt.as_deref() == Some(receipt))
    }
}
