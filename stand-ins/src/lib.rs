//! Mock servers of the vendors' APIs, according to the fact sheets. Each rejects what the real server
//! would reject, and shares no code with the platform function that it tests.

mod clock;
pub mod cm;
pub mod servisbot;
pub mod twin;
pub mod unblu;
