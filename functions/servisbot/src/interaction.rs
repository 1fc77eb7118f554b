//! Interactions: what a user selects in a markup (S4, Type of events and Markup Interaction Event). In: a choice that
//! names its markup. Out: the contents of an interaction.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::{ChoiceSource, ConnectionId, EventBody};

use crate::eventing::message_event_id;
use crate::wire::{INTERACTION, MARKUP, TimelineMessage};

/// The only action in a public example (S4).
const BUTTON: &str = "buttonInteraction";
/// The members of a value that hold its label: `label` of a button (S4), `title` of an option (SX, Markup
/// Interaction Node).
const LABELS: [&str; 2] = ["label", "title"];

/// Returns the choice of an interaction; `None` if the event is none, or selects nothing that has an id or a label.
pub(crate) fn choice(message: &TimelineMessage) -> Option<EventBody> {
    message.content_type.as_deref().filter(|kind| *kind == INTERACTION)?;
    let value = message.contents.get("interaction")?.get("value")?;
    let member = |name: &str| value.get(name).and_then(scalar);
    let label = LABELS.into_iter().find_map(member).or_else(|| scalar(value));
    let id = member("id").or_else(|| label.clone())?;
    Some(EventBody::Choice { id, title: label, typed: None })
}

/// Returns the markup of an interaction: `contents.source` names it (S4). By its id otherwise, which is the same.
pub(crate) fn source(
    message: &TimelineMessage,
    connection: &ConnectionId,
    at: Timestamp,
) -> ChoiceSource {
    let source = message.contents.get("source");
    let member = |name: &str| source?.get(name).and_then(scalar);
    let id = member("id").or_else(|| message.id.clone()).unwrap_or_default();
    let conversation = member("conversationId").or_else(|| message.conversation_id.clone());
    let time = member("timestamp").and_then(|at| at.parse().ok());
    ChoiceSource {
        from: connection.clone(),
        event: message_event_id(message, conversation.as_deref(), MARKUP, &id),
        at: time.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(at),
        parts: std::collections::BTreeMap::new(),
    }
}

/// Returns when the user selected, by the user's clock; otherwise the event's time.
pub(crate) fn time(message: &TimelineMessage) -> Option<i64> {
    let own = message.contents.get("interaction").and_then(|it| it.get("timestamp"));
    own.and_then(scalar).and_then(|at| at.parse().ok()).or(message.timestamp)
}

/// Builds the contents of an interaction with a markup that Trunkline has sent.
pub(crate) fn contents(
    markup: (&str, i64),
    conversation: &str,
    choice: (&str, &str),
    at: i64,
) -> Map<String, Value> {
    let ((markup, sent_at), (id, label)) = (markup, choice);
    let source = json!({
        "eventType": "TimelineMessage", "timestamp": sent_at, "id": markup,
        "conversationId": conversation,
    });
    let interaction =
        json!({"action": BUTTON, "value": {"id": id, "label": label}, "timestamp": at});
    let contents = [("source".to_owned(), source), ("interaction".to_owned(), interaction)];
    Map::from_iter(contents)
}

/// Returns a text or a number as a text, unless it is blank.
fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}
