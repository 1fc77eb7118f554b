//! Commands that show state: `status`, `conversations`, `show` and `tail`.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline::api::{Api, path_segment, query};
use trunkline::say;
use trunkline::terminal::{json_line, safe_line};

use super::CliError;
use super::table::{Table, ago, text};

/// How often `tail -f` polls a conversation.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Begins a further line of an event, below its text: a customer's line break must not look like another event.
const INDENTED_LINE: &str = "\n                     ";

/// Selects conversations.
#[derive(Debug, clap::Args)]
pub(super) struct ConversationFilter {
    /// Only conversations of this channel connection.
    #[arg(long)]
    connection: Option<String>,
    /// Only conversations in this state: bot, pending, desk or closed.
    #[arg(long)]
    state: Option<String>,
    /// Only conversations of this customer, by the id on the channel's platform.
    #[arg(long)]
    customer: Option<String>,
    /// Only conversations that changed at or after this time (2026-03-04T09:15:00Z).
    #[arg(long)]
    since: Option<String>,
    /// Maximum number of conversations.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Names one conversation.
#[derive(Debug, clap::Args)]
pub(super) struct ConversationArgs {
    /// Id of the channel connection.
    channel: String,
    /// Id of the customer or thread on the channel's platform.
    customer: String,
    /// Maximum number of events, most recent first.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// Print JSON, one event per line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn status(api: &Api, json: bool) -> Result<(), CliError> {
    let overview = api.get("/overview").await?;
    if json {
        println!("{}", json_line(&overview));
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
        "VERIFIED",
    ]);
    for card in overview["connections"].as_array().into_iter().flatten() {
        let breaker = match (card["suspended"] == true, card["breaker"]["state"].as_str()) {
            (true, _) => "suspended",
            (_, state) => state.unwrap_or("?"),
        };
        let verified =
            match (&card["last_verification"], card["last_verification"]["problem"].as_str()) {
                (Value::Null, _) => "-".to_owned(),
                (_, Some(why)) => why.to_owned(),
                (result, None) => format!("{} ago", ago(&result["at"])),
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
            verified,
        ]);
    }
    table.print("no connections: `trunkline apply` adds some");
    let dead = overview["dead_letters"].as_u64().unwrap_or(0);
    if dead > 0 {
        say!("\n{dead} dead letters: see `trunkline deliveries --dead`");
    }
    Ok(())
}

pub(super) async fn conversations(api: &Api, filter: ConversationFilter) -> Result<(), CliError> {
    let mut found: Vec<Value> = Vec::new();
    let mut cursor = None;
    while found.len() < usize::from(filter.limit) {
        let left = usize::from(filter.limit) - found.len();
        let page = api
            .get(&format!(
                "/conversations{}",
                query(&[
                    ("connection", filter.connection.clone()),
                    ("state", filter.state.clone()),
                    ("customer", filter.customer.clone()),
                    ("since", filter.since.clone()),
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
    if filter.json {
        println!("{}", json_line(&Value::Array(found)));
        return Ok(());
    }
    let mut table =
        Table::new(&["CHANNEL", "CUSTOMER", "STATE", "WITH", "CHANGED", "CONVERSATION"]);
    for conversation in &found {
        let owner = &conversation["owner"];
        let with = owner["agent"].as_str().or(owner["connection"].as_str()).unwrap_or("-");
        table.row([
            text(&conversation["channel"]),
            text(&conversation["customer"]),
            text(&conversation["state"]),
            with.to_owned(),
            ago(&conversation["changed_at"]),
            text(&conversation["id"]),
        ]);
    }
    table.print("no matching conversations");
    Ok(())
}

/// Prints the events of a conversation. With `follow`, also prints new events until interrupted.
pub(super) async fn show(api: &Api, args: &ConversationArgs, follow: bool) -> Result<(), CliError> {
    let path =
        format!("/conversations/{}/{}", path_segment(&args.channel), path_segment(&args.customer));
    let details = api.get(&path).await?;
    if !args.json {
        say!("{}", summary(&details));
    }
    let mut known: Vec<Value> = Vec::new();
    loop {
        let page = api.get(&format!("{path}/timeline?limit={}", args.limit)).await?;
        let entries = page["items"].as_array().cloned().unwrap_or_default();
        for entry in entries.iter().rev() {
            let name = json!([entry["from"], entry["id"]]);
            if known.contains(&name) {
                continue;
            }
            if args.json {
                println!("{}", json_line(entry));
            } else {
                say!("{}", entry_line(entry));
            }
            known.push(name);
        }
        if !follow {
            return Ok(());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

fn summary(details: &Value) -> String {
    let owner = &details["owner"];
    let with = owner["agent"].as_str().or(owner["connection"].as_str()).unwrap_or("no connection");
    let state = text(&details["state"]);
    let handover = &details["handover"];
    let why = match handover["reason"].as_str() {
        Some(reason) => {
            format!(", handed over by {}: {}", text(&handover["trigger"]), safe_line(reason))
        }
        None => String::new(),
    };
    let (customer, channel) = (text(&details["customer"]), text(&details["channel"]));
    let with = safe_line(with);
    format!("{customer} on {channel}: {state}, with {with}{why}\n")
}

/// Returns a line for an event, and a line for each of its deliveries that has not arrived.
fn entry_line(entry: &Value) -> String {
    let body = &entry["body"];
    let content = match body["type"].as_str().unwrap_or_default() {
        "message" => body["content"]["text"].as_str().unwrap_or("-").to_owned(),
        "choice" => format!("[picks {}]", text(&body["id"])),
        "receipt" => format!("[{}]", text(&body["status"])),
        kind => match body["reason"].as_str() {
            Some(reason) => format!("[{kind}: {}]", safe_line(reason)),
            None => format!("[{kind}]"),
        },
    };
    let author =
        entry["author"]["name"].as_str().or(entry["author"]["role"].as_str()).unwrap_or("?");
    let disposition = match entry["disposition"].as_str() {
        Some("routed") | None => String::new(),
        Some(other) => format!(" ({other})"),
    };
    let at = text(&entry["at"]);
    let at = at.get(..19).unwrap_or(&at);
    let content = content.replace('\n', INDENTED_LINE);
    let author = safe_line(author);
    let line = format!("{at}  {:<16} {author}: {content}{disposition}", text(&entry["from"]));
    let deliveries = entry["deliveries"].as_array().into_iter().flatten();
    let missing = deliveries.filter_map(|delivery| {
        let status = delivery["outcome"]["status"].as_str().unwrap_or("pending");
        let reason = delivery["outcome"]["reason"].as_str().unwrap_or_default();
        let arrived = matches!(status, "delivered" | "skipped");
        let to = text(&delivery["to"]);
        let reason = safe_line(reason);
        (!arrived).then(|| format!("{INDENTED_LINE}to {to}: {status} {reason}"))
    });
    line + &missing.collect::<String>()
}

#[cfg(test)]
mod tests {
    use trunkline::terminal::safe;

    use super::*;

    #[test]
    fn a_customers_text_neither_controls_the_terminal_nor_looks_like_another_event() {
        let forged = "hi\u{1b}[2J\n2026-03-04T09:00:00  desk   Agent: refunded";
        let entry = json!({
            "at": "2026-03-04T09:00:00Z", "from": "channel", "author": {"name": "An\nna\u{9b}"},
            "body": {"type": "message", "content": {"text": forged}},
            "deliveries": [{"to": "bot", "outcome": {"status": "failed", "reason": "no\nyes"}}],
        });
        let shown = safe(&entry_line(&entry));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 3, "{shown}");
        assert!(lines[1..].iter().all(|line| line.starts_with("          ")), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}']), "{shown}");
    }
}
