//! Between our types and DynamoDB's items: keys, the schema's version, and one attribute `json` for the
//! rest.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Item, StoreError};
use crate::model::{ConnectionId, ConversationKey, EventId};

/// How items are written now, in their attribute `v`. A change that an older version still reads rightly,
/// such as a field that may be missing, leaves it; any other raises it. Items without it are older.
pub const SCHEMA: u64 = 1;

/// `CONV#<channel>#<customer>`. The customer's id is last, so nothing in it can be taken for a key's
/// end.
pub(super) fn conversation_pk(key: &ConversationKey) -> String {
    format!("CONV#{}#{}", key.channel, key.customer)
}

pub(super) fn event_sk(from: &ConnectionId, id: &EventId) -> String {
    format!("EVT#{from}#{}", id.as_str())
}

/// Whence an event came and its id, from its sort key. No connection's id has a `#`.
pub(super) fn event_named(sk: &str) -> Option<(ConnectionId, EventId)> {
    let (from, id) = sk.strip_prefix("EVT#")?.split_once('#')?;
    Some((from.parse().ok()?, EventId::from_key(id)))
}

pub(super) fn item(pk: String, sk: String, value: &impl Serialize) -> Result<Item, StoreError> {
    let json = to_json(&pk, value)?;
    Ok(Item::from([
        ("pk".to_owned(), AttributeValue::S(pk)),
        ("sk".to_owned(), AttributeValue::S(sk)),
        ("json".to_owned(), AttributeValue::S(json)),
        ("v".to_owned(), AttributeValue::N(SCHEMA.to_string())),
    ]))
}

/// The key of an item.
pub(super) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    Item::from([
        ("pk".to_owned(), AttributeValue::S(pk.into())),
        ("sk".to_owned(), AttributeValue::S(sk.into())),
    ])
}

pub(super) fn to_json(pk: &str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| garbled(kind_of(pk), &error))
}

pub(super) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let key = || format!("{}/{}", kind_of(text(item, "pk")), text(item, "sk"));
    let version = item.get("v").and_then(|v| v.as_n().ok()?.parse().ok()).unwrap_or(0);
    if version > SCHEMA {
        return Err(StoreError::Newer { key: kind_of(text(item, "pk")).to_owned(), version });
    }
    serde_json::from_str(text(item, "json")).map_err(|error| garbled(&key(), &error))
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

pub(super) fn garbled(key: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Garbled { key: key.to_owned(), cause: error.to_string() }
}

/// What kind of item a partition key is of: what follows may name a customer.
fn kind_of(pk: &str) -> &str {
    pk.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_version_wrote_is_not_misread() {
        let mut written = item("LEG#a#b".into(), "LEG".into(), &7).unwrap();
        assert_eq!(read::<u8>(&written).unwrap(), 7);
        written.insert("v".into(), AttributeValue::N((SCHEMA + 1).to_string()));
        let why = read::<u8>(&written).unwrap_err().to_string();
        assert!(why.contains("LEG") && why.contains("later"), "{why}");
        written.remove("v");
        assert_eq!(read::<u8>(&written).unwrap(), 7, "older items have none");
    }
}
