//! The test bed of a run: AWS emulation, configuration, functions, queues and the receiver.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use trunkline_config::apply::{ApplyTarget, apply};
use trunkline_config::{ReadOptions, SecretResolver, SecretSource, read};
use trunkline_runtime::queue::Queues;
use trunkline_runtime::secrets::SecretStore;
use trunkline_runtime::store::Store;
use trunkline_testkit::aws::table_definition;

use crate::aws::{Aws, OUTBOUND, SECRETS, TABLE, TASKS};
use crate::lambda::{Function, Launcher};
use crate::mapping::EventSourceMapping;
use crate::receiver::Receiver;

/// The signing secret of all connections.
pub const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The path key of all connections.
pub const PATH_KEY: &str = "bench-bench-bench-bench-bench-bench";

const PAIR_TEXT: &str = "
connections:
  shop:
    platform: webhook
    role: channel
    settings: { message_url: RECEIVER/other }
    secrets: { path_key: { env: KEY }, signing: { env: SIGNING } }
  bot:
    platform: webhook
    role: bot
    settings: { message_url: RECEIVER }
    secrets: { path_key: { env: KEY }, signing: { env: SIGNING } }
routes:
  shop: { channels: [shop], bot: bot }
";

/// An archive, inserted before the routes.
const ARCHIVE: &str = "  archive:
    platform: webhook
    role: observer
    settings: { message_url: RECEIVER/other }
    secrets: { path_key: { env: KEY }, signing: { env: SIGNING } }
routes:";

/// Resolves the secrets of the configurations above.
#[derive(Debug)]
struct PairSecrets;

impl SecretResolver for PairSecrets {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let is_key = *source == SecretSource::Env("KEY".into());
        Ok(if is_key { PATH_KEY } else { SIGNING }.to_owned())
    }
}

/// The configuration of a test bed.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The text of the file. `RECEIVER` is replaced by the receiver's URL.
    pub text: Cow<'static, str>,
    pub secrets: &'static dyn SecretResolver,
}

/// A channel and a bot with signed webhooks.
pub const PAIR: Configuration =
    Configuration { text: Cow::Borrowed(PAIR_TEXT), secrets: &PairSecrets };

/// Returns the same configuration with an archive that receives a copy of every event.
pub fn with_archive() -> Configuration {
    let text = PAIR_TEXT
        .replace("routes:", ARCHIVE)
        .replace("bot: bot }", "bot: bot, observers: [archive] }");
    Configuration { text: text.into(), secrets: &PairSecrets }
}

/// The configuration of `make run`.
pub const DEMO: Configuration = Configuration {
    text: Cow::Borrowed(trunkline_demo::CONFIGURATION),
    secrets: &trunkline_demo::DemoSecrets,
};

/// The measured functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Trunkline's functions.
    Product,
    /// Minimal functions that make the same AWS calls and do nothing else, as they were in 0.2.0.
    FloorSdk,
    /// The same with the clients of this version.
    FloorNow,
}

impl Variant {
    /// Returns the names of the inbound and the outbound function.
    fn functions(self) -> [&'static str; 2] {
        match self {
            Self::Product => ["webhook-inbound", "webhook-outbound"],
            Self::FloorSdk => ["floor-sdk-inbound", "floor-sdk-outbound"],
            Self::FloorNow => ["floor-inbound", "floor-outbound"],
        }
    }
}

/// Running functions with their queues, AWS emulation and receiver.
#[derive(Debug)]
pub struct TestBed {
    pub aws: Arc<Aws>,
    pub receiver: Receiver,
    /// The function that accepts messages.
    pub inbound: Arc<Function>,
    /// The function that sends deliveries.
    pub outbound: Arc<Function>,
    /// From the outbound queue to that function.
    pub deliveries: EventSourceMapping,
    _tasks: Option<EventSourceMapping>,
}

/// AWS emulation with a configuration and a receiver, on which functions can be started.
#[derive(Debug)]
pub struct Backend {
    pub aws: Arc<Aws>,
    pub receiver: Receiver,
    programs: PathBuf,
}

impl Backend {
    /// Starts AWS and the receiver, and applies a configuration. The programs of the functions are in a folder.
    pub async fn start(programs: &Path, configuration: Configuration) -> Self {
        let (aws, receiver) = (Aws::start(&table_of(programs)).await, Receiver::start().await);
        configure(&aws, &receiver, configuration).await;
        Self { aws, receiver, programs: programs.to_owned() }
    }

    /// Returns the launcher of a function, whose AWS calls are counted as those of its way: `inbound` or `outbound`.
    pub fn function(&self, name: &str) -> Launcher {
        self.launcher(name, name.rsplit('-').next().unwrap_or(name))
    }

    /// Returns the launcher of a function, whose AWS calls are counted under its name.
    pub fn named(&self, name: &str) -> Launcher {
        self.launcher(name, name)
    }

    fn launcher(&self, name: &str, caller: &str) -> Launcher {
        let aws = &self.aws;
        let environment = [
            ("AWS_ENDPOINT_URL", aws.endpoint.clone()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ACCESS_KEY_ID", caller.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".into()),
            ("TRUNKLINE_TABLE", TABLE.into()),
            ("TRUNKLINE_SECRETS", SECRETS.into()),
            ("TRUNKLINE_TASKS_QUEUE", aws.sqs.url(TASKS)),
            ("TRUNKLINE_RETENTION_DAYS", "90".into()),
            ("TRUNKLINE_ALLOW_LOCAL", "yes".into()),
            ("TRUNKLINE_LOG", "info".into()),
            ("TRUNKLINE_METRICS", "Trunkline/trunkline".into()),
            ("TRUNKLINE_STACK", "bench".into()),
            ("BENCH_RECEIVER", self.receiver.url()),
        ];
        let environment = environment.into_iter().chain(allocator_settings(name));
        let environment: Vec<_> =
            environment.map(|(name, value)| (name.to_owned(), value)).collect();
        Launcher::new(&self.programs, name, &environment)
    }
}

/// Returns the settings of the allocator that `template.yaml` gives to each function; the baseline of 0.2.0 has none.
fn allocator_settings(function: &str) -> Option<(&'static str, String)> {
    const NAME: &str = "GLIBC_TUNABLES";
    let template = include_str!("../../template.yaml");
    let found = template.lines().find_map(|line| line.trim().strip_prefix(NAME));
    let value = found.and_then(|rest| rest.strip_prefix(": ")).expect("the template sets them");
    (!function.starts_with("floor-sdk")).then(|| (NAME, value.to_owned()))
}

impl TestBed {
    /// Starts functions with `width` processes each.
    pub async fn start(programs: &Path, variant: Variant, width: usize) -> Self {
        Self::wrapped(programs, variant, PAIR, width, |_| Vec::new()).await
    }

    /// Starts Trunkline's functions with a configuration.
    pub async fn configured(programs: &Path, configuration: Configuration, width: usize) -> Self {
        Self::wrapped(programs, Variant::Product, configuration, width, |_| Vec::new()).await
    }

    /// Starts functions, each process under the command that `tool` returns for it.
    pub async fn wrapped(
        programs: &Path,
        variant: Variant,
        configuration: Configuration,
        width: usize,
        tool: impl Fn(&str) -> Vec<String>,
    ) -> Self {
        let site = Backend::start(programs, configuration).await;
        let [inbound, outbound] = variant.functions();
        let start = |name: &str| Launcher { wrapper: tool(name), ..site.function(name) };
        let inbound = Arc::new(start(inbound).function(width).await);
        let outbound = Arc::new(start(outbound).function(width).await);
        let tasks = match variant {
            Variant::FloorSdk | Variant::FloorNow => None,
            Variant::Product => {
                let scheduler = Arc::new(site.function("scheduler").function(1).await);
                Some(EventSourceMapping::start(&site.aws, TASKS, &scheduler))
            }
        };
        let deliveries = EventSourceMapping::start(&site.aws, OUTBOUND, &outbound);
        let Backend { aws, receiver, .. } = site;
        Self { aws, receiver, inbound, outbound, deliveries, _tasks: tasks }
    }
}

impl TestBed {
    /// Terminates the two functions so that the command that runs them can write its results.
    pub async fn shut_down(self) {
        drop(self.deliveries);
        // Aborted pollers need a moment to stop.
        tokio::time::sleep(Duration::from_millis(100)).await;
        for function in [self.inbound, self.outbound] {
            Arc::into_inner(function).expect("the function has no other owner").terminate().await;
        }
    }
}

/// Returns the `CreateTable` request for the programs in a folder: that of its `table.json`, or else that of
/// `template.yaml`.
fn table_of(programs: &Path) -> Value {
    match std::fs::read(programs.join("table.json")) {
        Ok(text) => serde_json::from_slice(&text).unwrap(),
        Err(_) => table_definition(include_str!("../../template.yaml"), TABLE),
    }
}

async fn configure(aws: &Aws, receiver: &Receiver, configuration: Configuration) {
    let text = configuration.text.replace("RECEIVER", &receiver.url());
    let options = ReadOptions {
        platforms: trunkline_registry::PLATFORMS,
        secrets: configuration.secrets,
        allow_local: true,
    };
    let desired = read(&text, options).unwrap_or_else(|problems| panic!("{problems}"));
    let config = trunkline::stack::local_aws_config(&aws.endpoint).await.unwrap();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let ssm = aws_sdk_ssm::Client::new(&config);
    let store = Store::new(dynamodb, TABLE.into(), 90);
    let secrets = SecretStore::new(ssm, SECRETS.into());
    let urls = aws.sqs.url(TASKS).parse().unwrap();
    let queues = Queues::new(aws_sdk_sqs::Client::new(&config), urls);
    let site = ApplyTarget {
        platforms: trunkline_registry::PLATFORMS,
        store: &store,
        secrets: &secrets,
        queues: &queues,
    };
    apply(site, &desired, |_| ()).await.unwrap_or_else(|why| panic!("{why}"));
}
