//! Background work: runs scheduled tasks when they are due. Once a minute, the tick sends the tasks that waited in the
//! table and the probes of open breakers, measures the queues, stores dead letters, and finds parked deliveries whose
//! task was lost.

mod capabilities;
mod concurrently;
mod dead_letters;
mod due_tasks;
mod queues;
mod registrations;
mod sweep;
mod tasks;
mod timers;

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use trunkline_core::platform::PlatformTraits;
use trunkline_registry::TRAITS;
use trunkline_runtime::app::App;
use trunkline_runtime::error::BackendError;
use trunkline_runtime::from_backend_errors;
use trunkline_runtime::inbound::InboundError;
use trunkline_runtime::telemetry;

pub use capabilities::refresh_capabilities;
pub use due_tasks::send_due_tasks;
pub use queues::{AbsentPlatforms, check_queues};
pub use registrations::check_registrations;
pub use sweep::sweep;
pub use tasks::run_task;

/// Why background work failed. Internal and retryable: SQS, or the next minute's run, repeats it.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// The table, a queue or the secrets failed.
    #[error(transparent)]
    Backend(BackendError),
    /// The event of a timer could not be ingested.
    #[error(transparent)]
    Inbound(#[from] InboundError),
    /// The scheduled task is not valid JSON of a known kind.
    #[error("cannot parse scheduled task: {0}")]
    Unreadable(#[from] serde_json::Error),
}

from_backend_errors!(SchedulerError);

/// What a process of the function remembers between two invocations.
#[derive(Debug)]
pub struct Scheduler {
    platforms: Vec<PlatformTraits>,
    absent: AbsentPlatforms,
    /// Whether this process has checked the stored capabilities.
    capabilities_checked: AtomicBool,
}

/// Runs the function until Lambda ends it.
///
/// # Errors
/// If the environment is incomplete, or the Lambda runtime fails.
pub async fn serve() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let (app, scheduler) = (&app, &Scheduler::new(TRAITS));
    lambda_runtime::run(lambda_runtime::service_fn(move |event: LambdaEvent<Value>| async move {
        telemetry::set_request_id(&event.context.request_id);
        // Boxed: the type of the whole future would exceed the compiler's depth limit.
        Box::pin(scheduler.handle(app, event.payload)).await
    }))
    .await
}

impl Scheduler {
    /// Creates the state of a new process, for these platforms.
    #[must_use]
    pub fn new(platforms: &[PlatformTraits]) -> Self {
        Self {
            platforms: platforms.to_vec(),
            absent: AbsentPlatforms::default(),
            capabilities_checked: AtomicBool::new(false),
        }
    }

    /// Handles a batch of scheduled tasks, or the event of the one-minute schedule.
    ///
    /// # Errors
    /// If the work of the one-minute schedule fails, or the event is not valid.
    pub async fn handle(
        &self,
        app: &App,
        event: Value,
    ) -> Result<SqsBatchResponse, lambda_runtime::Error> {
        if event.get("Records").is_none() {
            app.queues.chain().start();
            Box::pin(self.tick(app)).await?;
            return Ok(SqsBatchResponse::default());
        }
        let event: SqsEvent = serde_json::from_value(event)?;
        app.queues.chain().continue_from(&event.records);
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            if let Err(error) = process(app, &message).await {
                tracing::error!(%error, "cannot process scheduled task");
                response.add_failure(message.message_id.unwrap_or_default());
            }
        }
        Ok(response)
    }

    /// Does the work of one minute. A check that fails does not prevent the others.
    async fn tick(&self, app: &App) -> Result<(), SchedulerError> {
        let (due_tasks, queues, swept, registrations, capabilities) = tokio::join!(
            send_due_tasks(app),
            check_queues(app, &self.absent, &self.platforms),
            sweep(app),
            check_registrations(app, &self.platforms),
            self.check_capabilities(app),
        );
        due_tasks.and(queues).and(swept).and(registrations).and(capabilities)
    }

    async fn check_capabilities(&self, app: &App) -> Result<(), SchedulerError> {
        if !self.capabilities_checked.load(Ordering::Relaxed) {
            refresh_capabilities(app, &self.platforms).await?;
            self.capabilities_checked.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

async fn process(app: &App, message: &SqsMessage) -> Result<(), SchedulerError> {
    let body = message.body.as_deref().unwrap_or_default();
    run_task(app, serde_json::from_str(body)?).await
}
