//! From what the customer said to Unblu's messages: `messageData` (UA4).

use std::collections::HashMap;

use serde_json::{Value, json};
use trunkline_shared::model::{Content, Delivery, EventBody, Format, Media};
use trunkline_shared::outbound::Unsendable;
use trunkline_shared::rendering::plain;

use crate::settings::Settings;
use crate::{content, files, handover};

/// Files that could be read, as data URLs, by the address of each.
pub(crate) type Files = HashMap<String, String>;

/// The messages that a delivery becomes, each with the id that we give it: the last has the
/// delivery's own, by which Unblu's states of it are understood. What was said before a handover is
/// not the customer's message, so it has none such.
pub(crate) fn messages(
    delivery: &Delivery,
    settings: &Settings,
    files: &Files,
) -> Result<Vec<(String, Value)>, Unsendable> {
    let (data, last) = match &delivery.event.body {
        EventBody::Message { content, .. } => (said(content, files), true),
        EventBody::Choice { id, title, .. } => (vec![picked(id, title.as_deref())], true),
        EventBody::Handover { reason, context, recall, .. } => {
            let told = handover::texts(settings, delivery, reason.as_deref(), context, recall);
            (told.into_iter().map(|told| text(&told, Format::Plain)).collect(), false)
        }
        _ => return Err(Unsendable::NoForm("Unblu has no message for such an event")),
    };
    if data.is_empty() {
        return Err(Unsendable::NoForm("there is nothing to say"));
    }
    let count = data.len();
    let id = |place| {
        if last && place + 1 == count {
            delivery.id.clone()
        } else {
            format!("{}#{}", delivery.id, place + 1)
        }
    };
    Ok(data.into_iter().enumerate().map(|(place, data)| (id(place), data)).collect())
}

/// How many there are does not depend on which files could be read, so that a retry can go on where
/// the first try ended.
fn said(content: &Content, files: &Files) -> Vec<Value> {
    let written = content.text.as_deref().filter(|text| !text.trim().is_empty());
    match (written, content.media.as_slice()) {
        (None, []) => Vec::new(),
        (Some(written), []) => vec![text(written, content.format)],
        // One file's text is its caption.
        (written, [media]) => vec![attached(media, written.map(|w| (w, content.format)), files)],
        (written, media) => {
            let written = written.map(|written| text(written, content.format));
            let media = media.iter().map(|media| attached(media, None, files));
            written.into_iter().chain(media).collect()
        }
    }
}

fn text(text: &str, format: Format) -> Value {
    let (text, kind) = typed(text, format);
    json!({
        "$_type": "TextPostMessageData",
        "type": "TEXT",
        "text": text,
        "textType": kind,
        "fallbackText": null,
        "quickReplies": null,
    })
}

fn typed(text: &str, format: Format) -> (String, &'static str) {
    match format {
        Format::Markdown => (text.to_owned(), "MARKDOWN"),
        Format::Plain | Format::Html => (plain(text, format), "SIMPLE_TEXT"),
    }
}

/// A file, or its link if it could not be read.
fn attached(media: &Media, caption: Option<(&str, Format)>, files: &Files) -> Value {
    let name = files::name(media);
    let Some(data) = files.get(&media.url) else {
        let link = match &media.name {
            Some(name) => format!("{name}: {}", media.url),
            None => media.url.clone(),
        };
        return match caption {
            Some((words, format)) => text(&format!("{words}\n{link}"), format),
            None => text(&link, Format::Plain),
        };
    };
    let caption = caption.map(|(caption, format)| typed(caption, format));
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

/// The answer to a question of Unblu's; what answers something else is only words.
fn picked(id: &str, title: Option<&str>) -> Value {
    match content::answered(id) {
        Some((question, value)) => json!({
            "$_type": "ReplyPostMessageData",
            "type": "REPLY",
            "questionMessageId": question,
            "value": value,
            "fallbackText": title.unwrap_or(value),
        }),
        None => text(title.unwrap_or(id), Format::Plain),
    }
}

#[cfg(test)]
mod tests;
