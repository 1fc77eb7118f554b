//! Inbound: parses calls from Webex Connect into events and builds the response that it expects.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Content, Event, EventBody, EventId, Owner, ReceiptStatus, digest, time,
};
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall, Reply};
use trunkline_runtime::security::matches_any_secret;
use trunkline_runtime::telemetry::{self, Metric};

use crate::settings::{ResponseFormat, Settings, VERIFICATION_TOKEN};
use crate::wire::WebexEvent;
use crate::{Call, Webex, json_repair, media};

impl Inbound for Webex {
    fn parse(&self, call: &Call<'_>) -> ParsedCall {
        if call.method != Method::POST || is_blank(call.body) {
            // Webex Connect tests the URL with HEAD, GET or an empty POST (fact sheet B2).
            return ParsedCall::Reply(token_response(call));
        }
        let value = match json_repair::parse(call.body) {
            Ok(value) => value,
            Err(reason) => return ParsedCall::Unreadable(reason),
        };
        let received = received_token(call.headers, &value);
        let live_tokens = call.secrets.live(VERIFICATION_TOKEN);
        if received.is_some_and(|token| !matches_any_secret(&token, live_tokens)) {
            telemetry::count(call.now, Metric::TokenMismatch, call.connection);
            if call.settings.reject_wrong_token {
                return ParsedCall::Unreadable("the verification token does not match".into());
            }
        }
        match &value {
            Value::Object(object) if object.is_empty() => ParsedCall::Reply(token_response(call)),
            Value::Array(items) if items.is_empty() => ParsedCall::Reply(token_response(call)),
            Value::Object(object) => match parse(object, call.settings, call.now) {
                Ok(event) => ParsedCall::Events(vec![event]),
                Err(reason) => ParsedCall::Unreadable(reason),
            },
            _ => ParsedCall::Unreadable("the body is not a JSON object".into()),
        }
    }

    /// Always 200 with the token: any other status counts towards the five failures after which
    /// Webex Connect switches the bot off (WX-BOT).
    fn reply(&self, call: &Call<'_>, _: &CallOutcome<'_>) -> Reply {
        token_response(call)
    }
}

fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

fn token_response(call: &Call<'_>) -> Reply {
    let token = call.secrets.newest(VERIFICATION_TOKEN).unwrap_or_default();
    let mut reply = match call.settings.response_format {
        ResponseFormat::Json => Reply::json(
            StatusCode::OK,
            &json!({
                "status": "success",
                "verificationToken": token,
                "verification_token": token,
                "VerificationToken": token,
                "token": token,
            }),
        ),
        ResponseFormat::Text => Reply {
            status: StatusCode::OK,
            headers: vec![("content-type", "text/plain; charset=utf-8".into())],
            body: token.to_owned(),
        },
    };
    reply.headers.push(("x-verification-token", token.to_owned()));
    reply
}

/// Returns the verification token of a call, from a header or the body. The documentation can be
/// read to mean that Webex Connect sends it, too (fact sheet B2).
#[must_use]
pub fn received_token(headers: &http::HeaderMap, body: &Value) -> Option<String> {
    let is_token = |name: &str| {
        let name = name.to_lowercase();
        name.find("verif").is_some_and(|at| name[at..].contains("token"))
    };
    let header = headers.iter().find(|(name, _)| is_token(name.as_str()));
    if let Some((_, value)) = header {
        return Some(value.to_str().unwrap_or_default().to_owned());
    }
    let member = body.as_object()?.iter().find(|(name, _)| is_token(name))?;
    Some(member.1.as_str().unwrap_or_default().to_owned())
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
    Ok(Event {
        id: event_id(&kind, &incoming, object),
        external_message_id: incoming
            .messageid
            .non_blank()
            .filter(|_| is_message_or_postback)
            .map(Into::into),
        external_conversation_id: conversation.into(),
        at: time::parse_lenient(incoming.timestamp.trimmed()).unwrap_or(now),
        author: Author::nameless(author),
        channel: incoming.channel.non_blank().map(Into::into),
        language: None,
        origin: Map::new(),
        intended_recipient: None,
        correlation_hint: None,
        trace: None,
        claimed_owner: is_message_or_postback.then_some(claimed_owner),
        body: body(&kind, &incoming, object),
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
            message: incoming.messageid.trimmed().into(),
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

/// The content of a message. One with neither text nor media becomes opaque.
fn message(incoming: &WebexEvent, object: &Map<String, Value>) -> EventBody {
    let content = Content {
        text: incoming.message.non_blank().map(|_| incoming.message.raw().to_owned()),
        media: media::parse(&incoming.media),
        ..Content::default()
    };
    if content.is_empty() {
        let (name, raw) = (incoming.event.trimmed().to_owned(), Value::Object(object.clone()));
        return EventBody::Opaque { is_message: true, name, raw };
    }
    EventBody::Message { content, metadata: Map::new() }
}
