//! Lambda as far as a function sees it: its Runtime API, and processes that are started and measured.

mod process;
mod runtime;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::TcpListener;

pub use process::{Process, Used};
pub use runtime::Runtime;

/// A function with its processes.
#[derive(Debug)]
pub struct Function {
    runtime: Arc<Runtime>,
    processes: Vec<Process>,
}

/// What starts a function.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its program.
    pub program: PathBuf,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// A command that runs it; empty for none.
    pub under: Vec<String>,
}

impl Start {
    /// A program of the folder, with this environment.
    pub fn new(folder: &Path, name: &str, environment: &[(String, String)]) -> Self {
        Self { program: folder.join(name), environment: environment.to_vec(), under: Vec::new() }
    }

    /// Starts it with a Runtime API of its own.
    pub async fn function(&self, processes: usize) -> Function {
        let (runtime, address) = runtime().await;
        let processes = (0..processes).map(|_| Process::start(self, &address));
        Function { processes: processes.collect(), runtime }
    }

    /// From its start to its first question for work, and to its first answer where there is an event.
    pub async fn cold(&self, event: Option<&Bytes>) -> Cold {
        let (runtime, address) = runtime().await;
        let started = Instant::now();
        let process = Process::start(self, &address);
        let next = runtime.first_asked().await.duration_since(started);
        let answer = match event {
            None => None,
            Some(event) => {
                let asked = Instant::now();
                let answer = runtime.invoke(event.clone()).await;
                assert!(answer.ok, "the first answer is an error: {:?}", answer.body);
                Some(next + asked.elapsed())
            }
        };
        Cold { next, answer, memory: process.used().memory }
    }
}

/// How a process begins.
#[derive(Debug, Clone, Copy)]
pub struct Cold {
    /// From its start to its first question for work.
    pub next: Duration,
    /// From its start to its first answer.
    pub answer: Option<Duration>,
    /// What it holds then, in bytes.
    pub memory: u64,
}

async fn runtime() -> (Arc<Runtime>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (Runtime::serve(listener), address)
}

impl Function {
    /// Has it work on an event, as soon as one of its processes is free.
    pub async fn invoke(&self, event: Bytes) -> runtime::Answer {
        self.runtime.invoke(event).await
    }

    /// Ends its processes so that whatever runs them can sum up.
    pub async fn end(self) {
        for process in self.processes {
            process.end().await;
        }
    }

    /// How many processes it has.
    pub fn width(&self) -> usize {
        self.processes.len()
    }

    /// What its processes have used so far.
    pub fn used(&self) -> Used {
        self.processes.iter().map(Process::used).fold(Used::default(), Used::plus)
    }
}
