//! Counts instructions, which do not depend on the load of the machine: of the pure steps by platform, and of
//! both functions per message.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::load::send;
use crate::testbed::{PAIR, TestBed, Variant};

/// The counted steps of each platform.
const STEPS: [&str; 3] = ["read", "route", "write"];

/// The additional rounds of the second run. The difference of both runs excludes the start.
const ROUNDS: u64 = 200;

/// The additional messages of the second run. The difference of both runs excludes the start.
const MESSAGES: u32 = 60;

/// Returns the instructions per round, by platform and step.
pub async fn per_step(programs: &Path) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for platform in trunkline_registry::PLATFORMS.ids() {
        for step in STEPS {
            let few = run(programs, platform, step, 1).await;
            let many = run(programs, platform, step, 1 + ROUNDS).await;
            counts.insert(format!("{platform} {step}"), (many - few) / ROUNDS);
        }
    }
    counts
}

async fn run(programs: &Path, platform: &str, step: &str, rounds: u64) -> u64 {
    let program = programs.join("instructions");
    count_instructions(&program, &[platform, step, &rounds.to_string()]).await
}

/// Returns the instructions of one run of a program.
pub async fn count_instructions(program: &Path, arguments: &[&str]) -> u64 {
    let file = file("pure");
    let [tool, options @ ..] = &callgrind(&file)[..] else { unreachable!("a command") };
    let status = Command::new(tool)
        .args(options)
        .arg(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .await
        .unwrap_or_else(|why| panic!("cannot start valgrind: {why}. Install the package valgrind"));
    assert!(status.success(), "{} {arguments:?} failed", program.display());
    read_total(&file)
}

/// Returns the instructions per message of each function. One customer sends one message at a time.
pub async fn per_message(programs: &Path) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for variant in [Variant::FloorNow, Variant::Product] {
        let few = messages(programs, variant, 10).await;
        let many = messages(programs, variant, 10 + MESSAGES).await;
        for (place, way) in ["inbound", "outbound"].into_iter().enumerate() {
            let name = if variant == Variant::FloorNow { "floor" } else { "webhook" };
            counts
                .insert(format!("{name}-{way}"), (many[place] - few[place]) / u64::from(MESSAGES));
        }
    }
    counts
}

async fn messages(programs: &Path, variant: Variant, count: u32) -> [u64; 2] {
    let place = |name: &str| file(if name.ends_with("inbound") { "inbound" } else { "outbound" });
    let bed = TestBed::wrapped(programs, variant, PAIR, 1, |name| callgrind(&place(name))).await;
    for number in 1..=count {
        let arrival = bed.receiver.arrival_of((1, number));
        let sent = send(&bed, (1, number), Instant::now()).await;
        assert!(sent.accepted, "a message was not accepted");
        arrival.notified().await;
    }
    // Wait until the outcome of the last message is written.
    tokio::time::sleep(Duration::from_secs(1)).await;
    bed.shut_down().await;
    ["inbound", "outbound"].map(|name| read_total(&file(name)))
}

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("trunkline-callgrind-{}-{name}", std::process::id()))
}

fn callgrind(file: &Path) -> Vec<String> {
    let out = format!("--callgrind-out-file={}", file.display());
    ["valgrind", "--tool=callgrind", "-q", &out].map(str::to_owned).into()
}

fn read_total(file: &Path) -> u64 {
    let written = std::fs::read_to_string(file).unwrap();
    let _ = std::fs::remove_file(file);
    let summary = written.lines().find_map(|line| line.strip_prefix("summary: "));
    summary.and_then(|count| count.trim().parse().ok()).expect("callgrind sums up")
}
