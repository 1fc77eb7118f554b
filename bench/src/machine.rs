//! On what it was measured.

use std::process::Command;

use serde::Serialize;

/// On what it was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The processor, and how many of its cores there are.
    pub processor: String,
    /// The kernel.
    pub kernel: String,
    /// The compiler.
    pub compiler: String,
    /// The state of the project.
    pub commit: String,
    /// The command.
    pub command: String,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Self {
            processor: format!("{} ({cores} cores)", model.map_or("unknown", |(_, model)| model)),
            kernel: said("uname", &["-srm"]),
            compiler: said("rustc", &["--version"]),
            commit: said("git", &["describe", "--always", "--dirty"]),
            command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        }
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or("unknown".into(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}
