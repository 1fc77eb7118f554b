//! Replaces what a target cannot show. The rules are the table in `docs/content.md`.

use super::to_plain_text;
use crate::model::{
    Capabilities, Card, CardAction, Choice, Contact, Content, EarlierMessage, Format, Location,
    Media, Target,
};

/// The largest number of cards that become messages of their own. The pictures of a message with more are links.
const MAX_CARD_MESSAGES: usize = 10;

/// Returns the content in the form that the target can show, in the order of the original. The result is
/// several messages if a picture belongs between texts.
pub(super) fn degrade(content: &Content, target: &Target) -> Vec<Content> {
    let can = target.capabilities();
    let quote = content
        .reply_to
        .as_deref()
        .filter(|earlier| !can.replies || earlier.known_to(&target.connection).is_none());
    let mut rest = content.clone();
    if quote.is_some() {
        rest.reply_to = None;
    }
    Fallback::new(can, quote, rest).messages()
}

/// Returns a content as plain text, for a transcript.
#[must_use]
pub fn content_as_text(content: &Content) -> String {
    let rest = Content { reply_to: None, ..content.clone() };
    let fallback = Fallback::new(Capabilities::TEXT_ONLY, content.reply_to.as_deref(), rest);
    let texts = fallback.messages().into_iter().filter_map(|content| content.text);
    texts.collect::<Vec<_>>().join("\n")
}

/// Returns a file as a line of text: its name and address.
#[must_use]
pub fn file_line(file: &Media) -> String {
    labelled(file.name.as_deref(), &file.url)
}

/// A content that is being rewritten.
struct Fallback {
    can: Capabilities,
    /// The number of the last choice that was written.
    number: usize,
    /// The lines of the message that is being written.
    lines: Vec<String>,
    /// Whether a blank line separates what follows from the cards before it.
    is_spaced: bool,
    /// The messages before it.
    done: Vec<Content>,
    /// What is not written yet. Parts that the target can show stay here.
    rest: Content,
}

impl Fallback {
    fn new(can: Capabilities, quote: Option<&EarlierMessage>, rest: Content) -> Self {
        let lines = quote.and_then(quoted).into_iter().collect();
        Self { can, number: 0, lines, is_spaced: false, done: Vec::new(), rest }
    }

    fn messages(mut self) -> Vec<Content> {
        self.text();
        self.files();
        self.cards();
        self.location_and_contact();
        self.choices();
        self.finish()
    }

    /// Markup next to fallback lines would change how they look, so such a text becomes plain.
    fn text(&mut self) {
        let text = self.rest.text.take().filter(|text| !text.trim().is_empty());
        let Some(text) = text else { return };
        let is_plain = !self.can.markup || !self.lines.is_empty() || self.needs_lines();
        if is_plain {
            self.lines.push(to_plain_text(&text, self.rest.format));
            self.rest.format = Format::Plain;
        } else {
            self.lines.push(text);
        }
    }

    /// Whether a part becomes text.
    fn needs_lines(&self) -> bool {
        let Self { can, rest, .. } = self;
        !(can.media || rest.media.is_empty())
            || !(can.cards || rest.cards.is_empty())
            || !(can.locations || rest.location.is_none())
            || !(can.contacts || rest.contact.is_none())
            || !(can.choices || rest.choices.is_empty())
    }

    fn files(&mut self) {
        if !self.can.media {
            self.lines.extend(self.rest.media.iter().map(file_line));
            // A relayed file is kept as well, because the delivery waits for it.
            self.rest.media.retain(|media| media.file.is_some());
        }
    }

    fn cards(&mut self) {
        if self.can.cards {
            return;
        }
        let offered = self.rest.offered_choices();
        let cards = std::mem::take(&mut self.rest.cards);
        let pictures = cards.iter().filter(|card| card.picture.is_some()).count();
        let shows_pictures = self.can.media && pictures <= MAX_CARD_MESSAGES;
        let blocks: Vec<_> =
            cards.into_iter().map(|card| self.card(card, shows_pictures)).collect();
        self.is_spaced = blocks.iter().any(|(lines, _)| lines.len() > 1);
        for (lines, picture) in blocks {
            if let Some(picture) = picture {
                self.flush();
                self.lines = lines;
                self.rest.media = vec![picture];
                self.flush();
            } else {
                self.separate();
                self.lines.extend(lines);
            }
        }
        self.rest.choices = offered;
    }

    fn separate(&mut self) {
        self.lines.extend((self.is_spaced && !self.lines.is_empty()).then(String::new));
    }

    /// Returns the lines of a card, and its picture if that is shown as such.
    fn card(&mut self, card: Card, shows_picture: bool) -> (Vec<String>, Option<Media>) {
        let mut lines: Vec<String> = card.title.into_iter().collect();
        lines.extend(card.text.map(|text| to_plain_text(&text, card.format)));
        let picture = card.picture.filter(|picture| {
            lines.extend((!shows_picture).then(|| file_line(picture)));
            shows_picture
        });
        for action in card.actions {
            match action {
                CardAction::Link { title, url } => lines.push(labelled(Some(&title), &url)),
                CardAction::Reply(choice) => lines.extend(self.numbered(&choice)),
            }
        }
        lines.retain(|line| !line.trim().is_empty());
        (lines, picture)
    }

    fn location_and_contact(&mut self) {
        let location = self.rest.location.take_if(|_| !self.can.locations);
        let contact = self.rest.contact.take_if(|_| !self.can.contacts);
        let lines = location.as_deref().map(location_line).into_iter();
        self.follow(lines.chain(contact.as_deref().map(contact_text)).collect());
    }

    /// The choices are kept as well, for platforms that can use their ids.
    fn choices(&mut self) {
        let written = self.number;
        let choices = std::mem::take(&mut self.rest.choices);
        let unwritten = &choices[written.min(choices.len())..];
        let lines = unwritten.iter().filter_map(|choice| self.numbered(choice)).collect();
        self.follow(lines);
        self.rest.choices = choices;
    }

    /// Writes lines that follow the cards.
    fn follow(&mut self, lines: Vec<String>) {
        if !lines.is_empty() {
            self.separate();
            self.is_spaced = false;
            self.lines.extend(lines);
        }
    }

    /// Returns a choice as a numbered line; `None` if the target shows choices.
    fn numbered(&mut self, choice: &Choice) -> Option<String> {
        if self.can.choices {
            return None;
        }
        self.number += 1;
        Some(format!("{}. {}", self.number, choice.title))
    }

    /// Ends the message that is being written, if it has any content.
    fn flush(&mut self) {
        let text = (!self.lines.is_empty()).then(|| std::mem::take(&mut self.lines).join("\n"));
        let media = std::mem::take(&mut self.rest.media);
        if text.is_none() && media.is_empty() {
            return;
        }
        let (reply_to, format) = (self.rest.reply_to.take(), self.rest.format);
        self.done.push(Content { reply_to, text, format, media, ..Content::default() });
        self.rest.format = Format::Plain;
    }

    fn finish(mut self) -> Vec<Content> {
        let text = (!self.lines.is_empty()).then(|| self.lines.join("\n"));
        let last = Content { text, ..self.rest };
        match self.done.last_mut() {
            Some(before) if last.has_nothing_but_choices() => {
                (before.choices, before.single_use) = (last.choices, last.single_use);
            }
            _ => self.done.push(last),
        }
        self.done
    }
}

/// Returns the beginning of an earlier message as a quote; `None` if the message was not found.
fn quoted(earlier: &EarlierMessage) -> Option<String> {
    earlier.excerpt.as_ref().map(|excerpt| format!("> {excerpt}"))
}

fn labelled(label: Option<&str>, url: &str) -> String {
    match label.map(str::trim).filter(|label| !label.is_empty() && *label != url) {
        Some(label) => format!("{label}: {url}"),
        None => url.to_owned(),
    }
}

fn location_line(location: &Location) -> String {
    let names = [&location.name, &location.address].into_iter().flatten();
    let label = names.map(|name| name.trim()).filter(|name| !name.is_empty());
    labelled(Some(&label.collect::<Vec<_>>().join(", ")), &location.map_url())
}

fn contact_text(contact: &Contact) -> String {
    contact.lines().collect::<Vec<_>>().join("\n")
}
