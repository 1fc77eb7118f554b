//! From the id by which a far side knows a message to the event that it was.

use aws_sdk_dynamodb::types::AttributeValue;

use super::conversations::EventRecord;
use super::item::text;
use super::{Store, StoreError, unavailable};
use crate::model::ConnectionId;

pub(super) fn external(connection: &ConnectionId, message: &str) -> String {
    format!("{connection}#{message}")
}

impl Store {
    /// The event that a connection's far side knows by that id, as it was delivered there.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn message(
        &self,
        connection: &ConnectionId,
        message: &str,
    ) -> Result<Option<EventRecord>, StoreError> {
        let ext = external(connection, message);
        // A key has at most 2 KB, and no id of ours or of a platform comes near that.
        if ext.len() > 2_000 || message.is_empty() {
            return Ok(None);
        }
        let answer = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .index_name("by_external_id")
            .key_condition_expression("ext = :ext")
            .expression_attribute_values(":ext", AttributeValue::S(ext))
            .limit(1)
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        let Some(keys) = answer.items().first() else { return Ok(None) };
        let found = self.get(text(keys, "pk").to_owned(), text(keys, "sk").to_owned()).await?;
        found.as_ref().map(EventRecord::from_item).transpose()
    }
}
