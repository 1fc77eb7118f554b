//! Authentication and authorization of API calls.

mod middleware;
mod principal;
mod tokens;

pub use middleware::{COOKIE_NAME, TokenCache, authenticate, cookie};
pub use principal::Caller;
pub use tokens::{find_token, issue};
