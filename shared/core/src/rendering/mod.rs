//! Renders an event for a target: content that the target cannot show is replaced by a fallback. Pure.

mod html;
mod markdown;
mod markup;
mod plain_text;
mod split;

pub use markup::to_plain_text;
pub use split::split;

use crate::model::{AuthorRole, Choice, Content, Event, EventBody, Format, Role, Target};

/// Returns the event in the form that the target can show, split into one or more parts.
#[must_use]
pub fn render(event: &Event, target: &Target) -> Vec<Event> {
    let EventBody::Message { content, metadata } = &event.body else {
        return vec![hide_operator_name(event, target)];
    };
    let mut content = degrade(content, target);
    if target.presentation.sender_prefix && event.author.role == AuthorRole::Agent {
        prefix_sender(&mut content, event.author.name.as_deref());
    }
    let part = |content| {
        let body = EventBody::Message { content, metadata: metadata.clone() };
        Event { body, ..event.clone() }
    };
    into_parts(content, limit(target)).into_iter().map(part).collect()
}

/// Removes the operator's name: customers do not see which operator moved or closed a conversation.
fn hide_operator_name(event: &Event, target: &Target) -> Event {
    let mut event = event.clone();
    if target.role == Role::Channel && event.author.role == AuthorRole::System {
        event.author.name = None;
    }
    event
}

/// Replaces what the target cannot show by its fallback. Does not split.
fn degrade(content: &Content, target: &Target) -> Content {
    let can = target.capabilities();
    let mut fitted = content.clone();
    if !can.markup {
        fitted.text = content.text.as_deref().map(|text| to_plain_text(text, content.format));
        fitted.format = Format::Plain;
    }
    let mut lines: Vec<String> = fitted.text.take().into_iter().collect();
    if !can.media {
        lines.extend(fitted.media.iter().map(|media| match &media.name {
            Some(name) => format!("{name}: {}", media.url),
            None => media.url.clone(),
        }));
        // A relayed file is kept as well, because the delivery waits for it.
        fitted.media.retain(|media| media.file.is_some());
    }
    if !can.choices {
        // The choices are kept as well, for platforms that can use their ids.
        let numbered = fitted.choices.iter().enumerate();
        lines.extend(numbered.map(|(i, choice)| format!("{}. {}", i + 1, choice.title)));
    }
    fitted.text = (!lines.is_empty()).then(|| lines.join("\n"));
    fitted
}

fn prefix_sender(content: &mut Content, name: Option<&str>) {
    if let (Some(text), Some(name)) = (&content.text, name) {
        content.text = Some(format!("{name}: {text}"));
    }
}

fn limit(target: &Target) -> usize {
    usize::try_from(target.capabilities().max_text_chars).unwrap_or(usize::MAX)
}

/// Splits a text that is too long. Files and choices stay with the last part.
fn into_parts(content: Content, limit: usize) -> Vec<Content> {
    let texts = split(content.text.as_deref().unwrap_or_default(), limit, content.format);
    let last = texts.len().saturating_sub(1);
    if last == 0 {
        return vec![content];
    }
    let format = content.format;
    let mut parts: Vec<Content> =
        texts.into_iter().map(|text| Content { format, ..Content::text(text) }).collect();
    let text = parts[last].text.take();
    parts[last] = Content { text, ..content };
    parts
}

/// Returns the offered choice whose number or title the customer typed.
#[must_use]
pub fn match_typed_choice<'a>(text: &str, offered: &'a [Choice]) -> Option<&'a Choice> {
    let typed = text.trim().trim_end_matches(['.', ')']);
    if let Ok(number) = typed.parse::<usize>() {
        return offered.get(number.checked_sub(1)?);
    }
    let typed = typed.to_lowercase();
    offered.iter().find(|choice| choice.title.trim().to_lowercase() == typed)
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
