//! The relayed files of a delivery, at its target: the delivery waits until they are fetched, and a file that
//! failed is replaced by a line of text.

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::OutboundError;
use crate::app::App;
use crate::files::sanitize_name;
use trunkline_core::model::{Content, Delivery, Event, FileState, Media, Parked, RelayedFile};
use trunkline_core::routing::file_failed_text;

/// How long a delivery waits for a file. The file counts as failed then.
const MAX_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// How often a file is looked at while a delivery waits for it. The job that fetches it drains the leg at once.
const INTERVAL: SignedDuration = SignedDuration::from_secs(15);
/// Why a delivery is parked until a file is fetched.
pub(super) const WAITING: &str = "a file of the message is being fetched";

/// What a delivery's files allow.
#[derive(Debug)]
pub(super) enum Prepared {
    /// It is sent as it is.
    Unchanged,
    /// It is sent in this form.
    Changed(Box<Delivery>),
    /// It waits, until this time at most.
    Waiting(Timestamp),
}

/// Returns whether a parked delivery waits for a file only: it was never attempted.
pub(super) fn waits_for_file(parked: &Parked) -> bool {
    parked.attempts == 0 && media(&parked.delivery).iter().any(|media| media.file.is_some())
}

fn media(delivery: &Delivery) -> &[Media] {
    delivery.event.body.content().map_or(&[], |content| &content.media)
}

/// Looks up the relayed files of a delivery. One without such files costs nothing.
pub(super) async fn prepare(app: &App, delivery: &Delivery) -> Result<Prepared, OutboundError> {
    let ids: Vec<_> = media(delivery).iter().filter_map(|media| media.file.as_ref()).collect();
    let Some(content) = delivery.event.body.content() else { return Ok(Prepared::Unchanged) };
    if ids.is_empty() {
        return Ok(Prepared::Unchanged);
    }
    let now = app.clock.now();
    let files = try_join_all(ids.into_iter().map(|id| app.store.file(id))).await?;
    let pending = files.iter().flatten().filter(|file| file.state == FileState::Pending);
    let ends = pending.map(|file| file.created_at + MAX_WAIT).filter(|end| *end > now);
    if let Some(end) = ends.min() {
        return Ok(Prepared::Waiting(end.min(now + INTERVAL)));
    }
    let failed_name = |file: &Option<RelayedFile>, media: &Media| {
        let ready = file.as_ref().is_some_and(|file| matches!(file.state, FileState::Ready { .. }));
        (!ready).then(|| media.name.as_deref().map(sanitize_name))
    };
    let relayed = content.media.iter().filter(|media| media.file.is_some());
    let failed = relayed
        .zip(&files)
        .filter_map(|(media, file)| Some((media.url.clone(), failed_name(file, media)?)));
    let notices = notices(app, delivery, failed.collect(), now).await?;
    let content = with_files(content.clone(), &files, &notices, delivery.to.capabilities().media);
    let mut body = delivery.event.body.clone();
    if let Some(before) = body.content_mut() {
        *before = content;
    }
    let event = Event { body, ..delivery.event.clone() };
    Ok(Prepared::Changed(Box::new(Delivery { event, ..delivery.clone() })))
}

/// Returns the content with what is known about its files, and with notices in place of those that failed.
/// `notices` has the link of each failed file and the line that replaces it.
fn with_files(
    mut content: Content,
    files: &[Option<RelayedFile>],
    notices: &[(String, String)],
    shows_media: bool,
) -> Content {
    let mut files = files.iter();
    for media in content.media.iter_mut().filter(|media| media.file.is_some()) {
        if let Some(Some(file)) = files.next() {
            media.mime_type = file.mime_type.clone().or(media.mime_type.take());
        }
    }
    let mut lines: Vec<String> = Vec::new();
    let text = content.text.take().unwrap_or_default();
    lines.extend(text.lines().map(ToOwned::to_owned));
    for (link, notice) in notices {
        // A target that shows no files has the link in the text.
        match lines.iter_mut().find(|line| line.contains(link)) {
            Some(line) => line.clone_from(notice),
            None => lines.push(notice.clone()),
        }
    }
    content.text = (!lines.is_empty()).then(|| lines.join("\n"));
    content.media.retain(|media| {
        let failed = notices.iter().any(|(link, _)| *link == media.url);
        !failed && (shows_media || media.file.is_none())
    });
    content
}

/// Returns the line that replaces each failed file, in the conversation's language. `failed` has the link and
/// the name of each.
async fn notices(
    app: &App,
    delivery: &Delivery,
    failed: Vec<(String, Option<String>)>,
    now: Timestamp,
) -> Result<Vec<(String, String)>, OutboundError> {
    if failed.is_empty() {
        return Ok(Vec::new());
    }
    let conversation = app.store.conversation(&delivery.key).await?;
    let route = match &conversation {
        Some(conversation) => app.config_cache.resolved_route(&conversation.route, now).await?,
        None => None,
    };
    let policy = route.as_ref().map(|route| &route.handover_policy);
    let language = conversation.as_ref().and_then(|conversation| conversation.language.as_deref());
    let line = |name: Option<String>| file_failed_text(policy, language, name.as_deref());
    Ok(failed.into_iter().map(|(link, name)| (link, line(name))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(url: &str, relayed: bool) -> Media {
        Media { url: url.into(), file: relayed.then(|| "f.0".into()), ..Media::default() }
    }

    #[test]
    fn a_failed_file_is_replaced_by_a_line() {
        let notices = [("https://t.example/files/f.0?x".to_owned(), "It is lost.".to_owned())];
        let content = Content {
            media: vec![media(&notices[0].0, true), media("https://other.example/a", false)],
            ..Content::text("Here:\n\nRegards")
        };
        let shown = with_files(content, &[None], &notices, true);
        assert_eq!(shown.text.as_deref(), Some("Here:\n\nRegards\nIt is lost."));
        assert_eq!(shown.media, [media("https://other.example/a", false)]);
        let without_text =
            Content { media: vec![media(&notices[0].0, true)], ..Content::default() };
        let shown = with_files(without_text, &[None], &notices, true);
        assert_eq!(shown, Content::text("It is lost."));
    }

    #[test]
    fn a_target_without_files_has_the_link_or_the_line_in_its_text() {
        let link = "https://t.example/files/f.0?x";
        let content = Content {
            media: vec![media(link, true)],
            ..Content::text(format!("Here\na.pdf: {link}"))
        };
        let ready = with_files(content.clone(), &[None], &[], false);
        assert_eq!(ready, Content::text(format!("Here\na.pdf: {link}")));
        let notices = [(link.to_owned(), "It is lost.".to_owned())];
        assert_eq!(
            with_files(content, &[None], &notices, false),
            Content::text("Here\nIt is lost.")
        );
    }
}
