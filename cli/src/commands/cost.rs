//! What AWS bills.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::json;
use trunkline::cost::{
    Assumed, Bill, CALL_MS, COUNTS, Counts, FAR_SIDE_MS, Line, PRICES, Prices, Standing, TEMPLATE,
    bill, fixed,
};

use super::Failed;
use super::table::Table;

/// For what, and what is assumed.
#[derive(Debug, clap::Args)]
pub(super) struct Cost {
    /// Messages, each from one side to the other.
    #[arg(long, default_value_t = 1_000_000.0)]
    messages: f64,
    /// Observers that get a copy of each.
    #[arg(long, default_value_t = 0.0)]
    copies: f64,
    /// Receipts of each that are passed on.
    #[arg(long, default_value_t = 0.0)]
    receipts: f64,
    /// TWIN listeners that run all the time: one, where a connection has `answers: socket`.
    #[arg(long, default_value_t = 0.0)]
    listeners: f64,
    /// Deliveries in a batch; as counted at 100 messages a second, if left out.
    #[arg(long)]
    batch: Option<f64>,
    /// Milliseconds that an AWS call takes.
    #[arg(long, default_value_t = CALL_MS)]
    call_ms: f64,
    /// Milliseconds that a far side takes to answer.
    #[arg(long, default_value_t = FAR_SIDE_MS)]
    far_side_ms: f64,
    /// The functions' memory in MB.
    #[arg(long, default_value_t = 256.0)]
    memory: f64,
    /// Days that transcripts are kept.
    #[arg(long, default_value_t = 90.0)]
    retention: f64,
    /// Bytes that a call to a far side sends.
    #[arg(long, default_value_t = 1_500.0)]
    sent_bytes: f64,
    /// Bytes that the access log has of a call, with CloudWatch's own 26; 0 with AccessLog=no.
    #[arg(long, default_value_t = 400.0)]
    access_bytes: f64,
    /// Another price: name=usd, such as `write_unit=0.00000076`. May be given several times.
    #[arg(long)]
    price: Vec<String>,
    /// Other prices altogether, as JSON.
    #[arg(long)]
    prices: Option<PathBuf>,
    /// Other counts, as `make bench-count` writes them.
    #[arg(long)]
    counts: Option<PathBuf>,
    /// For programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(cost: &Cost) -> Result<(), Failed> {
    let mut prices: Prices = read(cost.prices.as_deref(), PRICES)?;
    for given in &cost.price {
        prices.set(given)?;
    }
    let counts: Counts = read(cost.counts.as_deref(), COUNTS)?;
    let assumed = Assumed {
        messages: cost.messages,
        copies: cost.copies,
        receipts: cost.receipts,
        call_ms: cost.call_ms,
        far_side_ms: cost.far_side_ms,
        memory_mb: cost.memory,
        batch: cost.batch,
        retention_days: cost.retention,
        sent_bytes: cost.sent_bytes,
        access_bytes: cost.access_bytes,
    };
    let bill = bill(&counts, &assumed, &prices);
    let standing = fixed(Standing::of(TEMPLATE), cost.listeners, cost.memory, &prices);
    if cost.json {
        let told = json!({
            "assumed": assumed, "prices": prices, "counts": counts, "bill": bill, "a_month": standing,
        });
        println!("{told:#}");
        return Ok(());
    }
    let Prices { region, as_of, .. } = &prices;
    println!("{} messages, list prices of {region} as of {as_of}, in USD:\n", cost.messages);
    let mut table = Table::new(&["what", "how much", "", "USD"]);
    rows(&mut table, &bill.relayed, "relayed");
    rows(&mut table, &bill.kept, &format!("kept for {} days", cost.retention));
    rows(&mut table, &standing, "a month, busy or not");
    table.print("");
    Ok(())
}

fn read<T: DeserializeOwned>(file: Option<&Path>, usual: &str) -> Result<T, Failed> {
    let Some(file) = file else { return Ok(serde_json::from_str(usual)?) };
    let unread = |why: &dyn std::fmt::Display| Failed(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|why| unread(&why))?;
    serde_json::from_str(&text).map_err(|why| unread(&why))
}

fn rows(table: &mut Table, lines: &[Line], sum: &str) {
    for line in lines.iter().filter(|line| line.quantity > 0.0) {
        let quantity = if line.quantity < 1_000.0 {
            format!("{:>13.2}", line.quantity)
        } else {
            format!("{:>13.0}", line.quantity)
        };
        table.row([line.what.into(), quantity, line.unit.into(), format!("{:>7.2}", line.usd)]);
    }
    let total = format!("{:>7.2}", Bill::sum(lines));
    table.row([format!("= {sum}"), String::new(), String::new(), total]);
}
