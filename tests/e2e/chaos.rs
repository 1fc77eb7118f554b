//! Fault runs: many conversations, a receiver that goes down, and workers that die. Small in
//! `make test`; full size in `make chaos`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use trunkline_tests::{Behaviour, Fault, Heard, Scene, World, kill, webex_message, workers_of};

/// How large a run is.
#[derive(Debug, Clone, Copy)]
struct Size {
    conversations: usize,
    messages: usize,
    down: Duration,
    rounds: usize,
}

fn size() -> Size {
    if std::env::var("TRUNKLINE_CHAOS").is_ok_and(|size| size == "full") {
        return Size { conversations: 100, messages: 20, down: Duration::from_secs(30), rounds: 5 };
    }
    Size { conversations: 20, messages: 5, down: Duration::from_secs(8), rounds: 2 }
}

/// How long between two kills.
const KILL_EVERY: Duration = Duration::from_secs(3);
/// How many senders write at once: as many as the local AWS bears, or so few that nothing queues.
const MANY: usize = 8;
const FEW: usize = 2;
/// By when all must have arrived, after the last was accepted.
const PATIENCE: Duration = Duration::from_mins(8);

fn name(conversation: usize, message: usize) -> String {
    format!("c-{conversation:03} message {message:03}")
}

/// Writes a conversation's messages one after the other, each until it is accepted, as Webex Connect
/// would; answers with when each was.
async fn write(scene: &Scene<'_>, conversation: usize, messages: usize) -> Vec<(String, Instant)> {
    let mut accepted = Vec::with_capacity(messages);
    for message in 0..messages {
        let text = name(conversation, message);
        let body = webex_message(&format!("c-{conversation}"), &format!("m-{message}"), &text);
        while scene.post("webex", body.clone(), &[]).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        accepted.push((text, Instant::now()));
    }
    accepted
}

async fn write_all(scene: &Scene<'_>, size: Size, senders: usize) -> HashMap<String, Instant> {
    stream::iter(0..size.conversations)
        .map(|conversation| write(scene, conversation, size.messages))
        .buffer_unordered(senders)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .flatten()
        .collect()
}

/// Waits until every accepted message was taken; answers with how many never were.
async fn settle(scene: &Scene<'_>, accepted: &HashMap<String, Instant>) -> usize {
    let end = Instant::now() + PATIENCE;
    loop {
        let taken: std::collections::HashSet<String> =
            scene.far.taken("/bot").iter().map(Heard::text).collect();
        let lost = accepted.keys().filter(|text| !taken.contains(*text)).count();
        if lost == 0 || Instant::now() > end {
            return lost;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// How often something arrived after what follows it in its conversation, repeats included.
fn inversions(taken: &[Heard]) -> usize {
    let mut last: HashMap<String, String> = HashMap::new();
    let mut inversions = 0;
    for text in taken.iter().map(Heard::text) {
        let (conversation, _) = text.split_once(' ').unwrap();
        let before = last.insert(conversation.to_owned(), text.clone());
        inversions += usize::from(before.is_some_and(|before| before > text));
    }
    inversions
}

/// Repeats, and those of them that a receiver could not tell by their `webhook-id`.
fn repeats(taken: &[Heard]) -> (usize, usize) {
    let mut ids: HashMap<String, String> = HashMap::new();
    let (mut repeats, mut unmarked) = (0, 0);
    for heard in taken {
        let id = heard.header("webhook-id").to_owned();
        if let Some(first) = ids.insert(heard.text(), id.clone()) {
            repeats += 1;
            unmarked += usize::from(first != id);
        }
    }
    (repeats, unmarked)
}

pub async fn nothing_is_lost_or_out_of_order_while_all_goes_wrong(world: &World) {
    let size = size();
    let scene = Scene::usual(world, "chaos").await;
    let (over, kills) = (AtomicBool::new(false), AtomicUsize::new(0));
    let since = Instant::now();
    let killer = async {
        // By turns whichever worker it is, and the next that makes one of these calls for this scene.
        let points = ["UpdateItem", "SendMessage", "TransactWriteItems", "PutItem"];
        let mut turn = 0;
        while !over.load(Ordering::Relaxed) {
            tokio::time::sleep(KILL_EVERY).await;
            turn += 1;
            let workers = workers_of(world.port());
            if turn % 2 == 0 {
                world.tap.will(Fault::Kill, points[turn / 2 % points.len()], "chaos-", 0, 1);
            } else if let Some(worker) = workers.get((turn * 7) % workers.len().max(1)) {
                kill(*worker);
            } else {
                continue;
            }
            kills.fetch_add(1, Ordering::Relaxed);
        }
    };
    let run = async {
        let receiver = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            scene.far.always(Some(Behaviour::down()));
            tokio::time::sleep(size.down).await;
            scene.far.always(None);
            Instant::now()
        };
        let (accepted, back) = join(write_all(&scene, size, MANY), receiver).await;
        // The workers go on dying for as long again while all that is parked flows.
        tokio::time::sleep(size.down / 2).await;
        over.store(true, Ordering::Relaxed);
        (accepted, back)
    };
    let ((accepted, back), ()) = join(run, killer).await;
    let lost = settle(&scene, &accepted).await;
    let taken = scene.far.taken("/bot");
    let (repeated, unmarked) = repeats(&taken);
    let inverted = inversions(&taken);
    let first = taken.iter().map(|heard| heard.at).find(|at| *at >= back);
    println!(
        "chaos: {} conversations of {} messages, receiver down {:?}, {} kills: accepted {}, lost {lost}, \
         inversions {inverted}, repeats {repeated} (of which not to be told: {unmarked}), attempts {}, \
         first delivery {:?} after the receiver's return, all done in {:?}",
        size.conversations,
        size.messages,
        size.down,
        kills.load(Ordering::Relaxed),
        accepted.len(),
        scene.far.heard("/bot").len(),
        first.map(|at| at - back),
        since.elapsed(),
    );
    assert_eq!(accepted.len(), size.conversations * size.messages);
    assert_eq!((lost, inverted, unmarked), (0, 0, 0));
}

/// How long each message took from acceptance to arrival, but for those of the poisoned conversation.
async fn times(world: &World, name: &str, poisoned: bool, size: Size) -> Vec<Duration> {
    let scene = Scene::usual(world, name).await;
    if poisoned {
        scene.far.poisoned_by("c-000 ", Behaviour::Answers(500, vec![]));
    }
    let mut accepted = write_all(&scene, size, FEW).await;
    accepted.retain(|text, _| !text.starts_with("c-000 "));
    assert_eq!(settle(&scene, &accepted).await, 0);
    let taken = scene.far.taken("/bot");
    let time =
        |heard: &Heard| Some(heard.at.saturating_duration_since(*accepted.get(&heard.text())?));
    taken.iter().filter_map(time).collect()
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

pub async fn one_poisoned_conversation_does_not_hold_up_the_others(world: &World) {
    let size = Size { messages: 3, ..size() };
    // One stall of the machine is a percentile of so few messages, so a measurement may be repeated.
    for measurement in 0..3 {
        let (with, without) = compare(world, measurement, size).await;
        // Ten percent, and what one tick of the machine may add to so short a time.
        if with <= without.mul_f64(1.1) + Duration::from_millis(25) {
            return;
        }
    }
    panic!("three times in a row the others were slower beside a poisoned conversation");
}

/// The 99th percentile of all but the poisoned conversation: with it, and without.
async fn compare(world: &World, measurement: usize, size: Size) -> (Duration, Duration) {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    // In turn, and each first as often, so that whatever else the machine does falls on both.
    for round in 0..size.rounds {
        for poisoned in [round % 2 == 1, round % 2 == 0] {
            let kind = if poisoned { "poisoned" } else { "healthy" };
            let name = format!("{kind}-{measurement}-{round}");
            let times = times(world, &name, poisoned, size).await;
            if poisoned { with.extend(times) } else { without.extend(times) }
        }
    }
    let (p99_without, p99_with) = (percentile(&mut without, 99), percentile(&mut with, 99));
    println!(
        "poisoned: of {} messages of the others p50 {:?}, p99 {p99_with:?}; without it p50 {:?}, p99 {p99_without:?}",
        with.len(),
        percentile(&mut with, 50),
        percentile(&mut without, 50),
    );
    (p99_with, p99_without)
}
