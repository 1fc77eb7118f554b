//! The functions of the stack, each with a process of its own.

use std::rc::Rc;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use lambda_http::{Body, Request, Response};
use trunkline_core::platform::{PlatformSpec, PlatformTraits};
use trunkline_runtime::app::App;
use trunkline_runtime::inbound::{Inbound, handle_request};
use trunkline_runtime::outbound::{Outbound, receive_batch};

use trunkline_scheduler::Scheduler;

use super::TestStack;
use crate::aws::Invocation;

/// The time limit of a listener, as in the template of a platform that has one.
const LISTENER_TIMEOUT: Duration = Duration::from_mins(15);

/// The inbound and the outbound function of a platform.
pub(super) trait PlatformFunctions {
    fn inbound<'a>(
        &'a self,
        app: &'a App,
        request: &'a Request,
    ) -> LocalBoxFuture<'a, Response<Body>>;

    fn outbound<'a>(
        &'a self,
        app: &'a App,
        records: Vec<SqsMessage>,
        deadline: Timestamp,
    ) -> LocalBoxFuture<'a, SqsBatchResponse>;
}

impl<P: Inbound + Outbound> PlatformFunctions for P {
    fn inbound<'a>(
        &'a self,
        app: &'a App,
        request: &'a Request,
    ) -> LocalBoxFuture<'a, Response<Body>> {
        Box::pin(handle_request(app, self, request))
    }

    fn outbound<'a>(
        &'a self,
        app: &'a App,
        records: Vec<SqsMessage>,
        deadline: Timestamp,
    ) -> LocalBoxFuture<'a, SqsBatchResponse> {
        Box::pin(receive_batch(app, self, records, deadline))
    }
}

/// A process of a function: what is lost when it crashes.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) app: App,
    /// `None` in the process of the scheduler.
    pub(super) platform: Option<Rc<dyn PlatformFunctions>>,
    pub(super) scheduler: Rc<Scheduler>,
}

impl TestStack {
    /// Runs an invocation of a function for messages, within Lambda's time limit. `None`: the function crashed or
    /// did not end in time, and its next invocation starts a new process; or Lambda refuses the run, because the
    /// chain of the messages is too long.
    pub(super) async fn invoke<T>(
        &self,
        function: &str,
        limit: Duration,
        messages: &[SqsMessage],
        work: impl AsyncFnOnce(&Process) -> T,
    ) -> Option<T> {
        let ids = messages.iter().filter_map(|message| message.message_id.as_deref());
        let Some(lineage) = self.aws.lineage(function, ids) else {
            self.refused_runs.set(self.refused_runs.get() + 1);
            return None;
        };
        self.invocations.set(self.invocations.get() + 1);
        let invocation = Invocation::new(self.invocations.get(), function, lineage);
        let process = self.process(function);
        let work = tokio::time::timeout(limit, work(&process));
        let result = invocation.run(work).await.and_then(Result::ok);
        if result.is_none() {
            self.processes.borrow_mut().remove(function);
        }
        result
    }

    /// Runs an invocation of a listener for the message that starts it. `None`: Lambda refuses the run, because the chain
    /// of the message is too long.
    pub async fn run_listener<T>(
        &self,
        function: &str,
        message: &SqsMessage,
        work: impl AsyncFnOnce(&App) -> T,
    ) -> Option<T> {
        let messages = std::slice::from_ref(message);
        self.invoke(function, LISTENER_TIMEOUT, messages, async |process| {
            process.app.queues.chain().continue_from(messages);
            work(&process.app).await
        })
        .await
    }

    /// Returns the running process of a function, or starts one.
    fn process(&self, function: &str) -> Process {
        let mut processes = self.processes.borrow_mut();
        let process = processes.entry(function.to_owned()).or_insert_with(|| {
            let platform = function.rsplit_once('-').map(|(platform, _)| platform);
            let new = platform.and_then(|platform| self.platforms.get(platform));
            let traits: Vec<PlatformTraits> =
                self.specs.values().map(PlatformSpec::traits).collect();
            Process {
                app: self.new_app(),
                platform: new.map(|new| new()),
                scheduler: Rc::new(Scheduler::new(&traits)),
            }
        });
        process.clone()
    }

    /// Ends the processes of all functions, as a deployment does: their caches are empty afterwards.
    pub fn restart_processes(&self) {
        self.processes.borrow_mut().clear();
    }
}
