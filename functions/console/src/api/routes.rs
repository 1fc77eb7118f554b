//! Configuration of routes.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use trunkline_config::prune;
use trunkline_config::{FieldErrors, read_route};
use trunkline_core::model::{AccessLevel, ConnectionId, Role, Route, RouteId};

use super::connections::{check_precondition, field_problems, with_etag};
use super::path::{DeletionQuery, RoutePath};
use crate::Console;
use crate::auth::Caller;
use crate::concurrency::join_all_bounded;
use crate::extract::{Json, Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::{RouteBody, RouteView};

/// List the routes by id.
#[utoipa::path(get, path = "/routes", tag = "routes", params(Paging),
    responses((status = 200, body = Page<RouteView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<RouteView>>, Problem> {
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<RouteId>()?);
    let store = &console.app.store;
    let listed = store.routes(after.as_ref(), limit).await?;
    let ended = listed.last().filter(|_| listed.len() == usize::from(limit));
    let found = join_all_bounded(listed.iter().map(|id| store.route(id))).await?;
    let items = found.into_iter().flatten().map(RouteView::from).collect();
    Ok(axum::Json(Page::with_cursor(items, ended)))
}

/// Get a route by its id.
#[utoipa::path(get, path = "/routes/{id}", tag = "routes",
    params(RoutePath),
    responses((status = 200, body = RouteView)))]
pub async fn one(
    State(console): State<Arc<Console>>,
    _: Caller,
    Path(RoutePath { id }): Path<RoutePath>,
) -> Result<Response, Problem> {
    Ok(route_response(StatusCode::OK, find_route(&console, &id).await?))
}

/// Returns a stored route.
///
/// # Errors
/// If it does not exist.
async fn find_route(console: &Console, id: &str) -> Result<Route, Problem> {
    let id: RouteId = id.parse()?;
    let found = console.app.store.route(&id).await?;
    found.ok_or_else(|| Problem::not_found(format!("route {id} does not exist")))
}

/// Create or change a route. The change reaches every function within 30 seconds.
#[utoipa::path(put, path = "/routes/{id}", tag = "routes",
    params(RoutePath,
        ("if-match" = Option<String>, Header, description = "The version that the change is based on"),
        ("if-none-match" = Option<String>, Header, description = "`*` to create the route")),
    request_body = RouteBody,
    responses((status = 200, body = RouteView, description = "changed"),
        (status = 201, body = RouteView, description = "created")))]
pub async fn put(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(RoutePath { id }): Path<RoutePath>,
    headers: HeaderMap,
    Json(input): Json<RouteBody>,
) -> Result<Response, Problem> {
    caller.require(AccessLevel::Admin)?;
    let id: RouteId = id.parse()?;
    if !input.matches_id(id.as_str()) {
        return Err(Problem::bad_request("the id in the body differs from the id in the path"));
    }
    let app = &console.app;
    let existing = app.store.route(&id).await?;
    check_precondition(&headers, existing.as_ref().map(|existing| existing.version))?;
    let known = known_connections(&console).await?;
    let read = read_route(id.as_str(), &input.to_config_file(), &known);
    let read = read.map_err(|problems| {
        Problem::validation_failed(field_problems(api_field_paths(problems)))
    })?;
    let version = existing.as_ref().map_or(0, |existing| existing.version) + 1;
    let wanted = Route { version, ..read };
    app.store.put_route(&wanted).await?;
    caller.audit(app, "route.put", id.as_str(), json!({"version": version})).await?;
    let status = if existing.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(route_response(status, wanted))
}

/// Delete a route. Refused while a channel names it; without `force`, also while agents have conversations that
/// follow it. Open conversations keep their parties, without the route's texts, keywords and time limits.
#[utoipa::path(delete, path = "/routes/{id}", tag = "routes",
    params(RoutePath, DeletionQuery,
        ("if-match" = Option<String>, Header, description = "The version that is deleted")),
    responses((status = 204, description = "deleted")))]
pub async fn delete(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(RoutePath { id }): Path<RoutePath>,
    Query(DeletionQuery { force }): Query<DeletionQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    caller.require(AccessLevel::Admin)?;
    let (app, route) = (&console.app, find_route(&console, &id).await?);
    check_precondition(&headers, Some(route.version))?;
    let used = prune::route_use(&app.store, &route.id).await?;
    if let Some(refused) = used.refusal(&route.id, force) {
        return Err(refused.into());
    }
    app.store.delete_route(&route.id, route.version).await?;
    let detail = json!({"version": route.version, "force": force});
    caller.audit(app, "route.delete", &id, detail).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn known_connections(console: &Console) -> Result<Vec<(ConnectionId, Role)>, Problem> {
    let mut known: Vec<(ConnectionId, Role)> = Vec::new();
    loop {
        let page = console.app.store.connections(known.last().map(|(id, _)| id), 100).await?;
        if page.is_empty() {
            return Ok(known);
        }
        known.extend(page.into_iter().map(|listed| (listed.id, listed.role)));
    }
}

fn route_response(status: StatusCode, route: Route) -> Response {
    let version = route.version;
    with_etag((status, axum::Json(RouteView::from(route))).into_response(), version)
}

/// Converts field paths of the configuration file to those of the API, which has all handover settings in
/// `handover_policy`.
fn api_field_paths(problems: FieldErrors) -> FieldErrors {
    let api_path = |field: String| match field.split_once('.') {
        Some(("handover", rest)) => format!("handover_policy.{rest}"),
        _ if ["bot", "desk", "observers", ""].contains(&field.as_str()) => field,
        _ if field.starts_with("observers.") => field,
        _ => format!("handover_policy.{field}"),
    };
    problems.into_iter().map(|(field, problem)| (api_path(field), problem)).collect()
}
