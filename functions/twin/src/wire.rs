//! TWIN's own types, in its own spelling.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use trunkline_shared::model::Text;

use crate::lenient::Many;

/// A message from TWIN: in a response, on a socket, in a callback or in the history (S3, `TC-ev`,
/// `TC-hook`, `TS`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Message {
    /// Its id; none in responses and dialogs.
    pub id: Text,
    /// The session's id; none in responses and dialogs.
    pub session_id: Text,
    /// Whose it is: an id.
    pub author_id: Text,
    /// Whose it is: `BOT`, an operator's, the client's.
    pub author_type: Text,
    /// Whose it is: a name.
    pub author_name: Text,
    /// What it is, such as `TEXT`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// What it says.
    pub body: Text,
    /// What can be picked as a reply.
    pub answers: Many<Text>,
    /// What is to be done beside: the bot's own.
    pub actions: Value,
    /// Files.
    pub attachments: Many<Attachment>,
    /// When it was written (ISO 8601 with an offset).
    pub created_at: Text,
}

/// A file in a message, and one that was uploaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Attachment {
    /// The file's id.
    pub id: Text,
    /// Its MIME type.
    pub content_type: Text,
    /// Its name with its extension.
    pub name: Text,
    /// Where it is shown.
    pub url: Text,
    /// Where it can be had.
    pub download_link: Text,
}

/// What starts a session, and what follows where that goes the same way (S3 `POST
/// chats/{chat_id}/sessions`).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartSession {
    /// The session's name: required by later revisions (`TC-fld`).
    pub name: String,
    /// The bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot_id: Option<String>,
    /// The session that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// For how long it lasts, in seconds.
    pub session_ttl: u32,
    /// The messenger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messenger_type: Option<String>,
    /// The customer there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messenger_user_id: Option<String>,
    /// What the customer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_body: Option<String>,
    /// Files that were uploaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub message_attachments: Vec<String>,
    /// The customer's name, as operators see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name_for_operator: Option<String>,
    /// The customer, as we know them.
    pub client_external_id: String,
    /// The bot's variables.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub client_metadata: Map<String, Value>,
    /// Whether answers come later and elsewhere.
    pub return_answer_async: bool,
    /// Where TWIN tells of what happens (`TS`).
    #[serde(flatten)]
    pub callback: Option<EventCallback>,
}

/// Where TWIN tells of what happens in a session (`TS`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventCallback {
    /// The address.
    #[serde(rename = "eventCallbackUrl")]
    pub url: String,
    /// What comes back with it.
    #[serde(rename = "eventCallbackData")]
    pub data: String,
    /// Of which events.
    #[serde(rename = "notifyOnEvents")]
    pub events: Vec<String>,
}

/// A session that was started or gone on with (S3's 201).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub id: Text,
    /// The client's id.
    pub client_id: Text,
    /// When it began.
    pub started_at: Text,
    /// For how long it lasts, in seconds.
    pub ttl: Text,
    /// The id of what was said with it (`TS`).
    pub message_id: Text,
    /// The bot's answers.
    pub messages: Many<Value>,
}

/// What posts a message into a session (S3 `POST sessions/{session_id}/messages`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostMessage {
    /// What the customer said.
    pub body: String,
    /// Files that were uploaded.
    pub attachments: Vec<String>,
}

/// A message that was posted (S3's 201).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Posted {
    /// Its id.
    pub id: Text,
    /// The bot's answers: none is documented here.
    pub messages: Many<Value>,
}

/// What starts a dialog, and what is said in one (`TS` `POST dialogs` and `dialogs/{dialogId}`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dialog {
    /// What is told of the dialog itself, where it is started.
    #[serde(flatten)]
    pub start: Option<StartDialog>,
    /// What the customer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Files that were uploaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
    /// Whether answers come later and elsewhere.
    pub return_answer_async: bool,
    /// Where they come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// What comes back with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_data: Option<String>,
}

/// What is told of a dialog where it is started (`TS`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartDialog {
    /// The bot.
    pub bot_id: String,
    /// For how long it lasts, in seconds.
    pub ttl: u32,
    /// `TEXT`.
    pub communication_type: &'static str,
    /// The messenger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messenger_type: Option<String>,
    /// The customer there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messenger_user_id: Option<String>,
    /// The customer, as we know them.
    pub client_external_id: String,
}

/// What a dialog answers, and what its callback says (`TS`, `TC-hook`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DialogState {
    /// The dialog's id.
    pub dialog_id: Text,
    /// `STOP`, once it is over (fact sheet 2.6; other values are unknown).
    pub status: Text,
    /// The bot's answers.
    pub messages: Many<Value>,
    /// What we gave.
    pub callback_data: Text,
}

/// A page of a session's history (`TS` `GET sessions/{id}/messages`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct History {
    /// How many there are in all.
    pub count: Text,
    /// Some of them.
    pub items: Many<Value>,
}

/// What logs in (`TS` `POST auth/login`).
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Login<'a> {
    /// Who.
    pub email: &'a str,
    /// The proof.
    pub password: &'a str,
    /// For how long, in seconds.
    pub ttl: u32,
}

/// What a login gives.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LoggedIn {
    /// A JWT.
    pub auth_token: Text,
}

#[cfg(test)]
mod tests;
