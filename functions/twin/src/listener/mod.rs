//! The listener: one invocation that holds the sockets of all active sessions, takes what is said on
//! them, and hands them over to a successor before its time is up. It runs only while there is a
//! session to listen to.
//!
//! A successor opens its own sockets first and takes the lease then; whoever had it stops once it sees
//! that. Meanwhile both hear the same, and what is taken twice is known again by its id.

mod serve;
mod session;
mod sockets;
mod world;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};

pub use serve::serve;
pub use world::{AppWorld, Configured, Trouble, World};

use sockets::Sockets;

/// How much of the history a successor reads: whoever was before it has taken what is older.
const SUCCEEDED: SignedDuration = SignedDuration::from_mins(5);

/// How fast all goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How often is looked for sessions that began.
    pub look: Duration,
    /// How often the lease is renewed: well before it lapses (`listener::hold`).
    pub renew: Duration,
    /// How long before the end of its time a listener calls its successor.
    pub overlap: Duration,
    /// How long a listener has at the end to take what it read.
    pub last: Duration,
    /// How long a successor waits at most for all its sockets to be open.
    pub patience: Duration,
    /// How long a listener without any session stays.
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(1),
            renew: Duration::from_secs(4),
            overlap: Duration::from_mins(1),
            last: Duration::from_secs(5),
            patience: Duration::from_secs(15),
            idle: Duration::from_secs(20),
        }
    }
}

impl Pace {
    /// The same for who has little time.
    fn within(self, time: Duration) -> Self {
        Self { overlap: self.overlap.min(time / 2), last: self.last.min(time / 8), ..self }
    }
}

/// Who listens, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// How fast all goes.
    pub pace: Pace,
    /// This listener's own id.
    pub me: String,
    /// Whom it follows; nobody, if it was started because a session began.
    pub follows: Option<String>,
    /// When its time is up.
    pub deadline: Instant,
}

/// How a listener ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Another listens already.
    NotNeeded,
    /// Nobody is to be listened to any more.
    Idle,
    /// Another has taken over.
    Succeeded,
    /// Its time was up, and nobody had taken over: whoever is started next reads the history.
    OutOfTime,
}

/// Listens until there is nobody to listen to, or a successor has taken over, or the time is up.
pub async fn listen<W: World>(world: Arc<W>, shift: Shift) -> Ended {
    let began = Instant::now();
    let pace = shift.pace.within(shift.deadline.saturating_duration_since(began));
    let mut lease = Lease { world: &*world, shift: &shift, is_mine: false, renewed: began };
    // Who was started for a session must not double another; a successor opens its sockets first.
    if shift.follows.is_none() && !lease.take().await {
        return Ended::NotNeeded;
    }
    let since = shift.follows.as_ref().map(|_| world.now() - SUCCEEDED);
    let mut sockets = Sockets::new(Arc::clone(&world), since, &shift);
    let mut called = false;
    let mut busy_at = began;
    let ended = loop {
        sockets.look().await;
        if !sockets.is_empty() {
            busy_at = Instant::now();
        }
        let late = began.elapsed() > pace.patience;
        if !lease.is_mine && (late || sockets.are_joined()) {
            lease.take().await;
        }
        if !lease.is_mine && late {
            break Ended::NotNeeded;
        }
        if lease.is_mine && !lease.keep(called).await {
            break Ended::Succeeded;
        }
        if lease.is_mine && busy_at.elapsed() > pace.idle {
            // Whoever begins a session looks for a lease after noting it: so first the lease is given
            // up, and then is looked once more.
            lease.give_up().await;
            sockets.look().await;
            if sockets.is_empty() || !lease.take().await {
                break Ended::Idle;
            }
            busy_at = Instant::now();
        }
        let left = shift.deadline.saturating_duration_since(Instant::now());
        if lease.is_mine && left < pace.overlap && !called {
            called = lease.call_successor().await;
        }
        if left < pace.last {
            break Ended::OutOfTime;
        }
        sleep(pace.look.min(left)).await;
    };
    sockets.stop(pace.last).await;
    if ended == Ended::OutOfTime {
        lease.give_up().await;
    }
    ended
}

/// The right to be the one who listens.
struct Lease<'a, W> {
    world: &'a W,
    shift: &'a Shift,
    is_mine: bool,
    renewed: Instant,
}

impl<W: World> Lease<'_, W> {
    async fn take(&mut self) -> bool {
        let taken = self.world.hold(&self.shift.me, self.shift.follows.as_deref()).await;
        self.is_mine = taken.unwrap_or_else(|why| {
            tracing::warn!(%why, "the lease could not be asked for");
            false
        });
        self.renewed = Instant::now();
        self.is_mine
    }

    /// Whether it is still mine; renewed, if that is due. While the table does not answer, nobody else
    /// can take it either.
    async fn keep(&mut self, called: bool) -> bool {
        let me = &self.shift.me;
        let kept = if self.renewed.elapsed() >= self.shift.pace.renew {
            self.renewed = Instant::now();
            self.world.hold(me, None).await
        } else if called {
            self.world.holder().await.map(|holder| holder.is_none_or(|holder| holder == *me))
        } else {
            return true;
        };
        self.is_mine = kept.unwrap_or_else(|why| {
            tracing::warn!(%why, "the lease could not be kept");
            true
        });
        self.is_mine
    }

    async fn give_up(&mut self) {
        if std::mem::take(&mut self.is_mine)
            && let Err(why) = self.world.give_up(&self.shift.me).await
        {
            tracing::warn!(%why, "the lease could not be given up: it lapses");
        }
    }

    async fn call_successor(&self) -> bool {
        let called = self.world.call_successor(&self.shift.me).await;
        called.inspect_err(|why| tracing::warn!(%why, "no successor could be called")).is_ok()
    }
}
