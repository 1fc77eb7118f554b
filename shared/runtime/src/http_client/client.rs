//! HTTP client for calls to platforms. It checks addresses after DNS resolution, follows no redirects
//! except those of downloads, uses no proxy, and limits time and body size.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::resolver::PublicDnsResolver;
use crate::security::{BlockedUrl, check_url};

/// Time limit for a platform's response (Webex Connect's own limit, applied to all).
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// While a function is frozen its pooled connections close unnoticed, so they are kept only briefly.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Default limit for a response body, in bytes.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;
/// The memory that the files of all deliveries in a process may use together, in blocks of 64 KiB: 60 MB. A
/// function has 256 MB and sends to up to ten legs at once.
const MEMORY_BLOCKS: usize = 60 * 16;
/// The unit in which memory is reserved, in bytes.
const MEMORY_BLOCK: usize = 64 * 1024;

/// A request to a platform.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRequest {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A platform's response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body, truncated at the limit.
    pub body: Vec<u8>,
}

/// Why a request has no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The URL is not allowed.
    #[error(transparent)]
    Blocked(#[from] BlockedUrl),
    /// The connection could not be opened, so nothing was sent.
    #[error("cannot connect: {0}")]
    NotConnected(String),
    /// No response within five seconds. The platform may have processed the request.
    #[error("no response within {} seconds", TIMEOUT.as_secs())]
    TimedOut,
    /// The connection closed before the response was complete. The platform may have processed the
    /// request.
    #[error("the connection closed before the response was complete")]
    Broken,
    /// The request is not valid HTTP.
    #[error("cannot build the request: {0}")]
    Malformed(String),
}

/// Why an HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The TLS configuration is invalid.
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
    /// The client could not be built from its configuration.
    #[error("HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// HTTP client for calls to platforms. It is built on first use.
#[derive(Debug)]
pub struct HttpClient {
    allow_local: bool,
    client: OnceLock<reqwest::Client>,
    /// The memory that files may use, in blocks.
    memory: Semaphore,
}

impl HttpClient {
    /// Creates a client. `allow_local` permits plain `http` and any address, for a stack on one machine.
    #[must_use]
    pub fn new(allow_local: bool) -> Self {
        let memory = Semaphore::new(MEMORY_BLOCKS);
        Self { allow_local, client: OnceLock::new(), memory }
    }

    /// Creates a client that uses `resolver` and permits plain `http`.
    #[cfg(test)]
    pub(super) fn with_resolver(resolver: PublicDnsResolver) -> Self {
        let client = OnceLock::from(build_client(resolver).expect("a client"));
        Self { client, ..Self::new(true) }
    }

    /// Sends a request and reads at most 64 KiB of the response body. A response with any status is `Ok`.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.send_with_limit(request, MAX_RESPONSE_BYTES).await
    }

    /// Sends a request and reads at most `limit` bytes of the response body, for files. A response with any
    /// status is `Ok`.
    pub async fn send_with_limit(
        &self,
        request: HttpRequest,
        limit: usize,
    ) -> Result<HttpResponse, HttpError> {
        let url = check_url(&request.url, self.allow_local)?;
        let client = self.client().map_err(|error| HttpError::Malformed(error.to_string()))?;
        let call = client.request(request.method, url).headers(request.headers).body(request.body);
        let mut response = call.send().await.map_err(|error| classify_error(&error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while body.len() < limit {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
                }
                Ok(None) => break,
                Err(error) => return Err(classify_error(&error)),
            }
        }
        Ok(HttpResponse { status, headers, body })
    }

    /// Whether plain `http` and any address are permitted.
    pub(super) fn allows_local(&self) -> bool {
        self.allow_local
    }

    /// Reserves memory for files. It is free again when the permit is dropped.
    ///
    /// Waits while other deliveries of this process use the memory.
    pub async fn reserve_memory(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let blocks = bytes.div_ceil(MEMORY_BLOCK).min(MEMORY_BLOCKS);
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        self.memory.acquire_many(blocks).await.ok()
    }

    pub(super) fn client(&self) -> Result<&reqwest::Client, TlsError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let built = build_client(PublicDnsResolver::system(self.allow_local))?;
        Ok(self.client.get_or_init(|| built))
    }
}

/// Returns a TLS configuration that trusts these roots.
pub(crate) fn tls_config(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider);
    let config = versions.with_safe_default_protocol_versions()?.with_root_certificates(roots);
    Ok(config.with_no_client_auth())
}

/// Builds a client that connects only to addresses from `resolver`.
fn build_client(resolver: PublicDnsResolver) -> Result<reqwest::Client, TlsError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls_config(roots)?)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .user_agent(concat!("trunkline/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Arc::new(resolver))
        .build()?;
    Ok(client)
}

pub(super) fn classify_error(error: &reqwest::Error) -> HttpError {
    let mut cause = error.source();
    let mut innermost = String::new();
    while let Some(source) = cause {
        if let Some(blocked) = source.downcast_ref::<BlockedUrl>() {
            return HttpError::Blocked(blocked.clone());
        }
        innermost = source.to_string();
        cause = source.source();
    }
    if error.is_connect() {
        HttpError::NotConnected(innermost)
    } else if error.is_timeout() {
        HttpError::TimedOut
    } else if error.is_builder() {
        HttpError::Malformed(innermost)
    } else {
        HttpError::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(url: &str) -> HttpRequest {
        HttpRequest {
            method: Method::GET,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    #[tokio::test]
    async fn blocks_a_name_that_resolves_to_an_internal_address() {
        let outcome = HttpClient::new(false).send(get("https://localhost/")).await;
        assert!(
            matches!(outcome, Err(HttpError::Blocked(BlockedUrl::NotPublic(_)))),
            "{outcome:?}"
        );
    }

    #[tokio::test]
    async fn a_refused_connection_is_reported_as_not_connected() {
        let outcome = HttpClient::new(true).send(get("http://127.0.0.1:1/")).await;
        assert!(matches!(outcome, Err(HttpError::NotConnected(_))), "{outcome:?}");
    }
}
