//! A configuration as a file: what is there, written so that reading it gives the same.

use saphyr::{Mapping, Scalar, Yaml, YamlEmitter};
use serde_json::{Map, Value, json};
use trunkline_shared::model::{Connection, Policy, Route, Switching};
use trunkline_shared::secrets::PATH_KEY;

use crate::platforms::spec;

/// Writes connections and routes as a file. Each secret is a reference to a variable of the environment;
/// keys of addresses are left out, for they stay as they are.
#[must_use]
pub fn export(connections: &[Connection], routes: &[Route]) -> String {
    let connections: Map<String, Value> = connections
        .iter()
        .map(|connection| (connection.id.to_string(), connection_as_written(connection)))
        .collect();
    let routes: Map<String, Value> = routes
        .iter()
        .map(|route| (route.id.to_string(), route_as_written(route, &connections)))
        .collect();
    // Which channels a route serves is written there.
    let connections: Map<String, Value> = connections
        .into_iter()
        .map(|(id, mut connection)| {
            if let Some(members) = connection.as_object_mut() {
                members.remove("route");
            }
            (id, connection)
        })
        .collect();
    let file = [("connections", Value::Object(connections)), ("routes", Value::Object(routes))];
    let parts = file.into_iter().map(|(name, value)| written(name, &value));
    parts.collect::<Vec<_>>().join("\n")
}

fn connection_as_written(connection: &Connection) -> Value {
    let usual =
        Policy { retry_unknown: spec(connection.platform).retry_unknown, ..Policy::default() };
    let secrets: Map<String, Value> = connection
        .secrets
        .iter()
        .filter(|name| *name != PATH_KEY)
        .map(|name| (name.clone(), json!({"env": variable(connection.id.as_str(), name)})))
        .collect();
    without_nothing(json!({
        "platform": connection.platform,
        "role": connection.role,
        "route": connection.route,
        "copies": connection.copies.then_some(true),
        "sender_prefix": connection.sender_prefix.then_some(true),
        "text_limit": connection.text_limit,
        "shows": connection.shows,
        "reorder_window": connection.reorder_window,
        "allow_ips": connection.allow_ips,
        "delivery": (connection.delivery != usual).then_some(&connection.delivery),
        "settings": connection.settings,
        "secrets": secrets,
    }))
}

fn route_as_written(route: &Route, connections: &Map<String, Value>) -> Value {
    let own = Value::from(route.id.as_str());
    let channels =
        connections.iter().filter(|(_, connection)| connection.get("route") == Some(&own));
    let channels: Vec<&String> = channels.map(|(id, _)| id).collect();
    let (switching, usual) = (&route.switching, Switching::default());
    let handover = without_nothing(json!({
        "accept_within": switching.accept_within,
        "agent_idle": switching.agent_idle,
        "after_close": (switching.after_close != usual.after_close).then_some(switching.after_close),
        "if_nobody": (switching.if_nobody != usual.if_nobody).then_some(switching.if_nobody),
        "transcript": (switching.transcript != usual.transcript).then_some(switching.transcript),
        "transcript_since": (switching.transcript_since != usual.transcript_since)
            .then_some(switching.transcript_since),
    }));
    let channels = json!(channels);
    let mut written = without_nothing(json!({
        "bot": route.bot,
        "desk": route.desk,
        "observers": route.observers,
        "handover": handover,
        "session_ttl": switching.session_ttl,
        "bot_down_after": switching.bot_down_after,
        "language": switching.language,
        "keywords": switching.keywords,
        "texts": switching.texts,
    }));
    // One that serves none as yet says so.
    written["channels"] = channels;
    written
}

fn without_nothing(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| match member {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => true,
        });
    }
    value
}

/// `SHOP_BOT_SIGNING`.
fn variable(id: &str, name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{id}_{name}").chars().map(word).collect()
}

fn written(name: &str, value: &Value) -> String {
    let mut whole = Mapping::new();
    whole.insert(text(name), yaml(value));
    let mut out = String::new();
    // Writing into a text cannot fail.
    let _ = YamlEmitter::new(&mut out).dump(&Yaml::Mapping(whole));
    format!("{}\n", out.trim_start_matches("---\n"))
}

fn text(text: &str) -> Yaml<'static> {
    Yaml::Value(Scalar::String(text.to_owned().into()))
}

fn yaml(value: &Value) -> Yaml<'static> {
    match value {
        Value::Null => Yaml::Value(Scalar::Null),
        Value::Bool(truth) => Yaml::Value(Scalar::Boolean(*truth)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Yaml::Value(Scalar::Integer(whole)),
            None => text(&number.to_string()),
        },
        Value::String(string) => text(string),
        Value::Array(items) => Yaml::Sequence(items.iter().map(yaml).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (text(name), yaml(value)));
            Yaml::Mapping(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Desired;
    use crate::config::examples::{example, reading};

    fn parts(desired: Desired) -> (Vec<Connection>, Vec<Route>) {
        let connections = desired.connections.into_iter().map(|desired| desired.connection);
        let mut connections: Vec<Connection> = connections.collect();
        connections.sort_by(|a, b| a.id.cmp(&b.id));
        let mut routes = desired.routes;
        routes.sort_by(|a, b| a.id.cmp(&b.id));
        (connections, routes)
    }

    #[test]
    fn what_is_written_reads_as_the_same() {
        for file in [
            include_str!("../../../examples/cm.yaml"),
            include_str!("../../../examples/servisbot.yaml"),
            include_str!("../../../examples/trunkline.yaml"),
            include_str!("../../../examples/twin.yaml"),
            include_str!("../../../examples/unblu.yaml"),
        ] {
            let (connections, routes) = parts(example(file));
            let file = export(&connections, &routes);
            let again = reading(&file).unwrap_or_else(|why| panic!("{file}\n{why}"));
            assert_eq!(parts(again), (connections, routes), "{file}");
            assert!(!file.contains("whsec"), "no secret is written");
        }
    }

    #[test]
    fn routes_that_serve_nobody_yet_are_written_too() {
        let (connections, routes) = parts(example(include_str!("../../../examples/cm.yaml")));
        let idle =
            ["spare", "tried-out"].map(|id| Route { id: id.parse().unwrap(), ..routes[0].clone() });
        let mut all = [&routes[..], &idle[..]].concat();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        let file = export(&connections, &all);
        let again = reading(&file).unwrap_or_else(|why| panic!("{file}\n{why}"));
        assert_eq!(parts(again), (connections, all), "{file}");
    }
}
