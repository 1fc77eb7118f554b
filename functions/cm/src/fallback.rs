//! Finds content in messages of undocumented types, as a best guess (fact sheet A3.2). The names of members are our
//! assumption: those of CM.com's other APIs and of the networks behind them.

use serde_json::{Map, Value};
use trunkline_core::json::member;
use trunkline_core::model::{Card, CardAction, Choice, Contact, Content, Location, Media};

use crate::wire::text;

type Object = Map<String, Value>;

/// Members that may hold a text, most likely first.
const TEXT_MEMBERS: [&str; 5] = ["text", "caption", "title", "label", "name"];
/// Members that may hold a file's URL. The first is what CM.com uses elsewhere (CM-BMP).
const URL_MEMBERS: [&str; 4] = ["mediaUri", "url", "uri", "href"];
const MIME_TYPE_MEMBERS: [&str; 3] = ["contentType", "mimeType", "mime"];
const FILE_NAME_MEMBERS: [&str; 2] = ["fileName", "filename"];
/// Lists that may hold what the reader can do.
const ACTION_LISTS: [&str; 7] =
    ["suggestions", "quickReplies", "options", "choices", "buttons", "actions", "rows"];
const ACTION_TITLE_MEMBERS: [&str; 3] = ["label", "title", "text"];
const ACTION_ID_MEMBERS: [&str; 4] = ["postbackData", "payload", "id", "value"];
/// Maximum search depth, in levels.
const MAX_DEPTH: usize = 6;
/// How many objects of a message are searched.
const MAX_OBJECTS: usize = 500;

/// Finds the content of a message of any type.
pub(crate) fn content(message: &Object) -> Content {
    let (content_objects, action_objects) = objects(message);
    let all = || content_objects.iter().copied();
    let (mut choices, mut links) = (Vec::new(), Vec::new());
    for action in action_objects {
        match parse_action(action) {
            Some(CardAction::Reply(choice)) => choices.push(choice),
            Some(link) => links.push(link),
            None => {}
        }
    }
    let contact = all().find_map(contact);
    let location = all().find_map(location);
    let is_place = |object: &&Object| location.is_some() && location_of(object).is_some();
    let is_person = |object: &&Object| contact.is_some() && member(object, "phones").is_some();
    Content {
        // The name of a place or a person is not the text of the message.
        text: all()
            .filter(|o| !is_place(o) && !is_person(o))
            .find_map(|o| first_text(o, &TEXT_MEMBERS)),
        media: all().filter_map(media).collect(),
        cards: (!links.is_empty())
            .then(|| Card { actions: links, ..Card::default() })
            .into_iter()
            .collect(),
        location: location.map(Box::new),
        contact: contact.map(Box::new),
        choices,
        ..Content::default()
    }
}

/// Finds the id of a selected choice in the member of this name, and its label. The id of the message is no such
/// id.
pub(crate) fn picked(message: &Object, name: &str) -> Option<(String, Option<String>)> {
    let (content_objects, action_objects) = objects(message);
    let is_message = |object: &Object| std::ptr::eq(object, message);
    let is_message_id = |object: &Object| is_message(object) && name.eq_ignore_ascii_case("id");
    let all = content_objects.into_iter().chain(action_objects);
    let mut found = all.filter(|object| !is_message_id(object)).filter_map(|object| {
        Some((text(object, &[name])?, first_text(object, &ACTION_TITLE_MEMBERS)))
    });
    let (id, label) = found.next()?;
    Some((id, label.or_else(|| content(message).text)))
}

/// Returns the objects in a message, breadth first: those with content, and the items of lists of actions.
fn objects(message: &Object) -> (Vec<&Object>, Vec<&Object>) {
    let (mut found, mut actions) = (Vec::new(), Vec::new());
    let mut level = vec![message];
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for (name, value) in level.iter().flat_map(|object| object.iter()) {
            let is_action = ACTION_LISTS.iter().any(|list| list.eq_ignore_ascii_case(name));
            match value {
                Value::Object(object) => next.push(object),
                Value::Array(items) if is_action => {
                    actions.extend(items.iter().filter_map(Value::as_object));
                }
                Value::Array(items) => next.extend(items.iter().filter_map(Value::as_object)),
                _ => {}
            }
        }
        found.append(&mut level);
        level = next;
        if found.len() + level.len() > MAX_OBJECTS {
            break;
        }
    }
    (found, actions)
}

fn first_text(object: &Object, names: &[&str]) -> Option<String> {
    let texts = names.iter().filter_map(|name| member(object, name)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty()).map(ToOwned::to_owned)
}

fn url(object: &Object) -> Option<String> {
    let urls = URL_MEMBERS.iter().filter_map(|name| member(object, name)?.as_str());
    let is_url = |text: &&str| text.starts_with("https://") || text.starts_with("http://");
    urls.map(str::trim).find(is_url).map(ToOwned::to_owned)
}

fn media(object: &Object) -> Option<Media> {
    let (mime_type, name) =
        (first_text(object, &MIME_TYPE_MEMBERS), first_text(object, &FILE_NAME_MEMBERS));
    Some(Media { url: url(object)?, mime_type, name, ..Media::default() })
}

fn parse_action(object: &Object) -> Option<CardAction> {
    // Some networks nest the reply: {"type": "reply", "reply": {"id": …, "title": …}}.
    let nested = member(object, "reply").and_then(Value::as_object);
    let object = nested.unwrap_or(object);
    let title = first_text(object, &ACTION_TITLE_MEMBERS)?;
    if let Some(url) = url(object) {
        return Some(CardAction::Link { title, url });
    }
    let id = first_text(object, &ACTION_ID_MEMBERS).unwrap_or_else(|| title.clone());
    Some(CardAction::Reply(Choice { id, title }))
}

fn location_of(object: &Object) -> Option<Location> {
    let number = |names: [&str; 3]| {
        let mut found = names.iter().filter_map(|name| member(object, name));
        found.find_map(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()))
    };
    Location::new(number(["latitude", "lat", "y"])?, number(["longitude", "lng", "lon"])?)
}

fn location(object: &Object) -> Option<Location> {
    let place = location_of(object)?;
    let name = first_text(object, &["name", "label", "title"]);
    Some(Location { name, address: first_text(object, &["address"]), ..place })
}

/// Returns a contact: an object with telephone numbers or email addresses.
fn contact(object: &Object) -> Option<Contact> {
    let texts = |list: &str, names: &[&str]| -> Vec<String> {
        let items = member(object, list).and_then(Value::as_array);
        let text = |item: &Value| match item {
            Value::String(text) => Some(text.clone()),
            Value::Object(object) => first_text(object, names),
            _ => None,
        };
        items.into_iter().flatten().filter_map(text).collect()
    };
    let (phones, emails) =
        (texts("phones", &["phone", "number", "wa_id"]), texts("emails", &["email", "address"]));
    if phones.is_empty() && emails.is_empty() {
        return None;
    }
    let nested = |list: &str, names: &[&str]| {
        let value = member(object, list)?;
        value.as_str().map(ToOwned::to_owned).or_else(|| first_text(value.as_object()?, names))
    };
    Some(Contact {
        name: nested("name", &["formattedName", "formatted_name", "firstName", "first_name"]),
        organization: nested("organization", &["company", "name"])
            .or_else(|| nested("org", &["company", "name"])),
        phones,
        emails,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn content_of(value: &Value) -> Content {
        content(value.as_object().unwrap())
    }

    fn found_in(value: &Value) -> (Option<String>, Option<Media>) {
        let content = content_of(value);
        (content.text, content.media.into_iter().next())
    }

    #[test]
    fn finds_the_most_likely_text_at_any_depth() {
        let text_of = |value: Value| found_in(&value).0;
        assert_eq!(text_of(json!({"Title": "t", "CAPTION": "c"})).as_deref(), Some("c"));
        assert_eq!(text_of(json!({"reply": {"label": "Yes"}})).as_deref(), Some("Yes"));
        assert_eq!(
            text_of(json!({"cards": [{"title": "One"}, {"title": "Two"}]})).as_deref(),
            Some("One")
        );
        assert_eq!(text_of(json!({"text": " ", "name": "n"})).as_deref(), Some("n"));
        assert_eq!(text_of(json!({"latitude": 52.1, "text": 7})), None);
    }

    #[test]
    fn finds_a_file_with_its_sibling_members() {
        let url = "https://m.example/a.jpg";
        let (text, media) = found_in(
            &json!({"media": {"mediaUri": url, "contentType": "image/jpeg", "title": "A"}}),
        );
        let expected = Media {
            url: url.into(),
            mime_type: Some("image/jpeg".into()),
            name: None,
            ..Media::default()
        };
        assert_eq!((text.as_deref(), media), (Some("A"), Some(expected)));
        let (_, named) = found_in(&json!({"Url": url, "fileName": "a.jpg"}));
        assert_eq!(named.unwrap().name.as_deref(), Some("a.jpg"));
        assert_eq!(found_in(&json!({"url": "tel:1", "href": "javascript:x"})).1, None);
    }

    #[test]
    fn finds_every_file() {
        let files = json!({"items": [{"url": "https://m.example/a"}, {"url": "https://m.example/b"}],
            "attachment": {"uri": "https://m.example/c", "fileName": "c.pdf"}});
        let urls: Vec<_> = content_of(&files).media.into_iter().map(|file| file.url).collect();
        assert_eq!(urls, ["https://m.example/c", "https://m.example/a", "https://m.example/b"]);
    }

    #[test]
    fn finds_choices_and_links() {
        let message = json!({"$type": "options", "text": "Which?", "suggestions": [
            {"action": "reply", "label": "Red", "postbackData": "R"},
            {"type": "reply", "reply": {"id": "B", "title": "Blue"}},
            {"label": "Other"},
            {"label": "Shop", "url": "https://shop.example"},
            {"image": "x"}]});
        let content = content_of(&message);
        let choice = |id: &str, title: &str| Choice { id: id.into(), title: title.into() };
        let expected = [choice("R", "Red"), choice("B", "Blue"), choice("Other", "Other")];
        assert_eq!(content.choices, expected);
        let link = CardAction::Link { title: "Shop".into(), url: "https://shop.example".into() };
        assert_eq!(content.cards[0].actions, [link]);
        assert_eq!((content.text.as_deref(), content.media.len()), (Some("Which?"), 0));
    }

    #[test]
    fn finds_the_id_of_a_selected_choice() {
        let of = |message: Value, name: &str| picked(message.as_object().unwrap(), name);
        let red = || Some(("R".to_owned(), Some("Red".to_owned())));
        let flat = json!({"$type": "reply", "id": "m-1", "label": "Red", "postbackData": "R"});
        assert_eq!(of(flat.clone(), "PostbackData"), red());
        assert_eq!(of(flat.clone(), "id"), None, "the id of the message");
        assert_eq!(of(flat, "payload"), None);
        let nested = json!({"id": "m-1", "reply": {"id": "R", "title": "Red"}});
        assert_eq!(of(nested, "id"), red());
        let apart = json!({"text": "Red", "context": {"payload": "R"}});
        assert_eq!(of(apart, "payload"), red());
        assert_eq!(of(json!({"text": "Red", "payload": " "}), "payload"), None);
    }

    #[test]
    fn finds_a_location_and_a_contact() {
        let place = json!({"location": {"latitude": 52.1, "longitude": "5.1", "name": "Office",
            "address": "Main Street 1"}});
        let content = content_of(&place);
        let (name, address) = (Some("Office".into()), Some("Main Street 1".into()));
        let expected = Location { name, address, ..Location::new(52.1, 5.1).unwrap() };
        assert_eq!((content.location.as_deref(), content.text), (Some(&expected), None));
        assert_eq!(content_of(&json!({"latitude": 91, "longitude": 5})).location, None);
        let person = json!({"contacts": [{"name": {"formatted_name": "Ada L"}, "org": {"company": "AE"},
            "phones": [{"phone": "+44 1"}], "emails": ["a@x.example"]}]});
        let expected = Contact {
            name: Some("Ada L".into()),
            organization: Some("AE".into()),
            phones: vec!["+44 1".into()],
            emails: vec!["a@x.example".into()],
        };
        let content = content_of(&person);
        assert_eq!((content.contact.as_deref(), content.text), (Some(&expected), None));
    }
}
