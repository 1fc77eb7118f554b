//! Commands that look: how everything is, which conversations there are, what was said in one.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline::api::{Api, part, query};

use super::Failed;
use super::table::{Table, ago, text};

/// How often a conversation that is followed is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Which conversations.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Only this channel's.
    #[arg(long)]
    connection: Option<String>,
    /// Only those that stand so: bot, pending, desk or closed.
    #[arg(long)]
    state: Option<String>,
    /// Only this customer's, as the channel's platform knows them.
    #[arg(long)]
    customer: Option<String>,
    /// Only those that changed then or later (2026-03-04T09:15:00Z).
    #[arg(long)]
    since: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    /// For programs.
    #[arg(long)]
    json: bool,
}

/// Which conversation.
#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// The channel connection.
    channel: String,
    /// The customer, or their thread, as the channel's platform knows it.
    customer: String,
    /// The last so many events.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=100))]
    last: u16,
    /// For programs: an event a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn status(api: &Api, json: bool) -> Result<(), Failed> {
    let overview = api.get("/overview").await?;
    if json {
        println!("{overview}");
        return Ok(());
    }
    let mut table = Table::new(&[
        "CONNECTION",
        "PLATFORM",
        "ROLE",
        "BREAKER",
        "PARKED",
        "OLDEST",
        "FAILED",
        "DELIVERED/H",
        "PROVED",
    ]);
    for card in overview["connections"].as_array().into_iter().flatten() {
        let breaker = match (card["suspended"] == true, card["breaker"]["state"].as_str()) {
            (true, _) => "suspended",
            (_, state) => state.unwrap_or("?"),
        };
        let proved = match (&card["verified"], card["verified"]["problem"].as_str()) {
            (Value::Null, _) => "-".to_owned(),
            (_, Some(why)) => why.to_owned(),
            (verified, None) => format!("{} ago", ago(&verified["at"])),
        };
        table.row([
            text(&card["id"]),
            text(&card["platform"]),
            text(&card["role"]),
            breaker.to_owned(),
            text(&card["parked"]),
            ago(&card["oldest_waiting_at"]),
            text(&card["failed"]),
            text(&card["last_hour"]["delivered"]),
            proved,
        ]);
    }
    table.print("there is no connection: `trunkline apply` puts some there");
    let dead = overview["dead_letters"].as_u64().unwrap_or(0);
    if dead > 0 {
        println!("\n{dead} dead letters: see `trunkline deliveries --dead`");
    }
    Ok(())
}

pub(super) async fn conversations(api: &Api, which: Which) -> Result<(), Failed> {
    let mut found: Vec<Value> = Vec::new();
    let mut cursor = None;
    while found.len() < usize::from(which.limit) {
        let left = usize::from(which.limit) - found.len();
        let page = api
            .get(&format!(
                "/conversations{}",
                query(&[
                    ("connection", which.connection.clone()),
                    ("state", which.state.clone()),
                    ("customer", which.customer.clone()),
                    ("since", which.since.clone()),
                    ("limit", Some(left.min(100).to_string())),
                    ("cursor", cursor),
                ])
            ))
            .await?;
        found.extend(page["items"].as_array().cloned().unwrap_or_default());
        cursor = page["next"].as_str().map(ToOwned::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    if which.json {
        println!("{}", Value::Array(found));
        return Ok(());
    }
    let mut table =
        Table::new(&["CHANNEL", "CUSTOMER", "STATE", "WITH", "CHANGED", "CONVERSATION"]);
    for one in &found {
        let owner = &one["owner"];
        let with = owner["agent"].as_str().or(owner["connection"].as_str()).unwrap_or("-");
        table.row([
            text(&one["channel"]),
            text(&one["customer"]),
            text(&one["state"]),
            with.to_owned(),
            ago(&one["changed_at"]),
            text(&one["id"]),
        ]);
    }
    table.print("there is no such conversation");
    Ok(())
}

/// Prints what was said, and with `follow` what is said from then on, until it is interrupted.
pub(super) async fn show(api: &Api, one: &One, follow: bool) -> Result<(), Failed> {
    let place = format!("/conversations/{}/{}", part(&one.channel), part(&one.customer));
    let details = api.get(&place).await?;
    if !one.json {
        println!("{}", about(&details));
    }
    let mut known: Vec<Value> = Vec::new();
    loop {
        let page = api.get(&format!("{place}/timeline?limit={}", one.last)).await?;
        let entries = page["items"].as_array().cloned().unwrap_or_default();
        for entry in entries.iter().rev() {
            let name = json!([entry["from"], entry["id"]]);
            if known.contains(&name) {
                continue;
            }
            println!("{}", if one.json { entry.to_string() } else { line(entry) });
            known.push(name);
        }
        if !follow {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn about(details: &Value) -> String {
    let owner = &details["owner"];
    let with = owner["agent"].as_str().or(owner["connection"].as_str()).unwrap_or("nobody of ours");
    let state = text(&details["state"]);
    let handover = &details["handover"];
    let why = match handover["reason"].as_str() {
        Some(reason) => format!(", handed over by {}: {reason}", text(&handover["by"])),
        None => String::new(),
    };
    let (customer, channel) = (text(&details["customer"]), text(&details["channel"]));
    format!("{customer} on {channel}: {state}, with {with}{why}\n")
}

/// An event in a line, and below it each delivery that has not arrived.
fn line(entry: &Value) -> String {
    let body = &entry["body"];
    let said = match body["type"].as_str().unwrap_or_default() {
        "message" => text(&body["content"]["text"]),
        "choice" => format!("[picks {}]", text(&body["id"])),
        "receipt" => format!("[{}]", text(&body["status"])),
        kind => match body["reason"].as_str() {
            Some(reason) => format!("[{kind}: {reason}]"),
            None => format!("[{kind}]"),
        },
    };
    let author =
        entry["author"]["name"].as_str().or(entry["author"]["role"].as_str()).unwrap_or("?");
    let standing = match entry["standing"].as_str() {
        Some("regular") | None => String::new(),
        Some(other) => format!(" ({other})"),
    };
    let at = text(&entry["at"]);
    let at = at.get(..19).unwrap_or(&at);
    let line = format!("{at}  {:<16} {author}: {said}{standing}", text(&entry["from"]));
    let deliveries = entry["deliveries"].as_array().into_iter().flatten();
    let missing = deliveries.filter_map(|delivery| {
        let verdict = delivery["outcome"]["verdict"].as_str().unwrap_or("on its way");
        let reason = delivery["outcome"]["reason"].as_str().unwrap_or_default();
        let arrived = matches!(verdict, "delivered" | "skipped");
        let to = text(&delivery["to"]);
        (!arrived).then(|| format!("\n{:21}to {to}: {verdict} {reason}", ""))
    });
    line + &missing.collect::<String>()
}
