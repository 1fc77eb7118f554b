//! `trunkline customer`: exports and deletes the data of a customer.

use trunkline::api::{Api, path_segment};
use trunkline::say;
use trunkline::terminal::json_line;

use super::CliError;
use super::table::text;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Customer {
    /// Print all data of a customer on a channel, one JSON object per line.
    Export(CustomerArgs),
    /// Delete all data of a customer on a channel.
    Delete {
        #[command(flatten)]
        customer: CustomerArgs,
        /// Confirm. Only the table's point-in-time recovery can undo this.
        #[arg(long)]
        yes: bool,
    },
}

/// Names a customer on a channel.
#[derive(Debug, clap::Args)]
pub(super) struct CustomerArgs {
    /// Id of the channel connection.
    channel: String,
    /// The customer's id on the channel's platform.
    customer: String,
}

impl CustomerArgs {
    fn path(&self) -> String {
        format!("/customers/{}/{}", path_segment(&self.channel), path_segment(&self.customer))
    }
}

pub(super) async fn run(api: &Api, command: &Customer) -> Result<(), CliError> {
    match command {
        Customer::Export(customer) => export(api, customer).await,
        Customer::Delete { customer, yes } => delete(api, customer, *yes).await,
    }
}

async fn export(api: &Api, customer: &CustomerArgs) -> Result<(), CliError> {
    let objects = api.get_all(&customer.path(), &[]).await?;
    for object in &objects {
        println!("{}", json_line(object));
    }
    eprintln!("{} objects", objects.len());
    Ok(())
}

async fn delete(api: &Api, customer: &CustomerArgs, yes: bool) -> Result<(), CliError> {
    if !yes {
        let first = api.get(&format!("{}?limit=1", customer.path())).await?;
        let there = first["items"].as_array().is_some_and(|items| !items.is_empty());
        let what = if there { "there is data" } else { "there is no data" };
        return Err(CliError(format!("nothing was deleted ({what}): add --yes to delete it")));
    }
    let erased = api.delete(&customer.path()).await?;
    say!("deleted {} events and everything that belongs to them", text(&erased["events"]));
    Ok(())
}
