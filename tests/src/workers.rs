//! Finds and kills the processes of the local AWS.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// Returns the PIDs of the local AWS on `port`: its own process and those of functions.
pub fn processes_of(port: u16) -> Vec<i32> {
    let mark = format!("GATEWAY_PORT={port}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
        let Ok(environment) = fs::read(entry.path().join("environ")) else { continue };
        if environment.split(|byte| *byte == 0).any(|v| v == mark.as_bytes()) {
            found.push(pid);
        }
    }
    found.sort_unstable();
    found
}

/// Returns the PIDs of the function processes of the local AWS on `port`.
pub fn workers_of(port: u16) -> Vec<i32> {
    let program = |pid: i32| fs::read_link(format!("/proc/{pid}/exe"));
    let mut found = processes_of(port);
    found.retain(|pid| program(*pid).is_ok_and(|program| program.ends_with("bootstrap")));
    found
}

/// Returns the PIDs that run one function. `function` is its logical name in the template.
pub fn workers_of_function(port: u16, function: &str) -> Vec<i32> {
    let runs = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let name = variables.find(|v| v.starts_with("AWS_LAMBDA_FUNCTION_NAME="));
        name.is_some_and(|name| name.contains(function))
    };
    workers_of(port).into_iter().filter(runs).collect()
}

/// Kills a process with `kill -9`.
pub fn kill(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Kills the process that owns the TCP connection from local port `from` to local port `to`.
pub(crate) fn kill_owner_of(from: u16, to: u16) {
    let Some(inode) = socket_inode(from, to) else { return };
    let socket = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
        let Ok(open) = fs::read_dir(entry.path().join("fd")) else { continue };
        let holds = |fd: &fs::DirEntry| {
            fs::read_link(fd.path()).is_ok_and(|link| link.to_string_lossy() == socket)
        };
        if open.flatten().any(|fd| holds(&fd)) {
            kill(pid);
            return;
        }
    }
}

/// Returns the inode of the client socket of that connection, from `/proc/net/tcp`.
fn socket_inode(from: u16, to: u16) -> Option<String> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let port = |field: &str| u16::from_str_radix(field.rsplit(':').next()?, 16).ok();
        let fits = port(fields.get(1)?)? == from && port(fields.get(2)?)? == to;
        fits.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    })
}
