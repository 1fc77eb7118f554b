//! The texts that agents receive at a handover: reason, context and transcript. Unblu accepts them only
//! as messages from the visitor, so every line names its author.

use serde_json::{Map, Value};
use trunkline_core::model::{Author, AuthorRole, Delivery, Format, Transcript, TranscriptEntry};
use trunkline_core::platform::Platform;
use trunkline_core::rendering::{content_as_text, split};

use crate::Unblu;
use crate::settings::Settings;

/// The longest of these messages, in characters, if the connection sets no limit. Unblu documents none,
/// and a few long messages are easier to read than many short ones.
const LIMIT: usize = 10_000;

/// Returns the texts of the messages; empty if there is neither reason, context nor transcript.
pub(crate) fn texts(
    settings: &Settings,
    delivery: &Delivery,
    reason: Option<&str>,
    context: &Map<String, Value>,
    transcript: &Transcript,
) -> Vec<String> {
    let mut lines: Vec<String> =
        reason.map(|reason| format!("Reason: {reason}")).into_iter().collect();
    lines.extend(context.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key}: {}", indented(text)),
        other => format!("{key}: {other}"),
    }));
    let transcript_lines = format_transcript(&transcript.entries);
    if lines.is_empty() && transcript_lines.is_empty() {
        return Vec::new();
    }
    let title = Some(settings.handover_title.clone()).filter(|title| !title.is_empty());
    let gap = (!transcript_lines.is_empty()).then(String::new);
    let all = title.into_iter().chain(lines).chain(gap).chain(transcript_lines);
    let configured = delivery.to.capabilities().max_text_chars;
    let is_default = configured == Unblu::SPEC.capabilities.max_text_chars;
    let limit = usize::try_from(configured).ok().filter(|_| !is_default);
    pack_lines(all, limit.unwrap_or(LIMIT))
}

/// Formats the transcript, one line per message, with a line for each new day. Times are UTC.
fn format_transcript(entries: &[TranscriptEntry]) -> Vec<String> {
    let mut transcript_lines = Vec::new();
    let mut day = String::new();
    for entry in entries {
        let this = entry.at.strftime("%Y-%m-%d (UTC)").to_string();
        if this != day {
            transcript_lines.push(format!("— {this}"));
            day = this;
        }
        let (at, who) = (entry.at.strftime("%H:%M"), author_label(&entry.author));
        transcript_lines
            .push(format!("{at} {who}: {}", indented(&content_as_text(&entry.content))));
    }
    transcript_lines
}

fn author_label(author: &Author) -> String {
    let role = match author.role {
        AuthorRole::Customer => "Customer",
        AuthorRole::Bot => "Bot",
        AuthorRole::Agent => "Agent",
        AuthorRole::System => "System",
        AuthorRole::Participant => "Participant",
        AuthorRole::Unknown => "Unknown",
    };
    match &author.name {
        Some(name) => format!("{role} ({})", name.split_whitespace().collect::<Vec<_>>().join(" ")),
        None => role.to_owned(),
    }
}

/// Indents all lines but the first, so that a text cannot imitate another author's line.
fn indented(text: &str) -> String {
    let breaks = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let lines = text.split(breaks).filter(|line| !line.trim().is_empty());
    lines.collect::<Vec<_>>().join("\n    ")
}

/// Packs lines into as few messages as the limit allows.
fn pack_lines(lines: impl Iterator<Item = String>, limit: usize) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    let mut room = 0;
    for line in lines {
        for part in split(&line, limit, Format::Plain) {
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
