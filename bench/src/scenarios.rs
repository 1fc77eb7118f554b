//! Scenarios: the pattern of the load and the behaviour of the receiver.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::load::{CONVERSATIONS, LoadProfile, Sent, send, send_at_rate};
use crate::measurement::{Measurement, Run};
use crate::receiver::Behaviour;
use crate::testbed::TestBed;

/// How long a run waits for accepted messages that have not arrived.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(45);

/// The conversations of a backlog, and the messages of each.
const BACKLOG: (u32, u32) = (1_000, 2);
/// The number of callers that send a backlog.
const CALLERS: u32 = 16;

/// A benchmark scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Each customer sends the next message when the bot has received the previous one.
    Closed,
    /// Messages of 1,000 customers are accepted while no delivery is made. Then the outbound function receives them
    /// in batches of ten.
    Saturated,
    /// Messages arrive at a constant rate.
    Paced,
    /// Each of 100 customers sends ten messages at once.
    Burst,
    /// The bot responds after 200 ms.
    Slow,
    /// The bot is down for five seconds.
    Outage,
    /// The bot always fails for the messages of one conversation.
    Poisoned,
    /// Each message is sent three times.
    Duplicates,
}

impl Scenario {
    /// The scenarios that are not compared with the baseline functions.
    pub const OTHERS: [Self; 6] =
        [Self::Paced, Self::Burst, Self::Slow, Self::Outage, Self::Poisoned, Self::Duplicates];

    /// Returns the name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed loop, 16 customers",
            Self::Saturated => "backlog, 1,000 customers x 2",
            Self::Paced => "100 messages/s",
            Self::Burst => "burst, 100 customers x 10",
            Self::Slow => "bot takes 200 ms",
            Self::Outage => "bot down for 5 s",
            Self::Poisoned => "1 of 100 is poisoned",
            Self::Duplicates => "each sent 3 times",
        }
    }

    /// Runs the scenario for about `time`. Conversations are numbered from `base`.
    pub async fn run(self, bed: &Arc<TestBed>, time: Duration, base: u32) -> Measurement {
        if self == Self::Saturated {
            open_conversations(bed, base).await;
        }
        let run = Run::start(bed);
        let rate = |rate: u32| LoadProfile { rate, time, copies: 1, base, first: 1 };
        let sent = match self {
            Self::Closed => closed(bed, time, base).await,
            Self::Saturated => {
                let _pause = bed.deliveries.pause().await;
                backlog(bed, base).await
            }
            Self::Paced => send_at_rate(bed, rate(100)).await,
            Self::Burst => burst(bed, base).await,
            Self::Slow => {
                let delay = Duration::from_millis(200);
                bed.receiver.set_behaviour(Behaviour { delay, ..Behaviour::default() });
                send_at_rate(bed, rate(8)).await
            }
            Self::Outage => {
                let (receiver, back) = (bed.receiver.clone(), Duration::from_secs(5));
                receiver.set_behaviour(Behaviour { down: true, ..Behaviour::default() });
                tokio::spawn(async move {
                    tokio::time::sleep(back).await;
                    receiver.set_behaviour(Behaviour::default());
                });
                send_at_rate(bed, rate(50)).await
            }
            Self::Poisoned => {
                bed.receiver
                    .set_behaviour(Behaviour { poisoned: Some(base), ..Behaviour::default() });
                send_at_rate(bed, rate(100)).await
            }
            Self::Duplicates => send_at_rate(bed, LoadProfile { copies: 3, ..rate(50) }).await,
        };
        // Messages of the poisoned conversation must not arrive.
        let timeout = if self == Self::Poisoned { Duration::from_secs(3) } else { ARRIVAL_TIMEOUT };
        let due: Vec<Sent> =
            sent.into_iter().filter(|s| self != Self::Poisoned || s.key.0 != base).collect();
        let measurement = run.finish(&due, timeout).await;
        bed.receiver.set_behaviour(Behaviour::default());
        measurement
    }
}

async fn closed(bed: &Arc<TestBed>, time: Duration, base: u32) -> Vec<Sent> {
    let until = Instant::now() + time;
    let mut customers = JoinSet::new();
    for customer in 0..16 {
        let bed = Arc::clone(bed);
        customers.spawn(async move {
            let mut sent = Vec::new();
            for number in 1.. {
                if Instant::now() >= until {
                    break;
                }
                let name = (base + customer, number);
                let arrival = bed.receiver.arrival_of(name);
                sent.push(send(&bed, name, Instant::now()).await);
                if tokio::time::timeout(ARRIVAL_TIMEOUT, arrival.notified()).await.is_err() {
                    break;
                }
            }
            sent
        });
    }
    customers.join_all().await.concat()
}

/// Begins the conversations of the backlog, which is not measured: the baseline functions begin none.
async fn open_conversations(bed: &Arc<TestBed>, base: u32) {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let bed = Arc::clone(bed);
        callers.spawn(async move {
            for customer in (caller..BACKLOG.0).step_by(CALLERS as usize) {
                let key = (base + customer, 0);
                let arrival = bed.receiver.arrival_of(key);
                send(&bed, key, Instant::now()).await;
                arrival.notified().await;
            }
        });
    }
    callers.join_all().await;
    // Until the outcomes of the last messages are recorded.
    tokio::time::sleep(Duration::from_millis(300)).await;
    bed.receiver.take_arrivals();
}

/// Sends the first message of every conversation, then the second of every conversation, and so on.
async fn backlog(bed: &Arc<TestBed>, base: u32) -> Vec<Sent> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let bed = Arc::clone(bed);
        callers.spawn(async move {
            let mut sent = Vec::new();
            for number in 1..=BACKLOG.1 {
                for customer in (caller..BACKLOG.0).step_by(CALLERS as usize) {
                    sent.push(send(&bed, (base + customer, number), Instant::now()).await);
                }
            }
            sent
        });
    }
    callers.join_all().await.concat()
}

async fn burst(bed: &Arc<TestBed>, base: u32) -> Vec<Sent> {
    let mut customers = JoinSet::new();
    for customer in 0..CONVERSATIONS {
        let bed = Arc::clone(bed);
        customers.spawn(async move {
            let mut sent = Vec::new();
            for number in 1..=10 {
                sent.push(send(&bed, (base + customer, number), Instant::now()).await);
            }
            sent
        });
    }
    customers.join_all().await.concat()
}
