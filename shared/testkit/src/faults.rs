//! Faults at AWS calls: which call fails, and how.

use std::sync::Mutex;
use std::time::Duration;

use crate::aws::CallRecord;

/// What happens to an AWS call. The SDK makes up to three attempts of a call; a fault applies to all of
/// them if nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The service answers with an internal error and does nothing.
    Refuse,
    /// The service throttles the call and does nothing.
    Throttle,
    /// The service answers after a delay. The SDK waits for one second.
    Delay(Duration),
    /// A transaction is cancelled because another writer is writing one of its items; any other call is
    /// refused.
    TransactionConflict,
    /// The table processes only the first half of a batch: it returns the other keys, or an error for each other
    /// statement. A batch of one is processed.
    ///
    /// Sources: `DynamoDB` API reference, `BatchGetItem` and `BatchExecuteStatement`.
    Unprocessed,
    /// The service does what is asked, and its answer is lost.
    LoseAnswer,
    /// Like [`Fault::LoseAnswer`], but only the first attempt: the SDK's next one is answered.
    LoseFirstAnswer,
    /// The process crashes before the call.
    CrashBefore,
    /// The process crashes after the service has done what is asked.
    CrashAfter,
}

/// The calls to which a fault applies.
type Predicate = Box<dyn Fn(&CallRecord) -> bool + Send>;

struct Rule {
    applies: Predicate,
    /// How many matching calls pass before the fault.
    skip: usize,
    /// How many calls fail; `None`: all.
    times: Option<usize>,
    fault: Fault,
}

/// The faults of a test. Add one with [`Faults::at_call`], [`Faults::at`] or [`Faults::when`].
#[derive(Default)]
pub struct Faults(Mutex<Vec<Rule>>);

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults").finish_non_exhaustive()
    }
}

impl Faults {
    /// Adds a fault at one call: number `number` of those that functions make, from 1. See
    /// [`CallRecord::number`].
    pub fn at_call(&self, number: usize, fault: Fault) {
        self.when(move |call| call.number == number, 0, Some(1), fault);
    }

    /// Adds a fault at the `nth` call of an operation from now on, counted from 1, such as the first
    /// `TransactWriteItems`. An empty operation matches every operation of the service.
    pub fn at(&self, service: &'static str, operation: &'static str, nth: usize, fault: Fault) {
        let applies = move |call: &CallRecord| {
            call.service == service && (operation.is_empty() || call.operation == operation)
        };
        self.when(applies, nth.saturating_sub(1), Some(1), fault);
    }

    /// Adds a fault at the calls for which `applies` is true: after the first `skip` of them, for the next
    /// `times`, or for all.
    pub fn when(
        &self,
        applies: impl Fn(&CallRecord) -> bool + Send + 'static,
        skip: usize,
        times: Option<usize>,
        fault: Fault,
    ) {
        self.0.lock().unwrap().push(Rule { applies: Box::new(applies), skip, times, fault });
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Returns the fault of a call. Called once for each call, not for its repeated attempts.
    pub(crate) fn take(&self, call: &CallRecord) -> Option<Fault> {
        let mut rules = self.0.lock().unwrap();
        for rule in rules.iter_mut() {
            if rule.times == Some(0) || !(rule.applies)(call) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times = rule.times.map(|times| times - 1);
            return Some(rule.fault);
        }
        None
    }
}
