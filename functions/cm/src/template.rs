//! Templates for message types that no public page documents (fact sheet A3.2): JSON with
//! variables.
//!
//! A variable is written `$name` or `{{$name}}` within a JSON string. A string that consists of one
//! variable becomes the variable's value; if that is absent, the member is omitted.

use serde_json::{Map, Value};

use crate::json_repair::variable;

/// The variables of `media_template`.
pub const MEDIA_VARIABLES: &[&str] = &["text", "url", "mimeType", "name", "kind"];
/// The variables of `choices_template`.
pub const CHOICES_VARIABLES: &[&str] = &["text", "choices"];
/// The variables of `choice_template`.
pub const CHOICE_VARIABLES: &[&str] = &["id", "title", "number"];

/// The reason why a template is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A variable that the template does not have.
    #[error("unknown variable '${name}': use ${known}", known = known.join(", $"))]
    UnknownVariable {
        /// The unknown variable.
        name: String,
        /// The variables that the template has.
        known: &'static [&'static str],
    },
    /// The template is not a JSON object.
    #[error("not a JSON object with variables inside its strings: {0}")]
    NotJson(String),
    /// The template has no `$type`; the router rejects a message without one.
    #[error("$type is missing: the router rejects a message without it")]
    MissingType,
}

/// Validates a template. `choice_template` is exempt from `$type`.
///
/// # Errors
/// The first problem that is found.
pub fn check(template: &str, known: &'static [&'static str]) -> Result<(), TemplateError> {
    let object = parse(template)?;
    if known != CHOICE_VARIABLES && !object.get("$type").is_some_and(Value::is_string) {
        return Err(TemplateError::MissingType);
    }
    check_value(&Value::Object(object), known)
}

fn check_value(value: &Value, known: &'static [&'static str]) -> Result<(), TemplateError> {
    match value {
        Value::String(text) => {
            match pieces(text).into_iter().find_map(|piece| piece.unknown(known)) {
                Some(name) => Err(TemplateError::UnknownVariable { name: name.to_owned(), known }),
                None => Ok(()),
            }
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, known)),
        Value::Object(object) => object.values().try_for_each(|value| check_value(value, known)),
        _ => Ok(()),
    }
}

fn parse(template: &str) -> Result<Map<String, Value>, TemplateError> {
    serde_json::from_str(template).map_err(|why| TemplateError::NotJson(why.to_string()))
}

/// Substitutes the values for the variables.
///
/// # Errors
/// If the template is not a JSON object.
pub(crate) fn fill(
    template: &str,
    values: &[(&str, Value)],
) -> Result<Map<String, Value>, TemplateError> {
    let filled = substitute(Value::Object(parse(template)?), values);
    match filled {
        Some(Value::Object(object)) => Ok(object),
        _ => Ok(Map::new()),
    }
}

fn substitute(value: Value, values: &[(&str, Value)]) -> Option<Value> {
    let value_of =
        |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    Some(match value {
        Value::String(text) => match pieces(&text).as_slice() {
            [Piece::Variable(name, _)] => match value_of(name)? {
                Value::Null => return None,
                value => value.clone(),
            },
            pieces => Value::String(pieces.iter().map(|piece| piece.resolve(value_of)).collect()),
        },
        Value::Array(items) => {
            Value::Array(items.into_iter().filter_map(|item| substitute(item, values)).collect())
        }
        Value::Object(object) => {
            let members = object.into_iter();
            members.filter_map(|(key, value)| Some((key, substitute(value, values)?))).collect()
        }
        other => other,
    })
}

/// A piece of a string: a variable's name and its spelling, or the text between variables.
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

    fn resolve<'v>(&self, value_of: impl Fn(&str) -> Option<&'v Value>) -> String {
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
    fn substitutes_values_and_omits_absent_ones() {
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
    fn encodes_the_type_first() {
        let filled = Value::Object(fill(r#"{"$type":"z","a":"$text"}"#, &[]).unwrap());
        assert!(filled.to_string().starts_with(r#"{"$type":"z""#));
    }

    #[test]
    fn check_reports_the_problem() {
        assert_eq!(check(IMAGE, MEDIA_VARIABLES), Ok(()));
        assert_eq!(
            check(r#"{"id":"$id","title":"$number. $title","cost":"5 $"}"#, CHOICE_VARIABLES),
            Ok(())
        );
        let unknown = TemplateError::UnknownVariable { name: "uri".into(), known: MEDIA_VARIABLES };
        assert_eq!(
            check(r#"{"$type":"image","uri":"$uri"}"#, MEDIA_VARIABLES),
            Err(unknown.clone())
        );
        let message = "unknown variable '$uri': use $text, $url, $mimeType, $name, $kind";
        assert_eq!(unknown.to_string(), message);
        assert_eq!(check(r#"{"uri":"$url"}"#, MEDIA_VARIABLES), Err(TemplateError::MissingType));
        for invalid in ["", "[]", r#"{"$type":"image","uri":$url}"#] {
            assert!(
                matches!(check(invalid, MEDIA_VARIABLES), Err(TemplateError::NotJson(_))),
                "{invalid}"
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_templates_never_panic(text in "[\\$\\{\\}a-z é]{0,40}", value in ".{0,10}") {
            let template = json!({"$type": "x", "a": text}).to_string();
            let _ = check(&template, MEDIA_VARIABLES);
            let _ = fill(&template, &[("text", json!(value))]);
        }

        #[test]
        fn values_are_substituted_unchanged(value in ".{0,40}") {
            let filled = fill(r#"{"$type":"x","a":"$text","b":"<$text>"}"#, &[("text", json!(value))]);
            let filled = filled.unwrap();
            prop_assert_eq!(&filled["a"], &json!(value));
            prop_assert_eq!(&filled["b"], &json!(format!("<{value}>")));
        }
    }
}
