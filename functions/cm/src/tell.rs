//! What a desk behind the router is told when it gets a conversation: a text, for the format has no
//! other place for it that is known.

use serde_json::{Map, Value};
use trunkline_shared::model::{AuthorRole, Line, Recall};
use trunkline_shared::rendering::plain;

/// What was said before, why people are to take over, and what they should know; nothing, if there is
/// nothing to tell.
pub(crate) fn handover(
    reason: Option<&str>,
    context: &Map<String, Value>,
    recall: &Recall,
) -> Option<String> {
    let mut lines: Vec<String> = recall.lines.iter().filter_map(line).collect();
    lines.extend(reason.map(|reason| format!("Reason: {reason}")));
    lines.extend(context.iter().map(|(key, value)| format!("{key}: {}", flat(value))));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A value as a text.
pub(crate) fn flat(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn line(line: &Line) -> Option<String> {
    let content = &line.content;
    let text = content.text.as_deref().map(|text| plain(text, content.format));
    let links = content.media.iter().map(|media| media.url.clone());
    let said: Vec<String> =
        text.into_iter().chain(links).filter(|said| !said.trim().is_empty()).collect();
    let who = line.author.name.as_deref().unwrap_or(match line.author.role {
        AuthorRole::Customer => "Customer",
        AuthorRole::Bot => "Bot",
        AuthorRole::Agent => "Agent",
        AuthorRole::System | AuthorRole::Unknown => "Note",
    });
    (!said.is_empty()).then(|| format!("{who}: {}", said.join("\n")))
}
