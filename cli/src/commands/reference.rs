//! Commands that print what this version knows, without a stack.

use clap::{CommandFactory, Subcommand};

use super::{Cli, CliError, configure};

#[derive(Debug, Subcommand)]
pub(super) enum Reference {
    /// Generate a signing secret (Standard Webhooks).
    Secret,
    /// List settings and secrets by platform.
    Settings {
        /// Print the page docs/settings.md.
        #[arg(long)]
        markdown: bool,
    },
    /// Print the JSON Schema of the webhook protocol.
    Schema,
    /// Print the OpenAPI description of the operator API.
    Openapi,
    /// Print shell completions.
    Completions { shell: clap_complete::Shell },
}

pub(super) fn run(command: &Reference) -> Result<(), CliError> {
    match command {
        Reference::Secret => println!("{}", configure::new_secret()),
        Reference::Settings { markdown: true } => {
            print!("{}", trunkline_config::reference::markdown(trunkline_registry::PLATFORMS));
        }
        Reference::Settings { markdown: false } => configure::settings(),
        Reference::Schema => println!("{:#}", trunkline_registry::open_protocol_schema()),
        Reference::Openapi => println!("{}", trunkline_console::document().to_pretty_json()?),
        Reference::Completions { shell } => {
            let mut out = std::io::stdout();
            clap_complete::generate(*shell, &mut Cli::command(), "trunkline", &mut out);
        }
    }
    Ok(())
}
