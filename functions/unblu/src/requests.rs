//! Builds the requests and bodies of web API v3 and v4 (UA3, UA4).
//!
//! Every object names its class in `$_type`, but Unblu tells union members apart by `type`, so both are
//! sent.

use serde_json::{Map, Value, json};
use trunkline_core::model::{Delivery, ExternalMessageId};
use trunkline_runtime::http_client::HttpRequest;

use crate::api::Api;
use crate::content;
use crate::recipients::Recipient;
use crate::settings::{ApiVersion, FailState, RecipientType, Settings};

/// The longest name of a person, in characters.
const MAX_NAME: usize = 100;

/// What is known about a customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Profile<'a> {
    pub(crate) source_id: &'a str,
    /// The customer's id on the channel.
    pub(crate) customer: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) phone: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
}

/// Returns a virtual person: a visitor without an Unblu account. Without a name, the customer's id is the user
/// name, which Unblu then displays (UA4 `PersonData`).
pub(crate) fn person(profile: &Profile<'_>) -> Value {
    let mut person = json!({
        "$_type": "PersonData",
        "personSource": "VIRTUAL",
        "sourceId": profile.source_id,
        "personType": "VISITOR",
        "authorizationRole": "WEBUSER",
    });
    let name = shortened(profile.name.unwrap_or_default());
    let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
    let user_name = if name.is_empty() { shortened(profile.customer) } else { String::new() };
    for (member, value) in [
        ("firstName", first),
        ("lastName", last),
        ("username", &*user_name),
        ("phone", profile.phone.unwrap_or_default()),
        ("email", profile.email.unwrap_or_default()),
    ] {
        if !value.is_empty() {
            person[member] = value.into();
        }
    }
    person
}

pub(crate) fn contact(channel: &str, profile: &Profile<'_>, person: &str) -> Value {
    json!({
        "$_type": "ExternalMessengerContact",
        "name": shortened(profile.name.unwrap_or(profile.customer)),
        "externalMessengerChannelId": channel,
        "sourceId": profile.source_id,
        "personId": person,
    })
}

fn shortened(name: &str) -> String {
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

/// The customer's participant in a conversation, by the ids that the API versions need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor<'a> {
    /// The person's id; not needed in v4.
    pub(crate) person: &'a str,
    /// The contact's id; empty in v3.
    pub(crate) contact: &'a str,
}

/// A conversation that is about to be created.
#[derive(Debug, Clone)]
pub(crate) struct NewConversation<'a> {
    pub(crate) visitor: Visitor<'a>,
    pub(crate) source_id: &'a str,
    /// The customer's language.
    pub(crate) language: Option<&'a str>,
    /// The context of the handover.
    pub(crate) context: &'a Map<String, Value>,
    /// `None`: Unblu decides.
    pub(crate) recipient: Option<Recipient>,
}

/// Returns a new conversation. With only the visitor, Unblu queues it for agents (S2).
pub(crate) fn conversation(api: &Api<'_>, new: &NewConversation<'_>) -> Value {
    let settings = api.settings;
    let mut body = json!({
        "initialEngagementType": settings.initial_engagement_type,
        "externalMessengerChannelId": api.channel(),
        "sourceId": new.source_id,
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    put("topic", settings.topic.clone().map(Value::from));
    put("locale", locale(settings, new.language).map(Value::from));
    put("metadata", metadata(new.context));
    let recipient = new.recipient.as_ref();
    let assignee = recipient.filter(|recipient| recipient.kind == RecipientType::Assignee);
    let recipient = recipient.filter(|recipient| recipient.kind != RecipientType::Assignee);
    match api.version() {
        ApiVersion::V4 => {
            put("$_type", Some("ConversationCreationData".into()));
            put("conversationVisibility", settings.visibility.clone().map(Value::from));
            put("recipient", recipient.map(v4_recipient));
            put("externalParticipants", Some(json!([v4_visitor(new.visitor)])));
            put("participants", assignee.map(|agent| json!([v4_assignee(agent)])));
        }
        ApiVersion::V3 => {
            put("$_type", Some("ConversationData".into()));
            put("recipient", recipient.map(v3_recipient));
            let visitor = v3_participant(new.visitor.person, true);
            let agent = assignee.map(|agent| v3_participant(&agent.id, false));
            put("participants", Some(std::iter::once(visitor).chain(agent).collect()));
            put("contextPersonId", Some(new.visitor.person.into()));
            put("assigneePersonId", assignee.map(|agent| agent.id.clone().into()));
        }
    }
    body
}

/// Returns the language as a BCP 47 tag, with the region if there is one (UA4 `ConversationCreationData`).
fn locale(settings: &Settings, language: Option<&str>) -> Option<String> {
    let language = || {
        let tag = language?.replace('_', "-");
        let primary = tag.split('-').next().unwrap_or_default();
        Some(if settings.locale_region { tag.clone() } else { primary.to_owned() })
    };
    settings.locale.clone().or_else(language).filter(|locale| !locale.is_empty())
}

fn v4_recipient(recipient: &Recipient) -> Value {
    json!({"$_type": "ConversationCreationRecipientData", "type": recipient.kind.word(), "id": recipient.id})
}

/// Returns a recipient as v3 has it: the entity itself, which `$_type` tells apart (UA3
/// `ConversationRecipientData`).
fn v3_recipient(recipient: &Recipient) -> Value {
    let class = match recipient.kind {
        RecipientType::NamedArea => "NamedAreaData",
        RecipientType::Team => "TeamData",
        RecipientType::Agent | RecipientType::Assignee => "PersonData",
        RecipientType::Account => "AccountData",
    };
    json!({"$_type": class, "id": recipient.id})
}

fn v4_visitor(visitor: Visitor<'_>) -> Value {
    json!({
        "$_type": "ConversationCreationExternalParticipantData",
        "externalMessengerContactId": visitor.contact,
        "participationType": "CONTEXT_PERSON",
    })
}

fn v4_assignee(agent: &Recipient) -> Value {
    json!({
        "$_type": "ConversationCreationParticipantData",
        "personId": agent.id,
        "participationType": "ASSIGNED_AGENT",
    })
}

fn v3_participant(person: &str, is_external: bool) -> Value {
    json!({
        "$_type": "ParticipantData",
        "personId": person,
        "connectedViaExternalMessenger": is_external,
    })
}

/// Returns the context as `metadata`: a map from string to string (UA3, UA4).
fn metadata(context: &Map<String, Value>) -> Option<Value> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let map: Map<_, _> =
        context.iter().map(|(key, value)| (key.clone(), text(value).into())).collect();
    (!map.is_empty()).then_some(Value::Object(map))
}

/// A message from the visitor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutgoingMessage {
    /// The `sourceId`, by which Unblu's message states name the message.
    pub(crate) id: String,
    /// The `messageData`.
    pub(crate) data: Value,
    /// The earlier message that it replies to, as Unblu knows it.
    pub(crate) reply_to: Option<ExternalMessageId>,
    /// The `messageData` that is sent if Unblu refuses the answer to a question.
    pub(crate) instead: Option<Value>,
}

/// Returns the request that sends a message from the visitor.
pub(crate) fn message(
    api: &Api<'_>,
    conversation: &str,
    visitor: Visitor<'_>,
    message: &OutgoingMessage,
) -> HttpRequest {
    let OutgoingMessage { id, data, reply_to, .. } = message;
    let mut body = json!({
        "$_type": "ExternalMessengerPostMessage",
        "conversationId": conversation,
        "recipientPersonIds": null,
        "sourceId": id,
        "messageData": data,
    });
    let replied = |is_own: bool| {
        let id = reply_to.as_ref().map(ExternalMessageId::as_str);
        let id = id.map(|id| content::parse_question(id).unwrap_or(id));
        id.filter(|id| Delivery::is_delivery_id(id) == is_own)
    };
    match api.version() {
        ApiVersion::V4 => {
            body["senderExternalMessengerContactId"] = visitor.contact.into();
            body["externalMessageId"] = id.as_str().into();
            // Unblu knows Trunkline's own messages by `externalMessageId`.
            body["replyToMessageId"] = replied(false).into();
            body["replyToExternalMessageId"] = replied(true).into();
        }
        ApiVersion::V3 => {
            body["externalMessengerChannelId"] = api.channel().into();
            body["senderPersonId"] = visitor.person.into();
            if let Some(id) = replied(false) {
                body["replyToMessageId"] = id.into();
            }
        }
    }
    channel_request(api, "sendMessage", &body)
}

/// The state of an agent's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageState<'a> {
    Sent,
    Delivered,
    Read,
    Failed { fail_state: FailState, why: &'a str },
}

pub(crate) fn message_state(
    api: &Api<'_>,
    conversation: &str,
    visitor: Option<Visitor<'_>>,
    message: &str,
    state: MessageState<'_>,
) -> HttpRequest {
    let mut body = json!({"conversationId": conversation, "messageId": message});
    let v3 = api.version() == ApiVersion::V3;
    if v3 {
        body["externalMessengerChannelId"] = api.channel().into();
    }
    // Without a person or contact, the state is for all external participants.
    let mut add_participant = || {
        if v3 {
            body["personId"] = visitor.map(|visitor| visitor.person).into();
        } else {
            body["externalMessengerContactId"] = visitor.map(|visitor| visitor.contact).into();
        }
    };
    let call = match state {
        MessageState::Sent => "messageSentSuccessfully",
        MessageState::Delivered => {
            add_participant();
            "messageDelivered"
        }
        MessageState::Read => {
            add_participant();
            "messageRead"
        }
        MessageState::Failed { fail_state, why } => {
            let name = if v3 { "failedState" } else { "failState" };
            body[name] = fail_state.word().into();
            body["failureText"] = why.into();
            "messageSendFailed"
        }
    };
    channel_request(api, call, &body)
}

/// Returns a call to the channel: v4 names the channel in the path, v3 in the body.
fn channel_request(api: &Api<'_>, call: &str, body: &Value) -> HttpRequest {
    match api.version() {
        ApiVersion::V4 => api.post(&["externalmessengers", api.channel(), call], Some(body)),
        ApiVersion::V3 => api.post(&["externalmessengers", call], Some(body)),
    }
}

pub(crate) fn end(api: &Api<'_>, conversation: &str, comment: Option<&str>) -> HttpRequest {
    let body = json!({"reason": api.settings.end_reason, "comment": comment});
    api.post(&["conversations", conversation, "end"], Some(&body))
}

/// Returns the request for a test call from Unblu to the endpoint.
pub(crate) fn ping(api: &Api<'_>) -> HttpRequest {
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
