//! Reads a session's history to recover missed messages (`TS` `GET sessions/{id}/messages`).

mod page;

use std::collections::HashSet;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use trunkline_core::model::{AuthorRole, Event, LenientText, digest, time};
use trunkline_runtime::http_client::HttpResponse;

use crate::api::{Api, ApiError, Body, MAX_RESPONSE};
use crate::message::{Context, message_event};
use crate::settings::{join_url, path_segment};
use page::Page;

/// How many messages one request asks for.
const PAGE_SIZE: usize = 50;
/// The largest number of requests for one history.
const MAX_PAGES: usize = 40;
/// The largest page that is read, in bytes. TWIN may ignore `limit` and send a whole history at once.
const MAX_PAGE: usize = 8 * 1024 * 1024;
/// The memory that a large page uses at most, as a multiple of its size: as bytes, as values and as events.
const MEMORY_FACTOR: usize = 4;
/// How much of an unreadable page or item is kept, in bytes.
const MAX_KEPT: usize = 32 * 1024;

/// Why the history could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// TWIN did not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// TWIN answered with an error.
    #[error("cannot read TWIN's history: TWIN answered {0}")]
    Refused(StatusCode),
    /// The response is not a history. The error has its beginning.
    #[error("cannot parse TWIN's history")]
    Unreadable(Vec<u8>),
}

/// What a session's history contains.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The messages, oldest first, without the client's.
    pub events: Vec<Event>,
    /// What cannot be read, for operators.
    pub rejected: Vec<RejectedItem>,
}

/// A part of the history that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedItem {
    pub reason: String,
    pub body: Vec<u8>,
}

impl RejectedItem {
    fn new(reason: impl Into<String>, body: &[u8]) -> Self {
        Self { reason: reason.into(), body: body[..body.len().min(MAX_KEPT)].to_vec() }
    }
}

/// Returns the messages of a session since `since`.
///
/// # Errors
/// Fails if TWIN does not answer, refuses, or sends no history.
pub async fn history(
    api: &Api<'_>,
    session: &str,
    since: Option<Timestamp>,
    context: &Context<'_>,
) -> Result<History, HistoryError> {
    let context = Context { conversation: Some(session), ..*context };
    let path = format!("sessions/{}/messages", path_segment(session));
    let messages = join_url(&api.settings.messages_url, &path);
    let mut history = History::default();
    let mut seen = HashSet::new();
    let mut read = 0;
    for number in 1..=MAX_PAGES {
        let url = format!("{messages}?limit={PAGE_SIZE}&offset={read}");
        let page = read_page(api, url).await?;
        history.rejected.extend(page.missing);
        let Page { count, items } = page.page;
        read += items.len();
        let known = seen.len();
        for item in items {
            history.add(item, &mut seen, since, &context);
        }
        // Whether TWIN honors `limit` and `offset`, and always reports `count`, is unknown.
        let is_last = seen.len() == known || count.is_some_and(|count| read >= count);
        if is_last {
            break;
        }
        if number == MAX_PAGES {
            let reason =
                format!("the history is longer than {read} messages: the rest is not read");
            history.rejected.push(RejectedItem::new(reason, &[]));
        }
    }
    history.events.sort_by_key(|event| event.at);
    Ok(history)
}

impl History {
    /// Adds an item, unless it was on an earlier page, is older than `since`, or is the client's.
    fn add(
        &mut self,
        item: Result<Value, page::BadItem>,
        seen: &mut HashSet<String>,
        since: Option<Timestamp>,
        context: &Context<'_>,
    ) {
        let item = match item {
            Ok(item) => item,
            Err(bad) => {
                let id = digest(&[&String::from_utf8_lossy(&bad.body)]);
                if seen.insert(id) {
                    self.rejected.push(RejectedItem::new(bad.reason, &bad.body));
                }
                return;
            }
        };
        let is_old = |at: Timestamp| since.is_some_and(|since| at < since);
        if !seen.insert(digest(&[&item.to_string()])) || created_at(&item).is_some_and(is_old) {
            return;
        }
        match message_event(&item, context, &[]).filter(|_| item.is_object()) {
            Some(event) if event.author.role == AuthorRole::Customer => {}
            Some(event) if event.external_message_id.is_some() => self.events.push(event),
            // Without an id it could not be matched with the same message from another source.
            _ => {
                let reason = "the item is not a message with an id";
                self.rejected.push(RejectedItem::new(reason, item.to_string().as_bytes()));
            }
        }
    }
}

fn created_at(item: &Value) -> Option<Timestamp> {
    let at = LenientText::from(item.get("createdAt")?.clone());
    time::parse_lenient(at.trimmed())
}

/// A page as read.
struct ReadPage {
    page: Page,
    /// The note that the rest of the page is missing.
    missing: Option<RejectedItem>,
}

/// Reads a page, a large one within a reserved memory.
async fn read_page(api: &Api<'_>, url: String) -> Result<ReadPage, HistoryError> {
    let answer = get(api, url.clone(), MAX_RESPONSE).await?;
    if answer.body.len() < MAX_RESPONSE {
        return parsed(&answer.body, None);
    }
    let _memory = api.http_client.reserve_memory(MAX_PAGE * MEMORY_FACTOR).await;
    let answer = get(api, url, MAX_PAGE).await?;
    let missing = (answer.body.len() >= MAX_PAGE).then(|| {
        let reason =
            format!("a page of the history is larger than {MAX_PAGE} bytes: the rest is not read");
        RejectedItem::new(reason, &[])
    });
    parsed(&answer.body, missing)
}

fn parsed(body: &[u8], missing: Option<RejectedItem>) -> Result<ReadPage, HistoryError> {
    let unreadable = || HistoryError::Unreadable(body[..body.len().min(MAX_KEPT)].to_vec());
    let mut page = page::parse(body).ok_or_else(unreadable)?;
    if missing.is_some() {
        // The item at the cut: the next page starts with it, if TWIN honors `offset`.
        page.items.pop_if(|item| item.is_err());
    }
    Ok(ReadPage { page, missing })
}

async fn get(api: &Api<'_>, url: String, limit: usize) -> Result<HttpResponse, HistoryError> {
    let answer = api.authenticated_with_limit(Method::GET, url, Body::none(), limit).await?;
    if !answer.status.is_success() {
        return Err(HistoryError::Refused(answer.status));
    }
    Ok(answer)
}
