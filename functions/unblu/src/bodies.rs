//! The bodies of our calls, as v3 and v4 want them (UA3, UA4).
//!
//! Every object says its class in `$_type`, but unions are told apart by `type`: both are sent.

use serde_json::{Map, Value, json};
use trunkline_shared::http_client::Request;

use crate::api::Api;
use crate::settings::ApiVersion;

/// The longest name that we give a person, in characters.
const MAX_NAME: usize = 100;

/// A visitor whom only we know.
pub(crate) fn person(source_id: &str, name: &str) -> Value {
    let name = short(name);
    let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
    let mut person = json!({
        "$_type": "PersonData",
        "personSource": "VIRTUAL",
        "sourceId": source_id,
        "personType": "VISITOR",
        "authorizationRole": "WEBUSER",
        "firstName": first,
    });
    if !last.is_empty() {
        person["lastName"] = last.into();
    }
    person
}

pub(crate) fn contact(channel: &str, source_id: &str, person: &str, name: &str) -> Value {
    json!({
        "$_type": "ExternalMessengerContact",
        "name": short(name),
        "externalMessengerChannelId": channel,
        "sourceId": source_id,
        "personId": person,
    })
}

fn short(name: &str) -> String {
    let words = name.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(MAX_NAME).collect()
}

pub(crate) fn contact_search(channel: &str, source_id: &str) -> Value {
    json!({
        "$_type": "ExternalMessengerContactQuery",
        "searchFilters": [
            {
                "$_type": "ExternalMessengerChannelIdExternalMessengerContactSearchFilter",
                "field": "EXTERNAL_MESSENGER_CHANNEL_ID",
                "operator": {"$_type": "EqualsIdOperator", "type": "EQUALS", "value": channel},
            },
            {
                "$_type": "SourceIdExternalMessengerContactSearchFilter",
                "field": "SOURCE_ID",
                "operator": {"$_type": "EqualsStringOperator", "type": "EQUALS", "value": source_id},
            },
        ],
        "orderBy": [],
        "offset": 0,
        "limit": 1,
    })
}

/// Who takes part in a conversation for the customer, by the ids that their version wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor<'a> {
    /// The person's id; v4 can do without.
    pub(crate) person: &'a str,
    /// The contact's id; v3 has none.
    pub(crate) contact: &'a str,
}

/// A new conversation with only the visitor in it, so that it goes to the queue (S2).
pub(crate) fn conversation(
    api: &Api,
    visitor: Visitor<'_>,
    source_id: &str,
    language: Option<&str>,
    context: &Map<String, Value>,
) -> Value {
    let settings = &api.settings;
    let mut body = json!({
        "initialEngagementType": settings.initial_engagement_type,
        "externalMessengerChannelId": api.channel(),
        "sourceId": source_id,
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    put("topic", settings.topic.clone().map(Value::from));
    put("locale", settings.locale.as_deref().or(language).map(Value::from));
    let recipient = |kind: &str| {
        let recipient = settings.recipient_type.as_ref().zip(settings.recipient_id.as_ref());
        recipient.map(|(which, id)| json!({"$_type": kind, "type": which, "id": id}))
    };
    match api.version() {
        ApiVersion::V4 => {
            put("$_type", Some("ConversationCreationData".into()));
            put("conversationVisibility", settings.visibility.clone().map(Value::from));
            put("recipient", recipient("ConversationCreationRecipientData"));
            let participant = json!({
                "$_type": "ConversationCreationExternalParticipantData",
                "externalMessengerContactId": visitor.contact,
                "participationType": "CONTEXT_PERSON",
            });
            put("externalParticipants", Some(json!([participant])));
            put("metadata", metadata(context));
        }
        ApiVersion::V3 => {
            put("$_type", Some("ConversationData".into()));
            put("recipient", recipient("ConversationRecipientData"));
            let participant = json!({
                "$_type": "ParticipantData",
                "personId": visitor.person,
                "connectedViaExternalMessenger": true,
            });
            put("participants", Some(json!([participant])));
            put("contextPersonId", Some(visitor.person.into()));
        }
    }
    body
}

/// A map from text to text (UA4).
fn metadata(context: &Map<String, Value>) -> Option<Value> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let map: Map<_, _> =
        context.iter().map(|(key, value)| (key.clone(), text(value).into())).collect();
    (!map.is_empty()).then_some(Value::Object(map))
}

/// A message from the visitor. `id` is ours; Unblu's states name the message by it.
pub(crate) fn message(
    api: &Api,
    conversation: &str,
    visitor: Visitor<'_>,
    id: &str,
    data: &Value,
) -> Request {
    let mut body = json!({
        "$_type": "ExternalMessengerPostMessage",
        "conversationId": conversation,
        "recipientPersonIds": null,
        "sourceId": id,
        "messageData": data,
    });
    match api.version() {
        ApiVersion::V4 => {
            body["senderExternalMessengerContactId"] = visitor.contact.into();
            body["externalMessageId"] = id.into();
            body["replyToMessageId"] = Value::Null;
            body["replyToExternalMessageId"] = Value::Null;
        }
        ApiVersion::V3 => {
            body["externalMessengerChannelId"] = api.channel().into();
            body["senderPersonId"] = visitor.person.into();
        }
    }
    to_channel(api, "sendMessage", &body)
}

/// What became of a message of Unblu's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State<'a> {
    Sent,
    Delivered,
    Read,
    Failed { fail_state: &'a str, why: &'a str },
}

pub(crate) fn state(
    api: &Api,
    conversation: &str,
    visitor: Option<Visitor<'_>>,
    message: &str,
    state: State<'_>,
) -> Request {
    let mut body = json!({"conversationId": conversation, "messageId": message});
    let v3 = api.version() == ApiVersion::V3;
    if v3 {
        body["externalMessengerChannelId"] = api.channel().into();
    }
    // Without one it is so for all who are connected externally.
    let mut by = || {
        if v3 {
            body["personId"] = visitor.map(|visitor| visitor.person).into();
        } else {
            body["externalMessengerContactId"] = visitor.map(|visitor| visitor.contact).into();
        }
    };
    let call = match state {
        State::Sent => "messageSentSuccessfully",
        State::Delivered => {
            by();
            "messageDelivered"
        }
        State::Read => {
            by();
            "messageRead"
        }
        State::Failed { fail_state, why } => {
            let name = if v3 { "failedState" } else { "failState" };
            body[name] = fail_state.into();
            body["failureText"] = why.into();
            "messageSendFailed"
        }
    };
    to_channel(api, call, &body)
}

/// v4 names the channel in the address, v3 in the body.
fn to_channel(api: &Api, call: &str, body: &Value) -> Request {
    match api.version() {
        ApiVersion::V4 => api.post(&["externalmessengers", api.channel(), call], Some(body)),
        ApiVersion::V3 => api.post(&["externalmessengers", call], Some(body)),
    }
}

pub(crate) fn end(api: &Api, conversation: &str, comment: Option<&str>) -> Request {
    let body = json!({"reason": api.settings.end_reason, "comment": comment});
    api.post(&["conversations", conversation, "end"], Some(&body))
}

/// Has Unblu call us, to see whether that works.
pub(crate) fn ping(api: &Api) -> Request {
    match api.version() {
        ApiVersion::V4 => api.post(&["externalmessengers", api.channel(), "sendPing"], None),
        ApiVersion::V3 => {
            let body = json!({"externalMessengerChannelId": api.channel()});
            api.post(&["externalmessengers", "pingCustomChannel"], Some(&body))
        }
    }
}

#[cfg(test)]
mod tests;
