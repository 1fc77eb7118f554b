//! What agents are told at a handover: reason, context, and what was said before. Unblu takes it only
//! as messages from the visitor, so every line says who said it.

use serde_json::{Map, Value};
use trunkline_shared::model::{Author, AuthorRole, Content, Delivery, Line, Recall};
use trunkline_shared::rendering::{plain, split};

use crate::settings::Settings;

/// The longest of these messages, in characters, where the connection sets no limit: Unblu documents
/// none, and few long ones read better than many.
const LIMIT: usize = 10_000;

/// The texts of the messages that tell it; none, if there is nothing to tell.
pub(crate) fn texts(
    settings: &Settings,
    delivery: &Delivery,
    reason: Option<&str>,
    context: &Map<String, Value>,
    recall: &Recall,
) -> Vec<String> {
    let mut lines: Vec<String> =
        reason.map(|reason| format!("Reason: {reason}")).into_iter().collect();
    lines.extend(context.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key}: {}", indented(text)),
        other => format!("{key}: {other}"),
    }));
    let told = transcript(&recall.lines);
    if lines.is_empty() && told.is_empty() {
        return Vec::new();
    }
    let title = Some(settings.handover_title.clone()).filter(|title| !title.is_empty());
    let gap = (!told.is_empty()).then(String::new);
    let all = title.into_iter().chain(lines).chain(gap).chain(told);
    let limit = delivery.to.text_limit.and_then(|limit| usize::try_from(limit).ok());
    packed(all, limit.unwrap_or(LIMIT))
}

/// What was said before, a line each, with the day where it changes. Times are UTC.
fn transcript(lines: &[Line]) -> Vec<String> {
    let mut told = Vec::new();
    let mut day = String::new();
    for line in lines {
        let this = line.at.strftime("%Y-%m-%d (UTC)").to_string();
        if this != day {
            told.push(format!("— {this}"));
            day = this;
        }
        let (at, who) = (line.at.strftime("%H:%M"), who(&line.author));
        told.push(format!("{at} {who}: {}", indented(&words(&line.content))));
    }
    told
}

fn who(author: &Author) -> String {
    let role = match author.role {
        AuthorRole::Customer => "Customer",
        AuthorRole::Bot => "Bot",
        AuthorRole::Agent => "Agent",
        AuthorRole::System => "System",
        AuthorRole::Unknown => "Somebody",
    };
    match &author.name {
        Some(name) => format!("{role} ({})", name.split_whitespace().collect::<Vec<_>>().join(" ")),
        None => role.to_owned(),
    }
}

fn words(content: &Content) -> String {
    let text = content.text.as_deref().map(|text| plain(text, content.format));
    let media = content.media.iter().map(|media| match &media.name {
        Some(name) => format!("{name}: {}", media.url),
        None => media.url.clone(),
    });
    let choices = content.choices.iter().enumerate();
    let choices = choices.map(|(i, choice)| format!("{}. {}", i + 1, choice.title));
    text.into_iter().chain(media).chain(choices).collect::<Vec<_>>().join("\n")
}

/// What is said in several lines is indented, so that nobody's words look like another's line.
fn indented(text: &str) -> String {
    let breaks = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let lines = text.split(breaks).filter(|line| !line.trim().is_empty());
    lines.collect::<Vec<_>>().join("\n    ")
}

/// Lines in as few messages as the limit allows.
fn packed(lines: impl Iterator<Item = String>, limit: usize) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    let mut room = 0;
    for line in lines {
        for part in split(&line, limit) {
            let length = part.chars().count();
            match messages.last_mut() {
                Some(last) if length < room => {
                    last.push('\n');
                    last.push_str(&part);
                    room -= length + 1;
                }
                _ if part.trim().is_empty() => {}
                _ => {
                    messages.push(part);
                    room = limit.saturating_sub(length);
                }
            }
        }
    }
    messages
}

#[cfg(test)]
mod tests;
