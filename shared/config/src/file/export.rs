//! Exports a configuration as a file. Reading the file gives the same configuration.

use saphyr::{Mapping, Scalar, Yaml, YamlEmitter};
use serde_json::{Map, Value, json};
use trunkline_core::model::{Connection, HandoverPolicy, Route};
use trunkline_core::platform::Platforms;
use trunkline_runtime::secrets::PATH_KEY;

use super::{ConnectionFile, delivery};

/// Returns connections and routes as the text of a file. Each secret becomes a reference to an environment
/// variable. Path keys are omitted, because applying keeps them.
#[must_use]
pub fn export(platforms: Platforms, connections: &[Connection], routes: &[Route]) -> String {
    let routes: Map<String, Value> = routes
        .iter()
        .map(|route| (route.id.to_string(), route_to_json(route, connections)))
        .collect();
    let connections: Map<String, Value> = connections
        .iter()
        .map(|connection| (connection.id.to_string(), connection_to_json(platforms, connection)))
        .collect();
    let file = [("connections", Value::Object(connections)), ("routes", Value::Object(routes))];
    let parts = file.into_iter().map(|(name, value)| yaml_section(name, &value));
    parts.collect::<Vec<_>>().join("\n")
}

/// Returns the members that do not have their defaults. A file names the channels in the route, not the route
/// in the channel.
fn connection_to_json(platforms: Platforms, connection: &Connection) -> Value {
    let usual = ConnectionFile::new(connection.platform, connection.role);
    let delivery = platforms.get(connection.platform).map(delivery::default);
    let usual = ConnectionFile { delivery: delivery.unwrap_or_default(), ..usual }.to_members();
    let file = ConnectionFile { route: None, ..ConnectionFile::from(connection.clone()) };
    let mut members = file.to_members();
    members.retain(|name, value| {
        ["platform", "role"].contains(&name.as_str()) || usual.get(name) != Some(value)
    });
    let secrets: Map<String, Value> = connection
        .secrets
        .iter()
        .filter(|name| *name != PATH_KEY)
        .map(|name| (name.clone(), json!({"env": env_variable(connection.id.as_str(), name)})))
        .collect();
    members.insert("secrets".into(), Value::Object(secrets));
    without_empty(Value::Object(members))
}

fn route_to_json(route: &Route, connections: &[Connection]) -> Value {
    let channels =
        connections.iter().filter(|connection| connection.route.as_ref() == Some(&route.id));
    let mut channels: Vec<&str> = channels.map(|channel| channel.id.as_str()).collect();
    channels.sort_unstable();
    let (policy, default) = (&route.handover_policy, HandoverPolicy::default());
    let handover = without_empty(json!({
        "accept_within": policy.accept_within,
        "agent_idle": policy.agent_idle,
        "after_close": (policy.after_close != default.after_close).then_some(policy.after_close),
        "if_unanswered": (policy.if_unanswered != default.if_unanswered).then_some(policy.if_unanswered),
        "transcript": (policy.transcript != default.transcript).then_some(policy.transcript),
        "transcript_since": (policy.transcript_since != default.transcript_since)
            .then_some(policy.transcript_since),
    }));
    let channels = json!(channels);
    let mut written = without_empty(json!({
        "bot": route.bot,
        "desk": route.desk,
        "observers": route.observers,
        "handover": handover,
        "session_ttl": policy.session_ttl,
        "bot_down_after": policy.bot_down_after,
        "language": policy.language,
        "keywords": policy.keywords,
        "texts": policy.texts,
    }));
    // Always written: a route without channels needs `channels: []`.
    written["channels"] = channels;
    written
}

fn without_empty(mut value: Value) -> Value {
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

/// Returns a name such as `SHOP_BOT_SIGNING`.
fn env_variable(id: &str, name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{id}_{name}").chars().map(word).collect()
}

fn yaml_section(name: &str, value: &Value) -> String {
    let mut whole = Mapping::new();
    whole.insert(yaml_text(name), json_to_yaml(value));
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = YamlEmitter::new(&mut out).dump(&Yaml::Mapping(whole));
    format!("{}\n", out.trim_start_matches("---\n"))
}

fn yaml_text(text: &str) -> Yaml<'static> {
    Yaml::Value(Scalar::String(text.to_owned().into()))
}

fn json_to_yaml(value: &Value) -> Yaml<'static> {
    match value {
        Value::Null => Yaml::Value(Scalar::Null),
        Value::Bool(truth) => Yaml::Value(Scalar::Boolean(*truth)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Yaml::Value(Scalar::Integer(whole)),
            None => yaml_text(&number.to_string()),
        },
        Value::String(string) => yaml_text(string),
        Value::Array(items) => Yaml::Sequence(items.iter().map(json_to_yaml).collect()),
        Value::Object(members) => {
            let members =
                members.iter().map(|(name, value)| (yaml_text(name), json_to_yaml(value)));
            Yaml::Mapping(members.collect())
        }
    }
}
