//! Lists of conversations, by channel and state, in the order of their last change; and a conversation's
//! events, page by page.

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::item::{conversation_pk, read, text};
use super::{EventRecord, Item, Store, StoreError, unavailable};
use crate::model::{ConnectionId, Conversation, ConversationKey, State, time};

/// Of which channel and state a conversation is in the index `by_state`.
fn list_of(channel: &ConnectionId, state: State) -> String {
    format!("{channel}#{}", state.name())
}

/// A conversation's place in a list: its last change, and what tells it from others of that moment.
#[must_use]
pub fn place(conversation: &Conversation) -> String {
    let key = &conversation.key;
    let at = time::rfc3339_millis(conversation.touched_at);
    format!("{at}#{}#{}", key.channel, key.customer)
}

/// What a conversation's item has for the index `by_state`.
pub(super) fn attributes(conversation: &Conversation) -> [(String, AttributeValue); 2] {
    let list = list_of(&conversation.key.channel, conversation.state());
    [
        ("list".to_owned(), AttributeValue::S(list)),
        ("changed".to_owned(), AttributeValue::S(place(conversation))),
    ]
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// Only what changed then or later.
    pub since: Option<Timestamp>,
    /// Only what changed before that time.
    pub until: Option<Timestamp>,
    /// Only what comes after this place, the newest being first.
    pub after: Option<String>,
    /// At most so many.
    pub most: u16,
}

/// Where a page of events ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The last event's sort key.
    pub sk: String,
    /// Its place in time.
    pub at: String,
}

impl Store {
    /// A channel's conversations in a state, the newest change first. Eventually consistent.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn conversations(
        &self,
        channel: &ConnectionId,
        state: State,
        window: &Window,
    ) -> Result<Vec<Conversation>, StoreError> {
        let upper = window.until.map(time::rfc3339_millis);
        let upper = match (&window.after, upper) {
            (Some(after), Some(until)) => after.clone().min(until),
            (Some(only), None) => only.clone(),
            (None, Some(until)) => until,
            // Later than any time.
            (None, None) => "~".to_owned(),
        };
        // Earlier than any time: a key cannot be empty.
        let lower = window.since.map_or_else(|| "0".to_owned(), time::rfc3339_millis);
        if lower > upper {
            return Ok(Vec::new());
        }
        let answer = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .index_name("by_state")
            .key_condition_expression("#list = :list AND #changed BETWEEN :lower AND :upper")
            .expression_attribute_names("#list", "list")
            .expression_attribute_names("#changed", "changed")
            .expression_attribute_values(":list", AttributeValue::S(list_of(channel, state)))
            .expression_attribute_values(":lower", AttributeValue::S(lower))
            .expression_attribute_values(":upper", AttributeValue::S(upper))
            .scan_index_forward(false)
            // What is at the upper end was there on the page before.
            .limit(i32::from(window.most) + 1)
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        let items = answer.items().iter();
        let items = items.filter(|item| window.after.as_deref() != Some(text(item, "changed")));
        items.take(usize::from(window.most)).map(read).collect()
    }

    /// A conversation's events, the newest first, from after where a page ended.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn timeline(
        &self,
        key: &ConversationKey,
        after: Option<Ended>,
        most: u16,
    ) -> Result<(Vec<EventRecord>, Option<Ended>), StoreError> {
        let answer = self.newest_keys(key, after, most).await?;
        let keys = answer.items();
        let ended = answer
            .last_evaluated_key()
            .and(keys.last())
            .map(|last| Ended { sk: text(last, "sk").to_owned(), at: text(last, "at").to_owned() });
        let only_keys = |item: &Item| {
            let part = |name: &str| Some((name.to_owned(), item.get(name)?.clone()));
            [part("pk"), part("sk")].into_iter().flatten().collect::<Item>()
        };
        let mut found = self.batch_get(keys.iter().map(only_keys).collect()).await?;
        let items = keys.iter().filter_map(|item| found.remove(text(item, "sk")));
        let records: Result<_, _> = items.map(|item| EventRecord::from_item(&item)).collect();
        Ok((records?, ended))
    }

    /// The keys of a conversation's events, the newest first, from after where a page ended.
    pub(super) async fn newest_keys(
        &self,
        key: &ConversationKey,
        after: Option<Ended>,
        most: u16,
    ) -> Result<QueryOutput, StoreError> {
        let pk = conversation_pk(key);
        let start = after.map(|ended| {
            Item::from([
                ("pk".to_owned(), AttributeValue::S(pk.clone())),
                ("sk".to_owned(), AttributeValue::S(ended.sk)),
                ("at".to_owned(), AttributeValue::S(ended.at)),
            ])
        });
        self.dynamodb
            .query()
            .table_name(&*self.table)
            .index_name("by_time")
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(i32::from(most))
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))
    }
}
