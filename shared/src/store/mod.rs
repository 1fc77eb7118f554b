//! The table: every read and write of it, and nothing else.
//!
//! | partition key | sort key | what |
//! | --- | --- | --- |
//! | `CONV#<channel>#<customer>` | `CONV` | the conversation: owner, parties, version |
//! | the same | `EVT#<connection>#<event id>` | an event, its targets and their outcomes; sorted by `at` in `by_time`; found by `ext` in `by_external_id` |
//! | the same | `LEG#<connection>` | a leg, as its outbound function keeps it |
//! | `LEG#<connection>#<external id>` | `LEG` | whose leg that is |
//! | `CONN#<id>`, `ROUTE#<id>` | `CONN`, `ROUTE` | configuration |
//! | `HEALTH#<id>` | `HEALTH` | how a connection last proved itself |
//! | `BREAKER#<connection>` | `BREAKER` | the connection's breaker |
//! | `PARK#<group>` | `SEQ#<seq>`, `ID#<delivery>` | what is parked on a leg, in order; and that it is |
//! | `PARKED#<connection>` | `<group>` | that the leg has something parked |
//! | `FAILED#<connection>` | `<delivery>` | a delivery that waits for a person |
//! | `HELD#<group>` | `<time>#<event>` | an event that is held back until those before it are there |
//! | `ACTIVE#<platform>` | `<time>#<group>` | a session on whose far side somebody must listen |
//! | `LISTENER#<platform>` | `LEASE` | who listens, and until when |
//! | `CONNECTIONS`, `ROUTES` | `<id>` | the lists of them |
//! | `TOKENS`, `AUDIT` | `<id>` | who may do what, and who changed what |
//! | `RATE#<connection>` | `<minute>` | how much happened in that minute |
//! | `GUESSES#<source>` | `<minute>` | how many wrong tokens came from there in that minute |
//! | `DEAD` | `<time>#<id>` | a queue's message that we could not handle |
//! | `WAITING` | `PARKED#…`, `FAILED#…` | that such a partition has, or had, something in it |
//! | `REJECT#<connection>` | `<time>#<id>` | a body that could not be read |
//!
//! Each item says in `v` in which schema it was written: see [`SCHEMA`].

mod access;
mod active;
mod breakers;
mod config;
mod config_cache;
mod conversations;
mod correlation;
mod dead_letters;
mod erase;
mod export;
mod failed;
mod held;
mod item;
mod legs;
mod listing;
mod messages;
mod outcomes;
mod parking;
mod rates;
mod rejected;
mod sizes;
mod transcript;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

pub use active::{Active, Lease};
pub use config::{Health, Listed, Registration};
pub use config_cache::Directory;
pub use conversations::{EventRecord, Sorted, Written};
pub use export::Piece;
pub use held::Held;
pub use item::SCHEMA;
pub use legs::LegAddress;
pub use listing::{Ended, Window, place};
pub use parking::{ParkedAs, ParkedLeg};
pub use rates::{Counts, minute};
pub use rejected::Rejected;
pub use sizes::ParkedSize;

type Item = HashMap<String, AttributeValue>;

/// Why the table did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It is down, slow or refuses. Ours: worth another try.
    #[error("the table did not answer {call}: {cause}")]
    Unavailable {
        /// Which call.
        call: &'static str,
        /// What the SDK said.
        cause: String,
    },
    /// Somebody else wrote it meanwhile. Ours: worth another try.
    #[error("somebody else wrote the same just then")]
    Conflict,
    /// An item is not as we write them. Ours: a person must look.
    #[error("the item {key} cannot be read: {cause}")]
    Garbled {
        /// Which.
        key: String,
        /// Why.
        cause: String,
    },
    /// A later version of Trunkline wrote an item in a way that this one does not know. Ours: nothing is
    /// lost, and it is read once that version is deployed again.
    #[error(
        "the item {key} is of schema {version}, written by a later Trunkline: deploy that again"
    )]
    Newer {
        /// What kind of item.
        key: String,
        /// Its schema.
        version: u64,
    },
}

/// The table.
#[derive(Debug, Clone)]
pub struct Store {
    dynamodb: aws_sdk_dynamodb::Client,
    table: Arc<str>,
    retention: SignedDuration,
}

impl Store {
    /// The table of that name; transcripts are kept for `retention_days`.
    #[must_use]
    pub fn new(dynamodb: aws_sdk_dynamodb::Client, table: String, retention_days: u32) -> Self {
        let retention = SignedDuration::from_hours(24 * i64::from(retention_days));
        Self { dynamodb, table: table.into(), retention }
    }

    /// Reads one item, and sees every write that was answered before.
    async fn get(&self, pk: String, sk: String) -> Result<Option<Item>, StoreError> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| unavailable("GetItem", &error))?;
        Ok(answer.item)
    }

    /// Reads a partition's items in order, from after `after`, at most `most`.
    async fn list(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        most: u16,
    ) -> Result<Vec<Item>, StoreError> {
        let start = after.map(|sk| item::key(pk, sk));
        let query = self.dynamodb.query().table_name(&*self.table);
        let query = if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
        };
        let answer = query
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .limit(i32::from(most))
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        Ok(answer.items.unwrap_or_default())
    }

    async fn delete(&self, pk: String, sk: String) -> Result<bool, StoreError> {
        let answer = self
            .dynamodb
            .delete_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| unavailable("DeleteItem", &error))?;
        Ok(answer.attributes.is_some())
    }

    async fn put(&self, item: Item) -> Result<(), StoreError> {
        self.dynamodb
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(|error| unavailable("PutItem", &error))?;
        Ok(())
    }

    /// Whether what was last written then is to be written anew, so that it does not expire while it is
    /// in use. Once in a quarter of the retention, so that it costs a message next to nothing.
    #[must_use]
    pub fn is_stale(&self, touched_at: Timestamp, now: Timestamp) -> bool {
        now.duration_since(touched_at) > self.retention / 4
    }

    fn expiry(&self, now: Timestamp) -> AttributeValue {
        expires_in(now, self.retention)
    }
}

fn expires_in(now: Timestamp, keep: SignedDuration) -> AttributeValue {
    AttributeValue::N((now + keep).as_second().to_string())
}

fn unavailable(call: &'static str, error: &(impl std::error::Error + 'static)) -> StoreError {
    StoreError::Unavailable { call, cause: DisplayErrorContext(error).to_string() }
}
