//! How functions start, and how large they are.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use crate::functions::{Function, floors, functions};
use crate::lambda::Start;
use crate::outcome::Times;
use crate::world::{DEMO, Ground};

/// How a function starts.
#[derive(Debug, Clone, Serialize)]
pub struct Cold {
    /// Its name.
    pub name: String,
    /// Its program's size in bytes.
    pub size: u64,
    /// What is uploaded of it, in bytes.
    pub zip: u64,
    /// From its start to its first question for work.
    pub next: Times,
    /// From its start to the answer to its sample event; absent where that would take minutes.
    pub answer: Option<Times>,
    /// What it holds when it asks for work, or has answered, in megabytes.
    pub memory_mb: f64,
}

/// Starts each function so often, in turn with the hello-world.
pub async fn starts(programs: &Path, rounds: usize) -> Vec<Cold> {
    let ground = Ground::start(programs, DEMO).await;
    let mut all = Vec::new();
    if rounds == 0 {
        return all;
    }
    for function in floors().into_iter().chain(functions()) {
        let start = ground.function(&function.name);
        let (mut cold, mut answered) = (Vec::new(), Vec::new());
        let event = sample(&function);
        for _ in 0..rounds {
            cold.push(start.cold(None).await);
            if let Some(event) = &event {
                answered.push(start.cold(Some(event)).await);
            }
        }
        let memory = cold.iter().chain(&answered).map(|cold| cold.memory).max().unwrap_or_default();
        all.push(Cold {
            size: size(&start),
            zip: zipped(&start),
            next: Times::of(cold.iter().map(|cold| cold.next)),
            answer: event.map(|_| Times::of(answered.iter().filter_map(|cold| cold.answer))),
            memory_mb: memory as f64 / 1e6,
            name: function.name,
        });
    }
    all
}

/// The function's sample event, where it is answered at once.
fn sample(function: &Function) -> Option<Bytes> {
    let event = function.event.as_ref()?;
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
    let text = std::fs::read(format!("{root}{event}"));
    Some(text.unwrap_or_else(|why| panic!("{event}: {why}")).into())
}

/// The functions' sizes as they are uploaded.
pub fn sizes(programs: &Path) -> BTreeMap<String, u64> {
    let zipped = |name: &str| zipped(&Start::new(programs, name, &[]));
    functions()
        .into_iter()
        .map(|function| (function.name.clone(), zipped(&function.name)))
        .collect()
}

fn size(start: &Start) -> u64 {
    std::fs::metadata(&start.program).map_or(0, |found| found.len())
}

/// The size of a program in a zip, as `sam deploy` packs it.
fn zipped(start: &Start) -> u64 {
    let program = std::fs::read(&start.program).unwrap();
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&program).unwrap();
    packed.finish().unwrap().len() as u64
}
