//! [`TestStack`]: all functions of one stack in one process.

mod accounting;
mod callers;
mod configuration;
mod functions;
mod pollers;
mod state;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::Region;
use jiff::Timestamp;
use serde_json::Value;
use trunkline_core::model::{Connection, ConversationKey};
use trunkline_core::platform::PlatformSpec;
use trunkline_runtime::app::{App, Clock};
use trunkline_runtime::aws::Clients;
use trunkline_runtime::files::Files;
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::inbound::Inbound;
use trunkline_runtime::outbound::Outbound;
use trunkline_runtime::queue::{QueueUrls, Queues};
use trunkline_runtime::secrets::SecretStore;
use trunkline_runtime::store::{ConfigCache, Store};

pub use accounting::Accounting;
pub use callers::{CallResponse, choice, close, handback, handover, message};

use crate::aws::sqs::{QueueConfig, Sqs};
use crate::aws::{DynamoDb, InProcessAws, Ssm, table_definition};
use crate::clock::{ManualClock, SequentialIds};
use crate::faults::Faults;
use crate::files::MemoryFiles;
use crate::toy::ToyPlatform;
use functions::{PlatformFunctions, Process};

/// The name of the table.
const TABLE: &str = "test";
/// The prefix of the names of SSM parameters.
const SECRETS: &str = "/test/secrets/";
/// The public URL of the API.
const ADDRESS: &str = "https://api.test";
/// The queue of scheduled tasks.
const TASKS: &str = "test-tasks";
/// When the clock starts.
const START: &str = "2026-03-04T09:00:00Z";

/// The request that creates the table of `template.yaml`.
static TABLE_DEFINITION: LazyLock<Value> = LazyLock::new(|| {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    table_definition(&std::fs::read_to_string(project).unwrap(), TABLE)
});

/// Creates the functions of a platform in a new process, with empty caches.
type NewFunctions = Box<dyn Fn() -> Rc<dyn PlatformFunctions>>;

/// All functions of a stack with their table, queues and secrets, on a clock that the test moves. See
/// [the example](crate).
pub struct TestStack {
    pub clock: Arc<ManualClock>,
    /// The platform behind all connections that the stack's own methods create.
    pub toy: ToyPlatform,
    /// The queues of all platforms, and of tasks.
    pub sqs: Arc<Sqs>,
    /// The dependencies of a function, for reading and changing state outside of the functions.
    pub app: App,
    /// The bucket of relayed files.
    pub files: MemoryFiles,
    aws: InProcessAws,
    queues: QueueUrls,
    ids: Arc<SequentialIds>,
    platforms: BTreeMap<&'static str, NewFunctions>,
    specs: BTreeMap<&'static str, PlatformSpec>,
    /// The running process of each function.
    processes: RefCell<BTreeMap<String, Process>>,
    invocations: Cell<usize>,
    next_tick: Cell<Timestamp>,
    /// The number of runs that Lambda refused because of their chain of messages.
    refused_runs: Cell<usize>,
    /// The largest batch that a poller passes to a function.
    batch_size: Cell<usize>,
    /// Whether a batch has messages of several groups.
    mixes_groups: Cell<bool>,
    /// The connections as stored last.
    connections: RefCell<BTreeMap<String, Connection>>,
    /// The customers' conversations that received an event.
    conversations: RefCell<Vec<ConversationKey>>,
}

impl std::fmt::Debug for TestStack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestStack").field("now", &self.clock.now()).finish_non_exhaustive()
    }
}

impl TestStack {
    /// Starts a stack without connections, with the toy platform. Needs a Tokio runtime with paused time:
    /// `#[tokio::test(start_paused = true)]`.
    pub async fn start() -> Self {
        // Panics if time is not paused.
        tokio::time::advance(std::time::Duration::ZERO).await;
        let clock = Arc::new(ManualClock::new(START.parse::<Timestamp>().unwrap()));
        let sqs = Arc::new(Sqs::new(clock.clone()));
        let dynamodb = DynamoDb::with_table(&TABLE_DEFINITION);
        let aws =
            InProcessAws::new(vec![Arc::new(dynamodb), sqs.clone(), Arc::new(Ssm::default())]);
        let ids = Arc::new(SequentialIds::default());
        let files = MemoryFiles::default();
        let queues: QueueUrls = Sqs::url(TASKS).parse().unwrap();
        sqs.create(TASKS, tasks_config());
        let app = new_app(&aws, &files, &queues, &clock, &ids);
        let next_tick = clock.now() + pollers::TICK_INTERVAL;
        let mut stack = Self {
            clock,
            toy: ToyPlatform::beside(aws.clone()),
            sqs,
            app,
            files,
            aws,
            queues,
            ids,
            platforms: BTreeMap::new(),
            specs: BTreeMap::new(),
            processes: RefCell::default(),
            invocations: Cell::new(0),
            next_tick: Cell::new(next_tick),
            refused_runs: Cell::new(0),
            batch_size: Cell::new(10),
            mixes_groups: Cell::new(false),
            connections: RefCell::default(),
            conversations: RefCell::default(),
        };
        let toy = stack.toy.clone();
        stack.add_platform(move || toy.clone());
        stack
    }

    /// Adds the functions and queues of a platform. `new` creates it, once for each process.
    pub fn add_platform<P: Inbound + Outbound + 'static>(&mut self, new: impl Fn() -> P + 'static) {
        let platform = const { &P::SPEC.id }.as_str();
        let (queue, dead) = (outbound_queue(platform), dead_queue(platform));
        // As in the template.
        self.sqs.create(&dead, QueueConfig { visibility_timeout: 60, ..QueueConfig::fifo() });
        let config = QueueConfig {
            visibility_timeout: 45,
            deduplicates_by_group: true,
            redrive: Some((dead.clone(), 20)),
            ..QueueConfig::fifo()
        };
        self.sqs.create(&queue, config);
        self.specs.insert(platform, P::SPEC);
        self.platforms.insert(platform, Box::new(move || Rc::new(new())));
        self.app = new_app(&self.aws, &self.files, &self.queues, &self.clock, &self.ids);
        self.processes.borrow_mut().clear();
    }

    /// Creates the dependencies of a new process.
    fn new_app(&self) -> App {
        new_app(&self.aws, &self.files, &self.queues, &self.clock, &self.ids)
    }

    /// The faults of the functions' AWS calls.
    pub fn faults(&self) -> &Faults {
        self.aws.faults()
    }

    /// The HTTP client of the SDKs, which knows the functions' AWS calls so far.
    pub fn aws(&self) -> &InProcessAws {
        &self.aws
    }

    /// Makes pollers pass messages of several groups in a batch, whose groups a function processes at the same time.
    pub fn mix_groups(&self) {
        self.mixes_groups.set(true);
    }

    /// Returns how many runs Lambda refused because their chain of messages was too long.
    pub fn refused_runs(&self) -> usize {
        self.refused_runs.get()
    }

    /// Sets how many messages a poller passes to a function at most, from 1 to 10 (the default).
    pub fn set_batch_size(&self, size: usize) {
        self.batch_size.set(size);
    }
}

/// The queue of scheduled tasks, as in the template.
fn tasks_config() -> QueueConfig {
    QueueConfig { visibility_timeout: 20, ..QueueConfig::default() }
}

fn outbound_queue(platform: &str) -> String {
    format!("test-{platform}-outbound.fifo")
}

fn dead_queue(platform: &str) -> String {
    format!("test-{platform}-dead.fifo")
}

fn new_app(
    aws: &InProcessAws,
    files: &MemoryFiles,
    queues: &QueueUrls,
    clock: &Arc<ManualClock>,
    ids: &Arc<SequentialIds>,
) -> App {
    let credentials = Credentials::new("test", "test", None, None, "test");
    let endpoint = Some("http://aws.test.local");
    let clients = Clients::new(aws, &credentials, &Region::new("us-east-1"), endpoint);
    let store = Store::new(clients.dynamodb, TABLE.into(), 90);
    App {
        config_cache: Arc::new(ConfigCache::new(store.clone())),
        store,
        queues: Queues::new(clients.sqs, queues.clone()),
        secrets: Arc::new(SecretStore::new(clients.ssm, SECRETS.into())),
        http_client: Arc::new(HttpClient::new(true)),
        files: Some(Files::new(Arc::new(files.clone()), ADDRESS, 7)),
        clock: clock.clone(),
        ids: ids.clone(),
    }
}
