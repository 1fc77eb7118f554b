//! Converts a markup into Trunkline's content.

use trunkline_core::model::{Card, CardAction, Choice, Content, Location, Media};

use super::Node;

/// The attributes of an unknown element that hold text, in this order (fact sheet 3.7).
const TEXT_ATTRIBUTES: [&str; 5] = ["content", "label", "title", "body", "description"];

/// Converts an element and its children: texts as lines, items and pictures as cards, and choices. A text behind a
/// card is a card of its own, so that the order is kept.
#[must_use]
pub fn to_content(node: &Node) -> Content {
    let mut builder = ContentBuilder::default();
    builder.add(node, Prompt::default());
    let text = (!builder.lines.is_empty()).then(|| builder.lines.join("\n"));
    let ContentBuilder { media, cards, location, choices, offers_once, offers_again, .. } = builder;
    let location = location.map(Box::new);
    let single_use = offers_once && !offers_again;
    Content { text, media, cards, location, choices, single_use, ..Content::default() }
}

/// How a selection in an element works. An element inherits it from its parent.
#[derive(Debug, Clone, Copy, Default)]
struct Prompt {
    /// Whether a selection is reported by its id. By default it is reported by its label (SX, Interaction Types).
    by_event: bool,
    /// Whether only one choice can be selected, once (`preventRetries`: S4, KK).
    single_use: bool,
}

impl Prompt {
    fn of(self, node: &Node) -> Self {
        let is = |name, word, inherited| node.attribute(name).map_or(inherited, |is| is == word);
        Self {
            by_event: is("interactionType", "event", self.by_event),
            single_use: is("preventRetries", "true", self.single_use),
        }
    }
}

#[derive(Default)]
struct ContentBuilder {
    lines: Vec<String>,
    media: Vec<Media>,
    cards: Vec<Card>,
    location: Option<Location>,
    choices: Vec<Choice>,
    /// Whether there is a choice of a single-use prompt.
    offers_once: bool,
    /// Whether there is a choice of another prompt.
    offers_again: bool,
}

impl ContentBuilder {
    fn add(&mut self, node: &Node, inherited: Prompt) {
        let prompt = inherited.of(node);
        match node.name.as_str() {
            "TimelineMessage" | "ButtonPromptContainer" | "SuggestionPrompt" => {
                self.line(node.text());
                self.add_all(&node.children, prompt);
            }
            "TextMsg" => self.line(Some(&inner_text(node))),
            "ButtonPrompt" => {
                let choice = self.marked(choice(node, node.attribute("label"), prompt), prompt);
                self.choices.extend(choice);
            }
            "Option" | "DropdownItem" => self.option(node, prompt),
            "List" => self.list(node, prompt),
            "Card" => self.card(node),
            "OptionCard" => self.prompt(node, &["title", "subtitle"], prompt),
            "Dropdown" => self.prompt(node, &["label", "title", "description"], prompt),
            "BroadcastMsg" => self.prompt(node, &["title", "body"], prompt),
            "DetailView" => self.detail_view(node),
            "StaticMap" => self.map(node),
            _ => self.unknown(node),
        }
    }

    fn add_all(&mut self, nodes: &[Node], prompt: Prompt) {
        for node in nodes {
            self.add(node, prompt);
        }
    }

    /// Texts, and then what can be selected.
    fn prompt(&mut self, node: &Node, texts: &[&str], prompt: Prompt) {
        self.attributes(node, texts);
        self.add_all(&node.children, prompt);
    }

    /// Returns a choice, and notes whether it is of a single-use prompt.
    fn marked<T>(&mut self, choice: Option<T>, prompt: Prompt) -> Option<T> {
        self.offers_once |= choice.is_some() && prompt.single_use;
        self.offers_again |= choice.is_some() && !prompt.single_use;
        choice
    }

    fn line(&mut self, text: Option<&str>) {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return };
        if self.cards.is_empty() && self.media.is_empty() {
            self.lines.push(text.to_owned());
        } else {
            self.cards.push(Card { text: Some(text.to_owned()), ..Card::default() });
        }
    }

    fn attributes(&mut self, node: &Node, names: &[&str]) {
        for name in names {
            self.line(node.attribute(name));
        }
    }

    /// A choice, or a link outside an item.
    fn option(&mut self, node: &Node, prompt: Prompt) {
        match self.action(node, None, prompt) {
            Some(CardAction::Reply(choice)) => self.choices.push(choice),
            Some(link) => self.cards.push(Card { actions: vec![link], ..Card::default() }),
            None => {}
        }
    }

    fn action(&mut self, node: &Node, item: Option<&str>, prompt: Prompt) -> Option<CardAction> {
        match option(node, item, prompt)? {
            link @ CardAction::Link { .. } => Some(link),
            reply => self.marked(Some(reply), prompt),
        }
    }

    fn list(&mut self, node: &Node, prompt: Prompt) {
        self.line(node.attribute("title"));
        let is_selectable = node.attribute("selectable") == Some("true");
        for child in &node.children {
            if child.name == "Item" {
                self.item(child, is_selectable, prompt.of(child));
            } else {
                self.add(child, prompt);
            }
        }
    }

    /// An item of a list as a card. Icons are decoration and are ignored; pictures are content.
    fn item(&mut self, node: &Node, is_selectable: bool, prompt: Prompt) {
        let title = node.attribute("title");
        let mut card = Card {
            title: title.map(Into::into),
            text: node.attribute("subtitle").map(Into::into),
            picture: picture(node.attribute("imageUrl"), title),
            ..Card::default()
        };
        let (options, others): (Vec<_>, Vec<_>) =
            node.children.iter().partition(|child| child.name == "Option");
        for child in options {
            card.actions.extend(self.action(child, title, prompt.of(child)));
        }
        if is_selectable && node.children.is_empty() {
            let choice = self.marked(choice(node, title, prompt), prompt);
            card.actions.extend(choice.map(CardAction::Reply));
            // The choice shows the title.
            if card.text.is_none() && card.picture.is_none() {
                card.title = None;
            }
        }
        if !card.is_empty() {
            self.cards.push(card);
        }
        for child in others {
            self.add(child, prompt);
        }
    }

    /// A picture, as a card if it has a title or a link (KK). An inline picture (`imgData`) has no URL, so only
    /// its texts remain.
    fn card(&mut self, node: &Node) {
        let alt = node.attribute("alt");
        let picture = picture(node.attribute("imgUrl"), alt);
        let text = alt.filter(|_| picture.is_none()).map(Into::into);
        let title = node.attribute("title").map(Into::into);
        let actions: Vec<_> = node.attribute("url").map(link).into_iter().collect();
        let card = Card { title, text, picture, actions, ..Card::default() };
        if let Card { title: None, picture: Some(picture), .. } = &card
            && card.actions.is_empty()
            && self.cards.is_empty()
        {
            self.media.push(picture.clone());
            return;
        }
        self.cards.extend(Some(card).filter(|card| !card.is_empty()));
    }

    fn detail_view(&mut self, node: &Node) {
        let card = Card {
            title: node.attribute("title").map(Into::into),
            text: node.attribute("description").map(Into::into),
            actions: node.attribute("url").map(link).into_iter().collect(),
            ..Card::default()
        };
        self.cards.extend(Some(card).filter(|card| !card.is_empty()));
    }

    /// The first map is the location; others become links.
    fn map(&mut self, node: &Node) {
        let name = node.attribute("description").map(ToOwned::to_owned);
        let coordinate = |name| node.attribute(name)?.parse::<f64>().ok();
        let place = coordinate("lat").zip(coordinate("lng"));
        let place = place.and_then(|(latitude, longitude)| Location::new(latitude, longitude));
        match place {
            Some(place) if self.location.is_none() => {
                self.location = Some(Location { name, ..place });
            }
            Some(place) => {
                self.line(name.as_deref());
                self.line(Some(&place.map_url()));
            }
            None => self.line(name.as_deref()),
        }
    }

    fn unknown(&mut self, node: &Node) {
        for name in TEXT_ATTRIBUTES {
            self.line(node.attribute(name));
            if name == "content" {
                self.line(node.text());
            }
        }
        for child in &node.children {
            self.unknown(child);
        }
    }
}

fn link(url: &str) -> CardAction {
    CardAction::Link { title: url.to_owned(), url: url.to_owned() }
}

fn choice(node: &Node, title: Option<&str>, prompt: Prompt) -> Option<Choice> {
    let id = node.attribute("id");
    let title = title.or(id)?;
    let id = id.filter(|_| prompt.by_event).unwrap_or(title);
    Some(Choice { id: id.to_owned(), title: title.to_owned() })
}

/// A choice or a link. The item's name distinguishes equal options of several items.
fn option(node: &Node, item: Option<&str>, prompt: Prompt) -> Option<CardAction> {
    let title = node.attribute("title").or_else(|| node.text());
    if let Some(url) = node.attribute("url") {
        let title = title.unwrap_or(url).to_owned();
        return Some(CardAction::Link { title, url: url.to_owned() });
    }
    let title = match (item, title) {
        (Some(item), Some(title)) => Some(format!("{item}: {title}")),
        (_, title) => title.map(ToOwned::to_owned),
    };
    choice(node, title.as_deref(), prompt).map(CardAction::Reply)
}

fn picture(url: Option<&str>, name: Option<&str>) -> Option<Media> {
    Some(Media { url: url?.to_owned(), name: name.map(Into::into), ..Media::default() })
}

/// All text in an element, its children's text last: their position within the text is not
/// preserved.
fn inner_text(node: &Node) -> String {
    let mut text = node.content.trim().to_owned();
    for child in &node.children {
        let inner = inner_text(child);
        if !inner.is_empty() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&inner);
        }
    }
    text
}
