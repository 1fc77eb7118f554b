//! Person, contact, conversation: what must be at Unblu before anything can be sent (UA4 §4, UA3).
//! Each step first looks for what an earlier try may have made.

use http::StatusCode;
use serde_json::{Map, Value};
use trunkline_shared::http_client::{Answer, HttpClient, Request};
use trunkline_shared::model::{AuthorRole, Delivery, EventBody, Session, Verdict};
use trunkline_shared::outbound::{Attempt, Sending};

use crate::api::{Api, meaning};
use crate::bodies::{self, Visitor};
use crate::settings::ApiVersion;
use crate::source::source_id;
use crate::wire::Object;

/// What a session remembers of the visitor.
const PERSON: &str = "person";
const CONTACT: &str = "contact";

/// The visitor's ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    person: String,
    contact: String,
}

impl Ids {
    pub(crate) fn visitor(&self) -> Visitor<'_> {
        Visitor { person: &self.person, contact: &self.contact }
    }

    /// As they were remembered, if what the version needs is there.
    pub(crate) fn remembered(session: &Session, version: ApiVersion) -> Option<Self> {
        let known = |name: &str| session.memory.get(name).cloned().unwrap_or_default();
        let ids = Self { person: known(PERSON), contact: known(CONTACT) };
        let needed = match version {
            ApiVersion::V3 => &ids.person,
            ApiVersion::V4 => &ids.contact,
        };
        (!needed.is_empty()).then_some(ids)
    }

    pub(crate) fn remember(self, session: &mut Session) {
        for (name, id) in [(PERSON, self.person), (CONTACT, self.contact)] {
            if !id.is_empty() {
                session.memory.insert(name.to_owned(), id);
            }
        }
    }
}

/// The conversation, found or made.
pub(crate) async fn conversation(
    api: &Api,
    sending: &Sending<'_>,
    outside: &HttpClient,
) -> Result<Session, Box<Attempt>> {
    let delivery = sending.delivery;
    let ours = delivery.leg_conversation();
    let visitor = visitor(api, delivery, outside).await?;
    let id = match find(api, ours, outside).await? {
        Some(id) => id,
        None => make(api, delivery, visitor.visitor(), outside).await?,
    };
    let mut session = Session::new(ours, id);
    visitor.remember(&mut session);
    Ok(session)
}

/// The visitor, found or made. v3 knows persons only, v4 gives them a contact on the channel.
pub(crate) async fn visitor(
    api: &Api,
    delivery: &Delivery,
    outside: &HttpClient,
) -> Result<Ids, Box<Attempt>> {
    let (source_id, name) = (source_id(&delivery.key), name(delivery));
    if api.version() == ApiVersion::V4
        && let Some(found) = find_contact(api, &source_id, outside).await?
    {
        return Ok(found);
    }
    let person = bodies::person(&source_id, &name);
    let person = api.post(&["persons", "createOrUpdateVirtual"], Some(&person));
    let person = id_of(&said(person, outside).await?)?;
    if api.version() == ApiVersion::V3 {
        return Ok(Ids { person, contact: String::new() });
    }
    let contact = bodies::contact(api.channel(), &source_id, &person, &name);
    let contact = api.post(&["externalmessengercontacts", "create"], Some(&contact));
    match said(contact, outside).await {
        Ok(answer) => Ok(Ids { person, contact: id_of(&answer)? }),
        // Somebody else may have made it just now.
        Err(failed) if is_refusal(&failed) => {
            find_contact(api, &source_id, outside).await?.ok_or(failed)
        }
        Err(failed) => Err(failed),
    }
}

async fn find_contact(
    api: &Api,
    source_id: &str,
    outside: &HttpClient,
) -> Result<Option<Ids>, Box<Attempt>> {
    let query = bodies::contact_search(api.channel(), source_id);
    let search = api.post(&["externalmessengercontacts", "search"], Some(&query));
    let answer = said(search, outside).await?;
    let found = object(&answer)?;
    let contact = Object(&found).objects("items").find_map(|contact| {
        let person = contact.text("personId").unwrap_or_default().to_owned();
        Some(Ids { person, contact: contact.text("id")?.to_owned() })
    });
    Ok(contact)
}

/// The active conversation with that `sourceId` on our channel. That there is none is told by an
/// error (UA4), whose status is not documented.
async fn find(
    api: &Api,
    source_id: &str,
    outside: &HttpClient,
) -> Result<Option<String>, Box<Attempt>> {
    let query = [("sourceId", source_id), ("externalMessengerChannelId", api.channel())];
    let request = api.get(&["conversations", "getBySourceIdAndChannelId"], &query);
    match said(request, outside).await {
        Ok(answer) => id_of(&answer).map(Some),
        Err(failed) if is_refusal(&failed) => Ok(None),
        Err(failed) => Err(failed),
    }
}

/// Makes the conversation. Its `sourceId` is unique on the channel, so if another made it first, that
/// one is found.
async fn make(
    api: &Api,
    delivery: &Delivery,
    visitor: Visitor<'_>,
    outside: &HttpClient,
) -> Result<String, Box<Attempt>> {
    let ours = delivery.leg_conversation();
    let none = Map::new();
    let context = match &delivery.event.body {
        EventBody::Handover { context, .. } => context,
        _ => &none,
    };
    // Unblu's languages are simple: `en`, `de`.
    let language = delivery.event.language.as_deref().and_then(|tag| tag.split(['-', '_']).next());
    let body = bodies::conversation(api, visitor, ours, language, context);
    let create = api.post(&["conversations", "create"], Some(&body));
    match said(create, outside).await {
        Ok(answer) => id_of(&answer),
        Err(failed) if is_refusal(&failed) => find(api, ours, outside).await?.ok_or(failed),
        Err(failed) => Err(failed),
    }
}

/// What the customer is called: as they said it themselves, or else as their channel knows them.
fn name(delivery: &Delivery) -> String {
    let event = &delivery.event;
    let recalled = match &event.body {
        EventBody::Handover { recall, .. } => recall.lines.as_slice(),
        _ => &[],
    };
    let authors = recalled.iter().rev().map(|line| &line.author);
    let mut authors = std::iter::once(&event.author).chain(authors);
    let name = authors.find_map(|author| {
        let name = author.name.as_deref().filter(|name| !name.trim().is_empty());
        name.filter(|_| author.role == AuthorRole::Customer)
    });
    name.unwrap_or(&delivery.key.customer).to_owned()
}

/// Calls; whatever is not a success is why nothing could be opened.
async fn said(request: Request, outside: &HttpClient) -> Result<Answer, Box<Attempt>> {
    let answer = outside.call(request).await.map_err(|error| {
        let mut attempt = Attempt::from(error);
        // To ask again does no harm: what was made is found.
        if attempt.meaning.verdict == Verdict::Unknown {
            attempt.meaning.verdict = Verdict::Retryable;
        }
        Box::new(attempt)
    })?;
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(Box::new(Attempt::answered(&answer, meaning(&answer))))
}

/// Whether Unblu refused this very thing, and not us.
fn is_refusal(attempt: &Attempt) -> bool {
    let ours = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    attempt.meaning.verdict == Verdict::Permanent
        && attempt.status.is_some_and(|status| ours.iter().all(|ours| ours.as_u16() != status))
}

fn object(answer: &Answer) -> Result<Map<String, Value>, Box<Attempt>> {
    serde_json::from_slice(&answer.body).map_err(|_| unreadable(answer))
}

fn id_of(answer: &Answer) -> Result<String, Box<Attempt>> {
    let object = object(answer)?;
    let id = Object(&object).text("id").map(ToOwned::to_owned);
    id.ok_or_else(|| unreadable(answer))
}

fn unreadable(answer: &Answer) -> Box<Attempt> {
    let mut attempt = Attempt::answered(answer, meaning(answer));
    attempt.meaning.verdict = Verdict::Permanent;
    attempt.meaning.external_id = None;
    let why =
        "Unblu answered with success, but without what was asked: check base_url and api_version";
    attempt.meaning.reason = Some(why.into());
    Box::new(attempt)
}
