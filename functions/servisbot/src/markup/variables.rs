//! The values of `${name}` in a markup, which may come unresolved with a `context` (SL, SX).

use serde_json::{Map, Value};

use super::Node;

/// How much may be put in for names, in bytes: a short name can stand for a long value many times.
const MAX_PUT_IN: usize = 100_000;

/// The element with the values of all names that the context knows. This is done to what was read, so
/// no value becomes markup.
pub(super) fn resolved(node: &Node, context: &Map<String, Value>) -> Node {
    if context.is_empty() {
        return node.clone();
    }
    all(node, context, &mut MAX_PUT_IN.clone())
}

fn all(node: &Node, context: &Map<String, Value>, left: &mut usize) -> Node {
    let attributes = node.attributes.iter();
    Node {
        name: node.name.clone(),
        attributes: attributes
            .map(|(name, value)| (name.clone(), put_in(value, context, left)))
            .collect(),
        content: put_in(&node.content, context, left),
        children: node.children.iter().map(|child| all(child, context, left)).collect(),
    }
}

/// A text with the values of `${name}` and `$!{name}`. A name that is not known stays as it is written,
/// with `!` it goes.
fn put_in(text: &str, context: &Map<String, Value>, left: &mut usize) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        written.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((name, is_quiet, length)) = reference(rest) else {
            written.push('$');
            rest = &rest[1..];
            continue;
        };
        match value(name, context) {
            Some(value) if value.len() <= *left => {
                *left -= value.len();
                written.push_str(&value);
            }
            None if is_quiet => {}
            _ => written.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    written.push_str(rest);
    written
}

/// A reference at the beginning of a text: its name, whether it is quiet, and its length.
fn reference(text: &str) -> Option<(&str, bool, usize)> {
    let (is_quiet, inner) = match text.strip_prefix("$!{") {
        Some(inner) => (true, inner),
        None => (false, text.strip_prefix("${")?),
    };
    let name = &inner[..inner.find('}')?];
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_name = !name.is_empty() && name.chars().all(fits);
    is_name.then_some((name, is_quiet, text.len() - inner.len() + name.len() + 1))
}

fn value(name: &str, context: &Map<String, Value>) -> Option<String> {
    let mut parts = name.split('.');
    let first = context.get(parts.next()?)?;
    match parts.try_fold(first, |found, part| found.get(part))? {
        Value::String(text) => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn context() -> Map<String, Value> {
        let Value::Object(context) = json!({
            "name": "Noor", "age": 41, "vip": true, "order": {"id": "48121"},
            "deep": {"of": {"all": "x"}}, "markup": "<b>${name}</b>", "nothing": null,
        }) else {
            unreachable!()
        };
        context
    }

    fn filled(text: &str) -> String {
        put_in(text, &context(), &mut MAX_PUT_IN.clone())
    }

    #[test]
    fn names_get_their_values_once() {
        assert_eq!(filled("Hello ${name}, ${age}, ${vip}!"), "Hello Noor, 41, true!");
        assert_eq!(filled("${order.id} ${deep.of.all}"), "48121 x");
        assert_eq!(filled("${markup}"), "<b>${name}</b>", "a value is not looked into");
    }

    #[test]
    fn what_is_not_known_stays_unless_it_is_quiet() {
        for same in
            ["${other}", "${order}", "${nothing}", "$name", "$5", "${", "${a b}", "${}", "$"]
        {
            assert_eq!(filled(same), same);
        }
        assert_eq!(filled("a$!{other}b$!{name}"), "abNoor");
        assert_eq!(filled("$${name} é$"), "$Noor é$");
    }

    #[test]
    fn a_short_text_does_not_become_a_huge_one() {
        let Value::Object(context) = json!({"x": "y".repeat(60_000)}) else { unreachable!() };
        let written = put_in(&"${x}".repeat(1_000), &context, &mut MAX_PUT_IN.clone());
        assert!(written.len() < 70_000, "{}", written.len());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[$!{}a-z.é ]{0,60}|\\PC{0,40}") {
            let _ = filled(&text);
        }
    }
}
