//! Chats: the first message starts a session, later messages follow in it (S3).

use http::Method;
use jiff::{SignedDuration, Timestamp};
use trunkline_core::json;
use trunkline_core::model::{Session, Verdict, time};
use trunkline_runtime::http_client::HttpResponse;
use trunkline_runtime::outbound::{Attempt, EncodeError};

use crate::SendContext;
use crate::api::{Api, Body, attempt, is_gone};
use crate::callback_data;
use crate::client::Client;
use crate::client_message::ClientMessage;
use crate::responses;
use crate::settings::{
    Answers, CALLBACK_URL, Expiry, Follow, Start, comma_separated, join_url, path_segment,
};
use crate::wire;

/// How long before its expiry a session is no longer used, in seconds; a tenth of a short lifetime.
const EXPIRY_MARGIN: u32 = 60;

/// Sends a message in the current session, or in a new one if there is none or TWIN no longer knows it.
pub(crate) async fn send(
    context: &SendContext<'_>,
    api: &Api<'_>,
    message: &ClientMessage,
) -> Attempt {
    let session = responses::known_session(context);
    let first = match (session, api.settings.follow()) {
        (Some(_), _) if message.text.is_empty() => {
            return EncodeError::Unsupported(
                "the message has no text, and the session exists already",
            )
            .into();
        }
        (Some(session), Follow::Messages) if !lacks_listener(api, session) => {
            post_message(context, api, message, session).await
        }
        (Some(session), _) => start_session(context, api, message, Some(session)).await,
        (None, _) => return start_session(context, api, message, None).await,
    };
    match first.status.and_then(|status| http::StatusCode::from_u16(status).ok()) {
        Some(status) if is_gone(status) => {
            tracing::info!(connection = %api.connection.id, %status, "TWIN no longer knows the session: starting another");
            start_session(context, api, message, None).await
        }
        _ => first,
    }
}

async fn post_message(
    context: &SendContext<'_>,
    api: &Api<'_>,
    message: &ClientMessage,
    session: &Session,
) -> Attempt {
    let path =
        format!("sessions/{}/messages", path_segment(session.external_conversation_id.as_str()));
    let body = wire::PostMessage {
        body: message.text.clone(),
        attachments: message.files.clone(),
        reply_to_message_id: message.reply_to.clone(),
    };
    let url = join_url(&api.settings.messages_url, &path);
    let answer = match api.anonymous(Method::POST, url, Body::json(&body)).await {
        Ok(answer) => answer,
        Err(error) => return error.into(),
    };
    let mut attempt = attempt(&answer);
    if attempt.classification.verdict != Verdict::Delivered {
        return attempt;
    }
    let posted: wire::PostedMessage = json::from_slice(&answer.body).unwrap_or_default();
    attempt.classification.external_message_id = posted.id.non_blank().map(Into::into);
    attempt.session = extended_session(context, api, session);
    if api.settings.answers() == Answers::Response {
        attempt.reply_events = responses::response_events(
            context,
            api,
            &posted.messages.0,
            session.external_conversation_id.as_str(),
        );
    }
    attempt
}

/// Starts a session with a message, or sends the message to `known` by the same call.
async fn start_session(
    context: &SendContext<'_>,
    api: &Api<'_>,
    message: &ClientMessage,
    known: Option<&Session>,
) -> Attempt {
    let body = match start_session_body(context, api, message, known) {
        Ok(body) => body,
        Err(unsendable) => return unsendable.into(),
    };
    let path = format!("chats/{}/sessions?x_widget=1", path_segment(&api.settings.chat_id));
    let (url, request) = (join_url(&api.settings.chats_url, &path), Body::json(&body));
    let answer = match api.settings.start {
        Start::New => api.anonymous(Method::POST, url, request).await,
        // The vendor's SDK logs in for this call (`TS`).
        Start::Continue if api.has_credentials() => {
            api.authenticated(Method::PUT, url, request).await
        }
        Start::Continue => api.anonymous(Method::PUT, url, request).await,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return error.into(),
    };
    session_started(context, api, known, &answer, !body.return_answer_async)
}

fn start_session_body(
    context: &SendContext<'_>,
    api: &Api<'_>,
    message: &ClientMessage,
    known: Option<&Session>,
) -> Result<wire::StartSession, EncodeError> {
    let (delivery, settings) = (context.delivery, api.settings);
    if settings.chat_id.is_empty() {
        return Err(EncodeError::Misconfigured("the setting chat_id is missing".into()));
    }
    let callback = match (settings.answers(), api.secrets.newest(CALLBACK_URL)) {
        (Answers::Callback, Some(url)) => Some(wire::EventCallback {
            url: join_url(url, "events"),
            data: callback_data::encode(delivery.session_id().as_str(), delivery.id.as_str()),
            events: comma_separated(&settings.notify_on_events).map(Into::into).collect(),
        }),
        (Answers::Callback, None) => return Err(responses::missing_callback_url()),
        (Answers::Response | Answers::Socket, _) => None,
    };
    let client = Client::of(settings, delivery, &message.metadata);
    Ok(wire::StartSession {
        name: delivery.session_id().to_string(),
        bot_id: settings.bot_id.clone(),
        session_id: known.map(|session| session.external_conversation_id.to_string()),
        session_ttl: settings.session_ttl.0,
        messenger_type: client.messenger_type,
        messenger_user_id: client.messenger_user_id,
        message_body: Some(message.text.clone()).filter(|text| !text.is_empty()),
        message_attachments: message.files.clone(),
        reply_to_message_id: message.reply_to.clone(),
        client_name_for_operator: client.name,
        client_id: responses::client_id(context)
            .filter(|_| settings.send_client_id)
            .map(Into::into),
        client_external_id: responses::client_external_id(delivery),
        client_phone: client.phone,
        client_email: client.email,
        client_device_id: client.device_id,
        client_timezone: client.timezone,
        client_metadata: client.variables,
        return_answer_async: answers_later(api, known),
        callback,
    })
}

/// Returns whether a session is older than the setting `answers: socket`, so that no socket is open for it. Its
/// next message is answered in the response, as before.
fn lacks_listener(api: &Api<'_>, session: &Session) -> bool {
    api.settings.answers() == Answers::Socket && !session.needs_listener
}

/// Returns whether TWIN is to send answers later instead of in the response. No socket is open before
/// its session starts. So without a login, which allows reading the history, the first answers have to
/// be in the response.
fn answers_later(api: &Api<'_>, known: Option<&Session>) -> bool {
    match api.settings.answers() {
        Answers::Response => false,
        Answers::Callback => true,
        Answers::Socket => {
            api.has_credentials() && !known.is_some_and(|known| lacks_listener(api, known))
        }
    }
}

/// Interprets the response to starting or continuing a session.
fn session_started(
    context: &SendContext<'_>,
    api: &Api<'_>,
    known: Option<&Session>,
    answer: &HttpResponse,
    reads_answers: bool,
) -> Attempt {
    let mut attempt = attempt(answer);
    if attempt.classification.verdict != Verdict::Delivered {
        return attempt;
    }
    let started: wire::Session = json::from_slice(&answer.body).unwrap_or_default();
    let Some(id) = started.id.non_blank() else {
        return responses::without_id(attempt, "a session's id");
    };
    attempt.classification.external_message_id = started.message_id.non_blank().map(Into::into);
    if reads_answers {
        attempt.reply_events = responses::response_events(context, api, &started.messages.0, id);
    }
    attempt.session = match known.filter(|known| known.external_conversation_id == id) {
        Some(known) if lacks_listener(api, known) => {
            Some(Session { needs_listener: true, ..known.clone() })
        }
        Some(known) => extended_session(context, api, known),
        None => Some(new_session(context, api, id, &started)),
    };
    attempt
}

fn new_session(
    context: &SendContext<'_>,
    api: &Api<'_>,
    id: &str,
    started: &wire::Session,
) -> Session {
    let mut session = Session::new(context.delivery.session_id(), id);
    let started_at = time::parse_lenient(started.started_at.trimmed());
    // TWIN's clock may be ahead, but the session has certainly started by now.
    let start = started_at.map_or(context.now, |started_at| started_at.min(context.now));
    let ttl = started.ttl.trimmed().parse().unwrap_or(api.settings.session_ttl.0);
    session.expires_at = Some(usable_until(start, ttl));
    session.needs_listener = api.settings.answers() == Answers::Socket;
    let client = started.client_id.non_blank().or_else(|| responses::client_id(context));
    session
        .platform_data
        .extend(client.map(|client| (responses::CLIENT_ID.to_owned(), client.to_owned())));
    session
}

fn usable_until(start: Timestamp, ttl: u32) -> Timestamp {
    let usable = ttl - EXPIRY_MARGIN.min(ttl / 10);
    start + SignedDuration::from_secs(i64::from(usable))
}

/// Returns the session with a later expiry if messages extend it. Only an extension of more than a
/// quarter of the lifetime is stored, so that not every message costs a write.
fn extended_session(
    context: &SendContext<'_>,
    api: &Api<'_>,
    session: &Session,
) -> Option<Session> {
    if api.settings.session_expiry != Expiry::Sliding {
        return None;
    }
    let now = usable_until(context.now, api.settings.session_ttl.0);
    let gained = now.duration_since(session.expires_at?);
    let enough = SignedDuration::from_secs(i64::from(api.settings.session_ttl.0 / 4));
    (gained > enough).then(|| Session { expires_at: Some(now), ..session.clone() })
}
