//! What agents do, and Unblu tells of it.

use serde_json::{Value, json};

use super::calls::{Call, Style, ping, told};
use super::{CHANNEL, Unblu};
use crate::clock::now;

impl Unblu {
    /// It pings the endpoint.
    pub fn ping(&self, style: Style) -> Call {
        ping(&mut self.memory(), style)
    }

    /// An agent writes a text.
    pub fn agent_writes(&self, conversation: &str, text: &str, style: Style) -> Call {
        let data = json!({"type": "TEXT", "text": text, "textType": "SIMPLE_TEXT"});
        self.agent_sends(conversation, text, &data, style)
    }

    /// An agent sends a file; one whose name begins with `reviewed` cannot be had yet.
    pub fn agent_sends_file(&self, conversation: &str, name: &str, style: Style) -> Call {
        let url = format!("http://127.0.0.1:{}/files/{name}", self.port);
        let data = json!({
            "type": "FILE", "fileName": name, "caption": "As promised", "captionType": "SIMPLE_TEXT",
            "mimeType": "application/pdf", "fileStatus": "COMPLETED", "totalSize": 8,
            "downloadLinks": [{"$_type": "DownloadLink", "type": "WEB_API", "url": url}],
        });
        self.agent_sends(conversation, name, &data, style)
    }

    /// An agent sends a card.
    pub fn agent_sends_card(&self, conversation: &str, title: &str, style: Style) -> Call {
        let data = json!({
            "type": "CARD", "title": title, "body": "Details", "bodyTextType": "SIMPLE_TEXT",
            "actions": [{"actionType": "URL", "label": "Open", "value": "https://acme.example/1"}],
        });
        self.agent_sends(conversation, title, &data, style)
    }

    /// An agent asks a question with options, whose values are their labels in upper case.
    pub fn agent_asks(
        &self,
        conversation: &str,
        text: &str,
        options: &[&str],
        style: Style,
    ) -> Call {
        let option = |label: &&str| json!({"label": label, "value": label.to_uppercase()});
        let options: Vec<Value> = options.iter().map(option).collect();
        let data = json!({"type": "MULTICHOICE_QUESTION", "text": text, "textType": "SIMPLE_TEXT",
                          "options": options});
        self.agent_sends(conversation, text, &data, style)
    }

    /// An agent writes a note for other agents.
    pub fn agent_notes(&self, conversation: &str, text: &str, style: Style) -> Call {
        let data =
            json!({"type": "TEXT", "text": text, "textType": "SIMPLE_TEXT", "internal": true});
        self.agent_sends(conversation, text, &data, style)
    }

    /// An agent sends a message of any type: `data` has its own members.
    pub fn agent_sends(
        &self,
        conversation: &str,
        fallback: &str,
        data: &Value,
        style: Style,
    ) -> Call {
        let mut memory = self.memory();
        let id = memory.new_id("mEsSaGe");
        let now = now().as_millisecond();
        memory.messages.push((id.clone(), conversation.to_owned()));
        let mut message = json!({
            "$_type": "TextMessageData", "id": id, "conversationId": conversation,
            "externalMessengerChannelId": CHANNEL, "accountId": "aCcOuNtIdExample0000001",
            "senderPerson": {
                "$_type": "PersonData", "id": "aGeNtPeRsOnIdExample001", "personSource": "USER_DB",
                "displayName": "Grace Hopper", "personType": "AGENT",
            },
            "serverTimestamp": now, "sendTimestamp": now - 90,
            "fallbackText": fallback, "actionId": id, "sourceId": null, "internal": false,
        });
        for (name, value) in data.as_object().unwrap() {
            message[name] = value.clone();
        }
        let mut body = json!({"conversationMessage": message});
        if style == Style::Outbound {
            let found = memory.conversations.iter().find(|one| one["id"] == conversation);
            let ids = found.map(|found| found["contacts"].clone()).unwrap_or_default();
            let contacts = memory
                .contacts
                .iter()
                .filter(|contact| ids.as_array().is_some_and(|ids| ids.contains(&contact["id"])));
            body["receivingContacts"] = contacts.cloned().collect();
        }
        let name = "external_messenger.new_message";
        told(&mut memory, style, name, "ExternalMessengerNewMessage", body)
    }

    /// An agent ends a conversation: told by a webhook of its own.
    pub fn agent_ends(&self, conversation: &str, reason: &str) -> Call {
        let mut memory = self.memory();
        let found = memory.conversation(conversation).expect("a conversation to end");
        found["state"] = "ENDED".into();
        let body = json!({
            "conversation": found.clone(), "endReason": reason, "endComment": null,
            "endPerson": {"$_type": "PersonData", "displayName": "Grace Hopper", "personType": "AGENT"},
        });
        told(&mut memory, Style::Webhook, "conversation.ended", "ConversationEnded", body)
    }

    /// A message that it accepted was delivered or read: `state` is `DELIVERED` or `READ`.
    pub fn agent_gets(&self, message: &str, state: &str, style: Style) -> Call {
        let mut memory = self.memory();
        let found = memory.sent.iter().find(|sent| sent.id == message);
        let sent = found.expect("a message that was accepted").clone();
        let body = json!({
            "messageId": sent.id, "state": state, "sourceId": sent.source_id,
            "externalMessengerChannelId": CHANNEL, "conversationId": sent.conversation,
        });
        let name = "external_messenger.message_state";
        told(&mut memory, style, name, "ExternalMessengerMessageState", body)
    }

    /// An agent wants a contact that is not there.
    pub fn agent_wants_contact(&self, identifier: &str, name: &str) -> Call {
        let body = json!({
            "externalMessengerChannelId": CHANNEL, "contactIdentifier": identifier,
            "description": null,
            "personData": {"$_type": "PersonData", "id": "pErSoNiDexample00000001", "displayName": name},
        });
        let (service, class) =
            ("external_messenger.create_contact", "ExternalMessengerCreateContact");
        told(&mut self.memory(), Style::Outbound, service, class, body)
    }

    /// An agent begins a conversation with a contact.
    pub fn agent_begins(&self, contact: &str) -> Call {
        let body = json!({"creationData": {
            "$_type": "ConversationCreationData", "externalMessengerChannelId": CHANNEL,
            "externalParticipants": [{
                "$_type": "ConversationCreationExternalParticipantData",
                "externalMessengerContactId": contact, "participationType": "CONTEXT_PERSON",
            }],
        }});
        let (service, class) =
            ("external_messenger.create_conversation", "ExternalMessengerCreateConversation");
        told(&mut self.memory(), Style::Outbound, service, class, body)
    }
}
