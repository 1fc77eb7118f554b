//! Tells what is being done, and how long it took.

use std::time::Instant;

/// Tells each step of something that takes a while.
#[derive(Debug)]
pub struct Progress {
    total: usize,
    step: usize,
    since: Option<Instant>,
}

impl Progress {
    /// Something of `total` steps.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self { total, step: 0, since: None }
    }

    /// The next step begins; the one before is done.
    pub fn step(&mut self, what: &str) {
        self.done();
        self.step += 1;
        self.since = Some(Instant::now());
        println!("[{}/{}] {what} …", self.step, self.total);
    }

    /// The last step is done.
    pub fn done(&mut self) {
        if let Some(since) = self.since.take() {
            println!("      done in {:.1} s", since.elapsed().as_secs_f32());
        }
    }
}
