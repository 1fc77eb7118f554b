//! Agents' actions, as the calls that Unblu makes because of them.

use serde_json::{Value, json};

use super::endpoint_calls::{CallStyle, EndpointCall, build_call, ping};
use super::entities::expanded;
use super::judging::{ApiVersion, document};
use super::{ACCOUNT, CHANNEL, Unblu};
use trunkline_mock::now;

impl Unblu {
    /// Unblu pings the endpoint.
    pub fn ping(&self, style: CallStyle) -> EndpointCall {
        ping(&mut self.state(), style)
    }

    /// An agent writes a text.
    pub fn agent_writes(&self, conversation: &str, text: &str, style: CallStyle) -> EndpointCall {
        let data = json!({"type": "TEXT", "text": text, "textType": "SIMPLE_TEXT"});
        self.agent_sends(conversation, text, &data, style)
    }

    /// An agent sends a file. One whose name begins with `reviewed` cannot be downloaded yet.
    pub fn agent_sends_file(
        &self,
        conversation: &str,
        name: &str,
        style: CallStyle,
    ) -> EndpointCall {
        let url = format!("http://127.0.0.1:{}/files/{name}", self.port);
        let mut data = json!({
            "type": "FILE", "fileName": name, "caption": "As promised", "captionType": "SIMPLE_TEXT",
            "mimeType": "application/pdf", "fileStatus": "COMPLETED", "totalSize": 8,
        });
        if self.state().call_version() == ApiVersion::V3 {
            data["downloadLink"] = url.clone().into();
            data["agentDeskDownloadLink"] = url.into();
        } else {
            data["downloadLinks"] = json!([{"type": "WEB_API", "url": url}]);
        }
        self.agent_sends(conversation, name, &data, style)
    }

    /// An agent sends a card.
    pub fn agent_sends_card(
        &self,
        conversation: &str,
        title: &str,
        style: CallStyle,
    ) -> EndpointCall {
        let data = json!({
            "type": "CARD", "title": title, "body": "Details", "bodyTextType": "SIMPLE_TEXT",
            "actions": [{"actionType": "LINK_EXTERNAL", "label": "Open", "value": "https://acme.example/1"}],
        });
        self.agent_sends(conversation, title, &data, style)
    }

    /// An agent sends a list: a header with a title and a text, and items with a title.
    pub fn agent_sends_list(
        &self,
        conversation: &str,
        title: &str,
        items: &[&str],
        style: CallStyle,
    ) -> EndpointCall {
        let item = |title: &&str| json!({"title": title});
        let data = json!({
            "type": "LIST", "items": items.iter().map(item).collect::<Vec<_>>(), "actions": [],
            "header": {"title": title, "body": "Open daily", "bodyTextType": "SIMPLE_TEXT"},
        });
        self.agent_sends(conversation, title, &data, style)
    }

    /// An agent asks a question with options, whose values are their labels in upper case.
    pub fn agent_asks(
        &self,
        conversation: &str,
        text: &str,
        options: &[&str],
        style: CallStyle,
    ) -> EndpointCall {
        let option =
            |label: &&str| json!({"label": label, "value": label.to_uppercase(), "primary": false});
        let options: Vec<Value> = options.iter().map(option).collect();
        let data = json!({"type": "MULTICHOICE_QUESTION", "text": text, "textType": "SIMPLE_TEXT",
                          "options": options, "answerStatus": "PENDING"});
        self.agent_sends(conversation, text, &data, style)
    }

    /// An agent writes an internal note.
    pub fn agent_writes_note(
        &self,
        conversation: &str,
        text: &str,
        style: CallStyle,
    ) -> EndpointCall {
        let data =
            json!({"type": "TEXT", "text": text, "textType": "SIMPLE_TEXT", "internal": true});
        self.agent_sends(conversation, text, &data, style)
    }

    /// An agent sends a message of any type. `data` has the type's own members, with or without the
    /// names of their types; the members of all messages are added.
    pub fn agent_sends(
        &self,
        conversation: &str,
        fallback: &str,
        data: &Value,
        style: CallStyle,
    ) -> EndpointCall {
        let mut state = self.state();
        let id = state.new_id("mEsSaGe");
        let now = now().as_millisecond();
        state.messages.push((id.clone(), conversation.to_owned()));
        let mut message = json!({
            "id": id, "conversationId": conversation,
            "externalMessengerChannelId": CHANNEL, "accountId": ACCOUNT,
            "senderPerson": {
                "id": "aGeNtPeRsOnIdExample001", "personSource": "USER_DB", "displayName": "Grace Hopper", "personType": "AGENT",
            },
            "serverTimestamp": now, "sendTimestamp": now - 90,
            "fallbackText": fallback, "actionId": id, "sourceId": null, "internal": false,
        });
        for (name, value) in data.as_object().unwrap() {
            message[name] = value.clone();
        }
        document(state.call_version()).add_tags("MessageData", &mut message);
        let mut body = json!({"conversationMessage": message});
        if style == CallStyle::Outbound {
            let found = state.conversations.iter().find(|one| one.data["id"] == conversation);
            let ids = found.map_or(&[][..], |found| &found.customers);
            let contacts =
                state.contacts.iter().filter(|contact| ids.iter().any(|id| contact["id"] == **id));
            body["receivingContacts"] = contacts.cloned().collect();
        }
        let name = "external_messenger.new_message";
        build_call(&mut state, style, name, "ExternalMessengerNewMessage", body)
    }

    /// An agent ends a conversation, which Unblu reports only by webhook. `reason` is an `EConversationEndReason`.
    pub fn agent_ends(&self, conversation: &str, reason: &str) -> EndpointCall {
        let mut state = self.state();
        let found = state.conversation(conversation).expect("a conversation to end");
        found.data["state"] = "ENDED".into();
        found.data["endReason"] = reason.into();
        let body = json!({
            "conversation": expanded(found.data.clone(), ""), "endReason": reason, "endComment": null,
            "endPerson": {"$_type": "PersonData", "displayName": "Grace Hopper", "personType": "AGENT"},
        });
        build_call(&mut state, CallStyle::Webhook, "conversation.ended", "ConversationEnded", body)
    }

    /// An accepted message was delivered or read: `message_state` is `DELIVERED` or `READ`.
    pub fn message_state_changes(
        &self,
        message: &str,
        message_state: &str,
        style: CallStyle,
    ) -> EndpointCall {
        let mut state = self.state();
        let found = state.sent.iter().find(|sent| sent.id == message);
        let sent = found.expect("a message that was accepted").clone();
        let body = json!({
            "messageId": sent.id, "state": message_state, "sourceId": sent.source_id,
            "externalMessengerChannelId": CHANNEL, "conversationId": sent.conversation,
        });
        let name = "external_messenger.message_state";
        build_call(&mut state, style, name, "ExternalMessengerMessageState", body)
    }

    /// An agent asks for a contact that does not exist.
    pub fn agent_requests_contact(&self, identifier: &str, name: &str) -> EndpointCall {
        let body = json!({
            "externalMessengerChannelId": CHANNEL, "contactIdentifier": identifier,
            "description": null,
            "personData": {"$_type": "PersonData", "id": "pErSoNiDexample00000001", "displayName": name},
        });
        let (service, class) =
            ("external_messenger.create_contact", "ExternalMessengerCreateContact");
        build_call(&mut self.state(), CallStyle::Outbound, service, class, body)
    }

    /// An agent starts a conversation with a contact.
    pub fn agent_starts_conversation(&self, contact: &str) -> EndpointCall {
        let body = json!({"creationData": {
            "$_type": "ConversationCreationData", "externalMessengerChannelId": CHANNEL,
            "externalParticipants": [{
                "$_type": "ConversationCreationExternalParticipantData",
                "externalMessengerContactId": contact, "participationType": "CONTEXT_PERSON",
            }],
        }});
        let (service, class) =
            ("external_messenger.create_conversation", "ExternalMessengerCreateConversation");
        build_call(&mut self.state(), CallStyle::Outbound, service, class, body)
    }
}
