//! Dialogs with the bot itself (Bot API): simpler than chats and without operators (`TS`, `TC-hook`).

use http::{Method, StatusCode};
use jiff::SignedDuration;
use trunkline_core::json;
use trunkline_core::model::{Session, Verdict};
use trunkline_runtime::outbound::{Attempt, EncodeError};

use crate::SendContext;
use crate::api::{Api, Body, attempt, is_gone};
use crate::callback_data;
use crate::client::Client;
use crate::client_message::ClientMessage;
use crate::responses;
use crate::settings::{Answers, CALLBACK_URL, join_url, path_segment};
use crate::wire;

/// Sends a message in the current dialog, or in a new one if there is none or TWIN no longer knows it.
pub(crate) async fn send(
    context: &SendContext<'_>,
    api: &Api<'_>,
    message: &ClientMessage,
) -> Attempt {
    let Some(session) = responses::known_session(context) else {
        return post_message(context, api, message, None).await;
    };
    if message.text.is_empty() {
        return EncodeError::Unsupported("the message has no text, and the dialog exists already")
            .into();
    }
    let first = post_message(context, api, message, Some(session)).await;
    let status = first.status.and_then(|status| StatusCode::from_u16(status).ok());
    // A rejected login would be rejected for a new dialog, too.
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    match status {
        Some(status) if is_gone(status) && !refused.contains(&status) => {
            post_message(context, api, message, None).await
        }
        _ => first,
    }
}

async fn post_message(
    context: &SendContext<'_>,
    api: &Api<'_>,
    message: &ClientMessage,
    known: Option<&Session>,
) -> Attempt {
    let body = match dialog_body(context, api, message, known) {
        Ok(body) => body,
        Err(unsendable) => return unsendable.into(),
    };
    let path = known.map_or("dialogs".into(), |known| {
        format!("dialogs/{}", path_segment(known.external_conversation_id.as_str()))
    });
    let url = join_url(&api.settings.dialogs_url, &path);
    let answer = match api.authenticated(Method::POST, url, Body::json(&body)).await {
        Ok(answer) => answer,
        Err(error) => return error.into(),
    };
    let mut attempt = attempt(&answer);
    if attempt.classification.verdict != Verdict::Delivered {
        return attempt;
    }
    let state: wire::DialogState = json::from_slice(&answer.body).unwrap_or_default();
    let known_id = known.map(|known| known.external_conversation_id.as_str());
    let Some(id) = state.dialog_id.non_blank().or(known_id) else {
        return responses::without_id(attempt, "a dialog's id");
    };
    if known_id != Some(id) {
        let mut session = Session::new(context.delivery.session_id(), id);
        let ttl = SignedDuration::from_secs(i64::from(api.settings.session_ttl.0));
        session.expires_at = Some(context.now + ttl);
        attempt.session = Some(session);
    }
    if !body.return_answer_async {
        attempt.reply_events = responses::response_events(context, api, &state.messages.0, id);
    }
    attempt
}

fn dialog_body(
    context: &SendContext<'_>,
    api: &Api<'_>,
    message: &ClientMessage,
    known: Option<&Session>,
) -> Result<wire::DialogMessage, EncodeError> {
    let (delivery, settings) = (context.delivery, api.settings);
    let bot_id = settings.bot_id.clone().filter(|id| !id.is_empty());
    let Some(bot_id) = bot_id else {
        return Err(EncodeError::Misconfigured("the setting bot_id is missing".into()));
    };
    let by_callback = settings.answers() == Answers::Callback;
    let callback_url = match (by_callback, api.secrets.newest(CALLBACK_URL)) {
        (true, None) => return Err(responses::missing_callback_url()),
        (true, Some(url)) => Some(join_url(url, "callback")),
        (false, _) => None,
    };
    let start = known.is_none().then(|| {
        let client = Client::of(settings, delivery, &message.metadata);
        wire::StartDialog {
            bot_id,
            ttl: settings.session_ttl.0,
            communication_type: "TEXT",
            messenger_type: client.messenger_type,
            messenger_user_id: client.messenger_user_id,
            client_external_id: responses::client_external_id(delivery),
            client_name: client.name,
            client_phone: client.phone,
            client_email: client.email,
            client_timezone_offset: client.timezone,
            client_metadata: client.variables,
        }
    });
    Ok(wire::DialogMessage {
        start,
        message: Some(message.text.clone()).filter(|text| !text.is_empty()),
        attachments: message.files.clone(),
        return_answer_async: by_callback,
        callback_url,
        callback_data: by_callback
            .then(|| callback_data::encode(delivery.session_id().as_str(), delivery.id.as_str())),
    })
}
