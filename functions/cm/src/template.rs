//! The operator's own message types: JSON with variables, for no public page shows the vendor's (fact
//! sheet A3.2).
//!
//! A variable is written `$name` or `{{$name}}` within a text of the JSON. A text that is nothing but a
//! variable becomes the variable's value, and is left out with its member where there is none.

use serde_json::{Map, Value};

use crate::lenient::variable;

/// The variables of `media_template`.
pub const MEDIA: &[&str] = &["text", "url", "mimeType", "name"];
/// The variables of `choices_template`.
pub const CHOICES: &[&str] = &["text", "choices"];
/// The variables of `choice_template`.
pub const CHOICE: &[&str] = &["id", "title", "number"];

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// A variable that is not one of its own.
    #[error("there is no variable '${name}' here: use ${known}", known = known.join(", $"))]
    Variable {
        /// The variable.
        name: String,
        /// Those that there are.
        known: &'static [&'static str],
    },
    /// It is no JSON object.
    #[error("it is not a JSON object, with variables within its texts: {0}")]
    NotJson(String),
    /// A message of no type, which the router refuses.
    #[error("it has no $type, without which the router refuses a message")]
    NoType,
}

/// Checks a template. A choice's has no type of its own.
///
/// # Errors
/// What is wrong with it.
pub fn check(template: &str, known: &'static [&'static str]) -> Result<(), BadTemplate> {
    let object = read(template)?;
    if known != CHOICE && !object.get("$type").is_some_and(Value::is_string) {
        return Err(BadTemplate::NoType);
    }
    check_value(&Value::Object(object), known)
}

fn check_value(value: &Value, known: &'static [&'static str]) -> Result<(), BadTemplate> {
    match value {
        Value::String(text) => {
            match pieces(text).into_iter().find_map(|piece| piece.unknown(known)) {
                Some(name) => Err(BadTemplate::Variable { name: name.to_owned(), known }),
                None => Ok(()),
            }
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, known)),
        Value::Object(object) => object.values().try_for_each(|value| check_value(value, known)),
        _ => Ok(()),
    }
}

fn read(template: &str) -> Result<Map<String, Value>, BadTemplate> {
    serde_json::from_str(template).map_err(|why| BadTemplate::NotJson(why.to_string()))
}

/// Puts the values in.
///
/// # Errors
/// If the template is not one.
pub(crate) fn fill(
    template: &str,
    values: &[(&str, Value)],
) -> Result<Map<String, Value>, BadTemplate> {
    let filled = filled(Value::Object(read(template)?), values);
    match filled {
        Some(Value::Object(object)) => Ok(object),
        _ => Ok(Map::new()),
    }
}

fn filled(value: Value, values: &[(&str, Value)]) -> Option<Value> {
    let value_of =
        |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    Some(match value {
        Value::String(text) => match pieces(&text).as_slice() {
            [Piece::Variable(name, _)] => match value_of(name)? {
                Value::Null => return None,
                value => value.clone(),
            },
            pieces => Value::String(pieces.iter().map(|piece| piece.with(value_of)).collect()),
        },
        Value::Array(items) => {
            Value::Array(items.into_iter().filter_map(|item| filled(item, values)).collect())
        }
        Value::Object(object) => {
            let members = object.into_iter();
            members.filter_map(|(key, value)| Some((key, filled(value, values)?))).collect()
        }
        other => other,
    })
}

/// A piece of a text: a variable with how it was written, or what is between.
enum Piece<'a> {
    Variable(&'a str, &'a str),
    Plain(&'a str),
}

impl<'a> Piece<'a> {
    fn unknown(&self, known: &[&str]) -> Option<&'a str> {
        match self {
            Self::Variable(name, _) if !known.contains(name) => Some(name),
            _ => None,
        }
    }

    fn with<'v>(&self, value_of: impl Fn(&str) -> Option<&'v Value>) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Variable(name, written) => match value_of(name) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) => String::new(),
                Some(other) => other.to_string(),
                None => (*written).to_owned(),
            },
        }
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some((name, after)) = variable(&text[at..]) {
            if plain < at {
                pieces.push(Piece::Plain(&text[plain..at]));
            }
            let end = text.len() - after.len();
            pieces.push(Piece::Variable(name, &text[at..end]));
            (plain, at) = (end, end);
        } else {
            at += c.len_utf8();
        }
    }
    if plain < at {
        pieces.push(Piece::Plain(&text[plain..at]));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const IMAGE: &str = r#"{"$type":"image","file":{"uri":"$url","mime":"$mimeType"},"title":"See {{$name}}: $text!"}"#;

    #[test]
    fn values_are_put_in_and_what_is_absent_is_left_out() {
        let values = [
            ("url", json!("u\"1")),
            ("mimeType", Value::Null),
            ("name", json!("n")),
            ("text", json!("t")),
        ];
        let filled = Value::Object(fill(IMAGE, &values).unwrap());
        assert_eq!(
            filled,
            json!({"$type": "image", "file": {"uri": "u\"1"}, "title": "See n: t!"})
        );
        let list =
            fill(r#"{"$type":"list","items":"$choices"}"#, &[("choices", json!([{"id": 1}]))]);
        assert_eq!(list.unwrap()["items"], json!([{"id": 1}]));
    }

    #[test]
    fn the_type_comes_first_in_what_is_written() {
        let filled = Value::Object(fill(r#"{"$type":"z","a":"$text"}"#, &[]).unwrap());
        assert!(filled.to_string().starts_with(r#"{"$type":"z""#));
    }

    #[test]
    fn what_is_wrong_with_a_template_is_said() {
        assert_eq!(check(IMAGE, MEDIA), Ok(()));
        assert_eq!(check(r#"{"id":"$id","title":"$number. $title","cost":"5 $"}"#, CHOICE), Ok(()));
        let unknown = BadTemplate::Variable { name: "uri".into(), known: MEDIA };
        assert_eq!(check(r#"{"$type":"image","uri":"$uri"}"#, MEDIA), Err(unknown.clone()));
        let said = "there is no variable '$uri' here: use $text, $url, $mimeType, $name";
        assert_eq!(unknown.to_string(), said);
        assert_eq!(check(r#"{"uri":"$url"}"#, MEDIA), Err(BadTemplate::NoType));
        for no_object in ["", "[]", r#"{"$type":"image","uri":$url}"#] {
            assert!(matches!(check(no_object, MEDIA), Err(BadTemplate::NotJson(_))), "{no_object}");
        }
    }

    proptest! {
        #[test]
        fn no_template_makes_it_panic(text in "[\\$\\{\\}a-z é]{0,40}", value in ".{0,10}") {
            let template = json!({"$type": "x", "a": text}).to_string();
            let _ = check(&template, MEDIA);
            let _ = fill(&template, &[("text", json!(value))]);
        }

        #[test]
        fn a_value_comes_through_whole(value in ".{0,40}") {
            let filled = fill(r#"{"$type":"x","a":"$text","b":"<$text>"}"#, &[("text", json!(value))]);
            let filled = filled.unwrap();
            prop_assert_eq!(&filled["a"], &json!(value));
            prop_assert_eq!(&filled["b"], &json!(format!("<{value}>")));
        }
    }
}
