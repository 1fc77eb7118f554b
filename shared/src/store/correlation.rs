//! Notes by which a conversation is found to which the far side gave an id that it never told us.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::item::{item, read, text};
use super::legs::{LegAddress, index_pk};
use super::{Store, StoreError, expires_in, unavailable};
use crate::model::{ConnectionId, LegId, time};

/// For how long a note holds: the far side speaks of what it was sent within that time.
const HOLDS: SignedDuration = SignedDuration::from_mins(1);

fn clue_pk(connection: &ConnectionId, clue: &str) -> String {
    index_pk(connection, &format!("clue:{clue}"))
}

impl Store {
    /// Notes a clue to a conversation, before what it is a clue to is sent. Where two conversations have
    /// the same one at the same time, it leads to neither.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn note_clue(
        &self,
        leg: &LegId,
        conversation: &str,
        clue: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let address = LegAddress { key: leg.key.clone(), conversation: conversation.to_owned() };
        let (pk, until) = (clue_pk(&leg.connection, clue), time::rfc3339_millis(now + HOLDS));
        let mut note = item(pk.clone(), "LEG".into(), &address)?;
        note.insert("whose".into(), AttributeValue::S(leg.group()));
        note.insert("until".into(), AttributeValue::S(until.clone()));
        note.insert("expires".into(), expires_in(now, HOLDS));
        let put = self
            .dynamodb
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(note))
            .condition_expression(
                "attribute_not_exists(pk) OR #until < :now \
                 OR (whose = :whose AND attribute_not_exists(ambiguous))",
            )
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":now", AttributeValue::S(time::rfc3339_millis(now)))
            .expression_attribute_values(":whose", AttributeValue::S(leg.group()))
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    self.share_clue(pk, until).await
                }
                _ => Err(unavailable("PutItem", &error)),
            },
        }
    }

    async fn share_clue(&self, pk: String, until: String) -> Result<(), StoreError> {
        self.dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S("LEG".into()))
            .update_expression("SET ambiguous = :yes, #until = :until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":until", AttributeValue::S(until))
            .send()
            .await
            .map_err(|error| unavailable("UpdateItem", &error))?;
        Ok(())
    }

    /// Where a clue leads, if it holds yet and leads to one conversation only.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn clue(
        &self,
        connection: &ConnectionId,
        clue: &str,
        now: Timestamp,
    ) -> Result<Option<LegAddress>, StoreError> {
        let found = self.get(clue_pk(connection, clue), "LEG".into()).await?;
        let holds = found.filter(|note| {
            !note.contains_key("ambiguous")
                && text(note, "until") >= time::rfc3339_millis(now).as_str()
        });
        holds.as_ref().map(read).transpose()
    }

    /// From now on a far side's id leads to a conversation.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn join_leg(
        &self,
        connection: &ConnectionId,
        external_id: &str,
        address: &LegAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut index = item(index_pk(connection, external_id), "LEG".into(), address)?;
        index.insert("expires".into(), self.expiry(now));
        self.put(index).await
    }
}
