//! The HTTP client for calls to platforms: every address is resolved and checked before a connection
//! is opened, redirects are not followed, and time and body size are bounded.

#[cfg(test)]
mod attacks;
mod client;
mod resolver;

pub(crate) use client::tls;
pub use client::{Answer, HttpClient, HttpError, Request, TlsError};
