//! Renders an event for a target: content that the target cannot show is replaced by a fallback. Pure.

mod degrade;
mod html;
mod markdown;
mod markup;
mod plain_text;
mod split;
mod typed_choice;

use std::borrow::Cow;

use serde_json::Map;

pub use degrade::{content_as_text, file_line};
pub use markup::to_plain_text;
pub use split::split;
pub use typed_choice::match_typed_choice;

use crate::model::{AuthorRole, Content, EarlierMessage, Event, EventBody, Format, Role, Target};

/// Returns the event in the form that the target can show, split into one or more parts.
#[must_use]
pub fn render(event: &Event, target: &Target) -> Vec<Event> {
    let EventBody::Message { content, metadata } = &*as_message(&event.body, target) else {
        return vec![hide_operator_name(event, target)];
    };
    let mut messages = degrade::degrade(content, target);
    let is_person = matches!(event.author.role, AuthorRole::Agent | AuthorRole::Participant);
    if target.presentation.sender_prefix && is_person {
        prefix_sender(&mut messages[0], event.author.name.as_deref());
    }
    let part = |content| {
        let body = EventBody::Message { content, metadata: metadata.clone() };
        Event { body, ..event.clone() }
    };
    let parts = messages.into_iter().flat_map(|content| into_parts(content, limit(target)));
    parts.map(part).collect()
}

/// Returns an edit, a deletion or a reaction as a message, if the target cannot show it on the earlier message.
fn as_message<'a>(body: &'a EventBody, target: &Target) -> Cow<'a, EventBody> {
    let is_shown = |earlier: &EarlierMessage| {
        target.capabilities().changes && earlier.known_to(&target.connection).is_some()
    };
    let content = match body {
        EventBody::Edit { earlier, content, notice } if !is_shown(earlier) => {
            about(earlier, edited(content, notice.as_deref(), target), target)
        }
        EventBody::Delete { earlier, notice: Some(notice) } if !is_shown(earlier) => {
            about(earlier, Content::text(notice), target)
        }
        EventBody::Reaction { earlier, emoji, removed: false } if !is_shown(earlier) => {
            about(earlier, Content::text(emoji), target)
        }
        _ => return Cow::Borrowed(body),
    };
    Cow::Owned(EventBody::Message { content, metadata: Map::new() })
}

fn edited(content: &Content, notice: Option<&str>, target: &Target) -> Content {
    match (notice, &content.text) {
        (Some(notice), Some(text)) if target.role != Role::Bot => {
            let text = notice.replace("{text}", &to_plain_text(text, content.format));
            Content { text: Some(text), format: Format::Plain, ..content.clone() }
        }
        _ => content.clone(),
    }
}

/// Returns a content as a reply to an earlier message. A bot would take a quote for the customer's own words.
fn about(earlier: &EarlierMessage, content: Content, target: &Target) -> Content {
    let reply_to = (target.role != Role::Bot).then(|| Box::new(earlier.clone()));
    Content { reply_to, ..content }
}

/// Removes the operator's name: customers do not see which operator moved or closed a conversation.
fn hide_operator_name(event: &Event, target: &Target) -> Event {
    let mut event = event.clone();
    if target.role == Role::Channel && event.author.role == AuthorRole::System {
        event.author.name = None;
    }
    event
}

fn prefix_sender(content: &mut Content, name: Option<&str>) {
    let Some(name) = name else { return };
    content.text = Some(match &content.text {
        Some(text) => format!("{name}: {text}"),
        None => format!("{name}:"),
    });
}

fn limit(target: &Target) -> usize {
    usize::try_from(target.capabilities().max_text_chars).unwrap_or(usize::MAX)
}

/// Splits a text that is too long. The quote stays with the first part, everything else with the last.
fn into_parts(mut content: Content, limit: usize) -> Vec<Content> {
    let texts = split(content.text.as_deref().unwrap_or_default(), limit, content.format);
    let last = texts.len().saturating_sub(1);
    if last == 0 {
        return vec![content];
    }
    let (format, reply_to) = (content.format, content.reply_to.take());
    let mut parts: Vec<Content> =
        texts.into_iter().map(|text| Content { format, ..Content::text(text) }).collect();
    let text = parts[last].text.take();
    parts[last] = Content { text, ..content };
    parts[0].reply_to = reply_to;
    parts
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
