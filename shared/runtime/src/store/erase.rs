//! Erasure of all data about a customer on a channel.

use futures_util::future::try_join_all;

use super::events::{event_from_item, is_claim};
use super::item::{read, string_attribute};
use super::keys::{
    EVENT_PREFIX, LEG_INDEX_SK, LEG_PREFIX, conversation_pk, failed_pk, held_pk, leg_index_pk,
    park_pk, parked_pk,
};
use super::{Item, Store, StoreError};
use trunkline_core::model::{ConversationKey, Leg, LegId};

/// Number of items per page.
const PAGE: u16 = 25;

impl Store {
    /// Erases a customer's conversations on a channel, with their events, legs, and parked, held, failed and
    /// dead deliveries. Returns the number of events. Safe to repeat.
    pub async fn erase(&self, key: &ConversationKey) -> Result<usize, StoreError> {
        // The channel's events are held before the conversation and its legs exist.
        let channel = LegId { key: key.clone(), connection: key.channel.clone() };
        self.erase_partition(&held_pk(&channel)).await?;
        let pk = conversation_pk(key);
        let mut events = 0;
        loop {
            let page = self.list(&pk, "", None, PAGE).await?;
            if page.is_empty() {
                return Ok(events);
            }
            for item in &page {
                let sk = string_attribute(item, "sk");
                if sk.starts_with(LEG_PREFIX) {
                    self.erase_leg(&read(item)?).await?;
                } else if sk.starts_with(EVENT_PREFIX) && !is_claim(item) {
                    events += 1;
                    self.erase_dependents(item).await?;
                }
            }
            // Delete the items last, so that a repeated run finds their dependent items again.
            self.delete_all(&pk, &page).await?;
        }
    }

    async fn erase_partition(&self, pk: &str) -> Result<(), StoreError> {
        loop {
            let page = self.list(pk, "", None, PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            self.delete_all(pk, &page).await?;
        }
    }

    async fn delete_all(&self, pk: &str, page: &[Item]) -> Result<(), StoreError> {
        let deletions = page
            .iter()
            .map(|item| self.delete(pk.to_owned(), string_attribute(item, "sk").to_owned()));
        try_join_all(deletions).await.map(|_| ())
    }

    /// Deletes the relayed files and the failed deliveries of an event.
    async fn erase_dependents(&self, item: &Item) -> Result<(), StoreError> {
        let record = event_from_item(item)?;
        self.erase_files(&record).await?;
        for (id, to) in record.delivery_ids() {
            let outcome = record.outcomes.get(&to.outcome_key());
            if outcome.is_some_and(|outcome| outcome.verdict.can_be_replayed()) {
                self.delete(failed_pk(&to.connection), id.into()).await?;
            }
        }
        Ok(())
    }

    async fn erase_dead_letters(&self, group: &str) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let page = self.dead_letters(after.as_deref(), PAGE).await?;
            for letter in page.iter().filter(|letter| letter.group == group) {
                self.delete_dead_letter(letter).await?;
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
            let index = leg_index_pk(connection, &session.external_conversation_id);
            self.delete(index, LEG_INDEX_SK.into()).await?;
        }
        let group = leg.id.message_group();
        self.erase_dead_letters(&group).await?;
        self.delete(parked_pk(connection), group.clone()).await?;
        self.erase_partition(&park_pk(&leg.id)).await?;
        self.erase_partition(&held_pk(&leg.id)).await
    }
}
