//! Transactions: several writes that succeed or fail together.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use super::{Item, Store, StoreError, unavailable};

/// A write of a transaction.
#[derive(Debug, Clone)]
pub(super) enum Write {
    Put(Item, Condition),
    Delete(String, String),
}

/// Condition of a put.
#[derive(Debug, Clone, Copy)]
pub(super) enum Condition {
    None,
    /// The item does not exist.
    New,
    /// The item has this version.
    Version(u64),
}

/// Result of a transaction.
#[derive(Debug, Clone)]
pub(super) enum TransactionResult {
    Committed,
    /// Nothing was written, because the condition of the write at this index failed. Includes the existing
    /// item.
    ConditionFailed(usize, Option<Item>),
    /// Nothing was written, because another writer was writing one of the items.
    Conflict,
}

impl Store {
    /// Runs a transaction. A failed condition is a [`StoreError::Conflict`].
    pub(super) async fn transact(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        match self.try_transact(writes).await? {
            TransactionResult::Committed => Ok(()),
            TransactionResult::ConditionFailed(..) | TransactionResult::Conflict => {
                Err(StoreError::Conflict)
            }
        }
    }

    /// Runs a transaction.
    pub(super) async fn try_transact(
        &self,
        writes: Vec<Write>,
    ) -> Result<TransactionResult, StoreError> {
        let failed = |error| unavailable("TransactWriteItems", error);
        let mut transaction = self.dynamodb.transact_write_items();
        for write in writes {
            let entry = TransactWriteItem::builder();
            let entry = match write {
                Write::Put(item, condition) => {
                    let put = Put::builder().table_name(&*self.table).set_item(Some(item));
                    let put = with_condition(put, condition).build().map_err(failed)?;
                    entry.put(put)
                }
                Write::Delete(pk, sk) => {
                    let delete = Delete::builder()
                        .table_name(&*self.table)
                        .key("pk", AttributeValue::S(pk))
                        .key("sk", AttributeValue::S(sk));
                    entry.delete(delete.build().map_err(failed)?)
                }
            };
            transaction = transaction.transact_items(entry.build());
        }
        let Err(error) = transaction.send().await else { return Ok(TransactionResult::Committed) };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        else {
            return Err(unavailable("TransactWriteItems", error));
        };
        let reasons = cancelled.cancellation_reasons();
        let position = |code: &str| reasons.iter().position(|reason| reason.code() == Some(code));
        if let Some(index) = position("ConditionalCheckFailed") {
            return Ok(TransactionResult::ConditionFailed(index, reasons[index].item.clone()));
        }
        if position("TransactionConflict").is_some() {
            return Ok(TransactionResult::Conflict);
        }
        Err(unavailable("TransactWriteItems", error))
    }
}

fn with_condition(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
    condition: Condition,
) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    let conditional = match condition {
        Condition::None => return put,
        Condition::New => put.condition_expression("attribute_not_exists(pk)"),
        Condition::Version(version) => put
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
    };
    conditional
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}
