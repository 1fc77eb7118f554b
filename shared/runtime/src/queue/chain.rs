//! The length of a chain of queue messages.
//!
//! AWS Lambda counts how often a function runs in one chain of messages, and refuses about the 17th run, even where
//! every message has work to do. Source: Lambda guide, "Use Lambda recursive loop detection". So each message tells
//! how many runs led to it, and a long chain ends: its next task waits for the minute's tick, which starts a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use aws_lambda_events::event::sqs::SqsMessage;

/// Message attribute with the number of runs that led to a message; absent for those of a call or of the tick.
pub const CHAIN_ATTRIBUTE: &str = "chain";

/// From this number of runs on, a chain is long. Fewer than Lambda allows, because a batch has messages of several
/// chains, and some work still follows a task.
const LONG: u8 = 12;

/// The chain of the invocation that is running. A process of a function handles one invocation at a time.
#[derive(Debug, Clone, Default)]
pub struct Chain(Arc<AtomicU8>);

impl Chain {
    /// Starts an invocation for messages. It continues the longest of their chains.
    pub fn continue_from<'a>(&self, messages: impl IntoIterator<Item = &'a SqsMessage>) {
        let longest = messages.into_iter().map(runs_before).max();
        self.0.store(longest.unwrap_or_default().saturating_add(1), Ordering::Relaxed);
    }

    /// Starts an invocation that no message caused.
    pub fn start(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Returns whether the chain must not go on.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.runs() >= LONG
    }

    /// Returns the number of runs in the chain, this one included.
    pub(super) fn runs(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

fn runs_before(message: &SqsMessage) -> u8 {
    let found = message.message_attributes.get(CHAIN_ATTRIBUTE);
    let value = found.and_then(|attribute| attribute.string_value.as_deref());
    value.and_then(|value| value.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::sqs::SqsMessageAttribute;

    use super::*;

    fn message(runs: &str) -> SqsMessage {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value = Some(runs.to_owned());
        let mut message = SqsMessage::default();
        message.message_attributes.insert(CHAIN_ATTRIBUTE.to_owned(), attribute);
        message
    }

    #[test]
    fn a_batch_continues_its_longest_chain() {
        let chain = Chain::default();
        assert_eq!(chain.runs(), 0);
        chain.continue_from(&[SqsMessage::default()]);
        assert_eq!(chain.runs(), 1);
        chain.continue_from(&[message("2"), message("10"), message("?")]);
        assert_eq!((chain.runs(), chain.is_long()), (11, false));
        chain.continue_from(&[message("11")]);
        assert!(chain.is_long());
        chain.continue_from(&[message("255")]);
        assert!(chain.is_long());
        chain.start();
        assert_eq!(chain.runs(), 0);
    }
}
