//! Parses Unblu's webhooks and outbound requests, which arrive at the same address.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline_core::json;
use trunkline_core::model::Event;
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall, Reply};

use crate::events::{ended_event, is_on_another_channel, message_event, other_event, state_event};
use crate::signature::verified_caller;
use crate::wire::Object;
use crate::{Call, Unblu, service_replies};

/// The prefix of the service names of outbound requests.
const OUTBOUND: &str = "outbound.";

impl Inbound for Unblu {
    fn parse(&self, call: &Call<'_>) -> ParsedCall {
        if call.method == Method::GET || call.method == Method::HEAD {
            let ready = json!({"status": "ready", "send": "Unblu POSTs here"});
            return ParsedCall::Reply(Reply::json(StatusCode::OK, &ready));
        }
        if call.method != Method::POST {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return ParsedCall::Reply(Reply::json(
                status,
                &service_replies::error(status, "POST only"),
            ));
        }
        let secret = match verified_caller(call) {
            Ok(secret) => secret,
            Err(denied) => return ParsedCall::Denied(denied),
        };
        let Some(style) = CallStyle::of(call) else {
            let why = "the request has neither X-Unblu-Event nor X-Unblu-Service-Name";
            return ParsedCall::Unreadable(why.into());
        };
        let body = match json::from_slice(call.body) {
            Ok(Value::Object(body)) => body,
            Ok(_) => return ParsedCall::Unreadable("the body is not a JSON object".into()),
            Err(why) => return ParsedCall::Unreadable(format!("the body is not JSON: {why}")),
        };
        match parse_call(call, style, Object(&body)) {
            Ok(Parsed::Event(mut event)) => {
                // Only outbound requests list the receiving contacts.
                event.intended_recipient = crate::intended_recipient(call.body);
                ParsedCall::Events(vec![*event])
            }
            Ok(Parsed::Answer(answer)) => {
                ParsedCall::Reply(service_replies::signed(secret, StatusCode::OK, &answer))
            }
            Err(reason) => ParsedCall::Unreadable(reason),
        }
    }

    /// Answers every webhook with 200, because Unblu switches off an endpoint that keeps failing; an
    /// unreadable webhook is stored instead. An unreadable outbound request gets an error, as from the
    /// vendor's own library (UM), because an agent is waiting for the reply.
    fn reply(&self, call: &Call<'_>, result: &CallOutcome<'_>) -> Reply {
        let refused = |status: StatusCode, why: &str| {
            let service = matches!(CallStyle::of(call), Some(CallStyle::Service(_)));
            let status = if service { status } else { StatusCode::OK };
            (status, service_replies::error(status, why))
        };
        let (status, body) = match result {
            CallOutcome::Ingested(_) => match CallStyle::of(call) {
                Some(CallStyle::Service(name)) => {
                    (StatusCode::OK, service_replies::acknowledgement(name))
                }
                _ => (StatusCode::OK, json!({})),
            },
            CallOutcome::Unreadable(why) => refused(StatusCode::BAD_REQUEST, why),
            CallOutcome::TooLarge => {
                refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
            }
            CallOutcome::UnsupportedEncoding(encoding) => {
                let why = format!("the body is compressed with {encoding}: send gzip or none");
                refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, &why)
            }
            CallOutcome::Denied(why) => {
                let status = StatusCode::UNAUTHORIZED;
                return Reply::json(status, &service_replies::error(status, &why.to_string()));
            }
        };
        match verified_caller(call) {
            Ok(secret) => service_replies::signed(secret, status, &body),
            Err(_) => Reply::json(status, &body),
        }
    }
}

/// How Unblu calls the endpoint. The same address receives both (UA4).
#[derive(Debug, Clone, Copy)]
enum CallStyle<'a> {
    /// An asynchronous webhook, by its event name. Unblu ignores the reply.
    Webhook(&'a str),
    /// A synchronous outbound request, by its service name without `outbound.`. Unblu uses the reply.
    Service(&'a str),
}

impl<'a> CallStyle<'a> {
    fn of(call: &Call<'a>) -> Option<Self> {
        let header = |name| call.headers.get(name)?.to_str().ok().map(str::trim);
        let service = header("x-unblu-service-name")
            .map(|name| Self::Service(name.strip_prefix(OUTBOUND).unwrap_or(name)));
        service.or_else(|| header("x-unblu-event").map(Self::Webhook))
    }

    fn name(self) -> &'a str {
        match self {
            Self::Webhook(name) | Self::Service(name) => name,
        }
    }
}

enum Parsed {
    Event(Box<Event>),
    Answer(Value),
}

fn parse_call(call: &Call<'_>, style: CallStyle<'_>, body: Object<'_>) -> Result<Parsed, String> {
    let settings = call.settings;
    let event = match (style, style.name()) {
        (_, "ping") => return Ok(Parsed::Answer(service_replies::pong(body))),
        (CallStyle::Service(_), "external_messenger.create_contact") => {
            return Ok(Parsed::Answer(service_replies::create_contact(body, settings)));
        }
        (CallStyle::Service(_), "external_messenger.create_conversation") => {
            return Ok(Parsed::Answer(service_replies::create_conversation(call)));
        }
        (_, "external_messenger.new_message") => {
            let message = body.object("conversationMessage");
            message_event(
                message.ok_or("the member conversationMessage is missing")?,
                settings,
                call.now,
            )?
        }
        (_, "external_messenger.message_state") => state_event(body, call.now)?,
        (CallStyle::Webhook(_), name) => {
            // These webhooks report conversations of the whole account.
            if body.object("conversation").is_some_and(|c| is_on_another_channel(c, settings)) {
                return Ok(Parsed::Answer(json!({})));
            }
            match name {
                "conversation.ended" => ended_event(body, call.now)?,
                name => other_event(body, name, call)?,
            }
        }
        (CallStyle::Service(_), name) => {
            return Err(format!("the service '{OUTBOUND}{name}' is not supported"));
        }
    };
    Ok(Parsed::Event(Box::new(event)))
}
