//! Reads the routes of a file.

use trunkline_core::model::{ConnectionId, Role, Route, RouteId};

use super::DesiredConnection;
use super::handover_policy;
use super::problems::{ConfigProblems, suggestion};
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

/// Reads the routes, and sets the route of each channel connection.
pub(super) fn read(
    node: &Node<'_>,
    connections: &mut [DesiredConnection],
    problems: &mut ConfigProblems,
) -> Vec<Route> {
    let mut routes = Vec::new();
    let mut default: Option<RouteId> = None;
    for (name, line, node) in node.entries(problems, "routes") {
        let id: Option<RouteId> =
            name.parse().map_err(|why| problems.add(line, format!("{why}"))).ok();
        let what = format!("the route {name}");
        let members = node.members(problems, &what, &MEMBERS);
        let is_default = members.get("default").and_then(|node| node.boolean(problems, "default"));
        if is_default == Some(true) {
            if let Some(other) = &default {
                problems.add(
                    line,
                    format!("{other} is already the default route: remove one of the two"),
                );
            }
            default = id.clone().or(default);
        }
        let channels = members.get("channels");
        if is_default != Some(true) && !channels.is_some_and(Node::is_sequence) {
            let how = "add one under channels, or write `channels: []` if there is none yet";
            problems.add(line, format!("{what} serves no channel: {how}"));
        }
        let channels = channels.map(|node| node.items(problems, "channels")).unwrap_or_default();
        let bot = members.get("bot");
        let bot =
            bot.and_then(|node| referenced_connection(node, Role::Bot, connections, problems));
        let desk = members.get("desk");
        let desk =
            desk.and_then(|node| referenced_connection(node, Role::Desk, connections, problems));
        if members.get("bot").is_none() && members.get("desk").is_none() {
            problems.add(line, format!("{what} has neither bot nor desk: add at least one"));
        }
        let observers = members.get("observers").map(|node| node.items(problems, "observers"));
        let observers = observers.unwrap_or_default();
        let observers = observers
            .iter()
            .filter_map(|node| referenced_connection(node, Role::Observer, connections, problems));
        let observers: Vec<_> = observers.collect();
        let handover_policy = handover_policy::read(&members, problems);
        let Some(id) = id else { continue };
        for node in &channels {
            let Some(channel) = referenced_connection(node, Role::Channel, connections, problems)
            else {
                continue;
            };
            let own = connections.iter_mut().find(|desired| desired.connection.id == channel);
            let taken = own.and_then(|desired| desired.connection.route.replace(id.clone()));
            if let Some(taken) = taken {
                let message = format!(
                    "the channel {channel} is already in the route {taken}: remove it from one of the two"
                );
                problems.add(node.line(), message);
            }
        }
        routes.push(Route { id, bot, desk, observers, handover_policy, version: 0 });
    }
    for desired in connections.iter_mut() {
        let connection = &mut desired.connection;
        if connection.role != Role::Channel || connection.route.is_some() {
            continue;
        }
        connection.route.clone_from(&default);
        if default.is_none() {
            let how = "add it to the channels of a route, or make a route the default";
            problems
                .add(desired.line, format!("the channel {} is in no route: {how}", connection.id));
        }
    }
    routes
}

/// Returns the connection that a route references. It must exist and have the role.
fn referenced_connection(
    node: &Node<'_>,
    role: Role,
    connections: &[DesiredConnection],
    problems: &mut ConfigProblems,
) -> Option<ConnectionId> {
    let text = node.text(problems, "the id of a connection")?;
    let Some(found) = connections.iter().find(|c| c.connection.id.as_str() == text) else {
        let known: Vec<&str> = connections.iter().map(|c| c.connection.id.as_str()).collect();
        let near = suggestion(&text, &known);
        problems.add(
            node.line(),
            format!("there is no connection '{text}'{near}: add it under connections"),
        );
        return None;
    };
    if found.connection.role != role {
        let wanted =
            Role::NAMES.iter().find(|(_, known)| *known == role).map_or("", |(name, _)| name);
        let message =
            format!("the connection {text} does not have the role {wanted}: name one that has");
        problems.add(node.line(), message);
        return None;
    }
    Some(found.connection.id.clone())
}
