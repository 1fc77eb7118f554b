//! Renders a handover to a desk behind the router as text: the format documents no other place for
//! the transcript, the reason and the context.

use serde_json::{Map, Value};
use trunkline_core::model::{AuthorRole, Transcript, TranscriptEntry};
use trunkline_core::rendering::content_as_text;

/// Renders the transcript, the reason and the context of a handover. Returns `None` if all are
/// empty.
pub(crate) fn render(
    reason: Option<&str>,
    context: &Map<String, Value>,
    transcript: &Transcript,
) -> Option<String> {
    let mut lines: Vec<String> = transcript.entries.iter().filter_map(render_entry).collect();
    lines.extend(reason.map(|reason| format!("Reason: {reason}")));
    lines.extend(context.iter().map(|(key, value)| format!("{key}: {}", value_as_text(value))));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Returns a string value as it is, and any other value as JSON.
pub(crate) fn value_as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn render_entry(entry: &TranscriptEntry) -> Option<String> {
    let text = content_as_text(&entry.content);
    let author = entry.author.name.as_deref().unwrap_or(match entry.author.role {
        AuthorRole::Customer => "Customer",
        AuthorRole::Bot => "Bot",
        AuthorRole::Agent => "Agent",
        AuthorRole::Participant => "Participant",
        AuthorRole::System | AuthorRole::Unknown => "Note",
    });
    (!text.trim().is_empty()).then(|| format!("{author}: {text}"))
}
