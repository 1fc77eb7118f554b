//! Builds the records that a decision stores: the event itself and the system events that it causes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::store::{PositionedEvent, is_near};
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

    /// Returns the event itself and the system events, with their positions in the transcript: at `preferred`,
    /// unless that is too far from the time in their keys.
    pub(super) fn positioned(
        &self,
        preferred: Timestamp,
    ) -> (PositionedEvent<'_>, Vec<PositionedEvent<'_>>) {
        let filed_at = self.main.filed_at;
        let at = if is_near(preferred, filed_at) { preferred } else { filed_at };
        let main = PositionedEvent { record: &self.main, at, index: self.preceding.len() };
        let others = self.in_order().enumerate().filter(|(index, _)| *index != main.index);
        let others = others.map(|(index, record)| PositionedEvent { record, at, index });
        (main, others.collect())
    }
}

/// Builds the records of a decision, and the conversation if the decision changes it. `filed_at` is the time in
/// the keys of the events.
pub(super) fn build(
    key: &ConversationKey,
    from: &ConnectionId,
    event: &Event,
    decision: Decision,
    filed_at: Timestamp,
    now: Timestamp,
) -> (Records, Option<Conversation>) {
    let conversation = decision.conversation;
    let record = |from: &ConnectionId, event, disposition, targets| EventRecord {
        key: key.clone(),
        conversation: conversation.id.clone(),
        from: from.clone(),
        event,
        received_at: now,
        filed_at,
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
            stable_timestamp: false,
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
    // The key of the record has what identifies the event.
    event.stable_timestamp = false;
    event.choice_source = decision.choice_source.map(Box::new).or(event.choice_source);
    let ids = |records: &[EventRecord]| records.iter().map(|r| r.event.id.clone()).collect();
    let main = EventRecord {
        preceding: ids(&preceding),
        following: ids(&following),
        ..record(from, event, decision.disposition, decision.targets)
    };
    (Records { preceding, main, following }, decision.changed.then_some(conversation))
}
