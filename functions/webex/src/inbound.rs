//! From Webex Connect's call to events, and the answer that it expects.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_shared::inbound::{Call, Inbound, Received, Reply, Result as Came};
use trunkline_shared::model::{
    Author, AuthorRole, Content, Event, EventBody, EventId, Owner, Platform, ReceiptStatus, digest,
    time,
};
use trunkline_shared::security::is_one_of;
use trunkline_shared::telemetry::{self, Count};

use crate::settings::{AnswerForm, Settings, VERIFICATION_TOKEN};
use crate::wire::Incoming;
use crate::{Webex, lenient, media};

impl Inbound for Webex {
    const PLATFORM: Platform = Platform::Webex;

    fn receive(&self, call: &Call<'_>) -> Received {
        if call.method != Method::POST || is_blank(call.body) {
            // A test of the address: HEAD, GET or an empty POST (fact sheet B2).
            return Received::Answered(answer(call));
        }
        let value = match lenient::read(call.body) {
            Ok(value) => value,
            Err(reason) => return Received::Unreadable(reason),
        };
        let settings = Settings::of(&call.connection.settings);
        let sent = token_sent(call.headers, &value);
        let ours = call.secrets.live(VERIFICATION_TOKEN);
        if sent.is_some_and(|sent| !is_one_of(&sent, ours)) {
            telemetry::count(call.now, Count::Suspicious, call.connection);
            if settings.reject_wrong_token {
                return Received::Unreadable(
                    "it brought a verification token that is not ours".into(),
                );
            }
        }
        match &value {
            Value::Object(object) if object.is_empty() => Received::Answered(answer(call)),
            Value::Array(items) if items.is_empty() => Received::Answered(answer(call)),
            Value::Object(object) => match parse(object, &settings, call.now) {
                Ok(event) => Received::Events(vec![event]),
                Err(reason) => Received::Unreadable(reason),
            },
            _ => Received::Unreadable("the body is not a JSON object".into()),
        }
    }

    /// Always 200 with the token: anything else counts towards the five failures that switch the bot
    /// off (WX-BOT).
    fn reply(&self, call: &Call<'_>, _: &Came<'_>) -> Reply {
        answer(call)
    }
}

fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

fn answer(call: &Call<'_>) -> Reply {
    let token = call.secrets.newest(VERIFICATION_TOKEN).unwrap_or_default();
    let mut reply = match Settings::of(&call.connection.settings).answer {
        AnswerForm::Json => Reply::json(
            StatusCode::OK,
            &json!({
                "status": "success",
                "verificationToken": token,
                "verification_token": token,
                "VerificationToken": token,
                "token": token,
            }),
        ),
        AnswerForm::Text => Reply {
            status: StatusCode::OK,
            headers: vec![("content-type", "text/plain; charset=utf-8".into())],
            body: token.to_owned(),
        },
    };
    reply.headers.push(("x-verification-token", token.to_owned()));
    reply
}

/// A verification token that came with a call, in a header or in the body: the documentation can be
/// read so that Webex Connect sends it, too (fact sheet B2).
#[must_use]
pub fn token_sent(headers: &http::HeaderMap, body: &Value) -> Option<String> {
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

/// Reads one event. What is not known is kept as opaque, never refused.
///
/// # Errors
/// If no conversation is named, for then nobody knows where it belongs.
pub fn parse(
    object: &Map<String, Value>,
    settings: &Settings,
    now: Timestamp,
) -> Result<Event, String> {
    let incoming = Incoming::from_object(object);
    let Some(conversation) = incoming.conversationid.some() else {
        return Err("there is no Conversationid".into());
    };
    let kind = kind(&incoming, settings);
    let by_bot_talk = incoming.conversationtype.get().eq_ignore_ascii_case("BOT");
    let is_customers = matches!(kind, Kind::Message | Kind::Postback);
    let author = match kind {
        Kind::Message | Kind::Postback if by_bot_talk => AuthorRole::Customer,
        // An agent's or a customer's: no field says whose (fact sheet B3.4).
        Kind::Message | Kind::Postback => AuthorRole::Unknown,
        Kind::Receipt | Kind::Closed | Kind::Unknown => AuthorRole::System,
    };
    let floor = if by_bot_talk { Owner::Bot } else { Owner::Desk };
    Ok(Event {
        id: identity(&kind, &incoming, object),
        external_id: incoming.messageid.some().filter(|_| is_customers).map(Into::into),
        conversation: conversation.to_owned(),
        at: time::parse_lenient(incoming.timestamp.get()).unwrap_or(now),
        author: Author::nameless(author),
        channel: incoming.channel.some().map(Into::into),
        language: None,
        origin: Map::new(),
        reaches: None,
        clue: None,
        trace: None,
        floor: is_customers.then_some(floor),
        body: body(&kind, &incoming, object),
    })
}

enum Kind {
    Message,
    Postback,
    Receipt,
    Closed,
    Unknown,
}

/// `Event` texts have mixed styles, so they are compared in lower case with single spaces.
fn kind(incoming: &Incoming, settings: &Settings) -> Kind {
    let name = incoming.event.get().to_lowercase();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if name == "incoming message" {
        Kind::Message
    } else if says(&["postback"]) {
        Kind::Postback
    } else if name == "message delivery" {
        Kind::Receipt
    } else if settings.closed_events && says(&["close", "ended"]) {
        Kind::Closed
    } else {
        Kind::Unknown
    }
}

/// What a retry has in common with its first (fact sheet B4).
fn identity(kind: &Kind, incoming: &Incoming, object: &Map<String, Value>) -> EventId {
    let id = incoming.messageid.get();
    let (payload, at) = (incoming.postbackpayload.get(), incoming.timestamp.get());
    match kind {
        Kind::Message if !id.is_empty() => EventId::from_parts(&["m", id]),
        Kind::Receipt if !id.is_empty() => {
            EventId::from_parts(&["d", id, &incoming.deliverystatus.get().to_lowercase()])
        }
        Kind::Postback if !at.is_empty() => EventId::from_parts(&["p", payload, at]),
        _ => {
            // Keys of a map come sorted, so the same object has the same text.
            let canonical = Value::Object(object.clone()).to_string();
            EventId::from_parts(&["h", &digest(&[&canonical])])
        }
    }
}

fn body(kind: &Kind, incoming: &Incoming, object: &Map<String, Value>) -> EventBody {
    match kind {
        Kind::Message => message(incoming, object),
        Kind::Postback => EventBody::Choice {
            id: incoming.postbackpayload.get().to_owned(),
            title: None,
            typed: None,
        },
        Kind::Receipt => EventBody::Receipt {
            message: incoming.messageid.get().to_owned(),
            about: None,
            status: match incoming.deliverystatus.get().to_lowercase().as_str() {
                "delivered" => ReceiptStatus::Delivered,
                "read" => ReceiptStatus::Read,
                "failed" => ReceiptStatus::Failed,
                _ => ReceiptStatus::Other(incoming.deliverystatus.get().to_owned()),
            },
            reason: incoming.description.some().map(Into::into),
        },
        Kind::Closed => EventBody::Close { reason: Some(incoming.event.get().to_owned()) },
        Kind::Unknown => EventBody::Opaque {
            said: false,
            name: incoming.event.get().to_owned(),
            raw: Value::Object(object.clone()),
        },
    }
}

/// What was said; kept as it came where it is neither text nor file.
fn message(incoming: &Incoming, object: &Map<String, Value>) -> EventBody {
    let content = Content {
        text: incoming.message.some().map(|_| incoming.message.raw().to_owned()),
        media: media::read(&incoming.media),
        ..Content::default()
    };
    if content.is_empty() {
        let (name, raw) = (incoming.event.get().to_owned(), Value::Object(object.clone()));
        return EventBody::Opaque { said: true, name, raw };
    }
    EventBody::Message { content, metadata: Map::new() }
}
