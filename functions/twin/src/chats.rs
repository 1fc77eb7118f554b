//! Chats: a session is started with the first message, and messages follow in it (S3).

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use trunkline_shared::http_client::Answer;
use trunkline_shared::model::{AuthorRole, Session, Verdict, time};
use trunkline_shared::outbound::{Attempt, Sending, Unsendable};

use crate::answers;
use crate::api::{Api, Body, attempt, is_gone};
use crate::mark;
use crate::said::Said;
use crate::settings::{Answers, CALLBACK_URL, Expiry, Follow, Start, below, id_segment, words};
use crate::wire;

/// How long before its end a session is used no more, in seconds; less for a short one.
const MARGIN: u32 = 60;

/// Says it in the session that there is, or else in a new one: a session that is not there any more is
/// no reason not to deliver.
pub(crate) async fn say(sending: &Sending<'_>, api: &Api<'_>, said: &Said) -> Attempt {
    let session = answers::started(sending);
    let first = match (session, api.settings.follow()) {
        (Some(_), _) if said.text.is_empty() => {
            return Unsendable::NoForm("there is nothing to say in the session").into();
        }
        (Some(session), Follow::Messages) => post(sending, api, said, session).await,
        (Some(session), Follow::Session) => start(sending, api, said, Some(session)).await,
        (None, _) => return start(sending, api, said, None).await,
    };
    match first.status.and_then(|status| http::StatusCode::from_u16(status).ok()) {
        Some(status) if is_gone(status) => {
            tracing::info!(connection = %api.connection.id, %status, "a session is gone: another is started");
            start(sending, api, said, None).await
        }
        _ => first,
    }
}

async fn post(sending: &Sending<'_>, api: &Api<'_>, said: &Said, session: &Session) -> Attempt {
    let path = format!("sessions/{}/messages", id_segment(&session.external_id));
    let body = wire::PostMessage { body: said.text.clone(), attachments: said.files.clone() };
    let url = below(&api.settings.messages_url, &path);
    let answer = match api.open(Method::POST, url, Body::json(&body)).await {
        Ok(answer) => answer,
        Err(error) => return error.into(),
    };
    let mut attempt = attempt(&answer);
    if attempt.meaning.verdict != Verdict::Delivered {
        return attempt;
    }
    let posted: wire::Posted = serde_json::from_slice(&answer.body).unwrap_or_default();
    attempt.meaning.external_id = posted.id.some().map(Into::into);
    attempt.session = prolonged(sending, api, session);
    if api.settings.answers == Answers::Response {
        attempt.said = answers::events(sending, api, &posted.messages.0, &session.external_id);
    }
    attempt
}

/// Starts a session with what is said, or says it in `known` the same way.
async fn start(
    sending: &Sending<'_>,
    api: &Api<'_>,
    said: &Said,
    known: Option<&Session>,
) -> Attempt {
    let body = match body(sending, api, said, known) {
        Ok(body) => body,
        Err(unsendable) => return unsendable.into(),
    };
    let path = format!("chats/{}/sessions?x_widget=1", id_segment(&api.settings.chat_id));
    let (url, json) = (below(&api.settings.chats_url, &path), Body::json(&body));
    let answer = match api.settings.start {
        Start::New => api.open(Method::POST, url, json).await,
        // The vendor's SDK logs in for this one (`TS`).
        Start::Continue if api.has_credentials() => api.logged_in(Method::PUT, url, json).await,
        Start::Continue => api.open(Method::PUT, url, json).await,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return error.into(),
    };
    begun(sending, api, known, &answer, !body.return_answer_async)
}

fn body(
    sending: &Sending<'_>,
    api: &Api<'_>,
    said: &Said,
    known: Option<&Session>,
) -> Result<wire::StartSession, Unsendable> {
    let (delivery, settings) = (sending.delivery, api.settings);
    if settings.chat_id.is_empty() {
        return Err(Unsendable::Misconfigured("the setting chat_id is missing".into()));
    }
    let callback = match (settings.answers, api.secrets.newest(CALLBACK_URL)) {
        (Answers::Callback, Some(url)) => Some(wire::EventCallback {
            url: below(url, "events"),
            data: mark::give(delivery.leg_conversation(), &delivery.id),
            events: words(&settings.notify_on_events).map(Into::into).collect(),
        }),
        (Answers::Callback, None) => return Err(answers::no_callback()),
        (Answers::Response | Answers::Socket, _) => None,
    };
    let by_customer = delivery.event.author.role == AuthorRole::Customer;
    let messenger_type = settings.messenger_type.clone();
    Ok(wire::StartSession {
        name: delivery.leg_conversation().to_owned(),
        bot_id: settings.bot_id.clone(),
        session_id: known.map(|session| session.external_id.clone()),
        session_ttl: settings.session_ttl,
        messenger_user_id: messenger_type.as_ref().map(|_| delivery.key.customer.clone()),
        messenger_type,
        message_body: Some(said.text.clone()).filter(|text| !text.is_empty()),
        message_attachments: said.files.clone(),
        client_name_for_operator: delivery.event.author.name.clone().filter(|_| by_customer),
        client_external_id: answers::client(delivery),
        client_metadata: metadata(sending, said),
        return_answer_async: is_async(api),
        callback,
    })
}

/// Whether answers are to come later. Nobody is on a socket before its session is started: unless the
/// history can be read afterwards, the first answers are better read in the response.
fn is_async(api: &Api<'_>) -> bool {
    match api.settings.answers {
        Answers::Response => false,
        Answers::Callback => true,
        Answers::Socket => api.has_credentials(),
    }
}

fn metadata(sending: &Sending<'_>, said: &Said) -> Map<String, Value> {
    let event = &sending.delivery.event;
    let mut metadata = said.metadata.clone();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            metadata.insert(key.to_owned(), json!(value));
        }
    };
    put("channel", Some(sending.delivery.key.channel.as_str()));
    put("network", event.channel.as_deref());
    put("language", event.language.as_deref());
    metadata
}

/// What came of it that a session was to be started or gone on with.
fn begun(
    sending: &Sending<'_>,
    api: &Api<'_>,
    known: Option<&Session>,
    answer: &Answer,
    reads: bool,
) -> Attempt {
    let mut attempt = attempt(answer);
    if attempt.meaning.verdict != Verdict::Delivered {
        return attempt;
    }
    let begun: wire::Session = serde_json::from_slice(&answer.body).unwrap_or_default();
    let Some(id) = begun.id.some() else {
        return answers::unreadable(attempt, "a session's id");
    };
    attempt.meaning.external_id = begun.message_id.some().map(Into::into);
    if reads {
        attempt.said = answers::events(sending, api, &begun.messages.0, id);
    }
    attempt.session = match known.filter(|known| known.external_id == id) {
        Some(known) => prolonged(sending, api, known),
        None => Some(session(sending, api, id, &begun)),
    };
    attempt
}

fn session(sending: &Sending<'_>, api: &Api<'_>, id: &str, begun: &wire::Session) -> Session {
    let mut session = Session::new(sending.delivery.leg_conversation(), id);
    let told = time::parse_lenient(begun.started_at.get());
    // Its clock may be ahead of ours, but a session did not begin before now is over.
    let start = told.map_or(sending.now, |told| told.min(sending.now));
    let ttl = begun.ttl.get().parse().unwrap_or(api.settings.session_ttl);
    session.expires_at = Some(end(start, ttl));
    session.listen = api.settings.answers == Answers::Socket;
    let client = begun.client_id.some();
    session.memory.extend(client.map(|client| (answers::CLIENT.to_owned(), client.to_owned())));
    session
}

fn end(start: Timestamp, ttl: u32) -> Timestamp {
    let usable = ttl - MARGIN.min(ttl / 10);
    start + SignedDuration::from_secs(i64::from(usable))
}

/// The session with a later end, where what is said prolongs it; noted only once a good part of it is
/// over, so that not every message costs a write.
fn prolonged(sending: &Sending<'_>, api: &Api<'_>, session: &Session) -> Option<Session> {
    if api.settings.session_expiry != Expiry::Sliding {
        return None;
    }
    let now = end(sending.now, api.settings.session_ttl);
    let gained = now.duration_since(session.expires_at?);
    let enough = SignedDuration::from_secs(i64::from(api.settings.session_ttl / 4));
    (gained > enough).then(|| Session { expires_at: Some(now), ..session.clone() })
}
