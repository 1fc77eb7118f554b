//! `trunkline connection`: suspends, resumes and deletes a connection, and rotates the key in its inbound URL.

use std::io::{BufRead, IsTerminal, Write};

use serde_json::{Value, json};
use trunkline::api::{Api, path_segment};
use trunkline::apply::{confirms, waiting_note};
use trunkline_config::prune::Resource;

use super::CliError;
use super::table::text;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Connection {
    /// Suspend a connection: its deliveries are parked in order until it is resumed.
    Suspend {
        /// Id of the connection.
        id: String,
    },
    /// Resume a suspended connection: its parked deliveries are sent first.
    Resume {
        /// Id of the connection.
        id: String,
    },
    /// Rotate the key in the inbound URL, and print the new URL. Keep it confidential.
    Rotate {
        /// Id of the connection.
        id: String,
    },
    /// Delete a connection and its secrets. Asks first. Refused while a route names it or deliveries to it wait.
    Delete {
        /// Id of the connection.
        id: String,
        #[command(flatten)]
        deletion: Deletion,
    },
}

/// The options of a deletion.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Deletion {
    /// Delete although deliveries wait or agents have conversations. Waiting deliveries fail, and stay in the
    /// list of failed deliveries.
    #[arg(long)]
    pub(super) force: bool,
    /// Delete without a question.
    #[arg(long)]
    pub(super) yes: bool,
}

pub(super) async fn run(api: &Api, command: &Connection) -> Result<(), CliError> {
    match command {
        Connection::Suspend { id } => {
            act(api, id, "suspend").await?;
            println!("{id} is suspended. Within 30 seconds, its deliveries are parked in order;");
            println!("`trunkline connection resume {id}` sends them.");
            Ok(())
        }
        Connection::Resume { id } => {
            act(api, id, "resume").await?;
            println!("{id} is resumed: its parked deliveries are sent, then new ones.");
            Ok(())
        }
        Connection::Rotate { id } => {
            let rotated = act(api, id, "rotate-key").await?;
            println!("{}", text(&rotated["url"]));
            eprintln!(
                "Enter this URL into the vendor's form. The previous URL works until the next rotation."
            );
            Ok(())
        }
        Connection::Delete { id, deletion } => {
            let name = format!("connection {id}");
            delete(api, &name, &format!("/connections/{}", path_segment(id)), *deletion).await
        }
    }
}

async fn act(api: &Api, id: &str, action: &str) -> Result<Value, CliError> {
    Ok(api.post(&format!("/connections/{}/{action}", path_segment(id)), &json!({})).await?)
}

/// Deletes a connection or route at an API path, after a question. `name` is for example `route shop`.
pub(super) async fn delete(
    api: &Api,
    name: &str,
    path: &str,
    deletion: Deletion,
) -> Result<(), CliError> {
    let version = version_of(api, path).await?;
    if !deletion.yes && !confirmed(&format!("delete {name}?"))? {
        println!("nothing was deleted");
        return Ok(());
    }
    delete_version(api, name, path, version, deletion.force).await
}

/// Deletes a connection or route in its current version, without a question.
pub(super) async fn delete_current(
    api: &Api,
    resource: &Resource,
    force: bool,
) -> Result<(), CliError> {
    let path = match resource {
        Resource::Connection(id) => format!("/connections/{id}"),
        Resource::Route(id) => format!("/routes/{id}"),
    };
    let version = version_of(api, &path).await?;
    delete_version(api, &resource.to_string(), &path, version, force).await
}

async fn version_of(api: &Api, path: &str) -> Result<u64, CliError> {
    Ok(api.get(path).await?["version"].as_u64().unwrap_or_default())
}

async fn delete_version(
    api: &Api,
    name: &str,
    path: &str,
    version: u64,
    force: bool,
) -> Result<(), CliError> {
    let query = if force { "?force=true" } else { "" };
    let deleted = api.delete_version(&format!("{path}{query}"), version).await?;
    println!("{:<10} {name}", "deleted");
    if let Some(note) = waiting_note(&deleted) {
        println!("{note}");
    }
    Ok(())
}

/// Asks a question on the terminal.
///
/// # Errors
/// If the input is no terminal.
pub(super) fn confirmed(question: &str) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        let how = "the input is no terminal, so nobody can confirm: add --yes";
        return Err(CliError(format!("nothing was deleted: {how}")));
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(confirms(&answer))
}
