//! A process of a function and its resource usage.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::Launcher;

/// The resources that processes have used.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessUsage {
    /// CPU time, user and system.
    pub cpu: Duration,
    /// Resident memory of the largest process, in bytes.
    pub memory: u64,
    /// Log output, in bytes.
    pub logged: u64,
}

impl ProcessUsage {
    /// Returns the sum of both, with the larger memory.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            memory: self.memory.max(other.memory),
            logged: self.logged + other.logged,
        }
    }

    /// Returns the usage since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            logged: self.logged.saturating_sub(before.logged),
            ..self
        }
    }
}

/// A process. Dropping it kills the process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    logged: Arc<AtomicU64>,
}

impl Process {
    /// Starts a program, which finds its Runtime API at `address`; `under` is a command that runs it.
    pub fn start(start: &Launcher, address: &str) -> Self {
        let Launcher { program, environment, wrapper } = start;
        let mut command = match &wrapper[..] {
            [] => Command::new(program),
            [tool, arguments @ ..] => {
                let mut command = Command::new(tool);
                command.args(arguments).arg(program);
                command
            }
        };
        command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|why| {
            panic!("cannot start {}: {why}. Build it first: `make bench`", program.display())
        });
        let logged = Arc::new(AtomicU64::new(0));
        let (mut output, count) = (child.stdout.take().unwrap(), Arc::clone(&logged));
        tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = output.read(&mut buffer).await {
                count.fetch_add(read as u64, Ordering::Relaxed);
            }
        });
        Self { child, logged }
    }

    /// Terminates it so that the command that runs it can write its results.
    pub async fn terminate(mut self) {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        kill_process(id.expect("the process runs"), Signal::TERM).unwrap();
        self.child.wait().await.unwrap();
    }

    /// Returns the resources that it has used.
    pub fn used(&self) -> ProcessUsage {
        let id = self.child.id().expect("the process runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = resident.and_then(|line| line.split_whitespace().next()?.parse().ok());
        ProcessUsage {
            cpu: cpu(id),
            memory: kibibytes.unwrap_or(0_u64) * 1024,
            logged: self.logged.load(Ordering::Relaxed),
        }
    }
}

/// Returns the CPU time of a process's threads, which the scheduler counts in nanoseconds.
fn cpu(id: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}
