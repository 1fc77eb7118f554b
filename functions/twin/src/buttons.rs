//! Reads the buttons of TWIN's messages: the suggested replies in `answers` (S3), and the buttons in
//! `keyboard` (`TS`) and `actions` (S3, `TS`). No page describes the members of a button, so the usual names
//! are read.

use serde_json::{Map, Value};
use trunkline_core::model::{Card, CardAction, Choice, LenientText};

use crate::wire::Message;

/// The names of a button's label.
const LABELS: [&str; 4] = ["title", "label", "text", "caption"];
/// The names of the value that a button stands for.
const VALUES: [&str; 4] = ["value", "payload", "data", "id"];
/// The names of the address that a button opens.
const LINKS: [&str; 2] = ["url", "link"];
/// How deeply rows and groups of buttons may be nested.
const MAX_DEPTH: usize = 4;
/// The largest JSON of `keyboard` or `actions` that is passed on as received, in bytes.
const MAX_RAW: usize = 4 * 1024;

/// What the customer can select or open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Buttons {
    pub choices: Vec<Choice>,
    /// The buttons that open an address.
    pub links: Vec<CardAction>,
}

impl Buttons {
    /// Reads the buttons of a message, each label once.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let mut buttons = Self::default();
        for answer in &message.answers.0 {
            // TWIN expects exactly this string back, so it is both id and title (fact sheet 2.8).
            if answer.non_blank().is_some() {
                buttons.add_choice(answer.raw(), answer.raw());
            }
        }
        buttons.read(&message.keyboard, true, MAX_DEPTH);
        buttons.read(&message.actions, false, MAX_DEPTH);
        buttons
    }

    /// Returns the links as a card; `None` if there are none.
    #[must_use]
    pub fn card(&self) -> Option<Card> {
        let actions = self.links.clone();
        (!actions.is_empty()).then(|| Card { actions, ..Card::default() })
    }

    fn add_choice(&mut self, id: &str, title: &str) {
        if self.choices.iter().all(|known| known.title != title) {
            self.choices.push(Choice { id: id.to_owned(), title: title.to_owned() });
        }
    }

    /// Reads rows and groups of buttons. A text alone is a button in a keyboard, but not among the members
    /// of an action.
    fn read(&mut self, value: &Value, texts: bool, left: usize) {
        match value {
            _ if left == 0 => {}
            Value::String(text) if texts && !text.trim().is_empty() => self.add_choice(text, text),
            Value::Array(items) => items.iter().for_each(|item| self.read(item, texts, left - 1)),
            Value::Object(members) => self.read_object(members, texts, left),
            _ => {}
        }
    }

    fn read_object(&mut self, members: &Map<String, Value>, texts: bool, left: usize) {
        let Some(title) = text(members, &LABELS) else {
            let groups = members.values().filter(|value| value.is_array() || value.is_object());
            return groups.for_each(|group| self.read(group, texts, left - 1));
        };
        if let Some(url) = text(members, &LINKS).filter(|url| is_link(url)) {
            self.links.push(CardAction::Link { title, url });
        } else {
            let id = text(members, &VALUES).unwrap_or_else(|| title.clone());
            self.add_choice(&id, &title);
        }
    }
}

/// Returns the first of these members that is a text or a number.
fn text(members: &Map<String, Value>, names: &[&str]) -> Option<String> {
    let found = names.iter().filter_map(|name| members.get(*name));
    let mut found = found.filter(|value| value.is_string() || value.is_number());
    found.find_map(|value| LenientText::from(value.clone()).non_blank().map(Into::into))
}

/// Returns whether a text is the address of a web page or file.
pub(crate) fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// Returns the buttons as received, for receivers that know more about them than Trunkline does.
#[must_use]
pub fn raw_buttons(message: &Message) -> Map<String, Value> {
    let members = [("twin_keyboard", &message.keyboard), ("twin_actions", &message.actions)];
    let present = members.into_iter().filter(|(_, value)| match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::String(text) => !text.trim().is_empty(),
        _ => false,
    });
    let texts = present.map(|(name, value)| (name.to_owned(), value.to_string()));
    texts
        .filter(|(_, text)| text.len() <= MAX_RAW)
        .map(|(name, text)| (name, text.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn message(value: Value) -> Message {
        serde_json::from_value(value).unwrap()
    }

    fn choices(value: Value) -> Vec<(String, String)> {
        let buttons = Buttons::of(&message(value));
        buttons.choices.into_iter().map(|choice| (choice.id, choice.title)).collect()
    }

    fn pair(id: &str, title: &str) -> (String, String) {
        (id.into(), title.into())
    }

    /// Shows T23.
    #[test]
    fn answers_keyboards_and_actions_are_choices() {
        let all = json!({
            "answers": ["Order", " ", "Refund"],
            "keyboard": [[{"text": "Refund"}, {"title": "Track", "value": 7}], "Help"],
            "actions": {"a": {"label": "Agent", "payload": "op"}, "type": "x"},
        });
        let expected = [
            pair("Order", "Order"),
            pair("Refund", "Refund"),
            pair("7", "Track"),
            pair("Help", "Help"),
            pair("op", "Agent"),
        ];
        assert_eq!(choices(all), expected);
        let grouped =
            json!({"keyboard": {"buttons": [[{"text": "A"}], [{"text": "B"}]], "inline": true}});
        assert_eq!(choices(grouped), [pair("A", "A"), pair("B", "B")]);
        for none in
            [json!([{"key1": "value1", "key2": "value2"}]), json!("x"), json!(["x"]), json!(7)]
        {
            assert_eq!(choices(json!({"actions": none})), []);
        }
    }

    /// Shows T23.
    #[test]
    fn a_button_with_an_address_is_a_link() {
        let linked = json!({"keyboard": [{"text": "Open", "url": "https://x.example/o"},
                                         {"text": "Odd", "url": "javascript:x"}]});
        let buttons = Buttons::of(&message(linked));
        let link = CardAction::Link { title: "Open".into(), url: "https://x.example/o".into() };
        assert_eq!(buttons.card().unwrap().actions, [link]);
        assert_eq!(buttons.choices.len(), 1);
        assert_eq!(Buttons::default().card(), None);
    }

    /// Shows T23.
    #[test]
    fn buttons_are_passed_on_as_received() {
        let sent = message(json!({"actions": [{"type": "x"}], "keyboard": []}));
        let expected = json!({"twin_actions": r#"[{"type":"x"}]"#});
        assert_eq!(Value::Object(raw_buttons(&sent)), expected);
        let huge = message(json!({"actions": ["x".repeat(MAX_RAW)]}));
        assert!(raw_buttons(&huge).is_empty());
    }

    proptest! {
        #[test]
        fn reading_any_keyboard_never_panics(texts in prop::collection::vec(".{0,8}", 0..5), depth in 0_usize..9) {
            let nested = (0..depth).fold(json!(texts), |inner, level| match level % 2 {
                0 => json!([inner]),
                _ => json!({"rows": inner}),
            });
            let _ = Buttons::of(&message(json!({"keyboard": nested, "actions": nested})));
        }
    }
}
