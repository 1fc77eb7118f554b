//! The command line.

mod check;
mod configure;
mod cost;
mod customer;
mod env;
mod local;
mod look;
mod operate;
mod simulate;
mod table;
mod token;
mod turn;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use trunkline::api::Api;
use trunkline::stack::{Stack, from_environment};
use turn::Turn;

/// Configures Trunkline, and runs it on this machine.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub struct Cli {
    /// The CloudFormation stack to work on.
    #[arg(long, global = true, default_value = "trunkline", env = "TRUNKLINE_STACK")]
    stack: String,
    /// The operator API to ask, where there are no AWS credentials; with the token in `TRUNKLINE_TOKEN`.
    #[arg(long, global = true, env = "TRUNKLINE_API")]
    api: Option<String>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  trunkline local                        run everything on this machine, with a demo
  trunkline simulate unblu               be an agent at Unblu, beside it
  trunkline apply trunkline.yaml         put a configuration into the deployed stack
  trunkline apply --dry-run trunkline.yaml   only say what is wrong with it
  trunkline diff trunkline.yaml          what applying it would change
  trunkline export > trunkline.yaml      what is there, as a file
  trunkline urls trunkline.yaml          the addresses to paste into the vendors' forms
  trunkline check                        does each platform accept our credentials?
  trunkline verify shop-bot              ask a connection's far side to prove itself
  trunkline status                       how everything is
  trunkline conversations --state desk   who has what
  trunkline tail shop-whatsapp 31612345678 -f   what is said there
  trunkline deliveries                   what is parked or has failed, and why
  trunkline replay --connection shop-bot --since 2h   have it sent now
  trunkline handover shop-whatsapp 31612345678 --reason complaint   give it to people
  trunkline token make anna --role operator   somebody may see to conversations
  trunkline cost --messages 5e6 --copies 1   what AWS will bill
  trunkline secret > bot.secret          make a signing secret";

#[derive(Debug, Subcommand)]
enum Command {
    /// Put connections, routes and secrets into the stack. Applying again changes nothing.
    Apply {
        /// The configuration.
        #[arg(default_value = "trunkline.yaml")]
        file: PathBuf,
        /// Read and check the file, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Say what applying a file would change. The exit code is 2 if that is anything.
    Diff {
        /// The configuration.
        #[arg(default_value = "trunkline.yaml")]
        file: PathBuf,
    },
    /// Print what is there as a file; secrets are names of variables.
    Export,
    /// Print the address of each of a file's connections. Whoever has one can send to it.
    Urls {
        /// The configuration.
        #[arg(default_value = "trunkline.yaml")]
        file: PathBuf,
    },
    /// Ask a connection's far side to prove itself, by way of the function that sends to it.
    Verify {
        /// The connection.
        connection: String,
    },
    /// Ask the far sides of all connections, or of some, whether they are ours and take our
    /// credentials, and mend what can be mended.
    Check {
        /// Which; all, if left out.
        connections: Vec<String>,
    },
    /// Show what came for a connection and could not be read. Kept for a week.
    Rejected {
        /// The connection.
        connection: String,
        /// How many, the newest first.
        #[arg(long, default_value_t = 10)]
        most: u16,
    },
    /// Show how everything is: connections, breakers, what waits.
    Status {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// List customers' conversations, the newest change first.
    Conversations(look::Which),
    /// Show a conversation: who has it, what was said, and what did not arrive.
    Show(look::One),
    /// Show what is said in a conversation, and with -f what is said from then on.
    Tail {
        #[command(flatten)]
        one: look::One,
        /// Go on until it is interrupted.
        #[arg(short, long)]
        follow: bool,
    },
    /// List deliveries that are parked or have failed, with reason, attempts and age.
    Deliveries {
        #[command(flatten)]
        which: operate::Which,
        /// List dead letters instead: messages that our own side could not handle.
        #[arg(long)]
        dead: bool,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Have deliveries sent now that are parked or have failed.
    Replay {
        #[command(flatten)]
        which: operate::Which,
    },
    /// Have deliveries never sent that are parked or have failed.
    Discard {
        #[command(flatten)]
        which: operate::Which,
    },
    /// Put dead letters back into their queues.
    Redrive {
        /// One dead letter; all, if left out.
        letter: Option<String>,
    },
    /// Give a customer's conversation to people.
    Handover {
        #[command(flatten)]
        whose: turn::Whose,
    },
    /// Give a customer's conversation back to the bot.
    Handback {
        #[command(flatten)]
        whose: turn::Whose,
    },
    /// End a customer's conversation: their next message starts another.
    Close {
        #[command(flatten)]
        whose: turn::Whose,
    },
    /// Give out or remove a customer's data.
    #[command(subcommand)]
    Customer(customer::Customer),
    /// Print the environment of the stack's functions, for `sam local invoke --env-vars`.
    Env,
    /// Compute what AWS bills, from counted calls and list prices.
    Cost(cost::Cost),
    /// Say who may use the API and the console.
    #[command(subcommand)]
    Token(token::Token),
    /// Make a signing secret (Standard Webhooks).
    Secret,
    /// List what can be set, by platform.
    Settings {
        /// As the page docs/settings.md.
        #[arg(long)]
        markdown: bool,
    },
    /// Print the JSON Schema of the webhook protocol.
    Schema,
    /// Print the OpenAPI description of the operator API.
    Openapi,
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Play a vendor's side from the terminal, beside a stack on this machine.
    Simulate(simulate::Simulate),
    /// Run the real template on this machine, with a conversation to look at.
    Local {
        /// The port of the local AWS.
        #[arg(long, default_value_t = 4600)]
        port: u16,
        /// Play the conversation, then end.
        #[arg(long)]
        once: bool,
    },
}

/// Why a command failed, in words for whoever ran it.
#[derive(Debug)]
pub struct Failed(pub String);

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// What a difference ends with.
const DIFFERS: u8 = 2;

/// Runs a command; answers with what it ends with.
///
/// # Errors
/// Why it failed.
pub async fn run(cli: Cli) -> Result<ExitCode, Failed> {
    let name = cli.stack;
    let done: Result<(), Failed> = match cli.command {
        Command::Apply { file, dry_run } => configure::apply(&name, &file, dry_run).await,
        Command::Diff { file } => {
            if configure::diff(&find(&name).await?, &file).await? {
                return Ok(ExitCode::from(DIFFERS));
            }
            Ok(())
        }
        Command::Export => configure::export(&find(&name).await?).await,
        Command::Urls { file } => configure::urls(&find(&name).await?, &file).await,
        Command::Verify { connection } => {
            check::verify(&api(&name, cli.api).await?, &connection).await
        }
        Command::Check { connections } => {
            check::check(&api(&name, cli.api).await?, &connections).await
        }
        Command::Rejected { connection, most } => {
            operate::rejected(&api(&name, cli.api).await?, &connection, most).await
        }
        Command::Status { json } => look::status(&api(&name, cli.api).await?, json).await,
        Command::Conversations(which) => {
            look::conversations(&api(&name, cli.api).await?, which).await
        }
        Command::Show(one) => look::show(&api(&name, cli.api).await?, &one, false).await,
        Command::Tail { one, follow } => {
            look::show(&api(&name, cli.api).await?, &one, follow).await
        }
        Command::Deliveries { which, dead, json } => {
            let api = api(&name, cli.api).await?;
            if dead {
                operate::dead_letters(&api, json).await
            } else {
                operate::deliveries(&api, which, json).await
            }
        }
        Command::Replay { which } => operate::replay(&api(&name, cli.api).await?, &which).await,
        Command::Discard { which } => operate::discard(&api(&name, cli.api).await?, &which).await,
        Command::Redrive { letter } => {
            operate::redrive(&api(&name, cli.api).await?, letter.as_deref()).await
        }
        Command::Handover { whose } => {
            turn::turn(&api(&name, cli.api).await?, &whose, Turn::Handover).await
        }
        Command::Handback { whose } => {
            turn::turn(&api(&name, cli.api).await?, &whose, Turn::Handback).await
        }
        Command::Close { whose } => {
            turn::turn(&api(&name, cli.api).await?, &whose, Turn::Close).await
        }
        Command::Customer(what) => customer::run(&api(&name, cli.api).await?, &what).await,
        Command::Env => {
            println!("{:#}", env::of(&name, &find(&name).await?.facts)?);
            Ok(())
        }
        Command::Cost(what) => cost::run(&what),
        Command::Token(what) => token::run(&find(&name).await?, what).await,
        Command::Secret => {
            println!("{}", configure::new_secret());
            Ok(())
        }
        Command::Settings { markdown: true } => {
            print!("{}", trunkline_setup::reference::markdown());
            Ok(())
        }
        Command::Settings { markdown: false } => {
            configure::settings();
            Ok(())
        }
        Command::Schema => {
            println!("{:#}", trunkline_webhook::schema());
            Ok(())
        }
        Command::Openapi => {
            println!("{}", trunkline_console::document().to_pretty_json()?);
            Ok(())
        }
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "trunkline",
                &mut std::io::stdout(),
            );
            Ok(())
        }
        Command::Simulate(what) => simulate::run(what).await,
        Command::Local { port, once } => local::run(port, once).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// The operator API: of the stack, by AWS's own credentials; or at an address, by a token.
async fn api(name: &str, at: Option<String>) -> Result<Api, Failed> {
    let Some(at) = at else { return Ok(Api::of(&find(name).await?, name)) };
    let how = "TRUNKLINE_TOKEN is not set: `trunkline token make` makes one";
    let token = std::env::var("TRUNKLINE_TOKEN").map_err(|_| Failed(how.into()))?;
    Ok(Api::at(&at, &token))
}

async fn find(name: &str) -> Result<Stack, Failed> {
    Ok(Stack::find(&from_environment().await?, name).await?)
}
