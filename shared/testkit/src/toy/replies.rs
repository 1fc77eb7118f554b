//! How the endpoints of the platform answer.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How an endpoint answers a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Takes it and answers with status 200.
    Accept,
    /// Takes it and returns its own id of the message.
    AcceptAs(&'static str),
    /// Takes it after this time. From five seconds on, the answer comes too late to be seen.
    Slow(Duration),
    /// Takes it, and the answer is lost.
    LoseAnswer,
    /// Does not take it, and does not answer.
    Silent,
    /// Does not take it, and answers with this status.
    Status(u16),
    /// Does not take it, and answers with status 503 and this `Retry-After`.
    RetryAfter(String),
    /// Cannot be reached.
    Unreachable,
}

/// The replies of all connections.
#[derive(Debug, Default)]
pub(super) struct Script {
    once: HashMap<String, VecDeque<Reply>>,
    by_word: Vec<(String, String, Reply)>,
    standing: HashMap<String, Reply>,
}

impl Script {
    pub(super) fn set_standing(&mut self, connection: &str, reply: Option<Reply>) {
        self.standing.remove(connection);
        if let Some(reply) = reply {
            self.standing.insert(connection.to_owned(), reply);
        }
    }

    pub(super) fn add_once(&mut self, connection: &str, reply: Reply) {
        self.once.entry(connection.to_owned()).or_default().push_back(reply);
    }

    pub(super) fn set_for_word(&mut self, connection: &str, word: &str, reply: Option<Reply>) {
        self.by_word.retain(|(known, text, _)| known != connection || text != word);
        if let Some(reply) = reply {
            self.by_word.push((connection.to_owned(), word.to_owned(), reply));
        }
    }

    /// Returns the reply to a delivery with this summary.
    pub(super) fn take(&mut self, connection: &str, summary: &str) -> Reply {
        if let Some(reply) = self.once.get_mut(connection).and_then(VecDeque::pop_front) {
            return reply;
        }
        let by_word = self
            .by_word
            .iter()
            .find(|(known, word, _)| known == connection && summary.contains(word));
        let by_word = by_word.map(|(.., reply)| reply);
        by_word.or(self.standing.get(connection)).cloned().unwrap_or(Reply::Accept)
    }

    /// Returns the reply of a connection that is not to a certain delivery.
    pub(super) fn standing(&self, connection: &str) -> Reply {
        self.standing.get(connection).cloned().unwrap_or(Reply::Accept)
    }
}
