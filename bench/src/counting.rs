//! What AWS bills for each thing that is relayed, counted: for `trunkline cost`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinSet;

use crate::load::{receipt, send};
use crate::outcome::Run;
use crate::sink::Behaviour;
use crate::world::{PAIR, WITH_ARCHIVE, World};

/// As many as a mapping has pollers.
const WIDTH: usize = 5;
/// How many a second there are.
const RATE: u32 = 100;
/// How long it is counted, in seconds.
const SECONDS: u32 = 10;
/// How long the far side takes.
const FAR_SIDE: Duration = Duration::from_millis(100);

/// What one of a kind comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Counted {
    /// Runs of inbound functions.
    pub inbound_runs: f64,
    /// Runs of outbound functions, each of which was one batch that was received and deleted.
    pub outbound_runs: f64,
    /// AWS calls of inbound functions.
    pub inbound_calls: f64,
    /// AWS calls of outbound functions.
    pub outbound_calls: f64,
    /// Calls of far sides.
    pub far_side_calls: f64,
    /// Messages sent to queues, in pieces of 64 KiB.
    pub sqs_sends: f64,
    /// `DynamoDB`'s read request units.
    pub read_units: f64,
    /// `DynamoDB`'s write request units.
    pub write_units: f64,
    /// Bytes of what is written to the table; overstated by what requests have around it.
    pub stored_bytes: f64,
    /// Bytes logged.
    pub logged_bytes: f64,
}

/// Counts each kind, by name.
pub async fn count(programs: &Path) -> BTreeMap<&'static str, Counted> {
    let message = messages(&warm(World::configured(programs, PAIR, WIDTH).await).await, 1.0).await;
    let world = warm(World::configured(programs, WITH_ARCHIVE, WIDTH).await).await;
    let copied = messages(&world, 2.0).await;
    let world = warm(World::configured(programs, PAIR, WIDTH).await).await;
    messages(&world, 1.0).await;
    let receipts = receipts(&world).await;
    BTreeMap::from([("copy", copied.minus(message)), ("message", message), ("receipt", receipts)])
}

/// With each conversation begun, and with a far side as fast as they usually are.
async fn warm(world: World) -> Arc<World> {
    world.sink.behave(Behaviour { after: FAR_SIDE, ..Behaviour::default() });
    let world = Arc::new(world);
    for customer in 0..RATE {
        send(&world, (customer, 1), Instant::now()).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    world
}

async fn messages(world: &Arc<World>, far_side_calls: f64) -> Counted {
    let run = Run::begin(world);
    world.sink.take_heard();
    let (began, mut sent) = (Instant::now(), JoinSet::new());
    for place in 0..RATE * SECONDS {
        let at = began + Duration::from_secs(1) * place / RATE;
        tokio::time::sleep_until(at.into()).await;
        let world = Arc::clone(world);
        sent.spawn(async move { send(&world, (place % RATE, 2 + place / RATE), at).await });
    }
    let sent = sent.join_all().await;
    let counted = run.counted(&sent, Duration::from_secs(20)).await;
    Counted { far_side_calls, ..counted }
}

/// Of the messages that the bot got last, it says that it has read them.
async fn receipts(world: &Arc<World>) -> Counted {
    let (run, heard) = (Run::begin(world), world.sink.take_heard());
    let (before, until) = (world.sink.elsewhere(), Instant::now() + Duration::from_secs(20));
    let began = Instant::now();
    for (place, heard) in heard.iter().enumerate() {
        let at = began + Duration::from_secs(1) * u32::try_from(place).unwrap_or(0) / RATE;
        tokio::time::sleep_until(at.into()).await;
        let answer = world.inbound.invoke(receipt(heard).to_string().into()).await;
        assert!(answer.ok, "{:?}", answer.body);
    }
    let expected = before + heard.len() as u64;
    while world.sink.elsewhere() < expected && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.sink.elsewhere(), expected, "each receipt reaches the channel");
    tokio::time::sleep(Duration::from_millis(300)).await;
    Counted { far_side_calls: 1.0, ..run.count_of(heard.len() as f64) }
}

impl Counted {
    fn minus(self, other: Self) -> Self {
        // What differs by less than a hundredth differs by chance.
        let left = |a: f64, b: f64| ((a - b).max(0.0) * 100.0).round() / 100.0;
        Self {
            inbound_runs: left(self.inbound_runs, other.inbound_runs),
            outbound_runs: left(self.outbound_runs, other.outbound_runs),
            inbound_calls: left(self.inbound_calls, other.inbound_calls),
            outbound_calls: left(self.outbound_calls, other.outbound_calls),
            far_side_calls: left(self.far_side_calls, other.far_side_calls),
            sqs_sends: left(self.sqs_sends, other.sqs_sends),
            read_units: left(self.read_units, other.read_units),
            write_units: left(self.write_units, other.write_units),
            stored_bytes: left(self.stored_bytes, other.stored_bytes),
            logged_bytes: left(self.logged_bytes, other.logged_bytes),
        }
    }
}
