//! The JSON types of TWIN's API.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use trunkline_core::model::LenientText;

use crate::lenient_list::LenientList;

/// A message from TWIN, in a response, on a socket, in a callback or in the history (S3, `TC-ev`,
/// `TC-hook`, `TS`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Message {
    /// The message's id; absent in responses and dialogs.
    pub id: LenientText,
    /// The session's id; absent in responses and dialogs.
    pub session_id: LenientText,
    /// The author's id.
    pub author_id: LenientText,
    /// The author's role: `BOT`; other values are not documented.
    pub author_type: LenientText,
    /// The author's name.
    pub author_name: LenientText,
    /// The message type, such as `TEXT`.
    #[serde(rename = "type")]
    pub kind: LenientText,
    pub body: LenientText,
    /// The suggested replies.
    pub answers: LenientList<LenientText>,
    /// The buttons (`TS`); their members are not documented.
    pub keyboard: Value,
    /// Actions of the bot: a list of maps (S3), or a map (`TS`). Their members are not documented.
    pub actions: Value,
    pub attachments: LenientList<Attachment>,
    /// The message that this one replies to: the message itself (`TS`), or its id.
    pub reply_to: Value,
    /// ISO 8601 with an offset.
    pub created_at: LenientText,
}

/// A file in a message or in the response to an upload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Attachment {
    pub id: LenientText,
    /// The MIME type of the file.
    pub content_type: LenientText,
    /// The file name with its extension.
    pub name: LenientText,
    /// The address that displays the file.
    pub url: LenientText,
    /// The address that downloads the file.
    pub download_link: LenientText,
    /// Whether a login is needed to download the file.
    pub is_private: LenientText,
}

/// The body that starts a session or sends a message to one (S3 `POST chats/{chat_id}/sessions`).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartSession {
    /// The session's name; required by later API revisions (`TC-fld`).
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot_id: Option<String>,
    /// The session to continue; absent to start a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The session's lifetime, in seconds.
    pub session_ttl: u32,
    /// The customer's messenger, such as `WHATSAPP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messenger_type: Option<String>,
    /// The customer's id in that messenger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messenger_user_id: Option<String>,
    /// The customer's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_body: Option<String>,
    /// The ids of uploaded files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub message_attachments: Vec<String>,
    /// TWIN's id of the message that this one replies to (`TS`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to_message_id: Option<String>,
    /// The customer's name for operators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name_for_operator: Option<String>,
    /// TWIN's id of the customer, from an earlier session of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Trunkline's id of the customer.
    pub client_external_id: String,
    /// The customer's phone number: a text in the table of `TC-fld` and in `TS`, a number in S3's example.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_phone: Option<String>,
    /// The customer's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_email: Option<String>,
    /// The id of the customer's device, for push notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_device_id: Option<String>,
    /// The customer's time zone, in minutes east of UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_timezone: Option<i64>,
    /// The bot's variables.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub client_metadata: Map<String, Value>,
    /// Whether TWIN sends answers later instead of in the response.
    pub return_answer_async: bool,
    /// The callback for the session's events (`TS`).
    #[serde(flatten)]
    pub callback: Option<EventCallback>,
}

/// A callback for a session's events (`TS`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventCallback {
    #[serde(rename = "eventCallbackUrl")]
    pub url: String,
    /// Callback data that TWIN returns with each event.
    #[serde(rename = "eventCallbackData")]
    pub data: String,
    /// The names of the events to call back for.
    #[serde(rename = "notifyOnEvents")]
    pub events: Vec<String>,
}

/// A started or continued session (S3's 201 response).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Session {
    pub id: LenientText,
    /// TWIN's id of the client.
    pub client_id: LenientText,
    /// ISO 8601 with an offset.
    pub started_at: LenientText,
    /// The session's lifetime, in seconds.
    pub ttl: LenientText,
    /// The id of the client's message in the same call (`TS`).
    pub message_id: LenientText,
    /// The bot's answers.
    pub messages: LenientList<Value>,
}

/// The body that posts a message into a session (S3 `POST sessions/{session_id}/messages`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostMessage {
    pub body: String,
    /// The ids of uploaded files.
    pub attachments: Vec<String>,
    /// TWIN's id of the message that this one replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to_message_id: Option<String>,
}

/// A posted message (S3's 201 response).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PostedMessage {
    pub id: LenientText,
    /// The bot's answers; none are documented for this call.
    pub messages: LenientList<Value>,
}

/// The body that starts a dialog or sends a message to one (`TS` `POST dialogs`, `dialogs/{dialogId}`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DialogMessage {
    /// The dialog's own members, when it is started.
    #[serde(flatten)]
    pub start: Option<StartDialog>,
    /// The customer's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The ids of uploaded files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
    /// Whether TWIN sends answers later instead of in the response.
    pub return_answer_async: bool,
    /// The address to which TWIN sends later answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Callback data that TWIN returns with those answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_data: Option<String>,
}

/// The members that only the start of a dialog has (`TS`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartDialog {
    /// The id of the bot in TWIN.
    pub bot_id: String,
    /// The dialog's lifetime, in seconds.
    pub ttl: u32,
    /// The kind of message, always `TEXT`.
    pub communication_type: &'static str,
    /// The customer's messenger, such as `WHATSAPP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messenger_type: Option<String>,
    /// The customer's id in that messenger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messenger_user_id: Option<String>,
    /// Trunkline's id of the customer.
    pub client_external_id: String,
    /// The customer's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The customer's phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_phone: Option<String>,
    /// The customer's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_email: Option<String>,
    /// The customer's time zone, in minutes east of UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_timezone_offset: Option<i64>,
    /// The bot's variables.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub client_metadata: Map<String, Value>,
}

/// A dialog's response and its callback (`TS`, `TC-hook`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DialogState {
    /// The dialog's id.
    pub dialog_id: LenientText,
    /// `STOP` once the dialog has ended (fact sheet 2.6; other values are not documented).
    pub status: LenientText,
    /// The bot's answers.
    pub messages: LenientList<Value>,
    /// The callback data that Trunkline sent.
    pub callback_data: LenientText,
}

/// The body of a login (`TS` `POST auth/login`).
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Login<'a> {
    pub email: &'a str,
    pub password: &'a str,
    /// The token's lifetime, in seconds.
    pub ttl: u32,
}

/// The response to a login.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LoginResponse {
    /// A JWT, to be sent as Bearer token.
    pub auth_token: LenientText,
}

#[cfg(test)]
mod tests;
