//! Cold starts and sizes of the functions.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use crate::functions::{Function, floors, functions};
use crate::lambda::Launcher;
use crate::measurement::Percentiles;
use crate::testbed::{Backend, DEMO};

/// The cold start and size of a function.
#[derive(Debug, Clone, Serialize)]
pub struct ColdStart {
    pub name: String,
    /// Size of the program, in bytes.
    pub size: u64,
    /// Size of the zipped program, in bytes.
    pub zip: u64,
    /// From process start to the first request for an invocation.
    pub next: Percentiles,
    /// From process start to the response to the sample event; `None` if there is no sample event.
    pub answer: Option<Percentiles>,
    /// Resident memory after the start or the first response, in MB.
    pub memory_mb: f64,
}

/// Starts each function `rounds` times.
pub async fn measure(programs: &Path, rounds: usize) -> Vec<ColdStart> {
    let backend = Backend::start(programs, DEMO).await;
    let mut all = Vec::new();
    if rounds == 0 {
        return all;
    }
    for function in floors().into_iter().chain(functions()) {
        let start = backend.function(&function.name);
        // One after the other: after an event that waits, the next start would find the processor asleep.
        let (mut cold, mut answered) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            cold.push(start.cold(None).await);
        }
        let event = sample(&function);
        for event in event.iter().cycle().take(rounds) {
            answered.push(start.cold(Some(event)).await);
        }
        let memory = cold.iter().chain(&answered).map(|cold| cold.memory).max().unwrap_or_default();
        all.push(ColdStart {
            size: program_size(&start),
            zip: zip_size(&start),
            next: Percentiles::of(cold.iter().map(|cold| cold.next)),
            answer: event.map(|_| Percentiles::of(answered.iter().filter_map(|cold| cold.answer))),
            memory_mb: memory as f64 / 1e6,
            name: function.name,
        });
    }
    all
}

/// Returns the function's sample event, if it has one.
fn sample(function: &Function) -> Option<Bytes> {
    let event = function.event.as_ref()?;
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
    let text = std::fs::read(format!("{root}{event}"));
    Some(text.unwrap_or_else(|why| panic!("{event}: {why}")).into())
}

/// Returns the zipped size of each function, in bytes.
pub fn sizes(programs: &Path) -> BTreeMap<String, u64> {
    let size_of = |name: &str| zip_size(&Launcher::new(programs, name, &[]));
    functions()
        .into_iter()
        .map(|function| (function.name.clone(), size_of(&function.name)))
        .collect()
}

fn program_size(start: &Launcher) -> u64 {
    std::fs::metadata(&start.program).map_or(0, |found| found.len())
}

/// Returns the compressed size of a program, as `sam deploy` packs it, in bytes.
fn zip_size(start: &Launcher) -> u64 {
    let program = std::fs::read(&start.program).unwrap();
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&program).unwrap();
    packed.finish().unwrap().len() as u64
}
