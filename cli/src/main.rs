//! The `trunkline` command.

mod commands;

use clap::Parser;
use commands::{Cli, Failed};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    // Whoever reads only the first lines of what is printed ends us quietly.
    sigpipe::reset();
    match Box::pin(commands::run(Cli::parse())).await {
        Ok(code) => code,
        Err(Failed(why)) => {
            eprintln!("error: {why}");
            std::process::ExitCode::FAILURE
        }
    }
}
