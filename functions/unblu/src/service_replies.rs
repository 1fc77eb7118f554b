//! Replies to Unblu's outbound requests (UA4, UM). Each reply is signed over its exact bytes.

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use trunkline_core::model::digest;
use trunkline_runtime::inbound::Reply;

use crate::settings::Settings;
use crate::source_id::{MAX_SOURCE_ID, parse_source_id};
use crate::wire::Object;
use crate::{Call, signature};

/// Returns a reply, signed with the secret that signed the call.
pub(crate) fn signed(secret: &str, status: StatusCode, body: &Value) -> Reply {
    let mut reply = Reply::json(status, body);
    let signature = signature::sign_reply(secret, &reply.body);
    reply.headers.extend(signature.map(|signature| (signature::SHA256, signature)));
    reply
}

/// Returns an error body in the form that Unblu itself uses.
pub(crate) fn error(status: StatusCode, message: &str) -> Value {
    json!({
        "$_type": "Error",
        "statusCode": status.as_u16(),
        "statusDescription": status.canonical_reason(),
        "errorMessage": message,
    })
}

/// Returns the reply to a ping: the same `pingId`. A webhook's ping may have none.
pub(crate) fn pong(ping: Object<'_>) -> Value {
    json!({"$_type": "PingResponse", "pingId": ping.text("pingId")})
}

/// Returns the reply to an agent's request for a new contact. Its `sourceId` has to identify the customer
/// when the agent writes: `<channel>/<customer>`, or the customer's id on `contact_channel`.
pub(crate) fn create_contact(request: Object<'_>, settings: &Settings) -> Value {
    let identifier = request.text("contactIdentifier").unwrap_or_default().trim();
    let source_id = match &settings.contact_channel {
        Some(channel) if parse_source_id(identifier).is_none() => format!("{channel}/{identifier}"),
        _ => identifier.to_owned(),
    };
    if identifier.is_empty() || source_id.len() > MAX_SOURCE_ID {
        return json!({
            "$_type": "ExternalMessengerCreateContactInvalidContactIdentifierResponse",
            "type": "INVALID_CONTACT_IDENTIFIER",
            "errorText": format!("Write 1 to {MAX_SOURCE_ID} characters: the channel's name, /, and the customer's id"),
        });
    }
    let person = request.object("personData");
    let name = person.and_then(|person| person.text("displayName")).unwrap_or(identifier);
    json!({
        "$_type": "ExternalMessengerCreateContactCreateResponse",
        "type": "CREATE",
        "name": name,
        "sourceId": source_id,
        "description": request.text("description"),
    })
}

/// Returns the reply to an agent's request for a new conversation. The receiving contacts of the first
/// message identify the customer. Until then the `sourceId` only has to be unique, and the same when
/// Unblu repeats the request.
pub(crate) fn create_conversation(call: &Call<'_>) -> Value {
    let body = String::from_utf8_lossy(call.body);
    let unique = invocation(call.headers).unwrap_or(&body);
    json!({
        "$_type": "ExternalMessengerCreateConversationCreateResponse",
        "type": "CREATE",
        "sourceId": format!("unblu_{}", digest(&[unique])),
        "sourceUrl": null,
        "metadata": {},
    })
}

/// Returns the invocation's id. The vendor's own library also accepts a shorter header name (UM).
fn invocation(headers: &HeaderMap) -> Option<&str> {
    let header = |name| headers.get(name)?.to_str().ok().filter(|id: &&str| !id.is_empty());
    header("x-unblu-invocation-id").or_else(|| header("x-unblu-invocation"))
}

/// Returns a service's reply after the event was ingested.
pub(crate) fn acknowledgement(service: &str) -> Value {
    match service {
        "external_messenger.new_message" => {
            json!({"$_type": "ExternalMessengerNewMessageResponse"})
        }
        "external_messenger.message_state" => {
            json!({"$_type": "ExternalMessengerMessageStateResponse"})
        }
        _ => json!({}),
    }
}
