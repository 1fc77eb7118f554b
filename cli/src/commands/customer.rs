//! Commands about a customer's own data.

use trunkline::api::{Api, part};

use super::Failed;
use super::table::text;

/// What is to be done with a customer's data.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Customer {
    /// Print all that is known of a customer on a channel, a piece of JSON a line.
    Export(Whose),
    /// Remove all that is known of a customer on a channel.
    Delete {
        #[command(flatten)]
        whose: Whose,
        /// Do it: it cannot be undone but by the table's point-in-time recovery.
        #[arg(long)]
        yes: bool,
    },
}

/// Whose data.
#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// The channel connection.
    channel: String,
    /// The customer, as the channel's platform knows them.
    customer: String,
}

impl Whose {
    fn path(&self) -> String {
        format!("/customers/{}/{}", part(&self.channel), part(&self.customer))
    }
}

pub(super) async fn run(api: &Api, what: &Customer) -> Result<(), Failed> {
    match what {
        Customer::Export(whose) => export(api, whose).await,
        Customer::Delete { whose, yes } => delete(api, whose, *yes).await,
    }
}

async fn export(api: &Api, whose: &Whose) -> Result<(), Failed> {
    let pieces = api.all(&whose.path(), &[]).await?;
    for piece in &pieces {
        println!("{piece}");
    }
    eprintln!("{} pieces", pieces.len());
    Ok(())
}

async fn delete(api: &Api, whose: &Whose, yes: bool) -> Result<(), Failed> {
    if !yes {
        let first = api.get(&format!("{}?limit=1", whose.path())).await?;
        let there = first["items"].as_array().is_some_and(|items| !items.is_empty());
        let what = if there { "it is there" } else { "nothing is known of them" };
        return Err(Failed(format!("nothing was removed ({what}): add --yes to remove it")));
    }
    let erased = api.delete(&whose.path()).await?;
    println!("{} events removed, and what belonged to them", text(&erased["events"]));
    Ok(())
}
