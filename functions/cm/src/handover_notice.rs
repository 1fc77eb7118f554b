//! Parses calls of the handover endpoint. The body states neither the new owner of the chat nor the
//! reason (BRIDGE), so the `handover_means` setting decides its meaning.

use serde_json::{Map, Value};
use trunkline_core::json::{self, member};
use trunkline_core::model::{
    AuthorRole, Event, EventBody, EventId, HandoverMode, Role, Transcript, digest,
};

use crate::parse::CallParser;
use crate::settings::HandoverMeaning;

/// Maximum size of the context, in bytes of JSON: what the switchboard accepts, less a margin for
/// [`OMITTED_KEYS`].
const MAX_CONTEXT_BYTES: usize = 3_900;
/// The context member that lists the keys omitted for size.
const OMITTED_KEYS: &str = "omitted_keys";

pub(crate) fn parse(parser: &CallParser<'_>, body: Map<String, Value>) -> Event {
    let context = member(&body, "context").cloned();
    let raw = Value::Object(body);
    // The body has neither an id nor a time, and the next handover may be identical: an identical
    // call within the same minute counts as a repeat. Processing one twice is harmless, because the
    // desk already has the conversation.
    let minute = (parser.call.now.as_second() / 60).to_string();
    let id = EventId::from_parts(&["n", &digest(&[&raw.to_string(), &minute])]);
    let role = parser.call.connection.role;
    let default =
        if role == Role::Channel { HandoverMeaning::Handover } else { HandoverMeaning::Record };
    let meaning = parser.call.settings.handover_means.unwrap_or(default);
    let body = self::body(role, meaning, context.as_ref(), "handover", raw);
    parser.build_event(id, &Map::new(), AuthorRole::System, body)
}

/// Returns what a notice or an event with a meaning becomes. A meaning that the role cannot have is recorded
/// only.
pub(crate) fn body(
    role: Role,
    meaning: HandoverMeaning,
    context: Option<&Value>,
    name: &str,
    raw: Value,
) -> EventBody {
    let (context, transcript) = (flatten_context(context), Transcript::default());
    match (meaning, role) {
        // An offer: the call does not prove that an agent is available.
        (HandoverMeaning::Handover, Role::Channel | Role::Bot) => {
            EventBody::Handover { mode: HandoverMode::Offer, reason: None, context, transcript }
        }
        (HandoverMeaning::Handback, Role::Channel | Role::Desk) => {
            EventBody::Handback { reason: None, context, transcript }
        }
        (HandoverMeaning::Accept, Role::Desk) => EventBody::Accept,
        _ => EventBody::Opaque { is_message: false, name: name.to_owned(), raw },
    }
}

/// Flattens the context: nested values become JSON strings. Members beyond the size limit are
/// listed by key only.
fn flatten_context(value: Option<&Value>) -> Map<String, Value> {
    let whole = match value {
        Some(Value::Object(context)) => context.clone(),
        Some(Value::String(text)) => match json::from_slice(text.as_bytes()) {
            Ok(Value::Object(context)) => context,
            _ if text.trim().is_empty() || text.trim_start().starts_with(['$', '{']) => Map::new(),
            _ => Map::from_iter([("context".to_owned(), Value::String(text.clone()))]),
        },
        None | Some(Value::Null) => Map::new(),
        Some(other) => Map::from_iter([("context".to_owned(), other.clone())]),
    };
    let mut context = Map::new();
    let mut omitted = Vec::new();
    let mut size = 0;
    for (key, value) in whole {
        let value = match value {
            Value::Object(_) | Value::Array(_) => Value::String(value.to_string()),
            flat => flat,
        };
        let encoded_len =
            Value::String(key.clone()).to_string().len() + value.to_string().len() + 2;
        if size + encoded_len <= MAX_CONTEXT_BYTES {
            size += encoded_len;
            context.insert(key, value);
        } else {
            omitted.push(key);
        }
    }
    if !omitted.is_empty() {
        let names: String =
            omitted.join(", ").chars().filter(char::is_ascii_graphic).take(100).collect();
        context.insert(OMITTED_KEYS.into(), Value::String(names));
    }
    context
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn flattened(value: &Value) -> Value {
        Value::Object(flatten_context(Some(value)))
    }

    #[test]
    fn flattens_the_context() {
        let nested = json!({"a": "x", "b": 1, "c": {"d": [true]}, "e": null});
        assert_eq!(
            flattened(&nested),
            json!({"a": "x", "b": 1, "c": r#"{"d":[true]}"#, "e": null})
        );
        assert_eq!(flattened(&json!(r#"{"a":"x"}"#)), json!({"a": "x"}));
        assert_eq!(flattened(&json!("returns")), json!({"context": "returns"}));
        assert_eq!(flattened(&json!(["a"])), json!({"context": r#"["a"]"#}));
        for nothing in [json!(null), json!(""), json!("{{$context}}"), json!("$context"), json!({})]
        {
            assert_eq!(flattened(&nothing), json!({}));
        }
    }

    proptest! {
        #[test]
        fn context_never_exceeds_the_limit(
            sizes in prop::collection::vec((".{0,9}", "[a\"é\n]", 0..2_000usize), 0..12)
        ) {
            let entries = sizes.iter().map(|(key, text, size)| {
                (key.repeat(size / 100), Value::String(text.repeat(*size)))
            });
            let context = flattened(&Value::Object(entries.collect()));
            prop_assert!(context.to_string().len() <= 4 * 1024);
        }
    }
}
