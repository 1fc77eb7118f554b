//! An event source mapping: polls a queue and invokes a function, as Lambda does.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinSet;

use crate::aws::Aws;
use crate::lambda::Function;

/// The pollers of a queue. Dropping it stops them.
#[derive(Debug)]
pub struct EventSourceMapping {
    _pollers: JoinSet<()>,
    counts: Arc<BatchCounts>,
    /// A poll holds it for reading; a pause holds it for writing.
    gate: Arc<RwLock<()>>,
}

/// Counts since they were last taken.
#[derive(Debug, Default)]
struct BatchCounts {
    batches: AtomicU64,
    groups: AtomicU64,
}

/// A pause of the pollers. Dropping it ends the pause.
#[derive(Debug)]
pub struct Pause {
    _gate: OwnedRwLockWriteGuard<()>,
}

/// The batches of a time.
#[derive(Debug, Clone, Copy)]
pub struct Batches {
    /// The number of batches.
    pub count: u64,
    /// The sum of each batch's message groups.
    pub groups: u64,
}

impl EventSourceMapping {
    /// Starts as many pollers as the function has processes.
    pub fn start(aws: &Arc<Aws>, queue: &str, function: &Arc<Function>) -> Self {
        let (counts, gate) = (Arc::<BatchCounts>::default(), Arc::<RwLock<()>>::default());
        let mut pollers = JoinSet::new();
        for _ in 0..function.width() {
            let (aws, function) = (Arc::clone(aws), Arc::clone(function));
            let (counts, gate) = (Arc::clone(&counts), Arc::clone(&gate));
            let queue = queue.to_owned();
            pollers.spawn(async move {
                loop {
                    let _open = gate.read().await;
                    poll(&aws, &queue, &function, &counts).await;
                }
            });
        }
        Self { _pollers: pollers, counts, gate }
    }

    /// Pauses the pollers: waits until the running polls and their invocations have ended.
    pub async fn pause(&self) -> Pause {
        Pause { _gate: Arc::clone(&self.gate).write_owned().await }
    }

    /// Returns the batches since the last call.
    pub fn take_batches(&self) -> Batches {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        Batches { count: take(&self.counts.batches), groups: take(&self.counts.groups) }
    }
}

/// Polls once, and invokes the function with the batch.
async fn poll(aws: &Aws, queue: &str, function: &Function, counts: &BatchCounts) {
    let messages = aws.sqs.receive(queue).await;
    if messages.is_empty() {
        return;
    }
    let group = |message: &Value| message["Attributes"]["MessageGroupId"].to_string();
    let groups: HashSet<String> = messages.iter().map(group).collect();
    counts.batches.fetch_add(1, Ordering::Relaxed);
    counts.groups.fetch_add(groups.len() as u64, Ordering::Relaxed);
    let records: Vec<Value> = messages.iter().map(record).collect();
    let answer = function.invoke(json!({"Records": records}).to_string().into()).await;
    let response: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let failed = response["batchItemFailures"].as_array().cloned().unwrap_or_default();
    let returned = |message: &Value| {
        failed.iter().any(|failure| failure["itemIdentifier"] == message["MessageId"])
    };
    let done = messages.iter().filter(|message| answer.ok && !returned(message));
    let receipts: Vec<String> =
        done.filter_map(|message| Some(message["ReceiptHandle"].as_str()?.to_owned())).collect();
    if !receipts.is_empty() {
        aws.sqs.delete(queue, &receipts).await;
    }
}

fn record(message: &Value) -> Value {
    json!({
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench",
        "awsRegion": "us-east-1",
    })
}
