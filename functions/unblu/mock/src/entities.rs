//! Operations on persons, contacts, conversations, messages and the channel, with their rules.

use std::collections::HashMap;

use serde_json::{Value, json};
use trunkline_mock::now;

use super::judging::ApiVersion;
use super::state::{Conversation, EndedConversation, SentMessage, ServerState, StateReport};
use super::validation::{self, Rejection, reject, text};
use super::{ACCOUNT, CHANNEL};

/// A response: a body, none, or a rejection.
pub(super) type Outcome = Result<Option<Value>, Rejection>;

pub(super) fn on_channel(id: &str) -> Result<(), Rejection> {
    if id == CHANNEL { Ok(()) } else { reject(404, "There is no such channel") }
}

pub(super) fn person(state: &mut ServerState, body: &Value) -> Result<Value, Rejection> {
    validation::one_of(body, "personSource", &["VIRTUAL"])?;
    validation::one_of(body, "personType", &["VISITOR"])?;
    let source = validation::source_id(body)?;
    let known = state.persons.iter_mut().find(|person| person["sourceId"] == source);
    let mut person = body.clone();
    if let Some(known) = known {
        person["id"] = known["id"].clone();
        *known = person.clone();
    } else {
        person["id"] = state.new_id("pErSoN").into();
        state.persons.push(person.clone());
    }
    Ok(person)
}

pub(super) fn search(state: &mut ServerState, body: &Value) -> Result<Value, Rejection> {
    let mut wanted = HashMap::new();
    for filter in body["searchFilters"].as_array().into_iter().flatten() {
        validation::one_of(filter, "field", &["EXTERNAL_MESSENGER_CHANNEL_ID", "SOURCE_ID"])?;
        validation::one_of(&filter["operator"], "type", &["EQUALS"])?;
        wanted.insert(text(filter, "field")?, text(&filter["operator"], "value")?);
    }
    let fits = |contact: &&Value| {
        wanted.iter().all(|(field, value)| match *field {
            "SOURCE_ID" => contact["sourceId"] == *value,
            _ => contact["externalMessengerChannelId"] == *value,
        })
    };
    let hidden = std::mem::take(&mut state.hide_contacts);
    let items: Vec<&Value> = state.contacts.iter().filter(|_| !hidden).filter(fits).collect();
    Ok(json!({"$_type": "ExternalMessengerContactResult", "hasMoreItems": false, "nextOffset": 0,
              "items": items}))
}

pub(super) fn contact(state: &mut ServerState, body: &Value) -> Result<Value, Rejection> {
    text(body, "name")?;
    on_channel(text(body, "externalMessengerChannelId")?)?;
    let (source, person) = (validation::source_id(body)?, text(body, "personId")?);
    if !state.persons.iter().any(|known| known["id"] == person) {
        return reject(404, "There is no such person");
    }
    if state.contacts.iter().any(|known| known["sourceId"] == source) {
        return reject(400, "There already is such a contact");
    }
    let mut contact = body.clone();
    contact["id"] = state.new_id("cOnTaCt").into();
    state.contacts.push(contact.clone());
    Ok(contact)
}

pub(super) fn conversation(state: &mut ServerState, body: &Value) -> Result<Value, Rejection> {
    text(body, "initialEngagementType")?;
    if !body["recipient"].is_null() {
        text(&body["recipient"], "id")?;
    }
    on_channel(text(body, "externalMessengerChannelId")?)?;
    let customers = customers(state, body)?;
    let source = validation::source_id(body)?;
    if state.active(source).is_some() {
        return reject(400, "sourceId and externalMessengerChannelId are not unique");
    }
    let several = state.channel["supportsMultipleConversationsPerContact"] == true;
    let is_busy = |one: &Conversation| {
        !one.has_ended() && one.customers.iter().any(|id| customers.contains(id))
    };
    if !several && state.conversations.iter().any(is_busy) {
        return reject(400, "The contact already has an active conversation");
    }
    let data = created(state, body);
    state.conversations.push(Conversation { data: data.clone(), customers });
    Ok(data)
}

/// Returns the ids of the contacts (v4) or persons (v3) that a new conversation connects.
fn customers(state: &ServerState, body: &Value) -> Result<Vec<String>, Rejection> {
    let (list, member, known) = match state.version {
        ApiVersion::V3 => ("participants", "personId", &state.persons),
        ApiVersion::V4 => ("externalParticipants", "externalMessengerContactId", &state.contacts),
    };
    let mut customers = Vec::new();
    for one in body[list].as_array().into_iter().flatten() {
        if state.version == ApiVersion::V3 && one["connectedViaExternalMessenger"] != true {
            continue;
        }
        let id = text(one, member)?;
        if !known.iter().any(|known| known["id"] == id) {
            return reject(404, format!("{member} is unknown"));
        }
        if state.version == ApiVersion::V4 {
            text(one, "participationType")?;
        }
        customers.push(id.to_owned());
    }
    if customers.is_empty() {
        return reject(400, "no participant is connected via the external messenger");
    }
    Ok(customers)
}

/// Returns a new conversation as Unblu returns it.
fn created(state: &mut ServerState, body: &Value) -> Value {
    let mut data = body.clone();
    data["$_type"] = "ConversationData".into();
    data["id"] = state.new_id("cOnVeRsAtIoN").into();
    data["accountId"] = ACCOUNT.into();
    data["creationTimestamp"] = now().as_millisecond().into();
    data["state"] = "QUEUED".into();
    if state.version == ApiVersion::V4 {
        let recipient = &body["recipient"];
        let class = match recipient["type"].as_str().unwrap_or_default() {
            "NAMED_AREA" => "NamedAreaData",
            "TEAM" => "TeamData",
            "AGENT" => "PersonData",
            _ => "AccountData",
        };
        if !recipient.is_null() {
            data["recipient"] = json!({"$_type": class, "id": recipient["id"]});
        }
    }
    let lists = [
        ("participants", "ParticipantData"),
        ("externalParticipants", "ExternalParticipantData"),
        ("botParticipants", "BotParticipantData"),
    ];
    for (list, class) in lists {
        for one in data[list].as_array_mut().into_iter().flatten() {
            one["$_type"] = class.into();
            if class != "BotParticipantData" {
                one["state"] = "ACTIVE".into();
            }
        }
    }
    data
}

/// Returns an answer with only the maps that the query parameter `expand` names.
pub(super) fn expanded(mut answer: Value, expand: &str) -> Value {
    if let Value::Object(members) = &mut answer {
        let is_map = |name: &str| ["configuration", "metadata", "text"].contains(&name);
        members.retain(|name, value| {
            !(is_map(name) && value.is_object()) || expand.split(',').any(|asked| asked == name)
        });
    }
    answer
}

pub(super) fn end(state: &mut ServerState, id: &str, body: &Value) -> Result<Value, Rejection> {
    let reason = text(body, "reason")?.to_owned();
    let Some(conversation) = state.conversation(id) else {
        return reject(404, "There is no such conversation");
    };
    if conversation.has_ended() {
        return reject(400, "The conversation has ended");
    }
    conversation.data["state"] = "ENDED".into();
    conversation.data["endReason"] = reason.clone().into();
    let data = conversation.data.clone();
    let comment = body["comment"].as_str().map(ToOwned::to_owned);
    state.ended.push(EndedConversation { conversation: id.to_owned(), reason, comment });
    Ok(data)
}

pub(super) fn channel(state: &ServerState, id: &str) -> Outcome {
    on_channel(id)?;
    Ok(Some(state.channel.clone()))
}

pub(super) fn update(state: &mut ServerState, body: Value) -> Result<Value, Rejection> {
    validation::one_of(&body, "type", &["CUSTOM"])?;
    on_channel(text(&body, "id")?)?;
    for needed in ["accountId", "name", "webhookEndpoint"] {
        text(&body, needed)?;
    }
    if state.version == ApiVersion::V4 && !body["outboundTimeoutMillis"].is_u64() {
        return reject(400, "outboundTimeoutMillis is mandatory");
    }
    if state.concurrent_changes > 0 {
        state.concurrent_changes -= 1;
        state.touch_channel();
    }
    if body["version"] != state.channel["version"] {
        return reject(409, "The version is outdated");
    }
    state.channel = body;
    state.touch_channel();
    Ok(state.channel.clone())
}

pub(super) fn messenger(state: &mut ServerState, call: &str, body: &Value) -> Outcome {
    let v4 = state.version == ApiVersion::V4;
    let conversation = text(body, "conversationId")?;
    let Some(found) = state.conversation(conversation) else {
        return reject(404, "There is no such conversation");
    };
    let (active, customers) = (!found.has_ended(), found.customers.clone());
    if call == "sendMessage" {
        validation::message_data(&body["messageData"])?;
        let member = if v4 { "senderExternalMessengerContactId" } else { "senderPersonId" };
        let sender = text(body, member)?;
        if !customers.iter().any(|one| one == sender) {
            return reject(400, "the sender is not a participant");
        }
        if !active {
            return reject(400, "The conversation has ended");
        }
        if let Some((left, status)) = state.failure_after_messages {
            state.failure_after_messages = left.checked_sub(1).map(|left| (left, status));
            if left == 0 {
                return reject(status, "scheduled failure");
            }
        }
        let id = state.new_id("mEsSaGe");
        state.sent.push(SentMessage {
            id: id.clone(),
            conversation: conversation.to_owned(),
            sender: sender.to_owned(),
            source_id: body["sourceId"].as_str().unwrap_or_default().to_owned(),
            data: body["messageData"].clone(),
        });
        let result = json!({"$_type": "SendMessageResult", "messageId": id});
        return Ok(Some(if v4 { result } else { format!("action-{id}").into() }));
    }
    let message = text(body, "messageId")?;
    if !state.messages.contains(&(message.to_owned(), conversation.to_owned())) {
        return reject(404, "There is no such message");
    }
    if call == "messageSendFailed" {
        text(body, if v4 { "failState" } else { "failedState" })?;
    }
    let (call, message) = (call.to_owned(), message.to_owned());
    state.state_reports.push(StateReport { call, message, body: body.clone() });
    Ok(None)
}
