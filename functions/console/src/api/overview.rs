//! The overview: all connections, their breakers and pending deliveries, and the queues.

use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use trunkline_core::model::{Breaker, Connection, PlatformId, Role};
use trunkline_registry::TRAITS;
use trunkline_runtime::queue::QueueError;
use trunkline_runtime::store::Counts;
use utoipa::ToSchema;

use crate::Console;
use crate::auth::Caller;
use crate::concurrency::join_all_bounded;
use crate::problem::Problem;

/// The maximum number of connections in an overview.
const MAX_CONNECTIONS: u16 = 500;

/// How long an overview is cached: many browsers may poll at once.
const CACHE_TTL: SignedDuration = SignedDuration::from_secs(2);

/// Cache of the latest overview of this process.
#[derive(Debug, Default)]
pub struct OverviewCache(RwLock<Option<Arc<Overview>>>);

impl OverviewCache {
    fn get(&self, since: Timestamp) -> Option<Arc<Overview>> {
        let cached = self.0.read().unwrap_or_else(PoisonError::into_inner);
        cached.as_ref().filter(|cached| cached.at >= since).map(Arc::clone)
    }

    fn set(&self, overview: Arc<Overview>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(overview);
    }
}

/// The overview of a stack.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    at: Timestamp,
    /// The number of dead letters. 100 means 100 or more.
    dead_letters: usize,
    stack: String,
    version: &'static str,
    connections: Vec<ConnectionSummary>,
    queues: Vec<QueueView>,
}

/// The condition of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionSummary {
    id: String,
    platform: String,
    role: Role,
    route: Option<String>,
    suspended: bool,
    breaker: BreakerView,
    /// The number of parked deliveries.
    parked: usize,
    /// The number of deliveries that have failed and need an operator.
    failed: usize,
    /// Since when the oldest parked delivery has been waiting.
    oldest_waiting_at: Option<Timestamp>,
    last_hour: LastHour,
    /// The last verification of the connection, or its registration if that is out of sync.
    last_verification: Option<LastVerification>,
}

/// The state of a circuit breaker. It is half-open during a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    Closed,
    Open,
    HalfOpen,
}

/// A circuit breaker.
#[derive(Debug, Serialize, ToSchema)]
pub struct BreakerView {
    state: BreakerState,
    /// The number of consecutive failures.
    failures: u32,
    opened_at: Option<Timestamp>,
    reason: Option<String>,
}

/// The result of a verification or of a check of the registration.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastVerification {
    at: Timestamp,
    /// What is wrong; null if the check succeeded.
    problem: Option<String>,
}

/// The counts of the last hour.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LastHour {
    accepted: u64,
    delivered: u64,
    failed: u64,
    retried: u64,
}

/// The depth of a platform's outbound queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueView {
    platform: String,
    waiting: u64,
    in_flight: u64,
    dead_letters: u64,
}

/// Get the overview: connections, breakers, pending deliveries and queues.
#[utoipa::path(get, path = "/overview", tag = "health",
    responses((status = 200, body = Overview)))]
pub async fn overview(
    State(console): State<Arc<Console>>,
    _: Caller,
) -> Result<axum::Json<Arc<Overview>>, Problem> {
    let now = console.app.clock.now();
    if let Some(overview) = console.overview_cache.get(now - CACHE_TTL) {
        return Ok(axum::Json(overview));
    }
    let overview = Arc::new(build_overview(&console).await?);
    console.overview_cache.set(Arc::clone(&overview));
    Ok(axum::Json(overview))
}

async fn build_overview(console: &Console) -> Result<Overview, Problem> {
    let app = &console.app;
    let listed = app.store.connections(None, MAX_CONNECTIONS).await?;
    let found =
        join_all_bounded(listed.iter().map(|listed| app.store.connection(&listed.id))).await?;
    let summaries =
        found.into_iter().flatten().map(|connection| summarize_connection(console, connection));
    let queues = TRAITS.iter().map(|known| queue_view(console, known.id));
    let (connections, queues, dead) =
        tokio::try_join!(join_all_bounded(summaries), join_all_bounded(queues), async {
            Ok::<_, Problem>(app.store.dead_letters(None, 100).await?.len())
        },)?;
    Ok(Overview {
        at: app.clock.now(),
        dead_letters: dead,
        stack: console.stack.clone(),
        version: env!("CARGO_PKG_VERSION"),
        connections,
        queues: queues.into_iter().flatten().collect(),
    })
}

async fn summarize_connection(
    console: &Console,
    connection: Connection,
) -> Result<ConnectionSummary, Problem> {
    let (store, now) = (&console.app.store, console.app.clock.now());
    let id = &connection.id;
    let hour = now - SignedDuration::from_hours(1);
    let (breaker, parked, failed, rates, health, registration) = tokio::try_join!(
        store.breaker(id),
        store.parked_summary(id),
        store.count_failed(id),
        store.rates(id, hour),
        store.health(id),
        store.registration(id),
    )?;
    let total =
        |name: &str| rates.iter().filter_map(|(_, counts): &(_, Counts)| counts.get(name)).sum();
    let verified = health.filter(|health| health.unsupported.is_none());
    let verified =
        verified.map(|health| LastVerification { at: health.at, problem: health.problem });
    let registered = registration.filter(|registration| registration.problem.is_some());
    let registered = registered.map(|it| LastVerification { at: it.at, problem: it.problem });
    Ok(ConnectionSummary {
        platform: connection.platform.to_string(),
        role: connection.role,
        route: connection.route.as_ref().map(ToString::to_string),
        suspended: connection.suspended,
        breaker: breaker_view(&breaker, now, parked.reason),
        parked: parked.count,
        failed,
        oldest_waiting_at: parked.since,
        last_hour: LastHour {
            accepted: total("accepted"),
            delivered: total("delivered"),
            failed: total("failed"),
            retried: total("retried"),
        },
        last_verification: registered.or(verified),
        id: connection.id.to_string(),
    })
}

fn breaker_view(breaker: &Breaker, now: Timestamp, reason: Option<String>) -> BreakerView {
    let probed = breaker.probed_at.is_some_and(|at| now.duration_since(at).as_secs() < 5);
    let state = match (breaker.is_open(), probed) {
        (false, _) => BreakerState::Closed,
        (true, false) => BreakerState::Open,
        (true, true) => BreakerState::HalfOpen,
    };
    BreakerView {
        state,
        failures: breaker.failures,
        opened_at: breaker.opened_at,
        reason: reason.filter(|_| breaker.is_open()),
    }
}

/// Returns the depth of a platform's queue; `None` if the stack does not have the platform.
async fn queue_view(console: &Console, platform: PlatformId) -> Result<Option<QueueView>, Problem> {
    let depth = match console.app.queues.depth(platform).await {
        Ok(depth) => depth,
        Err(QueueError::NotDeployed(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(QueueView {
        platform: platform.to_string(),
        waiting: depth.waiting,
        in_flight: depth.in_flight,
        dead_letters: depth.dead,
    }))
}
