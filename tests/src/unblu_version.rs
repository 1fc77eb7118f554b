//! The version of Unblu's web API in the end-to-end tests.

use trunkline_unblu_mock::ApiVersion;

/// The variable that makes the stories with Unblu, and only these, run with another version than v4.
pub const VARIABLE: &str = "TRUNKLINE_UNBLU_API";

/// Returns the version of the variable [`VARIABLE`]; `None` without one.
pub fn chosen() -> Option<ApiVersion> {
    std::env::var(VARIABLE).ok().map(|word| word.parse().unwrap_or_else(|why| panic!("{why}")))
}

/// Returns the version of this run.
pub fn current() -> ApiVersion {
    chosen().unwrap_or(ApiVersion::V4)
}
