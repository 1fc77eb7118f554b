//! Correlation hints: they find the conversation for a platform's event when Trunkline does not know the
//! platform's conversation id yet.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::item::{item, read, string_attribute};
use super::keys::{HINT_SK, LEG_INDEX_SK, hint_pk, leg_index_pk};
use super::legs::LegAddress;
use super::{Store, StoreError, expires_in, unavailable};
use trunkline_core::model::{ConnectionId, ExternalConversationId, LegId, SessionId, time};

/// Lifetime of a hint: the platform's event about a delivery arrives within this time.
const HINT_TTL: SignedDuration = SignedDuration::from_mins(1);

impl Store {
    /// Stores a hint to a conversation, before the delivery that it refers to is sent. If two conversations
    /// have the same hint at the same time, it leads to neither.
    pub async fn put_correlation_hint(
        &self,
        leg: &LegId,
        session_id: &SessionId,
        hint: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let address = LegAddress { key: leg.key.clone(), session_id: session_id.clone() };
        let (pk, until) =
            (hint_pk(&leg.connection, hint), time::format_rfc3339_millis(now + HINT_TTL));
        let mut entry = item(pk.clone(), HINT_SK.into(), &address)?;
        entry.insert("leg".into(), AttributeValue::S(leg.message_group()));
        entry.insert("until".into(), AttributeValue::S(until.clone()));
        entry.insert("expires".into(), expires_in(now, HINT_TTL));
        let put = self
            .dynamodb
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(entry))
            .condition_expression(
                "attribute_not_exists(pk) OR #until < :now \
                 OR (leg = :leg AND attribute_not_exists(ambiguous))",
            )
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(
                ":now",
                AttributeValue::S(time::format_rfc3339_millis(now)),
            )
            .expression_attribute_values(":leg", AttributeValue::S(leg.message_group()))
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    self.mark_ambiguous(pk, until).await
                }
                _ => Err(unavailable("PutItem", error)),
            },
        }
    }

    async fn mark_ambiguous(&self, pk: String, until: String) -> Result<(), StoreError> {
        self.dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(HINT_SK.into()))
            .update_expression("SET ambiguous = :yes, #until = :until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":until", AttributeValue::S(until))
            .send()
            .await
            .map_err(|error| unavailable("UpdateItem", error))?;
        Ok(())
    }

    /// Returns the conversation that a hint leads to. `None` if the hint is unknown, expired or ambiguous.
    pub async fn leg_address_by_hint(
        &self,
        connection: &ConnectionId,
        hint: &str,
        now: Timestamp,
    ) -> Result<Option<LegAddress>, StoreError> {
        let found = self.get(hint_pk(connection, hint), HINT_SK.into()).await?;
        let valid = found.filter(|entry| {
            !entry.contains_key("ambiguous")
                && string_attribute(entry, "until") >= time::format_rfc3339_millis(now).as_str()
        });
        valid.as_ref().map(read).transpose()
    }

    /// Stores the conversation that a platform's conversation id belongs to.
    pub async fn put_leg_address(
        &self,
        connection: &ConnectionId,
        external_id: &ExternalConversationId,
        address: &LegAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut index = item(leg_index_pk(connection, external_id), LEG_INDEX_SK.into(), address)?;
        index.insert("expires".into(), self.expiry(now));
        self.put(index).await
    }
}
