//! A customer's own data: given out, and removed.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use trunkline_shared::model::Access;
use trunkline_shared::store::Piece as Known;
use utoipa::ToSchema;

use super::conversations::key;
use crate::Console;
use crate::caller::Caller;
use crate::extract::{Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;

/// A piece of what is known of a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Piece {
    /// `conversation`, `event`, `leg`, `parked` or `held`.
    kind: &'static str,
    /// The piece, as it is kept.
    #[schema(value_type = Object)]
    kept: Value,
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Erased {
    /// How many events.
    events: usize,
}

/// All that is known of a customer on a channel, piece by piece.
#[utoipa::path(get, path = "/customers/{channel}/{customer}", tag = "conversations",
    params(("channel" = String, Path, description = "The channel connection", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("customer" = String, Path, description = "The customer; `~` and base64url where their id is not plain"),
        Paging),
    responses((status = 200, body = Page<Piece>)))]
pub async fn export(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path((channel, customer)): Path<(String, String)>,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<Piece>>, Problem> {
    caller.may(Access::Admin)?;
    let key = key(&channel, customer)?;
    let (most, after) = (paging.most()?, paging.after::<String>()?);
    let (known, ended) = console.app.store.known_of(&key, after.as_deref(), most).await?;
    if after.is_none() {
        caller.note(&console.app, "customer.export", &channel, json!({})).await?;
    }
    let items = known.into_iter().map(|Known { kind, kept }| Piece { kind, kept }).collect();
    Ok(axum::Json(Page::ending(items, ended.as_ref())))
}

/// Remove all that is known of a customer on a channel.
#[utoipa::path(delete, path = "/customers/{channel}/{customer}", tag = "conversations",
    params(("channel" = String, Path, description = "The channel connection", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("customer" = String, Path, description = "The customer; `~` and base64url where their id is not plain")),
    responses((status = 202, body = Erased)))]
pub async fn erase(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path((channel, customer)): Path<(String, String)>,
) -> Result<(StatusCode, axum::Json<Erased>), Problem> {
    caller.may(Access::Admin)?;
    let key = key(&channel, customer)?;
    let events = console.app.store.erase(&key).await?;
    // Not whose: that was to be forgotten.
    caller.note(&console.app, "customer.erase", &channel, json!({"events": events})).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Erased { events })))
}
