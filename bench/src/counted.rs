//! Instructions, which are the same on a busy machine: of what is pure, by platform and step; and of the
//! whole functions, a message.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;
use trunkline_shared::model::Platform;

use crate::load::send;
use crate::world::{PAIR, Which, World};

/// What is counted of each platform.
const STEPS: [&str; 3] = ["read", "route", "write"];

/// How many rounds more the second run has.
const ROUNDS: u64 = 200;

/// How many messages more the second run has.
const MESSAGES: u32 = 60;

/// Instructions a round, by platform and step.
pub async fn pure(programs: &Path) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for platform in Platform::names() {
        for step in STEPS {
            let few = run(programs, platform, step, 1).await;
            let many = run(programs, platform, step, 1 + ROUNDS).await;
            counts.insert(format!("{platform} {step}"), (many - few) / ROUNDS);
        }
    }
    counts
}

async fn run(programs: &Path, platform: &str, step: &str, rounds: u64) -> u64 {
    let file = file("pure");
    let [tool, arguments @ ..] = &callgrind(&file)[..] else { unreachable!("a command") };
    let status = Command::new(tool)
        .args(arguments)
        .arg(programs.join("instructions"))
        .args([platform, step, &rounds.to_string()])
        .stdout(Stdio::null())
        .status()
        .await
        .unwrap_or_else(|why| {
            panic!("valgrind does not start: {why}. Install the package valgrind")
        });
    assert!(status.success(), "instructions {platform} {step} failed");
    summed_up(&file)
}

/// Instructions of the whole functions, a message that one customer sends after another.
pub async fn whole(programs: &Path) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for which in [Which::Floor, Which::Product] {
        let few = messages(programs, which, 10).await;
        let many = messages(programs, which, 10 + MESSAGES).await;
        for (place, way) in ["inbound", "outbound"].into_iter().enumerate() {
            let name = if which == Which::Floor { "floor" } else { "webhook" };
            counts
                .insert(format!("{name}-{way}"), (many[place] - few[place]) / u64::from(MESSAGES));
        }
    }
    counts
}

async fn messages(programs: &Path, which: Which, count: u32) -> [u64; 2] {
    let place = |name: &str| file(if name.ends_with("inbound") { "inbound" } else { "outbound" });
    let world = World::under(programs, which, PAIR, 1, |name| callgrind(&place(name))).await;
    for number in 1..=count {
        let arrival = world.sink.expect((1, number));
        let sent = send(&world, (1, number), Instant::now()).await;
        assert!(sent.accepted, "a message was not accepted");
        arrival.notified().await;
    }
    // The outcome of the last.
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.end().await;
    ["inbound", "outbound"].map(|name| summed_up(&file(name)))
}

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("trunkline-callgrind-{}-{name}", std::process::id()))
}

fn callgrind(file: &Path) -> Vec<String> {
    let out = format!("--callgrind-out-file={}", file.display());
    ["valgrind", "--tool=callgrind", "-q", &out].map(str::to_owned).into()
}

fn summed_up(file: &Path) -> u64 {
    let written = std::fs::read_to_string(file).unwrap();
    let _ = std::fs::remove_file(file);
    let summary = written.lines().find_map(|line| line.strip_prefix("summary: "));
    summary.and_then(|count| count.trim().parse().ok()).expect("callgrind sums up")
}
