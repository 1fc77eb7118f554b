//! How much happens, by connection and minute: for plots, and kept for a day.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::{Store, StoreError, unavailable};
use crate::model::{ConnectionId, time};

const KEEP: SignedDuration = SignedDuration::from_hours(26);
/// As many minutes as a day has.
const MOST: i32 = 1_440;

/// What happened in a minute, by name.
pub type Counts = BTreeMap<String, u64>;

/// The beginning of a minute.
#[must_use]
pub fn minute(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(at)
}

fn rate_pk(connection: &ConnectionId) -> String {
    format!("RATE#{connection}")
}

impl Store {
    /// Adds to what happened to a connection in a minute.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn add_rates(
        &self,
        connection: &ConnectionId,
        minute: Timestamp,
        counts: &Counts,
    ) -> Result<(), StoreError> {
        let expires = (minute + KEEP).as_second();
        let mut update = self
            .dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(rate_pk(connection)))
            .key("sk", AttributeValue::S(time::rfc3339_millis(minute)))
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":expires", AttributeValue::N(expires.to_string()));
        let mut added = Vec::with_capacity(counts.len());
        for (place, (name, count)) in counts.iter().enumerate() {
            added.push(format!("#n{place} :n{place}"));
            update = update
                .expression_attribute_names(format!("#n{place}"), format!("n_{name}"))
                .expression_attribute_values(
                    format!(":n{place}"),
                    AttributeValue::N(count.to_string()),
                );
        }
        update
            .update_expression(format!("ADD {} SET #expires = :expires", added.join(", ")))
            .send()
            .await
            .map_err(|error| unavailable("UpdateItem", &error))?;
        Ok(())
    }

    /// What happened to a connection since then, by minute. Eventually consistent.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn rates(
        &self,
        connection: &ConnectionId,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, Counts)>, StoreError> {
        let answer = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :pk AND sk >= :since")
            .expression_attribute_values(":pk", AttributeValue::S(rate_pk(connection)))
            .expression_attribute_values(
                ":since",
                AttributeValue::S(time::rfc3339_millis(minute(since))),
            )
            .limit(MOST)
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        let rows = answer.items().iter().filter_map(|item| {
            let at: Timestamp = item.get("sk")?.as_s().ok()?.parse().ok()?;
            let counts = item.iter().filter_map(|(name, value)| {
                let count = value.as_n().ok()?.parse().ok()?;
                Some((name.strip_prefix("n_")?.to_owned(), count))
            });
            Some((at, counts.collect()))
        });
        Ok(rows.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_at_its_full() {
        let at: Timestamp = "2026-03-04T09:15:20.89Z".parse().unwrap();
        assert_eq!(minute(at).to_string(), "2026-03-04T09:15:00Z");
    }
}
