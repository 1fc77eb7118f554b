//! The client for calls to platforms, without the checks of addresses.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use rustls::{ClientConfig, RootCertStore};

/// The time that a platform has to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The time for which a connection is kept.
const IDLE: Duration = Duration::from_secs(4);
/// The part of an answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// TLS could not be set up.
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
    /// The client could not be built.
    #[error("HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// The client for calls to platforms, created at the first call.
#[derive(Debug, Default)]
pub struct PlatformClient(OnceLock<reqwest::Client>);

impl PlatformClient {
    /// Posts a body and reads the answer.
    ///
    /// # Errors
    /// If there is no answer. An answer of any status is an `Ok`.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), TlsError> {
        let call = self.client()?.post(url).headers(headers).body(body);
        let mut response = call.send().await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while body.len() < MAX_ANSWER {
            match response.chunk().await? {
                Some(chunk) => {
                    body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - body.len())]);
                }
                None => break,
            }
        }
        Ok((status, headers, body))
    }

    fn client(&self) -> Result<&reqwest::Client, TlsError> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let built = build()?;
        Ok(self.0.get_or_init(|| built))
    }
}

/// Returns the TLS configuration that trusts these roots.
pub(crate) fn tls(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider);
    let config = versions.with_safe_default_protocol_versions()?.with_root_certificates(roots);
    Ok(config.with_no_client_auth())
}

fn build() -> Result<reqwest::Client, TlsError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(roots)?)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("trunkline/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(client)
}
