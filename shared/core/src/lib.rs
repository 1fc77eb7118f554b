//! The functional core: domain types ([`model`]), the description of a platform
//! ([`platform`]), the JSON of other programs ([`json`]), decisions ([`routing`]) and content for a target
//! ([`rendering`]). It does no I/O and knows neither AWS nor a platform's protocol.

pub mod json;
pub mod model;
pub mod platform;
pub mod rendering;
pub mod routing;
