//! Resolves the names in a markup, which may arrive unresolved with a `context` (SL, SX): `${name}`, `$name` and
//! their quiet forms, and loops.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{Node, loops};

/// Maximum total size of substituted values, in bytes: a short name can be repeated for a long
/// value.
const MAX_SUBSTITUTED_BYTES: usize = 100_000;
/// Maximum number of elements that loops produce: they can be nested.
const MAX_REPEATED_NODES: usize = 2_000;

/// Substitutes the context's values in an element. It works on the parsed element, so no value
/// becomes markup.
pub(super) fn resolve(node: &Node, context: &Map<String, Value>) -> Node {
    resolve_node(node, &Scope::Context(context), &mut Limits::default())
}

/// What is left of the limits of one markup.
pub(super) struct Limits {
    bytes: usize,
    nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: MAX_SUBSTITUTED_BYTES, nodes: MAX_REPEATED_NODES }
    }
}

impl Limits {
    /// Takes `count` elements from what is left. Returns whether that many are left.
    pub(super) fn take_nodes(&mut self, count: usize) -> bool {
        let left = self.nodes.checked_sub(count);
        self.nodes = left.unwrap_or(0);
        left.is_some()
    }
}

/// The names that have a value: those of the context, and of the loops around an element.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    Context(&'a Map<String, Value>),
    Loop { variable: &'a str, item: &'a Value, count: usize, outer: &'a Scope<'a> },
}

impl<'a> Scope<'a> {
    /// Returns the scope of one item of a loop.
    pub(super) fn inner(&'a self, variable: &'a str, item: &'a Value, count: usize) -> Self {
        Self::Loop { variable, item, count, outer: self }
    }

    /// Returns the value of a name, which may be a path.
    pub(super) fn value(&self, name: &str) -> Option<Cow<'a, Value>> {
        let mut parts = name.split('.');
        match self.get(parts.next()?)? {
            Cow::Borrowed(first) => {
                parts.try_fold(first, |at, part| at.get(part)).map(Cow::Borrowed)
            }
            Cow::Owned(first) => {
                parts.try_fold(&first, |at, part| at.get(part)).cloned().map(Cow::Owned)
            }
        }
    }

    fn get(&self, name: &str) -> Option<Cow<'a, Value>> {
        match *self {
            Self::Context(context) => context.get(name).map(Cow::Borrowed),
            Self::Loop { variable, item, .. } if variable == name => Some(Cow::Borrowed(item)),
            Self::Loop { count, .. } if name == "velocityCount" => Some(Cow::Owned(json!(count))),
            Self::Loop { count, .. } if name == "foreach" => {
                Some(Cow::Owned(json!({"count": count, "index": count - 1})))
            }
            Self::Loop { outer, .. } => outer.get(name),
        }
    }

    /// Whether there are no names at all: the markup is no template then.
    fn is_empty(&self) -> bool {
        matches!(self, Self::Context(context) if context.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        match &*self.value(name)? {
            Value::String(text) => Some(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Resolves an element and its children.
pub(super) fn resolve_node(node: &Node, scope: &Scope<'_>, limits: &mut Limits) -> Node {
    let (content, children) = loops::expand(node, scope, limits);
    let attributes = node.attributes.iter();
    Node {
        name: node.name.clone(),
        attributes: attributes
            .map(|(name, value)| (name.clone(), substitute(value, scope, limits)))
            .collect(),
        content: substitute(&content, scope, limits),
        children,
    }
}

/// Substitutes the references in a text. An unknown `${name}` is unchanged, an unknown `$!{name}` is
/// removed.
fn substitute(text: &str, scope: &Scope<'_>, limits: &mut Limits) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        written.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(Reference { name, is_quiet, length }) = reference(rest) else {
            written.push('$');
            rest = &rest[1..];
            continue;
        };
        match scope.text(name) {
            Some(value) if value.len() <= limits.bytes => {
                limits.bytes -= value.len();
                written.push_str(&value);
            }
            None if is_quiet && !scope.is_empty() => {}
            _ => written.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    written.push_str(rest);
    written
}

/// Returns the names that a text refers to.
pub(super) fn references(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('$').filter_map(|(at, _)| Some(reference(&text[at..])?.name))
}

/// A reference to a name.
struct Reference<'a> {
    name: &'a str,
    /// Whether it is removed if the name is unknown.
    is_quiet: bool,
    /// The length of the reference, in bytes.
    length: usize,
}

/// Parses a reference at the start of a text: `${name}`, `$!{name}`, `$name` or `$!name`.
fn reference(text: &str) -> Option<Reference<'_>> {
    let after = text.strip_prefix('$')?;
    let unquiet = after.strip_prefix('!');
    let (is_quiet, after) = (unquiet.is_some(), unquiet.unwrap_or(after));
    let before = text.len() - after.len();
    let Some(inner) = after.strip_prefix('{') else {
        let name = shorthand(after);
        let length = before + name.len();
        return (!name.is_empty()).then_some(Reference { name, is_quiet, length });
    };
    let name = &inner[..inner.find('}')?];
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_name = !name.is_empty() && name.chars().all(fits);
    is_name.then_some(Reference { name, is_quiet, length: before + name.len() + 2 })
}

/// Returns the name at the start of a text, without braces: letters, digits and `_`, and after a dot another
/// name. A full stop does not belong to it.
fn shorthand(text: &str) -> &str {
    let mut end = 0;
    loop {
        let from = end + usize::from(end > 0);
        let part = &text[from..];
        let length =
            part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        if !part.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return &text[..end];
        }
        end = from + length;
        if !text[end..].starts_with('.') {
            return &text[..end];
        }
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
        substitute(text, &Scope::Context(&context()), &mut Limits::default())
    }

    #[test]
    fn substitutes_names_once() {
        assert_eq!(filled("Hello ${name}, ${age}, ${vip}!"), "Hello Noor, 41, true!");
        assert_eq!(filled("${order.id} ${deep.of.all}"), "48121 x");
        assert_eq!(filled("$name, $order.id. $!deep.of.all-$age"), "Noor, 48121. x-41");
        assert_eq!(filled("${markup}"), "<b>${name}</b>", "values are not resolved again");
    }

    #[test]
    fn unknown_names_stay_unless_quiet() {
        for same in [
            "${other}",
            "${order}",
            "${nothing}",
            "$other",
            "$name.x",
            "$5",
            "${",
            "${a b}",
            "${}",
            "$",
        ] {
            assert_eq!(filled(same), same);
        }
        assert_eq!(filled("a$!{other}b$!{name}$!other"), "abNoor");
        assert_eq!(filled("$${name} é$"), "$Noor é$");
        let (none, text) = (Map::new(), "$!{a} $!b $c");
        assert_eq!(substitute(text, &Scope::Context(&none), &mut Limits::default()), text);
    }

    #[test]
    fn limits_the_substituted_size() {
        let Value::Object(context) = json!({"x": "y".repeat(60_000)}) else { unreachable!() };
        let scope = Scope::Context(&context);
        let written = substitute(&"${x}".repeat(1_000), &scope, &mut Limits::default());
        assert!(written.len() < 70_000, "{}", written.len());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[$!{}a-z.é ]{0,60}|\\PC{0,40}") {
            let _ = filled(&text);
        }
    }
}
