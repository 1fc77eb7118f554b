//! Export of all data about a customer on a channel.

use serde::Serialize;
use serde_json::{Value, json};

use super::events::{event_from_item, is_claim};
use super::item::{read, string_attribute};
use super::keys::{EVENT_PREFIX, LEG_PREFIX, conversation_pk};
use super::{HeldEvent, Item, Store, StoreError};
use trunkline_core::model::{Conversation, ConversationKey, Leg, LegId, Parked};

/// Number of parked or held items per page.
const PAGE: u16 = 100;

/// An entry of an export.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportEntry {
    /// `conversation`, `event`, `leg`, `parked` or `held`.
    pub kind: &'static str,
    /// The stored data as JSON.
    pub data: Value,
}

impl Store {
    /// Exports up to `limit` items of a customer on a channel, starting after the sort key `after`. The channel's
    /// held events come first, and each leg is followed by its parked deliveries and held events. Also returns
    /// the sort key to continue after, if there can be more.
    pub async fn export(
        &self,
        key: &ConversationKey,
        after: Option<&str>,
        limit: u16,
    ) -> Result<(Vec<ExportEntry>, Option<String>), StoreError> {
        let items = self.list(&conversation_pk(key), "", after, limit).await?;
        let mut entries = Vec::with_capacity(items.len());
        if after.is_none() {
            // The channel's events are held before the conversation and its legs exist.
            let channel = LegId { key: key.clone(), connection: key.channel.clone() };
            self.export_held(&channel, &mut entries).await?;
        }
        // A claim has nothing that its event does not have.
        for item in items.iter().filter(|item| !is_claim(item)) {
            let sk = string_attribute(item, "sk");
            if sk.starts_with(EVENT_PREFIX) {
                entries.push(event_entry(item)?);
            } else if sk.starts_with(LEG_PREFIX) {
                self.export_leg(&read(item)?, &mut entries).await?;
            } else {
                entries.push(entry("conversation", &read::<Conversation>(item)?)?);
            }
        }
        let last = items.last().filter(|_| items.len() == usize::from(limit));
        Ok((entries, last.map(|last| string_attribute(last, "sk").to_owned())))
    }

    async fn export_leg(
        &self,
        leg: &Leg,
        entries: &mut Vec<ExportEntry>,
    ) -> Result<(), StoreError> {
        // The platform's conversation id is omitted: a party that knows it could impersonate the customer.
        let conversations: Vec<_> = leg.sessions.iter().map(|session| &session.id).collect();
        let data = json!({"connection": leg.id.connection, "conversations": conversations});
        entries.push(ExportEntry { kind: "leg", data });
        let mut after = None;
        loop {
            let page = self.parked(&leg.id, after, PAGE).await?;
            for parked in &page {
                entries.push(entry::<Parked>("parked", parked)?);
            }
            match page.last() {
                Some(last) if page.len() == usize::from(PAGE) => after = Some(last.seq),
                _ => break,
            }
        }
        if leg.id.connection == leg.id.key.channel {
            return Ok(());
        }
        self.export_held(&leg.id, entries).await
    }

    async fn export_held(
        &self,
        leg: &LegId,
        entries: &mut Vec<ExportEntry>,
    ) -> Result<(), StoreError> {
        let mut last: Option<HeldEvent> = None;
        loop {
            let page = self.held(leg, last.as_ref(), PAGE).await?;
            for held in &page {
                entries.push(entry::<HeldEvent>("held", held)?);
            }
            let is_full = page.len() == usize::from(PAGE);
            last = page.into_iter().last().filter(|_| is_full);
            if last.is_none() {
                return Ok(());
            }
        }
    }
}

fn event_entry(item: &Item) -> Result<ExportEntry, StoreError> {
    let record = event_from_item(item)?;
    let mut entry = entry("event", &record)?;
    entry.data["outcomes"] = json!(record.outcomes);
    Ok(entry)
}

fn entry<T: Serialize>(kind: &'static str, value: &T) -> Result<ExportEntry, StoreError> {
    let data = serde_json::to_value(value).map_err(|why| super::item::corrupt(kind, why))?;
    Ok(ExportEntry { kind, data })
}
