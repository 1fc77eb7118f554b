//! Finds what a valid file configures although it can never take effect.
//!
//! A warning says what has no effect and what to do. Whether something has an effect is decided by the file alone:
//! what differs between two customers or two platforms gives no warning.

mod connections;
mod delivery;
mod keywords;
mod routes;
mod texts;

use std::collections::BTreeSet;

use trunkline_core::model::Route;
use trunkline_core::platform::Platforms;

use super::problems::{ConfigProblem, ConfigProblems};
use super::yaml::{Members, Node};
use super::{Desired, DesiredConnection};

/// Returns the warnings of a file without problems, in the order of the file. `root` has its members.
pub(super) fn find(
    root: &Members<'_>,
    desired: &Desired,
    platforms: Platforms,
) -> Vec<ConfigProblem> {
    let mut warnings = ConfigProblems::default();
    let entries = |name: &str| root.get(name).map(Node::read_members);
    for (id, line, node) in entries("connections").iter().flat_map(Members::iter) {
        let found = desired.connections.iter().find(|found| found.connection.id.as_str() == id);
        let Some(DesiredConnection { connection, secrets, .. }) = found else { continue };
        let Some(spec) = platforms.get(connection.platform) else { continue };
        let entry = connections::Entry { line, spec, desired };
        connections::check(connection, secrets, &node.read_members(), entry, &mut warnings);
    }
    for (id, line, node) in entries("routes").iter().flat_map(Members::iter) {
        let Some(route) = desired.routes.iter().find(|route| route.id.as_str() == id) else {
            continue;
        };
        routes::check(route, line, &node.read_members(), desired, &mut warnings);
    }
    warnings.into_sorted()
}

/// Who can answer the customers of a route.
#[derive(Debug, Clone, Copy)]
struct Answering {
    has_bot: bool,
    has_desk: bool,
    /// Whether the route has a desk, or a channel of it has agents of its own. A route without channels may get
    /// such a channel later.
    can_have_agents: bool,
}

impl Answering {
    fn of(route: &Route, desired: &Desired) -> Self {
        let connections = desired.connections.iter().map(|desired| &desired.connection);
        let mut channels =
            connections.filter(|channel| channel.route.as_ref() == Some(&route.id)).peekable();
        let has_channels = channels.peek().is_some();
        let has_own_agents = channels.any(|channel| channel.capabilities.handover);
        Self {
            has_bot: route.bot.is_some(),
            has_desk: route.desk.is_some(),
            can_have_agents: route.desk.is_some() || has_own_agents || !has_channels,
        }
    }
}

/// Warns about each item of a list that an earlier item repeats. `values` has a value per item.
fn warn_of_repeated<T: Ord + ToString>(
    list: Option<&Node<'_>>,
    values: impl IntoIterator<Item = T>,
    warnings: &mut ConfigProblems,
) {
    let Some(list) = list else { return };
    let mut known = BTreeSet::new();
    for (item, value) in list.read_items().iter().zip(values) {
        let shown = value.to_string();
        if !known.insert(value) {
            warnings.add(item.line(), format!("'{shown}' is in the list twice: remove one"));
        }
    }
}

#[cfg(test)]
mod tests;
