//! The real template on this machine: a local AWS, deployed to by SAM, and a conversation to look at.

pub mod demo;
mod deploy;
mod ministack;
mod progress;

use std::path::{Path, PathBuf};

use crate::stack::{Stack, StackError};

pub use ministack::LocalAws;
pub use progress::Progress;

/// The stack's name, here as in `samconfig.toml`.
pub const STACK: &str = "trunkline";

/// A client for what stands around a local stack: far sides, tests. Trunkline's own calls do not go
/// through it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "not Trunkline's own calls")]
pub fn plain_http() -> reqwest::Client {
    // The client wants a TLS provider even where it only speaks plain http.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Where things are.
#[derive(Debug, Clone)]
pub struct Places {
    /// The project's folder.
    pub project: PathBuf,
    /// Where the pinned tools are installed.
    pub tools: PathBuf,
    /// Where logs are written.
    pub logs: PathBuf,
}

impl Places {
    /// The places of the project in `project`. Logs go to `.local/<name>`.
    #[must_use]
    pub fn of(project: &Path, name: &str) -> Self {
        Self {
            project: project.to_owned(),
            tools: project.join(".tools"),
            logs: project.join(".local").join(name),
        }
    }

    fn tool(&self, environment: &str, name: &str) -> Result<PathBuf, LocalError> {
        let path = self.tools.join(environment).join("bin").join(name);
        if path.is_file() { Ok(path) } else { Err(LocalError::NoTool(path)) }
    }
}

/// How a local stack is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The local AWS's port, on 127.0.0.1.
    pub port: u16,
    /// Where functions call AWS, if not there itself: lets a test stand between.
    pub functions_endpoint: Option<String>,
    /// Further parameters of the template, as `Name=value`.
    pub parameters: Vec<String>,
}

/// Why there is no local stack.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A tool is not installed.
    #[error("{0} is not installed: run `make tools`")]
    NoTool(PathBuf),
    /// A function is not built.
    #[error("{0} is not built: run `make build`")]
    NotBuilt(PathBuf),
    /// A port is taken.
    #[error("the port {port} is taken: stop what uses it, or choose another with {option}")]
    PortTaken {
        /// Which.
        port: u16,
        /// The option that chooses another.
        option: &'static str,
    },
    /// A program could not be run.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        cause: std::io::Error,
    },
    /// The local AWS did not come up.
    #[error("the local AWS did not come up within {seconds} s; its log is {log}")]
    NotUp {
        /// How long was waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// SAM failed.
    #[error("sam deploy failed; the end of {log}:\n{tail}")]
    Deploy {
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// The stack cannot be read.
    #[error(transparent)]
    Stack(#[from] StackError),
}

impl LocalError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Io { what, cause }
    }
}

/// A running local stack. When it is dropped, nothing of it is left running.
#[derive(Debug)]
pub struct LocalStack {
    /// The local AWS.
    pub aws: LocalAws,
    /// The deployed stack.
    pub stack: Stack,
}

impl LocalStack {
    /// Starts a local AWS and deploys the template to it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn start(
        places: &Places,
        options: &Options,
        progress: &mut Progress,
    ) -> Result<Self, LocalError> {
        deploy::check_built(places)?;
        progress.step("starting the local AWS");
        let aws = LocalAws::start(places, options).await?;
        progress.step("deploying template.yaml with sam deploy");
        deploy::deploy(places, &aws, &options.parameters).await?;
        let config = crate::stack::local(&aws.endpoint()).await?;
        let stack = Stack::find(&config, STACK).await?;
        progress.done();
        Ok(Self { aws, stack })
    }

    /// Deploys what is in `places` over what is there, as one who changes the version would.
    ///
    /// # Errors
    /// If SAM fails.
    pub async fn deploy(&self, places: &Places, parameters: &[String]) -> Result<(), LocalError> {
        deploy::check_built(places)?;
        deploy::deploy(places, &self.aws, parameters).await
    }
}
