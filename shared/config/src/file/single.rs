//! Validates a single connection or route of an API request by the rules of a file. Each problem names the
//! path of its field.

use std::fmt::Write;

use serde_json::Value;
use trunkline_core::model::{
    Behaviour, Capabilities, Connection, ConnectionId, PlatformId, Role, Route,
};
use trunkline_core::platform::{PlatformTraits, Platforms};
use trunkline_runtime::secrets::SecretBag;

use super::problems::ConfigProblems;
use super::yaml::Node;
use super::{
    ConnectionFile, DesiredConnection, ReadOptions, SecretResolver, SecretSource, connections,
    routes,
};

/// Pairs of a field's dotted path, such as `settings.message_url`, and its problem.
pub type FieldErrors = Vec<(String, String)>;

/// A connection of an API request.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionInput<'a> {
    pub id: &'a str,
    /// Its members as in a file, without `secrets`.
    pub members: &'a Value,
    /// The values of its secrets.
    pub secrets: &'a SecretBag,
}

#[derive(Debug)]
struct GivenSecrets<'a>(&'a SecretBag);

impl SecretResolver for GivenSecrets<'_> {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let SecretSource::Env(name) = source else {
            return Err("the request does not contain it".into());
        };
        let (name, place) = name.rsplit_once('#').unwrap_or((name, "0"));
        let value =
            place.parse::<usize>().ok().and_then(|place| self.0.live(name).get(place).copied());
        value.map(ToOwned::to_owned).ok_or_else(|| "the request does not contain it".into())
    }
}

/// Reads a connection. The caller sets the route of a channel.
///
/// # Errors
/// Every problem of the connection.
pub fn read_connection(
    one: ConnectionInput<'_>,
    platforms: Platforms,
    allow_local: bool,
) -> Result<Connection, FieldErrors> {
    let mut members = one.members.clone();
    let secrets = one.secrets.names().map(|name| {
        let live = one.secrets.live(name).len();
        let references =
            (0..live.min(2)).map(|place| serde_json::json!({"env": format!("{name}#{place}")}));
        (name.to_owned(), references.collect::<Value>())
    });
    members["secrets"] = Value::Object(secrets.collect());
    let file = RenderedFile::of(one.id, &members);
    let options = ReadOptions { platforms, secrets: &GivenSecrets(one.secrets), allow_local };
    let mut problems = ConfigProblems::default();
    let read =
        file.parsed(&mut problems, |node, problems| connections::read(node, options, problems));
    let read = read.into_iter().flatten().next();
    match (problems.into_result(()), read) {
        (Ok(()), Some(desired)) => Ok(desired.connection),
        (Ok(()), None) => {
            Err(vec![(String::new(), "the connection is empty: add platform and role".into())])
        }
        (Err(problems), _) => Err(file.field_errors(problems.0)),
    }
}

/// Reads a route. Its connections must be among `known`.
///
/// # Errors
/// Every problem of the route.
pub fn read_route(
    id: &str,
    members: &Value,
    known: &[(ConnectionId, Role)],
) -> Result<Route, FieldErrors> {
    let mut members = members.clone();
    // Channels name their route themselves, so the route is read as if it were the default.
    members["default"] = Value::Bool(true);
    let file = RenderedFile::of(id, &members);
    let mut connections: Vec<DesiredConnection> = known.iter().map(stub).collect();
    let mut problems = ConfigProblems::default();
    let read =
        file.parsed(&mut problems, |node, problems| routes::read(node, &mut connections, problems));
    let read = read.into_iter().flatten().next();
    match (problems.into_result(()), read) {
        (Ok(()), Some(route)) => Ok(route),
        (Ok(()), None) => {
            Err(vec![(String::new(), "the route is empty: add a bot or a desk".into())])
        }
        (Err(problems), _) => Err(file.field_errors(problems.0)),
    }
}

/// Returns a placeholder connection with which a route can be validated.
fn stub((id, role): &(ConnectionId, Role)) -> DesiredConnection {
    let platform = PlatformTraits {
        id: PlatformId::from_static("any"),
        capabilities: Capabilities::TEXT_ONLY,
        behaviour: Behaviour::NONE,
    };
    let connection = ConnectionFile::new(platform.id, *role).into_connection(id.clone(), platform);
    DesiredConnection { connection, secrets: Vec::new(), line: 0 }
}

/// An API request rendered as YAML, with the field path of each line.
struct RenderedFile {
    text: String,
    paths: Vec<String>,
}

impl RenderedFile {
    fn of(id: &str, members: &Value) -> Self {
        let mut file = Self { text: String::new(), paths: Vec::new() };
        file.line(0, id, None, String::new());
        file.members(1, members, "");
        file
    }

    fn line(&mut self, depth: usize, name: &str, value: Option<&Value>, path: String) {
        let name = Value::from(name);
        let value = value.map(ToString::to_string).unwrap_or_default();
        // A JSON string is a valid YAML string.
        let _ = writeln!(self.text, "{}{name}: {value}", "  ".repeat(depth));
        self.paths.push(path);
    }

    fn members(&mut self, depth: usize, members: &Value, path: &str) {
        for (name, value) in members.as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match value {
                Value::Null => {}
                Value::Object(inner) if !inner.is_empty() => {
                    self.line(depth, name, None, path.clone());
                    self.members(depth + 1, value, &path);
                }
                value => self.line(depth, name, Some(value), path),
            }
        }
    }

    fn parsed<T>(
        &self,
        problems: &mut ConfigProblems,
        read: impl FnOnce(&Node<'_>, &mut ConfigProblems) -> T,
    ) -> Option<T> {
        match Node::parse(&self.text) {
            Ok(Some(root)) => Some(read(&root, problems)),
            Ok(None) => None,
            Err(problem) => {
                problems.add(problem.line, problem.message);
                None
            }
        }
    }

    fn field_errors(&self, problems: Vec<super::ConfigProblem>) -> FieldErrors {
        let path = |line: usize| self.paths.get(line.wrapping_sub(1)).cloned().unwrap_or_default();
        problems
            .into_iter()
            .map(|problem| {
                let path = path(problem.line);
                let path = if path.is_empty() { path_of_missing(&problem.message) } else { path };
                (path, problem.message)
            })
            .collect()
    }
}

/// Returns the path of a missing field. A missing field has no line, so the path is taken from the message.
fn path_of_missing(message: &str) -> String {
    let member = message.split_once("' is missing").and_then(|(name, _)| name.strip_prefix('\''));
    if let Some(name) = member {
        return name.to_owned();
    }
    for (said, path) in [("needs the setting ", "settings."), ("needs the secret ", "secrets.")] {
        let name = message.split_once(said).map(|(_, rest)| rest);
        let name = name.and_then(|rest| rest.split([':', ' ']).next());
        if let Some(name) = name {
            return format!("{path}{name}");
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::file::examples::TOYS;

    fn bag(secrets: &[(&str, &str)]) -> SecretBag {
        let mut bag = SecretBag::default();
        for (name, value) in secrets {
            bag.set(name, vec![(*value).to_owned()]);
        }
        bag
    }

    #[test]
    fn reads_a_connection_as_from_a_file() {
        let members = json!({"platform": "fax", "role": "bot", "copies": true,
            "delivery": {"retry": [1, 2]}, "settings": {"message_url": "https://bot.example.com/a: b#c"}});
        let secrets = bag(&[("signing", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]);
        let one = ConnectionInput { id: "shop-bot", members: &members, secrets: &secrets };
        let read = read_connection(one, TOYS, false).unwrap();
        assert_eq!(
            (read.id.as_str(), read.copies, read.delivery.retry),
            ("shop-bot", true, vec![1, 2])
        );
        assert_eq!(read.settings["message_url"], "https://bot.example.com/a: b#c");
        assert!(read.secrets.contains("signing"));
        assert!(read.capabilities.media, "the platform's capabilities are stored");
    }

    #[test]
    fn every_error_names_its_field() {
        let members = json!({"platform": "fax", "role": "bot", "text_limit": 3,
            "delivery": {"breaker_after": 0}, "settings": {"message_url": "http://x", "auth": "magic"}});
        let secrets = bag(&[("signing", "short")]);
        let one = ConnectionInput { id: "shop-bot", members: &members, secrets: &secrets };
        let wrong = read_connection(one, TOYS, false).unwrap_err();
        let paths: Vec<&str> = wrong.iter().map(|(path, _)| path.as_str()).collect();
        for path in [
            "text_limit",
            "delivery.breaker_after",
            "settings.message_url",
            "settings.auth",
            "secrets.signing",
        ] {
            assert!(paths.contains(&path), "{path}: {wrong:?}");
        }
        let nothing = json!({"platform": "fax", "role": "bot"});
        let one = ConnectionInput { id: "shop-bot", members: &nothing, secrets: &secrets };
        let wrong = read_connection(one, TOYS, false).unwrap_err();
        assert!(wrong.iter().any(|(path, _)| path == "settings.message_url"), "{wrong:?}");
    }

    #[test]
    fn number_of_a_platform_setting_may_have_quotes() {
        let secrets = bag(&[("signing", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]);
        let read = |patience: serde_json::Value| {
            let members = json!({"platform": "fax", "role": "bot", "settings":
                {"message_url": "https://bot.example.com", "patience": patience}});
            let one = ConnectionInput { id: "shop-bot", members: &members, secrets: &secrets };
            read_connection(one, TOYS, false)
        };
        for valid in [json!(43), json!("43"), json!(" 43 ")] {
            assert_eq!(read(valid.clone()).unwrap().settings["patience"], 43, "{valid}");
        }
        for invalid in [json!(61), json!("61"), json!("soon"), json!(""), json!(1.5), json!(true)] {
            let problems = read(invalid.clone()).unwrap_err();
            assert_eq!(problems[0].0, "settings.patience", "{invalid}");
            assert!(problems[0].1.contains("from 1 to 60"), "{problems:?}");
        }
    }

    #[test]
    fn rejects_a_route_with_unknown_or_wrong_connections() {
        let known = [("bot".parse().unwrap(), Role::Bot), ("care".parse().unwrap(), Role::Desk)];
        let members = json!({"bot": "bot", "desk": "care", "handover": {"accept_within": 60}});
        let route = read_route("shop", &members, &known).unwrap();
        assert_eq!((route.handover_policy.accept_within, route.observers.len()), (Some(60), 0));
        let wrong = read_route("shop", &json!({"bot": "care"}), &known).unwrap_err();
        assert_eq!(wrong[0].0, "bot", "{wrong:?}");
        assert!(read_route("shop", &json!({}), &known).is_err());
    }
}
