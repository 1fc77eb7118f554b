//! The deliveries of a stored event.

use crate::model::{Delivery, DeliveryId, EventRecord, Resend, Target};
use crate::rendering::render;

impl EventRecord {
    /// Stores how many parts each delivery of the event has, so that they can be listed without rendering it.
    pub fn count_parts(&mut self, deliveries: &[Delivery]) {
        let of_event = deliveries.iter().filter(|one| {
            one.event.id == self.event.id && one.from == self.from && one.to.last_part
        });
        for delivery in of_event {
            let same = |target: &&mut Target| {
                target.connection == delivery.to.connection && target.copy == delivery.to.copy
            };
            if let Some(target) = self.targets.iter_mut().find(same) {
                target.parts = delivery.to.part.saturating_add(1);
            }
        }
    }

    /// Returns the id and the target of each delivery, without its content.
    pub fn delivery_ids(&self) -> impl Iterator<Item = (DeliveryId, Target)> {
        self.targets.iter().flat_map(move |target| {
            (0..target.parts).map(move |part| {
                let last_part = part + 1 == target.parts;
                let to = Target { part, last_part, ..target.clone() };
                (Delivery::make_id(&self.key, &self.from, &self.event.id, &to), to)
            })
        })
    }

    /// Returns the deliveries without a final outcome.
    pub fn unfinished_deliveries(&self) -> impl Iterator<Item = Delivery> {
        self.deliveries().filter(|delivery| {
            let outcome = self.outcomes.get(&delivery.to.outcome_key());
            outcome.is_none_or(|outcome| !outcome.verdict.is_final())
        })
    }

    /// Returns all deliveries of the event: one per target, or several parts if the text is too long for one.
    pub fn deliveries(&self) -> impl Iterator<Item = Delivery> {
        self.targets.iter().flat_map(move |target| {
            let parts = render(&self.event, target);
            let last = parts.len().saturating_sub(1);
            let numbered = parts.into_iter().enumerate();
            numbered.map(move |(part, event)| {
                let number = u16::try_from(part).unwrap_or(u16::MAX);
                let to =
                    Target { part: number, last_part: part == last, parts: 1, ..target.clone() };
                Delivery {
                    id: Delivery::make_id(&self.key, &self.from, &self.event.id, &to),
                    key: self.key.clone(),
                    conversation: self.conversation.clone(),
                    from: self.from.clone(),
                    to,
                    filed_at: Some(self.filed_at).filter(|at| *at != event.at),
                    event,
                    resend: Resend::No,
                }
            })
        })
    }
}
