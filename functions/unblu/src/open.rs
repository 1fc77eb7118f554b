//! Creates what Unblu needs before a message can be sent: person, contact and conversation (UA4 §4,
//! UA3). Each step first looks for what an earlier attempt may have created.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};
use trunkline_core::json;
use trunkline_core::model::{Delivery, EventBody, Session, Verdict};
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{Attempt, EncodeError};

use crate::SendContext;
use crate::api::{Api, classification};
use crate::requests::{self, NewConversation, Profile, Visitor};
use crate::settings::{ApiVersion, CustomerIdType, Settings};
use crate::source_id::source_id;
use crate::wire::Object;

/// The keys of the visitor's ids in a session's platform data.
const PERSON: &str = "person";
const CONTACT: &str = "contact";

/// How long opening may take: up to seven calls. The next attempt finds what was created by then.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest phone number or e-mail address that is sent, in characters.
const MAX_ADDRESS: usize = 250;

/// Unblu's ids of the visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VisitorIds {
    person: String,
    contact: String,
}

impl VisitorIds {
    pub(crate) fn visitor(&self) -> Visitor<'_> {
        Visitor { person: &self.person, contact: &self.contact }
    }

    /// Reads the ids from a session; `None` if the id that the API version needs is missing.
    pub(crate) fn from_session(session: &Session, version: ApiVersion) -> Option<Self> {
        let known = |name: &str| session.platform_data.get(name).cloned().unwrap_or_default();
        let ids = Self { person: known(PERSON), contact: known(CONTACT) };
        let needed = match version {
            ApiVersion::V3 => &ids.person,
            ApiVersion::V4 => &ids.contact,
        };
        (!needed.is_empty()).then_some(ids)
    }

    pub(crate) fn store_in(self, session: &mut Session) {
        for (name, id) in [(PERSON, self.person), (CONTACT, self.contact)] {
            if !id.is_empty() {
                session.platform_data.insert(name.to_owned(), id);
            }
        }
    }
}

/// Finds or creates the conversation.
pub(crate) async fn conversation(
    api: &Api<'_>,
    context: &SendContext<'_>,
    http_client: &HttpClient,
) -> Result<Session, Box<Attempt>> {
    let delivery = context.delivery;
    let session_id = delivery.session_id();
    let found = match find(api, session_id.as_str(), http_client).await? {
        None => opened_ahead(api, context, http_client).await?,
        found => found,
    };
    if found.is_none() && matches!(delivery.event.body, EventBody::Close { .. }) {
        let why = EncodeError::Unsupported("there is no conversation to end");
        return Err(Box::new(why.into()));
    }
    let visitor = visitor(api, delivery, http_client).await?;
    let id = match found {
        Some(id) => id,
        None => create(api, delivery, visitor.visitor(), http_client).await?,
    };
    let mut session = Session::new(session_id, id);
    visitor.store_in(&mut session);
    Ok(session)
}

/// Finds the conversation that copies of the customer's messages opened before the handover.
async fn opened_ahead(
    api: &Api<'_>,
    context: &SendContext<'_>,
    http_client: &HttpClient,
) -> Result<Option<String>, Box<Attempt>> {
    let delivery = context.delivery;
    if !context.connection.copies || delivery.to.session_id.is_none() {
        return Ok(None);
    }
    find(api, delivery.conversation.as_str(), http_client).await
}

/// Finds or creates the visitor. v3 has persons only; v4 adds a contact on the channel.
pub(crate) async fn visitor(
    api: &Api<'_>,
    delivery: &Delivery,
    http_client: &HttpClient,
) -> Result<VisitorIds, Box<Attempt>> {
    let source_id = source_id(&delivery.key);
    let profile = profile(delivery, &source_id, api.settings);
    if api.version() == ApiVersion::V4
        && let Some(found) = find_contact(api, &source_id, http_client).await?
    {
        return Ok(found);
    }
    let person = requests::person(&profile);
    let person = api.post(&["persons", "createOrUpdateVirtual"], Some(&person));
    let person = id_of(&call(person, http_client).await?)?;
    if api.version() == ApiVersion::V3 {
        return Ok(VisitorIds { person, contact: String::new() });
    }
    let contact = requests::contact(api.channel(), &profile, &person);
    let contact = api.post(&["externalmessengercontacts", "create"], Some(&contact));
    match call(contact, http_client).await {
        Ok(answer) => Ok(VisitorIds { person, contact: id_of(&answer)? }),
        // Another worker may have created it just now.
        Err(failed) if is_refusal(&failed) => {
            find_contact(api, &source_id, http_client).await?.ok_or(failed)
        }
        Err(failed) => Err(failed),
    }
}

async fn find_contact(
    api: &Api<'_>,
    source_id: &str,
    http_client: &HttpClient,
) -> Result<Option<VisitorIds>, Box<Attempt>> {
    let query = requests::contact_search(api.channel(), source_id);
    let search = api.post(&["externalmessengercontacts", "search"], Some(&query));
    let answer = call(search, http_client).await?;
    let found = object(&answer)?;
    let contact = Object(&found).objects("items").find_map(|contact| {
        let person = contact.text("personId").unwrap_or_default().to_owned();
        Some(VisitorIds { person, contact: contact.text("id")?.to_owned() })
    });
    Ok(contact)
}

/// Finds the channel's active conversation with a `sourceId`. If there is none, Unblu answers with an
/// error (UA4) whose status is not documented.
pub(crate) async fn find(
    api: &Api<'_>,
    source_id: &str,
    http_client: &HttpClient,
) -> Result<Option<String>, Box<Attempt>> {
    let query = [("sourceId", source_id), ("externalMessengerChannelId", api.channel())];
    let request = api.get(&["conversations", "getBySourceIdAndChannelId"], &query);
    match call(request, http_client).await {
        Ok(answer) => id_of(&answer).map(Some),
        Err(failed) if is_refusal(&failed) => Ok(None),
        Err(failed) => Err(failed),
    }
}

/// Creates the conversation. Its `sourceId` is unique on the channel, so if another worker created it
/// first, returns that one.
async fn create(
    api: &Api<'_>,
    delivery: &Delivery,
    visitor: Visitor<'_>,
    http_client: &HttpClient,
) -> Result<String, Box<Attempt>> {
    let session_id = delivery.session_id();
    let none = Map::new();
    let new = NewConversation {
        visitor,
        source_id: session_id.as_str(),
        language: delivery.event.language.as_deref(),
        context: context_of(delivery).unwrap_or(&none),
        recipient: api.settings.recipient(&delivery.key),
    };
    let body = requests::conversation(api, &new);
    let create = api.post(&["conversations", "create"], Some(&body));
    match call(create, http_client).await {
        Ok(answer) => id_of(&answer),
        Err(failed) if is_refusal(&failed) => {
            find(api, session_id.as_str(), http_client).await?.ok_or(failed)
        }
        Err(failed) => Err(failed),
    }
}

fn context_of(delivery: &Delivery) -> Option<&Map<String, Value>> {
    match &delivery.event.body {
        EventBody::Handover { context, .. } => Some(context),
        _ => None,
    }
}

/// Returns what is known about the customer. The context of a handover may name a phone number and an e-mail
/// address.
fn profile<'a>(delivery: &'a Delivery, source_id: &'a str, settings: &Settings) -> Profile<'a> {
    let customer = delivery.key.customer.as_str();
    let in_context = |name: &str| {
        let value = context_of(delivery)?.get(name)?.as_str()?.trim();
        Some(value).filter(|value| !value.is_empty() && value.chars().count() <= MAX_ADDRESS)
    };
    let as_id = |kind| Some(customer).filter(|_| settings.customer_id_type == kind);
    Profile {
        source_id,
        customer,
        name: delivery.event.customer_name(),
        phone: in_context("phone").or_else(|| as_id(CustomerIdType::Phone)),
        email: in_context("email").or_else(|| as_id(CustomerIdType::Email)),
    }
}

/// Makes a call. Any other result than success is the failed attempt.
async fn call(
    request: HttpRequest,
    http_client: &HttpClient,
) -> Result<HttpResponse, Box<Attempt>> {
    let answer = http_client.send(request).await.map_err(|error| {
        let mut attempt = Attempt::from(error);
        // A retry is safe: it finds what was created.
        if attempt.classification.verdict == Verdict::Unknown {
            attempt.classification.verdict = Verdict::Retryable;
        }
        Box::new(attempt)
    })?;
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(Box::new(Attempt::with_response(&answer, classification(&answer))))
}

/// Whether Unblu refused this request, and not the account.
pub(crate) fn is_refusal(attempt: &Attempt) -> bool {
    let account_errors = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    attempt.classification.verdict == Verdict::Permanent
        && attempt
            .status
            .is_some_and(|status| account_errors.iter().all(|error| error.as_u16() != status))
}

fn object(answer: &HttpResponse) -> Result<Map<String, Value>, Box<Attempt>> {
    json::from_slice(&answer.body).map_err(|_| unreadable(answer))
}

fn id_of(answer: &HttpResponse) -> Result<String, Box<Attempt>> {
    let object = object(answer)?;
    let id = Object(&object).text("id").map(ToOwned::to_owned);
    id.ok_or_else(|| unreadable(answer))
}

fn unreadable(answer: &HttpResponse) -> Box<Attempt> {
    let mut attempt = Attempt::with_response(answer, classification(answer));
    attempt.classification.verdict = Verdict::Permanent;
    attempt.classification.external_message_id = None;
    let why = "Unblu's response has no id: check base_url and api_version";
    attempt.classification.reason = Some(why.into());
    Box::new(attempt)
}
