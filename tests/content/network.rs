//! Real HTTP for platforms in a stack whose time stands still: their calls run on a runtime of their own.

use std::sync::Arc;
use std::thread;

use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::{Handle, Runtime};
use trunkline_core::model::{
    Connection, Delivery, ExternalConversationId, ExternalMessageId, Session,
};
use trunkline_core::platform::{Platform, PlatformSpec};
use trunkline_runtime::files::TemporaryFile;
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::inbound::{Call, CallOutcome, Inbound, ParsedCall, Reply};
use trunkline_runtime::outbound::{
    Attempt, CheckContext, Classification, EncodeError, FetchedFile, FileContext, FileError,
    Outbound, SendContext, Verification,
};

/// The runtime of the mocks and of all calls to them. Time passes in it.
#[derive(Debug, Clone)]
pub struct Network(Arc<Runtime>);

impl Network {
    pub fn start() -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        Self(Arc::new(builder.worker_threads(1).enable_all().build().unwrap()))
    }

    pub fn handle(&self) -> &Handle {
        self.0.handle()
    }

    /// Runs work of the network to its end. The caller's thread waits, so its time stands still.
    pub fn run<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        thread::scope(|scope| scope.spawn(|| self.0.block_on(work)).join().unwrap())
    }
}

/// A platform whose calls go over the network.
#[derive(Debug, Clone)]
pub struct OverNetwork<P> {
    platform: Arc<P>,
    network: Network,
    http: Arc<HttpClient>,
}

impl<P> OverNetwork<P> {
    pub fn new(platform: P, network: &Network) -> Self {
        let http = Arc::new(HttpClient::new(true));
        Self { platform: Arc::new(platform), network: network.clone(), http }
    }
}

impl<P: Platform> Platform for OverNetwork<P> {
    type Settings = P::Settings;

    const SPEC: PlatformSpec = P::SPEC;
}

impl<P: Inbound> Inbound for OverNetwork<P> {
    const PATHS: &'static [&'static str] = P::PATHS;

    fn parse(&self, call: &Call<'_, Self::Settings>) -> ParsedCall {
        self.platform.parse(call)
    }

    fn reply(&self, call: &Call<'_, Self::Settings>, outcome: &CallOutcome<'_>) -> Reply {
        self.platform.reply(call, outcome)
    }

    async fn prepare(
        &self,
        connection: &Connection,
        settings: &Self::Settings,
        headers: &HeaderMap,
        _: &HttpClient,
        now: Timestamp,
    ) {
        self.network.run(self.platform.prepare(connection, settings, headers, &self.http, now));
    }
}

impl<P: Outbound> Outbound for OverNetwork<P> {
    const MAX_DURATION: SignedDuration = P::MAX_DURATION;
    const FILE_NOT_READY: &'static [StatusCode] = P::FILE_NOT_READY;

    fn choose_conversation_id(&self, delivery: &Delivery) -> ExternalConversationId {
        self.platform.choose_conversation_id(delivery)
    }

    async fn open(
        &self,
        context: &SendContext<'_, Self::Settings>,
        _: &HttpClient,
    ) -> Result<Option<Session>, Box<Attempt>> {
        self.network.run(self.platform.open(context, &self.http))
    }

    async fn send(&self, context: &SendContext<'_, Self::Settings>, _: &HttpClient) -> Attempt {
        self.network.run(self.platform.send(context, &self.http))
    }

    fn external_message_id(
        &self,
        delivery: &Delivery,
        returned: Option<ExternalMessageId>,
    ) -> Option<ExternalMessageId> {
        self.platform.external_message_id(delivery, returned)
    }

    fn correlation_key(&self, context: &SendContext<'_, Self::Settings>) -> Option<String> {
        self.platform.correlation_key(context)
    }

    fn encode(
        &self,
        context: &SendContext<'_, Self::Settings>,
    ) -> Result<HttpRequest, EncodeError> {
        self.platform.encode(context)
    }

    fn classify(&self, response: &HttpResponse) -> Classification {
        self.platform.classify(response)
    }

    async fn file_request(
        &self,
        context: &FileContext<'_, Self::Settings>,
        _: &HttpClient,
        url: &str,
    ) -> Result<HttpRequest, FileError> {
        self.network.run(self.platform.file_request(context, &self.http, url))
    }

    async fn fetch_file(
        &self,
        context: &FileContext<'_, Self::Settings>,
        _: &HttpClient,
        url: &str,
        file: &mut TemporaryFile,
    ) -> Result<FetchedFile, FileError> {
        self.network.run(self.platform.fetch_file(context, &self.http, url, file))
    }

    async fn verify(
        &self,
        check: &CheckContext<'_, Self::Settings>,
        _: &HttpClient,
    ) -> Verification {
        self.network.run(self.platform.verify(check, &self.http))
    }
}
