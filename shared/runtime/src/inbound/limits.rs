//! Limits on the free-form members of an event, so that every stored record can be read again and fits.

use serde_json::{Map, Value};

use super::Rejection;
use trunkline_core::model::{Event, EventBody};

/// Maximum nesting depth. `serde_json` reads up to 128 levels; records and queue messages add about ten.
pub(super) const MAX_DEPTH: usize = 64;
/// Maximum size of `origin`, in bytes: the channel's data that is returned with each reply. Each part of a
/// long text carries it, and all parts are in one record.
const MAX_ORIGIN: usize = 16 * 1024;

/// Checks the size and nesting of an event's free-form members.
pub(super) fn check(event: &Event) -> Result<(), Rejection> {
    let mut left = MAX_ORIGIN;
    if !event.origin.is_empty() && !charge_members(&event.origin, &mut left) {
        return Err(Rejection::OriginTooLarge);
    }
    let free = match &event.body {
        EventBody::Message { metadata: free, .. }
        | EventBody::Handover { context: free, .. }
        | EventBody::Handback { context: free, .. } => is_shallow(free.values(), MAX_DEPTH),
        EventBody::Opaque { raw, .. } => is_shallow(std::iter::once(raw), MAX_DEPTH),
        _ => true,
    };
    let origin = is_shallow(event.origin.values(), MAX_DEPTH);
    if free && origin { Ok(()) } else { Err(Rejection::TooDeep) }
}

fn is_shallow<'a>(values: impl Iterator<Item = &'a Value>, left: usize) -> bool {
    let mut values = values;
    values.all(|value| match value {
        Value::Array(items) => left > 0 && is_shallow(items.iter(), left - 1),
        Value::Object(members) => left > 0 && is_shallow(members.values(), left - 1),
        _ => true,
    })
}

/// Subtracts the size of `members` from `left`. Returns whether they fit.
fn charge_members(members: &Map<String, Value>, left: &mut usize) -> bool {
    members.iter().all(|(name, value)| charge(name.len() + 4, left) && charge_value(value, left))
}

fn charge_value(value: &Value, left: &mut usize) -> bool {
    match value {
        Value::String(text) => charge(text.len() + 2, left),
        Value::Array(items) => charge(2, left) && items.iter().all(|item| charge_value(item, left)),
        Value::Object(members) => charge(2, left) && charge_members(members, left),
        Value::Null | Value::Bool(_) | Value::Number(_) => charge(8, left),
    }
}

fn charge(weight: usize, left: &mut usize) -> bool {
    let rest = left.checked_sub(weight);
    *left = rest.unwrap_or(0);
    rest.is_some()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use trunkline_core::model::{Author, AuthorRole, EventId};

    fn event(raw: Value) -> Event {
        let body = EventBody::Opaque { is_message: false, name: "x".into(), raw };
        let author = Author::nameless(AuthorRole::Bot);
        Event::new(EventId::from_parts(&["x"]), "c", Timestamp::UNIX_EPOCH, author, body)
    }

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!(1), |inner, level| match level % 2 {
            0 => json!([inner]),
            _ => json!({"a": inner}),
        })
    }

    #[test]
    fn accepted_nesting_can_be_read_again_inside_records() {
        for depth in [0, 1, MAX_DEPTH] {
            let event = event(nested(depth));
            assert_eq!(check(&event), Ok(()), "{depth}");
            let text = json!({"a": [{"b": {"c": [{"d": event.clone()}]}}]}).to_string();
            let read: Value = serde_json::from_str(&text).unwrap();
            let inner = &read["a"][0]["b"]["c"][0]["d"];
            assert_eq!(serde_json::from_value::<Event>(inner.clone()).unwrap(), event);
        }
        assert_eq!(check(&event(nested(MAX_DEPTH + 1))), Err(Rejection::TooDeep));
        // Without the limit, such an event is accepted and can never be read again.
        let lost = event(serde_json::from_str(&nested(127).to_string()).unwrap());
        assert!(serde_json::from_str::<Event>(&serde_json::to_string(&lost).unwrap()).is_err());
    }

    #[test]
    fn rejects_an_origin_over_16_kib() {
        let with = |size: usize| {
            let origin = json!({"id": "x".repeat(size), "a": [1, null, {"b": true}]});
            Event { origin: origin.as_object().unwrap().clone(), ..event(json!(1)) }
        };
        assert_eq!(check(&with(10_000)), Ok(()));
        assert_eq!(check(&with(17_000)), Err(Rejection::OriginTooLarge));
    }
}
