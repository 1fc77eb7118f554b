//! Every secret that a run uses or is given, so that at its end no log may be found to hold one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

static USED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// What is shorter could stand anywhere by chance.
const SHORTEST: usize = 8;

/// Notes a secret, and of what kind it is.
pub fn uses_secret(kind: &str, secret: &str) {
    if secret.len() >= SHORTEST {
        let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert(secret.to_owned(), kind.to_owned());
    }
}

/// All that were noted: the secret, and its kind.
pub fn secrets_used() -> BTreeMap<String, String> {
    USED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
