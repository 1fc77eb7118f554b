//! Fetches a private file with the credentials of the connection that sent it, and stores it for its
//! recipients. The job is in a message group of its message, so the files of one message are fetched one after
//! the other.

use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::record_outcome::ingest_receipt;
use super::{Budget, FetchedFile, FileContext, FileError, Outbound, OutboundError};
use crate::app::App;
use crate::files::{
    Files, MAX_FILE_BYTES, MAX_MESSAGE_BYTES, TemporaryFile, is_program, mime_essence,
    safe_mime_type,
};
use crate::queue::QueueError;
use crate::schedule::schedule;
use crate::store::LoadedConnection;
use trunkline_core::model::{
    DrainReason, EventId, EventRecord, FileId, FileState, Job, MessageReference, ReceiptStatus,
    RelayedFile, ScheduledTask,
};

/// How long one attempt may take.
const MAX_TIME: SignedDuration = SignedDuration::from_secs(20);
/// An invocation with less time left than this does not start an attempt.
const MIN_TIME: SignedDuration = SignedDuration::from_secs(3);
/// Delays before the second and later attempts. Together with the attempts they are shorter than the time
/// that a delivery waits for a file.
const RETRY_DELAYS: [SignedDuration; 4] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(15),
    SignedDuration::from_secs(45),
    SignedDuration::from_secs(90),
];
/// How long the event of a refused file may be missing, because it is being written.
const EVENT_DELAY: SignedDuration = SignedDuration::from_mins(1);
/// When a job that has to wait runs again.
const SHORT_DELAY: SignedDuration = SignedDuration::from_secs(5);

/// Fetches a file, unless it was fetched, and lets the deliveries of its message continue.
pub(super) async fn relay_file<P: Outbound>(
    app: &App,
    platform: &P,
    id: &FileId,
    budget: Budget,
) -> Result<(), OutboundError> {
    let Some(files) = &app.files else { return Ok(()) };
    // The customer's data may have been erased.
    let Some(mut file) = app.store.file(id).await? else { return Ok(()) };
    if file.state == FileState::Pending {
        let now = app.clock.now();
        let time = (budget.deadline.duration_since(now) - super::sqs::OVERHEAD).min(MAX_TIME);
        let Some(time) = Duration::try_from(time).ok().filter(|_| time >= MIN_TIME) else {
            return try_again(app, &file, now + SHORT_DELAY).await;
        };
        // Counted before the attempt, so that a file that crashes the worker is given up.
        file.attempts = file.attempts.saturating_add(1);
        if !app.store.update_file(&file).await? {
            return Ok(());
        }
        file.state = match attempt(app, files, platform, &mut file, time).await? {
            Ok(size) => FileState::Ready { size },
            Err(error) => {
                let retry = usize::try_from(file.attempts - 1).ok();
                let delay = retry.and_then(|retry| RETRY_DELAYS.get(retry));
                tracing::warn!(connection = %file.source, file = %file.id, attempts = file.attempts,
                    reason = %error, "cannot relay a file");
                if let Some(delay) = delay.filter(|_| error.is_retryable()) {
                    return try_again(app, &file, app.clock.now() + *delay).await;
                }
                FileState::Failed { reason: error.to_string() }
            }
        };
        if !app.store.update_file(&file).await? {
            return Ok(());
        }
    }
    report(app, &file).await
}

async fn try_again(app: &App, file: &RelayedFile, at: Timestamp) -> Result<(), OutboundError> {
    let task = ScheduledTask::RelayFile { platform: file.platform, id: file.id.clone(), at };
    Ok(schedule(app, &task).await?)
}

/// Fetches and stores a file within `time`. Returns its size.
async fn attempt<P: Outbound>(
    app: &App,
    files: &Files,
    platform: &P,
    file: &mut RelayedFile,
    time: Duration,
) -> Result<Result<u64, FileError>, OutboundError> {
    let now = app.clock.now();
    if file.name.as_deref().is_some_and(is_program) {
        return Ok(Err(FileError::Refused("programs are not delivered".into())));
    }
    let Some(loaded) = app.config_cache.own_connection::<P::Settings>(&file.source, now).await?
    else {
        return Ok(Err(FileError::Refused("its connection is no longer configured".into())));
    };
    let LoadedConnection { connection, settings } = loaded;
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return Ok(Err(FileError::Refused(error.to_string()))),
    };
    let secrets = app.secrets.for_connection(&connection).await?;
    let left = MAX_MESSAGE_BYTES.saturating_sub(size_of_others(app, file).await?);
    let context = FileContext {
        connection: &connection,
        settings: &*settings,
        secrets: &secrets,
        limit: left.min(MAX_FILE_BYTES),
        time,
        now,
    };
    let relay = fetch_and_store(app, files, platform, file, &context);
    let result = tokio::time::timeout(time, relay).await;
    Ok(result.unwrap_or_else(|_| Err(FileError::Unavailable("it took too long".into()))))
}

async fn fetch_and_store<P: Outbound>(
    app: &App,
    files: &Files,
    platform: &P,
    file: &mut RelayedFile,
    context: &FileContext<'_, P::Settings>,
) -> Result<u64, FileError> {
    let mut bytes = TemporaryFile::create(&std::env::temp_dir(), &file.id, context.limit)?;
    let fetched = platform.fetch_file(context, &app.http_client, &file.url, &mut bytes).await?;
    if bytes.size() == 0 {
        return Err(FileError::Refused("the file is empty".into()));
    }
    file.mime_type = checked_type(file, &fetched)?;
    let size = bytes.size();
    let (mime_type, _) = safe_mime_type(file.mime_type.as_deref());
    let stored = files.store().put(&file.id, bytes, &mime_type, app.clock.now()).await;
    stored.map_err(|error| {
        let reason = error.to_string();
        if error.is_retryable() {
            FileError::Unavailable(reason)
        } else {
            FileError::Refused(reason)
        }
    })?;
    Ok(size)
}

/// Returns the type of a file: as its message says, or else as the response says. A web page in place of
/// another file is a login page.
fn checked_type(file: &RelayedFile, fetched: &FetchedFile) -> Result<Option<String>, FileError> {
    let declared = file.mime_type.as_deref().and_then(mime_essence);
    let answered = fetched.mime_type.as_deref().and_then(mime_essence);
    let is_page = |kind: &Option<String>| kind.as_deref() == Some("text/html");
    if is_page(&answered) && declared.is_some() && !is_page(&declared) {
        let reason = "the platform answered with a web page in place of the file";
        return Err(FileError::Refused(reason.into()));
    }
    Ok(declared.or(answered))
}

/// Returns the size of the message's other files so far.
async fn size_of_others(app: &App, file: &RelayedFile) -> Result<u64, OutboundError> {
    let ids: Vec<FileId> = (0..file.count).map(|number| file.id.sibling(number)).collect();
    let others = ids.iter().filter(|id| **id != file.id).map(|id| app.store.file(id));
    let sizes = try_join_all(others).await?.into_iter().flatten().map(|other| match other.state {
        FileState::Ready { size } => size,
        FileState::Pending | FileState::Failed { .. } => 0,
    });
    Ok(sizes.sum())
}

/// Lets the deliveries that wait for a file continue, and informs the sender of a file that failed.
async fn report(app: &App, file: &RelayedFile) -> Result<(), OutboundError> {
    let now = app.clock.now();
    let RelayedFile { key, source, event, event_time, .. } = file;
    let Some(record) = app.store.event(key, source, event, *event_time).await? else {
        // A delivery that is queued later finds the file as it is. The sender must still be informed.
        let is_failed = matches!(file.state, FileState::Failed { .. });
        if is_failed && now < file.created_at + EVENT_DELAY {
            return try_again(app, file, now + SHORT_DELAY).await;
        }
        return Ok(());
    };
    let mut legs = Vec::new();
    for delivery in record.unfinished_deliveries() {
        let leg = delivery.leg();
        if !legs.contains(&leg) {
            legs.push(leg.clone());
            let job = Job::Drain { leg: leg.clone(), reason: DrainReason::Due };
            let platform = delivery.to.platform;
            match app.queues.enqueue(platform, leg.message_group(), app.ids.next(now), &job).await {
                Ok(()) | Err(QueueError::NotDeployed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    match &file.state {
        FileState::Failed { reason } => notify_sender(app, file, &record, reason).await,
        FileState::Pending | FileState::Ready { .. } => Ok(()),
    }
}

/// Sends a failed receipt about the message to its sender, on behalf of its first recipient.
async fn notify_sender(
    app: &App,
    file: &RelayedFile,
    record: &EventRecord,
    reason: &str,
) -> Result<(), OutboundError> {
    let mut deliveries = record.deliveries();
    let Some(delivery) = deliveries.find(|delivery| !delivery.to.copy) else { return Ok(()) };
    let target = MessageReference {
        connection: file.source.clone(),
        message: record.event.sender_message_id(),
    };
    let what = match &file.name {
        Some(name) => format!("the file {name} was not delivered: {reason}"),
        None => format!("a file was not delivered: {reason}"),
    };
    let id = EventId::from_parts(&["file-failed", file.id.as_str()]);
    ingest_receipt(app, &delivery, id, target, ReceiptStatus::Failed, Some(what)).await
}
