//! Event counters by connection and minute, for the console's charts; stored for 26 hours.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::keys::{minute_sk, rate_pk};
use super::{Store, StoreError, unavailable};
use trunkline_core::model::ConnectionId;

const RETENTION: SignedDuration = SignedDuration::from_hours(26);
const MINUTES_PER_DAY: u16 = 1_440;

/// Counters of one minute, by name.
pub type Counts = BTreeMap<String, u64>;

/// Returns the start of the minute that contains `at`.
#[must_use]
pub fn start_of_minute(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(at)
}

impl Store {
    /// Adds to a connection's counters of a minute.
    pub async fn add_rates(
        &self,
        connection: &ConnectionId,
        minute: Timestamp,
        counts: &Counts,
    ) -> Result<(), StoreError> {
        let expires = (minute + RETENTION).as_second();
        let mut update = self
            .dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(rate_pk(connection)))
            .key("sk", AttributeValue::S(minute_sk(minute)))
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":expires", AttributeValue::N(expires.to_string()));
        let mut added = Vec::with_capacity(counts.len());
        for (index, (name, count)) in counts.iter().enumerate() {
            added.push(format!("#n{index} :n{index}"));
            update = update
                .expression_attribute_names(format!("#n{index}"), format!("n_{name}"))
                .expression_attribute_values(
                    format!(":n{index}"),
                    AttributeValue::N(count.to_string()),
                );
        }
        update
            .update_expression(format!("ADD {} SET #expires = :expires", added.join(", ")))
            .send()
            .await
            .map_err(|error| unavailable("UpdateItem", error))?;
        Ok(())
    }

    /// Returns a connection's counters since a time, by minute. Eventually consistent.
    pub async fn rates(
        &self,
        connection: &ConnectionId,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, Counts)>, StoreError> {
        let query = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :pk AND sk >= :since")
            .expression_attribute_values(":pk", AttributeValue::S(rate_pk(connection)))
            .expression_attribute_values(
                ":since",
                AttributeValue::S(minute_sk(start_of_minute(since))),
            );
        let items = self.collect(query, None, MINUTES_PER_DAY).await?;
        let rows = items.iter().filter_map(|item| {
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
    fn truncates_a_time_to_the_minute() {
        let at: Timestamp = "2026-03-04T09:15:20.89Z".parse().unwrap();
        assert_eq!(start_of_minute(at).to_string(), "2026-03-04T09:15:00Z");
    }
}
