//! Parses `Media` in every shape that is plausible: the vendor's page only shows an empty string.

use serde_json::{Map, Value};
use trunkline_core::model::Media;

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
        && let Ok(listed) = serde_json::from_str(text)
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
    let field = |names: &[&str]| {
        let found = object.iter().find(|(key, _)| {
            let key = key.replace(['_', '-'], "").to_lowercase();
            names.contains(&key.as_str())
        });
        found.and_then(|(_, value)| value.as_str()).map(str::trim).filter(|text| !text.is_empty())
    };
    let Some(url) = field(&["url", "mediaurl", "mediauri", "uri", "href", "link"]) else {
        return Vec::new();
    };
    vec![Media {
        url: url.to_owned(),
        mime_type: field(&["mimetype", "contenttype", "type"]).map(Into::into),
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
        assert_eq!(urls(&json!("[broken")), ["[broken"], "kept as received, not lost");
    }
}
