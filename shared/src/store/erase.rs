//! Removes all that is known of a customer on a channel.

use futures_util::future::try_join_all;

use super::item::{conversation_pk, read, text};
use super::{EventRecord, Item, Store, StoreError};
use crate::model::{ConversationKey, Leg, LegId};

/// How many items are removed at once.
const PAGE: u16 = 25;

impl Store {
    /// Removes a customer's conversations on a channel, with their events, legs, and what waits of them.
    /// Answers with how many events there were. Doing so again is safe.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn erase(&self, key: &ConversationKey) -> Result<usize, StoreError> {
        let pk = conversation_pk(key);
        let mut events = 0;
        loop {
            let page = self.list(&pk, "", None, PAGE).await?;
            if page.is_empty() {
                return Ok(events);
            }
            for item in &page {
                let sk = text(item, "sk");
                if sk.starts_with("LEG#") {
                    self.erase_leg(&read(item)?).await?;
                } else if sk.starts_with("EVT#") {
                    events += 1;
                    self.erase_failed(item).await?;
                }
            }
            // Last, so that what hangs on an item is found again if this is interrupted.
            let gone = page.iter().map(|item| self.delete(pk.clone(), text(item, "sk").to_owned()));
            try_join_all(gone).await?;
        }
    }

    async fn erase_failed(&self, item: &Item) -> Result<(), StoreError> {
        let record = EventRecord::from_item(item)?;
        for delivery in record.deliveries() {
            let outcome = record.outcomes.get(&delivery.to.outcome_key());
            if outcome.is_some_and(|outcome| outcome.verdict.can_be_replayed()) {
                let pk = format!("FAILED#{}", delivery.to.connection);
                self.delete(pk, delivery.id).await?;
            }
        }
        Ok(())
    }

    async fn erase_dead_letters(&self, group: &str) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let page = self.dead_letters(after.as_deref(), PAGE).await?;
            for letter in page.iter().filter(|letter| letter.group == group) {
                self.forget_dead_letter(letter).await?;
            }
            match page.last() {
                Some(last) => after = Some(last.id.clone()),
                None => return Ok(()),
            }
        }
    }

    async fn erase_leg(&self, leg: &Leg) -> Result<(), StoreError> {
        let LegId { connection, .. } = &leg.id;
        for session in &leg.sessions {
            let index = format!("LEG#{connection}#{}", session.external_id);
            self.delete(index, "LEG".into()).await?;
        }
        let group = leg.id.group();
        self.erase_dead_letters(&group).await?;
        self.delete(format!("PARKED#{connection}"), group.clone()).await?;
        for pk in [format!("PARK#{group}"), format!("HELD#{group}")] {
            loop {
                let page = self.list(&pk, "", None, PAGE).await?;
                if page.is_empty() {
                    break;
                }
                let gone =
                    page.iter().map(|item| self.delete(pk.clone(), text(item, "sk").to_owned()));
                try_join_all(gone).await?;
            }
        }
        Ok(())
    }
}
