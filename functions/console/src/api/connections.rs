//! Configuration of connections.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use trunkline_config::prune;
use trunkline_config::{ConnectionInput, read_connection};
use trunkline_core::model::{AccessLevel, Connection, ConnectionId, ScheduledTask};
use trunkline_registry::PLATFORMS;
use trunkline_runtime::schedule::schedule;
use trunkline_runtime::secrets::{PATH_KEY, SecretBag};
use utoipa::ToSchema;

use super::connection_actions::CONFIG_PROPAGATION;
use super::path::{ConnectionPath, DeletionQuery};
use crate::Console;
use crate::auth::Caller;
use crate::concurrency::join_all_bounded;
use crate::extract::{Json, Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::{FieldProblem, Problem};
use crate::view::{ConnectionBody, ConnectionView};

/// What a deleted connection leaves behind.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionDeleted {
    /// The number of parked deliveries; a lower bound. Within a minute they fail, with the reason that the
    /// connection is no longer configured.
    parked: usize,
    /// The number of failed deliveries. An operator can discard them, or replay them once the connection exists
    /// again.
    failed: usize,
}

/// Returns a stored connection.
///
/// # Errors
/// If it does not exist.
pub(super) async fn find_connection(console: &Console, id: &str) -> Result<Connection, Problem> {
    let id: ConnectionId = id.parse()?;
    let found = console.app.store.connection(&id).await?;
    found.ok_or_else(|| Problem::not_found(format!("connection {id} does not exist")))
}

/// List the connections by id.
#[utoipa::path(get, path = "/connections", tag = "connections", params(Paging),
    responses((status = 200, body = Page<ConnectionView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<ConnectionView>>, Problem> {
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<ConnectionId>()?);
    let store = &console.app.store;
    let listed = store.connections(after.as_ref(), limit).await?;
    let ended = listed.last().filter(|_| listed.len() == usize::from(limit)).map(|last| &last.id);
    let found = join_all_bounded(listed.iter().map(|listed| store.connection(&listed.id))).await?;
    let items = found.into_iter().flatten().map(ConnectionView::from).collect();
    Ok(axum::Json(Page::with_cursor(items, ended)))
}

/// Get a connection.
#[utoipa::path(get, path = "/connections/{id}", tag = "connections",
    params(ConnectionPath),
    responses((status = 200, body = ConnectionView,
        headers(("etag" = String, description = "The connection's version")))))]
pub async fn one(
    State(console): State<Arc<Console>>,
    _: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
) -> Result<Response, Problem> {
    Ok(connection_response(StatusCode::OK, find_connection(&console, &id).await?))
}

/// Create or change a connection. Secrets that the body does not name stay unchanged.
#[utoipa::path(put, path = "/connections/{id}", tag = "connections",
    params(ConnectionPath,
        ("if-match" = Option<String>, Header, description = "The version that the change is based on"),
        ("if-none-match" = Option<String>, Header, description = "`*` to create the connection")),
    request_body = ConnectionBody,
    responses((status = 200, body = ConnectionView, description = "changed"),
        (status = 201, body = ConnectionView, description = "created")))]
pub async fn put(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
    headers: HeaderMap,
    Json(input): Json<ConnectionBody>,
) -> Result<Response, Problem> {
    caller.require(AccessLevel::Admin)?;
    let id: ConnectionId = id.parse()?;
    if !input.matches_id(id.as_str()) {
        return Err(Problem::bad_request("the id in the body differs from the id in the path"));
    }
    let (app, secrets) = (&console.app, &console.app.secrets);
    let existing = app.store.connection(&id).await?;
    check_precondition(&headers, existing.as_ref().map(|existing| existing.version))?;
    let (old, _) = secrets.fetch(&id).await?.unwrap_or_default();
    let bag = merge_secrets(&old, &input);
    let members = Value::Object(input.members.clone());
    let given = ConnectionInput { id: id.as_str(), members: &members, secrets: &bag };
    let read = read_connection(given, PLATFORMS, console.local)
        .map_err(|problems| Problem::validation_failed(field_problems(problems)))?;
    if existing.as_ref().is_some_and(|existing| existing.platform != read.platform) {
        let detail = "the platform of a connection cannot change: create another connection";
        return Err(Problem::bad_request(detail));
    }
    app.queues.check_deployed(read.platform).await?;
    let route = resolve_route(&console, &input, &read).await?;
    let secrets_version = if old == bag {
        existing.as_ref().map_or(0, |existing| existing.secrets_version)
    } else {
        secrets.write(&id, &bag).await?
    };
    let wanted = Connection {
        route,
        secrets_version,
        suspended: existing.as_ref().is_some_and(|existing| existing.suspended),
        version: existing.as_ref().map_or(0, |existing| existing.version) + 1,
        ..read
    };
    app.store.put_connection(&wanted).await?;
    trunkline_config::apply::update_alert_subscribers(&app.store, PLATFORMS, &[&wanted]).await?;
    let secrets: Vec<&String> = input.secrets.iter().flat_map(|secrets| secrets.keys()).collect();
    let detail = json!({"version": wanted.version, "secrets": secrets});
    caller.audit(app, "connection.put", id.as_str(), detail).await?;
    let status = if existing.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(connection_response(status, wanted))
}

/// Delete a connection with its secrets. Refused while a route names it; without `force`, also while deliveries
/// to it wait or agents have conversations that depend on it. No delivery is lost: those that wait fail.
#[utoipa::path(delete, path = "/connections/{id}", tag = "connections",
    params(ConnectionPath, DeletionQuery,
        ("if-match" = Option<String>, Header, description = "The version that is deleted")),
    responses((status = 200, body = ConnectionDeleted)))]
pub async fn delete(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
    Query(DeletionQuery { force }): Query<DeletionQuery>,
    headers: HeaderMap,
) -> Result<axum::Json<ConnectionDeleted>, Problem> {
    caller.require(AccessLevel::Admin)?;
    let (app, connection) = (&console.app, find_connection(&console, &id).await?);
    check_precondition(&headers, Some(connection.version))?;
    let used = prune::connection_use(&app.store, &connection).await?;
    if let Some(refused) = used.refusal(&connection.id, force) {
        return Err(refused.into());
    }
    let (platform, version) = (connection.platform, connection.version);
    let deleted = connection.id.clone();
    prune::delete_connection(&app.store, &app.secrets, connection).await?;
    if used.parked > 0 {
        // Once no function has the connection in its cache, its workers let the deliveries fail.
        let at = Some(app.clock.now() + CONFIG_PROPAGATION);
        let (connection, after_group) = (deleted, None);
        let task = ScheduledTask::ReleaseParked { platform, connection, at, after_group };
        schedule(app, &task).await?;
    }
    let (parked, failed) = (used.parked, used.failed);
    let detail = json!({"version": version, "force": force, "parked": parked, "failed": failed});
    caller.audit(app, "connection.delete", &id, detail).await?;
    Ok(axum::Json(ConnectionDeleted { parked, failed }))
}

/// Returns the secrets after the change. A key for the inbound URL is added if there is none.
fn merge_secrets(old: &SecretBag, input: &ConnectionBody) -> SecretBag {
    let mut bag = old.clone();
    for (name, value) in input.secrets.iter().flatten() {
        match value {
            Some(value) => bag.set(name, vec![value.clone()]),
            None => bag.remove(name),
        }
    }
    if bag.newest(PATH_KEY).is_none() {
        bag.set(PATH_KEY, vec![trunkline_config::apply::new_path_key()]);
    }
    bag
}

/// Returns the route of a channel, which must exist. Other roles have no route.
async fn resolve_route(
    console: &Console,
    input: &ConnectionBody,
    read: &Connection,
) -> Result<Option<trunkline_core::model::RouteId>, Problem> {
    let invalid = |detail: &str| {
        let (field, detail) = ("route".to_owned(), detail.to_owned());
        Problem::validation_failed(vec![FieldProblem { field, detail }])
    };
    let is_channel = read.role == trunkline_core::model::Role::Channel;
    match (&input.route, is_channel) {
        (None, false) => Ok(None),
        (Some(_), false) => Err(invalid("only a channel can have a route")),
        (None, true) => Err(invalid("a channel needs a route")),
        (Some(route), true) => {
            let id = route.parse().map_err(|_| invalid("not a valid route id"))?;
            let found = console.app.store.route(&id).await?;
            found.map(|route| Some(route.id)).ok_or_else(|| invalid("the route does not exist"))
        }
    }
}

/// Converts configuration problems to field problems.
pub(super) fn field_problems(problems: Vec<(String, String)>) -> Vec<FieldProblem> {
    problems.into_iter().map(|(field, detail)| FieldProblem { field, detail }).collect()
}

/// Checks that a change is based on the current version.
///
/// # Errors
/// If it names no version, or another than the current one.
pub(super) fn check_precondition(headers: &HeaderMap, current: Option<u64>) -> Result<(), Problem> {
    let text = |name: header::HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
    };
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH), current) {
        (Some(wanted), _, current) => {
            let wanted = wanted.trim_start_matches("W/").trim_matches('"');
            let same =
                current.is_some_and(|current| wanted == "*" || wanted == current.to_string());
            same.then_some(()).ok_or_else(Problem::version_mismatch)
        }
        (None, Some("*"), None) => Ok(()),
        (None, Some("*"), Some(_)) => Err(Problem::version_mismatch()),
        (None, ..) => Err(Problem::version_required()),
    }
}

pub(super) fn connection_response(status: StatusCode, connection: Connection) -> Response {
    let version = connection.version;
    with_etag((status, axum::Json(ConnectionView::from(connection))).into_response(), version)
}

pub(super) fn with_etag(mut response: Response, version: u64) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_must_name_the_current_version() {
        let with = |name: header::HeaderName, value: &str| {
            HeaderMap::from_iter([(name, value.parse::<HeaderValue>().unwrap())])
        };
        assert!(check_precondition(&with(header::IF_MATCH, "\"3\""), Some(3)).is_ok());
        assert_eq!(
            check_precondition(&with(header::IF_MATCH, "\"2\""), Some(3)),
            Err(Problem::version_mismatch())
        );
        assert_eq!(
            check_precondition(&with(header::IF_MATCH, "\"2\""), None),
            Err(Problem::version_mismatch())
        );
        assert!(check_precondition(&with(header::IF_NONE_MATCH, "*"), None).is_ok());
        assert_eq!(
            check_precondition(&with(header::IF_NONE_MATCH, "*"), Some(1)),
            Err(Problem::version_mismatch())
        );
        assert_eq!(
            check_precondition(&HeaderMap::new(), Some(1)),
            Err(Problem::version_required())
        );
    }
}
