//! A deployed stack: what it is made of, and the clients to work on it.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_ssm::error::DisplayErrorContext;
use serde::Deserialize;
use trunkline_setup::apply::Site;
use trunkline_shared::app::{App, RandomIds, SystemClock};
use trunkline_shared::aws::Http;
use trunkline_shared::http_client::HttpClient;
use trunkline_shared::http_client::TlsError;
use trunkline_shared::queue::{Queues, Urls};
use trunkline_shared::secrets::Secrets;
use trunkline_shared::store::{Directory, Store};

/// What the template tells of itself, in the parameter `/trunkline/<stack>/stack`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Facts {
    /// The table's name.
    pub table: String,
    /// The API's address.
    pub api: String,
    /// What the names of secrets' parameters begin with.
    pub secrets: String,
    /// The queues' addresses.
    pub queues: Urls,
    /// How long transcripts are kept, in days.
    pub retention_days: u32,
    /// `yes`, if deliveries may go to plain http and private addresses.
    pub allow_local: String,
}

/// Why a stack cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// It is not there, or may not be read.
    #[error(
        "the stack '{stack}' cannot be read: {cause}\nIs it deployed (`make deploy`), and do AWS_REGION and AWS_PROFILE name its place? Another name goes with --stack."
    )]
    NotFound {
        /// Which.
        stack: String,
        /// What AWS said.
        cause: String,
    },
    /// It was deployed by a template that this command does not fit.
    #[error("the stack '{stack}' was deployed by another version ({cause}): deploy it again")]
    OtherVersion {
        /// Which.
        stack: String,
        /// What does not fit.
        cause: String,
    },
    /// There is no HTTP client.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A deployed stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// What it is made of.
    pub facts: Facts,
    /// The table.
    pub store: Store,
    /// The queues.
    pub queues: Queues,
    /// The connections' secrets.
    pub secrets: Arc<Secrets>,
}

/// AWS as the environment names it: profile, single sign-on, region, endpoint.
///
/// # Errors
/// If TLS cannot be set up.
pub async fn from_environment() -> Result<SdkConfig, StackError> {
    let http = Http::new()?;
    Ok(aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await)
}

/// AWS as it is on the local stack.
///
/// # Errors
/// If TLS cannot be set up.
pub async fn local(endpoint: &str) -> Result<SdkConfig, StackError> {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Http::new()?)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "local"))
        .endpoint_url(endpoint)
        .load()
        .await;
    Ok(config)
}

impl Stack {
    /// The stack of that name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn find(aws: &SdkConfig, name: &str) -> Result<Self, StackError> {
        let ssm = aws_sdk_ssm::Client::new(aws);
        let answer = ssm.get_parameter().name(format!("/trunkline/{name}/stack")).send().await;
        let answer = answer.map_err(|error| {
            let whole = DisplayErrorContext(&error).to_string();
            // What follows in brackets is for those who write the SDK.
            let cause = whole.split(" (").next().unwrap_or_default().to_owned();
            StackError::NotFound { stack: name.to_owned(), cause }
        })?;
        let text = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
        let other = |cause: String| StackError::OtherVersion { stack: name.to_owned(), cause };
        let mut facts: Facts =
            serde_json::from_str(&text).map_err(|error| other(error.to_string()))?;
        if let Some(endpoint) = aws.endpoint_url() {
            facts.api = local_api(&facts.api, endpoint);
        }
        let queues = Queues::new(aws_sdk_sqs::Client::new(aws), facts.queues.clone());
        let table = facts.table.clone();
        let store = Store::new(aws_sdk_dynamodb::Client::new(aws), table, facts.retention_days);
        let secrets = Arc::new(Secrets::new(ssm, facts.secrets.clone()));
        Ok(Self { facts, store, queues, secrets })
    }

    /// The functions' own code on this stack.
    #[must_use]
    pub fn app(&self) -> App {
        App {
            store: self.store.clone(),
            directory: Arc::new(Directory::new(self.store.clone())),
            queues: self.queues.clone(),
            secrets: Arc::clone(&self.secrets),
            outside: Arc::new(HttpClient::new(self.allows_local())),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        }
    }

    /// Where a configuration is put.
    #[must_use]
    pub fn site(&self) -> Site<'_> {
        Site { store: &self.store, secrets: &self.secrets }
    }

    /// Whether deliveries may go to plain http and private addresses.
    #[must_use]
    pub fn allows_local(&self) -> bool {
        self.facts.allow_local == "yes"
    }
}

/// The address of an API on a local stack: `http://<api>.execute-api.localhost:<port>`.
fn local_api(api: &str, endpoint: &str) -> String {
    let id = api.trim_start_matches("https://").split('.').next().unwrap_or_default();
    let port = endpoint.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
    format!("http://{id}.execute-api.localhost:{port}")
}

#[cfg(test)]
mod tests {
    use super::local_api;

    #[test]
    fn a_local_api_has_a_local_address() {
        assert_eq!(
            local_api("https://ab12.execute-api.us-east-1.amazonaws.com", "http://127.0.0.1:4600/"),
            "http://ab12.execute-api.localhost:4600"
        );
    }
}
