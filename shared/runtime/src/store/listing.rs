//! Lists of conversations by channel and state, ordered by their last change.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::item::{read, string_attribute};
use super::{Store, StoreError};
use trunkline_core::model::{ConnectionId, Conversation, State, time};

/// Returns the partition key of the index `by_state`.
fn list_key(channel: &ConnectionId, state: State) -> String {
    format!("{channel}#{}", state.name())
}

/// Returns the sort key of a conversation in the index `by_state`: its last change, then its key.
#[must_use]
pub fn list_sort_key(conversation: &Conversation) -> String {
    let key = &conversation.key;
    let at = time::format_rfc3339_millis(conversation.touched_at);
    format!("{at}#{}#{}", key.channel, key.customer)
}

/// Returns the attributes of a conversation's item for the index `by_state`.
pub(super) fn list_attributes(conversation: &Conversation) -> [(String, AttributeValue); 2] {
    let list = list_key(&conversation.key.channel, conversation.state());
    [
        ("list".to_owned(), AttributeValue::S(list)),
        ("changed".to_owned(), AttributeValue::S(list_sort_key(conversation))),
    ]
}

/// Range and page size of a list of conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only conversations that changed at this time or later.
    pub since: Option<Timestamp>,
    /// Only conversations that changed before this time.
    pub until: Option<Timestamp>,
    /// Only conversations after this sort key; the newest is first.
    pub after: Option<String>,
    /// Maximum number of conversations.
    pub limit: u16,
}

impl Store {
    /// Lists a channel's conversations in a state, newest change first. Eventually consistent.
    pub async fn conversations(
        &self,
        channel: &ConnectionId,
        state: State,
        query: &ListQuery,
    ) -> Result<Vec<Conversation>, StoreError> {
        let upper = query.until.map(time::format_rfc3339_millis);
        let upper = match (&query.after, upper) {
            (Some(after), Some(until)) => after.clone().min(until),
            (Some(only), None) => only.clone(),
            (None, Some(until)) => until,
            // Sorts after every time.
            (None, None) => "~".to_owned(),
        };
        // Sorts before every time. A key cannot be empty.
        let lower = query.since.map_or_else(|| "0".to_owned(), time::format_rfc3339_millis);
        if lower > upper {
            return Ok(Vec::new());
        }
        let found = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .index_name("by_state")
            .key_condition_expression("#list = :list AND #changed BETWEEN :lower AND :upper")
            .expression_attribute_names("#list", "list")
            .expression_attribute_names("#changed", "changed")
            .expression_attribute_values(":list", AttributeValue::S(list_key(channel, state)))
            .expression_attribute_values(":lower", AttributeValue::S(lower))
            .expression_attribute_values(":upper", AttributeValue::S(upper))
            .scan_index_forward(false);
        // The item at the upper bound was on the previous page.
        let items = self.collect(found, None, query.limit.saturating_add(1)).await?;
        let items = items
            .iter()
            .filter(|item| query.after.as_deref() != Some(string_attribute(item, "changed")));
        items.take(usize::from(query.limit)).map(read).collect()
    }
}
