//! Dialogs with the bot itself (Bot API): simpler, and without operators (`TS`, `TC-hook`).

use http::{Method, StatusCode};
use jiff::SignedDuration;
use trunkline_shared::model::{Session, Verdict};
use trunkline_shared::outbound::{Attempt, Sending, Unsendable};

use crate::answers;
use crate::api::{Api, Body, attempt, is_gone};
use crate::mark;
use crate::said::Said;
use crate::settings::{Answers, CALLBACK_URL, below, id_segment};
use crate::wire;

/// Says it in the dialog that there is, or else in a new one.
pub(crate) async fn say(sending: &Sending<'_>, api: &Api<'_>, said: &Said) -> Attempt {
    let Some(session) = answers::started(sending) else {
        return post(sending, api, said, None).await;
    };
    if said.text.is_empty() {
        return Unsendable::NoForm("there is nothing to say in the dialog").into();
    }
    let first = post(sending, api, said, Some(session)).await;
    let status = first.status.and_then(|status| StatusCode::from_u16(status).ok());
    // Whoever is not logged in would not be so in a new dialog either.
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    match status {
        Some(status) if is_gone(status) && !refused.contains(&status) => {
            post(sending, api, said, None).await
        }
        _ => first,
    }
}

async fn post(
    sending: &Sending<'_>,
    api: &Api<'_>,
    said: &Said,
    known: Option<&Session>,
) -> Attempt {
    let body = match body(sending, api, said, known) {
        Ok(body) => body,
        Err(unsendable) => return unsendable.into(),
    };
    let path = known
        .map_or("dialogs".into(), |known| format!("dialogs/{}", id_segment(&known.external_id)));
    let url = below(&api.settings.dialogs_url, &path);
    let answer = match api.logged_in(Method::POST, url, Body::json(&body)).await {
        Ok(answer) => answer,
        Err(error) => return error.into(),
    };
    let mut attempt = attempt(&answer);
    if attempt.meaning.verdict != Verdict::Delivered {
        return attempt;
    }
    let state: wire::DialogState = serde_json::from_slice(&answer.body).unwrap_or_default();
    let known_id = known.map(|known| known.external_id.as_str());
    let Some(id) = state.dialog_id.some().or(known_id) else {
        return answers::unreadable(attempt, "a dialog's id");
    };
    if known_id != Some(id) {
        let mut session = Session::new(sending.delivery.leg_conversation(), id);
        let ttl = SignedDuration::from_secs(i64::from(api.settings.session_ttl));
        session.expires_at = Some(sending.now + ttl);
        attempt.session = Some(session);
    }
    if !body.return_answer_async {
        attempt.said = answers::events(sending, api, &state.messages.0, id);
    }
    attempt
}

fn body(
    sending: &Sending<'_>,
    api: &Api<'_>,
    said: &Said,
    known: Option<&Session>,
) -> Result<wire::Dialog, Unsendable> {
    let (delivery, settings) = (sending.delivery, api.settings);
    let bot_id = settings.bot_id.clone().filter(|id| !id.is_empty());
    let Some(bot_id) = bot_id else {
        return Err(Unsendable::Misconfigured("the setting bot_id is missing".into()));
    };
    let by_callback = settings.answers == Answers::Callback;
    let callback_url = match (by_callback, api.secrets.newest(CALLBACK_URL)) {
        (true, None) => return Err(answers::no_callback()),
        (true, Some(url)) => Some(below(url, "callback")),
        (false, _) => None,
    };
    let messenger_type = settings.messenger_type.clone();
    let start = known.is_none().then(|| wire::StartDialog {
        bot_id,
        ttl: settings.session_ttl,
        communication_type: "TEXT",
        messenger_user_id: messenger_type.as_ref().map(|_| delivery.key.customer.clone()),
        messenger_type,
        client_external_id: answers::client(delivery),
    });
    Ok(wire::Dialog {
        start,
        message: Some(said.text.clone()).filter(|text| !text.is_empty()),
        attachments: said.files.clone(),
        return_answer_async: by_callback,
        callback_url,
        callback_data: by_callback.then(|| mark::give(delivery.leg_conversation(), &delivery.id)),
    })
}
