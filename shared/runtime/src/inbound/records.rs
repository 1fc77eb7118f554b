//! Builds the records that a decision stores: the event itself and the system events that it causes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::store::PositionedEvent;
use trunkline_core::model::{
    ConnectionId, Conversation, ConversationKey, Delivery, Event, EventId, digest,
};
use trunkline_core::model::{Disposition, EventRecord};
use trunkline_core::routing::{Decision, SystemEvent};

/// An event and the system events that it causes, which are delivered before or after it.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) preceding: Vec<EventRecord>,
    pub(super) main: EventRecord,
    pub(super) following: Vec<EventRecord>,
}

impl Records {
    fn in_order(&self) -> impl Iterator<Item = &EventRecord> {
        self.preceding.iter().chain([&self.main]).chain(&self.following)
    }

    pub(super) fn count_parts(&mut self, deliveries: &[Delivery]) {
        let all = self.preceding.iter_mut().chain([&mut self.main]).chain(&mut self.following);
        all.for_each(|record| record.count_parts(deliveries));
    }

    pub(super) fn deliveries(&self) -> impl Iterator<Item = Delivery> {
        self.in_order().flat_map(EventRecord::deliveries)
    }

    pub(super) fn unfinished_deliveries(&self) -> impl Iterator<Item = Delivery> {
        self.in_order().flat_map(EventRecord::unfinished_deliveries)
    }

    /// Returns the event itself and the system events, with their positions in the transcript.
    pub(super) fn positioned(
        &self,
        at: Timestamp,
    ) -> (PositionedEvent<'_>, Vec<PositionedEvent<'_>>) {
        let main = PositionedEvent { record: &self.main, at, index: self.preceding.len() };
        let others = self.in_order().enumerate().filter(|(index, _)| *index != main.index);
        let others = others.map(|(index, record)| PositionedEvent { record, at, index });
        (main, others.collect())
    }
}

/// Builds the records of a decision, and the conversation if the decision changes it.
pub(super) fn build(
    key: &ConversationKey,
    from: &ConnectionId,
    event: &Event,
    decision: Decision,
    now: Timestamp,
) -> (Records, Option<Conversation>) {
    let conversation = decision.conversation;
    let record = |from: &ConnectionId, event, disposition, targets| EventRecord {
        key: key.clone(),
        conversation: conversation.id.clone(),
        from: from.clone(),
        event,
        received_at: now,
        disposition,
        targets,
        preceding: Vec::new(),
        following: Vec::new(),
        outcomes: BTreeMap::new(),
    };
    let system = ConnectionId::system();
    let system_event = |system_event: SystemEvent| {
        let event = Event {
            id: EventId::from_parts(&[
                "h",
                system_event.name,
                &digest(&[from.as_str(), event.id.as_str()]),
            ]),
            external_message_id: None,
            author: system_event.author,
            at: now,
            origin: serde_json::Map::new(),
            intended_recipient: None,
            correlation_hint: None,
            choice_source: None,
            claimed_owner: None,
            body: system_event.body,
            ..event.clone()
        };
        record(&system, event, Disposition::Routed, system_event.targets)
    };
    let preceding: Vec<_> = decision.preceding.into_iter().map(system_event).collect();
    let following: Vec<_> = decision.following.into_iter().map(system_event).collect();
    let mut event = event.clone();
    if let Some(body) = decision.rewritten_body {
        event.body = body;
    }
    event.choice_source = decision.choice_source.map(Box::new).or(event.choice_source);
    let ids = |records: &[EventRecord]| records.iter().map(|r| r.event.id.clone()).collect();
    let main = EventRecord {
        preceding: ids(&preceding),
        following: ids(&following),
        ..record(from, event, decision.disposition, decision.targets)
    };
    (Records { preceding, main, following }, decision.changed.then_some(conversation))
}
