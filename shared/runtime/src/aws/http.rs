//! HTTP client for the AWS SDK. It uses the same library as the client for platforms, so that a function
//! contains only one.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::http_client::{TlsError, tls_config};

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2: every AWS endpoint's chain ends in one.
/// Source: amazontrust.com, as packaged by Debian's ca-certificates.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// Time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// HTTP client that trusts Amazon's root certificates only, and permits plain `http` for a local endpoint.
#[derive(Debug, Clone)]
pub struct AwsHttpClient(reqwest::Client);

impl AwsHttpClient {
    /// Creates a client without opening a connection.
    pub fn new() -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(AMAZON_ROOTS).filter_map(Result::ok),
        );
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config(roots)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        Ok(Self(client))
    }

    /// The client itself, for a service without an SDK.
    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.0
    }

    /// Opens a connection to an address ahead of its first use. Failures are ignored: the first real request
    /// reports them.
    pub async fn warm_up(&self, address: &str) {
        if let Ok(response) = self.0.get(address).timeout(CONNECT_TIMEOUT).send().await {
            let _ = response.bytes().await;
        }
    }
}

impl HttpConnector for AwsHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { execute(client, request).await })
    }
}

impl HttpClient for AwsHttpClient {
    /// The SDK enforces all time limits except the one for connecting.
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

async fn execute(
    client: reqwest::Client,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let (parts, body) = request.try_into_http1x().map_err(user_error)?.into_parts();
    let body = body.bytes().map(<[u8]>::to_vec).unwrap_or_default();
    let request = reqwest::Request::try_from(http::Request::from_parts(parts, body));
    let mut reply = client.execute(request.map_err(user_error)?).await.map_err(classify_error)?;
    let (status, headers) = (reply.status(), std::mem::take(reply.headers_mut()));
    let mut response =
        http::Response::new(SdkBody::from(reply.bytes().await.map_err(classify_error)?));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response.try_into().map_err(user_error)
}

fn user_error(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::user(Box::new(error))
}

fn classify_error(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(Box::new(error))
    } else {
        ConnectorError::io(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_embedded_roots_parse() {
        let roots: Vec<_> = CertificateDer::pem_slice_iter(AMAZON_ROOTS).collect();
        assert_eq!(roots.len(), 5);
        assert!(roots.iter().all(Result::is_ok));
        let mut store = RootCertStore::empty();
        let roots = roots.into_iter().filter_map(Result::ok);
        assert_eq!(store.add_parsable_certificates(roots), (5, 0));
        assert!(AwsHttpClient::new().is_ok());
    }
}
