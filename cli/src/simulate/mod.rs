//! Simulated platforms on which a person acts as customer, bot or agent. They use the mocks of the tests.

mod membership;

pub use membership::{JoinError, Membership, join, leave};
