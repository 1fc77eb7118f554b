//! The routes of a file.

use trunkline_shared::model::{ConnectionId, Role, Route, RouteId};

use super::DesiredConnection;
use super::problems::{Report, suggestion};
use super::yaml::Node;

const MEMBERS: [&str; 3] = ["channels", "bot", "observers"];

/// Reads the routes, and tells each channel connection which is its own.
pub(super) fn read(
    node: &Node<'_>,
    connections: &mut [DesiredConnection],
    report: &mut Report,
) -> Vec<Route> {
    let mut routes = Vec::new();
    for (name, line, node) in node.entries(report, "routes") {
        let id: Option<RouteId> =
            name.parse().map_err(|why| report.add(line, format!("{why}"))).ok();
        let what = format!("the route {name}");
        let members = node.members(report, &what, &MEMBERS);
        let channels = members.required("channels", line, report);
        let channels = channels.map_or_else(Vec::new, |node| node.items(report, "channels"));
        let bot = members.required("bot", line, report);
        let bot = bot.and_then(|node| named(node, Role::Bot, connections, report));
        let observers = members.get("observers").map(|node| node.items(report, "observers"));
        let observers = observers.unwrap_or_default();
        let observers =
            observers.iter().filter_map(|node| named(node, Role::Observer, connections, report));
        let observers: Vec<_> = observers.collect();
        if channels.is_empty() {
            report.add(line, format!("{what} serves no channel: name one under channels"));
        }
        for node in &channels {
            let Some(channel) = named(node, Role::Channel, connections, report) else { continue };
            let Some(id) = id.clone() else { continue };
            let own = connections.iter_mut().find(|desired| desired.connection.id == channel);
            if let Some(taken) = own.and_then(|desired| desired.connection.route.replace(id)) {
                let message = format!(
                    "the channel {channel} is in the route {taken} already: a channel has one route"
                );
                report.add(node.line(), message);
            }
        }
        if let (Some(id), Some(bot)) = (id, bot) {
            routes.push(Route { id, bot, observers });
        }
    }
    for desired in connections.iter() {
        let connection = &desired.connection;
        if connection.role == Role::Channel && connection.route.is_none() {
            let message = format!(
                "the channel {} is in no route: name it under a route's channels",
                connection.id
            );
            report.add(desired.line, message);
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
