//! An event source mapping: polls a queue and invokes a function, as Lambda does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::aws::Aws;
use crate::lambda::Function;

/// The pollers of a queue. Dropping it stops them.
#[derive(Debug)]
pub struct EventSourceMapping {
    _pollers: JoinSet<()>,
    batches: Arc<AtomicU64>,
}

impl EventSourceMapping {
    /// Starts as many pollers as the function has processes.
    pub fn start(aws: &Arc<Aws>, queue: &'static str, function: &Arc<Function>) -> Self {
        let batches = Arc::new(AtomicU64::new(0));
        let mut pollers = JoinSet::new();
        for _ in 0..function.width() {
            let (aws, function) = (Arc::clone(aws), Arc::clone(function));
            let batches = Arc::clone(&batches);
            pollers.spawn(async move {
                loop {
                    if poll(&aws, queue, &function).await {
                        batches.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        Self { _pollers: pollers, batches }
    }

    /// Returns the number of batches since the last call.
    pub fn take_batches(&self) -> u64 {
        self.batches.swap(0, Ordering::Relaxed)
    }
}

/// Polls once. Returns whether there was a batch.
async fn poll(aws: &Aws, queue: &str, function: &Function) -> bool {
    let messages = aws.sqs.receive(queue).await;
    if messages.is_empty() {
        return false;
    }
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
    true
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
