//! Pending deliveries: list, replay, discard.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use trunkline_core::model::AccessLevel;
use trunkline_runtime::operator::{PageCursor, PendingKind, Selection};
use utoipa::{IntoParams, ToSchema};

use crate::Console;
use crate::auth::Caller;
use crate::extract::{Json, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::{DeliveryState, PendingDeliveryView};

/// The filters of a list of deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListDeliveriesQuery {
    /// Only deliveries in this state.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// Only deliveries to this connection.
    connection: Option<String>,
    /// Only deliveries of the conversation with this id.
    conversation: Option<String>,
    /// The `next` of the previous page.
    cursor: Option<String>,
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u16>,
}

/// Selects the pending deliveries that match all members. At least one member is required.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliverySelection {
    /// The id of one delivery.
    delivery: Option<String>,
    /// All deliveries of the conversation with this id.
    conversation: Option<String>,
    /// All deliveries to this connection.
    connection: Option<String>,
    /// All deliveries that have been pending since this time or later.
    since: Option<Timestamp>,
}

/// The result of an accepted action.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// The number of affected items.
    pub(super) count: usize,
}

/// List the pending deliveries: the parked ones in order, then the failed ones.
#[utoipa::path(get, path = "/deliveries", tag = "deliveries", params(ListDeliveriesQuery),
    responses((status = 200, body = Page<PendingDeliveryView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(query): Query<ListDeliveriesQuery>,
) -> Result<axum::Json<Page<PendingDeliveryView>>, Problem> {
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<PageCursor>()?);
    let selection = Selection {
        delivery: None,
        conversation: query.conversation.map(Into::into),
        connection: query.connection.map(|id| id.parse()).transpose()?,
        since: None,
    };
    let only = query.state.map(|state| match state {
        DeliveryState::Parked => PendingKind::Parked,
        DeliveryState::Failed => PendingKind::Failed,
    });
    let operator = console.app.operator_actions();
    let (found, next) = operator.page(&selection, only, after, usize::from(limit)).await?;
    let items = found.iter().map(PendingDeliveryView::from).collect();
    Ok(axum::Json(Page::with_cursor(items, next.as_ref())))
}

/// Replay pending deliveries: they are sent again now.
#[utoipa::path(post, path = "/deliveries/replay", tag = "deliveries",
    request_body = DeliverySelection,
    responses((status = 202, body = Accepted)))]
pub async fn replay(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Json(selection): Json<DeliverySelection>,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    caller.require(AccessLevel::Operator)?;
    let (selection, target) = selection.validated()?;
    let count = console.app.operator_actions().replay(&selection).await?;
    caller.audit(&console.app, "deliveries.replay", &target, json!({"count": count})).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Accepted { count })))
}

/// Discard pending deliveries: they are never sent.
#[utoipa::path(post, path = "/deliveries/discard", tag = "deliveries",
    request_body = DeliverySelection,
    responses((status = 202, body = Accepted)))]
pub async fn discard(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Json(selection): Json<DeliverySelection>,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    caller.require(AccessLevel::Operator)?;
    let (selection, target) = selection.validated()?;
    let count = console.app.operator_actions().discard(&selection).await?;
    caller.audit(&console.app, "deliveries.discard", &target, json!({"count": count})).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Accepted { count })))
}

impl DeliverySelection {
    fn validated(self) -> Result<(Selection, String), Problem> {
        let members = [&self.delivery, &self.conversation, &self.connection];
        let members: Vec<String> = members.into_iter().flatten().cloned().collect();
        if members.is_empty() && self.since.is_none() {
            let detail =
                "name a delivery, a conversation, a connection or since, or several of them";
            return Err(Problem::bad_request(detail));
        }
        let selection = Selection {
            delivery: self.delivery.map(Into::into),
            conversation: self.conversation.map(Into::into),
            connection: self.connection.map(|id| id.parse()).transpose()?,
            since: self.since,
        };
        let target = if members.is_empty() { "since".to_owned() } else { members.join(" ") };
        Ok((selection, target))
    }
}
