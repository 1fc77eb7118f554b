//! Routes as they are configured.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use trunkline_setup::config::{Wrong, read_route};
use trunkline_shared::model::{Access, ConnectionId, Role, Route, RouteId};

use super::connections::{fields, meets, with_etag};
use crate::Console;
use crate::caller::Caller;
use crate::extract::{Json, Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::several;
use crate::view::{RouteInput, RouteView};

/// The routes, by id.
#[utoipa::path(get, path = "/routes", tag = "routes", params(Paging),
    responses((status = 200, body = Page<RouteView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<RouteView>>, Problem> {
    let (most, after) = (paging.most()?, paging.after::<RouteId>()?);
    let store = &console.app.store;
    let listed = store.routes(after.as_ref(), most).await?;
    let ended = listed.last().filter(|_| listed.len() == usize::from(most));
    let found = several::all(listed.iter().map(|id| store.route(id))).await?;
    let items = found.into_iter().flatten().map(RouteView::from).collect();
    Ok(axum::Json(Page::ending(items, ended)))
}

/// A route.
#[utoipa::path(get, path = "/routes/{id}", tag = "routes",
    params(("id" = String, Path, description = "The route's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")),
    responses((status = 200, body = RouteView)))]
pub async fn one(
    State(console): State<Arc<Console>>,
    _: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: RouteId = id.parse()?;
    let found = console.app.store.route(&id).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no route {id}")))?;
    Ok(shown(StatusCode::OK, found))
}

/// Make or change a route. Functions see it within half a minute.
#[utoipa::path(put, path = "/routes/{id}", tag = "routes",
    params(("id" = String, Path, description = "The route's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("if-match" = Option<String>, Header, description = "The version that is to be changed"),
        ("if-none-match" = Option<String>, Header, description = "`*`, to make a new one")),
    responses((status = 200, body = RouteView, description = "changed"),
        (status = 201, body = RouteView, description = "made")))]
pub async fn put(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(input): Json<RouteInput>,
) -> Result<Response, Problem> {
    caller.may(Access::Admin)?;
    let id: RouteId = id.parse()?;
    if !input.is_of(id.as_str()) {
        return Err(Problem::bad_request("the body's id is another than the path's"));
    }
    let app = &console.app;
    let before = app.store.route(&id).await?;
    meets(&headers, before.as_ref().map(|before| before.version))?;
    let known = known(&console).await?;
    let read = read_route(id.as_str(), &input.as_in_a_file(), &known);
    let read = read.map_err(|problems| Problem::invalid(fields(as_given(problems))))?;
    let version = before.as_ref().map_or(0, |before| before.version) + 1;
    let wanted = Route { version, ..read };
    app.store.put_route(&wanted).await?;
    caller.note(app, "route.put", id.as_str(), json!({"version": version})).await?;
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(shown(status, wanted))
}

async fn known(console: &Console) -> Result<Vec<(ConnectionId, Role)>, Problem> {
    let mut known: Vec<(ConnectionId, Role)> = Vec::new();
    loop {
        let page = console.app.store.connections(known.last().map(|(id, _)| id), 100).await?;
        if page.is_empty() {
            return Ok(known);
        }
        known.extend(page.into_iter().map(|listed| (listed.id, listed.role)));
    }
}

fn shown(status: StatusCode, route: Route) -> Response {
    let version = route.version;
    with_etag((status, axum::Json(RouteView::from(route))).into_response(), version)
}

/// Problems by the fields of what is given, which has all of a file's switching in one place.
fn as_given(problems: Wrong) -> Wrong {
    let given = |field: String| match field.split_once('.') {
        Some(("handover", rest)) => format!("switching.{rest}"),
        _ if ["bot", "desk", "observers", ""].contains(&field.as_str()) => field,
        _ if field.starts_with("observers.") => field,
        _ => format!("switching.{field}"),
    };
    problems.into_iter().map(|(field, problem)| (given(field), problem)).collect()
}
