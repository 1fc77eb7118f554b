//! The AWS clients, configured by hand from what Lambda puts into the environment: nothing is looked
//! up at start, and only Amazon's own roots are trusted.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2: every AWS endpoint's chain ends in one.
/// Source: amazontrust.com, as packaged by Debian's ca-certificates.
const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

/// One try, in all an operation: a webhook must be answered within five seconds.
const ATTEMPT: Duration = Duration::from_secs(1);
const OPERATION: Duration = Duration::from_millis(2_500);

/// What Lambda's environment lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set: it is set by Lambda, or by the template")]
pub struct MissingVariable(pub &'static str);

/// A variable that must be there.
///
/// # Errors
/// If it is not set.
pub fn variable(name: &'static str) -> Result<String, MissingVariable> {
    std::env::var(name).map_err(|_| MissingVariable(name))
}

/// The clients that functions use.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The table.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The queues.
    pub sqs: aws_sdk_sqs::Client,
    /// The secrets.
    pub ssm: aws_sdk_ssm::Client,
}

impl Clients {
    /// From Lambda's environment.
    ///
    /// # Errors
    /// If a variable that Lambda sets is missing.
    pub fn from_env() -> Result<Self, MissingVariable> {
        let session = std::env::var("AWS_SESSION_TOKEN").ok().filter(|token| !token.is_empty());
        let credentials = Credentials::new(
            variable("AWS_ACCESS_KEY_ID")?,
            variable("AWS_SECRET_ACCESS_KEY")?,
            session,
            None,
            "lambda",
        );
        let region = Region::new(variable("AWS_REGION")?);
        let endpoint = std::env::var("AWS_ENDPOINT_URL").ok();
        let http = http_client();
        macro_rules! client {
            ($sdk:ident) => {{
                let mut config = $sdk::Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(region.clone())
                    .credentials_provider(credentials.clone())
                    .http_client(http.clone())
                    .retry_config(RetryConfig::standard().with_max_attempts(3))
                    .timeout_config(
                        TimeoutConfig::builder()
                            .connect_timeout(ATTEMPT)
                            .operation_attempt_timeout(ATTEMPT)
                            .operation_timeout(OPERATION)
                            .build(),
                    )
                    .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
                config.set_endpoint_url(endpoint.clone());
                $sdk::Client::from_conf(config.build())
            }};
        }
        Ok(Self {
            dynamodb: client!(aws_sdk_dynamodb),
            sqs: client!(aws_sdk_sqs),
            ssm: client!(aws_sdk_ssm),
        })
    }
}

/// A client that trusts Amazon's roots, and plain `http` for a local endpoint.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    let trust = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS.as_bytes());
    let builder =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(trust).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // Only a broken embedded file gets here, which a test rules out.
        Err(_) => builder.build_https(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_roots_make_a_client() {
        assert_eq!(AMAZON_ROOTS.matches("BEGIN CERTIFICATE").count(), 5);
        let trust = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS.as_bytes());
        assert!(TlsContext::builder().with_trust_store(trust).build().is_ok());
        let _client = http_client();
    }
}
