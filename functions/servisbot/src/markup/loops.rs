//! Loops of Velocity's template language around the children of an element:
//! `#foreach( $item in $list ) <Item title="$item.name"/> #end` (SX, KK). A parsed element keeps the directives in
//! its own text, apart from its children, so a child belongs to the loop whose variable it names.

use serde_json::Value;

use super::Node;
use super::variables::{Limits, Scope, references, resolve_node};

const FOREACH: &str = "#foreach";
const END: &str = "#end";
/// Maximum number of loops around the children of one element.
const MAX_LOOPS: usize = 8;
/// Names of the number of the current item.
const COUNTERS: [&str; 2] = ["velocityCount", "foreach"];

/// A loop: its variable and the name of its list.
struct Loop<'a> {
    variable: &'a str,
    list: &'a str,
}

/// Returns the text of an element without the directives of its loops, and its children, repeated for each item
/// and resolved. A list that the context does not have is empty.
pub(super) fn expand(node: &Node, scope: &Scope<'_>, limits: &mut Limits) -> (String, Vec<Node>) {
    let loops = if node.children.is_empty() { Vec::new() } else { loops(&node.content) };
    let mut children = Vec::new();
    let mut rest = node.children.as_slice();
    while let Some(child) = rest.first() {
        let own = loop_of(child, &loops);
        let length = match own {
            Some(_) => rest.iter().take_while(|next| loop_of(next, &loops) == own).count(),
            None => 1,
        };
        let (group, after) = rest.split_at(length);
        match own {
            Some(own) => repeat(group, &loops[own], scope, limits, &mut children),
            None => children.push(resolve_node(child, scope, limits)),
        }
        rest = after;
    }
    let text =
        if loops.is_empty() { node.content.clone() } else { without_directives(&node.content) };
    (text, children)
}

fn repeat(
    group: &[Node],
    of: &Loop<'_>,
    scope: &Scope<'_>,
    limits: &mut Limits,
    children: &mut Vec<Node>,
) {
    let list = scope.value(of.list);
    let items: Vec<&Value> = match list.as_deref() {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Object(members)) => members.values().collect(),
        _ => Vec::new(),
    };
    let size: usize = group.iter().map(Node::size).sum();
    for (index, item) in items.into_iter().enumerate() {
        if !limits.take_nodes(size) {
            return;
        }
        let inner = scope.inner(of.variable, item, index + 1);
        children.extend(group.iter().map(|child| resolve_node(child, &inner, limits)));
    }
}

fn loops(text: &str) -> Vec<Loop<'_>> {
    let found = text.split(FOREACH).skip(1).filter_map(|rest| {
        let inner = rest.trim_start().strip_prefix('(')?;
        let (variable, list) = inner[..inner.find(')')?].split_once(" in ")?;
        Some(Loop { variable: name(variable)?, list: name(list)? })
    });
    found.take(MAX_LOOPS).collect()
}

fn name(reference: &str) -> Option<&str> {
    let name = reference.trim().strip_prefix('$')?.trim_start_matches('!');
    let name = name.trim_start_matches('{').trim_end_matches('}');
    Some(name).filter(|name| !name.is_empty())
}

/// Returns the index of the loop that an element belongs to.
fn loop_of(node: &Node, loops: &[Loop<'_>]) -> Option<usize> {
    let is_counted = loops.len() == 1 && COUNTERS.iter().any(|counter| mentions(node, counter));
    let named = loops.iter().position(|one| mentions(node, one.variable));
    named.or(is_counted.then_some(0))
}

fn mentions(node: &Node, variable: &str) -> bool {
    let is_in = |text: &str| references(text).any(|name| name.split('.').next() == Some(variable));
    is_in(&node.content)
        || node.attributes.iter().any(|(_, value)| is_in(value))
        || node.children.iter().any(|child| mentions(child, variable))
}

fn without_directives(text: &str) -> String {
    let mut parts = text.split(FOREACH);
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        written.push_str(part.find(')').map_or(part, |end| &part[end + 1..]));
    }
    written.replace(END, "")
}
