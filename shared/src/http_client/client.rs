//! The one client for calls to platforms: addresses checked after they are resolved, no redirects,
//! no proxy, time and body bounded.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use rustls::{ClientConfig, RootCertStore};

use super::resolver::Names;
use crate::security::{Blocked, check_url};

/// How long a platform has to answer (Webex Connect's own rule, taken for all).
const TIMEOUT: Duration = Duration::from_secs(5);
/// Kept connections die unseen while a function is frozen, so they are not kept for long.
const IDLE: Duration = Duration::from_secs(4);
/// How much of an answer is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// A call to a platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// What a platform answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, cut off where it is too long.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The address may not be called.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// No connection came about, so nothing was sent.
    #[error("no connection: {0}")]
    NotConnected(String),
    /// No answer within five seconds; the call may have been heard.
    #[error("no answer within {} seconds", TIMEOUT.as_secs())]
    TimedOut,
    /// The connection broke before the answer was whole; the call may have been heard.
    #[error("the connection broke before the answer came")]
    Broken,
    /// The request cannot be put into HTTP.
    #[error("the request cannot be built: {0}")]
    Malformed(String),
}

/// Why the client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// TLS could not be set up.
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
    /// The client could not be built.
    #[error("HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// The client for calls to platforms, made when it is first used.
#[derive(Debug)]
pub struct HttpClient {
    local: bool,
    client: OnceLock<reqwest::Client>,
}

impl HttpClient {
    /// `local` allows plain `http` and any address, for a stack on one machine.
    #[must_use]
    pub fn new(local: bool) -> Self {
        Self { local, client: OnceLock::new() }
    }

    /// One that resolves by `names`, and takes plain `http`.
    #[cfg(test)]
    pub(super) fn with_names(names: Names) -> Self {
        let client = OnceLock::from(build(names).expect("a client"));
        Self { local: true, client }
    }

    /// Makes the call. Of the answer at most 64 KiB are read.
    ///
    /// # Errors
    /// Why there is no answer. An answer of any status is an `Ok`.
    pub async fn call(&self, request: Request) -> Result<Answer, HttpError> {
        self.fetch(request, MAX_ANSWER).await
    }

    /// Makes the call, and reads at most `most` bytes of the answer: for files.
    ///
    /// # Errors
    /// Why there is no answer. An answer of any status is an `Ok`.
    pub async fn fetch(&self, request: Request, most: usize) -> Result<Answer, HttpError> {
        let url = check_url(&request.url, self.local)?;
        let client = self.client().map_err(|error| HttpError::Malformed(error.to_string()))?;
        let call = client.request(request.method, url).headers(request.headers).body(request.body);
        let mut response = call.send().await.map_err(|error| name_failure(&error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while body.len() < most {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    body.extend_from_slice(&chunk[..chunk.len().min(most - body.len())]);
                }
                Ok(None) => break,
                Err(error) => return Err(name_failure(&error)),
            }
        }
        Ok(Answer { status, headers, body })
    }

    fn client(&self) -> Result<&reqwest::Client, TlsError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let built = build(Names::of_the_machine(self.local))?;
        Ok(self.client.get_or_init(|| built))
    }
}

/// TLS to whoever is vouched for by one of these roots.
pub(crate) fn tls(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider);
    let config = versions.with_safe_default_protocol_versions()?.with_root_certificates(roots);
    Ok(config.with_no_client_auth())
}

/// A client that goes where these names lead, and nowhere else.
fn build(names: Names) -> Result<reqwest::Client, TlsError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(roots)?)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("trunkline/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Arc::new(names))
        .build()?;
    Ok(client)
}

fn name_failure(error: &reqwest::Error) -> HttpError {
    let mut cause = error.source();
    let mut innermost = String::new();
    while let Some(source) = cause {
        if let Some(blocked) = source.downcast_ref::<Blocked>() {
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

    fn get(url: &str) -> Request {
        Request {
            method: Method::GET,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inward_is_not_called() {
        let outcome = HttpClient::new(false).call(get("https://localhost/")).await;
        assert!(matches!(outcome, Err(HttpError::Blocked(Blocked::NotPublic(_)))), "{outcome:?}");
    }

    #[tokio::test]
    async fn nobody_there_means_nothing_was_sent() {
        let outcome = HttpClient::new(true).call(get("http://127.0.0.1:1/")).await;
        assert!(matches!(outcome, Err(HttpError::NotConnected(_))), "{outcome:?}");
    }
}
