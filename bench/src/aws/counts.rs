//! Counts AWS calls and the units that AWS would bill.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Serialize;

/// Statistics of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CallStats {
    pub count: u64,
    /// Total size of the requests, in bytes.
    pub bytes: u64,
    /// `DynamoDB` read request units.
    pub read_units: f64,
    /// `DynamoDB` write request units.
    pub write_units: f64,
}

impl CallStats {
    /// Returns the statistics of one call with a body of `size` bytes.
    pub fn of(size: usize) -> Self {
        Self { count: 1, bytes: size as u64, ..Self::default() }
    }
}

/// Statistics by operation.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<String, CallStats>>);

impl Counts {
    /// Adds calls of an operation.
    pub fn add(&self, operation: &str, call: CallStats) {
        let mut calls = self.0.lock().unwrap();
        let sum = calls.entry(operation.to_owned()).or_default();
        sum.count += call.count;
        sum.bytes += call.bytes;
        sum.read_units += call.read_units;
        sum.write_units += call.write_units;
    }

    /// Returns and resets the statistics.
    pub fn take(&self) -> BTreeMap<String, CallStats> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
