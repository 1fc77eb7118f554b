//! What AWS bills: computed from what was counted, and from list prices.

mod bill;
mod prices;

pub use bill::{Assumed, Bill, Counted, Counts, Line, Standing, bill, fixed};
pub use prices::{BadPrice, Prices};

/// What a message, a copy and a receipt come to, as `make bench-count` counted it.
pub const COUNTS: &str = include_str!("counts.json");

/// The template that is deployed.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

/// List prices with their date.
pub const PRICES: &str = include_str!("prices.json");
