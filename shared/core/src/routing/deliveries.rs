//! The deliveries of a stored event.

use crate::model::{Delivery, EventRecord, Resend, Target};
use crate::rendering::render;

impl EventRecord {
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
                let to = Target { part: number, last_part: part == last, ..target.clone() };
                Delivery {
                    id: Delivery::make_id(&self.key, &self.from, &self.event.id, &to),
                    key: self.key.clone(),
                    conversation: self.conversation.clone(),
                    from: self.from.clone(),
                    to,
                    event,
                    resend: Resend::No,
                }
            })
        })
    }
}
