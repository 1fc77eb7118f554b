//! Options of a connection that can never take effect.

use ipnet::IpNet;
use trunkline_core::model::{Capabilities, Connection, Feature, Role, Route};
use trunkline_core::platform::PlatformSpec;

use super::{Answering, delivery, warn_of_repeated};
use crate::file::Desired;
use crate::file::problems::ConfigProblems;
use crate::file::yaml::{Members, Node};

/// A connection in its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    /// Its line in the file.
    pub(super) line: usize,
    pub(super) spec: &'a PlatformSpec,
    pub(super) desired: &'a Desired,
}

/// Checks a connection. `members` are those of the file.
pub(super) fn check(
    connection: &Connection,
    secrets: &[(String, Vec<String>)],
    members: &Members<'_>,
    entry: Entry<'_>,
    warnings: &mut ConfigProblems,
) {
    let own: Vec<&Route> =
        entry.desired.routes.iter().filter(|route| names(route, connection)).collect();
    check_use(connection, &own, entry, warnings);
    let at = |name: &str| members.line(name).unwrap_or(entry.line);
    if connection.copies
        && let Some(why) = why_no_copies(connection.role, &own, entry.desired)
    {
        warnings.add(at("copies"), format!("copies has no effect {why}: remove it"));
    }
    if connection.presentation.sender_prefix && connection.role == Role::Bot && !connection.copies {
        let how = "add `copies: true`, or remove sender_prefix";
        warnings.add(
            at("sender_prefix"),
            format!(
                "sender_prefix has no effect on a bot without copies of agents' messages: {how}"
            ),
        );
    }
    if connection.reorder_window.is_some() && connection.role == Role::Observer {
        let what = "reorder_window has no effect on an observer, which sends no events: remove it";
        warnings.add(at("reorder_window"), what);
    }
    check_shows(connection, members, entry, warnings);
    check_ranges(&connection.allow_ips, members, warnings);
    delivery::check(&connection.delivery, members, warnings);
    check_alerts(connection, members, entry, warnings);
    check_rotations(secrets, members, warnings);
}

fn names(route: &Route, connection: &Connection) -> bool {
    let id = Some(&connection.id);
    route.bot.as_ref() == id
        || route.desk.as_ref() == id
        || route.observers.contains(&connection.id)
}

/// Warns about a bot, desk or observer that no route has.
fn check_use(
    connection: &Connection,
    own: &[&Route],
    entry: Entry<'_>,
    warnings: &mut ConfigProblems,
) {
    // An observer also receives alerts without a route. A channel without a route is an error.
    let receives_alerts = entry.spec.receives_alerts(connection.role, &connection.settings);
    if own.is_empty() && connection.role != Role::Channel && !receives_alerts {
        let id = &connection.id;
        warnings.add(
            entry.line,
            format!(
                "no route of this file has the connection {id}: add it to a route, or remove it"
            ),
        );
    }
}

/// Returns why a connection never receives copies; `None` if it can.
fn why_no_copies(role: Role, own: &[&Route], desired: &Desired) -> Option<&'static str> {
    let mut answering = own.iter().map(|route| Answering::of(route, desired));
    match role {
        Role::Channel => Some("on a channel"),
        Role::Observer => Some("on an observer, which always receives copies"),
        // A connection without a route has a warning of its own.
        Role::Bot | Role::Desk if own.is_empty() => None,
        Role::Bot => (!answering.any(|route| route.can_have_agents))
            .then_some("on a bot whose routes have no desk"),
        Role::Desk => {
            (!answering.any(|route| route.has_bot)).then_some("on a desk whose routes have no bot")
        }
    }
}

fn check_shows(
    connection: &Connection,
    members: &Members<'_>,
    entry: Entry<'_>,
    warnings: &mut ConfigProblems,
) {
    let name = |feature: &Feature| {
        Feature::NAMES.iter().find(|(_, known)| known == feature).map_or("", |(name, _)| name)
    };
    let shows = &connection.presentation.shows;
    warn_of_repeated(members.get("shows"), shows.iter().map(name), warnings);
    let items = members.get("shows").map(Node::read_items).unwrap_or_default();
    for (item, feature) in items.iter().zip(shows) {
        if has(entry.spec.capabilities, *feature) {
            let (name, platform) = (name(feature), entry.spec.id);
            let what = format!("{platform} shows '{name}' without this: remove it from shows");
            warnings.add(item.line(), what);
        }
    }
}

fn has(capabilities: Capabilities, feature: Feature) -> bool {
    match feature {
        Feature::Markup => capabilities.markup,
        Feature::Choices => capabilities.choices,
        Feature::Media => capabilities.media,
    }
}

/// Warns about each range that another one contains.
fn check_ranges(ranges: &[IpNet], members: &Members<'_>, warnings: &mut ConfigProblems) {
    let items = members.get("allow_ips").map(Node::read_items).unwrap_or_default();
    for (index, (item, range)) in items.iter().zip(ranges).enumerate() {
        let contains = |(other, wide): &(usize, &IpNet)| {
            *other != index && wide.contains(range) && (*wide != range || *other < index)
        };
        if let Some((_, wide)) = ranges.iter().enumerate().find(contains) {
            let what = format!("{range} has no effect beside {wide}: remove it from allow_ips");
            warnings.add(item.line(), what);
        }
    }
}

/// Warns about a subscription to alerts that only an observer can have.
fn check_alerts(
    connection: &Connection,
    members: &Members<'_>,
    entry: Entry<'_>,
    warnings: &mut ConfigProblems,
) {
    let subscribes = entry.spec.receives_alerts(Role::Observer, &connection.settings);
    let Some(name) = entry.spec.alerts_setting.filter(|_| subscribes) else { return };
    if connection.role != Role::Observer {
        let settings = members.get("settings").map(Node::read_members);
        let line = settings.and_then(|settings| settings.line(name)).unwrap_or(entry.line);
        let how = "remove it, or set it on an observer";
        warnings.add(line, format!("{name} has an effect on an observer only: {how}"));
    }
}

/// Warns about a rotation between two equal values.
fn check_rotations(
    secrets: &[(String, Vec<String>)],
    members: &Members<'_>,
    warnings: &mut ConfigProblems,
) {
    let nodes = members.get("secrets").map(Node::read_members);
    for (name, values) in secrets {
        let [new, old] = values.as_slice() else { continue };
        if new == old {
            let line = nodes.as_ref().and_then(|nodes| nodes.line(name)).unwrap_or_default();
            let how = "refer to the new value first and to the old one second, or remove one";
            warnings.add(line, format!("both values of the secret {name} are the same: {how}"));
        }
    }
}
