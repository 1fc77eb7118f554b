//! Asks AWS and the stack for the facts. Every call has a time limit, and a call that is refused is a fact of
//! its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use trunkline_core::model::PlatformId;
use trunkline_registry::PLATFORMS;
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_runtime::aws::AwsHttpClient;
use trunkline_runtime::queue::QueueError;

use super::aws::{AwsApi, Caller, Resource, StackDescription, clock_lead};
use super::facts::{
    DeployPermissions, Deployed, Facts, FunctionFacts, FunctionState, Known, QueueFacts,
    RegionSources, SelfTest, TopicFacts, Unknown,
};
use super::permissions::{ActionGroup, DEPLOYING, Principal, summary};
use super::probe::Probe;
use super::self_test::{exercise, is_own};
use super::{aws, facts, tools};
use crate::stack::{Stack, StackError, aws_config_from_environment};

/// How many functions are invoked at once, so that a new account's quota suffices.
const INVOKED_AT_ONCE: usize = 3;
/// How long to wait before a throttled invocation is repeated: a new account allows ten at once, and its messages come first.
const PAUSES_WHEN_THROTTLED: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// How many simulations run at once: IAM allows few a second.
const SIMULATED_AT_ONCE: usize = 3;
/// The number of connections or dead letters on a page.
const PAGE: u16 = 100;

/// What to gather.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The name of the stack.
    pub stack: String,
    /// Whether to leave out everything that writes to the stack.
    pub read_only: bool,
    /// The current folder.
    pub folder: PathBuf,
}

/// Returns an error of the stack's table, queues or secrets as the reason of a check that was not made.
pub(super) fn unknown(error: &dyn std::error::Error, action: &'static str) -> Unknown {
    let text = error.to_string();
    if text.contains("AccessDenied") {
        return Unknown::Denied(action);
    }
    // The SDK appends its debug representation in parentheses.
    Unknown::Failed(text.split(" (").next().unwrap_or_default().to_owned())
}

/// Gathers all facts. When `stopped` completes, the self-test ends early and cleans up.
///
/// # Errors
/// If TLS cannot be set up.
pub async fn gather(options: &Options, stopped: impl AsyncFnOnce()) -> Result<Facts, StackError> {
    let aws = aws_config_from_environment().await?;
    let http = AwsHttpClient::new()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (lead, regions, missing_tools) = tokio::join!(
        clock_lead(&aws, &http, &*clock),
        region_sources(&options.folder),
        tools::missing(&options.folder),
    );
    let mut facts = Facts {
        stack: options.stack.clone(),
        platforms: PLATFORMS.iter().map(|spec| spec.id).collect(),
        is_local: false,
        identity: Err(Unknown::Failed(String::new())),
        regions,
        clock_lead: lead.map_err(|error| error.into_unknown("sts:GetCallerIdentity")),
        concurrency: Err(Unknown::NoCredentials),
        high_throughput: Err(Unknown::NoCredentials),
        permissions: Err(Unknown::NoCredentials),
        missing_tools,
        deployed: Err(Unknown::NoCredentials),
    };
    let api = match AwsApi::new(&aws, http, clock).await {
        Ok(api) => api,
        Err(why) => {
            facts.identity = Err(Unknown::Failed(why.to_string()));
            return Ok(facts);
        }
    };
    let caller = api.caller().await;
    facts.identity = caller.map_err(|error| error.into_unknown("sts:GetCallerIdentity"));
    let Ok(caller) = &facts.identity else { return Ok(facts) };
    let source = Source { api: &api, aws: &aws, options };
    let (concurrency, high_throughput, permissions, deployed) = tokio::join!(
        api.account_concurrency(),
        api.has_high_throughput(),
        source.permissions(caller),
        source.deployed(stopped),
    );
    facts.concurrency =
        concurrency.map_err(|error| error.into_unknown("lambda:GetAccountSettings"));
    facts.high_throughput =
        high_throughput.map_err(|error| error.into_unknown("ssm:GetServiceSetting"));
    facts.permissions = permissions;
    facts.deployed = deployed;
    let deployed = facts.deployed.as_ref().ok().and_then(Option::as_ref);
    facts.is_local =
        deployed.is_some_and(|deployed| deployed.parameter("AllowLocalTargets") == Some("yes"));
    Ok(facts)
}

/// Reads the region that each source names.
async fn region_sources(folder: &Path) -> RegionSources {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let profile = ProfileFileRegionProvider::builder().build().region().await;
    let samconfig = std::fs::read_to_string(folder.join("samconfig.toml")).unwrap_or_default();
    RegionSources {
        aws_region: variable("AWS_REGION"),
        aws_default_region: variable("AWS_DEFAULT_REGION"),
        profile: profile.map(|region| region.to_string()),
        samconfig: samconfig_region(&samconfig),
    }
}

/// Reads the region that a guided deployment has saved.
fn samconfig_region(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (name.trim() == "region" && !value.is_empty()).then(|| value.to_owned())
    })
}

/// What the facts are gathered with.
struct Source<'a> {
    api: &'a AwsApi,
    aws: &'a SdkConfig,
    options: &'a Options,
}

impl Source<'_> {
    /// Simulates the actions of a deployment.
    async fn permissions(&self, caller: &Caller) -> Known<DeployPermissions> {
        let principal = match Principal::of(&caller.arn) {
            Principal::Root => return Ok(DeployPermissions::Root),
            Principal::User(arn) => arn,
            // The ARN of a session lacks the path of its role.
            Principal::Role { name, arn } => self.api.role_arn(&name).await.unwrap_or(arn),
            Principal::Other => {
                return Err(Unknown::Failed(format!("IAM cannot simulate {}", caller.arn)));
            }
        };
        let simulate = |group: ActionGroup| {
            let (actions, stack) = (group.actions(), &self.options.stack);
            let resource = group.resource(self.api.region(), &caller.account, stack);
            let principal = &principal;
            async move { self.api.simulate(principal, &actions, &resource).await }
        };
        let results: Vec<_> = stream::iter(DEPLOYING.iter().copied())
            .map(simulate)
            .buffered(SIMULATED_AT_ONCE)
            .collect()
            .await;
        let mut evaluations = Vec::new();
        for result in results {
            evaluations
                .extend(result.map_err(|error| error.into_unknown("iam:SimulatePrincipalPolicy"))?);
        }
        Ok(summary(&evaluations))
    }

    async fn deployed(&self, stopped: impl AsyncFnOnce()) -> Known<Option<Deployed>> {
        let name = &self.options.stack;
        let description = self.api.stack(name).await;
        let description =
            description.map_err(|error| error.into_unknown("cloudformation:DescribeStacks"))?;
        let Some(description) = description else { return Ok(None) };
        // A stack without a version that runs has nothing to check.
        if description.status.starts_with("ROLLBACK") || description.status == "REVIEW_IN_PROGRESS"
        {
            let functions = Err(Unknown::Failed(format!("the stack is {}", description.status)));
            return Ok(Some(Deployed { description, functions, ..Deployed::default() }));
        }
        Ok(Some(self.running(description, stopped).await))
    }

    /// Gathers the facts about a stack that runs.
    async fn running(
        &self,
        description: StackDescription,
        stopped: impl AsyncFnOnce(),
    ) -> Deployed {
        let resources = self.api.stack_resources(&self.options.stack).await;
        let resources =
            resources.map_err(|error| error.into_unknown("cloudformation:ListStackResources"));
        let alarms = async {
            let resources = resources.as_ref().map_err(Clone::clone)?;
            let names = facts::resources_of(resources, "AWS::CloudWatch::Alarm");
            let names: Vec<&str> = names.iter().map(|one| one.physical_id.as_str()).collect();
            if names.is_empty() {
                return Ok(Vec::new());
            }
            let alarms = self.api.alarms(&names).await;
            alarms.map_err(|error| error.into_unknown("cloudwatch:DescribeAlarms"))
        };
        let functions = async {
            let resources = resources.as_ref().map_err(Clone::clone)?;
            Ok(self.functions(resources).await)
        };
        let (alarms, functions) = tokio::join!(alarms, functions);
        let topics = self.topics(alarms.as_deref().unwrap_or_default()).await;
        let facts = Deployed {
            description,
            functions,
            alarms: Some(alarms),
            topics,
            ..Deployed::default()
        };
        self.with_stack(facts, resources.ok().as_deref(), stopped).await
    }

    async fn functions(&self, resources: &[Resource]) -> Vec<FunctionFacts> {
        let functions = facts::resources_of(resources, "AWS::Lambda::Function");
        let ask = |function: &Resource| {
            let function = function.clone();
            async move {
                let recursive_loop = self.api.recursive_loop(&function.physical_id).await;
                let action = "lambda:GetFunctionRecursionConfig";
                FunctionFacts {
                    state: self.function_state(&function).await,
                    recursive_loop: recursive_loop.map_err(|error| error.into_unknown(action)),
                    name: function.logical_id,
                }
            }
        };
        stream::iter(functions).map(ask).buffered(INVOKED_AT_ONCE).collect().await
    }

    async fn function_state(&self, function: &Resource) -> FunctionState {
        let probe = Probe::of(&function.logical_id);
        let event = probe.as_ref().map(|probe| &probe.event);
        let mut answer = self.api.invoke(&function.physical_id, event).await;
        for pause in PAUSES_WHEN_THROTTLED {
            if !answer.as_ref().is_err_and(aws::CallError::is_throttled) {
                break;
            }
            tokio::time::sleep(pause).await;
            answer = self.api.invoke(&function.physical_id, event).await;
        }
        let invocation = match answer {
            Ok(invocation) => invocation,
            Err(error) if error.is_not_found() => return FunctionState::Missing,
            Err(error) if error.is_throttled() => return FunctionState::Throttled,
            Err(error) => {
                return FunctionState::Unknown(error.into_unknown("lambda:InvokeFunction"));
            }
        };
        if invocation.failed {
            let message = invocation.payload["errorMessage"].as_str().unwrap_or("it crashed");
            return FunctionState::Crashes(message.chars().take(200).collect());
        }
        match probe.map(|probe| probe.judge(&invocation.payload)) {
            None => FunctionState::Exists,
            Some(Ok(())) => FunctionState::Answers(invocation.duration),
            Some(Err(what)) => FunctionState::Unexpected(what),
        }
    }

    /// Gathers the facts about the topics that alarms publish to.
    async fn topics(&self, alarms: &[aws::Alarm]) -> Vec<TopicFacts> {
        let actions = alarms.iter().flat_map(|alarm| &alarm.actions);
        let arns: BTreeSet<&String> = actions.filter(|arn| arn.contains(":sns:")).collect();
        let ask = |arn: &String| {
            let arn = arn.clone();
            async move {
                let (topic, subscriptions) =
                    tokio::join!(self.api.topic(&arn), self.api.subscriptions(&arn));
                TopicFacts {
                    topic: topic.map_err(|error| error.into_unknown("sns:GetTopicAttributes")),
                    subscriptions: subscriptions
                        .map_err(|error| error.into_unknown("sns:ListSubscriptionsByTopic")),
                    arn,
                }
            }
        };
        join_all(arns.into_iter().map(ask)).await
    }

    /// Adds the facts about the stack's table and queues, and the result of the self-test.
    async fn with_stack(
        &self,
        facts: Deployed,
        resources: Option<&[Resource]>,
        stopped: impl AsyncFnOnce(),
    ) -> Deployed {
        let stack = match Stack::find(self.aws, &self.options.stack).await {
            Ok(stack) => stack,
            Err(error) => {
                let connections = Some(Err(unknown(&error, "ssm:GetParameter")));
                return Deployed { connections, ..facts };
            }
        };
        let (connections, dead_letters, mut queues) = tokio::join!(
            connections(&stack),
            stack.store.dead_letters(None, PAGE),
            queues(&stack, resources),
        );
        let dead_letters = dead_letters.map(|letters| letters.len());
        let dead_letters = dead_letters.map_err(|error| unknown(&error, "dynamodb:Query"));
        let mut self_test = SelfTest::NotMade(Unknown::ReadOnly);
        if !self.options.read_only {
            let platforms: Vec<PlatformId> = queues
                .iter()
                .filter(|queue| queue.dead.is_ok())
                .map(|queue| queue.platform)
                .collect();
            let ssm = aws_sdk_ssm::Client::new(self.aws);
            let exercised = exercise(&stack, ssm, &platforms, stopped()).await;
            for (platform, answer) in exercised.answers {
                let queue = queues.iter_mut().find(|queue| queue.platform == platform);
                if let Some(queue) = queue {
                    queue.answer = answer;
                }
            }
            self_test = exercised.message;
        }
        Deployed {
            connections: Some(connections),
            dead_letters: Some(dead_letters),
            queues,
            self_test: Some(self_test),
            ..facts
        }
    }
}

/// Counts the connections of a stack, without those of self-tests.
async fn connections(stack: &Stack) -> Known<usize> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = stack.store.connections(after.as_ref(), PAGE).await;
        let page = page.map_err(|error| unknown(&error, "dynamodb:Query"))?;
        count += page.iter().filter(|one| !is_own(&one.id)).count();
        match page.last() {
            Some(last) if page.len() == usize::from(PAGE) => after = Some(last.id.clone()),
            _ => return Ok(count),
        }
    }
}

/// Gathers the facts about the queues of each platform that the stack has.
async fn queues(stack: &Stack, resources: Option<&[Resource]>) -> Vec<QueueFacts> {
    let ask = |platform: PlatformId| async move {
        let has_function = resources.is_some_and(|all| has_outbound(all, platform));
        let dead = match stack.queues.depth(platform).await {
            Ok(depth) => Ok(depth.dead),
            Err(QueueError::NotDeployed(_)) if !has_function => return None,
            Err(QueueError::NotDeployed(_)) => {
                Err(Unknown::Failed("a queue of the stack does not exist".into()))
            }
            Err(error) => Err(unknown(&error, "sqs:GetQueueAttributes")),
        };
        let answer = Err(dead.as_ref().err().cloned().unwrap_or(Unknown::ReadOnly));
        Some(QueueFacts { platform, dead, answer })
    };
    let all = PLATFORMS.iter().map(|spec| ask(spec.id));
    join_all(all).await.into_iter().flatten().collect()
}

/// Whether the stack has the outbound function of a platform.
fn has_outbound(resources: &[Resource], platform: PlatformId) -> bool {
    let functions = facts::resources_of(resources, "AWS::Lambda::Function");
    functions.iter().any(|function| {
        let name = function.logical_id.strip_suffix("Outbound");
        name.is_some_and(|name| name.eq_ignore_ascii_case(platform.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::{FAXLINE, TOY};

    #[test]
    fn reads_the_region_of_samconfig() {
        let saved = "[default.deploy.parameters]\nregion = \"us-east-1\"\n";
        assert_eq!(samconfig_region(saved).as_deref(), Some("us-east-1"));
        for text in ["", "region = \"\"", "# region\nregions = \"x\"", "resolve_s3 = true"] {
            assert_eq!(samconfig_region(text), None, "{text}");
        }
    }

    #[test]
    fn finds_the_outbound_function_of_a_platform() {
        let resource = |logical_id: &str| Resource {
            logical_id: logical_id.into(),
            physical_id: "x".into(),
            kind: "AWS::Lambda::Function".into(),
        };
        let resources = [resource("FaxlineInbound"), resource("ToyOutbound")];
        assert!(has_outbound(&resources, TOY));
        assert!(!has_outbound(&resources, FAXLINE));
    }

    #[test]
    fn a_refused_call_of_the_stack_names_its_permission() {
        let denied = std::io::Error::other("DynamoDB Query failed: AccessDeniedException (X { })");
        assert_eq!(unknown(&denied, "dynamodb:Query"), Unknown::Denied("dynamodb:Query"));
        let other = std::io::Error::other("DynamoDB Query failed: no table (X { })");
        let expected = Unknown::Failed("DynamoDB Query failed: no table".into());
        assert_eq!(unknown(&other, "dynamodb:Query"), expected);
    }
}
