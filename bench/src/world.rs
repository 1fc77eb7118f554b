//! What a run stands on: AWS, a configuration, the functions with their queues, and the receiver.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use trunkline_setup::apply::{Site, apply};
use trunkline_setup::config::{Environment, Reading, SecretSource, read};
use trunkline_setup::demo;
use trunkline_shared::secrets::Secrets;
use trunkline_shared::store::Store;

use crate::aws::{Aws, OUTBOUND, SECRETS, TABLE, WAKE};
use crate::lambda::{Function, Start};
use crate::mapping::Mapping;
use crate::sink::Sink;

/// The channel's signing secret.
pub const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The secret part of the channel's address.
pub const PATH_KEY: &str = "bench-bench-bench-bench-bench-bench";

const PAIRED: &str = "
connections:
  shop:
    platform: webhook
    role: channel
    settings: { message_url: SINK/other }
    secrets: { path_key: { env: KEY }, signing: { env: SIGNING } }
  bot:
    platform: webhook
    role: bot
    settings: { message_url: SINK }
    secrets: { path_key: { env: KEY }, signing: { env: SIGNING } }
routes:
  shop: { channels: [shop], bot: bot }
";

/// An archive, which stands before the routes.
const ARCHIVE: &str = "  archive:
    platform: webhook
    role: observer
    settings: { message_url: SINK/other }
    secrets: { path_key: { env: KEY }, signing: { env: SIGNING } }
routes:";

/// The secrets of this configuration.
#[derive(Debug)]
struct Given;

impl Environment for Given {
    fn secret(&self, source: &SecretSource) -> Result<String, String> {
        let is_key = *source == SecretSource::Env("KEY".into());
        Ok(if is_key { PATH_KEY } else { SIGNING }.to_owned())
    }
}

/// What the functions are configured with.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The file; `SINK` stands for the receiver.
    pub text: Cow<'static, str>,
    /// Its secrets.
    pub secrets: &'static dyn Environment,
}

/// A channel and a bot by signed webhooks.
pub const PAIR: Configuration = Configuration { text: Cow::Borrowed(PAIRED), secrets: &Given };

/// The same with an archive, which gets a copy of everything.
pub fn with_archive() -> Configuration {
    let text = PAIRED
        .replace("routes:", ARCHIVE)
        .replace("bot: bot }", "bot: bot, observers: [archive] }");
    Configuration { text: text.into(), secrets: &Given }
}

/// The configuration of `make run`.
pub const DEMO: Configuration =
    Configuration { text: Cow::Borrowed(demo::CONFIGURATION), secrets: &demo::DemoSecrets };

/// Which functions are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Ours.
    Product,
    /// Functions that make the same calls and do nothing else.
    Floor,
}

/// What a run stands on.
#[derive(Debug)]
pub struct World {
    /// AWS.
    pub aws: Arc<Aws>,
    /// The receiver.
    pub sink: Sink,
    /// The function that takes messages.
    pub inbound: Arc<Function>,
    /// The function that passes them on.
    pub outbound: Arc<Function>,
    /// Between the queue and that function.
    pub deliveries: Mapping,
    _notes: Option<Mapping>,
}

/// AWS with a configuration, and what starts functions on it.
#[derive(Debug)]
pub struct Ground {
    /// AWS.
    pub aws: Arc<Aws>,
    /// The receiver.
    pub sink: Sink,
    programs: PathBuf,
}

impl Ground {
    /// With nothing running yet; the functions' programs are in a folder.
    pub async fn start(programs: &Path, configuration: Configuration) -> Self {
        let template = include_str!("../../template.yaml");
        let (aws, sink) = (Aws::start(template).await, Sink::start().await);
        configure(&aws, &sink, configuration).await;
        Self { aws, sink, programs: programs.to_owned() }
    }

    /// What starts a function.
    pub fn function(&self, name: &str) -> Start {
        let aws = &self.aws;
        let environment = [
            ("AWS_ENDPOINT_URL", aws.endpoint.clone()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ACCESS_KEY_ID", name.rsplit('-').next().unwrap_or(name).to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".into()),
            ("TRUNKLINE_TABLE", TABLE.into()),
            ("TRUNKLINE_SECRETS", SECRETS.into()),
            ("TRUNKLINE_QUEUES", aws.sqs.urls().to_string()),
            ("TRUNKLINE_RETENTION_DAYS", "90".into()),
            ("TRUNKLINE_ALLOW_LOCAL", "yes".into()),
            ("TRUNKLINE_LOG", "info".into()),
            ("TRUNKLINE_METRICS", "Trunkline/trunkline".into()),
            ("TRUNKLINE_STACK", "bench".into()),
            ("BENCH_SINK", self.sink.url()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        Start::new(&self.programs, name, &environment)
    }
}

impl World {
    /// The functions on an AWS of their own, each with so many processes.
    pub async fn start(programs: &Path, which: Which, width: usize) -> Self {
        Self::under(programs, which, PAIR, width, |_| Vec::new()).await
    }

    /// Ours, configured otherwise.
    pub async fn configured(programs: &Path, configuration: Configuration, width: usize) -> Self {
        Self::under(programs, Which::Product, configuration, width, |_| Vec::new()).await
    }

    /// The same, where a command runs each of the two that are measured.
    pub async fn under(
        programs: &Path,
        which: Which,
        configuration: Configuration,
        width: usize,
        tool: impl Fn(&str) -> Vec<String>,
    ) -> Self {
        let site = Ground::start(programs, configuration).await;
        let (inbound, outbound) = match which {
            Which::Product => ("webhook-inbound", "webhook-outbound"),
            Which::Floor => ("floor-inbound", "floor-outbound"),
        };
        let start = |name: &str| Start { under: tool(name), ..site.function(name) };
        let inbound = Arc::new(start(inbound).function(width).await);
        let outbound = Arc::new(start(outbound).function(width).await);
        let notes = match which {
            Which::Floor => None,
            Which::Product => {
                let upkeep = Arc::new(site.function("upkeep").function(1).await);
                Some(Mapping::start(&site.aws, WAKE, &upkeep))
            }
        };
        let deliveries = Mapping::start(&site.aws, OUTBOUND, &outbound);
        let Ground { aws, sink, .. } = site;
        Self { aws, sink, inbound, outbound, deliveries, _notes: notes }
    }
}

impl World {
    /// Ends the two functions so that whatever runs them can sum up.
    pub async fn end(self) {
        drop(self.deliveries);
        // The pollers are gone a moment after they are told to.
        tokio::time::sleep(Duration::from_millis(100)).await;
        for function in [self.inbound, self.outbound] {
            Arc::into_inner(function).expect("nobody else has it").end().await;
        }
    }
}

async fn configure(aws: &Aws, sink: &Sink, configuration: Configuration) {
    let text = configuration.text.replace("SINK", &sink.url());
    let reading = Reading { environment: configuration.secrets, allow_local: true };
    let desired = read(&text, reading).unwrap_or_else(|problems| panic!("{problems}"));
    let config = trunkline::stack::local(&aws.endpoint).await.unwrap();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let ssm = aws_sdk_ssm::Client::new(&config);
    let store = Store::new(dynamodb, TABLE.into(), 90);
    let secrets = Secrets::new(ssm, SECRETS.into());
    let site = Site { store: &store, secrets: &secrets };
    apply(site, &desired, |_| ()).await.unwrap_or_else(|why| panic!("{why}"));
}
