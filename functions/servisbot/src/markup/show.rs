//! What a markup shows, in Trunkline's own terms.

use trunkline_shared::model::{Choice, Content, Media};

use super::Node;

/// What an element says where nobody knows it, in this order (fact sheet 3.7).
const SAYING: [&str; 5] = ["content", "label", "title", "body", "description"];

/// What an element and those in it show: texts one below the other, pictures, and what may be picked.
#[must_use]
pub fn show(node: &Node) -> Content {
    let mut shown = Shown::default();
    shown.add(node, false);
    let text = (!shown.lines.is_empty()).then(|| shown.lines.join("\n"));
    Content { text, media: shown.media, choices: shown.choices, ..Content::default() }
}

#[derive(Default)]
struct Shown {
    lines: Vec<String>,
    media: Vec<Media>,
    choices: Vec<Choice>,
}

impl Shown {
    /// `by_event` where a click is told by its id; by default it is said as its label.
    fn add(&mut self, node: &Node, by_event: bool) {
        let by_event = node.attribute("interactionType").map_or(by_event, |kind| kind == "event");
        match node.name.as_str() {
            "TimelineMessage" | "ButtonPromptContainer" | "SuggestionPrompt" => {
                self.line(node.text());
                self.all(&node.children, by_event);
            }
            "TextMsg" => self.line(Some(&whole_text(node))),
            "ButtonPrompt" => self.choice(node, node.attribute("label"), by_event),
            "Option" => self.option(node, None, by_event),
            "List" => self.list(node, by_event),
            "Card" => self.card(node),
            "BroadcastMsg" => {
                self.attributes(node, &["title", "body"]);
                self.all(&node.children, by_event);
            }
            "DetailView" => self.attributes(node, &["title", "description", "url"]),
            "StaticMap" => self.map(node),
            _ => self.unknown(node),
        }
    }

    fn all(&mut self, nodes: &[Node], by_event: bool) {
        for node in nodes {
            self.add(node, by_event);
        }
    }

    fn line(&mut self, text: Option<&str>) {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        self.lines.extend(text.map(Into::into));
    }

    fn attributes(&mut self, node: &Node, names: &[&str]) {
        for name in names {
            self.line(node.attribute(name));
        }
    }

    fn choice(&mut self, node: &Node, title: Option<&str>, by_event: bool) {
        let id = node.attribute("id");
        let Some(title) = title.or(id) else { return };
        let id = id.filter(|_| by_event).unwrap_or(title);
        self.choices.push(Choice { id: id.to_owned(), title: title.to_owned() });
    }

    /// Something to pick, or a link. Those of several items would read the same without the item's name.
    fn option(&mut self, node: &Node, item: Option<&str>, by_event: bool) {
        let title = node.attribute("title").or_else(|| node.text());
        let title = match (item, title) {
            (Some(item), Some(title)) => Some(format!("{item}: {title}")),
            (None, Some(title)) => Some(title.to_owned()),
            (_, None) => None,
        };
        match (node.attribute("url"), &title) {
            (Some(url), Some(title)) => self.line(Some(&format!("{title}: {url}"))),
            (Some(url), None) => self.line(Some(url)),
            (None, _) => self.choice(node, title.as_deref(), by_event),
        }
    }

    fn list(&mut self, node: &Node, by_event: bool) {
        self.line(node.attribute("title"));
        let is_selectable = node.attribute("selectable") == Some("true");
        for child in &node.children {
            if child.name == "Item" {
                self.item(child, is_selectable, by_event);
            } else {
                self.add(child, by_event);
            }
        }
    }

    fn item(&mut self, node: &Node, is_selectable: bool, by_event: bool) {
        let (title, subtitle) = (node.attribute("title"), node.attribute("subtitle"));
        let picked = is_selectable && node.children.is_empty();
        match (title, subtitle) {
            (Some(title), Some(subtitle)) => self.line(Some(&format!("{title}: {subtitle}"))),
            // What can be picked is shown as that.
            (Some(_), None) if picked => {}
            (one, other) => self.line(one.or(other)),
        }
        // An icon only adorns; a picture shows something.
        self.picture(node.attribute("imageUrl"), title);
        if picked {
            self.choice(node, title, by_event);
        }
        for child in &node.children {
            if child.name == "Option" {
                self.option(child, title, by_event);
            } else {
                self.add(child, by_event);
            }
        }
    }

    /// A picture that is written out (`imgData`) has no address to fetch it from: its words remain.
    fn card(&mut self, node: &Node) {
        let alt = node.attribute("alt");
        self.line(node.attribute("title"));
        match node.attribute("imgUrl") {
            Some(url) => self.picture(Some(url), alt),
            None => self.line(alt),
        }
    }

    fn picture(&mut self, url: Option<&str>, name: Option<&str>) {
        let Some(url) = url else { return };
        let name = name.map(Into::into);
        self.media.push(Media { url: url.to_owned(), mime_type: None, name });
    }

    fn map(&mut self, node: &Node) {
        self.line(node.attribute("description"));
        let place = |name| node.attribute(name).filter(|text| text.parse::<f64>().is_ok());
        if let (Some(lat), Some(lng)) = (place("lat"), place("lng")) {
            let link = format!("https://www.google.com/maps/search/?api=1&query={lat},{lng}");
            self.line(Some(&link));
        }
    }

    fn unknown(&mut self, node: &Node) {
        for name in SAYING {
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

/// All text in an element, that of the elements in it last: they keep no order among text.
fn whole_text(node: &Node) -> String {
    let mut text = node.content.trim().to_owned();
    for child in &node.children {
        let inner = whole_text(child);
        if !inner.is_empty() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&inner);
        }
    }
    text
}
