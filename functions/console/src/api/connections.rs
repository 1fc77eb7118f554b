//! Connections as they are configured.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use trunkline_setup::config::{One, read_connection};
use trunkline_shared::model::{Access, Connection, ConnectionId};
use trunkline_shared::secrets::{PATH_KEY, SecretBag};

use crate::Console;
use crate::caller::Caller;
use crate::extract::{Json, Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::{FieldProblem, Problem};
use crate::several;
use crate::view::{ConnectionInput, ConnectionView};

/// A connection as it is stored.
///
/// # Errors
/// If there is none, or the table does not answer.
pub(super) async fn find(console: &Console, id: &str) -> Result<Connection, Problem> {
    let id: ConnectionId = id.parse()?;
    let found = console.app.store.connection(&id).await?;
    found.ok_or_else(|| Problem::not_found(format!("there is no connection {id}")))
}

/// The connections, by id.
#[utoipa::path(get, path = "/connections", tag = "connections", params(Paging),
    responses((status = 200, body = Page<ConnectionView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<ConnectionView>>, Problem> {
    let (most, after) = (paging.most()?, paging.after::<ConnectionId>()?);
    let store = &console.app.store;
    let listed = store.connections(after.as_ref(), most).await?;
    let ended = listed.last().filter(|_| listed.len() == usize::from(most)).map(|last| &last.id);
    let found = several::all(listed.iter().map(|listed| store.connection(&listed.id))).await?;
    let items = found.into_iter().flatten().map(ConnectionView::from).collect();
    Ok(axum::Json(Page::ending(items, ended)))
}

/// A connection.
#[utoipa::path(get, path = "/connections/{id}", tag = "connections",
    params(("id" = String, Path, description = "The connection's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")),
    responses((status = 200, body = ConnectionView,
        headers(("etag" = String, description = "Its version")))))]
pub async fn one(
    State(console): State<Arc<Console>>,
    _: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(shown(StatusCode::OK, find(&console, &id).await?))
}

/// Make or change a connection. Secrets that are not named stay as they are.
#[utoipa::path(put, path = "/connections/{id}", tag = "connections",
    params(("id" = String, Path, description = "The connection's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("if-match" = Option<String>, Header, description = "The version that is to be changed"),
        ("if-none-match" = Option<String>, Header, description = "`*`, to make a new one")),
    responses((status = 200, body = ConnectionView, description = "changed"),
        (status = 201, body = ConnectionView, description = "made")))]
pub async fn put(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(input): Json<ConnectionInput>,
) -> Result<Response, Problem> {
    caller.may(Access::Admin)?;
    let id: ConnectionId = id.parse()?;
    if !input.is_of(id.as_str()) {
        return Err(Problem::bad_request("the body's id is another than the path's"));
    }
    let (app, secrets) = (&console.app, &console.app.secrets);
    let before = app.store.connection(&id).await?;
    meets(&headers, before.as_ref().map(|before| before.version))?;
    let (old, _) = secrets.written(&id).await?.unwrap_or_default();
    let bag = merged(&old, &input);
    let given = One { id: id.as_str(), members: &input.as_in_a_file(), secrets: &bag };
    let read = read_connection(given, console.local)
        .map_err(|problems| Problem::invalid(fields(problems)))?;
    if before.as_ref().is_some_and(|before| before.platform != read.platform) {
        let why = "a connection stays on its platform: give the one on another an id of its own";
        return Err(Problem::bad_request(why));
    }
    let route = route(&console, &input, &read).await?;
    let secrets_version = if old == bag {
        before.as_ref().map_or(0, |before| before.secrets_version)
    } else {
        secrets.write(&id, &bag).await?
    };
    let wanted = Connection {
        route,
        secrets_version,
        suspended: before.as_ref().is_some_and(|before| before.suspended),
        version: before.as_ref().map_or(0, |before| before.version) + 1,
        ..read
    };
    app.store.put_connection(&wanted).await?;
    trunkline_setup::apply::list_operators(&app.store, &[&wanted]).await?;
    let secrets: Vec<&String> = input.secrets.iter().flat_map(|secrets| secrets.keys()).collect();
    let detail = json!({"version": wanted.version, "secrets": secrets});
    caller.note(app, "connection.put", id.as_str(), detail).await?;
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(shown(status, wanted))
}

/// The secrets as they will be: with a key for the inbound address, whatever else.
fn merged(old: &SecretBag, input: &ConnectionInput) -> SecretBag {
    let mut bag = old.clone();
    for (name, value) in input.secrets.iter().flatten() {
        match value {
            Some(value) => bag.set(name, vec![value.clone()]),
            None => bag.remove(name),
        }
    }
    if bag.newest(PATH_KEY).is_none() {
        bag.set(PATH_KEY, vec![trunkline_setup::apply::new_path_key()]);
    }
    bag
}

/// The route of a channel, which must be there; nothing else has one.
async fn route(
    console: &Console,
    input: &ConnectionInput,
    read: &Connection,
) -> Result<Option<trunkline_shared::model::RouteId>, Problem> {
    let wrong = |problem: &str| {
        Problem::invalid(vec![FieldProblem { field: "route".into(), problem: problem.into() }])
    };
    let is_channel = read.role == trunkline_shared::model::Role::Channel;
    match (&input.route, is_channel) {
        (None, false) => Ok(None),
        (Some(_), false) => Err(wrong("only a channel has a route")),
        (None, true) => Err(wrong("a channel needs a route: who is to answer its customers")),
        (Some(route), true) => {
            let id = route.parse().map_err(|_| wrong("that is not the id of a route"))?;
            let found = console.app.store.route(&id).await?;
            found.map(|route| Some(route.id)).ok_or_else(|| wrong("there is no such route"))
        }
    }
}

/// What is wrong, with the fields' names.
pub(super) fn fields(problems: Vec<(String, String)>) -> Vec<FieldProblem> {
    problems.into_iter().map(|(field, problem)| FieldProblem { field, problem }).collect()
}

/// Whether a change says which version it changes, and that is the one that is there.
///
/// # Errors
/// If not.
pub(super) fn meets(headers: &HeaderMap, there: Option<u64>) -> Result<(), Problem> {
    let text = |name: header::HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
    };
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH), there) {
        (Some(wanted), _, there) => {
            let wanted = wanted.trim_start_matches("W/").trim_matches('"');
            let same = there.is_some_and(|there| wanted == "*" || wanted == there.to_string());
            same.then_some(()).ok_or_else(Problem::outdated)
        }
        (None, Some("*"), None) => Ok(()),
        (None, Some("*"), Some(_)) => Err(Problem::outdated()),
        (None, ..) => Err(Problem::unconditional()),
    }
}

pub(super) fn shown(status: StatusCode, connection: Connection) -> Response {
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
    fn a_change_says_what_it_changes() {
        let with = |name: header::HeaderName, value: &str| {
            HeaderMap::from_iter([(name, value.parse::<HeaderValue>().unwrap())])
        };
        assert!(meets(&with(header::IF_MATCH, "\"3\""), Some(3)).is_ok());
        assert_eq!(meets(&with(header::IF_MATCH, "\"2\""), Some(3)), Err(Problem::outdated()));
        assert_eq!(meets(&with(header::IF_MATCH, "\"2\""), None), Err(Problem::outdated()));
        assert!(meets(&with(header::IF_NONE_MATCH, "*"), None).is_ok());
        assert_eq!(meets(&with(header::IF_NONE_MATCH, "*"), Some(1)), Err(Problem::outdated()));
        assert_eq!(meets(&HeaderMap::new(), Some(1)), Err(Problem::unconditional()));
    }
}
