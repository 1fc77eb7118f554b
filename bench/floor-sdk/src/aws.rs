//! The AWS clients, configured from Lambda's environment.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, StalledStreamProtectionConfig};

use crate::Http;

/// Time limits of an attempt and of an operation with its retries.
const ATTEMPT: Duration = Duration::from_secs(1);
const OPERATION: Duration = Duration::from_millis(2_500);

/// A variable of the environment is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct MissingVariable(pub &'static str);

/// Returns a variable of the environment.
///
/// # Errors
/// If it is not set.
pub fn variable(name: &'static str) -> Result<String, MissingVariable> {
    std::env::var(name).map_err(|_| MissingVariable(name))
}

/// Returns the URL of the outbound queue of webhooks, which follows from that of the tasks queue.
#[must_use]
pub fn outbound_queue(tasks: &str) -> String {
    format!("{}webhook-outbound.fifo", tasks.strip_suffix("tasks").unwrap_or(tasks))
}

/// The clients that the functions used.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The client of the table.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The client of the queues.
    pub sqs: aws_sdk_sqs::Client,
    /// The client of the secrets, which the baseline functions do not call.
    pub ssm: aws_sdk_ssm::Client,
}

impl Clients {
    /// Creates the clients from Lambda's environment.
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
