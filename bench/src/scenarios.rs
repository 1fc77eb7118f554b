//! How the load comes, and how the receiver behaves meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::load::{CONVERSATIONS, Pace, Sent, paced, send};
use crate::outcome::{Outcome, Run};
use crate::sink::Behaviour;
use crate::world::World;

/// How long it is waited for what was accepted and has not arrived.
const PATIENCE: Duration = Duration::from_secs(45);

/// A scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Each customer writes again when the bot has got the message before.
    Closed,
    /// Messages come at an even rate.
    Paced,
    /// Each of a hundred customers writes ten messages at once.
    Burst,
    /// The bot takes 200 ms to answer.
    Slow,
    /// The bot is down for five seconds.
    Outage,
    /// The bot never takes what one of the conversations says.
    Poisoned,
    /// Each message is sent three times.
    Duplicates,
}

impl Scenario {
    /// Those that are run beside the closed loop.
    pub const OTHERS: [Self; 6] =
        [Self::Paced, Self::Burst, Self::Slow, Self::Outage, Self::Poisoned, Self::Duplicates];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed loop, 16 customers",
            Self::Paced => "100 messages/s",
            Self::Burst => "burst, 100 customers x 10",
            Self::Slow => "bot takes 200 ms",
            Self::Outage => "bot down for 5 s",
            Self::Poisoned => "1 of 100 is poisoned",
            Self::Duplicates => "each sent 3 times",
        }
    }

    /// Runs it for about so long; conversations begin with number `base`.
    pub async fn run(self, world: &Arc<World>, time: Duration, base: u32) -> Outcome {
        let run = Run::begin(world);
        let rate = |rate: u32| Pace { rate, time, copies: 1, base, first: 1 };
        let sent = match self {
            Self::Closed => closed(world, time, base).await,
            Self::Paced => paced(world, rate(100)).await,
            Self::Burst => burst(world, base).await,
            Self::Slow => {
                let after = Duration::from_millis(200);
                world.sink.behave(Behaviour { after, ..Behaviour::default() });
                paced(world, rate(8)).await
            }
            Self::Outage => {
                let (sink, back) = (world.sink.clone(), Duration::from_secs(5));
                sink.behave(Behaviour { down: true, ..Behaviour::default() });
                tokio::spawn(async move {
                    tokio::time::sleep(back).await;
                    sink.behave(Behaviour::default());
                });
                paced(world, rate(50)).await
            }
            Self::Poisoned => {
                world.sink.behave(Behaviour { poisoned: Some(base), ..Behaviour::default() });
                paced(world, rate(100)).await
            }
            Self::Duplicates => paced(world, Pace { copies: 3, ..rate(50) }).await,
        };
        // The poisoned conversation's are not to arrive.
        let patience = if self == Self::Poisoned { Duration::from_secs(3) } else { PATIENCE };
        let due: Vec<Sent> =
            sent.into_iter().filter(|s| self != Self::Poisoned || s.name.0 != base).collect();
        let outcome = run.end(&due, patience).await;
        world.sink.behave(Behaviour::default());
        outcome
    }
}

async fn closed(world: &Arc<World>, time: Duration, base: u32) -> Vec<Sent> {
    let until = Instant::now() + time;
    let mut customers = JoinSet::new();
    for customer in 0..16 {
        let world = Arc::clone(world);
        customers.spawn(async move {
            let mut sent = Vec::new();
            for number in 1.. {
                if Instant::now() >= until {
                    break;
                }
                let name = (base + customer, number);
                let arrival = world.sink.expect(name);
                sent.push(send(&world, name, Instant::now()).await);
                if tokio::time::timeout(PATIENCE, arrival.notified()).await.is_err() {
                    break;
                }
            }
            sent
        });
    }
    customers.join_all().await.concat()
}

async fn burst(world: &Arc<World>, base: u32) -> Vec<Sent> {
    let mut customers = JoinSet::new();
    for customer in 0..CONVERSATIONS {
        let world = Arc::clone(world);
        customers.spawn(async move {
            let mut sent = Vec::new();
            for number in 1..=10 {
                sent.push(send(&world, (base + customer, number), Instant::now()).await);
            }
            sent
        });
    }
    customers.join_all().await.concat()
}
