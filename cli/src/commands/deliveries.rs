//! Commands about deliveries and dead letters.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline::api::{Api, query};
use trunkline::say;
use trunkline::terminal::json_line;
use trunkline_runtime::app::{Clock, SystemClock};

use super::CliError;
use super::table::{Table, ago, text};

/// Selects deliveries.
#[derive(Debug, clap::Args)]
pub(super) struct DeliveryFilter {
    /// Id of a delivery.
    delivery: Option<String>,
    /// All deliveries of this conversation; with --connection, of one leg.
    #[arg(long)]
    conversation: Option<String>,
    /// All deliveries to this connection.
    #[arg(long)]
    connection: Option<String>,
    /// Only deliveries created at or after this time (2026-03-04T09:15:00Z) or within this duration (30m, 2h).
    #[arg(long)]
    since: Option<String>,
}

impl DeliveryFilter {
    fn since(&self) -> Result<Option<Timestamp>, CliError> {
        self.since.as_deref().map(parse_time).transpose()
    }

    /// Returns the selection for the API. An empty selection is refused, so that no command affects everything.
    fn selection(&self, command: &str) -> Result<Value, CliError> {
        let selection = json!({
            "delivery": self.delivery, "conversation": self.conversation,
            "connection": self.connection, "since": self.since()?,
        });
        if selection.as_object().is_some_and(|members| members.values().all(Value::is_null)) {
            let how = "name a delivery, --conversation, --connection or --since";
            return Err(CliError(format!("{command} needs a selection: {how}")));
        }
        Ok(selection)
    }
}

fn parse_time(text: &str) -> Result<Timestamp, CliError> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago: SignedDuration = text.parse().map_err(|_| {
        CliError(format!("'{text}' is neither a time (2026-03-04T09:15:00Z) nor a duration (30m)"))
    })?;
    Ok(SystemClock.now() - ago)
}

pub(super) async fn deliveries(
    api: &Api,
    filter: DeliveryFilter,
    json: bool,
) -> Result<(), CliError> {
    let since = filter.since()?;
    let query = [("connection", filter.connection), ("conversation", filter.conversation)];
    let mut found = api.get_all("/deliveries", &query).await?;
    found.retain(|delivery| {
        let waiting_since =
            delivery["waiting_since"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        filter.delivery.as_deref().is_none_or(|id| delivery["id"] == id)
            && since.is_none_or(|since| {
                waiting_since.is_some_and(|waiting_since| waiting_since >= since)
            })
    });
    if json {
        println!("{}", json_line(&Value::Array(found)));
        return Ok(());
    }
    let mut table = Table::new(&["STATE", "CONNECTION", "AGE", "ATTEMPTS", "DELIVERY", "REASON"]);
    for delivery in &found {
        table.row([
            text(&delivery["state"]),
            text(&delivery["connection"]),
            ago(&delivery["waiting_since"]),
            text(&delivery["attempts"]),
            text(&delivery["id"]),
            text(&delivery["reason"]),
        ]);
    }
    table.print("no parked or failed deliveries");
    Ok(())
}

pub(super) async fn dead_letters(api: &Api, json: bool) -> Result<(), CliError> {
    let letters = api.get_all("/dead-letters", &[]).await?;
    if json {
        println!("{}", json_line(&Value::Array(letters)));
        return Ok(());
    }
    let mut table = Table::new(&["PLATFORM", "AGE", "ID", "REASON"]);
    for letter in &letters {
        let (platform, id) = (text(&letter["platform"]), text(&letter["id"]));
        table.row([platform, ago(&letter["at"]), id, text(&letter["reason"])]);
    }
    table.print("no dead letters");
    if !letters.is_empty() {
        say!("\n`trunkline redrive` moves them back to their queues");
    }
    Ok(())
}

pub(super) async fn replay(api: &Api, filter: &DeliveryFilter) -> Result<(), CliError> {
    let done = api.post("/deliveries/replay", &filter.selection("replay")?).await?;
    say!("{}", count_line(&done, "queued to be sent now"));
    Ok(())
}

pub(super) async fn discard(api: &Api, filter: &DeliveryFilter) -> Result<(), CliError> {
    let done = api.post("/deliveries/discard", &filter.selection("discard")?).await?;
    say!("{}", count_line(&done, "discarded"));
    Ok(())
}

pub(super) async fn redrive(api: &Api, only: Option<&str>) -> Result<(), CliError> {
    let done = api.post("/dead-letters/redrive", &json!({"id": only})).await?;
    say!("{}", count_line(&done, "moved back to the queue"));
    Ok(())
}

pub(super) async fn rejected(api: &Api, connection: &str, limit: u16) -> Result<(), CliError> {
    let query_members = [("limit", Some(limit.clamp(1, 100).to_string()))];
    let page =
        api.get(&format!("/connections/{connection}/rejected{}", query(&query_members))).await?;
    let found = page["items"].as_array().cloned().unwrap_or_default();
    if found.is_empty() {
        say!("no rejected requests for {connection} in the last week");
    }
    for request in found {
        let (at, size, reason) =
            (text(&request["at"]), text(&request["size"]), text(&request["reason"]));
        let body = request["body"].as_str().unwrap_or("-").replace('\n', "\n  ");
        say!("{at}  {size} bytes: {reason}\n  {body}\n");
    }
    Ok(())
}

fn count_line(done: &Value, what: &str) -> String {
    match done["count"].as_u64().unwrap_or_default() {
        0 => "nothing matches: see `trunkline deliveries`".into(),
        1 => format!("1 delivery {what}"),
        count => format!("{count} deliveries {what}"),
    }
}
