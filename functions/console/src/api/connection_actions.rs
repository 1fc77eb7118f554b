//! Actions on a connection: verify, suspend, resume, rotate its key; its addresses and rejected requests.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use trunkline_core::model::{AccessLevel, Connection, ScheduledTask};
use trunkline_registry::PLATFORMS;
use trunkline_runtime::operator::VerifyError;
use trunkline_runtime::schedule::schedule;
use trunkline_runtime::secrets::PATH_KEY;
use trunkline_runtime::store::Health;
use utoipa::ToSchema;

use super::connections::{connection_response, find_connection};
use super::path::ConnectionPath;
use crate::Console;
use crate::auth::Caller;
use crate::extract::{Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::ConnectionView;

/// How long a verification may take, in seconds.
const VERIFY_TIMEOUT_SECONDS: u64 = 20;
/// How long a change of configuration takes to reach every function.
pub(super) const CONFIG_PROPAGATION: SignedDuration = SignedDuration::from_secs(35);

/// The result of a verification.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerificationResult {
    at: Timestamp,
    /// Why the verification failed; null if it succeeded.
    problem: Option<String>,
    /// Why the platform cannot be verified; null if it can.
    unsupported_reason: Option<String>,
    /// What was created or updated on the platform; null if nothing.
    repaired: Option<String>,
}

impl VerificationResult {
    /// Returns the result of a verification; one that takes too long is a problem.
    fn of(verified: Result<Health, VerifyError>, now: Timestamp) -> Result<Self, Problem> {
        match verified {
            Ok(health) => Ok(Self {
                at: health.at,
                problem: health.problem,
                unsupported_reason: health.unsupported,
                repaired: health.repaired,
            }),
            Err(VerifyError::TimedOut(seconds)) => {
                let problem =
                    format!("no result within {seconds} seconds: see the outbound function's log");
                let problem = Some(problem);
                Ok(Self { at: now, problem, unsupported_reason: None, repaired: None })
            }
            Err(VerifyError::Backend(error)) => Err(error.into()),
        }
    }
}

/// The inbound URLs of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddressList {
    urls: Vec<Address>,
}

/// An inbound URL.
#[derive(Debug, Serialize, ToSchema)]
pub struct Address {
    /// What the platform sends to it, such as `events`.
    description: String,
    url: String,
}

/// The new inbound URL of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct RotatedAddress {
    /// The URL with the new key. The previous URL works until the next rotation.
    url: String,
}

/// A rejected inbound request.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectedView {
    id: String,
    at: Timestamp,
    reason: String,
    /// The size of the body in bytes.
    size: usize,
    /// The first 32 KiB of the body.
    body: String,
}

/// Verify a connection with its platform. A successful verification closes the breaker.
#[utoipa::path(post, path = "/connections/{id}/verify", tag = "connections",
    params(ConnectionPath),
    responses((status = 200, body = VerificationResult)))]
pub async fn verify(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
) -> Result<axum::Json<VerificationResult>, Problem> {
    caller.require(AccessLevel::Operator)?;
    let connection = find_connection(&console, &id).await?;
    let app = &console.app;
    let verified = app
        .operator_actions()
        .verify(&connection.id, connection.platform, VERIFY_TIMEOUT_SECONDS)
        .await;
    let result = VerificationResult::of(verified, app.clock.now())?;
    caller.audit(app, "connection.verify", &id, json!({"problem": result.problem})).await?;
    Ok(axum::Json(result))
}

/// Create or update what the platform stores about Trunkline, such as a channel or a webhook registration, and
/// verify the connection. A verification shows beforehand what differs.
#[utoipa::path(post, path = "/connections/{id}/fix", tag = "connections",
    params(ConnectionPath),
    responses((status = 200, body = VerificationResult)))]
pub async fn fix(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
) -> Result<axum::Json<VerificationResult>, Problem> {
    caller.require(AccessLevel::Admin)?;
    let connection = find_connection(&console, &id).await?;
    let app = &console.app;
    let fixed = app
        .operator_actions()
        .fix_registration(&connection.id, connection.platform, VERIFY_TIMEOUT_SECONDS)
        .await;
    let result = VerificationResult::of(fixed, app.clock.now())?;
    let details = json!({"problem": result.problem, "repaired": result.repaired});
    caller.audit(app, "connection.fix", &id, details).await?;
    Ok(axum::Json(result))
}

/// Suspend a connection: its deliveries are parked in order until it is resumed.
#[utoipa::path(post, path = "/connections/{id}/suspend", tag = "connections",
    params(ConnectionPath),
    responses((status = 200, body = ConnectionView)))]
pub async fn suspend(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
) -> Result<Response, Problem> {
    set_suspended(&console, &caller, &id, true).await
}

/// Resume a connection: its parked deliveries are sent first.
#[utoipa::path(post, path = "/connections/{id}/resume", tag = "connections",
    params(ConnectionPath),
    responses((status = 200, body = ConnectionView)))]
pub async fn resume(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
) -> Result<Response, Problem> {
    set_suspended(&console, &caller, &id, false).await
}

async fn set_suspended(
    console: &Console,
    caller: &Caller,
    id: &str,
    suspended: bool,
) -> Result<Response, Problem> {
    caller.require(AccessLevel::Admin)?;
    let (app, before) = (&console.app, find_connection(console, id).await?);
    let after = Connection { suspended, version: before.version + 1, ..before };
    app.store.put_connection(&after).await?;
    if !suspended {
        // Once now, for the functions that have the new configuration, and again when all have it.
        let now = app.clock.now();
        for at in [None, Some(now + CONFIG_PROPAGATION)] {
            let (platform, connection) = (after.platform, after.id.clone());
            let task = ScheduledTask::ReleaseParked { platform, connection, at, after_group: None };
            schedule(app, &task).await?;
        }
    }
    let action = if suspended { "connection.suspend" } else { "connection.resume" };
    caller.audit(app, action, id, Value::Null).await?;
    Ok(connection_response(StatusCode::OK, after))
}

/// Rotate the key in a connection's inbound URL. The previous key works until the next rotation.
#[utoipa::path(post, path = "/connections/{id}/rotate-key", tag = "connections",
    params(ConnectionPath),
    responses((status = 200, body = RotatedAddress)))]
pub async fn rotate_key(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
    headers: HeaderMap,
) -> Result<axum::Json<RotatedAddress>, Problem> {
    caller.require(AccessLevel::Admin)?;
    let (app, before) = (&console.app, find_connection(&console, &id).await?);
    let (mut bag, _) = app.secrets.fetch(&before.id).await?.unwrap_or_default();
    let mut keys = vec![trunkline_config::apply::new_path_key()];
    keys.extend(bag.newest(PATH_KEY).map(ToOwned::to_owned));
    bag.set(PATH_KEY, keys.clone());
    let secrets_version = app.secrets.write(&before.id, &bag).await?;
    let after = Connection { secrets_version, version: before.version + 1, ..before };
    app.store.put_connection(&after).await?;
    caller.audit(app, "connection.rotate_key", &id, Value::Null).await?;
    let url = inbound_url(&console, &headers, &after, &keys[0]);
    Ok(axum::Json(RotatedAddress { url }))
}

/// List the inbound URLs to paste into the vendor's form. Treat them as secrets: they authorize the sender.
#[utoipa::path(get, path = "/connections/{id}/addresses", tag = "connections",
    params(ConnectionPath),
    responses((status = 200, body = AddressList)))]
pub async fn addresses(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
    headers: HeaderMap,
) -> Result<axum::Json<AddressList>, Problem> {
    caller.require(AccessLevel::Admin)?;
    let connection = find_connection(&console, &id).await?;
    let bag = console.app.secrets.fetch(&connection.id).await?;
    let key = bag.and_then(|(bag, _)| bag.newest(PATH_KEY).map(ToOwned::to_owned));
    let key = key
        .ok_or_else(|| Problem::conflict("the connection has no inbound URL yet: save it again"))?;
    let url = inbound_url(&console, &headers, &connection, &key);
    let spec = PLATFORMS.get(connection.platform);
    let urls = spec.iter().flat_map(|spec| spec.addresses);
    let urls = urls.filter(|address| address.roles.contains(&connection.role));
    let urls = urls.map(|address| Address {
        description: address.purpose.to_owned(),
        url: format!("{url}{}", address.path),
    });
    Ok(axum::Json(AddressList { urls: urls.collect() }))
}

fn inbound_url(
    console: &Console,
    headers: &HeaderMap,
    connection: &Connection,
    key: &str,
) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let base = console.address.clone().unwrap_or_else(|| format!("http://{host}"));
    format!("{base}/in/{}/{}/{key}", connection.platform, connection.id)
}

/// List the rejected requests of a connection from the last seven days, newest first.
#[utoipa::path(get, path = "/connections/{id}/rejected", tag = "connections",
    params(ConnectionPath, Paging),
    responses((status = 200, body = Page<RejectedView>)))]
pub async fn rejected(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(ConnectionPath { id }): Path<ConnectionPath>,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<RejectedView>>, Problem> {
    // Bodies contain what customers wrote, and possibly what an unauthenticated sender wrote.
    caller.require(AccessLevel::Operator)?;
    let connection = find_connection(&console, &id).await?;
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<String>()?);
    let store = &console.app.store;
    let found = store.rejected(&connection.id, after.as_deref(), limit).await?;
    let last = found.last().filter(|_| found.len() == usize::from(limit));
    let last = last.map(|(key, _)| key.clone());
    let items = found.into_iter().map(|(id, rejected)| RejectedView {
        id,
        at: rejected.at,
        reason: rejected.reason,
        size: rejected.size,
        body: rejected.body,
    });
    Ok(axum::Json(Page::with_cursor(items.collect(), last.as_ref())))
}
