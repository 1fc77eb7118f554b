//! Encodes a delivery as the only kind of message that TWIN accepts: a client's text and files.

use serde_json::{Map, Value};
use trunkline_core::model::{AuthorRole, EventBody, Media, Transcript};
use trunkline_core::rendering::{content_as_text, file_line};
use trunkline_runtime::outbound::EncodeError;

use crate::SendContext;
use crate::api::Api;
use crate::files;
use crate::settings::ChoiceReply;

/// A message from the client.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ClientMessage {
    /// The text; empty if there is none.
    pub(crate) text: String,
    /// TWIN's ids of the uploaded files.
    pub(crate) files: Vec<String>,
    /// TWIN's id of the message that this one replies to.
    pub(crate) reply_to: Option<String>,
    /// The message's metadata or the handover's context, for a new session.
    pub(crate) metadata: Map<String, Value>,
}

/// Encodes a delivery and uploads its files.
pub(crate) async fn client_message(
    context: &SendContext<'_>,
    api: &Api<'_>,
) -> Result<ClientMessage, EncodeError> {
    let delivery = context.delivery;
    if delivery.to.copy {
        return Err(EncodeError::Unsupported(
            "TWIN does not support copies: the bot would answer them",
        ));
    }
    let mut metadata = Map::new();
    let mut reply_to = None;
    let (text, media): (String, &[Media]) = match &delivery.event.body {
        EventBody::Message { content, metadata: of_message } => {
            metadata.clone_from(of_message);
            let earlier = content.reply_to.as_ref();
            let known = earlier.and_then(|earlier| earlier.known_to(&delivery.to.connection));
            reply_to = known.map(ToString::to_string);
            (content.text.clone().unwrap_or_default(), &content.media)
        }
        EventBody::Choice { id, title, .. } => {
            let title = title.as_ref().filter(|_| api.settings.choice_reply == ChoiceReply::Title);
            (title.unwrap_or(id).clone(), &[])
        }
        EventBody::Handover { reason, context, transcript, .. } => {
            metadata.clone_from(context);
            metadata.extend(reason.iter().map(|reason| ("reason".into(), reason.as_str().into())));
            (transcript_text(transcript), &[])
        }
        EventBody::Handback { .. } => {
            return Err(EncodeError::Unsupported("TWIN does not support hand-backs"));
        }
        EventBody::Close { .. }
        | EventBody::Receipt { .. }
        | EventBody::Typing { .. }
        | EventBody::Accept
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Reaction { .. }
        | EventBody::Opaque { .. } => {
            return Err(EncodeError::Unsupported("TWIN does not support this kind of event"));
        }
    };
    let uploaded = files::upload_all(api, media).await;
    let mut lines: Vec<String> = Some(text).filter(|text| !text.is_empty()).into_iter().collect();
    lines.extend(uploaded.links.iter().map(file_line));
    if lines.is_empty() && !uploaded.ids.is_empty() {
        // A message needs a text (S3), so the file names are the text.
        lines.extend(media.iter().map(files::file_name));
    }
    Ok(ClientMessage { text: lines.join("\n"), files: uploaded.ids, reply_to, metadata })
}

/// Formats the transcript for operators, one line per message.
fn transcript_text(transcript: &Transcript) -> String {
    let line = |line: &trunkline_core::model::TranscriptEntry| {
        let who = line.author.name.as_deref().unwrap_or(match line.author.role {
            AuthorRole::Customer => "customer",
            AuthorRole::Bot => "bot",
            AuthorRole::Agent => "agent",
            AuthorRole::System | AuthorRole::Unknown | AuthorRole::Participant => "-",
        });
        format!("{who}: {}", content_as_text(&line.content))
    };
    transcript.entries.iter().map(line).collect::<Vec<_>>().join("\n")
}
