//! Decides what to do with each item of a restored table. Pure: no I/O.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// An item of a table: its attributes by name.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Kinds of items that are never copied. Trunkline writes them again when it needs them. An old breaker would hand
/// conversations over to agents, and a token that was revoked since would work again.
const LEFT_OUT: [&str; 5] = ["BREAKER", "LISTENER", "STALLED_QUEUES", "TOKENS", "TOKEN_FAILURES"];

/// Kinds of items that belong to a leg: its parked deliveries and the entry that lists it.
const OF_LEG: [&str; 2] = ["PARK", "PARKED"];

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// Returns the key of an item. A missing attribute is empty.
    pub(super) fn of(item: &Item) -> Self {
        Self::new(text(item, "pk"), text(item, "sk"))
    }

    /// Returns the key as attributes.
    pub(super) fn to_item(&self) -> Item {
        let value = |text: &str| AttributeValue::S(text.to_owned());
        Item::from([("pk".into(), value(&self.pk)), ("sk".into(), value(&self.sk))])
    }

    /// Returns the kind of the item: the first part of its partition key. The rest can identify a customer.
    pub(super) fn kind(&self) -> &str {
        self.pk.split('#').next().unwrap_or_default()
    }

    /// Whether the item is a leg of a conversation.
    fn is_leg(&self) -> bool {
        self.kind() == "CONV" && self.sk.starts_with("LEG#")
    }
}

/// Returns a text attribute; an empty text if there is none.
pub(super) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// Returns an attribute that is a whole number.
pub(super) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// What to do with an item of the restored table, before the stack's table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// It is copied by itself.
    Copy,
    /// It is a leg, which is copied together with its parked deliveries.
    Leg,
    /// It is copied with its leg.
    WithLeg,
    /// Its kind is not copied.
    LeaveOut,
    /// It has expired.
    Expired,
}

/// Returns what to do with an item.
pub(super) fn handling(item: &Item, now: Timestamp) -> Handling {
    let key = Key::of(item);
    if LEFT_OUT.contains(&key.kind()) {
        Handling::LeaveOut
    } else if number(item, "expires").is_some_and(|at: i64| at <= now.as_second()) {
        Handling::Expired
    } else if OF_LEG.contains(&key.kind()) {
        Handling::WithLeg
    } else if key.is_leg() {
        Handling::Leg
    } else {
        Handling::Copy
    }
}

/// How to copy a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LegPlan {
    /// The leg has no parked deliveries.
    Alone,
    /// The leg and its parked deliveries are copied.
    WithParked,
    /// The stack's leg stays, with its own parked deliveries.
    Keep,
}

/// Returns how to copy a leg with a number of parked deliveries and a version. `existing` is the version of the
/// stack's leg.
///
/// A leg counts its parked deliveries, and each change raises its version. Parked deliveries next to a leg that does
/// not count them would never be sent, so they are copied only if the stack's leg is missing or is the same.
pub(super) fn leg_plan(parked: u64, version: u64, existing: Option<u64>) -> LegPlan {
    match existing {
        Some(existing) if existing != version => LegPlan::Keep,
        None if parked == 0 => LegPlan::Alone,
        Some(_) if parked == 0 => LegPlan::Keep,
        None | Some(_) => LegPlan::WithParked,
    }
}

#[cfg(test)]
mod tests {
    use trunkline_runtime::store::ITEMS;

    use super::*;

    const NOW: i64 = 1_000;

    fn handled(pk: &str, sk: &str, expires: Option<i64>) -> Handling {
        let mut item = Key::new(pk, sk).to_item();
        if let Some(expires) = expires {
            item.insert("expires".into(), AttributeValue::N(expires.to_string()));
        }
        handling(&item, Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn items_of_every_kind_have_a_handling() {
        let of = |pattern: &str| pattern.split('<').next().unwrap().to_owned();
        let with = |wanted: Handling| -> Vec<String> {
            let kinds = ITEMS.iter().map(|kind| (of(kind.partition_key), of(kind.sort_key)));
            kinds.filter(|(pk, sk)| handled(pk, sk, None) == wanted).map(|(pk, _)| pk).collect()
        };
        assert_eq!(with(Handling::Leg), ["CONV#"]);
        assert_eq!(with(Handling::WithLeg), ["PARK#", "PARK#", "PARKED#"]);
        let left = ["BREAKER#", "LISTENER#", "STALLED_QUEUES", "TOKENS", "TOKEN_FAILURES#"];
        assert_eq!(with(Handling::LeaveOut), left);
        // A new kind of item needs a decision: copied, left out, or part of a leg.
        let copied = "CONV# CONV# CONV# LEG# HINT# CONN# CONNECTIONS ROUTE# ROUTES ALERT_OBSERVERS HEALTH# \
             HEALTH# FAILED# WAITING WAITING HELD# DUE# ACTIVE# REJECT# DEAD FILE# FILE_KEY RATE# AUDIT";
        assert_eq!(with(Handling::Copy).join(" "), copied);
    }

    #[test]
    fn expired_items_are_not_copied() {
        assert_eq!(handled("CONV#shop#1", "CONV", Some(NOW)), Handling::Expired);
        assert_eq!(handled("CONV#shop#1", "LEG#bot", Some(NOW - 1)), Handling::Expired);
        assert_eq!(handled("CONV#shop#1", "CONV", Some(NOW + 1)), Handling::Copy);
        assert_eq!(handled("TOKENS", "tok_1", Some(NOW + 1)), Handling::LeaveOut);
    }

    #[test]
    fn legs_of_conversations_are_no_index_entries() {
        assert_eq!(handled("CONV#shop#LEG#1", "LEG#bot", None), Handling::Leg);
        assert_eq!(handled("LEG#bot#ext", "LEG", None), Handling::Copy);
        assert_eq!(
            handled("CONV#shop#1", "EVT#2026-03-04T09:00:00.000Z#bot#e", None),
            Handling::Copy
        );
    }

    #[test]
    fn parked_deliveries_are_copied_only_with_the_leg_that_counts_them() {
        assert_eq!(leg_plan(0, 3, None), LegPlan::Alone);
        assert_eq!(leg_plan(2, 3, None), LegPlan::WithParked);
        assert_eq!(leg_plan(2, 3, Some(3)), LegPlan::WithParked, "an interrupted run copied it");
        assert_eq!(leg_plan(0, 3, Some(3)), LegPlan::Keep);
        assert_eq!(leg_plan(2, 3, Some(4)), LegPlan::Keep, "it has been used since");
        assert_eq!(leg_plan(2, 3, Some(1)), LegPlan::Keep, "it began again");
    }
}
