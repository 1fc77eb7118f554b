//! From deliveries to Unblu's calls.

use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::time::{Instant, timeout};
use trunkline_shared::http_client::{Answer, HttpClient, Request};
use trunkline_shared::model::{Delivery, EventBody, Platform, ReceiptStatus, Session, Verdict};
use trunkline_shared::outbound::{
    Asking, Attempt, Meaning, Outbound, Proof, Registered, Sending, Unsendable,
};

use crate::api::{Api, meaning, problem};
use crate::bodies::{self, State};
use crate::open::{self, Ids};
use crate::say::{self, Files};
use crate::{Unblu, files, registration};

/// What a session remembers of a delivery that is several messages: how many of them Unblu has.
const SENT: &str = "sent";
/// How long opening may take, which is up to six calls. What was made by then is found the next time.
const OPENING: Duration = Duration::from_secs(10);
/// For how long further messages of a delivery are begun. What was not is sent the next time.
const SENDING: Duration = Duration::from_secs(4);

impl Outbound for Unblu {
    const PLATFORM: Platform = Platform::Unblu;
    /// Opening, sending, and the last message's own call.
    const LONGEST: SignedDuration = SignedDuration::from_secs(10 + 4 + 5);

    async fn open(
        &self,
        sending: &Sending<'_>,
        outside: &HttpClient,
    ) -> Result<Option<Session>, Box<Attempt>> {
        let api =
            Api::of(sending.connection, sending.secrets).map_err(|why| Box::new(why.into()))?;
        match timeout(OPENING, open::conversation(&api, sending, outside)).await {
            Ok(opened) => opened.map(Some),
            Err(_) => Err(Box::new(too_slow("it is opened further the next time"))),
        }
    }

    async fn send(&self, sending: &Sending<'_>, outside: &HttpClient) -> Attempt {
        let api = match Api::of(sending.connection, sending.secrets) {
            Ok(api) => api,
            Err(unsendable) => return unsendable.into(),
        };
        let sent = match &sending.delivery.event.body {
            EventBody::Message { .. } | EventBody::Choice { .. } | EventBody::Handover { .. } => {
                say_all(&api, sending, outside).await
            }
            _ => tell(&api, sending, outside).await,
        };
        sent.unwrap_or_else(Attempt::from)
    }

    /// States name a message by its `sourceId`, which is the delivery's id: so they are understood
    /// whether or not Unblu's answer with its own id arrived, and alike in both versions.
    fn message_id(&self, delivery: &Delivery, _: Option<String>) -> Option<String> {
        Some(delivery.id.clone())
    }

    /// The one call, or the last of several, with links in place of files.
    fn encode(&self, sending: &Sending<'_>) -> Result<Request, Unsendable> {
        let api = Api::of(sending.connection, sending.secrets)?;
        if !matches!(
            sending.delivery.event.body,
            EventBody::Message { .. } | EventBody::Choice { .. } | EventBody::Handover { .. }
        ) {
            return one(&api, sending);
        }
        let messages = say::messages(sending.delivery, &api.settings, &Files::new())?;
        let ids = sending.session.and_then(|session| Ids::remembered(session, api.version()));
        let ids = ids.unwrap_or_default();
        let to = sending.external_id();
        let last = messages.last().ok_or(Unsendable::NoForm("there is nothing to say"))?;
        Ok(bodies::message(&api, to, ids.visitor(), &last.0, &last.1))
    }

    fn meaning(&self, answer: &Answer) -> Meaning {
        meaning(answer)
    }

    /// Sees to the registration, and has Unblu ping us.
    async fn prove(&self, asking: &Asking<'_>, outside: &HttpClient) -> Proof {
        match registration::tend(asking, outside).await {
            Registered::Unwell(why) => Proof::Missing(why),
            Registered::Well | Registered::Mended(_) => ping(asking, outside).await,
        }
    }

    async fn tend(&self, asking: &Asking<'_>, outside: &HttpClient) -> Registered {
        registration::tend(asking, outside).await
    }
}

/// Unblu pings us, and v4 passes on what we answered; v3 only says that it called us.
async fn ping(asking: &Asking<'_>, outside: &HttpClient) -> Proof {
    let api = match Api::of(asking.connection, asking.secrets) {
        Ok(api) => api,
        Err(why) => return Proof::Missing(why.to_string()),
    };
    let answer = match outside.call(bodies::ping(&api)).await {
        Ok(answer) => answer,
        Err(error) => return Proof::Missing(error.to_string()),
    };
    if !answer.status.is_success() {
        return Proof::Missing(problem(&answer));
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let ponged = body.get("$_type").and_then(Value::as_str) == Some("PingResponse");
    if ponged || answer.status == StatusCode::NO_CONTENT {
        return Proof::Given;
    }
    Proof::Missing("Unblu's ping of our address came back without an answer".to_owned())
}

/// Sends what was said, message by message. What Unblu has of it is remembered, so that a retry goes
/// on from there.
async fn say_all(
    api: &Api,
    sending: &Sending<'_>,
    outside: &HttpClient,
) -> Result<Attempt, Unsendable> {
    let delivery = sending.delivery;
    let files = match &delivery.event.body {
        EventBody::Message { content, .. } => {
            files::read(content, &api.settings, sending.secrets, outside).await
        }
        _ => Files::new(),
    };
    let messages = say::messages(delivery, &api.settings, &files)?;
    let missing = || Unsendable::Misconfigured("the conversation is not open at Unblu".into());
    let mut session = sending.session.ok_or_else(missing)?.clone();
    // A conversation that an agent began was not opened by us.
    let known = Ids::remembered(&session, api.version());
    let learned = known.is_none();
    let ids = match known {
        Some(ids) => ids,
        None => match timeout(OPENING, open::visitor(api, delivery, outside)).await {
            Ok(Ok(ids)) => ids,
            Ok(Err(failed)) => return Ok(*failed),
            Err(_) => return Ok(too_slow("the visitor is looked for again the next time")),
        },
    };
    let done = progress(&session, delivery);
    let end = Instant::now() + SENDING;
    let mut attempt = None;
    for (place, (id, data)) in messages.iter().enumerate().skip(done) {
        let request = bodies::message(api, &session.external_id, ids.visitor(), id, data);
        let tried = if place > done && Instant::now() >= end {
            too_slow("the rest is sent the next time")
        } else {
            match outside.call(request).await {
                Ok(answer) => Attempt::answered(&answer, meaning(&answer)),
                Err(error) => error.into(),
            }
        };
        let failed = tried.meaning.verdict != Verdict::Delivered;
        attempt = Some(tried);
        if failed {
            if place > 0 {
                session.memory.insert(SENT.to_owned(), format!("{}/{place}", delivery.id));
            }
            break;
        }
    }
    // All of it may have arrived, and the outcome been lost.
    let mut attempt = attempt.unwrap_or_else(|| {
        let meaning = Meaning { verdict: Verdict::Delivered, reason: None, external_id: None };
        Attempt::without_answer(meaning)
    });
    if learned {
        ids.remember(&mut session);
    }
    attempt.session = Some(session).filter(|session| Some(session) != sending.session);
    Ok(attempt)
}

fn too_slow(then: &str) -> Attempt {
    let reason = Some(format!("Unblu answers too slowly: {then}"));
    Attempt::without_answer(Meaning { verdict: Verdict::Retryable, reason, external_id: None })
}

/// How many of a delivery's messages Unblu has.
fn progress(session: &Session, delivery: &Delivery) -> usize {
    let sent = session.memory.get(SENT).and_then(|sent| sent.split_once('/'));
    let own = sent.filter(|(id, _)| *id == delivery.id);
    own.and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
}

/// Makes the one call of what is not said by anybody.
async fn tell(
    api: &Api,
    sending: &Sending<'_>,
    outside: &HttpClient,
) -> Result<Attempt, Unsendable> {
    let answer = match outside.call(one(api, sending)?).await {
        Ok(answer) => answer,
        Err(error) => return Ok(error.into()),
    };
    let mut meaning = meaning(&answer);
    if answer.status == StatusCode::NOT_FOUND {
        // What is not there any more needs no end and no state.
        meaning.verdict = Verdict::Skipped;
    }
    Ok(Attempt::answered(&answer, meaning))
}

fn one(api: &Api, sending: &Sending<'_>) -> Result<Request, Unsendable> {
    match &sending.delivery.event.body {
        EventBody::Close { reason } => {
            Ok(bodies::end(api, sending.external_id(), reason.as_deref()))
        }
        EventBody::Receipt { .. } => receipt(api, sending),
        EventBody::Message { .. }
        | EventBody::Choice { .. }
        | EventBody::Handover { .. }
        | EventBody::Typing { .. }
        | EventBody::Accept
        | EventBody::Handback { .. }
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Opaque { .. } => {
            Err(Unsendable::NoForm("Unblu's external messengers have no form for such an event"))
        }
    }
}

/// What became of an agent's message, which is named by Unblu's own id of it.
fn receipt(api: &Api, sending: &Sending<'_>) -> Result<Request, Unsendable> {
    let delivery = sending.delivery;
    let EventBody::Receipt { message, about, status, reason } = &delivery.event.body else {
        return Err(Unsendable::NoForm("it is no receipt"));
    };
    if !api.settings.message_states {
        return Err(Unsendable::NoForm("message_states is false: Unblu keeps its states itself"));
    }
    let about = about.as_ref().filter(|about| about.connection == delivery.to.connection);
    let Some(about) = about else {
        return Err(Unsendable::NoForm("it does not say which of Unblu's messages it is about"));
    };
    let state = match status {
        ReceiptStatus::Delivered => State::Delivered,
        ReceiptStatus::Read => State::Read,
        ReceiptStatus::Failed => State::Failed {
            // What we gave up is not tried again by the agent's button: a person here can replay it.
            fail_state: if Delivery::is_ours(message) {
                "TERMINAL"
            } else {
                &api.settings.fail_state
            },
            why: reason.as_deref().unwrap_or("It did not reach the customer"),
        },
        ReceiptStatus::Other(word) if word.eq_ignore_ascii_case("sent") => State::Sent,
        ReceiptStatus::Other(_) => {
            return Err(Unsendable::NoForm("Unblu has no such state of a message"));
        }
    };
    let ids = sending.session.and_then(|session| Ids::remembered(session, api.version()));
    let visitor = ids.as_ref().map(Ids::visitor);
    Ok(bodies::state(api, sending.external_id(), visitor, &about.message, state))
}
