//! From a decision to what is written: the event itself, and what the house says because of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{ConnectionId, Conversation, ConversationKey, Delivery, Event, EventId, digest};
use crate::routing::{Decision, Said, Standing};
use crate::store::{EventRecord, Sorted};

/// An event, and what is said because of it before and after it is passed on.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) before: Vec<EventRecord>,
    pub(super) main: EventRecord,
    pub(super) after: Vec<EventRecord>,
}

impl Records {
    fn in_order(&self) -> impl Iterator<Item = &EventRecord> {
        self.before.iter().chain([&self.main]).chain(&self.after)
    }

    pub(super) fn deliveries(&self) -> impl Iterator<Item = Delivery> {
        self.in_order().flat_map(EventRecord::deliveries)
    }

    pub(super) fn unsettled(&self) -> impl Iterator<Item = Delivery> {
        self.in_order().flat_map(EventRecord::unsettled)
    }

    /// With their places in the transcript; the event itself, which identifies them all, first.
    pub(super) fn sorted(&self, at: Timestamp) -> Vec<Sorted<'_>> {
        let mut sorted: Vec<_> = self
            .in_order()
            .enumerate()
            .map(|(place, record)| Sorted { record, at, place })
            .collect();
        sorted.swap(0, self.before.len());
        sorted
    }
}

/// What a decision about an event comes to: what is written, and the conversation if it changes.
pub(super) fn of(
    key: &ConversationKey,
    from: &ConnectionId,
    event: &Event,
    decision: Decision,
    now: Timestamp,
) -> (Records, Option<Conversation>) {
    let conversation = decision.conversation;
    let record = |from: &ConnectionId, event, standing, targets| EventRecord {
        key: key.clone(),
        conversation: conversation.id.clone(),
        from: from.clone(),
        event,
        arrived: now,
        standing,
        targets,
        before: Vec::new(),
        after: Vec::new(),
        outcomes: BTreeMap::new(),
    };
    let house = ConnectionId::house();
    let said = |said: Said| {
        let event = Event {
            id: EventId::from_parts(&[
                "h",
                said.name,
                &digest(&[from.as_str(), event.id.as_str()]),
            ]),
            external_id: None,
            author: said.author,
            at: now,
            origin: serde_json::Map::new(),
            reaches: None,
            clue: None,
            floor: None,
            body: said.body,
            ..event.clone()
        };
        record(&house, event, Standing::Regular, said.targets)
    };
    let before: Vec<_> = decision.before.into_iter().map(said).collect();
    let after: Vec<_> = decision.after.into_iter().map(said).collect();
    let mut event = event.clone();
    if let Some(meant) = decision.meant {
        event.body = meant;
    }
    let ids = |records: &[EventRecord]| records.iter().map(|r| r.event.id.clone()).collect();
    let main = EventRecord {
        before: ids(&before),
        after: ids(&after),
        ..record(from, event, decision.standing, decision.targets)
    };
    (Records { before, main, after }, decision.changed.then_some(conversation))
}
