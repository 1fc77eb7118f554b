//! What AWS bills: computed from what was counted, and from list prices.

mod bill;
mod prices;

pub use bill::{Assumed, Bill, Counted, Counts, Line, Standing, bill, fixed};
pub use prices::{BadPrice, Prices};

/// Milliseconds that an AWS call is assumed to take.
pub const CALL_MS: f64 = 6.0;

/// Milliseconds that a far side is assumed to take to answer.
pub const FAR_SIDE_MS: f64 = 100.0;

/// What a message, a copy and a receipt come to, as `make bench-count` counted it.
pub const COUNTS: &str = include_str!("counts.json");

/// The template that is deployed.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

/// List prices with their date.
pub const PRICES: &str = include_str!("prices.json");
