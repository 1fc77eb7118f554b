//! The command line.

mod check;
mod configure;
mod connection;
mod cost;
mod customer;
mod deliveries;
mod doctor;
mod env;
mod init;
mod inspect;
mod local;
mod ownership;
mod reference;
mod restore;
mod route;
mod simulate;
mod table;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ownership::OwnershipAction;
use trunkline::api::Api;
use trunkline::stack::{Stack, aws_config_from_environment};

/// Configures and operates Trunkline, and runs it on the local machine.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub struct Cli {
    /// Name of the CloudFormation stack.
    #[arg(long, global = true, default_value = "trunkline", env = "TRUNKLINE_STACK")]
    stack: String,
    /// URL of the operator API, to work without AWS credentials. Set the token in `TRUNKLINE_TOKEN`.
    #[arg(long, global = true, env = "TRUNKLINE_API")]
    api: Option<String>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  trunkline local                        run everything on this machine, with a demo
  trunkline simulate unblu               act as an agent in Unblu, on that local stack
  trunkline init                         answer questions, and get a first trunkline.yaml
  trunkline apply trunkline.yaml         apply a configuration to the deployed stack
  trunkline apply --dry-run trunkline.yaml   only validate it
  trunkline diff trunkline.yaml          show what applying it would change
  trunkline apply --prune trunkline.yaml   also delete what the file does not name
  trunkline export > trunkline.yaml      write the current configuration to a file
  trunkline urls trunkline.yaml          print the inbound URLs for the vendors' forms
  trunkline doctor                       check the account, and the deployed stack
  trunkline check                        verify all connections and their credentials
  trunkline check --fix advisers         create or update Unblu's channel for a connection
  trunkline verify shop-bot              verify one connection
  trunkline connection suspend shop-bot  park the deliveries to a connection
  trunkline connection rotate shop-bot   give it a new inbound URL
  trunkline status                       show the state of all connections
  trunkline conversations --state desk   list conversations that agents handle
  trunkline tail shop-whatsapp 31612345678 -f   follow a conversation
  trunkline deliveries                   list parked and failed deliveries with reasons
  trunkline replay --connection shop-bot --since 2h   send them again now
  trunkline handover shop-whatsapp 31612345678 --reason complaint   hand it over to agents
  trunkline token make anna --role operator   create a token for an operator
  trunkline restore --from trunkline-restored --dry-run   count what a restored table would bring back
  trunkline cost --messages 5e6 --copies 1   estimate the AWS bill
  trunkline secret > bot.secret          generate a signing secret";

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a first configuration file, from your answers or from the platforms that you name.
    Init(init::InitArgs),
    /// Apply connections, routes and secrets to the stack. Applying the same file again changes nothing.
    Apply(configure::ApplyArgs),
    /// Show what applying a file would change. Exits with code 2 if there are changes.
    Diff(configure::DiffArgs),
    /// Print the current configuration as a file. Secrets become references to environment variables.
    Export,
    /// Print the inbound URL of each connection in a file. Keep these URLs confidential: each contains a key.
    Urls {
        /// The configuration file.
        #[arg(default_value = "trunkline.yaml")]
        file: PathBuf,
    },
    /// Suspend, resume or delete a connection, or rotate the key in its inbound URL.
    #[command(subcommand)]
    Connection(connection::Connection),
    /// Delete a route.
    #[command(subcommand)]
    Route(route::Route),
    /// Check the account before the first deployment, and the stack after it. Sends a message of its own through
    /// the stack and deletes it. Exits with code 1 if a check fails.
    Doctor(doctor::Doctor),
    /// Verify a connection: its outbound function calls the platform and checks the response.
    Verify {
        /// Id of the connection.
        connection: String,
    },
    /// Verify all or some connections and their credentials, and switch on again what a platform switched
    /// off. Shows what differs on the platform; --fix corrects it.
    Check {
        /// Ids of the connections. Default: all.
        connections: Vec<String>,
        /// Create or update what the platform stores about the connections, such as Unblu's channel.
        #[arg(long, requires = "connections")]
        fix: bool,
    },
    /// Show rejected inbound requests of a connection. They are stored for a week.
    Rejected {
        /// Id of the connection.
        connection: String,
        /// Maximum number of requests, newest first.
        #[arg(long, default_value_t = 10)]
        limit: u16,
    },
    /// Show the state of all connections: breakers, parked and failed deliveries.
    Status {
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// List conversations, most recently changed first.
    Conversations(inspect::ConversationFilter),
    /// Show a conversation: its owner, its events, and deliveries that have not arrived.
    Show(inspect::ConversationArgs),
    /// Show the events of a conversation; with -f, also new events as they arrive.
    Tail {
        #[command(flatten)]
        conversation: inspect::ConversationArgs,
        /// Print new events until interrupted.
        #[arg(short, long)]
        follow: bool,
    },
    /// List parked and failed deliveries with reason, attempts and age.
    Deliveries {
        #[command(flatten)]
        filter: deliveries::DeliveryFilter,
        /// List dead letters instead: queue messages that Trunkline could not process.
        #[arg(long)]
        dead: bool,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Send parked or failed deliveries again now.
    Replay {
        #[command(flatten)]
        filter: deliveries::DeliveryFilter,
    },
    /// Discard parked or failed deliveries. They are never sent.
    Discard {
        #[command(flatten)]
        filter: deliveries::DeliveryFilter,
    },
    /// Move dead letters back to their queues.
    Redrive {
        /// Id of a dead letter. Default: all.
        letter: Option<String>,
    },
    /// Hand a conversation over to agents.
    Handover {
        #[command(flatten)]
        target: ownership::OwnershipArgs,
    },
    /// Hand a conversation back to the bot.
    Handback {
        #[command(flatten)]
        target: ownership::OwnershipArgs,
    },
    /// Close a conversation. The customer's next message starts a new one.
    Close {
        #[command(flatten)]
        target: ownership::OwnershipArgs,
    },
    /// Export or delete the data of a customer.
    #[command(subcommand)]
    Customer(customer::Customer),
    /// Copy a table that DynamoDB restored into the stack's table. Continues an interrupted copy.
    Restore(restore::RestoreArgs),
    /// Print the environment of the stack's functions, for `sam local invoke --env-vars`.
    Env,
    /// Estimate the AWS bill from measured usage and list prices.
    Cost(cost::Cost),
    /// Manage access to the API and the console.
    #[command(subcommand)]
    Token(token::Token),
    #[command(flatten)]
    Reference(reference::Reference),
    /// Act as a customer, bot or agent on a platform, from the terminal, on a local stack.
    Simulate(simulate::Simulate),
    /// Run the template on the local machine with a demo conversation.
    Local {
        /// Port of the local AWS.
        #[arg(long, default_value_t = 4600)]
        port: u16,
        /// Exit after the demo conversation.
        #[arg(long)]
        once: bool,
    },
}

/// Error message of a failed command, for the operator.
#[derive(Debug)]
pub struct CliError(pub String);

impl<E: std::error::Error> From<E> for CliError {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// The exit code of `diff` if there are changes.
const EXIT_DIFFERENT: u8 = 2;

/// Runs a command and returns its exit code.
///
/// # Errors
/// The message for the operator.
pub async fn run(cli: Cli) -> Result<ExitCode, CliError> {
    let name = cli.stack;
    let done: Result<(), CliError> = match cli.command {
        Command::Apply(args) => configure::apply(&name, &args).await,
        Command::Diff(args) => {
            if configure::diff(&find_stack(&name).await?, &args).await? {
                return Ok(ExitCode::from(EXIT_DIFFERENT));
            }
            Ok(())
        }
        Command::Export => configure::export(&find_stack(&name).await?).await,
        Command::Urls { file } => configure::urls(&find_stack(&name).await?, &file).await,
        Command::Init(args) => init::run(&args),
        Command::Connection(what) => connection::run(&open_api(&name, cli.api).await?, &what).await,
        Command::Route(what) => route::run(&open_api(&name, cli.api).await?, &what).await,
        Command::Doctor(what) => return doctor::run(&name, &what).await,
        Command::Verify { connection } => {
            check::verify(&open_api(&name, cli.api).await?, &connection).await
        }
        Command::Check { connections, fix } => {
            check::check(&open_api(&name, cli.api).await?, &connections, fix).await
        }
        Command::Rejected { connection, limit } => {
            deliveries::rejected(&open_api(&name, cli.api).await?, &connection, limit).await
        }
        Command::Status { json } => inspect::status(&open_api(&name, cli.api).await?, json).await,
        Command::Conversations(filter) => {
            inspect::conversations(&open_api(&name, cli.api).await?, filter).await
        }
        Command::Show(conversation) => {
            inspect::show(&open_api(&name, cli.api).await?, &conversation, false).await
        }
        Command::Tail { conversation, follow } => {
            inspect::show(&open_api(&name, cli.api).await?, &conversation, follow).await
        }
        Command::Deliveries { filter, dead, json } => {
            let api = open_api(&name, cli.api).await?;
            if dead {
                deliveries::dead_letters(&api, json).await
            } else {
                deliveries::deliveries(&api, filter, json).await
            }
        }
        Command::Replay { filter } => {
            deliveries::replay(&open_api(&name, cli.api).await?, &filter).await
        }
        Command::Discard { filter } => {
            deliveries::discard(&open_api(&name, cli.api).await?, &filter).await
        }
        Command::Redrive { letter } => {
            deliveries::redrive(&open_api(&name, cli.api).await?, letter.as_deref()).await
        }
        Command::Handover { target } => {
            ownership::run(&open_api(&name, cli.api).await?, &target, OwnershipAction::Handover)
                .await
        }
        Command::Handback { target } => {
            ownership::run(&open_api(&name, cli.api).await?, &target, OwnershipAction::Handback)
                .await
        }
        Command::Close { target } => {
            ownership::run(&open_api(&name, cli.api).await?, &target, OwnershipAction::Close).await
        }
        Command::Customer(what) => customer::run(&open_api(&name, cli.api).await?, &what).await,
        Command::Restore(args) => restore::run(&name, &args).await,
        Command::Env => {
            println!("{:#}", env::environment(&name, &find_stack(&name).await?.info));
            Ok(())
        }
        Command::Cost(what) => cost::run(&what),
        Command::Token(what) => token::run(&find_stack(&name).await?, what).await,
        Command::Reference(what) => reference::run(&what),
        Command::Simulate(what) => simulate::run(what).await,
        Command::Local { port, once } => local::run(port, once).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Returns a client of the operator API: in this process with AWS credentials, or at a URL with a token.
async fn open_api(name: &str, at: Option<String>) -> Result<Api, CliError> {
    let Some(at) = at else { return Ok(Api::in_process(&find_stack(name).await?, name)) };
    let how = "TRUNKLINE_TOKEN is not set: create a token with `trunkline token make`";
    let token = std::env::var("TRUNKLINE_TOKEN").map_err(|_| CliError(how.into()))?;
    Ok(Api::remote(&at, &token))
}

async fn find_stack(name: &str) -> Result<Stack, CliError> {
    Ok(Stack::find(&aws_config_from_environment().await?, name).await?)
}
