//! Inbound: parses calls from Webex Connect into events and builds the response that it expects.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, CorrelationHint, Event, EventBody, EventId, Owner, ReceiptStatus, digest,
    time,
};
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall, Reply};
use trunkline_runtime::telemetry::{self, Metric};

use crate::settings::{ResponseFormat, Settings, VERIFICATION_TOKEN};
use crate::wire::WebexEvent;
use crate::{Call, Webex, auth, content, join, json_repair};

impl Inbound for Webex {
    fn parse(&self, call: &Call<'_>) -> ParsedCall {
        let is_test = call.method != Method::POST || is_blank(call.body);
        let body =
            if is_blank(call.body) { Ok(Value::Null) } else { json_repair::parse(call.body) };
        if let Err(denied) = auth::check_access_token(call, body.as_ref().ok()) {
            return ParsedCall::Denied(denied);
        }
        if is_test {
            // Webex Connect tests the URL with HEAD, GET or an empty POST (fact sheet B2).
            return ParsedCall::Reply(token_response(call, StatusCode::OK));
        }
        match body {
            Ok(body) => parse_body(call, body),
            Err(reason) => ParsedCall::Unreadable(reason),
        }
    }

    /// The token in every response (WX-BOT: "as part of the response to every POST request"), and 200 for
    /// every call that Trunkline has: any other status counts towards the five failures after which Webex
    /// Connect switches the bot off. A call that was not stored is answered with 503, so that it is sent again.
    fn reply(&self, call: &Call<'_>, outcome: &CallOutcome<'_>) -> Reply {
        match outcome {
            CallOutcome::Denied(_) => token_response(call, StatusCode::UNAUTHORIZED),
            // Such a call was not parsed, so the access token was not checked yet.
            CallOutcome::TooLarge | CallOutcome::UnsupportedEncoding(_)
                if auth::check_access_token(call, None).is_err() =>
            {
                token_response(call, StatusCode::UNAUTHORIZED)
            }
            CallOutcome::Ingested(_)
            | CallOutcome::Unreadable(_)
            | CallOutcome::TooLarge
            | CallOutcome::UnsupportedEncoding(_) => token_response(call, StatusCode::OK),
        }
    }

    fn unavailable(&self, call: &Call<'_>) -> Reply {
        let mut reply = token_response(call, StatusCode::SERVICE_UNAVAILABLE);
        let waits = Reply::unavailable().headers.into_iter();
        reply.headers.extend(waits.filter(|(name, _)| *name != "content-type"));
        reply
    }
}

fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

fn parse_body(call: &Call<'_>, body: Value) -> ParsedCall {
    if auth::has_wrong_verification_token(call, &body) {
        telemetry::count(call.now, Metric::TokenMismatch, call.connection);
        if call.settings.reject_wrong_token {
            return ParsedCall::Unreadable("the verification token does not match".into());
        }
    }
    match body {
        Value::Array(items) if items.is_empty() => {
            ParsedCall::Reply(token_response(call, StatusCode::OK))
        }
        Value::Object(mut object) => {
            auth::remove_access_token(&mut object, call);
            if object.is_empty() {
                return ParsedCall::Reply(token_response(call, StatusCode::OK));
            }
            match parse(&object, call.settings, call.now) {
                Ok(event) => ParsedCall::Events(vec![event]),
                Err(reason) => ParsedCall::Unreadable(reason),
            }
        }
        _ => ParsedCall::Unreadable("the body is not a JSON object".into()),
    }
}

/// Builds a response with the verification token, if the connection has one: the platform IMI BOT has none.
fn token_response(call: &Call<'_>, status: StatusCode) -> Reply {
    let word = if status.is_success() { "success" } else { "error" };
    let Some(token) = call.secrets.newest(VERIFICATION_TOKEN) else {
        return Reply::json(status, &json!({"status": word}));
    };
    let mut reply = match call.settings.response_format {
        ResponseFormat::Json => Reply::json(
            status,
            &json!({
                "status": word,
                "verificationToken": token,
                "verification_token": token,
                "VerificationToken": token,
                "token": token,
            }),
        ),
        ResponseFormat::Text => Reply {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".into())],
            body: token.to_owned(),
        },
    };
    reply.headers.push(("x-verification-token", token.to_owned()));
    reply
}

/// Parses one event. An unknown event becomes opaque instead of being rejected.
///
/// # Errors
/// If the event names no conversation: it cannot be assigned to one.
pub fn parse(
    object: &Map<String, Value>,
    settings: &Settings,
    now: Timestamp,
) -> Result<Event, String> {
    let incoming = WebexEvent::from_object(object);
    let Some(conversation) = incoming.conversationid.non_blank() else {
        return Err("Conversationid is missing".into());
    };
    let kind = event_kind(&incoming, settings);
    let is_bot_conversation = incoming.conversationtype.trimmed().eq_ignore_ascii_case("BOT");
    let is_message_or_postback = matches!(kind, EventKind::Message | EventKind::Postback);
    let author = match kind {
        EventKind::Message | EventKind::Postback if is_bot_conversation => AuthorRole::Customer,
        // From an agent or the customer: no field says which (fact sheet B3.4).
        EventKind::Message | EventKind::Postback => AuthorRole::Unknown,
        EventKind::Receipt | EventKind::Closed | EventKind::Unknown => AuthorRole::System,
    };
    let claimed_owner = if is_bot_conversation { Owner::Bot } else { Owner::Desk };
    // A conversation with an agent has an id of its own (WX-BOT), which does not name the customer. Every
    // documented event has a type; one without may be the bot's.
    let customer = if is_bot_conversation { None } else { join::customer(object, settings) };
    let is_agents = incoming.conversationtype.non_blank().is_some() && !is_bot_conversation;
    let correlation_hint =
        (is_agents || customer.is_some()).then_some(CorrelationHint::Customer(customer));
    let at = time::parse_lenient(incoming.timestamp.trimmed()).unwrap_or(now);
    let id = event_id(&kind, &incoming, object);
    let body = body(&kind, &incoming, object);
    Ok(Event {
        external_message_id: incoming
            .messageid
            .non_blank()
            .filter(|_| is_message_or_postback)
            .map(Into::into),
        channel: incoming.channel.non_blank().map(Into::into),
        correlation_hint,
        claimed_owner: is_message_or_postback.then_some(claimed_owner),
        ..Event::new(id, conversation, at, Author::nameless(author), body)
    })
}

enum EventKind {
    Message,
    Postback,
    Receipt,
    Closed,
    Unknown,
}

/// Classifies an event by its name. The vendor spells `Event` in mixed styles, so the comparison is
/// in lower case with single spaces.
fn event_kind(incoming: &WebexEvent, settings: &Settings) -> EventKind {
    let name = incoming.event.trimmed().to_lowercase();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let contains_any = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if name == "incoming message" {
        EventKind::Message
    } else if contains_any(&["postback"]) {
        EventKind::Postback
    } else if name == "message delivery" {
        EventKind::Receipt
    } else if settings.closed_events && contains_any(&["close", "ended"]) {
        EventKind::Closed
    } else {
        EventKind::Unknown
    }
}

/// Returns the id by which a repeated event is recognized (fact sheet B4).
fn event_id(kind: &EventKind, incoming: &WebexEvent, object: &Map<String, Value>) -> EventId {
    let id = incoming.messageid.trimmed();
    let (payload, at) = (incoming.postbackpayload.trimmed(), incoming.timestamp.trimmed());
    match kind {
        EventKind::Message if !id.is_empty() => EventId::from_parts(&["m", id]),
        EventKind::Receipt if !id.is_empty() => {
            EventId::from_parts(&["d", id, &incoming.deliverystatus.trimmed().to_lowercase()])
        }
        EventKind::Postback if !at.is_empty() => EventId::from_parts(&["p", payload, at]),
        _ => {
            // Map keys are sorted, so equal objects have the same JSON.
            let canonical = Value::Object(object.clone()).to_string();
            EventId::from_parts(&["h", &digest(&[&canonical])])
        }
    }
}

fn body(kind: &EventKind, incoming: &WebexEvent, object: &Map<String, Value>) -> EventBody {
    match kind {
        EventKind::Message => message(incoming, object),
        EventKind::Postback => EventBody::Choice {
            id: incoming.postbackpayload.trimmed().to_owned(),
            title: None,
            typed: None,
        },
        EventKind::Receipt => EventBody::Receipt {
            message: join::own_message_id(object)
                .map_or_else(|| incoming.messageid.trimmed().into(), Into::into),
            target: None,
            status: match incoming.deliverystatus.trimmed().to_lowercase().as_str() {
                "delivered" => ReceiptStatus::Delivered,
                "read" => ReceiptStatus::Read,
                "failed" => ReceiptStatus::Failed,
                _ => ReceiptStatus::Other(incoming.deliverystatus.trimmed().to_owned()),
            },
            reason: incoming.description.non_blank().map(Into::into),
        },
        EventKind::Closed => EventBody::Close { reason: Some(incoming.event.trimmed().to_owned()) },
        EventKind::Unknown => EventBody::Opaque {
            is_message: false,
            name: incoming.event.trimmed().to_owned(),
            raw: Value::Object(object.clone()),
        },
    }
}

/// The content of a message. One without content becomes opaque. The receiver learns the type of one that is
/// no text.
fn message(incoming: &WebexEvent, object: &Map<String, Value>) -> EventBody {
    let content = content::content(incoming);
    if content.is_empty() {
        let (name, raw) = (incoming.event.trimmed().to_owned(), Value::Object(object.clone()));
        return EventBody::Opaque { is_message: true, name, raw };
    }
    let kind = incoming.messagetype.non_blank().filter(|kind| !kind.eq_ignore_ascii_case("text"));
    let metadata = kind.map(|kind| ("message_type".to_owned(), kind.into()));
    EventBody::Message { content, metadata: metadata.into_iter().collect() }
}
