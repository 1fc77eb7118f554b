//! From Unblu's calls to events: webhooks and outbound requests, on one address.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline_shared::inbound::{Call, Inbound, Received, Reply, Result as Came};
use trunkline_shared::model::{Event, Platform};

use crate::events::{ended_event, is_elsewhere, message_event, other_event, state_event};
use crate::settings::Settings;
use crate::signature::secret_of;
use crate::wire::Object;
use crate::{Unblu, services};

/// What the names of outbound requests' services begin with.
const OUTBOUND: &str = "outbound.";

impl Inbound for Unblu {
    const PLATFORM: Platform = Platform::Unblu;

    fn receive(&self, call: &Call<'_>) -> Received {
        if call.method == Method::GET || call.method == Method::HEAD {
            let ready = json!({"status": "ready", "send": "Unblu POSTs here"});
            return Received::Answered(Reply::json(StatusCode::OK, &ready));
        }
        if call.method != Method::POST {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Received::Answered(Reply::json(status, &services::error(status, "POST only")));
        }
        let secret = match secret_of(call.secrets, call.headers, call.body) {
            Ok(secret) => secret,
            Err(denied) => return Received::Denied(denied),
        };
        let Some(style) = Style::of(call) else {
            let why = "it has neither X-Unblu-Event nor X-Unblu-Service-Name";
            return Received::Unreadable(why.into());
        };
        let body = match serde_json::from_slice(call.body) {
            Ok(Value::Object(body)) => body,
            Ok(_) => return Received::Unreadable("the body is not a JSON object".into()),
            Err(why) => return Received::Unreadable(format!("the body is not JSON: {why}")),
        };
        let settings = Settings::of(call.connection);
        match read(call, style, Object(&body), &settings) {
            Ok(Told::Event(mut event)) => {
                // Only outbound requests list whom they reach.
                event.reaches = crate::reaches(call.body);
                Received::Events(vec![*event])
            }
            Ok(Told::Asked(answer)) => {
                Received::Answered(services::signed(secret, StatusCode::OK, &answer))
            }
            Err(reason) => Received::Unreadable(reason),
        }
    }

    /// A webhook is answered 200 whatever it held, for Unblu switches off an endpoint that keeps
    /// failing; what could not be read is kept here. An outbound request that could not be read is
    /// answered so, as the vendor's own library does (UM): an agent waits for it.
    fn reply(&self, call: &Call<'_>, result: &Came<'_>) -> Reply {
        let refused = |status: StatusCode, why: &str| {
            let service = matches!(Style::of(call), Some(Style::Service(_)));
            let status = if service { status } else { StatusCode::OK };
            (status, services::error(status, why))
        };
        let (status, body) = match result {
            Came::Taken(_) => match Style::of(call) {
                Some(Style::Service(name)) => (StatusCode::OK, services::taken(name)),
                _ => (StatusCode::OK, json!({})),
            },
            Came::Unreadable(why) => refused(StatusCode::BAD_REQUEST, why),
            Came::TooLarge => refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Came::Denied(why) => {
                let status = StatusCode::UNAUTHORIZED;
                return Reply::json(status, &services::error(status, &why.to_string()));
            }
        };
        match secret_of(call.secrets, call.headers, call.body) {
            Ok(secret) => services::signed(secret, status, &body),
            Err(_) => Reply::json(status, &body),
        }
    }
}

/// How Unblu tells us: the same address gets both (UA4).
#[derive(Debug, Clone, Copy)]
enum Style<'a> {
    /// Asynchronously; the answer does not matter.
    Webhook(&'a str),
    /// Synchronously, by the service's name without `outbound.`; the answer is used.
    Service(&'a str),
}

impl<'a> Style<'a> {
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

enum Told {
    Event(Box<Event>),
    Asked(Value),
}

fn read(
    call: &Call<'_>,
    style: Style<'_>,
    body: Object<'_>,
    settings: &Settings,
) -> Result<Told, String> {
    let event = match (style, style.name()) {
        (_, "ping") => return Ok(Told::Asked(services::pong(body))),
        (Style::Service(_), "external_messenger.create_contact") => {
            return Ok(Told::Asked(services::contact(body, settings)));
        }
        (Style::Service(_), "external_messenger.create_conversation") => {
            return Ok(Told::Asked(services::conversation(call)));
        }
        (_, "external_messenger.new_message") => {
            let message = body.object("conversationMessage");
            message_event(message.ok_or("there is no conversationMessage")?, settings, call.now)?
        }
        (_, "external_messenger.message_state") => state_event(body, call.now)?,
        (Style::Webhook(_), name) => {
            // Such webhooks tell of the whole account.
            if body.object("conversation").is_some_and(|c| is_elsewhere(c, settings)) {
                return Ok(Told::Asked(json!({})));
            }
            match name {
                "conversation.ended" => ended_event(body, call.now)?,
                name => other_event(body, name, call)?,
            }
        }
        (Style::Service(_), name) => {
            return Err(format!("the service '{OUTBOUND}{name}' is not known here"));
        }
    };
    Ok(Told::Event(Box::new(event)))
}
