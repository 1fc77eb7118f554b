//! A session's history: how what was missed is recovered (`TS` `GET sessions/{id}/messages`).

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use trunkline_shared::model::{AuthorRole, Event};

use crate::api::{Api, ApiError, Body};
use crate::message::{Context, message_event};
use crate::settings::{below, id_segment};
use crate::wire::History;

/// How many messages are asked for at once.
const PAGE: usize = 50;
/// How many pages are asked for at most.
const PAGES: usize = 40;

/// Why a history could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// No answer came.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The answer is an error.
    #[error("TWIN's history answered {0}")]
    Refused(StatusCode),
    /// The answer is no history.
    #[error("TWIN's history cannot be read")]
    Unreadable,
}

/// What was said in a session since then by others than the client, in order.
///
/// # Errors
/// Why it could not be read.
pub async fn history(
    api: &Api<'_>,
    session: &str,
    since: Option<Timestamp>,
    context: &Context<'_>,
) -> Result<Vec<Event>, HistoryError> {
    let messages =
        below(&api.settings.messages_url, &format!("sessions/{}/messages", id_segment(session)));
    let mut events: Vec<Event> = Vec::new();
    let mut read = 0;
    for _ in 0..PAGES {
        let url = format!("{messages}?limit={PAGE}&offset={read}");
        let answer = api.logged_in(Method::GET, url, Body::none()).await?;
        if !answer.status.is_success() {
            return Err(HistoryError::Refused(answer.status));
        }
        let page: Value =
            serde_json::from_slice(&answer.body).map_err(|_| HistoryError::Unreadable)?;
        let page: History = serde_json::from_value(page).map_err(|_| HistoryError::Unreadable)?;
        let items = page.items.0;
        events.extend(items.iter().filter_map(|item| recovered(item, session, context)));
        read += items.len();
        // Whether `limit` and `offset` are heeded is not known, but then all is there at once.
        let all = page.count.get().parse().unwrap_or(read);
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
    // Without an id it could not be told from what came another way.
    let event = message_event(item, &context, &[])?;
    let is_theirs = event.author.role != AuthorRole::Customer && event.external_id.is_some();
    is_theirs.then_some(event)
}
