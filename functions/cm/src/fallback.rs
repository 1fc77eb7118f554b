//! A best guess at what a message of a type says that no public page shows (fact sheet A3.2).

use serde_json::{Map, Value};
use trunkline_shared::model::Media;

use crate::wire::member;

/// Where a text may be, the likeliest first.
const TEXTS: [&str; 5] = ["text", "caption", "title", "label", "name"];
/// Where a file's address may be; the first is what CM.com uses elsewhere (CM-BMP).
const URLS: [&str; 4] = ["mediaUri", "url", "uri", "href"];
const MIME_TYPES: [&str; 3] = ["contentType", "mimeType", "mime"];
const NAMES: [&str; 2] = ["fileName", "filename"];
/// How deep is looked.
const DEEPEST: usize = 6;

/// A text in a message of any type.
pub(crate) fn text(message: &Map<String, Value>) -> Option<String> {
    search(message, &TEXTS, |text| !text.trim().is_empty()).map(|(_, text)| text)
}

/// A file in a message of any type.
pub(crate) fn media(message: &Map<String, Value>) -> Option<Media> {
    let is_url = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    let (object, url) = search(message, &URLS, is_url)?;
    let beside = |names: &[&str]| {
        let found = names.iter().find_map(|name| member(object, name)?.as_str());
        found.filter(|text| !text.trim().is_empty()).map(ToOwned::to_owned)
    };
    Some(Media { url, mime_type: beside(&MIME_TYPES), name: beside(&NAMES) })
}

/// The first fitting text under one of `names`, level by level, and the object that holds it.
fn search<'a>(
    message: &'a Map<String, Value>,
    names: &[&str],
    fits: impl Fn(&str) -> bool,
) -> Option<(&'a Map<String, Value>, String)> {
    let mut level = vec![message];
    for _ in 0..DEEPEST {
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

    fn of(value: Value) -> (Option<String>, Option<Media>) {
        let Value::Object(message) = value else { panic!("an object") };
        (text(&message), media(&message))
    }

    #[test]
    fn the_likeliest_text_is_taken_wherever_it_is() {
        let said = |value| of(value).0;
        assert_eq!(said(json!({"Title": "t", "CAPTION": "c"})).as_deref(), Some("c"));
        assert_eq!(said(json!({"reply": {"label": "Yes"}})).as_deref(), Some("Yes"));
        assert_eq!(
            said(json!({"cards": [{"title": "One"}, {"title": "Two"}]})).as_deref(),
            Some("One")
        );
        assert_eq!(said(json!({"text": " ", "name": "n"})).as_deref(), Some("n"));
        assert_eq!(said(json!({"latitude": 52.1, "text": 7})), None);
    }

    #[test]
    fn a_file_is_an_address_with_what_stands_beside_it() {
        let url = "https://m.example/a.jpg";
        let (text, media) =
            of(json!({"media": {"mediaUri": url, "contentType": "image/jpeg", "title": "A"}}));
        let expected = Media { url: url.into(), mime_type: Some("image/jpeg".into()), name: None };
        assert_eq!((text.as_deref(), media), (Some("A"), Some(expected)));
        let (_, named) = of(json!({"Url": url, "fileName": "a.jpg"}));
        assert_eq!(named.unwrap().name.as_deref(), Some("a.jpg"));
        assert_eq!(of(json!({"url": "tel:1", "href": "javascript:x"})).1, None);
    }
}
