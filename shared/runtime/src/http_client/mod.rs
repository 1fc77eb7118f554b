//! The HTTP client for calls to platforms: every address is resolved and checked before a connection
//! is opened, redirects are followed only for downloads, and time and body size are bounded.

mod client;
mod download;
mod resolver;
#[cfg(test)]
mod security_tests;

pub(crate) use client::tls_config;
pub use client::{HttpClient, HttpError, HttpRequest, HttpResponse, TlsError};
pub use download::{DownloadError, DownloadLimits, Downloaded};
