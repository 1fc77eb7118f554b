//! From content to TwoWay messages.

use serde_json::{Map, Value};
use trunkline_shared::model::{Choice, Content, EventBody, Media, Platform, Role, digest, time};
use trunkline_shared::outbound::{Sending, Unsendable};
use trunkline_shared::rendering::split;

use crate::read::{BY_CLIENT, BY_HOST};
use crate::settings::Settings;
use crate::tell;
use crate::template::{BadTemplate, fill};

/// The messages of a delivery.
pub(crate) fn messages(
    sending: &Sending<'_>,
    settings: &Settings,
) -> Result<Vec<Value>, Unsendable> {
    let delivery = sending.delivery;
    let as_host = delivery.to.role == Role::Channel;
    if delivery.to.copy {
        return Err(Unsendable::NoForm("TwoWay has no form for a copy: it would be answered"));
    }
    let contents = match &delivery.event.body {
        EventBody::Message { content, .. } => of_content(content, sending, settings)?,
        EventBody::Choice { id, title, typed } if !as_host => {
            let picked = title.as_deref().or(typed.as_deref()).unwrap_or(id);
            vec![text(picked)]
        }
        EventBody::Handover { .. } if !as_host && !settings.handover_text => {
            return Err(Unsendable::NoForm(
                "handover_text is false: the customer's next message opens the chat",
            ));
        }
        EventBody::Handover { reason, context, recall, .. } if !as_host => {
            let told = tell::handover(reason.as_deref(), context, recall).unwrap_or_default();
            split(&told, limit(sending)).iter().map(|part| text(part)).collect()
        }
        _ => return Err(Unsendable::NoForm("TwoWay has no form for such an event that is known")),
    };
    let contents: Vec<_> = contents.into_iter().filter(|content| !is_blank(content)).collect();
    if contents.is_empty() {
        return Err(Unsendable::NoForm("there is nothing in it that could be shown"));
    }
    let direction = if as_host { BY_HOST } else { BY_CLIENT };
    let dressed = contents.into_iter().enumerate().map(|(index, mut message)| {
        message.insert("direction".into(), direction.into());
        let at = time::rfc3339_millis(delivery.event.at);
        message.entry("createdOn").or_insert(at.into());
        if settings.send_message_id {
            message.entry("id").or_insert(message_id(&delivery.id, index).into());
        }
        Value::Object(message)
    });
    Ok(dressed.collect())
}

/// The id of a delivery's message, the same for every attempt: a GUID, as the vendor's are.
#[must_use]
pub fn message_id(delivery: &str, index: usize) -> String {
    let mut bytes = [0; 16];
    let hash = digest(&[delivery, &index.to_string()]);
    for (byte, c) in bytes.iter_mut().zip(hash.bytes()) {
        *byte = c;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// A text, the one type that is known (BRIDGE). Its name is in lower case, and as keys are written in
/// order, it comes first, where a polymorphic reader looks for it.
fn text(text: &str) -> Map<String, Value> {
    Map::from_iter([("$type".to_owned(), "text".into()), ("text".to_owned(), text.into())])
}

fn is_blank(message: &Map<String, Value>) -> bool {
    let is_text = message.get("$type").is_some_and(|kind| kind == "text");
    is_text
        && message.get("text").and_then(Value::as_str).is_some_and(|text| text.trim().is_empty())
}

fn limit(sending: &Sending<'_>) -> usize {
    let limit = sending.delivery.to.text_limit.unwrap_or(Platform::Cm.capabilities().text);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Text, then files, then choices: by the operator's templates where there are such and the connection
/// is set to show them, as text otherwise.
fn of_content(
    content: &Content,
    sending: &Sending<'_>,
    settings: &Settings,
) -> Result<Vec<Map<String, Value>>, Unsendable> {
    let can = sending.delivery.to.can();
    let said = content.text.clone().filter(|said| !said.trim().is_empty());
    let mut lines: Vec<String> = said.into_iter().collect();
    let mut after = Vec::new();
    for media in &content.media {
        match &settings.media_template {
            Some(template) => {
                after.push(file(template, media).map_err(|why| bad("media_template", &why))?);
            }
            None => lines.push(link(media)),
        }
    }
    // Where the connection does not show choices, they are lines of the text already.
    if can.choices && !content.choices.is_empty() {
        if let Some(template) = &settings.choices_template {
            let question = std::mem::take(&mut lines).join("\n");
            after.push(choices(template, &question, content, settings)?);
        } else {
            let numbered = content.choices.iter().enumerate();
            lines.extend(numbered.map(|(i, choice)| format!("{}. {}", i + 1, choice.title)));
        }
    }
    let mut messages = vec![text(&lines.join("\n"))];
    messages.extend(after);
    Ok(messages)
}

fn link(media: &Media) -> String {
    match &media.name {
        Some(name) => format!("{name}: {}", media.url),
        None => media.url.clone(),
    }
}

fn file(template: &str, media: &Media) -> Result<Map<String, Value>, BadTemplate> {
    let or_null = |text: &Option<String>| text.clone().map_or(Value::Null, Value::String);
    let values = [
        ("url", Value::String(media.url.clone())),
        ("mimeType", or_null(&media.mime_type)),
        ("name", or_null(&media.name)),
        ("text", or_null(&media.name)),
    ];
    fill(template, &values)
}

fn choices(
    template: &str,
    question: &str,
    content: &Content,
    settings: &Settings,
) -> Result<Map<String, Value>, Unsendable> {
    let one = |(i, choice): (usize, &Choice)| {
        let values = [
            ("id", Value::String(choice.id.clone())),
            ("title", Value::String(choice.title.clone())),
            ("number", Value::from(i + 1)),
        ];
        fill(&settings.choice_template, &values).map(Value::Object)
    };
    let listed: Result<Vec<_>, _> = content.choices.iter().enumerate().map(one).collect();
    let listed = listed.map_err(|why| bad("choice_template", &why))?;
    let values = [("text", question.into()), ("choices", Value::Array(listed))];
    fill(template, &values).map_err(|why| bad("choices_template", &why))
}

fn bad(setting: &str, why: &BadTemplate) -> Unsendable {
    Unsendable::Misconfigured(format!("{setting}: {why}"))
}
