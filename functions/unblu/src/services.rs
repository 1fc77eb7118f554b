//! What Unblu's outbound requests are answered (UA4, UM). All answers are signed over their exact
//! bytes.

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use trunkline_shared::inbound::{Call, Reply};
use trunkline_shared::model::digest;

use crate::settings::Settings;
use crate::signature;
use crate::source::{MAX_SOURCE_ID, key_of};
use crate::wire::Object;

/// An answer, signed with the very secret that signed the call.
pub(crate) fn signed(secret: &str, status: StatusCode, body: &Value) -> Reply {
    let mut reply = Reply::json(status, body);
    let signature = signature::of_answer(secret, &reply.body);
    reply.headers.extend(signature.map(|signature| (signature::SHA256, signature)));
    reply
}

/// What Unblu answers when something is wrong, so what it should understand from us.
pub(crate) fn error(status: StatusCode, message: &str) -> Value {
    json!({
        "$_type": "Error",
        "statusCode": status.as_u16(),
        "statusDescription": status.canonical_reason(),
        "errorMessage": message,
    })
}

/// The same `pingId`, in either style; a webhook's ping may have none.
pub(crate) fn pong(ping: Object<'_>) -> Value {
    json!({"$_type": "PingResponse", "pingId": ping.text("pingId")})
}

/// An agent wants a contact that is not there yet. Its `sourceId` must tell us who it is when the
/// agent writes, so it is a customer's as we write it, or one of `contact_channel`.
pub(crate) fn contact(request: Object<'_>, settings: &Settings) -> Value {
    let given = request.text("contactIdentifier").unwrap_or_default().trim();
    let source_id = match &settings.contact_channel {
        Some(channel) if key_of(given).is_none() => format!("{channel}/{given}"),
        _ => given.to_owned(),
    };
    if given.is_empty() || source_id.len() > MAX_SOURCE_ID {
        return json!({
            "$_type": "ExternalMessengerCreateContactInvalidContactIdentifierResponse",
            "type": "INVALID_CONTACT_IDENTIFIER",
            "errorText": format!("Write 1 to {MAX_SOURCE_ID} characters: the channel's name, /, and the customer's id"),
        });
    }
    let person = request.object("personData");
    let name = person.and_then(|person| person.text("displayName")).unwrap_or(given);
    json!({
        "$_type": "ExternalMessengerCreateContactCreateResponse",
        "type": "CREATE",
        "name": name,
        "sourceId": source_id,
        "description": request.text("description"),
    })
}

/// An agent begins a conversation. Whose it is we learn with the first message's receiving contacts;
/// until then its `sourceId` only has to be its own, and the same when Unblu asks again.
pub(crate) fn conversation(call: &Call<'_>) -> Value {
    let body = String::from_utf8_lossy(call.body);
    let about = invocation(call.headers).unwrap_or(&body);
    json!({
        "$_type": "ExternalMessengerCreateConversationCreateResponse",
        "type": "CREATE",
        "sourceId": format!("unblu_{}", digest(&[about])),
        "sourceUrl": null,
        "metadata": {},
    })
}

/// The invocation's id; the vendor's own library also knows a shorter name for the header (UM).
fn invocation(headers: &HeaderMap) -> Option<&str> {
    let header = |name| headers.get(name)?.to_str().ok().filter(|id: &&str| !id.is_empty());
    header("x-unblu-invocation-id").or_else(|| header("x-unblu-invocation"))
}

/// What a service answers when it has taken what it was told.
pub(crate) fn taken(service: &str) -> Value {
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
