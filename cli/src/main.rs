//! The `trunkline` command.

mod commands;

use std::process::ExitCode;

use clap::Parser;
use commands::{Cli, Failed};

fn main() -> ExitCode {
    // Whoever reads only the first lines of what is printed ends us quietly.
    sigpipe::reset();
    let ended = tokio::runtime::Runtime::new().map(|runtime| {
        let ended = runtime.block_on(Box::pin(commands::run(Cli::parse())));
        // A read of the terminal that still waits for a line must not hold us.
        runtime.shutdown_background();
        ended
    });
    match ended.unwrap_or_else(|why| Err(Failed(why.to_string()))) {
        Ok(code) => code,
        Err(Failed(why)) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}
