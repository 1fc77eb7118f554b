//! Conversations and their timelines.

use std::sync::Arc;

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use trunkline_core::model::{self, ConnectionId, Conversation, ConversationKey, Role};
use trunkline_runtime::store::{EventCursor, ListQuery, list_sort_key};
use utoipa::IntoParams;

use super::path::ConversationPath;
use crate::Console;
use crate::auth::Caller;
use crate::concurrency::join_all_bounded;
use crate::extract::{Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::{ConversationDetails, ConversationView, TimelineEntry};

/// The number of connections per read.
const READ_SIZE: u16 = 100;

/// The filters of a list of conversations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListConversationsQuery {
    /// Only conversations on this channel connection.
    connection: Option<String>,
    /// Only conversations in this state.
    #[param(inline)]
    state: Option<model::State>,
    /// Only conversations that changed at this time or later.
    since: Option<Timestamp>,
    /// Only conversations that changed before this time.
    until: Option<Timestamp>,
    /// Only conversations with this customer: the complete id on the channel's platform.
    #[param(min_length = 1)]
    customer: Option<String>,
    /// The `next` of the previous page.
    cursor: Option<String>,
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u16>,
}

/// List the latest conversation of each customer, most recently changed first.
#[utoipa::path(get, path = "/conversations", tag = "conversations", params(ListConversationsQuery),
    responses((status = 200, body = Page<ConversationView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(query): Query<ListConversationsQuery>,
) -> Result<axum::Json<Page<ConversationView>>, Problem> {
    let paging = Paging { cursor: query.cursor.clone(), limit: query.limit };
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<String>()?);
    if query.customer.as_ref().is_some_and(String::is_empty) {
        return Err(Problem::bad_request("customer is empty: leave it out to list all customers"));
    }
    let channels = match &query.connection {
        Some(only) => vec![only.parse()?],
        None => channels(&console).await?,
    };
    let mut found = if let Some(customer) = &query.customer {
        by_customer(&console, &channels, customer, &query).await?
    } else {
        let list_query =
            ListQuery { since: query.since, until: query.until, after: after.clone(), limit };
        by_state(&console, &channels, query.state, &list_query).await?
    };
    found.sort_by_cached_key(|conversation| std::cmp::Reverse(list_sort_key(conversation)));
    if let Some(after) = after {
        found.retain(|conversation| list_sort_key(conversation) < after);
    }
    let is_full = found.len() >= usize::from(limit);
    found.truncate(usize::from(limit));
    let last = found.last().filter(|_| is_full).map(list_sort_key);
    let items = found.iter().map(ConversationView::from).collect();
    Ok(axum::Json(Page::with_cursor(items, last.as_ref())))
}

async fn channels(console: &Console) -> Result<Vec<ConnectionId>, Problem> {
    let (mut channels, mut after) = (Vec::new(), None);
    loop {
        let page = console.app.store.connections(after.as_ref(), READ_SIZE).await?;
        let Some(last) = page.last() else { return Ok(channels) };
        after = Some(last.id.clone());
        let page = page.into_iter().filter(|listed| listed.role == Role::Channel);
        channels.extend(page.map(|listed| listed.id));
    }
}

async fn by_state(
    console: &Console,
    channels: &[ConnectionId],
    state: Option<model::State>,
    query: &ListQuery,
) -> Result<Vec<Conversation>, Problem> {
    let states = match state {
        Some(only) => vec![only],
        None => model::State::ALL.to_vec(),
    };
    let mut reads = Vec::with_capacity(channels.len() * states.len());
    for channel in channels {
        for state in &states {
            reads.push(console.app.store.conversations(channel, *state, query));
        }
    }
    Ok(join_all_bounded(reads).await?.into_iter().flatten().collect())
}

async fn by_customer(
    console: &Console,
    channels: &[ConnectionId],
    customer: &str,
    query: &ListConversationsQuery,
) -> Result<Vec<Conversation>, Problem> {
    let keys = channels
        .iter()
        .map(|channel| ConversationKey { channel: channel.clone(), customer: customer.to_owned() });
    let keys: Vec<_> = keys.collect();
    let found =
        join_all_bounded(keys.iter().map(|key| console.app.store.conversation(key))).await?;
    let matches = |conversation: &Conversation| {
        query.state.is_none_or(|state| conversation.state() == state)
            && query.since.is_none_or(|since| conversation.touched_at >= since)
            && query.until.is_none_or(|until| conversation.touched_at < until)
    };
    Ok(found.into_iter().flatten().filter(matches).collect())
}

/// Returns the key of a conversation. Gateways differ in what they decode in a path, so a customer's id may
/// also be sent as `~` and base64url.
pub(super) fn conversation_key(path: ConversationPath) -> Result<ConversationKey, Problem> {
    let ConversationPath { channel, customer } = path;
    let invalid = || Problem::bad_request("~ must be followed by the customer's id as base64url");
    let customer = match customer.strip_prefix('~') {
        Some(encoded) => {
            let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| invalid())?;
            String::from_utf8(bytes).map_err(|_| invalid())?
        }
        None => customer,
    };
    if customer.is_empty() || customer.len() > 1_024 {
        return Err(Problem::bad_request("the customer's id must have 1 to 1024 bytes"));
    }
    Ok(ConversationKey { channel: channel.parse()?, customer })
}

/// Get a customer's latest conversation on a channel.
#[utoipa::path(get, path = "/conversations/{channel}/{customer}", tag = "conversations",
    params(ConversationPath),
    responses((status = 200, body = ConversationDetails)))]
pub async fn one(
    State(console): State<Arc<Console>>,
    _: Caller,
    Path(path): Path<ConversationPath>,
) -> Result<axum::Json<ConversationDetails>, Problem> {
    let found = console.app.store.conversation(&conversation_key(path)?).await?;
    let found = found.ok_or_else(|| Problem::not_found("the conversation does not exist"))?;
    Ok(axum::Json(ConversationDetails::from(&found)))
}

/// List the events of a customer's conversations on a channel, newest first.
#[utoipa::path(get, path = "/conversations/{channel}/{customer}/timeline", tag = "conversations",
    params(ConversationPath,
        Paging),
    responses((status = 200, body = Page<TimelineEntry>)))]
pub async fn timeline(
    State(console): State<Arc<Console>>,
    _: Caller,
    Path(path): Path<ConversationPath>,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<TimelineEntry>>, Problem> {
    let key = conversation_key(path)?;
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<(String, String)>()?);
    let after = after.map(|(sort_key, at)| EventCursor { at, sort_key });
    let now = console.app.clock.now();
    let (records, ended) = console.app.store.timeline(&key, after.as_ref(), limit, now).await?;
    let ended = ended.map(|ended| (ended.sort_key, ended.at));
    let items = records.into_iter().map(TimelineEntry::from).collect();
    Ok(axum::Json(Page::with_cursor(items, ended.as_ref())))
}
