//! A local stack: a local AWS, and the template deployed to it by SAM.

mod deploy;
mod ministack;
mod progress;
mod template;

use std::path::{Path, PathBuf};

use crate::stack::{Stack, StackError};

pub use ministack::LocalAws;
pub use progress::Progress;

/// The name of the local stack, as in `samconfig.toml`.
pub const STACK: &str = "trunkline";

/// Returns an HTTP client for tests and simulated platforms. Trunkline's own calls do not use it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "not Trunkline's own calls")]
pub fn plain_http() -> reqwest::Client {
    // `reqwest` requires a TLS provider even for plain http.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Paths of a local stack.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The folder of the project.
    pub project: PathBuf,
    /// The folder of the pinned tools.
    pub tools: PathBuf,
    /// The folder of the logs.
    pub logs: PathBuf,
}

impl Paths {
    /// Returns the paths of the project in `project`. Logs go to `.local/<name>`.
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

/// Options of a local stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The port of the local AWS on 127.0.0.1.
    pub port: u16,
    /// The AWS endpoint of the functions; `None` for the local AWS itself. A test can set a proxy.
    pub functions_endpoint: Option<String>,
    /// Additional parameters of the template, as `Name=value`.
    pub parameters: Vec<String>,
    /// How many invocations the account allows at once; `None` for 1,000. A new AWS account allows 10.
    pub account_concurrency: Option<u16>,
}

/// Error of starting a local stack.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A tool is not installed.
    #[error("{0} is not installed: run `make tools`")]
    NoTool(PathBuf),
    /// A function is not built.
    #[error("{0} is not built: run `make build`")]
    NotBuilt(PathBuf),
    /// A port is in use.
    #[error(
        "the port {port} is in use: stop the process that uses it, or set another port with {option}"
    )]
    PortTaken {
        port: u16,
        /// The option that sets another port.
        option: &'static str,
    },
    /// A program could not be run.
    #[error("{what}: {cause}")]
    Io {
        /// The attempted operation.
        what: String,
        cause: std::io::Error,
    },
    /// The local AWS did not start in time.
    #[error("the local AWS did not start within {seconds} s: see {log}")]
    NotUp { seconds: u64, log: PathBuf },
    /// `sam deploy` failed.
    #[error("sam deploy failed; the last lines of {log}:\n{tail}")]
    Deploy {
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The deployed stack cannot be read.
    #[error(transparent)]
    Stack(#[from] StackError),
}

impl LocalError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Io { what, cause }
    }
}

/// A running local stack. Dropping it ends all its processes.
#[derive(Debug)]
pub struct LocalStack {
    pub aws: LocalAws,
    pub stack: Stack,
}

impl LocalStack {
    /// Starts a local AWS and deploys the template to it.
    ///
    /// # Errors
    /// If a tool or a build is missing, a port is in use, or the deployment fails.
    pub async fn start(
        paths: &Paths,
        options: &Options,
        progress: &mut Progress,
    ) -> Result<Self, LocalError> {
        deploy::check_built(paths)?;
        progress.step("starting the local AWS");
        let aws = LocalAws::start(paths, options).await?;
        progress.step("deploying template.yaml with sam deploy");
        deploy::deploy(paths, &aws, &options.parameters).await?;
        let config = crate::stack::local_aws_config(&aws.endpoint()).await?;
        let stack = Stack::find(&config, STACK).await?;
        progress.done();
        Ok(Self { aws, stack })
    }

    /// Deploys the project in `paths` to this stack, as an upgrade to another version does.
    ///
    /// # Errors
    /// If a build is missing or `sam deploy` fails.
    pub async fn deploy(&self, paths: &Paths, parameters: &[String]) -> Result<(), LocalError> {
        deploy::check_built(paths)?;
        deploy::deploy(paths, &self.aws, parameters).await
    }
}
