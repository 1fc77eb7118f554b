//! What the checks need to know. Plain values: [`super::gather`] asks AWS for them.

use std::time::Duration;

use jiff::SignedDuration;
use trunkline_core::model::PlatformId;

use super::aws::{Alarm, Caller, Resource, StackDescription, Subscription, Topic};

/// Why a fact is not known. It is a result of a check, not an error of the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// The caller may not ask. Names the permission.
    #[error("it needs {0}")]
    Denied(&'static str),
    /// AWS, or the stack, gave no answer.
    #[error("{0}")]
    Failed(String),
    /// No call is possible without credentials.
    #[error("there are no usable credentials")]
    NoCredentials,
    /// The operator does not want it.
    #[error("--read-only is set")]
    ReadOnly,
    /// The operator interrupted the command.
    #[error("the command was interrupted")]
    Interrupted,
    /// The check needs files of the project.
    #[error("this is not the folder of the project")]
    NotInProject,
    /// The stack does not have what the check needs. Names it.
    #[error("the stack does not have {0}")]
    NotDeployed(String),
}

impl Unknown {
    /// Returns what an operator does so that the check is made.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Denied(action) => {
                format!("Allow {action}, or run the command as a user who has it.")
            }
            Self::Failed(_) => {
                "Correct the cause if a line above names it, and run the command again.".into()
            }
            Self::NoCredentials => "See the line about credentials.".into(),
            Self::Interrupted => "Run the command again.".into(),
            Self::ReadOnly => "Run the command without --read-only.".into(),
            Self::NotInProject => "Run the command where template.yaml is.".into(),
            Self::NotDeployed(_) => "Nothing, unless you need it.".into(),
        }
    }
}

/// A fact, or why it is not known.
pub type Known<T> = Result<T, Unknown>;

/// Everything that the checks need to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The name of the stack.
    pub stack: String,
    /// The platforms of this version.
    pub platforms: Vec<PlatformId>,
    /// Whether the stack runs on a local AWS.
    pub is_local: bool,
    pub identity: Known<Caller>,
    pub regions: RegionSources,
    /// By how much the clock of this machine is ahead of that of AWS.
    pub clock_lead: Known<SignedDuration>,
    /// The account's quota of concurrent executions.
    pub concurrency: Known<u32>,
    /// Whether the higher throughput of the Parameter Store is enabled.
    pub high_throughput: Known<bool>,
    pub permissions: Known<DeployPermissions>,
    /// The programs and parts that `make deploy` needs and that this machine does not have.
    pub missing_tools: Known<Vec<String>>,
    /// `None`: there is no stack of this name.
    pub deployed: Known<Option<Deployed>>,
}

/// The region that each source names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegionSources {
    /// The variable `AWS_REGION`.
    pub aws_region: Option<String>,
    /// The variable `AWS_DEFAULT_REGION`.
    pub aws_default_region: Option<String>,
    /// The profile of AWS's configuration file.
    pub profile: Option<String>,
    /// `samconfig.toml` in the current folder.
    pub samconfig: Option<String>,
}

/// Whether the caller may deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeployPermissions {
    /// The caller is the root user of the account, who may do everything.
    Root,
    /// The result of a simulation.
    Simulated {
        /// The number of actions.
        actions: usize,
        /// Those that are denied.
        denied: Vec<String>,
        /// Those that are allowed on conditions only.
        conditional: Vec<String>,
    },
}

/// A stack that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    pub description: StackDescription,
    /// The functions, by their names in the template.
    pub functions: Known<Vec<FunctionFacts>>,
    /// The number of connections in the table.
    pub connections: Option<Known<usize>>,
    /// The platforms whose queues the stack has.
    pub queues: Vec<QueueFacts>,
    /// The number of dead letters in the table, at most 100.
    pub dead_letters: Option<Known<usize>>,
    /// Whether a message returned. `None`: the stack could not be read.
    pub self_test: Option<SelfTest>,
    pub alarms: Option<Known<Vec<Alarm>>>,
    pub topics: Vec<TopicFacts>,
}

impl Default for Deployed {
    /// A stack about which nothing is known.
    fn default() -> Self {
        Self {
            description: StackDescription::default(),
            functions: Ok(Vec::new()),
            connections: None,
            queues: Vec::new(),
            dead_letters: None,
            self_test: None,
            alarms: None,
            topics: Vec::new(),
        }
    }
}

impl Deployed {
    /// Returns the value of a parameter of the template.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.description.parameters.get(name).map(String::as_str)
    }
}

/// What a function does with an event that has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionState {
    /// It answers as expected, after this time.
    Answers(Duration),
    /// It exists. It was not invoked, because every event would have an effect.
    Exists,
    /// It answers, but not as expected: with this.
    Unexpected(String),
    /// It fails, with this message.
    Crashes(String),
    /// Lambda refuses to run it, because no concurrent execution is free.
    Throttled,
    /// It was deleted.
    Missing,
    /// It could not be asked.
    Unknown(Unknown),
}

/// A function of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionFacts {
    /// The name in the template.
    pub name: String,
    pub state: FunctionState,
    /// What Lambda does with recursive loops: `Allow` or `Terminate`.
    pub recursive_loop: Known<String>,
}

/// The queues of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueFacts {
    pub platform: PlatformId,
    /// The number of messages in the dead-letter queue.
    pub dead: Known<u64>,
    /// How long the outbound function took to answer through its queue.
    pub answer: Known<QueueAnswer>,
}

/// Whether an outbound function answered a message in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueAnswer {
    /// After this time.
    After(Duration),
    /// Not within this time.
    NotWithin(Duration),
}

/// How far the message of the self-test came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelfTest {
    /// Through all parts and back, in this time.
    Returned(Duration),
    /// The API could not be called.
    NotReached(String),
    /// The API or the inbound function did not accept it: status and body.
    NotAccepted(u16, String),
    /// It was accepted, and the outbound function did not take it from its queue within this time.
    NotTaken(Duration),
    /// It could not be sent, for this reason.
    NotSent(String),
    /// It was sent, and did not come back within this time.
    NotReturned(Duration),
    /// The test could not be made.
    NotMade(Unknown),
    /// The message returned, but what the test created could not be deleted.
    NotCleaned(String),
}

/// A topic that alarms publish to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFacts {
    pub arn: String,
    /// `None`: it does not exist.
    pub topic: Known<Option<Topic>>,
    pub subscriptions: Known<Vec<Subscription>>,
}

/// Returns the names of the resources of a type.
#[must_use]
pub fn resources_of<'a>(resources: &'a [Resource], kind: &str) -> Vec<&'a Resource> {
    resources.iter().filter(|resource| resource.kind == kind).collect()
}
