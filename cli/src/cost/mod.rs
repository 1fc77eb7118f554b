//! Estimates the AWS bill from measured usage and list prices.

mod bill;
mod prices;

pub use bill::{
    Assumptions, Bill, BillLine, FixedResources, Usage, UsageByKind, bill, fixed_costs,
    traffic_metrics,
};
pub use prices::{PriceError, Prices};

/// The default duration of an AWS call, in milliseconds.
pub const CALL_MS: f64 = 6.0;

/// The default response time of a platform, in milliseconds.
pub const PLATFORM_MS: f64 = 100.0;

/// The usage of a message, a copy and a receipt, as JSON, measured by `make bench-count`.
pub const COUNTS: &str = include_str!("counts.json");

/// The text of the deployed template.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

/// List prices with their date, as JSON.
pub const PRICES: &str = include_str!("prices.json");
