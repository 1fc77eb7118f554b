//! The `trunkline` command.

mod commands;

use std::process::ExitCode;

use clap::Parser;
use commands::{Cli, CliError};
use trunkline::terminal::safe;

fn main() -> ExitCode {
    // On a broken pipe (`trunkline … | head`), exit silently.
    sigpipe::reset();
    let result = tokio::runtime::Runtime::new().map(|runtime| {
        let result = runtime.block_on(Box::pin(commands::run(Cli::parse())));
        // A pending read of the terminal must not delay the exit.
        runtime.shutdown_background();
        result
    });
    match result.unwrap_or_else(|why| Err(CliError(why.to_string()))) {
        Ok(code) => code,
        Err(CliError(why)) => {
            eprintln!("error: {}", safe(&why));
            ExitCode::FAILURE
        }
    }
}
