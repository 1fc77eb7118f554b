//! The machine of a measurement.

use std::process::Command;

use serde::Serialize;

/// The machine, toolchain and commit of a measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The processor and its number of cores.
    pub processor: String,
    pub kernel: String,
    pub compiler: String,
    /// The commit, as `git describe --always --dirty`.
    pub commit: String,
    /// The command line.
    pub command: String,
}

impl Machine {
    /// Returns this machine.
    pub fn this() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Self {
            processor: format!("{} ({cores} cores)", model.map_or("unknown", |(_, model)| model)),
            kernel: command_output("uname", &["-srm"]),
            compiler: command_output("rustc", &["--version"]),
            commit: command_output("git", &["describe", "--always", "--dirty"]),
            command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        }
    }
}

fn command_output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or("unknown".into(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}
