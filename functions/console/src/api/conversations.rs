//! Conversations, and what was said in them.

use std::sync::Arc;

use axum::extract::State as Held;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use trunkline_shared::model::{ConnectionId, Conversation, ConversationKey, Role};
use trunkline_shared::store::{Ended, Window, place};
use utoipa::IntoParams;

use crate::Console;
use crate::caller::Caller;
use crate::extract::{Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::several;
use crate::view::{ConversationView, Details, Entry, State};

/// How many connections are listed at once.
const PAGE: u16 = 100;

/// Which conversations are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Only this channel's.
    connection: Option<String>,
    /// Only those that stand so.
    #[param(inline)]
    state: Option<State>,
    /// Only those that changed then or later.
    since: Option<Timestamp>,
    /// Only those that changed before.
    until: Option<Timestamp>,
    /// Only this customer's, as the channel's platform knows them.
    #[param(min_length = 1)]
    customer: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u16>,
}

/// The customers' last conversations, the newest change first.
#[utoipa::path(get, path = "/conversations", tag = "conversations", params(Which),
    responses((status = 200, body = Page<ConversationView>)))]
pub async fn list(
    Held(console): Held<Arc<Console>>,
    _: Caller,
    Query(which): Query<Which>,
) -> Result<axum::Json<Page<ConversationView>>, Problem> {
    let paging = Paging { cursor: which.cursor.clone(), limit: which.limit };
    let (most, after) = (paging.most()?, paging.after::<String>()?);
    if which.customer.as_ref().is_some_and(String::is_empty) {
        return Err(Problem::bad_request("customer is empty: leave it out for all"));
    }
    let channels = match &which.connection {
        Some(only) => vec![only.parse()?],
        None => channels(&console).await?,
    };
    let mut found = if let Some(customer) = &which.customer {
        by_customer(&console, &channels, customer, &which).await?
    } else {
        let window = Window { since: which.since, until: which.until, after: after.clone(), most };
        by_state(&console, &channels, which.state, &window).await?
    };
    found.sort_by_cached_key(|conversation| std::cmp::Reverse(place(conversation)));
    if let Some(after) = after {
        found.retain(|conversation| place(conversation) < after);
    }
    let is_full = found.len() >= usize::from(most);
    found.truncate(usize::from(most));
    let ended = found.last().filter(|_| is_full).map(place);
    let items = found.iter().map(ConversationView::from).collect();
    Ok(axum::Json(Page::ending(items, ended.as_ref())))
}

async fn channels(console: &Console) -> Result<Vec<ConnectionId>, Problem> {
    let (mut channels, mut after) = (Vec::new(), None);
    loop {
        let page = console.app.store.connections(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(channels) };
        after = Some(last.id.clone());
        let here = page.into_iter().filter(|listed| listed.role == Role::Channel);
        channels.extend(here.map(|listed| listed.id));
    }
}

async fn by_state(
    console: &Console,
    channels: &[ConnectionId],
    state: Option<State>,
    window: &Window,
) -> Result<Vec<Conversation>, Problem> {
    let states = match state {
        Some(only) => vec![only.stands()],
        None => trunkline_shared::model::State::ALL.to_vec(),
    };
    let mut asked = Vec::with_capacity(channels.len() * states.len());
    for channel in channels {
        for state in &states {
            asked.push(console.app.store.conversations(channel, *state, window));
        }
    }
    Ok(several::all(asked).await?.into_iter().flatten().collect())
}

async fn by_customer(
    console: &Console,
    channels: &[ConnectionId],
    customer: &str,
    which: &Which,
) -> Result<Vec<Conversation>, Problem> {
    let keys = channels
        .iter()
        .map(|channel| ConversationKey { channel: channel.clone(), customer: customer.to_owned() });
    let asked: Vec<_> = keys.collect();
    let found = several::all(asked.iter().map(|key| console.app.store.conversation(key))).await?;
    let fits = |conversation: &Conversation| {
        which.state.is_none_or(|state| conversation.state() == state.stands())
            && which.since.is_none_or(|since| conversation.touched_at >= since)
            && which.until.is_none_or(|until| conversation.touched_at < until)
    };
    Ok(found.into_iter().flatten().filter(fits).collect())
}

/// What a conversation is found by. Gateways differ in what they decode of a path, so a customer whose
/// id is not plain can be written as base64url behind a tilde.
pub(super) fn key(channel: &str, customer: String) -> Result<ConversationKey, Problem> {
    let wrong = || Problem::bad_request("what follows ~ is the customer's id as base64url");
    let customer = match customer.strip_prefix('~') {
        Some(encoded) => {
            let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| wrong())?;
            String::from_utf8(bytes).map_err(|_| wrong())?
        }
        None => customer,
    };
    if customer.is_empty() || customer.len() > 1_024 {
        return Err(Problem::bad_request("a customer's id has from 1 to 1024 bytes"));
    }
    Ok(ConversationKey { channel: channel.parse()?, customer })
}

/// A customer's last conversation on a channel.
#[utoipa::path(get, path = "/conversations/{channel}/{customer}", tag = "conversations",
    params(("channel" = String, Path, description = "The channel connection", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("customer" = String, Path, description = "The customer, as the channel's platform knows them; `~` and base64url where that is not plain")),
    responses((status = 200, body = Details)))]
pub async fn one(
    Held(console): Held<Arc<Console>>,
    _: Caller,
    Path((channel, customer)): Path<(String, String)>,
) -> Result<axum::Json<Details>, Problem> {
    let found = console.app.store.conversation(&key(&channel, customer)?).await?;
    let found = found.ok_or_else(|| Problem::not_found("there is no such conversation"))?;
    Ok(axum::Json(Details::from(&found)))
}

/// What was said and done in a customer's conversations on a channel, the newest first.
#[utoipa::path(get, path = "/conversations/{channel}/{customer}/timeline", tag = "conversations",
    params(("channel" = String, Path, description = "The channel connection", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("customer" = String, Path, description = "The customer, as the channel's platform knows them; `~` and base64url where that is not plain"),
        Paging),
    responses((status = 200, body = Page<Entry>)))]
pub async fn timeline(
    Held(console): Held<Arc<Console>>,
    _: Caller,
    Path((channel, customer)): Path<(String, String)>,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<Entry>>, Problem> {
    let key = key(&channel, customer)?;
    let (most, after) = (paging.most()?, paging.after::<(String, String)>()?);
    let after = after.map(|(sk, at)| Ended { sk, at });
    let (records, ended) = console.app.store.timeline(&key, after, most).await?;
    let ended = ended.map(|ended| (ended.sk, ended.at));
    let items = records.into_iter().map(Entry::from).collect();
    Ok(axum::Json(Page::ending(items, ended.as_ref())))
}
