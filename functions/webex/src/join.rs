//! Joins events to what they belong to although Webex Connect's own ids do not say so: a conversation with an
//! agent to its customer, and a receipt to its message. Both by what Trunkline handed over, or by members that
//! the operator names.

use serde_json::{Map, Value};
use trunkline_core::model::Delivery;

use crate::settings::Settings;
use crate::wire::normalized;

/// Maximum depth of the members that are searched.
const MAX_DEPTH: usize = 3;

/// Returns the customer's conversation id that an event of another conversation names: in a member that the
/// operator chose, or as the parameter that the handover carried. `None` if it names none, or several.
pub(crate) fn customer(event: &Map<String, Value>, settings: &Settings) -> Option<String> {
    let param = settings.conversation_param.trim();
    let prefix = marker(param);
    let returned =
        |text: &str| text.strip_prefix(prefix.as_deref()?).map(str::trim).map(Into::into);
    let texts = texts(event);
    let members = settings.conversation_members.split(',').map(|name| normalized(name.trim()));
    let chosen: Vec<String> = members.filter(|name| !name.is_empty()).collect();
    let named = texts.iter().filter(|(name, _)| chosen.contains(name));
    let named: Vec<String> =
        named.map(|(_, text)| returned(text).unwrap_or_else(|| text.clone())).collect();
    if !named.is_empty() {
        return only(named.into_iter());
    }
    // Only in parameters: the customer chooses what the message and other members contain.
    let own = texts.iter().filter_map(|(name, text)| {
        let is_named = !param.is_empty() && *name == normalized(param);
        let is_param = name.contains("param");
        returned(text).filter(|_| is_param).or_else(|| is_named.then(|| text.clone()))
    });
    only(own)
}

/// Returns Trunkline's own id of the message that a receipt is about, if the receipt returns it.
pub(crate) fn own_message_id(event: &Map<String, Value>) -> Option<String> {
    let texts = texts(event).into_iter();
    let values = texts.map(|(_, text)| match text.rsplit_once('=') {
        Some((_, value)) => value.trim().to_owned(),
        None => text,
    });
    only(values.filter(|value| Delivery::is_delivery_id(value)))
}

/// Returns the start of a parameter: its name and `=`. `None` if it has no name.
pub(crate) fn marker(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| format!("{name}="))
}

/// Returns the value that all candidates have in common.
fn only(mut candidates: impl Iterator<Item = String>) -> Option<String> {
    let first = candidates.next().filter(|first| !first.is_empty())?;
    candidates.all(|other| other == first).then_some(first)
}

/// Returns the texts in an event with the normalized names of their members.
fn texts(event: &Map<String, Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut level: Vec<(&String, &Value)> = event.iter().collect();
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for (name, value) in level {
            match value {
                Value::String(text) if !text.trim().is_empty() => {
                    found.push((normalized(name), text.trim().to_owned()));
                }
                Value::Object(members) => next.extend(members.iter()),
                Value::Array(items) => next.extend(items.iter().map(|item| (name, item))),
                _ => {}
            }
        }
        level = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn customer_in(event: &Value, members: &str) -> Option<String> {
        let settings = Settings { conversation_members: members.into(), ..Settings::default() };
        customer(event.as_object().unwrap(), &settings)
    }

    #[test]
    fn names_the_customer_by_the_parameter_of_the_handover() {
        let marked = "trunkline_conversation=c-1";
        for event in [
            json!({"Conversationid": "x", "customparam2": marked}),
            json!({"Conversationid": "x", "customparams": {"customparam1": marked}}),
            json!({"Conversationid": "x", "params": ["a=b", marked]}),
        ] {
            assert_eq!(customer_in(&event, "").as_deref(), Some("c-1"), "{event}");
        }
        let own_member = json!({"params": {"Trunkline-Conversation": "c-1"}});
        assert_eq!(customer_in(&own_member, "").as_deref(), Some("c-1"));
        for event in [
            json!({"customparam1": marked, "customparam2": "trunkline_conversation=c-2"}),
            json!({"customparam1": "conversation=c-1", "customparam2": 7}),
            json!({"Message": marked, "username": marked, "Media": marked}),
        ] {
            assert_eq!(customer_in(&event, ""), None, "{event}");
        }
    }

    #[test]
    fn without_a_parameter_only_the_chosen_members_name_the_customer() {
        let settings = Settings { conversation_param: String::new(), ..Settings::default() };
        let event = json!({"customparam1": "=c-1", "": "c-2"});
        assert_eq!(customer(event.as_object().unwrap(), &settings), None);
        let settings = Settings { conversation_members: "thread".into(), ..settings };
        let event = json!({"thread": "c-1"});
        assert_eq!(customer(event.as_object().unwrap(), &settings).as_deref(), Some("c-1"));
    }

    #[test]
    fn names_the_customer_by_a_member_of_the_operators_choice() {
        let event = json!({"Conversationid": "x", "Bot_ConversationId": "c-1", "other": "c-2"});
        assert_eq!(customer_in(&event, "thread, botConversationid").as_deref(), Some("c-1"));
        assert_eq!(customer_in(&event, "thread"), None);
        assert_eq!(customer_in(&event, "bot-conversation-id,other"), None, "they contradict");
        let marked = json!({"customparam1": "trunkline_conversation=c-3"});
        assert_eq!(customer_in(&marked, "customparam1").as_deref(), Some("c-3"));
    }

    #[test]
    fn finds_only_ids_of_deliveries() {
        let id = format!("dlv_{}", "x".repeat(43));
        let of = |event: Value| own_message_id(event.as_object().unwrap());
        assert_eq!(of(json!({"customparam1": format!("message={id}")})), Some(id.clone()));
        assert_eq!(of(json!({"correlationid": id})), Some(id));
        assert_eq!(of(json!({"Messageid": "dlv_short", "a": "message=7"})), None);
    }
}
