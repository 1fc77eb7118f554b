//! Reads a page of the history item by item, so that one item that cannot be read does not hide the others.

use serde_json::Value;
use trunkline_core::json::{from_slice, without_byte_order_mark};
use trunkline_core::model::LenientText;

use crate::lenient_list::LenientList;

/// The member with the messages of a page (`TS` `GET sessions/{id}/messages`).
const ITEMS: &[u8] = b"\"items\"";

/// A page of a session's history.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Page {
    /// The total number of messages of the session, if the page reports it.
    pub(super) count: Option<usize>,
    /// The messages, or what is there instead, with the reason.
    pub(super) items: Vec<Result<Value, BadItem>>,
}

/// An item that is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadItem {
    pub(super) reason: String,
    pub(super) body: Vec<u8>,
}

/// Parses a page: an object with `items` and `count`, or a list of messages. `None`: it is neither.
pub(super) fn parse(body: &[u8]) -> Option<Page> {
    let body = without_byte_order_mark(body);
    let Ok(page) = from_slice::<Value>(body) else { return parse_items(body) };
    match page {
        Value::Array(items) => {
            Some(Page { count: None, items: items.into_iter().map(Ok).collect() })
        }
        Value::Object(mut members) => {
            let count = members.remove("count").map(LenientText::from).unwrap_or_default();
            let count = count.trimmed().parse().ok();
            let items = members.remove("items");
            if items.is_none() && count.is_none() {
                return None;
            }
            let items = LenientList::<Value>::from(items.unwrap_or_default());
            Some(Page { count, items: items.0.into_iter().map(Ok).collect() })
        }
        _ => None,
    }
}

/// Parses the items of a page that is not JSON as a whole: an item is malformed, or the page is cut off.
fn parse_items(body: &[u8]) -> Option<Page> {
    let item = |item: &[u8]| match from_slice(item) {
        Ok(value) => Ok(value),
        Err(why) => {
            Err(BadItem { reason: format!("the item is not JSON: {why}"), body: item.to_vec() })
        }
    };
    let items = split(body)?;
    Some(Page { count: None, items: items.into_iter().map(item).collect() })
}

/// Follows the structure of a JSON text, byte by byte.
#[derive(Debug, Default)]
struct Scanner {
    in_text: bool,
    escaped: bool,
    depth: usize,
}

impl Scanner {
    /// Takes the next byte. Returns whether it belongs to the structure: it is neither in a text nor the end
    /// of one.
    fn take(&mut self, byte: u8) -> bool {
        if self.in_text {
            self.in_text = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return false;
        }
        match byte {
            b'"' => self.in_text = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        true
    }
}

/// Splits the list of a page into its items. The last one may be cut off.
fn split(body: &[u8]) -> Option<Vec<&[u8]>> {
    let mut items = Vec::new();
    let mut start = start_of_items(body)?;
    let mut scanner = Scanner { depth: 1, ..Scanner::default() };
    let mut add = |from: usize, to: usize| {
        let item = body[from..to].trim_ascii();
        if !item.is_empty() {
            items.push(item);
        }
    };
    for (at, byte) in body.iter().copied().enumerate().skip(start) {
        let is_structure = scanner.take(byte);
        if is_structure && scanner.depth == 0 {
            add(start, at);
            return Some(items);
        }
        if is_structure && scanner.depth == 1 && byte == b',' {
            add(start, at);
            start = at + 1;
        }
    }
    add(start, body.len());
    Some(items)
}

/// Returns the position after the bracket that opens the list.
fn start_of_items(body: &[u8]) -> Option<usize> {
    let indent = body.len() - body.trim_ascii_start().len();
    if body.get(indent) == Some(&b'[') {
        return Some(indent + 1);
    }
    let mut scanner = Scanner::default();
    for (at, byte) in body.iter().copied().enumerate() {
        let is_structure = scanner.take(byte);
        if is_structure && scanner.depth == 1 && byte == b'"' && body[at..].starts_with(ITEMS) {
            let rest = body[at + ITEMS.len()..].trim_ascii_start().strip_prefix(b":");
            let list = rest.and_then(|rest| rest.trim_ascii_start().strip_prefix(b"["));
            if let Some(list) = list {
                return Some(body.len() - list.len());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(body: &str) -> Vec<Option<Value>> {
        parse(body.as_bytes()).unwrap().items.into_iter().map(Result::ok).collect()
    }

    /// Shows input 9.
    #[test]
    fn one_bad_item_does_not_hide_the_others() {
        let good = [Some(json!({"id": "1"})), None, Some(json!({"id": "3"}))];
        for bad in [
            r#"{"id":"2","body":"\x"}"#,
            r#"{"id":2,"n":1e999}"#,
            "{\"id\":\"2\",\"body\":\"a\nb\"}",
            r#"{"id":"2","items":["#,
        ] {
            let page =
                format!(r#" {{"count":3,"items" : [{{"id":"1"}}, {bad},{{"id":"3"}}],"x":1}}"#);
            let found = read(&page);
            // An item with an open bracket takes the rest with it.
            let expected = if bad.ends_with('[') { &good[..2] } else { &good[..] };
            assert_eq!(found, expected, "{bad}");
        }
        let surrogate = r#"{"count":1,"items":[{"id":"2","body":"ok \ud83d"}]}"#;
        assert_eq!(read(surrogate), [Some(json!({"id": "2", "body": "ok \u{fffd}"}))]);
    }

    /// Shows input 9.
    #[test]
    fn a_page_that_is_cut_off_keeps_its_whole_items() {
        let page = r#"{"name":"\"items\":[","items":[{"id":"1","body":"a, ] }"},{"id":"2","bo"#;
        let parsed = parse(page.as_bytes()).unwrap();
        assert_eq!(parsed.count, None);
        assert_eq!(parsed.items[0], Ok(json!({"id": "1", "body": "a, ] }"})));
        let bad = parsed.items[1].clone().unwrap_err();
        assert!(bad.reason.contains("not JSON"), "{}", bad.reason);
        assert_eq!(bad.body, br#"{"id":"2","bo"#);
        assert_eq!(read(r#"[{"id":"1"},{"#), [Some(json!({"id": "1"})), None]);
    }

    #[test]
    fn reads_lists_and_maps_and_refuses_what_is_no_page() {
        assert_eq!(read(r#"[{"id":"1"}]"#), [Some(json!({"id": "1"}))]);
        assert_eq!(read(r#"{"count":0,"items":[]}"#), []);
        assert_eq!(read(r#"{"count":"0"}"#), []);
        assert_eq!(read("\u{feff}{\"count\":1,\"items\":{\"0\":7}}"), [Some(json!(7))]);
        for bad in ["", "<html>", "7", r#"{"message":"no"}"#, r#"{"items":"#] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_cut_of_a_page_keeps_the_items_before_it(
            texts in prop::collection::vec(".{0,6}", 0..6), cut in any::<prop::sample::Index>()
        ) {
            let items: Vec<Value> = texts.iter().map(|text| json!({"id": text})).collect();
            let page = json!({"items": items}).to_string();
            let cut = cut.index(page.len() + 1);
            if let Some(parsed) = parse(&page.as_bytes()[..cut]) {
                let found: Vec<_> = parsed.items.into_iter().filter_map(Result::ok).collect();
                prop_assert_eq!(&found[..], &items[..found.len()]);
            }
        }

        #[test]
        fn parsing_never_panics(body in "[\\[\\]{}\",:\\\\a-i \\PC]{0,60}") {
            let _ = parse(body.as_bytes());
            let _ = split(body.as_bytes());
        }
    }
}
