//! What operators see and do: reports of what happens to deliveries, and the lists and orders that
//! the command line (and the console) are made of.

mod orders;
mod report;

pub use orders::{Operator, OrderError, Selection, Waiting};
pub use report::{Report, tell};
