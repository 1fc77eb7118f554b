//! Prints the steps of a long operation and their durations.

use std::time::Instant;

/// Prints the steps of a long operation and their durations.
#[derive(Debug)]
pub struct Progress {
    total: usize,
    step: usize,
    since: Option<Instant>,
}

impl Progress {
    /// Starts an operation of `total` steps.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self { total, step: 0, since: None }
    }

    /// Ends the current step and starts the next.
    pub fn step(&mut self, what: &str) {
        self.done();
        self.step += 1;
        self.since = Some(Instant::now());
        println!("[{}/{}] {what} …", self.step, self.total);
    }

    /// Ends the current step.
    pub fn done(&mut self) {
        if let Some(since) = self.since.take() {
            println!("      done in {:.1} s", since.elapsed().as_secs_f32());
        }
    }
}
