//! What is done about a connection.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use trunkline_setup::platforms::spec;
use trunkline_shared::model::{Access, Connection, Wake};
use trunkline_shared::operator::{self, Unheard};
use trunkline_shared::secrets::PATH_KEY;
use utoipa::ToSchema;

use super::connections::{find, shown};
use crate::Console;
use crate::caller::Caller;
use crate::extract::{Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::ConnectionView;

/// How long a far side's proof is waited for, in seconds.
const PATIENCE: u64 = 20;
/// After how long every function has seen a change of configuration.
const SEEN: SignedDuration = SignedDuration::from_secs(35);

/// How a far side proved itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct Proof {
    at: Timestamp,
    /// What was wrong; nothing, where it proved itself.
    problem: Option<String>,
    /// Why there was nothing to be asked.
    unasked: Option<String>,
}

/// Where a platform reaches us.
#[derive(Debug, Serialize, ToSchema)]
pub struct Addresses {
    urls: Vec<Address>,
}

/// One address.
#[derive(Debug, Serialize, ToSchema)]
pub struct Address {
    /// What it is for.
    what: String,
    /// To be pasted into the vendor's form.
    url: String,
}

/// A connection's new address.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rotated {
    /// The address with the new key. The one before is good until the next rotation.
    url: String,
}

/// A body that came and was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectedView {
    id: String,
    at: Timestamp,
    reason: String,
    /// In bytes.
    size: usize,
    /// Its first 32 KiB.
    body: String,
}

/// Ask a connection's far side to prove itself. A proof closes its breaker.
#[utoipa::path(post, path = "/connections/{id}/verify", tag = "connections",
    params(("id" = String, Path, description = "The connection's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")),
    responses((status = 200, body = Proof)))]
pub async fn verify(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Proof>, Problem> {
    caller.may(Access::Operator)?;
    let connection = find(&console, &id).await?;
    let app = &console.app;
    let asked = operator::verify(app.asking(), &connection.id, connection.platform, PATIENCE).await;
    let proof = match asked {
        Ok(health) => Proof { at: health.at, problem: health.problem, unasked: health.unasked },
        Err(Unheard::Silence(seconds)) => {
            let problem = format!("nothing was heard within {seconds} seconds");
            Proof { at: app.clock.now(), problem: Some(problem), unasked: None }
        }
        Err(Unheard::Store(error)) => return Err(error.into()),
        Err(Unheard::Queue(error)) => return Err(error.into()),
    };
    caller.note(app, "connection.verify", &id, json!({"problem": proof.problem})).await?;
    Ok(axum::Json(proof))
}

/// Send nothing to a connection for now: what comes for it parks, in order.
#[utoipa::path(post, path = "/connections/{id}/suspend", tag = "connections",
    params(("id" = String, Path, description = "The connection's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")),
    responses((status = 200, body = ConnectionView)))]
pub async fn suspend(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    set_suspended(&console, &caller, &id, true).await
}

/// Send to a connection again: what is parked flows first.
#[utoipa::path(post, path = "/connections/{id}/resume", tag = "connections",
    params(("id" = String, Path, description = "The connection's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")),
    responses((status = 200, body = ConnectionView)))]
pub async fn resume(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    set_suspended(&console, &caller, &id, false).await
}

async fn set_suspended(
    console: &Console,
    caller: &Caller,
    id: &str,
    suspended: bool,
) -> Result<Response, Problem> {
    caller.may(Access::Admin)?;
    let (app, before) = (&console.app, find(console, id).await?);
    let after = Connection { suspended, version: before.version + 1, ..before };
    app.store.put_connection(&after).await?;
    if !suspended {
        // Now for what sees it, and again when all do.
        let now = app.clock.now();
        for at in [None, Some(now + SEEN)] {
            let (platform, connection) = (after.platform, after.id.clone());
            let wake = Wake::Release { platform, connection, at, after: None };
            app.queues.wake(&wake, now).await?;
        }
    }
    let what = if suspended { "connection.suspend" } else { "connection.resume" };
    caller.note(app, what, id, Value::Null).await?;
    Ok(shown(StatusCode::OK, after))
}

/// Give a connection's address a new key. The key before stays good until the next time.
#[utoipa::path(post, path = "/connections/{id}/rotate-key", tag = "connections",
    params(("id" = String, Path, description = "The connection's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")),
    responses((status = 200, body = Rotated)))]
pub async fn rotate_key(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<axum::Json<Rotated>, Problem> {
    caller.may(Access::Admin)?;
    let (app, before) = (&console.app, find(&console, &id).await?);
    let (mut bag, _) = app.secrets.written(&before.id).await?.unwrap_or_default();
    let mut keys = vec![trunkline_setup::apply::new_path_key()];
    keys.extend(bag.newest(PATH_KEY).map(ToOwned::to_owned));
    bag.set(PATH_KEY, keys.clone());
    let secrets_version = app.secrets.write(&before.id, &bag).await?;
    let after = Connection { secrets_version, version: before.version + 1, ..before };
    app.store.put_connection(&after).await?;
    caller.note(app, "connection.rotate_key", &id, Value::Null).await?;
    let url = address(&console, &headers, &after, &keys[0]);
    Ok(axum::Json(Rotated { url }))
}

/// The addresses to paste into the vendor's form. Whoever has one can send to it.
#[utoipa::path(get, path = "/connections/{id}/addresses", tag = "connections",
    params(("id" = String, Path, description = "The connection's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")),
    responses((status = 200, body = Addresses)))]
pub async fn addresses(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<axum::Json<Addresses>, Problem> {
    caller.may(Access::Admin)?;
    let connection = find(&console, &id).await?;
    let bag = console.app.secrets.written(&connection.id).await?;
    let key = bag.and_then(|(bag, _)| bag.newest(PATH_KEY).map(ToOwned::to_owned));
    let key = key.ok_or_else(|| Problem::conflict("it has no address yet: put it again"))?;
    let url = address(&console, &headers, &connection, &key);
    let urls = spec(connection.platform).addresses.iter();
    let urls = urls.filter(|address| address.roles.contains(&connection.role));
    let urls = urls.map(|address| Address {
        what: address.what.to_owned(),
        url: format!("{url}{}", address.path),
    });
    Ok(axum::Json(Addresses { urls: urls.collect() }))
}

fn address(console: &Console, headers: &HeaderMap, connection: &Connection, key: &str) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let api = console.address.clone().unwrap_or_else(|| format!("http://{host}"));
    format!("{api}/in/{}/{}/{key}", connection.platform, connection.id)
}

/// What came for a connection in the last week and was not taken, the newest first.
#[utoipa::path(get, path = "/connections/{id}/rejected", tag = "connections",
    params(("id" = String, Path, description = "The connection's id", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"), Paging),
    responses((status = 200, body = Page<RejectedView>)))]
pub async fn rejected(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<RejectedView>>, Problem> {
    // It holds what customers wrote, and what a stranger may have sent.
    caller.may(Access::Operator)?;
    let connection = find(&console, &id).await?;
    let (most, after) = (paging.most()?, paging.after::<String>()?);
    let store = &console.app.store;
    let found = store.rejected(&connection.id, after.as_deref(), most).await?;
    let ended = found.last().filter(|_| found.len() == usize::from(most));
    let ended = ended.map(|(place, _)| place.clone());
    let items = found.into_iter().map(|(id, kept)| RejectedView {
        id,
        at: kept.at,
        reason: kept.reason,
        size: kept.size,
        body: kept.body,
    });
    Ok(axum::Json(Page::ending(items.collect(), ended.as_ref())))
}
