//! One connection or route, as the API is given it: checked like those of a file, each problem with the
//! path of its field.

use std::fmt::Write;

use serde_json::Value;
use trunkline_shared::model::{Connection, ConnectionId, Platform, Role, Route};
use trunkline_shared::secrets::SecretBag;

use super::problems::Report;
use super::yaml::Node;
use super::{DesiredConnection, Environment, Reading, SecretSource, connections, routes};

/// What is wrong, by the dotted path of the field.
pub type Wrong = Vec<(String, String)>;

/// A connection as it is given.
#[derive(Debug, Clone, Copy)]
pub struct One<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its members, as a file has them, without secrets.
    pub members: &'a Value,
    /// The secrets themselves.
    pub secrets: &'a SecretBag,
}

#[derive(Debug)]
struct Given<'a>(&'a SecretBag);

impl Environment for Given<'_> {
    fn secret(&self, source: &SecretSource) -> Result<String, String> {
        let SecretSource::Env(name) = source else { return Err("it is not given".into()) };
        let (name, place) = name.rsplit_once('#').unwrap_or((name, "0"));
        let value =
            place.parse::<usize>().ok().and_then(|place| self.0.live(name).get(place).copied());
        value.map(ToOwned::to_owned).ok_or_else(|| "it is not given".into())
    }
}

/// Reads a connection; a channel's route is for the caller to say.
///
/// # Errors
/// All that is wrong with it.
pub fn read_connection(one: One<'_>, allow_local: bool) -> Result<Connection, Wrong> {
    let mut members = one.members.clone();
    let secrets = one.secrets.names().map(|name| {
        let live = one.secrets.live(name).len();
        let references =
            (0..live.min(2)).map(|place| serde_json::json!({"env": format!("{name}#{place}")}));
        (name.to_owned(), references.collect::<Value>())
    });
    members["secrets"] = Value::Object(secrets.collect());
    let file = File::of(one.id, &members);
    let reading = Reading { environment: &Given(one.secrets), allow_local };
    let mut report = Report::default();
    let read = file.parsed(&mut report, |node, report| connections::read(node, reading, report));
    let read = read.into_iter().flatten().next();
    match (report.into_result(()), read) {
        (Ok(()), Some(desired)) => Ok(desired.connection),
        (Ok(()), None) => Err(vec![(String::new(), "it is no connection".into())]),
        (Err(problems), _) => Err(file.wrong(problems.0)),
    }
}

/// Reads a route, whose connections must be among those that are known.
///
/// # Errors
/// All that is wrong with it.
pub fn read_route(
    id: &str,
    members: &Value,
    known: &[(ConnectionId, Role)],
) -> Result<Route, Wrong> {
    let mut members = members.clone();
    // Which channels it serves is said by them.
    members["default"] = Value::Bool(true);
    let file = File::of(id, &members);
    let mut connections: Vec<DesiredConnection> = known.iter().map(stub).collect();
    let mut report = Report::default();
    let read =
        file.parsed(&mut report, |node, report| routes::read(node, &mut connections, report));
    let read = read.into_iter().flatten().next();
    match (report.into_result(()), read) {
        (Ok(()), Some(route)) => Ok(route),
        (Ok(()), None) => Err(vec![(String::new(), "it is no route".into())]),
        (Err(problems), _) => Err(file.wrong(problems.0)),
    }
}

/// Enough of a connection for a route to name it.
fn stub((id, role): &(ConnectionId, Role)) -> DesiredConnection {
    let connection = Connection {
        id: id.clone(),
        platform: Platform::Webhook,
        role: *role,
        route: None,
        copies: false,
        sender_prefix: false,
        text_limit: None,
        shows: Vec::new(),
        reorder_window: None,
        allow_ips: Vec::new(),
        delivery: trunkline_shared::model::Policy::default(),
        settings: serde_json::Map::new(),
        secrets: std::collections::BTreeSet::new(),
        secrets_version: 0,
        suspended: false,
        version: 0,
    };
    DesiredConnection { connection, secrets: Vec::new(), line: 0 }
}

/// What is given, written as a file of which each line is known for what it is about.
struct File {
    text: String,
    paths: Vec<String>,
}

impl File {
    fn of(id: &str, members: &Value) -> Self {
        let mut file = Self { text: String::new(), paths: Vec::new() };
        file.line(0, id, None, String::new());
        file.members(1, members, "");
        file
    }

    fn line(&mut self, depth: usize, name: &str, value: Option<&Value>, path: String) {
        let name = Value::from(name);
        let value = value.map(ToString::to_string).unwrap_or_default();
        // Text in JSON is text in YAML.
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
        report: &mut Report,
        read: impl FnOnce(&Node<'_>, &mut Report) -> T,
    ) -> Option<T> {
        match Node::parse(&self.text) {
            Ok(Some(root)) => Some(read(&root, report)),
            Ok(None) => None,
            Err(problem) => {
                report.add(problem.line, problem.message);
                None
            }
        }
    }

    fn wrong(&self, problems: Vec<super::Problem>) -> Wrong {
        let path = |line: usize| self.paths.get(line.wrapping_sub(1)).cloned().unwrap_or_default();
        problems
            .into_iter()
            .map(|problem| {
                let path = path(problem.line);
                let path = if path.is_empty() { missing(&problem.message) } else { path };
                (path, problem.message)
            })
            .collect()
    }
}

/// What is missing has no line: it is named.
fn missing(message: &str) -> String {
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

    fn bag(secrets: &[(&str, &str)]) -> SecretBag {
        let mut bag = SecretBag::default();
        for (name, value) in secrets {
            bag.set(name, vec![(*value).to_owned()]);
        }
        bag
    }

    #[test]
    fn a_connection_is_read_like_one_of_a_file() {
        let members = json!({"platform": "webhook", "role": "bot", "copies": true,
            "delivery": {"retry": [1, 2]}, "settings": {"message_url": "https://bot.example.com/a: b#c"}});
        let secrets = bag(&[("signing", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]);
        let one = One { id: "shop-bot", members: &members, secrets: &secrets };
        let read = read_connection(one, false).unwrap();
        assert_eq!(
            (read.id.as_str(), read.copies, read.delivery.retry),
            ("shop-bot", true, vec![1, 2])
        );
        assert_eq!(read.settings["message_url"], "https://bot.example.com/a: b#c");
        assert!(read.secrets.contains("signing"));
    }

    #[test]
    fn what_is_wrong_has_the_path_of_its_field() {
        let members = json!({"platform": "webhook", "role": "bot", "text_limit": 3,
            "delivery": {"breaker_after": 0}, "settings": {"message_url": "http://x", "auth": "magic"}});
        let secrets = bag(&[("signing", "short")]);
        let one = One { id: "shop-bot", members: &members, secrets: &secrets };
        let wrong = read_connection(one, false).unwrap_err();
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
        let nothing = json!({"platform": "webhook", "role": "bot"});
        let one = One { id: "shop-bot", members: &nothing, secrets: &secrets };
        let wrong = read_connection(one, false).unwrap_err();
        assert!(wrong.iter().any(|(path, _)| path == "settings.message_url"), "{wrong:?}");
    }

    #[test]
    fn a_route_names_connections_that_are_there() {
        let known = [("bot".parse().unwrap(), Role::Bot), ("care".parse().unwrap(), Role::Desk)];
        let members = json!({"bot": "bot", "desk": "care", "handover": {"accept_within": 60}});
        let route = read_route("shop", &members, &known).unwrap();
        assert_eq!((route.switching.accept_within, route.observers.len()), (Some(60), 0));
        let wrong = read_route("shop", &json!({"bot": "care"}), &known).unwrap_err();
        assert_eq!(wrong[0].0, "bot", "{wrong:?}");
        assert!(read_route("shop", &json!({}), &known).is_err());
    }
}
