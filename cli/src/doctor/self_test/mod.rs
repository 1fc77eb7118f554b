//! The self-test: a message that passes through the whole stack and ends where it began.
//!
//! A temporary bot has its own inbound URL as the address that it receives messages at. A message on a temporary
//! channel goes to the bot, and so through the API, the inbound function, the queue and the outbound function,
//! back to the API and the inbound function. That one sees that the bot repeats a message which was delivered
//! to it: an echo, which is recorded and passed to no one.

mod plan;

use std::time::{Duration, Instant};

use aws_sdk_ssm::operation::delete_parameter::DeleteParameterError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use trunkline_config::apply::new_path_key;
use trunkline_config::{Desired, DesiredConnection, ReadOptions, read};
use trunkline_core::model::{Connection, ConnectionId, InvalidId, PlatformId, Route, RouteId};
use trunkline_registry::PLATFORMS;
use trunkline_runtime::app::{App, random_secret};
use trunkline_runtime::error::Cause;
use trunkline_runtime::http_client::HttpRequest;
use trunkline_runtime::operator::VerifyError;
use trunkline_runtime::secrets::{SecretBag, SecretsError};
use trunkline_runtime::security::sign;
use trunkline_runtime::store::{MAX_SKEW, StoreError};

use super::facts::{Known, QueueAnswer, SelfTest, Unknown};
use super::gather::unknown;
use crate::stack::Stack;
use plan::{CUSTOMER, Progress, Run, RunSecrets, configuration, open_protocol, progress};

pub(super) use plan::is_own;

/// How long an outbound function may take to answer through its queue, in seconds.
const QUEUE_SECONDS: u64 = 10;
/// How long the message may take.
const MESSAGE_LIMIT: Duration = Duration::from_secs(20);
/// How often the table is read meanwhile.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The longest part of a response that is shown, in characters.
const MAX_BODY: usize = 200;

/// What the test found.
#[derive(Debug, Clone, PartialEq)]
pub struct Exercised {
    /// Whether the outbound function of each platform answered.
    pub answers: Vec<(PlatformId, Known<QueueAnswer>)>,
    pub message: SelfTest,
}

/// Why a part of the test could not be made.
#[derive(Debug, thiserror::Error)]
enum TestError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error("the test's own configuration is not valid: {0}")]
    Configuration(String),
}

/// The self-test of a stack.
struct Exercise<'a> {
    stack: &'a Stack,
    app: App,
    ssm: aws_sdk_ssm::Client,
    run: Run,
    secrets: RunSecrets,
    /// The platforms that the stack has.
    platforms: &'a [PlatformId],
}

/// Runs the self-test until it ends or `stopped` completes, and deletes what it created. Also deletes what
/// earlier runs left.
pub(super) async fn exercise(
    stack: &Stack,
    ssm: aws_sdk_ssm::Client,
    platforms: &[PlatformId],
    stopped: impl Future<Output = ()>,
) -> Exercised {
    let app = stack.app();
    let uuid = app.ids.next(app.clock.now());
    let failed = |why: Unknown| Exercised {
        answers: platforms.iter().map(|id| (*id, Err(why.clone()))).collect(),
        message: SelfTest::NotMade(why.clone()),
    };
    let run = match Run::new(&uuid) {
        Ok(run) => run,
        Err(error) => return failed(Unknown::Failed(error.to_string())),
    };
    let secrets = RunSecrets {
        signing: format!("whsec_{}", STANDARD.encode(random_secret())),
        keys: [new_path_key(), new_path_key()],
    };
    let exercise = Exercise { stack, app, ssm, run, secrets, platforms };
    exercise.remove_abandoned().await;
    let found = tokio::select! {
        found = exercise.all() => found.unwrap_or_else(|error| failed(unknown(&error, "dynamodb:PutItem"))),
        () = stopped => failed(Unknown::Interrupted),
    };
    match (exercise.remove(&exercise.run).await, &found.message) {
        (Err(error), SelfTest::Returned(_)) => {
            Exercised { message: SelfTest::NotCleaned(error.to_string()), ..found }
        }
        _ => found,
    }
}

impl Exercise<'_> {
    async fn all(&self) -> Result<Exercised, TestError> {
        let Some(platform) = open_protocol(PLATFORMS) else {
            return Err(TestError::Configuration("no platform has every role".into()));
        };
        let desired = self.desired(platform)?;
        let of =
            |id: &ConnectionId| desired.connections.iter().find(|one| one.connection.id == *id);
        let (Some(channel), Some(bot)) = (of(&self.run.channel), of(&self.run.bot)) else {
            return Err(TestError::Configuration("a connection is missing".into()));
        };
        self.create(bot).await?;
        let answers = self.ask_queues().await;
        if !self.platforms.contains(&platform) {
            let missing = format!("the platform {platform}");
            let message = SelfTest::NotMade(Unknown::NotDeployed(missing));
            return Ok(Exercised { answers, message });
        }
        for route in &desired.routes {
            let route = Route { version: 1, ..route.clone() };
            self.stack.store.put_route(&route).await?;
        }
        self.create(channel).await?;
        Ok(Exercised { answers, message: self.send_message(platform).await? })
    }

    fn desired(&self, platform: PlatformId) -> Result<Desired, TestError> {
        let url = self.url(platform, &self.run.bot, &self.secrets.keys[1]);
        let text = configuration(&self.run, platform, &url);
        let options = ReadOptions {
            platforms: PLATFORMS,
            secrets: &self.secrets,
            allow_local: self.stack.allows_local(),
        };
        read(&text, options).map_err(|error| TestError::Configuration(error.to_string()))
    }

    fn url(&self, platform: PlatformId, connection: &ConnectionId, key: &str) -> String {
        format!("{}/in/{platform}/{connection}/{key}", self.stack.info.api)
    }

    async fn create(&self, desired: &DesiredConnection) -> Result<(), TestError> {
        let mut bag = SecretBag::default();
        for (name, values) in &desired.secrets {
            bag.set(name, values.clone());
        }
        let secrets_version = self.stack.secrets.write(&desired.connection.id, &bag).await?;
        let connection = Connection { secrets_version, version: 1, ..desired.connection.clone() };
        Ok(self.stack.store.put_connection(&connection).await?)
    }

    /// Asks the outbound function of each platform to verify the bot. On another platform than the bot's, the
    /// result is that the settings are not valid, which shows that the function reads its queue and the table,
    /// and writes to the table. One after the other, because the results replace each other.
    async fn ask_queues(&self) -> Vec<(PlatformId, Known<QueueAnswer>)> {
        let mut answers = Vec::new();
        for platform in self.platforms {
            let started = Instant::now();
            let actions = self.app.operator_actions();
            let answer = match actions.verify(&self.run.bot, *platform, QUEUE_SECONDS).await {
                Ok(_) => Ok(QueueAnswer::After(started.elapsed())),
                Err(VerifyError::TimedOut(seconds)) => {
                    Ok(QueueAnswer::NotWithin(Duration::from_secs(seconds)))
                }
                Err(VerifyError::Backend(error)) => Err(unknown(&error, "sqs:SendMessage")),
            };
            answers.push((*platform, answer));
        }
        answers
    }

    async fn send_message(&self, platform: PlatformId) -> Result<SelfTest, TestError> {
        let started = Instant::now();
        let request = self.request(platform)?;
        let response = match self.app.http_client.send(request).await {
            Ok(response) => response,
            Err(error) => return Ok(SelfTest::NotReached(error.to_string())),
        };
        if !response.status.is_success() {
            let body = String::from_utf8_lossy(&response.body).chars().take(MAX_BODY).collect();
            return Ok(SelfTest::NotAccepted(response.status.as_u16(), body));
        }
        let mut last = Progress::Accepted;
        while started.elapsed() < MESSAGE_LIMIT {
            let now = self.app.clock.now() + MAX_SKEW;
            let events = self.stack.store.transcript(&self.run.key(), 10, now).await?;
            last = progress(&events, &self.run.bot);
            if matches!(last, Progress::Returned | Progress::GivenUp(_)) {
                break;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(match last {
            Progress::Returned => SelfTest::Returned(started.elapsed()),
            Progress::Accepted => SelfTest::NotTaken(MESSAGE_LIMIT),
            Progress::Failed(why) | Progress::GivenUp(why) => SelfTest::NotSent(why),
            Progress::Sent => SelfTest::NotReturned(MESSAGE_LIMIT),
        })
    }

    /// Returns the signed call with the message.
    fn request(&self, platform: PlatformId) -> Result<HttpRequest, TestError> {
        let now = self.app.clock.now();
        let id = &self.run.id;
        let body = json!({
            "id": id, "timestamp": now, "conversation": CUSTOMER, "type": "message",
            "data": {"text": "A test message of `trunkline doctor`."},
        });
        let body = body.to_string().into_bytes();
        let invalid = |error: &dyn std::fmt::Display| TestError::Configuration(error.to_string());
        let signature = sign(&[&self.secrets.signing], id, now, &body);
        let signature = signature.map_err(|error| invalid(&error))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let at = now.as_second().to_string();
        for (name, value) in
            [("webhook-id", id), ("webhook-timestamp", &at), ("webhook-signature", &signature)]
        {
            let value = HeaderValue::from_str(value).map_err(|error| invalid(&error))?;
            headers.insert(name, value);
        }
        let url = self.url(platform, &self.run.channel, &self.secrets.keys[0]);
        Ok(HttpRequest { method: Method::POST, url, headers, body })
    }

    /// Deletes what earlier runs left. A failure is no finding: the next run tries again.
    async fn remove_abandoned(&self) {
        let now = self.app.clock.now();
        let connections = self.stack.store.connections(None, u16::MAX).await.unwrap_or_default();
        let routes = self.stack.store.routes(None, u16::MAX).await.unwrap_or_default();
        let ids = connections.iter().map(|one| one.id.as_str());
        let mut runs: Vec<Run> =
            ids.chain(routes.iter().map(RouteId::as_str)).filter_map(Run::of).collect();
        runs.retain(|run| run.is_abandoned(now));
        runs.dedup();
        for run in runs {
            let _ = self.remove(&run).await;
        }
    }

    /// Deletes what a run created. The secrets go first, so that a connection remains if they cannot be deleted.
    async fn remove(&self, run: &Run) -> Result<(), TestError> {
        let store = &self.stack.store;
        store.erase(&run.key()).await?;
        for id in [&run.channel, &run.bot] {
            self.delete_secrets(id).await?;
        }
        if let Some(channel) = store.connection(&run.channel).await? {
            store.delete_connection(&run.channel, channel.version).await?;
        }
        if let Some(route) = store.route(&run.route).await? {
            store.delete_route(&run.route, route.version).await?;
        }
        if let Some(bot) = store.connection(&run.bot).await? {
            store.delete_connection(&run.bot, bot.version).await?;
        }
        Ok(())
    }

    async fn delete_secrets(&self, id: &ConnectionId) -> Result<(), TestError> {
        let name = format!("{}{id}", self.stack.info.secrets);
        let Err(error) = self.ssm.delete_parameter().name(name).send().await else { return Ok(()) };
        if let Some(DeleteParameterError::ParameterNotFound(_)) = error.as_service_error() {
            return Ok(());
        }
        let (connection, cause) = (id.clone(), Cause::sdk(error));
        Err(SecretsError::Unavailable { connection, cause }.into())
    }
}
