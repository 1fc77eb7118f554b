//! Lambda's recursive loop detection.
//!
//! Lambda counts how often each function runs in a chain of messages, and stops the chain after about 16 runs of one
//! function. A stopped message stays in its queue and is received again. Source: Lambda guide, "Use Lambda recursive loop
//! detection". Assumption: the chain of a batch is that of each of its messages, with the highest counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use serde_json::Value;

/// The number of runs of a function that Lambda allows in a chain.
const MAX_RUNS: u32 = 16;

/// How often each function ran in a chain.
pub type Lineage = BTreeMap<String, u32>;

/// The chains of the messages in all queues.
#[derive(Debug, Default)]
pub(super) struct Lineages {
    /// The chain of each message, by its SQS id.
    messages: Mutex<HashMap<String, Lineage>>,
}

impl Lineages {
    /// Returns the chain that a run of a function for these messages continues; `None` if Lambda refuses the run.
    pub(super) fn of_run<'a>(
        &self,
        function: &str,
        messages: impl Iterator<Item = &'a str>,
    ) -> Option<Lineage> {
        let known = self.messages.lock().unwrap();
        let mut lineage = Lineage::new();
        for (name, runs) in messages.filter_map(|id| known.get(id)).flatten() {
            let longest = lineage.entry(name.clone()).or_default();
            *longest = (*longest).max(*runs);
        }
        let runs = lineage.entry(function.to_owned()).or_default();
        *runs += 1;
        (*runs <= MAX_RUNS).then_some(lineage)
    }

    /// Records that a run in this chain sent messages: `answer` is that of SQS.
    pub(super) fn record_sent(&self, lineage: &Lineage, answer: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return };
        let batch = answer["Successful"].as_array().into_iter().flatten();
        let ids = batch.chain([&answer]).filter_map(|sent| sent["MessageId"].as_str());
        let mut known = self.messages.lock().unwrap();
        known.extend(ids.map(|id| (id.to_owned(), lineage.clone())));
    }
}
