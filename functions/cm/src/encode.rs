//! Encodes content as TwoWay messages.

use serde_json::{Map, Value};
use trunkline_core::model::{
    Choice, Content, DeliveryId, EventBody, Format, Media, Role, digest, time,
};
use trunkline_core::rendering::split;
use trunkline_runtime::outbound::EncodeError;

use crate::parse::{CLIENT_ORIGINATED, CLIENT_TERMINATED};
use crate::settings::Settings;
use crate::template::{TemplateError, fill};
use crate::{SendContext, handover_text};

/// Encodes the messages of a delivery.
pub(crate) fn messages(sending: &SendContext<'_>) -> Result<Vec<Value>, EncodeError> {
    let (delivery, settings) = (sending.delivery, sending.settings);
    let as_host = delivery.to.role == Role::Channel;
    if delivery.to.copy {
        return Err(EncodeError::Unsupported(
            "TwoWay does not support copies: the receiver would answer them",
        ));
    }
    let contents = match &delivery.event.body {
        EventBody::Message { content, .. } => encode_content(content, sending)?,
        EventBody::Choice { id, title, typed } if !as_host => {
            let label = title.as_deref().or(typed.as_deref()).unwrap_or(id);
            vec![text_message(label)]
        }
        EventBody::Handover { .. } if !as_host && !settings.handover_text => {
            return Err(EncodeError::Unsupported(
                "handover_text is false: the customer's next message opens the chat",
            ));
        }
        EventBody::Handover { reason, context, transcript, .. } if !as_host => {
            let summary =
                handover_text::render(reason.as_deref(), context, transcript).unwrap_or_default();
            split(&summary, text_limit(sending), Format::Plain)
                .iter()
                .map(|part| text_message(part))
                .collect()
        }
        _ => return Err(EncodeError::Unsupported("TwoWay does not support this event type")),
    };
    let contents: Vec<_> = contents.into_iter().filter(|content| !is_blank(content)).collect();
    if contents.is_empty() {
        return Err(EncodeError::Unsupported("the message has no content that TwoWay can show"));
    }
    let direction = if as_host { CLIENT_TERMINATED } else { CLIENT_ORIGINATED };
    let complete = contents.into_iter().enumerate().map(|(index, mut message)| {
        message.insert("direction".into(), direction.into());
        let at = time::format_rfc3339_millis(delivery.event.at);
        message.entry("createdOn").or_insert(at.into());
        if settings.send_message_id {
            message.entry("id").or_insert(message_id(&delivery.id, index).into());
        }
        Value::Object(message)
    });
    Ok(complete.collect())
}

/// Returns the id of a delivery's message, the same for every attempt: a GUID, like the vendor's
/// ids.
#[must_use]
pub fn message_id(delivery: &DeliveryId, index: usize) -> String {
    let mut bytes = [0; 16];
    let hash = digest(&[delivery.as_str(), &index.to_string()]);
    for (byte, c) in bytes.iter_mut().zip(hash.bytes()) {
        *byte = c;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// A text message, the only documented type (BRIDGE). `$type` is in lower case, and sorts first,
/// where a polymorphic parser expects it.
fn text_message(text: &str) -> Map<String, Value> {
    Map::from_iter([("$type".to_owned(), "text".into()), ("text".to_owned(), text.into())])
}

fn is_blank(message: &Map<String, Value>) -> bool {
    let is_text = message.get("$type").is_some_and(|kind| kind == "text");
    is_text
        && message.get("text").and_then(Value::as_str).is_some_and(|text| text.trim().is_empty())
}

fn text_limit(sending: &SendContext<'_>) -> usize {
    usize::try_from(sending.delivery.to.capabilities().max_text_chars).unwrap_or(usize::MAX)
}

/// Encodes text, then media, then choices: by the operator's templates if they exist and the
/// connection shows the feature, as text otherwise.
fn encode_content(
    content: &Content,
    sending: &SendContext<'_>,
) -> Result<Vec<Map<String, Value>>, EncodeError> {
    let settings = sending.settings;
    let capabilities = sending.delivery.to.capabilities();
    let text = content.text.clone().filter(|text| !text.trim().is_empty());
    let mut lines: Vec<String> = text.into_iter().collect();
    let mut attachments = Vec::new();
    for media in &content.media {
        match &settings.media_template {
            Some(template) => {
                attachments.push(
                    media_message(template, media)
                        .map_err(|why| template_error("media_template", &why))?,
                );
            }
            None => lines.push(link(media)),
        }
    }
    // If the connection does not show choices, the text already lists them.
    if capabilities.choices && !content.choices.is_empty() {
        if let Some(template) = &settings.choices_template {
            let question = std::mem::take(&mut lines).join("\n");
            attachments.push(choices_message(template, &question, content, settings)?);
        } else {
            let numbered = content.choices.iter().enumerate();
            lines.extend(numbered.map(|(i, choice)| format!("{}. {}", i + 1, choice.title)));
        }
    }
    let mut messages = vec![text_message(&lines.join("\n"))];
    messages.extend(attachments);
    Ok(messages)
}

fn link(media: &Media) -> String {
    match &media.name {
        Some(name) => format!("{name}: {}", media.url),
        None => media.url.clone(),
    }
}

fn media_message(template: &str, media: &Media) -> Result<Map<String, Value>, TemplateError> {
    let or_null = |text: &Option<String>| text.clone().map_or(Value::Null, Value::String);
    let values = [
        ("url", Value::String(media.url.clone())),
        ("mimeType", or_null(&media.mime_type)),
        ("name", or_null(&media.name)),
        ("text", or_null(&media.name)),
        ("kind", kind(media).into()),
    ];
    fill(template, &values)
}

/// Returns the kind of a file, for types that differ by kind.
fn kind(media: &Media) -> &'static str {
    let mime_type = media.mime_type.as_deref().unwrap_or_default();
    match mime_type.split('/').next() {
        Some("image") => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        _ => "file",
    }
}

fn choices_message(
    template: &str,
    question: &str,
    content: &Content,
    settings: &Settings,
) -> Result<Map<String, Value>, EncodeError> {
    let one = |(i, choice): (usize, &Choice)| {
        let values = [
            ("id", Value::String(choice.id.clone())),
            ("title", Value::String(choice.title.clone())),
            ("number", Value::from(i + 1)),
        ];
        fill(&settings.choice_template, &values).map(Value::Object)
    };
    let listed: Result<Vec<_>, _> = content.choices.iter().enumerate().map(one).collect();
    let listed = listed.map_err(|why| template_error("choice_template", &why))?;
    let values = [("text", question.into()), ("choices", Value::Array(listed))];
    fill(template, &values).map_err(|why| template_error("choices_template", &why))
}

fn template_error(setting: &str, why: &TemplateError) -> EncodeError {
    EncodeError::Misconfigured(format!("{setting}: {why}"))
}
