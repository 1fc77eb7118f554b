//! The local AWS: MiniStack, as a process that ends with this one.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::{LocalError, Options, Paths};

const SECONDS_TO_START: u64 = 60;

/// Shell script that runs the program `$0` until it ends or its standard input closes. The input closes
/// however this process ends. Then the script kills its process group, which contains the functions.
const SUPERVISOR: &str = r#"( "$0" </dev/null; kill -9 0 ) & cat >/dev/null; kill -9 0"#;

/// A running local AWS. Dropping it kills it and the functions that it started.
#[derive(Debug)]
pub struct LocalAws {
    process: Child,
    /// The port on 127.0.0.1.
    pub port: u16,
}

impl LocalAws {
    pub(super) async fn start(paths: &Paths, options: &Options) -> Result<Self, LocalError> {
        let port = options.port;
        let program = paths.tool("aws", "ministack")?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|_| LocalError::PortTaken { port, option: "--port" })?;
        let path = paths.logs.join("aws.log");
        let log = create(&path)?;
        let errors = log.try_clone().map_err(LocalError::io("aws.log"))?;
        let own = format!("http://127.0.0.1:{port}");
        // MiniStack unpacks the functions here and does not remove them.
        let temporary = paths.logs.join("tmp");
        let _ = std::fs::remove_dir_all(&temporary);
        let failed = LocalError::io(format!("{}", temporary.display()));
        std::fs::create_dir_all(&temporary).map_err(failed)?;
        let concurrency = options.account_concurrency.map(|allowed| allowed.to_string());
        let process = Command::new("sh")
            .args(["-c", SUPERVISOR])
            .arg(&program)
            // Checks each call's signature, and whether the function's own role allows it. `test` may do everything.
            .env("AUTH", "true")
            .envs(concurrency.map(|allowed| ("LAMBDA_ACCOUNT_CONCURRENCY", allowed)))
            // MiniStack passes this to the functions, which would otherwise call AWS.
            .env("AWS_ENDPOINT_URL", options.functions_endpoint.as_ref().unwrap_or(&own))
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("TMPDIR", &temporary)
            .current_dir(&paths.logs)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            // The functions are its children: with one process group, all can be killed together.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(LocalError::io(format!("starting {}", program.display())))?;
        let mut started = Self { process, port };
        started.wait_until_up(&path).await?;
        Ok(started)
    }

    /// Returns its endpoint URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn wait_until_up(&mut self, log: &Path) -> Result<(), LocalError> {
        for _ in 0..SECONDS_TO_START * 10 {
            if tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
                return Ok(());
            }
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(LocalError::NotUp { seconds: SECONDS_TO_START, log: log.to_owned() })
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        let id = self.process.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // It has no data to save, and its functions must not outlive it.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

pub(super) fn create(path: &Path) -> Result<File, LocalError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(LocalError::io(format!("{}", folder.display())))?;
    }
    File::create(path).map_err(LocalError::io(format!("{}", path.display())))
}
