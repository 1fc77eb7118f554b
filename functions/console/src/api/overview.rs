//! How everything is.

use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use trunkline_shared::model::{Breaker, Connection, Platform};
use trunkline_shared::store::Counts;
use utoipa::ToSchema;

use crate::Console;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::several;
use crate::view::word;

/// How many connections are shown at most.
const MOST: u16 = 500;

/// For how long an overview is shown to whoever asks: many may look at once, and each again and again.
const FRESH: SignedDuration = SignedDuration::from_secs(2);

/// The overview that this process made last.
#[derive(Debug, Default)]
pub struct Latest(RwLock<Option<Arc<Overview>>>);

impl Latest {
    fn since(&self, then: Timestamp) -> Option<Arc<Overview>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|known| known.at >= then).map(Arc::clone)
    }

    fn set(&self, overview: Arc<Overview>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(overview);
    }
}

/// How everything is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    at: Timestamp,
    /// How many dead letters there are; 100 stands for that or more.
    dead_letters: usize,
    stack: String,
    version: &'static str,
    connections: Vec<Card>,
    queues: Vec<QueueView>,
}

/// How a connection is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Card {
    id: String,
    platform: String,
    role: String,
    route: Option<String>,
    suspended: bool,
    breaker: BreakerView,
    /// How many deliveries are parked.
    parked: usize,
    /// How many deliveries wait for a person.
    failed: usize,
    /// Since when the oldest of what is parked waits.
    oldest_waiting_at: Option<Timestamp>,
    last_hour: HourView,
    /// How its far side last proved itself.
    verified: Option<Verified>,
}

/// How a breaker is.
#[derive(Debug, Serialize, ToSchema)]
pub struct BreakerView {
    /// `closed`, `open`, or `half_open` while it is probed.
    state: &'static str,
    /// Failures in a row.
    failures: u32,
    opened_at: Option<Timestamp>,
    reason: Option<String>,
}

/// How a far side proved itself, or has us registered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verified {
    at: Timestamp,
    problem: Option<String>,
}

/// What happened in the last hour.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct HourView {
    accepted: u64,
    delivered: u64,
    failed: u64,
    retried: u64,
}

/// How full a platform's queue is.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueView {
    platform: &'static str,
    waiting: u64,
    in_flight: u64,
    dead: u64,
}

/// How everything is: connections, breakers, what waits, queues.
#[utoipa::path(get, path = "/overview", tag = "health",
    responses((status = 200, body = Overview)))]
pub async fn overview(
    State(console): State<Arc<Console>>,
    _: Caller,
) -> Result<axum::Json<Arc<Overview>>, Problem> {
    let now = console.app.clock.now();
    if let Some(known) = console.latest.since(now - FRESH) {
        return Ok(axum::Json(known));
    }
    let overview = Arc::new(look(&console).await?);
    console.latest.set(Arc::clone(&overview));
    Ok(axum::Json(overview))
}

async fn look(console: &Console) -> Result<Overview, Problem> {
    let app = &console.app;
    let listed = app.store.connections(None, MOST).await?;
    let found = several::all(listed.iter().map(|listed| app.store.connection(&listed.id))).await?;
    let cards = found.into_iter().flatten().map(|connection| card(console, connection));
    let platforms = Platform::names();
    let queues = platforms.iter().map(|name| queue(console, name));
    let (connections, queues, dead) =
        tokio::try_join!(several::all(cards), several::all(queues), async {
            Ok::<_, Problem>(app.store.dead_letters(None, 100).await?.len())
        },)?;
    Ok(Overview {
        at: app.clock.now(),
        dead_letters: dead,
        stack: console.stack.clone(),
        version: env!("CARGO_PKG_VERSION"),
        connections,
        queues,
    })
}

async fn card(console: &Console, connection: Connection) -> Result<Card, Problem> {
    let (store, now) = (&console.app.store, console.app.clock.now());
    let id = &connection.id;
    let hour = now - SignedDuration::from_hours(1);
    let (breaker, parked, failed, rates, health, registration) = tokio::try_join!(
        store.breaker(id),
        store.parked_size(id),
        store.failed_size(id),
        store.rates(id, hour),
        store.health(id),
        store.registration(id),
    )?;
    let total =
        |name: &str| rates.iter().filter_map(|(_, counts): &(_, Counts)| counts.get(name)).sum();
    let verified = health.filter(|health| health.unasked.is_none());
    let verified = verified.map(|health| Verified { at: health.at, problem: health.problem });
    let registered = registration.filter(|registration| registration.problem.is_some());
    let registered = registered.map(|it| Verified { at: it.at, problem: it.problem });
    Ok(Card {
        platform: connection.platform.to_string(),
        role: word(&connection.role),
        route: connection.route.as_ref().map(ToString::to_string),
        suspended: connection.suspended,
        breaker: breaker_view(&breaker, now, parked.reason),
        parked: parked.count,
        failed,
        oldest_waiting_at: parked.since,
        last_hour: HourView {
            accepted: total("accepted"),
            delivered: total("delivered"),
            failed: total("failed"),
            retried: total("retried"),
        },
        verified: registered.or(verified),
        id: connection.id.to_string(),
    })
}

fn breaker_view(breaker: &Breaker, now: Timestamp, reason: Option<String>) -> BreakerView {
    let probed = breaker.probed_at.is_some_and(|at| now.duration_since(at).as_secs() < 5);
    let state = match (breaker.is_open(), probed) {
        (false, _) => "closed",
        (true, false) => "open",
        (true, true) => "half_open",
    };
    BreakerView {
        state,
        failures: breaker.failures,
        opened_at: breaker.opened_at,
        reason: reason.filter(|_| breaker.is_open()),
    }
}

async fn queue(console: &Console, name: &'static str) -> Result<QueueView, Problem> {
    let depth = match name.parse() {
        Ok(platform) => console.app.queues.depth(platform).await?,
        Err(_) => trunkline_shared::queue::Depth::default(),
    };
    Ok(QueueView {
        platform: name,
        waiting: depth.waiting,
        in_flight: depth.in_flight,
        dead: depth.dead,
    })
}
