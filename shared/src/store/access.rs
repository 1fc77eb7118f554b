//! Tokens, and the list of what was changed by whom.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{SignedDuration, Timestamp};

use super::item::{item, key, read};
use super::rates::minute;
use super::{Item, Store, StoreError, expires_in, unavailable};
use crate::model::{Audit, Token, time};

const TOKENS: &str = "TOKENS";
const AUDIT: &str = "AUDIT";
/// For how long changes are kept.
const KEEP: SignedDuration = SignedDuration::from_hours(24 * 400);
/// For how long it is kept how often somebody brought a wrong token.
const KEEP_GUESSES: SignedDuration = SignedDuration::from_mins(10);

fn guesses_key(source: &str, now: Timestamp) -> (String, String) {
    (format!("GUESSES#{source}"), time::rfc3339_millis(minute(now)))
}

fn guesses(item: &Item) -> u64 {
    let counted = item.get("guesses").and_then(|value| value.as_n().ok());
    counted.and_then(|text| text.parse().ok()).unwrap_or(0)
}

impl Store {
    /// Keeps a token.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn put_token(&self, token: &Token) -> Result<(), StoreError> {
        let mut kept = item(TOKENS.into(), token.id.clone(), token)?;
        if let Some(at) = token.expires_at {
            kept.insert("expires".into(), AttributeValue::N(at.as_second().to_string()));
        }
        self.put(kept).await
    }

    /// A token by its public part.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn token(&self, id: &str) -> Result<Option<Token>, StoreError> {
        self.get(TOKENS.into(), id.to_owned()).await?.as_ref().map(read).transpose()
    }

    /// A token by its public part, and how often whoever asks has brought a wrong one in that minute: in
    /// one call.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn token_and_guesses(
        &self,
        id: &str,
        source: &str,
        now: Timestamp,
    ) -> Result<(Option<Token>, u64), StoreError> {
        let (pk, sk) = guesses_key(source, now);
        let found = self.batch_get(vec![key(TOKENS, id), key(pk, &sk)]).await?;
        let token = found.get(id).map(read).transpose()?;
        Ok((token, found.get(&sk).map_or(0, guesses)))
    }

    /// Notes that somebody brought a wrong token; answers how often that was in this minute.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn count_guess(&self, source: &str, now: Timestamp) -> Result<u64, StoreError> {
        let (pk, sk) = guesses_key(source, now);
        let answer = self
            .dynamodb
            .update_item()
            .table_name(&*self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .update_expression("ADD guesses :one SET #expires = :expires")
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .expression_attribute_values(":expires", expires_in(now, KEEP_GUESSES))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| unavailable("UpdateItem", &error))?;
        Ok(answer.attributes().map_or(0, guesses))
    }

    /// The tokens by id, from after one.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn tokens(&self, after: Option<&str>, most: u16) -> Result<Vec<Token>, StoreError> {
        self.list(TOKENS, "", after, most).await?.iter().map(read).collect()
    }

    /// Forgets a token; answers whether it was there, which is true for one caller only.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn forget_token(&self, id: &str) -> Result<bool, StoreError> {
        self.delete(TOKENS.into(), id.to_owned()).await
    }

    /// Notes a change.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn keep_audit(&self, audit: &Audit) -> Result<(), StoreError> {
        let mut kept = item(AUDIT.into(), audit.id.clone(), audit)?;
        kept.insert("expires".into(), expires_in(audit.at, KEEP));
        self.put(kept).await
    }

    /// The changes, the newest first, from after one.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn audits(&self, after: Option<&str>, most: u16) -> Result<Vec<Audit>, StoreError> {
        self.newest(AUDIT, after, most).await?.iter().map(read).collect()
    }

    /// A partition's items, the newest first, from after one.
    pub(super) async fn newest(
        &self,
        pk: &str,
        after: Option<&str>,
        most: u16,
    ) -> Result<Vec<Item>, StoreError> {
        let start = after.map(|sk| key(pk, sk));
        let answer = self
            .dynamodb
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .set_exclusive_start_key(start)
            .scan_index_forward(false)
            .limit(i32::from(most))
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        Ok(answer.items.unwrap_or_default())
    }
}
