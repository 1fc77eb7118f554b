//! Dead letters: queue messages that Trunkline could not process.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trunkline_core::model::AccessLevel;
use utoipa::ToSchema;

use super::deliveries::Accepted;
use crate::Console;
use crate::auth::Caller;
use crate::extract::{Json, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::DeadLetterView;

/// Selects dead letters.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedriveBody {
    /// The id of one dead letter. Leave it out for all.
    id: Option<String>,
}

/// List the dead letters, oldest first.
#[utoipa::path(get, path = "/dead-letters", tag = "deliveries", params(Paging),
    responses((status = 200, body = Page<DeadLetterView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<DeadLetterView>>, Problem> {
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<String>()?);
    let found = console.app.store.dead_letters(after.as_deref(), limit).await?;
    let last = found.last().filter(|_| found.len() == usize::from(limit)).map(|last| &last.id);
    let items = found.iter().map(DeadLetterView::from).collect();
    Ok(axum::Json(Page::with_cursor(items, last)))
}

/// Redrive dead letters: they return to their queues.
#[utoipa::path(post, path = "/dead-letters/redrive", tag = "deliveries",
    request_body = RedriveBody,
    responses((status = 202, body = Accepted)))]
pub async fn redrive(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Json(body): Json<RedriveBody>,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    caller.require(AccessLevel::Operator)?;
    let count = console.app.operator_actions().redrive(body.id.as_deref()).await?;
    let target = body.id.unwrap_or_else(|| "all".to_owned());
    caller.audit(&console.app, "dead_letters.redrive", &target, json!({"count": count})).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Accepted { count })))
}
