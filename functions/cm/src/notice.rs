//! The notice of a handover. Its body says neither who has the chat now nor why (BRIDGE), so what it
//! means is a setting.

use serde_json::{Map, Value};
use trunkline_shared::model::{AuthorRole, Event, EventBody, EventId, Mode, Recall, Role, digest};

use crate::read::Reader;
use crate::settings::Means;
use crate::wire::member;

/// The largest context that the switchboard takes, in bytes of JSON, less a little for what is added.
const MAX_CONTEXT: usize = 3_900;
/// Under which name the context stands what was left out of it.
const LEFT_OUT: &str = "left_out";

pub(crate) fn read(reader: &Reader<'_>, body: Map<String, Value>) -> Event {
    let context = context(member(&body, "context"));
    let raw = Value::Object(body);
    // Neither id nor time is in it, and the next handover's may be the same: a repeat is one of the same
    // minute. One that is taken twice does no harm, for people have the conversation already.
    let minute = (reader.call.now.as_second() / 60).to_string();
    let id = EventId::from_parts(&["n", &digest(&[&raw.to_string(), &minute])]);
    let recall = Recall::default;
    let body = match means(reader) {
        Means::Handover => {
            // An offer: nothing says that an agent is there.
            EventBody::Handover { mode: Mode::Offer, reason: None, context, recall: recall() }
        }
        Means::Handback => EventBody::Handback { reason: None, context, recall: recall() },
        Means::Accept => EventBody::Accept,
        Means::Record => EventBody::Opaque { said: false, name: "handover".into(), raw },
    };
    reader.dressed(id, &Map::new(), AuthorRole::System, body)
}

/// As set; by role otherwise, and where the role could not say such a thing.
fn means(reader: &Reader<'_>) -> Means {
    match (reader.call.connection.role, reader.settings.handover_means) {
        (Role::Channel, None) => Means::Handover,
        (Role::Channel, Some(means @ (Means::Handover | Means::Handback)))
        | (Role::Bot, Some(means @ Means::Handover))
        | (Role::Desk, Some(means @ (Means::Handback | Means::Accept))) => means,
        _ => Means::Record,
    }
}

/// The context, flat: what is nested becomes JSON as a text. What is too much is named, not kept.
fn context(value: Option<&Value>) -> Map<String, Value> {
    let whole = match value {
        Some(Value::Object(context)) => context.clone(),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(context)) => context,
            _ if text.trim().is_empty() || text.trim_start().starts_with(['$', '{']) => Map::new(),
            _ => Map::from_iter([("context".to_owned(), Value::String(text.clone()))]),
        },
        None | Some(Value::Null) => Map::new(),
        Some(other) => Map::from_iter([("context".to_owned(), other.clone())]),
    };
    let mut context = Map::new();
    let mut left_out = Vec::new();
    let mut size = 0;
    for (key, value) in whole {
        let value = match value {
            Value::Object(_) | Value::Array(_) => Value::String(value.to_string()),
            flat => flat,
        };
        let written = Value::String(key.clone()).to_string().len() + value.to_string().len() + 2;
        if size + written <= MAX_CONTEXT {
            size += written;
            context.insert(key, value);
        } else {
            left_out.push(key);
        }
    }
    if !left_out.is_empty() {
        let names: String =
            left_out.join(", ").chars().filter(char::is_ascii_graphic).take(100).collect();
        context.insert(LEFT_OUT.into(), Value::String(names));
    }
    context
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Value {
        Value::Object(context(Some(value)))
    }

    #[test]
    fn a_context_becomes_flat() {
        let nested = json!({"a": "x", "b": 1, "c": {"d": [true]}, "e": null});
        assert_eq!(of(&nested), json!({"a": "x", "b": 1, "c": r#"{"d":[true]}"#, "e": null}));
        assert_eq!(of(&json!(r#"{"a":"x"}"#)), json!({"a": "x"}));
        assert_eq!(of(&json!("returns")), json!({"context": "returns"}));
        assert_eq!(of(&json!(["a"])), json!({"context": r#"["a"]"#}));
        for nothing in [json!(null), json!(""), json!("{{$context}}"), json!("$context"), json!({})]
        {
            assert_eq!(of(&nothing), json!({}));
        }
    }

    proptest! {
        #[test]
        fn it_is_never_more_than_the_switchboard_takes(
            sizes in prop::collection::vec((".{0,9}", "[a\"é\n]", 0..2_000usize), 0..12)
        ) {
            let entries = sizes.iter().map(|(key, text, size)| {
                (key.repeat(size / 100), Value::String(text.repeat(*size)))
            });
            let context = of(&Value::Object(entries.collect()));
            prop_assert!(context.to_string().len() <= 4 * 1024);
        }
    }
}
