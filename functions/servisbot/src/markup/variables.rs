//! Resolves `${name}` in a markup, which may arrive unresolved with a `context` (SL, SX).

use serde_json::{Map, Value};

use super::Node;

/// Maximum total size of substituted values, in bytes: a short name can be repeated for a long
/// value.
const MAX_SUBSTITUTED_BYTES: usize = 100_000;

/// Substitutes the context's values in an element. It works on the parsed element, so no value
/// becomes markup.
pub(super) fn resolve(node: &Node, context: &Map<String, Value>) -> Node {
    if context.is_empty() {
        return node.clone();
    }
    resolve_node(node, context, &mut MAX_SUBSTITUTED_BYTES.clone())
}

fn resolve_node(node: &Node, context: &Map<String, Value>, left: &mut usize) -> Node {
    let attributes = node.attributes.iter();
    Node {
        name: node.name.clone(),
        attributes: attributes
            .map(|(name, value)| (name.clone(), substitute(value, context, left)))
            .collect(),
        content: substitute(&node.content, context, left),
        children: node.children.iter().map(|child| resolve_node(child, context, left)).collect(),
    }
}

/// Substitutes `${name}` and `$!{name}` in a text. An unknown `${name}` is unchanged, an unknown
/// `$!{name}` is removed.
fn substitute(text: &str, context: &Map<String, Value>, left: &mut usize) -> String {
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

/// Parses a reference at the start of a text. Returns its name, whether it is quiet, and its
/// length.
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
        substitute(text, &context(), &mut MAX_SUBSTITUTED_BYTES.clone())
    }

    #[test]
    fn substitutes_names_once() {
        assert_eq!(filled("Hello ${name}, ${age}, ${vip}!"), "Hello Noor, 41, true!");
        assert_eq!(filled("${order.id} ${deep.of.all}"), "48121 x");
        assert_eq!(filled("${markup}"), "<b>${name}</b>", "values are not resolved again");
    }

    #[test]
    fn unknown_names_stay_unless_quiet() {
        for same in
            ["${other}", "${order}", "${nothing}", "$name", "$5", "${", "${a b}", "${}", "$"]
        {
            assert_eq!(filled(same), same);
        }
        assert_eq!(filled("a$!{other}b$!{name}"), "abNoor");
        assert_eq!(filled("$${name} é$"), "$Noor é$");
    }

    #[test]
    fn limits_the_substituted_size() {
        let Value::Object(context) = json!({"x": "y".repeat(60_000)}) else { unreachable!() };
        let written =
            substitute(&"${x}".repeat(1_000), &context, &mut MAX_SUBSTITUTED_BYTES.clone());
        assert!(written.len() < 70_000, "{}", written.len());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[$!{}a-z.é ]{0,60}|\\PC{0,40}") {
            let _ = filled(&text);
        }
    }
}
