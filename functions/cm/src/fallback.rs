//! Finds text and media in messages of undocumented types, as a best guess (fact sheet A3.2).

use serde_json::{Map, Value};
use trunkline_core::model::Media;

use crate::wire::member;

/// Members that may hold a text, most likely first.
const TEXT_MEMBERS: [&str; 5] = ["text", "caption", "title", "label", "name"];
/// Members that may hold a file's URL. The first is what CM.com uses elsewhere (CM-BMP).
const URL_MEMBERS: [&str; 4] = ["mediaUri", "url", "uri", "href"];
const MIME_TYPE_MEMBERS: [&str; 3] = ["contentType", "mimeType", "mime"];
const FILE_NAME_MEMBERS: [&str; 2] = ["fileName", "filename"];
/// Maximum search depth, in levels.
const MAX_DEPTH: usize = 6;

/// Finds a text in a message of any type.
pub(crate) fn text(message: &Map<String, Value>) -> Option<String> {
    search(message, &TEXT_MEMBERS, |text| !text.trim().is_empty()).map(|(_, text)| text)
}

/// Finds a file in a message of any type.
pub(crate) fn media(message: &Map<String, Value>) -> Option<Media> {
    let is_url = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    let (object, url) = search(message, &URL_MEMBERS, is_url)?;
    let sibling = |names: &[&str]| {
        let found = names.iter().find_map(|name| member(object, name)?.as_str());
        found.filter(|text| !text.trim().is_empty()).map(ToOwned::to_owned)
    };
    Some(Media {
        url,
        mime_type: sibling(&MIME_TYPE_MEMBERS),
        name: sibling(&FILE_NAME_MEMBERS),
        ..Media::default()
    })
}

/// Finds the first string under one of `names` that fits, breadth first, and the object that holds
/// it.
fn search<'a>(
    message: &'a Map<String, Value>,
    names: &[&str],
    fits: impl Fn(&str) -> bool,
) -> Option<(&'a Map<String, Value>, String)> {
    let mut level = vec![message];
    for _ in 0..MAX_DEPTH {
        for object in &level {
            let texts = names.iter().filter_map(|name| member(object, name)?.as_str());
            if let Some(found) = texts.map(str::trim).find(|text| fits(text)) {
                return Some((object, found.to_owned()));
            }
        }
        level = level.iter().flat_map(|object| object.values()).flat_map(objects).collect();
    }
    None
}

fn objects(value: &Value) -> Vec<&Map<String, Value>> {
    match value {
        Value::Object(object) => vec![object],
        Value::Array(items) => items.iter().filter_map(Value::as_object).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found_in(value: Value) -> (Option<String>, Option<Media>) {
        let Value::Object(message) = value else { panic!("an object") };
        (text(&message), media(&message))
    }

    #[test]
    fn finds_the_most_likely_text_at_any_depth() {
        let text_of = |value| found_in(value).0;
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
            json!({"media": {"mediaUri": url, "contentType": "image/jpeg", "title": "A"}}),
        );
        let expected = Media {
            url: url.into(),
            mime_type: Some("image/jpeg".into()),
            name: None,
            ..Media::default()
        };
        assert_eq!((text.as_deref(), media), (Some("A"), Some(expected)));
        let (_, named) = found_in(json!({"Url": url, "fileName": "a.jpg"}));
        assert_eq!(named.unwrap().name.as_deref(), Some("a.jpg"));
        assert_eq!(found_in(json!({"url": "tel:1", "href": "javascript:x"})).1, None);
    }
}
