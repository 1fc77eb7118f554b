//! What a delivery says, in the only form that TWIN has: text and files by a client.

use serde_json::{Map, Value};
use trunkline_shared::model::{AuthorRole, EventBody, Media, Recall};
use trunkline_shared::outbound::{Sending, Unsendable};

use crate::api::Api;
use crate::files;

/// What is said.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Said {
    /// The text; empty, if there is none.
    pub(crate) text: String,
    /// The files' ids.
    pub(crate) files: Vec<String>,
    /// What a new session's bot is told beside.
    pub(crate) metadata: Map<String, Value>,
}

/// What a delivery says; its files are placed.
pub(crate) async fn said(sending: &Sending<'_>, api: &Api<'_>) -> Result<Said, Unsendable> {
    let delivery = sending.delivery;
    if delivery.to.copy {
        return Err(Unsendable::NoForm("TWIN has no form for a copy: it would answer it"));
    }
    let mut metadata = Map::new();
    let (text, media): (String, &[Media]) = match &delivery.event.body {
        EventBody::Message { content, .. } => {
            (content.text.clone().unwrap_or_default(), &content.media)
        }
        EventBody::Choice { id, title, .. } => (title.as_ref().unwrap_or(id).clone(), &[]),
        EventBody::Handover { reason, context, recall, .. } => {
            metadata.clone_from(context);
            metadata.extend(reason.iter().map(|reason| ("reason".into(), reason.as_str().into())));
            (told(recall), &[])
        }
        EventBody::Handback { .. } => {
            return Err(Unsendable::NoForm("TWIN has no form for a hand-back"));
        }
        EventBody::Close { .. }
        | EventBody::Receipt { .. }
        | EventBody::Typing { .. }
        | EventBody::Accept
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Opaque { .. } => {
            return Err(Unsendable::NoForm("TWIN has no form for such an event"));
        }
    };
    let placed = files::place(api, media).await;
    let mut lines: Vec<String> = Some(text).filter(|text| !text.is_empty()).into_iter().collect();
    lines.extend(placed.links.iter().map(|file| match &file.name {
        Some(name) => format!("{name}: {}", file.url),
        None => file.url.clone(),
    }));
    if lines.is_empty() && !placed.ids.is_empty() {
        // A message needs a text (S3), so the files say their names.
        lines.extend(media.iter().map(files::name));
    }
    Ok(Said { text: lines.join("\n"), files: placed.ids, metadata })
}

/// What was said before, as operators read it.
fn told(recall: &Recall) -> String {
    let line = |line: &trunkline_shared::model::Line| {
        let who = line.author.name.as_deref().unwrap_or(match line.author.role {
            AuthorRole::Customer => "customer",
            AuthorRole::Bot => "bot",
            AuthorRole::Agent => "agent",
            AuthorRole::System | AuthorRole::Unknown => "-",
        });
        let media = line.content.media.iter().map(|file| file.url.clone());
        let parts: Vec<String> = line.content.text.iter().cloned().chain(media).collect();
        format!("{who}: {}", parts.join(" "))
    };
    recall.lines.iter().map(line).collect::<Vec<_>>().join("\n")
}
