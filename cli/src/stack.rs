//! A deployed stack and the clients of its resources.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_ssm::error::DisplayErrorContext;
use serde::Deserialize;
use trunkline_config::apply::ApplyTarget;
use trunkline_runtime::app::{App, RandomIdGenerator, SystemClock};
use trunkline_runtime::aws::AwsHttpClient;
use trunkline_runtime::files::{Files, S3, local_api_url};
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::http_client::TlsError;
use trunkline_runtime::queue::{InvalidTasksQueue, QueueUrls, Queues};
use trunkline_runtime::secrets::SecretStore;
use trunkline_runtime::store::{ConfigCache, Store};

/// What the template publishes about a stack in the SSM parameter `/trunkline/<stack>/stack`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StackInfo {
    /// The name of the DynamoDB table.
    pub table: String,
    /// The base URL of the API.
    pub api: String,
    /// The prefix of the SSM parameters that contain secrets.
    pub secrets: String,
    /// The URL of the tasks queue, from which the URLs of the other queues follow.
    pub tasks_queue: String,
    /// The retention of transcripts, in days.
    pub retention_days: u32,
    /// `yes` if the stack allows deliveries to plain http and private addresses.
    pub allow_local: String,
    /// The name of the bucket of relayed files. `None`: the stack is older.
    #[serde(default)]
    pub files_bucket: Option<String>,
    /// How long relayed files are kept, in days.
    #[serde(default)]
    pub file_days: i64,
}

/// Error of finding a stack.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The stack does not exist, or its parameter cannot be read.
    #[error(
        "cannot read the stack '{stack}': {cause}\nCheck that it is deployed (`make deploy`) and that AWS_REGION and AWS_PROFILE are right; set another name with --stack."
    )]
    NotFound {
        stack: String,
        /// The error message of AWS.
        cause: String,
    },
    /// The stack was deployed from a template of another version.
    #[error(
        "the stack '{stack}' was deployed with another version of Trunkline ({cause}): deploy it again"
    )]
    OtherVersion {
        stack: String,
        /// What cannot be parsed.
        cause: String,
    },
    /// The HTTP client could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A deployed stack.
#[derive(Debug, Clone)]
pub struct Stack {
    pub info: StackInfo,
    pub store: Store,
    pub queues: Queues,
    pub secrets: Arc<SecretStore>,
    /// The relayed files; `None` if the stack is older.
    pub files: Option<Files>,
}

/// Returns the AWS configuration of the environment: profile, single sign-on, region, endpoint.
///
/// # Errors
/// If TLS cannot be set up.
pub async fn aws_config_from_environment() -> Result<SdkConfig, StackError> {
    let http = AwsHttpClient::new()?;
    Ok(aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await)
}

/// Returns the AWS configuration of a local stack.
///
/// # Errors
/// If TLS cannot be set up.
pub async fn local_aws_config(endpoint: &str) -> Result<SdkConfig, StackError> {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(AwsHttpClient::new()?)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "local"))
        .endpoint_url(endpoint)
        .load()
        .await;
    Ok(config)
}

impl Stack {
    /// Finds a stack by name.
    ///
    /// # Errors
    /// If the stack does not exist or cannot be read.
    pub async fn find(aws: &SdkConfig, name: &str) -> Result<Self, StackError> {
        let ssm = aws_sdk_ssm::Client::new(aws);
        let answer = ssm.get_parameter().name(format!("/trunkline/{name}/stack")).send().await;
        let answer = answer.map_err(|error| {
            let whole = DisplayErrorContext(&error).to_string();
            // The SDK appends its debug representation in parentheses.
            let cause = whole.split(" (").next().unwrap_or_default().to_owned();
            StackError::NotFound { stack: name.to_owned(), cause }
        })?;
        let text = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
        let other = |cause: String| StackError::OtherVersion { stack: name.to_owned(), cause };
        let mut info: StackInfo =
            serde_json::from_str(&text).map_err(|error| other(error.to_string()))?;
        if let Some(endpoint) = aws.endpoint_url() {
            info.api = local_api_url(&info.api, endpoint);
        }
        let urls: QueueUrls = info
            .tasks_queue
            .parse()
            .map_err(|error: InvalidTasksQueue| other(error.to_string()))?;
        let queues = Queues::new(aws_sdk_sqs::Client::new(aws), urls);
        let table = info.table.clone();
        let store = Store::new(aws_sdk_dynamodb::Client::new(aws), table, info.retention_days);
        let secrets = Arc::new(SecretStore::new(ssm, info.secrets.clone()));
        let files = relayed_files(aws, &info).await?;
        Ok(Self { info, store, queues, secrets, files })
    }

    /// Returns the application of the functions, running on this stack.
    #[must_use]
    pub fn app(&self) -> App {
        App {
            store: self.store.clone(),
            config_cache: Arc::new(ConfigCache::new(self.store.clone())),
            queues: self.queues.clone(),
            secrets: Arc::clone(&self.secrets),
            http_client: Arc::new(HttpClient::new(self.allows_local())),
            files: self.files.clone(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIdGenerator),
        }
    }

    /// Returns the stores that a configuration is written to.
    #[must_use]
    pub fn apply_target(&self) -> ApplyTarget<'_> {
        ApplyTarget {
            platforms: trunkline_registry::PLATFORMS,
            store: &self.store,
            secrets: &self.secrets,
            queues: &self.queues,
        }
    }

    /// Whether the stack allows deliveries to plain http and private addresses.
    #[must_use]
    pub fn allows_local(&self) -> bool {
        self.info.allow_local == "yes"
    }
}

/// Returns the relayed files of a stack: erasing a customer deletes them.
async fn relayed_files(aws: &SdkConfig, info: &StackInfo) -> Result<Option<Files>, StackError> {
    let Some(bucket) = &info.files_bucket else { return Ok(None) };
    let (Some(provider), Some(region)) = (aws.credentials_provider(), aws.region()) else {
        return Ok(None);
    };
    let Ok(credentials) = provider.provide_credentials().await else { return Ok(None) };
    let s3 =
        S3::new(&AwsHttpClient::new()?, credentials, region.as_ref(), bucket, aws.endpoint_url());
    Ok(Some(Files::new(Arc::new(s3), &info.api, info.file_days)))
}
