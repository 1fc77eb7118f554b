//! What a target is to see of an event: whatever it cannot show becomes something that it can. Pure.

mod markup;
mod split;

pub use markup::plain;
pub use split::split;

use crate::model::{AuthorRole, Choice, Content, Event, EventBody, Format, Role, Target};

/// The event as the target is to see it, in as many parts as it takes: at least one.
#[must_use]
pub fn render(event: &Event, target: &Target) -> Vec<Event> {
    let EventBody::Message { content, metadata } = &event.body else {
        return vec![unnamed(event, target)];
    };
    let mut content = fit(content, target);
    if target.sender_prefix && event.author.role == AuthorRole::Agent {
        prefix(&mut content, event.author.name.as_deref());
    }
    let part = |content| {
        let body = EventBody::Message { content, metadata: metadata.clone() };
        Event { body, ..event.clone() }
    };
    into_parts(content, limit(target)).into_iter().map(part).collect()
}

/// Which operator turned a conversation is not the customer's to know.
fn unnamed(event: &Event, target: &Target) -> Event {
    let mut event = event.clone();
    if target.role == Role::Channel && event.author.role == AuthorRole::System {
        event.author.name = None;
    }
    event
}

/// Content in the forms that the target can show, in full length.
fn fit(content: &Content, target: &Target) -> Content {
    let can = target.can();
    let mut fitted = content.clone();
    if !can.markup {
        fitted.text = content.text.as_deref().map(|text| plain(text, content.format));
        fitted.format = Format::Plain;
    }
    let mut lines: Vec<String> = fitted.text.take().into_iter().collect();
    if !can.media {
        lines.extend(fitted.media.drain(..).map(|media| match media.name {
            Some(name) => format!("{name}: {}", media.url),
            None => media.url,
        }));
    }
    if !can.choices {
        // They stay beside the text, for a platform that can use their ids.
        let numbered = fitted.choices.iter().enumerate();
        lines.extend(numbered.map(|(i, choice)| format!("{}. {}", i + 1, choice.title)));
    }
    fitted.text = (!lines.is_empty()).then(|| lines.join("\n"));
    fitted
}

fn prefix(content: &mut Content, name: Option<&str>) {
    if let (Some(text), Some(name)) = (&content.text, name) {
        content.text = Some(format!("{name}: {text}"));
    }
}

fn limit(target: &Target) -> usize {
    let own = target.platform.capabilities().text;
    usize::try_from(target.text_limit.unwrap_or(own)).unwrap_or(usize::MAX)
}

/// A text that is too long becomes several; files and choices come with the last.
fn into_parts(content: Content, limit: usize) -> Vec<Content> {
    let texts = split(content.text.as_deref().unwrap_or_default(), limit);
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

/// What the customer was offered as numbered text, and typed back: its number or its title.
#[must_use]
pub fn typed_choice<'a>(text: &str, offered: &'a [Choice]) -> Option<&'a Choice> {
    let typed = text.trim().trim_end_matches(['.', ')']);
    if let Ok(number) = typed.parse::<usize>() {
        return offered.get(number.checked_sub(1)?);
    }
    let typed = typed.to_lowercase();
    offered.iter().find(|choice| choice.title.trim().to_lowercase() == typed)
}

#[cfg(test)]
mod tests;
