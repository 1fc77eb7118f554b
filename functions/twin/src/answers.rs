//! What chats and dialogs have in common: whose session it is, and what stands in a response.

use serde_json::Value;
use trunkline_shared::model::{AuthorRole, Delivery, Event, Session, Verdict, digest};
use trunkline_shared::outbound::{Attempt, Sending, Unsendable};

use crate::api::Api;
use crate::message::{Context, message_event};
use crate::settings::CALLBACK_URL;

/// Under what a session's memory has the client's id.
pub const CLIENT: &str = "client";

/// The session, once TWIN has one. Before that it may be known by our own id, so that what comes back
/// early is understood.
pub(crate) fn started<'a>(sending: &Sending<'a>) -> Option<&'a Session> {
    let ours = sending.delivery.leg_conversation();
    sending.session.filter(|session| session.external_id != ours)
}

/// By what TWIN knows a customer: the same on another channel is somebody else.
pub(crate) fn client(delivery: &Delivery) -> String {
    format!("{}:{}", delivery.key.channel, delivery.key.customer)
}

/// What the response says. Its messages have no ids (fact sheet 2.2): our delivery and their place
/// stand for them.
pub(crate) fn events(
    sending: &Sending<'_>,
    api: &Api<'_>,
    messages: &[Value],
    session: &str,
) -> Vec<Event> {
    let context = Context {
        settings: api.settings,
        conversation: Some(session),
        // What is answered at once is a machine's.
        unnamed: AuthorRole::Bot,
        client: sending.session.and_then(|known| known.memory.get(CLIENT)).map(String::as_str),
        now: sending.now,
    };
    let delivery = digest(&[&sending.delivery.id]);
    let numbered = messages.iter().enumerate();
    numbered
        .filter_map(|(i, message)| {
            message_event(message, &context, &["r", &delivery, &i.to_string()])
        })
        .collect()
}

/// TWIN took it, but gave no id to go on with.
pub(crate) fn unreadable(mut attempt: Attempt, missing: &str) -> Attempt {
    attempt.meaning.verdict = Verdict::Permanent;
    attempt.meaning.reason = Some(format!("TWIN's answer does not hold {missing}"));
    attempt
}

pub(crate) fn no_callback() -> Unsendable {
    let how = "is missing: put this connection's address (`trunkline urls`) there";
    Unsendable::Misconfigured(format!("the secret {CALLBACK_URL} {how}"))
}
