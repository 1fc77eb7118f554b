//! The vendors' sides, as far as the fact sheets tell: each refuses what the real one would, and shares
//! no code with the connector that it stands against.

mod clock;
pub mod cm;
pub mod servisbot;
pub mod twin;
pub mod unblu;
