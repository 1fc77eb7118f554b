//! Commands for whoever watches deliveries.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline::api::{Api, query};
use trunkline_shared::app::{Clock, SystemClock};

use super::Failed;
use super::table::{Table, ago, text};

/// What a command is about.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// One delivery.
    delivery: Option<String>,
    /// All of this conversation; with --connection, one leg.
    #[arg(long)]
    conversation: Option<String>,
    /// All to this connection.
    #[arg(long)]
    connection: Option<String>,
    /// All that wait since then (2026-03-04T09:15:00Z) or for at most so long (30m, 2h).
    #[arg(long)]
    since: Option<String>,
}

impl Which {
    fn since(&self) -> Result<Option<Timestamp>, Failed> {
        self.since.as_deref().map(time).transpose()
    }

    /// As an order of the API has it; everything is never meant.
    fn order(&self, command: &str) -> Result<Value, Failed> {
        let order = json!({
            "delivery": self.delivery, "conversation": self.conversation,
            "connection": self.connection, "since": self.since()?,
        });
        if order.as_object().is_some_and(|members| members.values().all(Value::is_null)) {
            let how = "name a delivery, --conversation, --connection or --since";
            return Err(Failed(format!("{command} what? {how}")));
        }
        Ok(order)
    }
}

fn time(text: &str) -> Result<Timestamp, Failed> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago: SignedDuration = text.parse().map_err(|_| {
        Failed(format!("'{text}' is neither a time (2026-03-04T09:15:00Z) nor a duration (30m)"))
    })?;
    Ok(SystemClock.now() - ago)
}

pub(super) async fn deliveries(api: &Api, which: Which, json: bool) -> Result<(), Failed> {
    let since = which.since()?;
    let query = [("connection", which.connection), ("conversation", which.conversation)];
    let mut found = api.all("/deliveries", &query).await?;
    found.retain(|one| {
        let waits = one["since"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        which.delivery.as_deref().is_none_or(|id| one["id"] == id)
            && since.is_none_or(|since| waits.is_some_and(|waits| waits >= since))
    });
    if json {
        println!("{}", Value::Array(found));
        return Ok(());
    }
    let mut table = Table::new(&["STATE", "CONNECTION", "AGE", "ATTEMPTS", "DELIVERY", "REASON"]);
    for one in &found {
        table.row([
            text(&one["state"]),
            text(&one["connection"]),
            ago(&one["since"]),
            text(&one["attempts"]),
            text(&one["id"]),
            text(&one["reason"]),
        ]);
    }
    table.print("nothing is parked and nothing has failed");
    Ok(())
}

pub(super) async fn dead_letters(api: &Api, json: bool) -> Result<(), Failed> {
    let letters = api.all("/dead-letters", &[]).await?;
    if json {
        println!("{}", Value::Array(letters));
        return Ok(());
    }
    let mut table = Table::new(&["PLATFORM", "AGE", "LETTER", "REASON"]);
    for letter in &letters {
        let (platform, id) = (text(&letter["platform"]), text(&letter["id"]));
        table.row([platform, ago(&letter["at"]), id, text(&letter["reason"])]);
    }
    table.print("there is no dead letter");
    if !letters.is_empty() {
        println!("\n`trunkline redrive` puts them back into their queues");
    }
    Ok(())
}

pub(super) async fn replay(api: &Api, which: &Which) -> Result<(), Failed> {
    let done = api.post("/deliveries/replay", &which.order("replay")?).await?;
    println!("{}", counted(&done, "ordered to be sent now"));
    Ok(())
}

pub(super) async fn discard(api: &Api, which: &Which) -> Result<(), Failed> {
    let done = api.post("/deliveries/discard", &which.order("discard")?).await?;
    println!("{}", counted(&done, "discarded"));
    Ok(())
}

pub(super) async fn redrive(api: &Api, only: Option<&str>) -> Result<(), Failed> {
    let done = api.post("/dead-letters/redrive", &json!({"id": only})).await?;
    println!("{}", counted(&done, "put back into its queue"));
    Ok(())
}

pub(super) async fn rejected(api: &Api, connection: &str, most: u16) -> Result<(), Failed> {
    let most = [("limit", Some(most.clamp(1, 100).to_string()))];
    let page = api.get(&format!("/connections/{connection}/rejected{}", query(&most))).await?;
    let found = page["items"].as_array().cloned().unwrap_or_default();
    if found.is_empty() {
        println!("nothing that came for {connection} in the last week was unreadable");
    }
    for one in found {
        let (at, size, reason) = (text(&one["at"]), text(&one["size"]), text(&one["reason"]));
        println!("{at}  {size} bytes: {reason}\n{}\n", text(&one["body"]));
    }
    Ok(())
}

fn counted(done: &Value, what: &str) -> String {
    match done["count"].as_u64().unwrap_or_default() {
        0 => "nothing of the kind waits: see `trunkline deliveries`".into(),
        1 => format!("1 delivery {what}"),
        count => format!("{count} deliveries {what}"),
    }
}
