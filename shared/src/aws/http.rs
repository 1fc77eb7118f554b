//! How the SDK speaks HTTP: by the same library that calls the platforms, so that there is only one of
//! them in a function.

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

use crate::http_client::{TlsError, tls};

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2: every AWS endpoint's chain ends in one.
/// Source: amazontrust.com, as packaged by Debian's ca-certificates.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(1);

/// An HTTP client that trusts Amazon's roots only, and takes plain `http` for a local endpoint.
#[derive(Debug, Clone)]
pub struct Http(reqwest::Client);

impl Http {
    /// With no connection yet.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(AMAZON_ROOTS).filter_map(Result::ok),
        );
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(roots)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .build()?;
        Ok(Self(client))
    }

    /// Has a connection to that address made, to be there when it is needed. What comes of it does not
    /// matter.
    pub async fn connect(&self, address: &str) {
        if let Ok(answer) = self.0.get(address).timeout(CONNECT).send().await {
            let _ = answer.bytes().await;
        }
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { answered(client, request).await })
    }
}

impl HttpClient for Http {
    /// Times are kept by the SDK, but for that of connecting.
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

async fn answered(
    client: reqwest::Client,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let (parts, body) = request.try_into_http1x().map_err(user)?.into_parts();
    let body = body.bytes().map(<[u8]>::to_vec).unwrap_or_default();
    let request = reqwest::Request::try_from(http::Request::from_parts(parts, body));
    let mut answer = client.execute(request.map_err(user)?).await.map_err(name)?;
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let mut response = http::Response::new(SdkBody::from(answer.bytes().await.map_err(name)?));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response.try_into().map_err(user)
}

fn user(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::user(Box::new(error))
}

fn name(error: reqwest::Error) -> ConnectorError {
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
    fn the_embedded_roots_are_five() {
        let roots: Vec<_> = CertificateDer::pem_slice_iter(AMAZON_ROOTS).collect();
        assert_eq!(roots.len(), 5);
        assert!(roots.iter().all(Result::is_ok));
        let mut store = RootCertStore::empty();
        let roots = roots.into_iter().filter_map(Result::ok);
        assert_eq!(store.add_parsable_certificates(roots), (5, 0));
        assert!(Http::new().is_ok());
    }
}
