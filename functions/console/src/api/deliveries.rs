//! Deliveries that wait, and what a person can do about them.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use trunkline_shared::model::Access;
use trunkline_shared::operator::{Kind, Place, Selection};
use utoipa::{IntoParams, ToSchema};

use crate::Console;
use crate::caller::Caller;
use crate::extract::{Json, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::WaitingView;

/// Which deliveries are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Only those that are parked, or only those that have failed.
    #[param(inline)]
    state: Option<Waits>,
    /// Only those to this connection.
    connection: Option<String>,
    /// Only those of this conversation, by its id.
    conversation: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u16>,
}

/// What a delivery waits for.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Waits {
    /// For its connection, or its time.
    Parked,
    /// For a person.
    Failed,
}

/// Which deliveries an order is about: all that fit all of it. At least one of it must be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// One delivery.
    delivery: Option<String>,
    /// All of a conversation, by its id.
    conversation: Option<String>,
    /// All to a connection.
    connection: Option<String>,
    /// All that wait since then or later.
    since: Option<Timestamp>,
}

/// How many it was about.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ordered {
    pub(super) count: usize,
}

/// What waits: what is parked in its order, then what has failed.
#[utoipa::path(get, path = "/deliveries", tag = "deliveries", params(Which),
    responses((status = 200, body = Page<WaitingView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(which): Query<Which>,
) -> Result<axum::Json<Page<WaitingView>>, Problem> {
    let paging = Paging { cursor: which.cursor, limit: which.limit };
    let (most, after) = (paging.most()?, paging.after::<Place>()?);
    let selection = Selection {
        delivery: None,
        conversation: which.conversation,
        connection: which.connection.map(|id| id.parse()).transpose()?,
        since: None,
    };
    let only = which.state.map(|state| match state {
        Waits::Parked => Kind::Parked,
        Waits::Failed => Kind::Failed,
    });
    let operator = console.app.operator();
    let (found, ended) = operator.page(&selection, only, after, usize::from(most)).await?;
    let items = found.iter().map(WaitingView::from).collect();
    Ok(axum::Json(Page::ending(items, ended.as_ref())))
}

/// Send now what waits.
#[utoipa::path(post, path = "/deliveries/replay", tag = "deliveries",
    responses((status = 202, body = Ordered)))]
pub async fn replay(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Json(order): Json<Order>,
) -> Result<(StatusCode, axum::Json<Ordered>), Problem> {
    caller.may(Access::Operator)?;
    let (selection, target) = order.selection()?;
    let count = console.app.operator().replay(&selection).await?;
    caller.note(&console.app, "deliveries.replay", &target, json!({"count": count})).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Ordered { count })))
}

/// Never send what waits.
#[utoipa::path(post, path = "/deliveries/discard", tag = "deliveries",
    responses((status = 202, body = Ordered)))]
pub async fn discard(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Json(order): Json<Order>,
) -> Result<(StatusCode, axum::Json<Ordered>), Problem> {
    caller.may(Access::Operator)?;
    let (selection, target) = order.selection()?;
    let count = console.app.operator().discard(&selection).await?;
    caller.note(&console.app, "deliveries.discard", &target, json!({"count": count})).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Ordered { count })))
}

impl Order {
    fn selection(self) -> Result<(Selection, String), Problem> {
        let said = [&self.delivery, &self.conversation, &self.connection];
        let said: Vec<String> = said.into_iter().flatten().cloned().collect();
        if said.is_empty() && self.since.is_none() {
            let how = "name a delivery, a conversation, a connection or a time: all is never meant";
            return Err(Problem::bad_request(how));
        }
        let selection = Selection {
            delivery: self.delivery,
            conversation: self.conversation,
            connection: self.connection.map(|id| id.parse()).transpose()?,
            since: self.since,
        };
        let target = if said.is_empty() { "since".to_owned() } else { said.join(" ") };
        Ok((selection, target))
    }
}
