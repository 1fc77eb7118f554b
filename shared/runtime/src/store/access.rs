//! API tokens, failed token attempts, and the audit log.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{SignedDuration, Timestamp};

use super::item::{item, key, read, string_attribute};
use super::keys::{AUDIT, TOKENS, minute_sk, token_failures_pk};
use super::rates::start_of_minute;
use super::{Item, Store, StoreError, expires_in, unavailable};
use trunkline_core::model::{AuditEntry, Token};

/// Retention of audit entries.
const AUDIT_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 400);
/// Retention of the counters of failed token attempts.
const FAILURE_RETENTION: SignedDuration = SignedDuration::from_mins(10);

fn token_failures_key(source: &str, now: Timestamp) -> (String, String) {
    (token_failures_pk(source), minute_sk(start_of_minute(now)))
}

fn token_failures(item: &Item) -> u64 {
    let counted = item.get("failures").and_then(|value| value.as_n().ok());
    counted.and_then(|text| text.parse().ok()).unwrap_or(0)
}

impl Store {
    /// Stores a token.
    pub async fn put_token(&self, token: &Token) -> Result<(), StoreError> {
        let mut entry = item(TOKENS.into(), token.id.clone(), token)?;
        if let Some(at) = token.expires_at {
            entry.insert("expires".into(), AttributeValue::N(at.as_second().to_string()));
        }
        self.put(entry).await
    }

    /// Returns a token by its id, which is its public part.
    pub async fn token(&self, id: &str) -> Result<Option<Token>, StoreError> {
        self.get(TOKENS.into(), id.to_owned()).await?.as_ref().map(read).transpose()
    }

    /// Returns a token by its id, and the number of wrong tokens that the source address has sent in this
    /// minute, in one call.
    pub async fn token_and_failures(
        &self,
        id: &str,
        source: &str,
        now: Timestamp,
    ) -> Result<(Option<Token>, u64), StoreError> {
        let (pk, sk) = token_failures_key(source, now);
        let found = self.batch_get(vec![key(TOKENS, id), key(pk, &sk)]).await?;
        let item = |sk: &str| found.iter().find(|item| string_attribute(item, "sk") == sk);
        let token = item(id).map(read).transpose()?;
        Ok((token, item(&sk).map_or(0, token_failures)))
    }

    /// Counts a wrong token from a source address and returns their number in this minute.
    pub async fn count_token_failure(
        &self,
        source: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (pk, sk) = token_failures_key(source, now);
        let answer = self
            .dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .update_expression("ADD failures :one SET #expires = :expires")
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .expression_attribute_values(":expires", expires_in(now, FAILURE_RETENTION))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| unavailable("UpdateItem", error))?;
        Ok(answer.attributes().map_or(0, token_failures))
    }

    /// Lists the tokens by id, starting after `after`.
    pub async fn tokens(&self, after: Option<&str>, limit: u16) -> Result<Vec<Token>, StoreError> {
        self.list(TOKENS, "", after, limit).await?.iter().map(read).collect()
    }

    /// Deletes a token. Returns whether it existed; of concurrent calls, one returns `true`.
    pub async fn delete_token(&self, id: &str) -> Result<bool, StoreError> {
        self.delete(TOKENS.into(), id.to_owned()).await
    }

    /// Stores an audit entry.
    pub async fn put_audit(&self, audit: &AuditEntry) -> Result<(), StoreError> {
        let mut entry = item(AUDIT.into(), audit.id.clone(), audit)?;
        entry.insert("expires".into(), expires_in(audit.at, AUDIT_RETENTION));
        self.put(entry).await
    }

    /// Lists the audit entries, newest first, starting after the id `after`.
    pub async fn audit_entries(
        &self,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.newest(AUDIT, after, limit).await?.iter().map(read).collect()
    }

    /// Returns up to `limit` items of a partition in reverse order, starting after the sort key `after`.
    pub(super) async fn newest(
        &self,
        pk: &str,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<Item>, StoreError> {
        let query = self.query(pk, "").scan_index_forward(false).consistent_read(true);
        self.collect(query, after.map(|sk| key(pk, sk)), limit).await
    }
}
