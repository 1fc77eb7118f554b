//! Replaces the private files of a message by links of Trunkline's own, and queues the jobs that fetch them.

use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::InboundError;
use crate::app::App;
use crate::files::sanitize_name;
use trunkline_core::model::{
    Connection, ConversationKey, Event, FileId, FileState, Job, MAX_RELAYED_FILES, Media,
    RelayedFile,
};

/// Why a file is refused when the message has too many.
const TOO_MANY: &str = "a message can have at most 10 private files";

/// Replaces the private files of a message by links. Files that exceed [`MAX_RELAYED_FILES`] share one refused
/// file.
///
/// The jobs are queued before the event is written: a crash in between must not leave a link without a job.
/// A repeated event has the same files and jobs.
pub(super) async fn relay(
    app: &App,
    connection: &Connection,
    key: &ConversationKey,
    event: &mut Event,
    now: Timestamp,
) -> Result<(), InboundError> {
    let event_time = event.identifying_time();
    let Some(content) = event.body.content_mut() else { return Ok(()) };
    let count = content.media.iter().filter(|media| media.private).count();
    let Some(files) = app.files.as_ref().filter(|_| count > 0) else { return Ok(()) };
    let signing_key = files.signing_key(&app.store).await?;
    let expires_at = files.expiry(now);
    let mut relayed: Vec<RelayedFile> = Vec::new();
    for (index, media) in content.media.iter_mut().filter(|media| media.private).enumerate() {
        let id = FileId::of_message(key, &connection.id, &event.id, index.min(MAX_RELAYED_FILES));
        media.name = media.name.as_deref().map(sanitize_name);
        if index <= MAX_RELAYED_FILES {
            let pending = index < MAX_RELAYED_FILES;
            let state = if pending {
                FileState::Pending
            } else {
                FileState::Failed { reason: TOO_MANY.into() }
            };
            relayed.push(RelayedFile {
                id: id.clone(),
                platform: connection.platform,
                source: connection.id.clone(),
                url: media.url.clone(),
                name: media.name.clone(),
                mime_type: media.mime_type.clone(),
                key: key.clone(),
                event: event.id.clone(),
                event_time,
                count: count.min(MAX_RELAYED_FILES),
                created_at: now,
                expires_at,
                attempts: 0,
                state,
            });
        }
        let link = files.link(signing_key, &id, expires_at);
        let plain = std::mem::take(media);
        *media = Media { url: link, private: false, file: Some(id), ..plain };
    }
    try_join_all(relayed.iter().map(|file| app.store.create_file(file))).await?;
    for file in relayed {
        let job = Job::RelayFile { id: file.id.clone() };
        let (group, id) = (file.id.message_group(), file.id.into());
        app.queues.enqueue(file.platform, group, id, &job).await?;
    }
    Ok(())
}
