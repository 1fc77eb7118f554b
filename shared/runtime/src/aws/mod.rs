//! AWS clients, configured from Lambda's environment variables: they look nothing up at start and trust
//! Amazon's root certificates only.

mod endpoint;
mod http;
mod quiet;
mod signer;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::http::HttpClient;

pub use http::AwsHttpClient;

use endpoint::FixedEndpoint;
use quiet::WithoutDescription;
use signer::CachedKeySigner;

/// Time limits of one attempt and of an operation with its retries: a webhook must be answered within five
/// seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
const OPERATION_TIMEOUT: Duration = Duration::from_millis(2_500);

/// A required environment variable is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set: Lambda or the template sets it")]
pub struct MissingVariable(pub &'static str);

/// Returns the value of a required environment variable.
pub fn required_variable(name: &'static str) -> Result<String, MissingVariable> {
    std::env::var(name).map_err(|_| MissingVariable(name))
}

/// The AWS clients of a function.
#[derive(Debug, Clone)]
pub struct Clients {
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub ssm: aws_sdk_ssm::Client,
}

/// Derives the endpoints of DynamoDB, SQS and SSM from a queue's URL. A local emulator has one endpoint for
/// all of them.
fn service_endpoints(queue: &str) -> Vec<String> {
    let Ok(url) = url::Url::parse(queue) else { return Vec::new() };
    let origin = url.origin().ascii_serialization();
    match origin.split_once("://sqs.") {
        Some((scheme, region)) => {
            ["dynamodb", "sqs", "ssm"].map(|name| format!("{scheme}://{name}.{region}/")).into()
        }
        None => vec![origin],
    }
}

/// Opens connections to all services in the background, ahead of the first message. Must run inside a Tokio
/// runtime.
pub fn warm_up_connections(http: &AwsHttpClient, queue: &str) {
    for service in service_endpoints(queue) {
        let http = http.clone();
        tokio::spawn(async move { http.warm_up(&service).await });
    }
}

/// Returns the credentials of the function's role, which Lambda sets.
pub fn credentials_from_env() -> Result<Credentials, MissingVariable> {
    let session = std::env::var("AWS_SESSION_TOKEN").ok().filter(|token| !token.is_empty());
    let (id, key) =
        (required_variable("AWS_ACCESS_KEY_ID")?, required_variable("AWS_SECRET_ACCESS_KEY")?);
    Ok(Credentials::new(id, key, session, None, "lambda"))
}

impl Clients {
    /// Creates the clients from Lambda's environment; all of them share `http`.
    pub fn from_env(http: &AwsHttpClient) -> Result<Self, MissingVariable> {
        let credentials = credentials_from_env()?;
        let region = Region::new(required_variable("AWS_REGION")?);
        let endpoint = std::env::var("AWS_ENDPOINT_URL").ok();
        Ok(Self::new(http, &credentials, &region, endpoint.as_deref()))
    }

    /// Creates the clients; all of them share `http`. `endpoint` replaces the endpoints of AWS.
    #[must_use]
    pub fn new<H: HttpClient + Clone + 'static>(
        http: &H,
        credentials: &Credentials,
        region: &Region,
        endpoint: Option<&str>,
    ) -> Self {
        macro_rules! client {
            ($sdk:ident, $service:literal) => {{
                let config = $sdk::Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(region.clone())
                    .endpoint_resolver(FixedEndpoint::new($service, region.as_ref(), endpoint))
                    .credentials_provider(credentials.clone())
                    // The credentials are fixed, so nothing is saved by keeping them twice.
                    .identity_cache(IdentityCache::no_cache())
                    .push_auth_scheme(CachedKeySigner::new(region.as_ref(), $service))
                    // The signer does not correct the time either: Lambda keeps the clock right.
                    .disable_clock_skew_correction(true)
                    .interceptor(WithoutDescription)
                    .http_client(http.clone())
                    .retry_config(RetryConfig::standard().with_max_attempts(3))
                    .timeout_config(
                        TimeoutConfig::builder()
                            .connect_timeout(ATTEMPT_TIMEOUT)
                            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                            .operation_timeout(OPERATION_TIMEOUT)
                            .build(),
                    )
                    .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
                $sdk::Client::from_conf(config.build())
            }};
        }
        Self {
            dynamodb: client!(aws_sdk_dynamodb, "dynamodb"),
            sqs: client!(aws_sdk_sqs, "sqs"),
            ssm: client!(aws_sdk_ssm, "ssm"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_service_endpoints_from_a_queue_url() {
        let queue = "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/tasks";
        let names = ["dynamodb", "sqs", "ssm"];
        let expected = names.map(|name| format!("https://{name}.cn-north-1.amazonaws.com.cn/"));
        assert_eq!(service_endpoints(queue), expected);
        assert_eq!(service_endpoints("http://127.0.0.1:4600/1/tasks"), ["http://127.0.0.1:4600"]);
        assert!(service_endpoints("tasks").is_empty());
    }
}
