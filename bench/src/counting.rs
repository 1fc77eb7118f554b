//! What AWS bills for each thing that is relayed, counted: for `trunkline cost`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline::cost::Counted;

use crate::load::{CONVERSATIONS, Pace, paced, receipt, send};
use crate::outcome::Run;
use crate::sink::Behaviour;
use crate::world::{PAIR, World, with_archive};

/// As many as a mapping has pollers.
const WIDTH: usize = 5;
/// How many a second there are.
const RATE: u32 = 100;
/// How long it is counted.
const TIME: Duration = Duration::from_secs(10);
/// How long the far side takes.
const FAR_SIDE: Duration = Duration::from_millis(100);

/// Counts each kind, by name.
pub async fn count(programs: &Path) -> BTreeMap<&'static str, Counted> {
    let message = messages(&warm(World::configured(programs, PAIR, WIDTH).await).await, 1.0).await;
    let world = warm(World::configured(programs, with_archive(), WIDTH).await).await;
    let copied = messages(&world, 2.0).await;
    let world = warm(World::configured(programs, PAIR, WIDTH).await).await;
    messages(&world, 1.0).await;
    let receipts = receipts(&world).await;
    BTreeMap::from([
        ("copy", difference(copied, message)),
        ("message", message),
        ("receipt", receipts),
    ])
}

/// With each conversation begun, and with a far side as fast as they usually are.
async fn warm(world: World) -> Arc<World> {
    world.sink.behave(Behaviour { after: FAR_SIDE, ..Behaviour::default() });
    let world = Arc::new(world);
    for customer in 0..CONVERSATIONS {
        send(&world, (customer, 1), Instant::now()).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    world
}

async fn messages(world: &Arc<World>, far_side_calls: f64) -> Counted {
    let run = Run::begin(world);
    world.sink.take_heard();
    let pace = Pace { rate: RATE, time: TIME, copies: 1, base: 0, first: 2 };
    let sent = paced(world, pace).await;
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

/// What one has more than the other.
fn difference(one: Counted, other: Counted) -> Counted {
    // What differs by less than a hundredth differs by chance.
    let left = |a: f64, b: f64| ((a - b).max(0.0) * 100.0).round() / 100.0;
    Counted {
        inbound_runs: left(one.inbound_runs, other.inbound_runs),
        outbound_runs: left(one.outbound_runs, other.outbound_runs),
        inbound_calls: left(one.inbound_calls, other.inbound_calls),
        outbound_calls: left(one.outbound_calls, other.outbound_calls),
        far_side_calls: left(one.far_side_calls, other.far_side_calls),
        sqs_sends: left(one.sqs_sends, other.sqs_sends),
        read_units: left(one.read_units, other.read_units),
        write_units: left(one.write_units, other.write_units),
        stored_bytes: left(one.stored_bytes, other.stored_bytes),
        logged_bytes: left(one.logged_bytes, other.logged_bytes),
    }
}
