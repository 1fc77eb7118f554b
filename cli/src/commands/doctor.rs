//! `trunkline doctor`: checks an account before the first deployment, and a stack after it.

use std::path::PathBuf;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use trunkline::doctor::check;
use trunkline::doctor::gather::{Options, gather};
use trunkline::doctor::report::{as_json, as_text, is_healthy};

use super::CliError;

/// How to check, and how to print the result.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// Change nothing: no message through the stack, and no question to the queues.
    #[arg(long)]
    read_only: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints all findings. Returns the exit code 1 if a check failed.
pub(super) async fn run(stack: &str, doctor: &Doctor) -> Result<ExitCode, CliError> {
    let options = Options {
        stack: stack.to_owned(),
        read_only: doctor.read_only,
        folder: PathBuf::from("."),
    };
    eprintln!("checking the account and the stack {stack}, which takes some seconds …");
    let facts = Box::pin(gather(&options, interrupted)).await?;
    let findings = check(&facts);
    if doctor.json {
        println!("{:#}", as_json(stack, &findings));
    } else {
        print!("{}", as_text(&findings));
    }
    Ok(if is_healthy(&findings) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Completes when the operator interrupts the command. From the first poll on, a signal does not end the
/// process, so that the self-test can delete what it created.
async fn interrupted() {
    let signals =
        signal(SignalKind::interrupt()).and_then(|one| Ok((one, signal(SignalKind::terminate())?)));
    let Ok((mut interrupt, mut terminate)) = signals else { return std::future::pending().await };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
