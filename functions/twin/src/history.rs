//! Reads a session's history to recover missed messages (`TS` `GET sessions/{id}/messages`).

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use trunkline_core::model::{AuthorRole, Event};

use crate::api::{Api, ApiError, Body};
use crate::message::{Context, message_event};
use crate::settings::{join_url, path_segment};
use crate::wire::HistoryPage;

/// How many messages one request asks for.
const PAGE_SIZE: usize = 50;
/// The largest number of requests for one history.
const MAX_PAGES: usize = 40;

/// Why the history could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// TWIN did not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// TWIN answered with an error.
    #[error("cannot read TWIN's history: TWIN answered {0}")]
    Refused(StatusCode),
    /// The response is not a history.
    #[error("cannot parse TWIN's history")]
    Unreadable,
}

/// Returns the messages of a session since `since`, oldest first, without the client's.
///
/// # Errors
/// Fails if TWIN does not answer, refuses, or sends no history.
pub async fn history(
    api: &Api<'_>,
    session: &str,
    since: Option<Timestamp>,
    context: &Context<'_>,
) -> Result<Vec<Event>, HistoryError> {
    let messages = join_url(
        &api.settings.messages_url,
        &format!("sessions/{}/messages", path_segment(session)),
    );
    let mut events: Vec<Event> = Vec::new();
    let mut read = 0;
    for _ in 0..MAX_PAGES {
        let url = format!("{messages}?limit={PAGE_SIZE}&offset={read}");
        let answer = api.authenticated(Method::GET, url, Body::none()).await?;
        if !answer.status.is_success() {
            return Err(HistoryError::Refused(answer.status));
        }
        let page: Value =
            serde_json::from_slice(&answer.body).map_err(|_| HistoryError::Unreadable)?;
        let page: HistoryPage =
            serde_json::from_value(page).map_err(|_| HistoryError::Unreadable)?;
        let items = page.items.0;
        events.extend(items.iter().filter_map(|item| recovered(item, session, context)));
        read += items.len();
        // Whether TWIN honors `limit` and `offset` is unknown. If not, the first page contains everything.
        let all = page.count.trimmed().parse().unwrap_or(read);
        if items.is_empty() || read >= all {
            break;
        }
    }
    events.retain(|event| since.is_none_or(|since| event.at >= since));
    events.sort_by_key(|event| event.at);
    Ok(events)
}

fn recovered(item: &Value, session: &str, context: &Context<'_>) -> Option<Event> {
    let context = Context { conversation: Some(session), ..*context };
    // Without an id it could not be matched with the same message from another source.
    let event = message_event(item, &context, &[])?;
    let is_wanted =
        event.author.role != AuthorRole::Customer && event.external_message_id.is_some();
    is_wanted.then_some(event)
}
