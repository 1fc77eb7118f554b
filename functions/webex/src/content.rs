//! Parses the content of a message by its `MessageType`. The page lists no types and no forms of `Media`
//! (WX-BOT); the types and forms here are those of Webex Connect's outbound webhooks (WX-WA).

use serde_json::Value;
use trunkline_core::json;
use trunkline_core::model::{Contact, Content, Media};

use crate::contact;
use crate::location;
use crate::media;
use crate::wire::WebexEvent;

/// What a `MessageType` announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Location,
    Contact,
    /// A file whose MIME type begins with this.
    File(&'static str),
}

/// The words of `MessageType` in lower case.
const KINDS: [(&str, Kind); 18] = [
    ("text", Kind::Text),
    ("", Kind::Text),
    ("location", Kind::Location),
    ("contact", Kind::Contact),
    ("contacts", Kind::Contact),
    ("vcard", Kind::Contact),
    ("image", Kind::File("image/")),
    ("photo", Kind::File("image/")),
    ("picture", Kind::File("image/")),
    ("gif", Kind::File("image/")),
    ("sticker", Kind::File("image/")),
    ("video", Kind::File("video/")),
    ("audio", Kind::File("audio/")),
    ("voice", Kind::File("audio/")),
    ("document", Kind::File("")),
    ("file", Kind::File("")),
    ("media", Kind::File("")),
    ("attachment", Kind::File("")),
];

fn kind(event: &WebexEvent) -> Kind {
    let word = event.messagetype.trimmed().to_lowercase();
    KINDS.iter().find(|(known, _)| *known == word).map_or(Kind::Text, |(_, kind)| *kind)
}

/// Returns the content of a message. What its type announces is searched in every member that may hold it;
/// what is not found there stays text and files, so that nothing is lost.
pub(crate) fn content(event: &WebexEvent) -> Content {
    let mut parts = Parts {
        text: event.message.non_blank().map(|_| event.message.raw().to_owned()),
        media: event.media.clone(),
        content: Content::default(),
    };
    let kind = kind(event);
    parts.location(event, kind == Kind::Location);
    parts.contacts(event, kind == Kind::Contact);
    if let Kind::File(mime_type) = kind {
        parts.files(mime_type);
    }
    let media = media::parse(&parts.media);
    parts.content.media.extend(media);
    Content { text: parts.text, ..parts.content }
}

/// The members of a message that are not read yet, and the content that was found.
struct Parts {
    text: Option<String>,
    media: Value,
    content: Content,
}

impl Parts {
    fn location(&mut self, event: &WebexEvent, is_announced: bool) {
        let mut found = location::parse(&event.location);
        if found.is_none() && is_announced {
            found = self.take(location::parse);
        }
        self.content.location = found.map(Box::new);
    }

    fn contacts(&mut self, event: &WebexEvent, is_announced: bool) {
        let some = |value: &Value| Some(contact::parse(value)).filter(|found| !found.is_empty());
        let mut found = some(&event.contacts);
        if found.is_none() && is_announced {
            found = self.take(some);
        }
        let mut contacts = found.into_iter().flatten();
        self.content.contact = contacts.next().map(Box::new);
        // A message has one contact: the others become text.
        let others =
            contacts.map(|contact: Contact| contact.lines().collect::<Vec<_>>().join("\n"));
        for other in others {
            let text = self.text.get_or_insert_default();
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&other);
        }
    }

    /// Returns what is found in the message or the media, and takes that member.
    fn take<T>(&mut self, parse: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let text = self.text.clone().map(Value::String).unwrap_or_default();
        if let Some(found) = parse(&text) {
            self.text = None;
            return Some(found);
        }
        parse(&self.media).inspect(|_| self.media = Value::Null)
    }

    /// A file may be in the message instead of the media.
    fn files(&mut self, mime_type: &str) {
        let is_file = |text: &str| {
            let text = text.trim();
            let is_list =
                text.starts_with(['[', '{']) && json::from_slice::<Value>(text.as_bytes()).is_ok();
            is_list || (text.starts_with("https://") && !text.contains(char::is_whitespace))
        };
        let mut files = media::parse(&std::mem::take(&mut self.media));
        if files.is_empty()
            && let Some(text) = self.text.take_if(|text| is_file(text))
        {
            files = media::parse(&Value::String(text.clone()));
            self.text = Some(text).filter(|_| files.is_empty());
        }
        let typed = |file: Media| {
            let guessed = || media::mime_type(&file.url).filter(|of| of.starts_with(mime_type));
            let known = file.mime_type.clone().or_else(|| guessed().map(Into::into));
            Media { mime_type: known, ..file }
        };
        self.content.media.extend(files.into_iter().map(typed));
    }
}
