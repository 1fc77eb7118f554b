//! The AWS clients, configured by hand from what Lambda puts into the environment: nothing is looked
//! up at start, and only Amazon's own roots are trusted.

mod http;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, StalledStreamProtectionConfig};

pub use http::Http;

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

/// Where the services are, told from a queue's address: the table's, the queues' and the secrets', or the
/// one that stands for them all.
fn services(queue: &str) -> Vec<String> {
    let Ok(url) = url::Url::parse(queue) else { return Vec::new() };
    let origin = url.origin().ascii_serialization();
    match origin.split_once("://sqs.") {
        Some((scheme, region)) => {
            ["dynamodb", "sqs", "ssm"].map(|name| format!("{scheme}://{name}.{region}/")).into()
        }
        None => vec![origin],
    }
}

/// Has connections made to all services side by side, while the first message is on its way. Only inside a
/// runtime.
pub fn connect_ahead(http: &Http, queue: &str) {
    for service in services(queue) {
        let http = http.clone();
        tokio::spawn(async move { http.connect(&service).await });
    }
}

impl Clients {
    /// From Lambda's environment; they all speak HTTP by `http`.
    ///
    /// # Errors
    /// If a variable that Lambda sets is missing.
    pub fn from_env(http: &Http) -> Result<Self, MissingVariable> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_from_a_queue() {
        let queue = "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/wake";
        let names = ["dynamodb", "sqs", "ssm"];
        let expected = names.map(|name| format!("https://{name}.cn-north-1.amazonaws.com.cn/"));
        assert_eq!(services(queue), expected);
        assert_eq!(services("http://127.0.0.1:4600/1/wake"), ["http://127.0.0.1:4600"]);
        assert!(services("wake").is_empty());
    }
}
