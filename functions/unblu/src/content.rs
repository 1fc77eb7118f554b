//! Converts Unblu's messages to content, by message type (UA4). If a type's own members yield nothing,
//! its `fallbackText` is used.

use trunkline_core::model::{Card, CardAction, Choice, Content, EarlierMessage, Format, Media};

use crate::events::message_event_id;
use crate::wire::Object;

/// The prefix of the id of a choice that answers a question, and of the message id of a question that the customer
/// answers in their own words.
const ANSWER_PREFIX: &str = "question";
/// The prefix of the id of a choice whose rest is the text that the customer says.
const SAID_PREFIX: &str = "say:";

/// Returns a message's content; empty if nothing can be displayed.
pub(crate) fn from_message(message: Object<'_>) -> Content {
    let content = match message.text("type").unwrap_or_default() {
        "TEXT" => formatted_text(message, "text", "textType"),
        "TEXT_QUESTION" => text_question(message),
        "FILE" => file(message),
        "CARD" => Content { cards: vec![card(message)], ..Content::default() },
        "LIST" => list(message),
        "MULTICHOICE_QUESTION" | "RATING_QUESTION" => question(message),
        // Including REPLY, whose value is meant for programs.
        _ => Content::default(),
    };
    let content = if content.has_nothing_but_choices() {
        fallback(message, content.choices)
    } else {
        content
    };
    let replies = message.objects("quickReplies").filter_map(|quick| quick.text("text"));
    let replies = replies.map(|text| Choice { id: text.into(), title: text.into() });
    let choices = content.choices.into_iter().chain(replies).collect();
    Content { reply_to: reply_to(message), choices, ..content }
}

/// Returns the message that an agent's message replies to: one of Unblu, or one that Trunkline sent under an id of
/// its own (v4).
fn reply_to(message: Object<'_>) -> Option<Box<EarlierMessage>> {
    let id =
        message.text("replyToExternalMessageId").or_else(|| message.text("replyToMessageId"))?;
    Some(Box::new(EarlierMessage::new(id, message_event_id(id))))
}

fn fallback(message: Object<'_>, choices: Vec<Choice>) -> Content {
    let text = message.text("fallbackText").map(ToOwned::to_owned);
    Content { text, choices, ..Content::default() }
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

/// Returns a file by its link, which needs a login; the fallback text if the file is gone or rejected.
fn file(message: Object<'_>) -> Content {
    let gone = ["CANCELED", "FAILED", "DELETED", "REJECTED"];
    if message.text("fileStatus").is_some_and(|status| gone.contains(&status)) {
        return Content::default();
    }
    let link = |kind| {
        let mut links = message.objects("downloadLinks");
        links.find(|link| link.text("type") == Some(kind))?.text("url")
    };
    let any = || message.objects("downloadLinks").find_map(|link| link.text("url"));
    // v3 has one link of each type (UA3 `FileMessageData`).
    let single = || message.text("downloadLink").or_else(|| message.text("agentDeskDownloadLink"));
    let Some(url) = link("WEB_API").or_else(any).or_else(single) else { return Content::default() };
    let media = vec![Media {
        url: url.to_owned(),
        mime_type: message.text("mimeType").map(ToOwned::to_owned),
        name: message.text("fileName").map(ToOwned::to_owned),
        private: true,
        ..Media::default()
    }];
    Content { media, ..formatted_text(message, "caption", "captionType") }
}

/// Returns a card: a card message, or an item or the header of a list.
fn card(object: Object<'_>) -> Card {
    let actions = object.objects("actions").chain(object.object("action"));
    Card {
        title: object.text("title").map(ToOwned::to_owned),
        text: object.text("body").map(ToOwned::to_owned),
        format: format(object, "bodyTextType"),
        picture: picture(object),
        actions: actions.filter_map(action).collect(),
    }
}

/// Returns a list as cards: its header, its items, and its own actions.
fn list(message: Object<'_>) -> Content {
    let header = message.object("header").map(card);
    let items = message.objects("items").map(card);
    let own = Card {
        actions: message.objects("actions").filter_map(action).collect(),
        ..Card::default()
    };
    let cards = header.into_iter().chain(items).chain([own]).filter(|card| !card.is_empty());
    Content { cards: cards.collect(), ..Content::default() }
}

fn picture(object: Object<'_>) -> Option<Media> {
    let name = object.text("imageAltText").map(ToOwned::to_owned);
    let url = object.text("imageUrl")?.to_owned();
    Some(Media { url, name, ..Media::default() })
}

/// Returns an action by its `actionType` (UA4). A co-browsing link is one that a browser can open, too.
fn action(action: Object<'_>) -> Option<CardAction> {
    let value = action.text("value");
    let title = action.text("label").or(value)?.to_owned();
    match (action.text("actionType").unwrap_or_default(), value) {
        ("LINK_INTERNAL" | "LINK_EXTERNAL" | "LINK_COBROWSABLE", Some(url)) => {
            Some(CardAction::Link { title, url: url.to_owned() })
        }
        // The value is the text that the customer says.
        ("REPLY_MESSAGE", value) => {
            let said = value.unwrap_or(&title).to_owned();
            Some(CardAction::Reply(Choice { id: format!("{SAID_PREFIX}{said}"), title }))
        }
        (_, value) => {
            let id = value.unwrap_or(&title).to_owned();
            Some(CardAction::Reply(Choice { id, title }))
        }
    }
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
    let choices = options.chain(decline(message)).collect();
    Content { choices, ..formatted_text(message, "text", "textType") }
}

/// Returns the choice by which the customer declines a question.
fn decline(question: Object<'_>) -> Option<Choice> {
    let label = question.text("declineLabel").filter(|_| question.is_true("declinable"))?;
    let id = question.text("id").unwrap_or_default();
    let value = question.text("declineValue").unwrap_or(label);
    Some(Choice { id: answer_id(id, value), title: label.to_owned() })
}

/// Returns a question that the customer answers in their own words. The hint says what the answer contains.
fn text_question(message: Object<'_>) -> Content {
    let content = formatted_text(message, "text", "textType");
    let lines = content.text.as_deref().into_iter().chain(message.text("hint"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = Some(text).filter(|text| !text.is_empty());
    Content { text, choices: decline(message).into_iter().collect(), ..content }
}

/// Returns the id under which a message is known: for a question that the customer answers in their own words, an
/// id that says so.
pub(crate) fn known_id(message: Object<'_>, id: &str) -> String {
    match message.text("type") {
        Some("TEXT_QUESTION") => format!("{ANSWER_PREFIX}/{id}"),
        _ => id.to_owned(),
    }
}

/// Returns the question that a known id stands for; `None` if the message is no such question.
pub(crate) fn parse_question(known_id: &str) -> Option<&str> {
    known_id.strip_prefix(ANSWER_PREFIX)?.strip_prefix('/')
}

fn answer_id(question: &str, value: &str) -> String {
    format!("{ANSWER_PREFIX}/{question}/{value}")
}

/// Returns the question that a choice answers, and the value; `None` if the choice answers no question.
pub(crate) fn parse_answer_id(choice: &str) -> Option<(&str, &str)> {
    let (question, value) = parse_question(choice)?.split_once('/')?;
    (!question.is_empty() && !value.is_empty()).then_some((question, value))
}

/// Returns the text that the customer says by a choice; `None` if it is the choice's title.
pub(crate) fn parse_said(choice: &str) -> Option<&str> {
    choice.strip_prefix(SAID_PREFIX)
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
