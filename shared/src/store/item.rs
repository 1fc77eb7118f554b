//! Between our types and DynamoDB's items: keys, and one attribute `json` for the rest.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Item, StoreError};
use crate::model::{ConnectionId, ConversationKey, EventId};

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
    ]))
}

pub(super) fn to_json(key: &str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| garbled(key, &error))
}

pub(super) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let key = || format!("{}/{}", text(item, "pk"), text(item, "sk"));
    serde_json::from_str(text(item, "json")).map_err(|error| garbled(&key(), &error))
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

pub(super) fn garbled(key: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Garbled { key: key.to_owned(), cause: error.to_string() }
}
