//! What AWS does and an emulator that answers at once does not: calls take time, and transactions on the same item
//! conflict while they overlap.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::AwsRequest;

/// The manners of AWS. All are off at first.
#[derive(Debug, Default)]
pub struct Manners {
    /// How long each call takes.
    latency: Mutex<Duration>,
    /// The items that a transaction is writing now: the keys as JSON.
    in_transaction: Arc<Mutex<HashSet<String>>>,
}

impl Manners {
    /// Makes every call of a function take this long. Transactions that overlap then conflict.
    pub fn set_latency(&self, latency: Duration) {
        *self.latency.lock().unwrap() = latency;
    }

    /// Begins a call, and waits as long as it takes. `None`: it is a transaction on an item that another one is writing.
    pub(super) async fn begin(&self, operation: &str, request: &AwsRequest) -> Option<Held> {
        let keys = if operation == "TransactWriteItems" { keys(request) } else { HashSet::new() };
        let held = self.hold(keys)?;
        let latency = *self.latency.lock().unwrap();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        Some(held)
    }

    fn hold(&self, keys: HashSet<String>) -> Option<Held> {
        let mut busy = self.in_transaction.lock().unwrap();
        if !busy.is_disjoint(&keys) {
            return None;
        }
        busy.extend(keys.iter().cloned());
        Some(Held { keys, busy: Arc::clone(&self.in_transaction) })
    }
}

/// The items of a transaction while it runs.
#[derive(Debug, Default)]
pub(super) struct Held {
    keys: HashSet<String>,
    busy: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.busy.lock().unwrap().retain(|key| !self.keys.contains(key));
    }
}

/// Returns the keys of a transaction's items.
fn keys(request: &AwsRequest) -> HashSet<String> {
    let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let writes = asked["TransactItems"].as_array().into_iter().flatten();
    let writes = writes.filter_map(|write| write.as_object()?.values().next());
    let key = |write: &Value| {
        let part = |name: &str| {
            let found = write["Key"].get(name).or_else(|| write["Item"].get(name));
            found.map(Value::to_string).unwrap_or_default()
        };
        format!("{} {}", part("pk"), part("sk"))
    };
    writes.map(key).collect()
}
