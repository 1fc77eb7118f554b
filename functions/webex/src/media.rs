//! Parses `Media` in every shape that is plausible: the vendor's page only shows an empty string.

use serde_json::{Map, Value};
use trunkline_core::json;
use trunkline_core::model::Media;

use crate::wire::normalized;

/// The MIME types of files that networks exchange, by extension.
const MIME_TYPES: [(&str, &str); 23] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("mp4", "video/mp4"),
    ("3gp", "video/3gpp"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("aac", "audio/aac"),
    ("amr", "audio/amr"),
    ("m4a", "audio/mp4"),
    ("wav", "audio/wav"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("zip", "application/zip"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
];

/// Returns the MIME type that the extension of a file's URL stands for.
#[must_use]
pub(crate) fn mime_type(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    let extension = extension.to_lowercase();
    MIME_TYPES.iter().find(|(known, _)| *known == extension).map(|(_, mime_type)| *mime_type)
}

/// Returns the files in a `Media` value: a URL, several URLs in one string, a JSON string that
/// lists URLs or attachments (as Webex Connect's other webhooks send), or the same as a JSON value.
#[must_use]
pub(crate) fn parse(value: &Value) -> Vec<Media> {
    match value {
        Value::String(text) => from_text(text),
        Value::Array(items) => items.iter().flat_map(parse).collect(),
        Value::Object(object) => from_object(object),
        _ => Vec::new(),
    }
}

fn from_text(text: &str) -> Vec<Media> {
    let text = text.trim();
    if text.starts_with(['[', '{'])
        && let Ok(listed) = json::from_slice::<Value>(text.as_bytes())
    {
        // Only one level of JSON within a string is parsed.
        return match &listed {
            Value::Array(items) => items.iter().flat_map(parse_entry).collect(),
            other => parse_entry(other),
        };
    }
    let parts = text.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
    let urls: Vec<_> = parts.filter(|part| part.contains("://")).flat_map(media_from_url).collect();
    if urls.is_empty() { media_from_url(text) } else { urls }
}

fn parse_entry(value: &Value) -> Vec<Media> {
    match value {
        Value::String(url) => media_from_url(url),
        Value::Object(object) => from_object(object),
        _ => Vec::new(),
    }
}

fn from_object(object: &Map<String, Value>) -> Vec<Media> {
    // Several spellings may occur, some of them empty.
    let field = |names: &[&str]| {
        let of_name = |name: &&str| {
            let mut found = object.iter().filter(|(key, _)| normalized(key) == **name);
            found
                .find_map(|(_, value)| Some(value.as_str()?.trim()).filter(|text| !text.is_empty()))
        };
        names.iter().find_map(of_name)
    };
    let Some(url) = field(&["url", "mediaurl", "mediauri", "uri", "href", "link"]) else {
        return Vec::new();
    };
    let mime_type = field(&["mimetype", "contenttype", "type"]);
    vec![Media {
        url: url.to_owned(),
        // `type` may be a kind, such as `image`.
        mime_type: mime_type.filter(|kind| kind.contains('/')).map(Into::into),
        name: field(&["filename", "name", "title"]).map(Into::into),
        ..Media::default()
    }]
}

fn media_from_url(text: &str) -> Vec<Media> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    vec![Media { url: text.to_owned(), mime_type: None, name: None, ..Media::default() }]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn urls(value: &Value) -> Vec<String> {
        parse(value).into_iter().map(|media| media.url).collect()
    }

    #[test]
    fn parses_every_shape() {
        let (a, b) = ("https://m.example/a.jpg", "https://m.example/b.pdf");
        assert_eq!(urls(&json!("")), Vec::<String>::new());
        assert_eq!(urls(&json!(null)), Vec::<String>::new());
        assert_eq!(urls(&json!(a)), [a]);
        assert_eq!(urls(&json!(format!("{a}, {b}"))), [a, b]);
        assert_eq!(urls(&json!(format!("[\"{a}\",\"{b}\"]"))), [a, b]);
        assert_eq!(urls(&json!([a, b])), [a, b]);
        assert_eq!(urls(&json!({"url": a})), [a]);
        let listed = format!("[{{\"mime_type\":\"image/jpeg\",\"url\":\"{a}\"}}]");
        let expected = Media {
            url: a.into(),
            mime_type: Some("image/jpeg".into()),
            name: None,
            ..Media::default()
        };
        for value in [json!(listed), json!([{"mimeType": "image/jpeg", "URL": a}])] {
            assert_eq!(parse(&value), std::slice::from_ref(&expected), "{value}");
        }
        let spellings = json!({"url": "", "media_url": a, "mimetype": null, "type": "image"});
        let plain = Media { url: a.into(), ..Media::default() };
        assert_eq!(parse(&spellings), [plain], "the spelling with a value");
        assert_eq!(urls(&json!("[broken")), ["[broken"], "kept as received, not lost");
    }

    #[test]
    fn an_extension_stands_for_a_mime_type() {
        assert_eq!(mime_type("https://m.example/a.b/C.JPG?x=y.png"), Some("image/jpeg"));
        assert_eq!(mime_type("https://m.example/a.pdf/b"), None);
        assert_eq!(mime_type("https://m.example/a.unknown"), None);
    }
}
