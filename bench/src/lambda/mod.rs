//! Lambda emulation: the Runtime API, and processes that are started and measured.

mod process;
mod runtime;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::TcpListener;

pub use process::{Process, ProcessUsage};
pub use runtime::Runtime;

/// A function and its processes.
#[derive(Debug)]
pub struct Function {
    runtime: Arc<Runtime>,
    processes: Vec<Process>,
}

/// Starts the processes of a function.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// The path of the program.
    pub program: PathBuf,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// A command that runs the program, such as valgrind; empty for none.
    pub wrapper: Vec<String>,
}

impl Launcher {
    /// Returns the launcher of a program in a folder.
    pub fn new(folder: &Path, name: &str, environment: &[(String, String)]) -> Self {
        Self { program: folder.join(name), environment: environment.to_vec(), wrapper: Vec::new() }
    }

    /// Starts a number of processes with their own Runtime API.
    pub async fn function(&self, processes: usize) -> Function {
        let (runtime, address) = runtime().await;
        let processes = (0..processes).map(|_| Process::start(self, &address));
        Function { processes: processes.collect(), runtime }
    }

    /// Measures a cold start up to the first request for an invocation and, if there is an event, up to the
    /// first response.
    pub async fn cold(&self, event: Option<&Bytes>) -> StartTimes {
        let (runtime, address) = runtime().await;
        let started = Instant::now();
        let process = Process::start(self, &address);
        let next = runtime.first_asked().await.duration_since(started);
        let answer = match event {
            None => None,
            Some(event) => {
                let asked = Instant::now();
                let answer = runtime.invoke(event.clone()).await;
                assert!(answer.ok, "the first response is an error: {:?}", answer.body);
                Some(next + asked.elapsed())
            }
        };
        StartTimes { next, answer, memory: process.used().memory }
    }
}

/// The durations of a cold start.
#[derive(Debug, Clone, Copy)]
pub struct StartTimes {
    /// From process start to the first request for an invocation.
    pub next: Duration,
    /// From process start to the first response.
    pub answer: Option<Duration>,
    /// Resident memory at that time, in bytes.
    pub memory: u64,
}

async fn runtime() -> (Arc<Runtime>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (Runtime::serve(listener), address)
}

impl Function {
    /// Invokes the function as soon as one of its processes is free.
    pub async fn invoke(&self, event: Bytes) -> runtime::FunctionResponse {
        self.runtime.invoke(event).await
    }

    /// Terminates its processes so that the command that runs them can write its results.
    pub async fn terminate(self) {
        for process in self.processes {
            process.terminate().await;
        }
    }

    /// Returns the number of processes.
    pub fn width(&self) -> usize {
        self.processes.len()
    }

    /// Returns the resources that its processes have used.
    pub fn used(&self) -> ProcessUsage {
        self.processes.iter().map(Process::used).fold(ProcessUsage::default(), ProcessUsage::plus)
    }
}
