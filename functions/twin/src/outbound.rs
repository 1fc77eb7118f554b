//! From deliveries to TWIN's calls.

use http::Method;
use serde_json::json;
use trunkline_shared::http_client::{Answer, HttpClient, Request};
use trunkline_shared::model::{EventBody, Platform, Session, Verdict};
use trunkline_shared::outbound::{Asking, Attempt, Outbound, Proof, Sending, Unsendable};

use crate::api::{Api, Body, attempt};
use crate::login::has_credentials;
use crate::said::said;
use crate::settings::{Answers, Mode, Settings, below, id_segment};
use crate::{Twin, answers, chats, dialogs};

impl Outbound for Twin {
    const PLATFORM: Platform = Platform::Twin;

    /// Sending opens a session. Only where callbacks answer is it known before, by our own id: they
    /// may come before the response that tells TWIN's.
    async fn open(
        &self,
        sending: &Sending<'_>,
        _: &HttpClient,
    ) -> Result<Option<Session>, Box<Attempt>> {
        let settings = Settings::of(&sending.connection.settings);
        let ours = sending.delivery.leg_conversation();
        Ok((settings.answers == Answers::Callback).then(|| Session::new(ours, ours)))
    }

    async fn send(&self, sending: &Sending<'_>, outside: &HttpClient) -> Attempt {
        let settings = Settings::of(&sending.connection.settings);
        let api = Api::of(sending, &settings, &self.tokens, outside);
        if let EventBody::Close { reason } = &sending.delivery.event.body {
            return close(sending, &api, reason.as_deref()).await;
        }
        let said = match said(sending, &api).await {
            Ok(said) => said,
            Err(unsendable) => return unsendable.into(),
        };
        match settings.mode {
            Mode::Chats => chats::say(sending, &api, &said).await,
            Mode::Dialogs => dialogs::say(sending, &api, &said).await,
        }
    }

    fn encode(&self, _: &Sending<'_>) -> Result<Request, Unsendable> {
        Err(Unsendable::NoForm("TWIN takes more than one call"))
    }

    /// Logs in, where there is something to log in with.
    async fn prove(&self, asking: &Asking<'_>, outside: &HttpClient) -> Proof {
        let (connection, secrets) = (asking.connection, asking.secrets);
        if !has_credentials(secrets) {
            return Proof::Unasked("TWIN asks for no login here: write to the bot");
        }
        self.tokens.forget(&connection.id);
        match self.tokens.bearer(connection, secrets, outside, asking.now).await {
            Ok(_) => Proof::Given,
            Err(why) => Proof::Missing(why.to_string()),
        }
    }
}

/// Ends the session: `DELETE sessions/{id}`, or `POST dialogs/{id}/finish` (`TS`).
async fn close(sending: &Sending<'_>, api: &Api<'_>, reason: Option<&str>) -> Attempt {
    if sending.delivery.to.copy {
        return Unsendable::NoForm("TWIN has no form for a copy").into();
    }
    let Some(session) = answers::started(sending) else {
        return Unsendable::NoForm("there is no session to end").into();
    };
    if !api.has_credentials() {
        return Unsendable::NoForm("only who logs in can end a session: it expires").into();
    }
    let id = id_segment(&session.external_id);
    let (method, url, body) = match api.settings.mode {
        Mode::Chats => {
            let result = Body::json(&json!({"result": reason.unwrap_or("closed")}));
            (Method::DELETE, below(&api.settings.messages_url, &format!("sessions/{id}")), result)
        }
        Mode::Dialogs => {
            let url = below(&api.settings.dialogs_url, &format!("dialogs/{id}/finish"));
            (Method::POST, url, Body::none())
        }
    };
    match api.logged_in(method, url, body).await {
        Ok(answer) => ended(&answer),
        Err(error) => error.into(),
    }
}

fn ended(answer: &Answer) -> Attempt {
    let mut attempt = attempt(answer);
    if matches!(answer.status.as_u16(), 404 | 410) {
        attempt.meaning.verdict = Verdict::Delivered;
        attempt.meaning.reason = None;
    }
    attempt
}
