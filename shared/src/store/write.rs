//! Several writes as one.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use super::{Item, Store, StoreError, unavailable};

/// One of several writes.
#[derive(Debug, Clone)]
pub(super) enum Write {
    Put(Item, Condition),
    Delete(String, String),
}

/// Under which condition an item is put.
#[derive(Debug, Clone, Copy)]
pub(super) enum Condition {
    None,
    /// It is not there yet.
    New,
    /// It has this version.
    Version(u64),
}

/// What came of several writes as one.
#[derive(Debug, Clone)]
pub(super) enum Transacted {
    Done,
    /// Nothing was written: the condition of the write at this place did not hold. With the item that
    /// is there.
    Refused(usize, Option<Item>),
    /// Nothing was written: somebody else was writing one of these just then.
    Busy,
}

impl Store {
    /// Writes all or nothing; a condition that does not hold is an error.
    pub(super) async fn transact(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        match self.try_transact(writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(..) | Transacted::Busy => Err(StoreError::Conflict),
        }
    }

    /// Writes all or nothing.
    pub(super) async fn try_transact(&self, writes: Vec<Write>) -> Result<Transacted, StoreError> {
        let failed = |error| unavailable("TransactWriteItems", &error);
        let mut transaction = self.dynamodb.transact_write_items();
        for write in writes {
            let entry = TransactWriteItem::builder();
            let entry = match write {
                Write::Put(item, condition) => {
                    let put = Put::builder().table_name(&*self.table).set_item(Some(item));
                    let put = conditional(put, condition).build().map_err(failed)?;
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
        let Err(error) = transaction.send().await else { return Ok(Transacted::Done) };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        else {
            return Err(unavailable("TransactWriteItems", &error));
        };
        let reasons = cancelled.cancellation_reasons();
        let is = |code: &str| reasons.iter().position(|reason| reason.code() == Some(code));
        if let Some(place) = is("ConditionalCheckFailed") {
            return Ok(Transacted::Refused(place, reasons[place].item.clone()));
        }
        if is("TransactionConflict").is_some() {
            return Ok(Transacted::Busy);
        }
        Err(unavailable("TransactWriteItems", &error))
    }
}

fn conditional(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
    condition: Condition,
) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    let put =
        put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match condition {
        Condition::None => put,
        Condition::New => put.condition_expression("attribute_not_exists(pk)"),
        Condition::Version(version) => put
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
    }
}
