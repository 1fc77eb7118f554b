//! Operations on persons, contacts, conversations, messages and the channel, with their rules.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::CHANNEL;
use super::state::{EndedConversation, SentMessage, ServerState, StateReport};
use super::validation::{self, Rejection, reject, text, typed};

/// A response: a body, none, or a rejection.
pub(super) type Outcome = Result<Option<Value>, Rejection>;

pub(super) fn on_channel(id: &str) -> Result<(), Rejection> {
    if id == CHANNEL { Ok(()) } else { reject(404, "There is no such channel") }
}

pub(super) fn person(state: &mut ServerState, body: &Value) -> Result<Value, Rejection> {
    typed(body, "PersonData")?;
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
    typed(body, "ExternalMessengerContactQuery")?;
    let mut wanted = HashMap::new();
    for filter in body["searchFilters"].as_array().into_iter().flatten() {
        let (class, operator) = match text(filter, "field")? {
            "EXTERNAL_MESSENGER_CHANNEL_ID" => (
                "ExternalMessengerChannelIdExternalMessengerContactSearchFilter",
                "EqualsIdOperator",
            ),
            "SOURCE_ID" => ("SourceIdExternalMessengerContactSearchFilter", "EqualsStringOperator"),
            other => return reject(400, format!("no filter by {other}")),
        };
        typed(filter, class)?;
        typed(&filter["operator"], operator)?;
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
    typed(body, "ExternalMessengerContact")?;
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

pub(super) fn conversation(
    state: &mut ServerState,
    body: &Value,
    v4: bool,
) -> Result<Value, Rejection> {
    let (class, list, class_of_one, member) = if v4 {
        (
            "ConversationCreationData",
            "externalParticipants",
            "ConversationCreationExternalParticipantData",
            "externalMessengerContactId",
        )
    } else {
        ("ConversationData", "participants", "ParticipantData", "personId")
    };
    typed(body, class)?;
    text(body, "initialEngagementType")?;
    validation::recipient(body)?;
    on_channel(text(body, "externalMessengerChannelId")?)?;
    let mut taking_part = Vec::new();
    for one in body[list].as_array().into_iter().flatten() {
        typed(one, class_of_one)?;
        let id = text(one, member)?;
        let known = if v4 { &state.contacts } else { &state.persons };
        if !known.iter().any(|known| known["id"] == id) {
            return reject(404, format!("{member} is unknown"));
        }
        if v4 {
            validation::one_of(one, "participationType", &["CONTEXT_PERSON", "SECONDARY_VISITOR"])?;
        } else if one["connectedViaExternalMessenger"] != true {
            return reject(400, "no participant is connected via the external messenger");
        }
        taking_part.push(id.to_owned());
    }
    if taking_part.is_empty() {
        return reject(400, "the conversation has no participant");
    }
    let source = validation::source_id(body)?;
    if state.active(source).is_some() {
        return reject(400, "sourceId and externalMessengerChannelId are not unique");
    }
    let several = state.channel["supportsMultipleConversationsPerContact"] == true;
    let busy = state.conversations.iter().any(|one| {
        let mut contacts = one["contacts"].as_array().into_iter().flatten();
        one["state"] == "ACTIVE"
            && contacts.any(|id| taking_part.iter().any(|taking| id == taking.as_str()))
    });
    if busy && !several {
        return reject(400, "The contact already has an active conversation");
    }
    let mut made = body.clone();
    made["$_type"] = "ConversationData".into();
    made["id"] = state.new_id("cOnVeRsAtIoN").into();
    made["state"] = "ACTIVE".into();
    made["contacts"] = taking_part.into();
    state.conversations.push(made.clone());
    Ok(made)
}

pub(super) fn end(state: &mut ServerState, id: &str, body: &Value) -> Outcome {
    validation::one_of(body, "reason", &validation::END_REASONS)?;
    let reason = text(body, "reason")?.to_owned();
    let Some(conversation) = state.conversation(id) else {
        return reject(404, "There is no such conversation");
    };
    if conversation["state"] != "ACTIVE" {
        return reject(400, "The conversation has ended");
    }
    conversation["state"] = "ENDED".into();
    let comment = body["comment"].as_str().map(ToOwned::to_owned);
    state.ended.push(EndedConversation { conversation: id.to_owned(), reason, comment });
    Ok(None)
}

pub(super) fn channel(state: &ServerState, id: &str) -> Outcome {
    on_channel(id)?;
    Ok(Some(state.channel.clone()))
}

pub(super) fn update(state: &mut ServerState, body: Value) -> Result<Value, Rejection> {
    typed(&body, "CustomExternalMessengerChannel")?;
    validation::one_of(&body, "type", &["CUSTOM"])?;
    on_channel(text(&body, "id")?)?;
    for needed in ["accountId", "name", "webhookEndpoint"] {
        text(&body, needed)?;
    }
    if !body["outboundTimeoutMillis"].is_u64() {
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

pub(super) fn messenger(state: &mut ServerState, call: &str, body: &Value, v4: bool) -> Outcome {
    let conversation = text(body, "conversationId")?;
    let Some(found) = state.conversation(conversation) else {
        return reject(404, "There is no such conversation");
    };
    let (active, contacts) = (found["state"] == "ACTIVE", found["contacts"].clone());
    if call == "sendMessage" {
        typed(body, "ExternalMessengerPostMessage")?;
        validation::message_data(&body["messageData"])?;
        let member = if v4 { "senderExternalMessengerContactId" } else { "senderPersonId" };
        let sender = text(body, member)?;
        if !contacts.as_array().into_iter().flatten().any(|one| one == sender) {
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
    match call {
        "messageDelivered" | "messageRead" | "messageSentSuccessfully" => {}
        "messageSendFailed" => {
            let member = if v4 { "failState" } else { "failedState" };
            validation::one_of(body, member, &["RETRYABLE", "TERMINAL"])?;
        }
        _ => return reject(404, "no such path"),
    }
    let (call, message) = (call.to_owned(), message.to_owned());
    state.state_reports.push(StateReport { call, message, body: body.clone() });
    Ok(None)
}
