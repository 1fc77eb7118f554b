//! HTTP client for the AWS SDK: hyper's, which the client for platforms contains, without what only a general client
//! needs, such as redirects, proxies and HTTP/2.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector as SdkConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::http_client::{TlsError, tls_config};

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2: every AWS endpoint's chain ends in one.
/// Source: amazontrust.com, as packaged by Debian's ca-certificates.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// Time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// While a function is frozen its pooled connections may close unnoticed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// HTTP client that trusts Amazon's root certificates only, and permits plain `http` for a local endpoint.
#[derive(Debug, Clone)]
pub struct AwsHttpClient(Client<HttpsConnector<HttpConnector>, SdkBody>);

impl AwsHttpClient {
    /// Creates a client without opening a connection.
    pub fn new() -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(AMAZON_ROOTS).filter_map(Result::ok),
        );
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls_config(roots)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .build(connector);
        Ok(Self(client))
    }

    /// Sends a request, for a service without an SDK.
    pub(crate) async fn send(
        &self,
        request: http::Request<SdkBody>,
    ) -> Result<http::Response<hyper::body::Incoming>, Error> {
        self.0.request(request).await
    }

    /// Opens a connection to an address ahead of its first use. Failures are ignored: the first real request
    /// reports them.
    pub async fn warm_up(&self, address: &str) {
        let Ok(request) = http::Request::get(address).body(SdkBody::empty()) else { return };
        let answer = async {
            if let Ok(response) = self.send(request).await {
                // A connection is free for the next request when its response was read.
                let _ = response.into_body().collect().await;
            }
        };
        let _ = tokio::time::timeout(CONNECT_TIMEOUT, answer).await;
    }

    /// Sends a request of the SDK, which wants the whole response.
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(user_error)?;
        let (parts, body) = self.send(request).await.map_err(network_error)?.into_parts();
        let body = body.collect().await.map_err(network_error)?.to_bytes();
        let response = http::Response::from_parts(parts, SdkBody::from(body));
        response.try_into().map_err(user_error)
    }
}

impl SdkConnector for AwsHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.clone();
        HttpConnectorFuture::new(async move { client.execute(request).await })
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

fn user_error(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::user(Box::new(error))
}

fn network_error(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::io(Box::new(error))
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
