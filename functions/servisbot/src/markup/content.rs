//! Converts a markup into Trunkline's content.

use trunkline_core::model::{Choice, Content, Media};

use super::Node;

/// The attributes of an unknown element that hold text, in this order (fact sheet 3.7).
const TEXT_ATTRIBUTES: [&str; 5] = ["content", "label", "title", "body", "description"];

/// Converts an element and its children: texts as lines, pictures as media, and choices.
#[must_use]
pub fn to_content(node: &Node) -> Content {
    let mut builder = ContentBuilder::default();
    builder.add(node, false);
    let text = (!builder.lines.is_empty()).then(|| builder.lines.join("\n"));
    Content { text, media: builder.media, choices: builder.choices, ..Content::default() }
}

#[derive(Default)]
struct ContentBuilder {
    lines: Vec<String>,
    media: Vec<Media>,
    choices: Vec<Choice>,
}

impl ContentBuilder {
    /// `by_event`: a click is reported by its id. By default it is reported by its label.
    fn add(&mut self, node: &Node, by_event: bool) {
        let by_event = node.attribute("interactionType").map_or(by_event, |kind| kind == "event");
        match node.name.as_str() {
            "TimelineMessage" | "ButtonPromptContainer" | "SuggestionPrompt" => {
                self.line(node.text());
                self.add_all(&node.children, by_event);
            }
            "TextMsg" => self.line(Some(&inner_text(node))),
            "ButtonPrompt" => self.choice(node, node.attribute("label"), by_event),
            "Option" => self.option(node, None, by_event),
            "List" => self.list(node, by_event),
            "Card" => self.card(node),
            "BroadcastMsg" => {
                self.attributes(node, &["title", "body"]);
                self.add_all(&node.children, by_event);
            }
            "DetailView" => self.attributes(node, &["title", "description", "url"]),
            "StaticMap" => self.map(node),
            _ => self.unknown(node),
        }
    }

    fn add_all(&mut self, nodes: &[Node], by_event: bool) {
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

    /// A choice or a link. The item's name distinguishes equal options of several items.
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
        let is_choice = is_selectable && node.children.is_empty();
        match (title, subtitle) {
            (Some(title), Some(subtitle)) => self.line(Some(&format!("{title}: {subtitle}"))),
            // The choice shows the title.
            (Some(_), None) if is_choice => {}
            (one, other) => self.line(one.or(other)),
        }
        // Icons are decoration and are ignored; pictures are content.
        self.picture(node.attribute("imageUrl"), title);
        if is_choice {
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

    /// An inline picture (`imgData`) has no URL, so only its texts remain.
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
        self.media.push(Media { url: url.to_owned(), mime_type: None, name, ..Media::default() });
    }

    fn map(&mut self, node: &Node) {
        self.line(node.attribute("description"));
        let coordinate = |name| node.attribute(name).filter(|text| text.parse::<f64>().is_ok());
        if let (Some(lat), Some(lng)) = (coordinate("lat"), coordinate("lng")) {
            let link = format!("https://www.google.com/maps/search/?api=1&query={lat},{lng}");
            self.line(Some(&link));
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
