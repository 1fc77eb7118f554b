//! Conversion between Rust types and DynamoDB items: the keys, the schema number `v`, and one attribute
//! `json` for everything else.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Item, StoreError};
use crate::error::Cause;

/// Schema number of the items that this version writes, in their attribute `v`. A change that an older
/// version reads correctly, such as a new optional field, does not raise it; any other change does. Items
/// without `v` are older.
pub const SCHEMA: u64 = 1;

pub(super) fn item(pk: String, sk: String, value: &impl Serialize) -> Result<Item, StoreError> {
    let json = to_json(&pk, value)?;
    Ok(Item::from([
        ("pk".to_owned(), AttributeValue::S(pk)),
        ("sk".to_owned(), AttributeValue::S(sk)),
        ("json".to_owned(), AttributeValue::S(json)),
        ("v".to_owned(), AttributeValue::N(SCHEMA.to_string())),
    ]))
}

/// Returns the key attributes of an item.
pub(super) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    Item::from([
        ("pk".to_owned(), AttributeValue::S(pk.into())),
        ("sk".to_owned(), AttributeValue::S(sk.into())),
    ])
}

pub(super) fn to_json(pk: &str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| corrupt(key_kind(pk), error))
}

pub(super) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let key =
        || format!("{}/{}", key_kind(string_attribute(item, "pk")), string_attribute(item, "sk"));
    let version = item.get("v").and_then(|v| v.as_n().ok()?.parse().ok()).unwrap_or(0);
    if version > SCHEMA {
        return Err(StoreError::UnsupportedSchema {
            key: key_kind(string_attribute(item, "pk")).to_owned(),
            version,
        });
    }
    serde_json::from_str(string_attribute(item, "json")).map_err(|error| corrupt(&key(), error))
}

pub(super) fn string_attribute<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

pub(super) fn corrupt(key: &str, error: serde_json::Error) -> StoreError {
    StoreError::Corrupt { key: key.to_owned(), cause: Cause::new(error) }
}

/// Returns the kind of item that a partition key belongs to. The rest of the key can identify a customer.
fn key_kind(pk: &str) -> &str {
    pk.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_items_with_a_later_schema() {
        let mut written = item("LEG#a#b".into(), "LEG".into(), &7).unwrap();
        assert_eq!(read::<u8>(&written).unwrap(), 7);
        written.insert("v".into(), AttributeValue::N((SCHEMA + 1).to_string()));
        let why = read::<u8>(&written).unwrap_err().to_string();
        assert!(why.contains("LEG") && why.contains("later"), "{why}");
        written.remove("v");
        assert_eq!(read::<u8>(&written).unwrap(), 7, "older items have no schema number");
    }
}
