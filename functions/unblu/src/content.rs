//! Converts Unblu's messages to content, by message type (UA4). If a type's own members yield nothing,
//! its `fallbackText` is used.

use trunkline_core::model::{Choice, Content, Format, Media};
use trunkline_core::rendering::to_plain_text;

use crate::wire::Object;

/// The prefix of the id of a choice that answers a question.
const ANSWER_PREFIX: &str = "question";

/// Returns a message's content; empty if nothing can be displayed.
pub(crate) fn from_message(message: Object<'_>) -> Content {
    let content = match message.text("type").unwrap_or_default() {
        "TEXT" => text(message),
        "FILE" => file(message),
        "CARD" => card(message),
        "LIST" => list(message),
        "MULTICHOICE_QUESTION" | "RATING_QUESTION" => question(message),
        "TEXT_QUESTION" => formatted_text(message, "text", "textType"),
        // Including REPLY, whose value is meant for programs.
        _ => Content::default(),
    };
    if content.is_empty() { fallback(message) } else { content }
}

fn fallback(message: Object<'_>) -> Content {
    let text = message.text("fallbackText").map(ToOwned::to_owned);
    Content { text, ..Content::default() }
}

fn formatted_text(message: Object<'_>, text: &str, kind: &str) -> Content {
    let text = message.text(text).map(ToOwned::to_owned);
    Content { text, format: format(message, kind), ..Content::default() }
}

fn format(object: Object<'_>, kind: &str) -> Format {
    match object.text(kind) {
        Some("MARKDOWN") => Format::Markdown,
        _ => Format::Plain,
    }
}

/// Returns a text without markup, because it is combined with others.
fn plain_text(object: Object<'_>, text: &str, kind: &str) -> Option<String> {
    object.text(text).map(|text| to_plain_text(text, format(object, kind)))
}

fn text(message: Object<'_>) -> Content {
    let content = formatted_text(message, "text", "textType");
    let content = if content.is_empty() { fallback(message) } else { content };
    let replies = message.objects("quickReplies").filter_map(|quick| quick.text("text"));
    let choices = replies.map(|text| Choice { id: text.into(), title: text.into() }).collect();
    Content { choices, ..content }
}

/// Returns a file by its link, which needs a login; the fallback text if the file is gone or rejected.
fn file(message: Object<'_>) -> Content {
    let gone = ["CANCELED", "FAILED", "DELETED", "REJECTED"];
    if message.text("fileStatus").is_some_and(|status| gone.contains(&status)) {
        return fallback(message);
    }
    let link = |kind| {
        let mut links = message.objects("downloadLinks");
        links.find(|link| link.text("type") == Some(kind))?.text("url")
    };
    let any = || message.objects("downloadLinks").find_map(|link| link.text("url"));
    // v3 has a single link (UA3 `FileMessageData`).
    let single = || message.text("downloadLink");
    let Some(url) = link("WEB_API").or_else(any).or_else(single) else { return fallback(message) };
    let media = vec![Media {
        url: url.to_owned(),
        mime_type: message.text("mimeType").map(ToOwned::to_owned),
        name: message.text("fileName").map(ToOwned::to_owned),
        private: true,
        ..Media::default()
    }];
    Content { media, ..formatted_text(message, "caption", "captionType") }
}

fn card(message: Object<'_>) -> Content {
    let title = message.text("title").map(ToOwned::to_owned);
    let lines = title.into_iter().chain(plain_text(message, "body", "bodyTextType"));
    with_actions(message, lines.collect(), image(message))
}

fn list(message: Object<'_>) -> Content {
    let mut lines: Vec<String> =
        message.text("header").map(ToOwned::to_owned).into_iter().collect();
    let mut media = Vec::new();
    for item in message.objects("items") {
        let body = plain_text(item, "body", "bodyTextType");
        let title = item.text("title").map(ToOwned::to_owned);
        let line = title.into_iter().chain(body).collect::<Vec<_>>().join(": ");
        lines.extend(Some(line).filter(|line| !line.is_empty()));
        lines.extend(item.object("action").and_then(link));
        media.extend(image(item));
    }
    with_actions(message, lines, media)
}

/// Returns lines and images with the message's actions: a link becomes a line, any other action a choice.
fn with_actions(message: Object<'_>, mut lines: Vec<String>, media: Vec<Media>) -> Content {
    let mut choices = Vec::new();
    for action in message.objects("actions") {
        if let Some(line) = link(action) {
            lines.push(line);
        } else if let Some(title) = action.text("label") {
            let id = action.text("value").unwrap_or(title).to_owned();
            choices.push(Choice { id, title: title.to_owned() });
        }
    }
    let text = (!lines.is_empty()).then(|| lines.join("\n"));
    Content { text, format: Format::Plain, media, choices }
}

fn image(object: Object<'_>) -> Vec<Media> {
    let name = object.text("imageAltText").map(ToOwned::to_owned);
    let url = object.text("imageUrl").map(ToOwned::to_owned);
    url.map(|url| Media { url, mime_type: None, name, ..Media::default() }).into_iter().collect()
}

fn link(action: Object<'_>) -> Option<String> {
    let url = action.text("value")?;
    let is_one = url.starts_with("https://") || url.starts_with("http://");
    let label = action.text("label").map(|label| format!("{label}: {url}"));
    is_one.then(|| label.unwrap_or_else(|| url.to_owned()))
}

/// Returns a question. The ids of its choices contain the question's id, because the answer must name it.
fn question(message: Object<'_>) -> Content {
    let id = message.text("id").unwrap_or_default();
    let choice =
        |value: &str, title: &str| Choice { id: answer_id(id, value), title: title.to_owned() };
    let options = message.objects("options").filter_map(|option| {
        let value = option.text("value").or_else(|| option.text("label"))?;
        Some(choice(value, option.text("label").unwrap_or(value)))
    });
    let mut choices: Vec<_> = options.collect();
    if let Some(label) = message.text("declineLabel").filter(|_| message.is_true("declinable")) {
        choices.push(choice(message.text("declineValue").unwrap_or(label), label));
    }
    let content = formatted_text(message, "text", "textType");
    let content = if content.is_empty() { fallback(message) } else { content };
    Content { choices, ..content }
}

fn answer_id(question: &str, value: &str) -> String {
    format!("{ANSWER_PREFIX}/{question}/{value}")
}

/// Returns the question that a choice answers, and the value; `None` if the choice answers no question.
pub(crate) fn parse_answer_id(choice: &str) -> Option<(&str, &str)> {
    let (question, value) =
        choice.strip_prefix(ANSWER_PREFIX)?.strip_prefix('/')?.split_once('/')?;
    (!question.is_empty() && !value.is_empty()).then_some((question, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn answer_ids_round_trip(question in "[A-Za-z0-9_-]{1,30}", value in ".{1,60}") {
            let id = answer_id(&question, &value);
            prop_assert_eq!(parse_answer_id(&id), Some((question.as_str(), value.as_str())));
        }

        #[test]
        fn parsing_never_panics(choice in ".{0,80}") {
            let _ = parse_answer_id(&choice);
        }
    }
}
