//! Records every secret that a test run uses, so that the last tests can search the logs for them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

static USED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Minimum length in bytes. A shorter secret could occur in a log by chance.
const SHORTEST: usize = 8;

/// Records a secret and its kind.
pub fn record_secret(kind: &str, secret: &str) {
    if secret.len() >= SHORTEST {
        let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert(secret.to_owned(), kind.to_owned());
    }
}

/// Returns all recorded secrets with their kinds.
pub fn recorded_secrets() -> BTreeMap<String, String> {
    USED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
