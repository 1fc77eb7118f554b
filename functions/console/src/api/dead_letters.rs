//! What our own side could not handle.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trunkline_shared::model::Access;
use utoipa::ToSchema;

use super::deliveries::Ordered;
use crate::Console;
use crate::caller::Caller;
use crate::extract::{Json, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::DeadLetterView;

/// Which dead letters are put back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redrive {
    /// One; all, if left out.
    id: Option<String>,
}

/// The dead letters, the oldest first.
#[utoipa::path(get, path = "/dead-letters", tag = "deliveries", params(Paging),
    responses((status = 200, body = Page<DeadLetterView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<DeadLetterView>>, Problem> {
    let (most, after) = (paging.most()?, paging.after::<String>()?);
    let found = console.app.store.dead_letters(after.as_deref(), most).await?;
    let ended = found.last().filter(|_| found.len() == usize::from(most)).map(|last| &last.id);
    let items = found.iter().map(DeadLetterView::from).collect();
    Ok(axum::Json(Page::ending(items, ended)))
}

/// Put dead letters back into their queues.
#[utoipa::path(post, path = "/dead-letters/redrive", tag = "deliveries",
    responses((status = 202, body = Ordered)))]
pub async fn redrive(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Json(which): Json<Redrive>,
) -> Result<(StatusCode, axum::Json<Ordered>), Problem> {
    caller.may(Access::Operator)?;
    let count = console.app.operator().redrive(which.id.as_deref()).await?;
    let target = which.id.unwrap_or_else(|| "all".to_owned());
    caller.note(&console.app, "dead_letters.redrive", &target, json!({"count": count})).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Ordered { count })))
}
