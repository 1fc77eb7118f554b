//! The HTTP client of the SDK.

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

use crate::platform::{TlsError, tls};

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2.
/// Source: amazontrust.com, as packaged by Debian's ca-certificates.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// Time limit of connecting.
const CONNECT: Duration = Duration::from_secs(1);

/// An HTTP client that trusts Amazon's roots only, and accepts plain `http` for a local endpoint.
#[derive(Debug, Clone)]
pub struct Http(reqwest::Client);

impl Http {
    /// Creates the client, without a connection.
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
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { answered(client, request).await })
    }
}

impl HttpClient for Http {
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
    let mut answer = client.execute(request.map_err(user)?).await.map_err(failure)?;
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let mut response = http::Response::new(SdkBody::from(answer.bytes().await.map_err(failure)?));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response.try_into().map_err(user)
}

fn user(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::user(Box::new(error))
}

fn failure(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(Box::new(error))
    } else {
        ConnectorError::io(Box::new(error))
    }
}
