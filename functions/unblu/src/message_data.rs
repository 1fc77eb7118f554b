//! Encodes a delivery as the `messageData` of Unblu's messages (UA4).

use std::collections::HashMap;

use serde_json::{Value, json};
use trunkline_core::model::{Content, Delivery, EventBody, Format, Media};
use trunkline_core::rendering::{file_line, to_plain_text};
use trunkline_runtime::outbound::EncodeError;

use crate::requests::OutgoingMessage;
use crate::settings::Settings;
use crate::{content, files, handover};

/// The files that could be read, as data URLs, by the address of each file.
pub(crate) type DataUrls = HashMap<String, String>;

/// Returns a delivery's messages, each with its `sourceId`. The last message has the delivery's own id,
/// so that Unblu's message states can be matched. A handover's messages never have it, because they are
/// not a message of the customer. `pending` is the question that waits for an answer in the customer's own words.
pub(crate) fn messages(
    delivery: &Delivery,
    settings: &Settings,
    files: &DataUrls,
    pending: Option<&str>,
) -> Result<Vec<OutgoingMessage>, EncodeError> {
    let (data, is_customer_message) = match &delivery.event.body {
        EventBody::Message { content, .. } => {
            let question = answered_question(delivery, content, pending);
            let answers = question.zip(content.text.as_deref()).map(|(question, text)| {
                let text = to_plain_text(text, content.format);
                vec![answer(question, &text, &text)]
            });
            (answers.unwrap_or_else(|| content_messages(content, files)), true)
        }
        EventBody::Choice { id, title, .. } => (vec![reply(id, title.as_deref())], true),
        EventBody::Handover { reason, context, transcript, .. } => {
            let texts = handover::texts(settings, delivery, reason.as_deref(), context, transcript);
            (texts.into_iter().map(|part| text(&part, Format::Plain)).collect(), false)
        }
        _ => return Err(EncodeError::Unsupported("Unblu has no message for this kind of event")),
    };
    if data.is_empty() {
        return Err(EncodeError::Unsupported("the message is empty"));
    }
    let count = data.len();
    let id = |index| {
        if is_customer_message && index + 1 == count {
            delivery.id.to_string()
        } else {
            format!("{}#{}", delivery.id, index + 1)
        }
    };
    let reply_to = |index: usize| match &delivery.event.body {
        EventBody::Message { content, .. } if index == 0 => {
            content.reply_to.as_ref()?.known_to(&delivery.to.connection).cloned()
        }
        _ => None,
    };
    let messages = data.into_iter().enumerate();
    let message = |(index, data)| {
        let instead = text_instead(&data);
        OutgoingMessage { id: id(index), data, reply_to: reply_to(index), instead }
    };
    Ok(messages.map(message).collect())
}

/// Returns the question that a message answers in the customer's own words: the one that it replies to, or the one
/// that waits for an answer. A message with more than a text is no answer.
fn answered_question<'a>(
    delivery: &'a Delivery,
    content: &'a Content,
    pending: Option<&'a str>,
) -> Option<&'a str> {
    let has_text = content.text.as_deref().is_some_and(|text| !text.trim().is_empty());
    if !has_text || !content.media.is_empty() {
        return None;
    }
    match &content.reply_to {
        Some(earlier) => {
            let known = earlier.known_to(&delivery.to.connection)?;
            content::parse_question(known.as_str())
        }
        None => pending,
    }
}

/// Returns the question that `messageData` answers; `None` if it is no answer.
pub(crate) fn question_of(data: &Value) -> Option<&str> {
    data["questionMessageId"].as_str()
}

/// Returns the text of an answer, as a message that is sent if Unblu refuses the answer: the question may have been
/// answered or withdrawn.
fn text_instead(data: &Value) -> Option<Value> {
    question_of(data)?;
    data["fallbackText"].as_str().map(|said| text(said, Format::Plain))
}

/// Returns the messages of a content. Their number does not depend on which files could be read, so that
/// a retry can continue where the first attempt ended.
fn content_messages(content: &Content, data_urls: &DataUrls) -> Vec<Value> {
    let written = content.text.as_deref().filter(|text| !text.trim().is_empty());
    match (written, content.media.as_slice()) {
        (None, []) => Vec::new(),
        (Some(written), []) => vec![text(written, content.format)],
        // The text of a single file is its caption.
        (written, [media]) => {
            vec![file_message(media, written.map(|w| (w, content.format)), data_urls)]
        }
        (written, media) => {
            let (first, rest) = media.split_at(media.len().min(files::MAX_FILES));
            let written = written.map(|written| text(written, content.format));
            let messages = first.iter().map(|media| file_message(media, None, data_urls));
            let links: Vec<String> = rest.iter().map(file_line).collect();
            let links = (!links.is_empty()).then(|| text(&links.join("\n"), Format::Plain));
            written.into_iter().chain(messages).chain(links).collect()
        }
    }
}

fn text(text: &str, format: Format) -> Value {
    let (text, kind) = markup(text, format);
    json!({
        "$_type": "TextPostMessageData",
        "type": "TEXT",
        "text": text,
        "textType": kind,
        "fallbackText": null,
        "quickReplies": null,
    })
}

fn markup(text: &str, format: Format) -> (String, &'static str) {
    match format {
        Format::Markdown => (text.to_owned(), "MARKDOWN"),
        Format::Plain | Format::Html => (to_plain_text(text, format), "SIMPLE_TEXT"),
    }
}

/// Returns a file message, or a text with the link if the file could not be read.
fn file_message(media: &Media, caption: Option<(&str, Format)>, files: &DataUrls) -> Value {
    let name = files::file_name(media);
    let Some(data) = files.get(&media.url) else {
        let link = file_line(media);
        return match caption {
            Some((words, format)) => text(&format!("{words}\n{link}"), format),
            None => text(&link, Format::Plain),
        };
    };
    let caption = caption.map(|(caption, format)| markup(caption, format));
    let (caption, kind) = caption.map_or((None, "SIMPLE_TEXT"), |(text, kind)| (Some(text), kind));
    json!({
        "$_type": "FilePostMessageData",
        "type": "FILE",
        "fallbackText": format!("see {name}"),
        "fileName": name,
        "caption": caption,
        "captionType": kind,
        "fileData": data,
    })
}

/// Returns the reply to a question of Unblu. Any other choice is a text.
fn reply(id: &str, title: Option<&str>) -> Value {
    match content::parse_answer_id(id) {
        Some((question, value)) => answer(question, value, title.unwrap_or(value)),
        None => text(content::parse_said(id).or(title).unwrap_or(id), Format::Plain),
    }
}

fn answer(question: &str, value: &str, said: &str) -> Value {
    json!({
        "$_type": "ReplyPostMessageData",
        "type": "REPLY",
        "questionMessageId": question,
        "value": value,
        "fallbackText": said,
    })
}

#[cfg(test)]
mod tests;
