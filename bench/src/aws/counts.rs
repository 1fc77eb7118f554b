//! What was called, how often, and what AWS would bill of it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Serialize;

/// Calls of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Call {
    /// How many.
    pub count: u64,
    /// Their requests' size in bytes.
    pub bytes: u64,
    /// `DynamoDB`'s read request units.
    pub read_units: f64,
    /// `DynamoDB`'s write request units.
    pub write_units: f64,
}

impl Call {
    /// One call with a body of `size` bytes.
    pub fn of(size: usize) -> Self {
        Self { count: 1, bytes: size as u64, ..Self::default() }
    }
}

/// What was called since it was last asked, by operation.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<String, Call>>);

impl Counts {
    /// Counts calls.
    pub fn add(&self, operation: &str, call: Call) {
        let mut calls = self.0.lock().unwrap();
        let sum = calls.entry(operation.to_owned()).or_default();
        sum.count += call.count;
        sum.bytes += call.bytes;
        sum.read_units += call.read_units;
        sum.write_units += call.write_units;
    }

    /// What was called since then.
    pub fn take(&self) -> BTreeMap<String, Call> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
