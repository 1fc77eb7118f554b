//! `trunkline cost`: estimates the AWS bill.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::json;
use trunkline::cost::{
    Assumptions, Bill, BillLine, CALL_MS, COUNTS, FixedResources, PLATFORM_MS, PRICES, Prices,
    TEMPLATE, UsageByKind, bill, fixed_costs, traffic_metrics,
};

use super::CliError;
use super::table::Table;
use trunkline_registry::PLATFORMS;

/// The traffic and the assumptions of an estimate.
#[derive(Debug, clap::Args)]
pub(super) struct Cost {
    /// Number of messages.
    #[arg(long, default_value_t = 1_000_000.0)]
    messages: f64,
    /// Copies to observers, per message.
    #[arg(long, default_value_t = 0.0)]
    copies: f64,
    /// Relayed receipts, per message.
    #[arg(long, default_value_t = 0.0)]
    receipts: f64,
    /// Ids of the platforms of the stack, separated by commas. Default: all.
    #[arg(long, value_delimiter = ',')]
    platforms: Vec<String>,
    /// TWIN listeners that run continuously: 1 if TWIN chats answer on sockets, the default.
    #[arg(long, default_value_t = 0.0)]
    listeners: f64,
    /// Deliveries per batch. Default: as measured at 100 messages a second.
    #[arg(long)]
    batch: Option<f64>,
    /// Duration of an AWS call, in milliseconds.
    #[arg(long, default_value_t = CALL_MS)]
    call_ms: f64,
    /// Response time of a platform, in milliseconds.
    #[arg(long, default_value_t = PLATFORM_MS)]
    platform_ms: f64,
    /// Memory of the functions, in MB.
    #[arg(long, default_value_t = 256.0)]
    memory: f64,
    /// Retention of transcripts, in days.
    #[arg(long, default_value_t = 90.0)]
    retention: f64,
    /// Bytes sent per call to a platform.
    #[arg(long, default_value_t = 1_500.0)]
    sent_bytes: f64,
    /// Bytes in the access log per call, including CloudWatch's overhead of 26; 0 with AccessLog=no.
    #[arg(long, default_value_t = 155.0)]
    access_bytes: f64,
    /// Override a price: name=usd, such as `write_unit=0.00000076`. Repeatable.
    #[arg(long)]
    price: Vec<String>,
    /// Read all prices from a JSON file.
    #[arg(long)]
    prices: Option<PathBuf>,
    /// Read the usage from a JSON file, as written by `make bench-count`.
    #[arg(long)]
    counts: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(cost: &Cost) -> Result<(), CliError> {
    let mut prices: Prices = read_or_default(cost.prices.as_deref(), PRICES)?;
    for given in &cost.price {
        prices.set(given)?;
    }
    let counts: UsageByKind = read_or_default(cost.counts.as_deref(), COUNTS)?;
    let assumptions = Assumptions {
        messages: cost.messages,
        copies: cost.copies,
        receipts: cost.receipts,
        call_ms: cost.call_ms,
        platform_ms: cost.platform_ms,
        memory_mb: cost.memory,
        batch: cost.batch,
        retention_days: cost.retention,
        sent_bytes: cost.sent_bytes,
        access_bytes: cost.access_bytes,
    };
    let bill = bill(&counts, &assumptions, &prices);
    let resources = FixedResources::of(TEMPLATE, &absent_platforms(&cost.platforms)?);
    let fixed = fixed_costs(resources, cost.listeners, cost.memory, &prices);
    let traffic = traffic_metrics(&prices);
    if cost.json {
        let report = json!({
            "assumptions": assumptions, "prices": prices, "counts": counts, "bill": bill, "fixed": fixed,
            "traffic_metrics": traffic,
        });
        println!("{report:#}");
        return Ok(());
    }
    let Prices { region, as_of, .. } = &prices;
    println!("{} messages, list prices of {region} as of {as_of}, in USD:\n", cost.messages);
    let mut table = Table::new(&["item", "quantity", "", "USD"]);
    rows(&mut table, &bill.relayed, "relayed");
    rows(&mut table, &bill.stored, &format!("stored for {} days", cost.retention));
    rows(&mut table, &traffic, "with traffic in every hour, per month");
    rows(&mut table, &fixed, "fixed, per month");
    table.print("");
    Ok(())
}

/// Returns the ids of the platforms that a stack does not have; none if `present` is empty.
fn absent_platforms(present: &[String]) -> Result<Vec<&'static str>, CliError> {
    let all: Vec<&str> = PLATFORMS.iter().map(|known| known.id.as_str()).collect();
    if let Some(unknown) = present.iter().find(|id| !all.contains(&id.as_str())) {
        return Err(CliError(format!("no platform '{unknown}': use some of {}", all.join(", "))));
    }
    let is_absent = |id: &&str| !present.is_empty() && !present.iter().any(|one| one == id);
    Ok(all.into_iter().filter(is_absent).collect())
}

fn read_or_default<T: DeserializeOwned>(file: Option<&Path>, usual: &str) -> Result<T, CliError> {
    let Some(file) = file else { return Ok(serde_json::from_str(usual)?) };
    let unread = |why: &dyn std::fmt::Display| CliError(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|why| unread(&why))?;
    serde_json::from_str(&text).map_err(|why| unread(&why))
}

fn rows(table: &mut Table, lines: &[BillLine], sum: &str) {
    for line in lines.iter().filter(|line| line.quantity > 0.0) {
        let quantity = if line.quantity < 1_000.0 {
            format!("{:>13.2}", line.quantity)
        } else {
            format!("{:>13.0}", line.quantity)
        };
        table.row([line.what.into(), quantity, line.unit.into(), format!("{:>7.2}", line.usd)]);
    }
    let total = format!("{:>7.2}", Bill::total(lines));
    table.row([format!("= {sum}"), String::new(), String::new(), total]);
}
