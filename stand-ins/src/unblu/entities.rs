//! Persons, contacts, conversations, messages and the channel: what may be made of them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::CHANNEL;
use super::rules::{self, Refused, refuse, text, typed};
use super::state::{Ended, Marked, Memory, Sent};

/// What is answered: a body, or nothing.
pub(super) type Outcome = Result<Option<Value>, Refused>;

pub(super) fn on_channel(id: &str) -> Result<(), Refused> {
    if id == CHANNEL { Ok(()) } else { refuse(404, "There is no such channel") }
}

pub(super) fn person(memory: &mut Memory, body: &Value) -> Result<Value, Refused> {
    typed(body, "PersonData")?;
    rules::one_of(body, "personSource", &["VIRTUAL"])?;
    rules::one_of(body, "personType", &["VISITOR"])?;
    let source = rules::source_id(body)?;
    let known = memory.persons.iter_mut().find(|person| person["sourceId"] == source);
    let mut person = body.clone();
    if let Some(known) = known {
        person["id"] = known["id"].clone();
        *known = person.clone();
    } else {
        person["id"] = memory.new_id("pErSoN").into();
        memory.persons.push(person.clone());
    }
    Ok(person)
}

pub(super) fn search(memory: &mut Memory, body: &Value) -> Result<Value, Refused> {
    typed(body, "ExternalMessengerContactQuery")?;
    let mut wanted = HashMap::new();
    for filter in body["searchFilters"].as_array().into_iter().flatten() {
        let (class, operator) = match text(filter, "field")? {
            "EXTERNAL_MESSENGER_CHANNEL_ID" => (
                "ExternalMessengerChannelIdExternalMessengerContactSearchFilter",
                "EqualsIdOperator",
            ),
            "SOURCE_ID" => ("SourceIdExternalMessengerContactSearchFilter", "EqualsStringOperator"),
            other => return refuse(400, format!("no filter by {other}")),
        };
        typed(filter, class)?;
        typed(&filter["operator"], operator)?;
        rules::one_of(&filter["operator"], "type", &["EQUALS"])?;
        wanted.insert(text(filter, "field")?, text(&filter["operator"], "value")?);
    }
    let fits = |contact: &&Value| {
        wanted.iter().all(|(field, value)| match *field {
            "SOURCE_ID" => contact["sourceId"] == *value,
            _ => contact["externalMessengerChannelId"] == *value,
        })
    };
    let hidden = std::mem::take(&mut memory.hiding);
    let items: Vec<&Value> = memory.contacts.iter().filter(|_| !hidden).filter(fits).collect();
    Ok(json!({"$_type": "ExternalMessengerContactResult", "hasMoreItems": false, "nextOffset": 0,
              "items": items}))
}

pub(super) fn contact(memory: &mut Memory, body: &Value) -> Result<Value, Refused> {
    typed(body, "ExternalMessengerContact")?;
    text(body, "name")?;
    on_channel(text(body, "externalMessengerChannelId")?)?;
    let (source, person) = (rules::source_id(body)?, text(body, "personId")?);
    if !memory.persons.iter().any(|known| known["id"] == person) {
        return refuse(404, "There is no such person");
    }
    if memory.contacts.iter().any(|known| known["sourceId"] == source) {
        return refuse(400, "There already is such a contact");
    }
    let mut contact = body.clone();
    contact["id"] = memory.new_id("cOnTaCt").into();
    memory.contacts.push(contact.clone());
    Ok(contact)
}

pub(super) fn conversation(memory: &mut Memory, body: &Value, v4: bool) -> Result<Value, Refused> {
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
    rules::recipient(body)?;
    on_channel(text(body, "externalMessengerChannelId")?)?;
    let mut taking_part = Vec::new();
    for one in body[list].as_array().into_iter().flatten() {
        typed(one, class_of_one)?;
        let id = text(one, member)?;
        let known = if v4 { &memory.contacts } else { &memory.persons };
        if !known.iter().any(|known| known["id"] == id) {
            return refuse(404, format!("{member} is unknown"));
        }
        if v4 {
            rules::one_of(one, "participationType", &["CONTEXT_PERSON", "SECONDARY_VISITOR"])?;
        } else if one["connectedViaExternalMessenger"] != true {
            return refuse(400, "nobody is connected via the external messenger");
        }
        taking_part.push(id.to_owned());
    }
    if taking_part.is_empty() {
        return refuse(400, "nobody takes part");
    }
    let source = rules::source_id(body)?;
    if memory.active(source).is_some() {
        return refuse(400, "sourceId and externalMessengerChannelId are not unique");
    }
    let several = memory.channel["supportsMultipleConversationsPerContact"] == true;
    let busy = memory.conversations.iter().any(|one| {
        let mut contacts = one["contacts"].as_array().into_iter().flatten();
        one["state"] == "ACTIVE"
            && contacts.any(|id| taking_part.iter().any(|taking| id == taking.as_str()))
    });
    if busy && !several {
        return refuse(400, "The contact already has an active conversation");
    }
    let mut made = body.clone();
    made["$_type"] = "ConversationData".into();
    made["id"] = memory.new_id("cOnVeRsAtIoN").into();
    made["state"] = "ACTIVE".into();
    made["contacts"] = taking_part.into();
    memory.conversations.push(made.clone());
    Ok(made)
}

pub(super) fn end(memory: &mut Memory, id: &str, body: &Value) -> Outcome {
    rules::one_of(body, "reason", &rules::END_REASONS)?;
    let reason = text(body, "reason")?.to_owned();
    let Some(conversation) = memory.conversation(id) else {
        return refuse(404, "There is no such conversation");
    };
    if conversation["state"] != "ACTIVE" {
        return refuse(400, "The conversation has ended");
    }
    conversation["state"] = "ENDED".into();
    let comment = body["comment"].as_str().map(ToOwned::to_owned);
    memory.ended.push(Ended { conversation: id.to_owned(), reason, comment });
    Ok(None)
}

pub(super) fn channel(memory: &Memory, id: &str) -> Outcome {
    on_channel(id)?;
    Ok(Some(memory.channel.clone()))
}

pub(super) fn update(memory: &mut Memory, body: Value) -> Result<Value, Refused> {
    typed(&body, "CustomExternalMessengerChannel")?;
    rules::one_of(&body, "type", &["CUSTOM"])?;
    on_channel(text(&body, "id")?)?;
    for needed in ["accountId", "name", "webhookEndpoint"] {
        text(&body, needed)?;
    }
    if !body["outboundTimeoutMillis"].is_u64() {
        return refuse(400, "outboundTimeoutMillis is mandatory");
    }
    if memory.meddling > 0 {
        memory.meddling -= 1;
        memory.touch_channel();
    }
    if body["version"] != memory.channel["version"] {
        return refuse(409, "The version is outdated");
    }
    memory.channel = body;
    memory.touch_channel();
    Ok(memory.channel.clone())
}

pub(super) fn messenger(memory: &mut Memory, call: &str, body: &Value, v4: bool) -> Outcome {
    let conversation = text(body, "conversationId")?;
    let Some(found) = memory.conversation(conversation) else {
        return refuse(404, "There is no such conversation");
    };
    let (active, contacts) = (found["state"] == "ACTIVE", found["contacts"].clone());
    if call == "sendMessage" {
        typed(body, "ExternalMessengerPostMessage")?;
        rules::message_data(&body["messageData"])?;
        let member = if v4 { "senderExternalMessengerContactId" } else { "senderPersonId" };
        let sender = text(body, member)?;
        if !contacts.as_array().into_iter().flatten().any(|one| one == sender) {
            return refuse(400, "the sender does not take part");
        }
        if !active {
            return refuse(400, "The conversation has ended");
        }
        if let Some((left, status)) = memory.failing_after {
            memory.failing_after = left.checked_sub(1).map(|left| (left, status));
            if left == 0 {
                return refuse(status, "told to fail");
            }
        }
        let id = memory.new_id("mEsSaGe");
        memory.sent.push(Sent {
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
    if !memory.messages.contains(&(message.to_owned(), conversation.to_owned())) {
        return refuse(404, "There is no such message");
    }
    match call {
        "messageDelivered" | "messageRead" | "messageSentSuccessfully" => {}
        "messageSendFailed" => {
            let member = if v4 { "failState" } else { "failedState" };
            rules::one_of(body, member, &["RETRYABLE", "TERMINAL"])?;
        }
        _ => return refuse(404, "no such path"),
    }
    let (call, message) = (call.to_owned(), message.to_owned());
    memory.marked.push(Marked { call, message, body: body.clone() });
    Ok(None)
}
