//! Legs, and the way back from a far side's id to the conversation.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{conversation_pk, item, read};
use super::{Store, StoreError, unavailable};
use crate::model::{ConnectionId, ConversationKey, Delivery, Leg};

/// Whose leg an external id is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegAddress {
    /// The conversation.
    pub key: ConversationKey,
    /// Which of the key's conversations.
    pub conversation: String,
}

fn leg_sk(conversation: &str, connection: &ConnectionId) -> String {
    format!("LEG#{conversation}#{connection}")
}

fn index_pk(connection: &ConnectionId, external_id: &str) -> String {
    format!("LEG#{connection}#{external_id}")
}

impl Store {
    /// The leg that a delivery goes to, if it was opened.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn leg(&self, delivery: &Delivery) -> Result<Option<Leg>, StoreError> {
        let sk = leg_sk(&delivery.conversation, &delivery.to.connection);
        let found = self.get(conversation_pk(&delivery.key), sk).await?;
        found.as_ref().map(read).transpose()
    }

    /// Opens a leg: from now on the far side's id leads back to the conversation. Only the leg's one
    /// writer, inside its message group, calls this.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn open_leg(&self, leg: &Leg, now: Timestamp) -> Result<(), StoreError> {
        let sk = leg_sk(&leg.conversation, &leg.connection);
        let address = LegAddress { key: leg.key.clone(), conversation: leg.conversation.clone() };
        let items = [
            item(conversation_pk(&leg.key), sk, leg)?,
            item(index_pk(&leg.connection, &leg.external_id), "LEG".into(), &address)?,
        ];
        let mut transaction = self.dynamodb.transact_write_items();
        for mut item in items {
            item.insert("expires".into(), self.expiry(now));
            let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build();
            let put = put.map_err(|error| unavailable("TransactWriteItems", &error))?;
            transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
        }
        transaction.send().await.map_err(|error| unavailable("TransactWriteItems", &error))?;
        Ok(())
    }

    /// Whose leg an external id is.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn leg_address(
        &self,
        connection: &ConnectionId,
        external_id: &str,
    ) -> Result<Option<LegAddress>, StoreError> {
        let found = self.get(index_pk(connection, external_id), "LEG".into()).await?;
        found.as_ref().map(read).transpose()
    }
}
