//! What chats and dialogs share: the session, the client's id and the messages in responses.

use serde_json::Value;
use trunkline_core::model::{AuthorRole, Delivery, Event, Session, Verdict, digest};
use trunkline_runtime::outbound::{Attempt, EncodeError};

use crate::SendContext;
use crate::api::Api;
use crate::message::{Context, message_event};
use crate::settings::CALLBACK_URL;

/// The key of TWIN's client id in a session's platform data.
pub const CLIENT_ID: &str = "client";

/// Returns the session if TWIN has one that has not expired. Until then a session may be stored under
/// Trunkline's own id, so that callbacks that arrive before the response find it.
pub(crate) fn known_session<'a>(context: &SendContext<'a>) -> Option<&'a Session> {
    let id = context.delivery.session_id();
    let is_known = |session: &&Session| session.external_conversation_id.as_str() != id.as_str();
    context.session.filter(is_known).filter(|session| session.is_active(context.now))
}

/// Returns TWIN's id of the client, if an earlier session of the conversation has it.
pub(crate) fn client_id<'a>(context: &SendContext<'a>) -> Option<&'a str> {
    context.session?.platform_data.get(CLIENT_ID).map(String::as_str)
}

/// Returns the `clientExternalId`: the customer's id, prefixed by the channel, because two channels may
/// use the same id for different people.
pub(crate) fn client_external_id(delivery: &Delivery) -> String {
    format!("{}:{}", delivery.key.channel, delivery.key.customer)
}

/// Returns a response's messages as events. They have no ids (fact sheet 2.2), so the delivery's id and
/// their position identify them.
pub(crate) fn response_events(
    context: &SendContext<'_>,
    api: &Api<'_>,
    messages: &[Value],
    session: &str,
) -> Vec<Event> {
    let message_context = Context {
        settings: api.settings,
        conversation: Some(session),
        // An immediate answer is the bot's.
        default_role: AuthorRole::Bot,
        client_id: client_id(context),
        now: context.now,
    };
    let delivery = digest(&[context.delivery.id.as_str()]);
    let numbered = messages.iter().enumerate();
    numbered
        .filter_map(|(i, message)| {
            message_event(message, &message_context, &["r", &delivery, &i.to_string()])
        })
        .collect()
}

/// Turns an accepted attempt into a permanent failure: the response lacks the id that later calls need.
pub(crate) fn without_id(mut attempt: Attempt, missing: &str) -> Attempt {
    attempt.classification.verdict = Verdict::Permanent;
    attempt.classification.reason = Some(format!("TWIN's response does not contain {missing}"));
    attempt
}

pub(crate) fn missing_callback_url() -> EncodeError {
    let how = "is missing: put this connection's address (`trunkline urls`) there";
    EncodeError::Misconfigured(format!("the secret {CALLBACK_URL} {how}"))
}
