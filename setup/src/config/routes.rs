//! The routes of a file.

use trunkline_shared::model::{ConnectionId, Role, Route, RouteId};

use super::DesiredConnection;
use super::problems::{Report, suggestion};
use super::switching;
use super::yaml::Node;

const MEMBERS: [&str; 11] = [
    "channels",
    "bot",
    "desk",
    "observers",
    "default",
    "handover",
    "bot_down_after",
    "session_ttl",
    "language",
    "keywords",
    "texts",
];

/// Reads the routes, and tells each channel connection which is its own.
pub(super) fn read(
    node: &Node<'_>,
    connections: &mut [DesiredConnection],
    report: &mut Report,
) -> Vec<Route> {
    let mut routes = Vec::new();
    let mut default: Option<RouteId> = None;
    for (name, line, node) in node.entries(report, "routes") {
        let id: Option<RouteId> =
            name.parse().map_err(|why| report.add(line, format!("{why}"))).ok();
        let what = format!("the route {name}");
        let members = node.members(report, &what, &MEMBERS);
        let is_default = members.get("default").and_then(|node| node.truth(report, "default"));
        if is_default == Some(true) {
            if let Some(other) = &default {
                report.add(line, format!("{other} is the default route already: there is one"));
            }
            default = id.clone().or(default);
        }
        let channels = members.get("channels");
        if is_default != Some(true) && !channels.is_some_and(Node::is_sequence) {
            let how = "name one under channels, or write `channels: []` if there is none yet";
            report.add(line, format!("{what} serves no channel: {how}"));
        }
        let channels = channels.map(|node| node.items(report, "channels")).unwrap_or_default();
        let bot = members.get("bot");
        let bot = bot.and_then(|node| named(node, Role::Bot, connections, report));
        let desk = members.get("desk");
        let desk = desk.and_then(|node| named(node, Role::Desk, connections, report));
        if members.get("bot").is_none() && members.get("desk").is_none() {
            report.add(line, format!("{what} serves nobody: name a bot, a desk or both"));
        }
        let observers = members.get("observers").map(|node| node.items(report, "observers"));
        let observers = observers.unwrap_or_default();
        let observers =
            observers.iter().filter_map(|node| named(node, Role::Observer, connections, report));
        let observers: Vec<_> = observers.collect();
        let switching = switching::read(&members, report);
        let Some(id) = id else { continue };
        for node in &channels {
            let Some(channel) = named(node, Role::Channel, connections, report) else { continue };
            let own = connections.iter_mut().find(|desired| desired.connection.id == channel);
            let taken = own.and_then(|desired| desired.connection.route.replace(id.clone()));
            if let Some(taken) = taken {
                let message = format!(
                    "the channel {channel} is in the route {taken} already: a channel has one route"
                );
                report.add(node.line(), message);
            }
        }
        routes.push(Route { id, bot, desk, observers, switching, version: 0 });
    }
    for desired in connections.iter_mut() {
        let connection = &mut desired.connection;
        if connection.role != Role::Channel || connection.route.is_some() {
            continue;
        }
        connection.route.clone_from(&default);
        if default.is_none() {
            let how = "name it under a route's channels, or make one route the default";
            report
                .add(desired.line, format!("the channel {} is in no route: {how}", connection.id));
        }
    }
    routes
}

/// A connection that is named in a route, and must have the role that it is named for.
fn named(
    node: &Node<'_>,
    role: Role,
    connections: &[DesiredConnection],
    report: &mut Report,
) -> Option<ConnectionId> {
    let text = node.text(report, "a connection's name")?;
    let Some(found) = connections.iter().find(|c| c.connection.id.as_str() == text) else {
        let known: Vec<&str> = connections.iter().map(|c| c.connection.id.as_str()).collect();
        let near = suggestion(&text, &known);
        report.add(
            node.line(),
            format!("there is no connection '{text}'{near}: add it under connections"),
        );
        return None;
    };
    if found.connection.role != role {
        let wanted =
            Role::NAMES.iter().find(|(_, known)| *known == role).map_or("", |(name, _)| name);
        let message = format!(
            "the connection {text} does not have the role {wanted}, which its place here needs"
        );
        report.add(node.line(), message);
        return None;
    }
    Some(found.connection.id.clone())
}
