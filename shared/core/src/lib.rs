//! The functional core: domain types ([`model`]), decisions ([`routing`]) and content for a target
//! ([`rendering`]). It does no I/O and knows neither AWS nor a platform's protocol.

pub mod model;
pub mod rendering;
pub mod routing;
