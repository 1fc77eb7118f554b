//! Reads the connections of a file.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use trunkline_core::model::{Connection, ConnectionId, Feature, PresentationOptions, Role, SYSTEM};
use trunkline_core::platform::{CheckInput, Kind, PlatformSpec};
use trunkline_runtime::secrets::PATH_KEY;
use trunkline_runtime::security::check_url;

use super::problems::ConfigProblems;
use super::yaml::Node;
use super::{DesiredConnection, ReadOptions, delivery, secrets};

const MEMBERS: [&str; 11] = [
    "platform",
    "role",
    "copies",
    "sender_prefix",
    "text_limit",
    "shows",
    "reorder_window",
    "allow_ips",
    "delivery",
    "settings",
    "secrets",
];
/// The valid range of `text_limit`, in characters.
pub const TEXT_LIMIT: RangeInclusive<u32> = 20..=1_000_000;
/// The maximum of `reorder_window`, in seconds.
const MAX_REORDER_WINDOW: u32 = 60;

pub(super) fn read(
    node: &Node<'_>,
    options: ReadOptions<'_>,
    problems: &mut ConfigProblems,
) -> Vec<DesiredConnection> {
    let entries = node.entries(problems, "connections");
    entries
        .iter()
        .filter_map(|(id, line, node)| read_one(id, *line, node, options, problems))
        .collect()
}

fn read_one(
    name: &str,
    line: usize,
    node: &Node<'_>,
    options: ReadOptions<'_>,
    problems: &mut ConfigProblems,
) -> Option<DesiredConnection> {
    let id: Option<ConnectionId> =
        name.parse().map_err(|why| problems.add(line, format!("{why}"))).ok();
    if name == SYSTEM {
        problems
            .add(line, format!("'{SYSTEM}' is reserved for Trunkline itself: choose another id"));
    }
    let what = format!("the connection {name}");
    let members = node.members(problems, &what, &MEMBERS);
    let platform = members.required("platform", line, problems);
    let platform =
        platform.and_then(|node| node.one_of(problems, "the platform", &options.platforms.ids()));
    let role = members.required("role", line, problems);
    let role =
        role.and_then(|node| node.one_of(problems, "the role", &Role::NAMES.map(|(name, _)| name)));
    let copies = members.get("copies").and_then(|node| node.boolean(problems, "copies"));
    let prefix = members.get("sender_prefix");
    let sender_prefix = prefix.and_then(|node| node.boolean(problems, "sender_prefix"));
    let text_limit = members.get("text_limit");
    let text_limit = text_limit.and_then(|node| node.number(problems, "text_limit", TEXT_LIMIT));
    let shows = members.get("shows").map_or_else(Vec::new, |node| read_features(node, problems));
    let window = members.get("reorder_window");
    let window =
        window.and_then(|node| node.number(problems, "reorder_window", 1..=MAX_REORDER_WINDOW));
    let allow_ips =
        members.get("allow_ips").map_or_else(Vec::new, |node| read_ranges(node, problems));

    let spec = options.platforms.get(platform?.parse().ok()?)?;
    let platform = spec.id;
    let role = Role::NAMES.iter().find(|(name, _)| Some(*name) == role.as_deref())?.1;
    if !spec.roles.contains(&role) {
        let can = spec.roles.iter().filter_map(|role| {
            Role::NAMES.iter().find(|(_, known)| known == role).map(|(name, _)| *name)
        });
        let can: Vec<_> = can.collect();
        problems.add(
            line,
            format!("a {platform} connection cannot have this role: use {}", can.join(", ")),
        );
    }
    let delivery = delivery::read(members.get("delivery"), spec, problems);
    let settings = match members.get("settings") {
        Some(node) => read_settings(node, spec, options, problems),
        None => Map::new(),
    };
    for missing in spec.settings.iter().filter(|known| known.required) {
        if !settings.contains_key(missing.name) {
            let help = missing.help.trim();
            let message = format!("{what} needs the setting {}: {help}", missing.name);
            problems.add(line, message);
        }
    }
    let secrets = match members.get("secrets") {
        Some(node) => read_secrets(node, spec, options, problems),
        None => Vec::new(),
    };
    let names: Vec<&str> = secrets.iter().map(|(name, _)| name.as_str()).collect();
    for missing in spec.secrets.iter().filter(|known| known.required) {
        if !names.contains(&missing.name) {
            let message = format!("{what} needs the secret {}: {}", missing.name, missing.help);
            problems.add(line, message);
        }
    }
    for problem in (spec.check)(&CheckInput { settings: &settings, secrets: &names }) {
        problems.add(line, format!("{what}: {problem}"));
    }
    let secret_names: BTreeSet<String> = secrets.iter().map(|(name, _)| name.clone()).collect();
    let connection = Connection {
        id: id?,
        platform,
        role,
        route: None,
        copies: copies.unwrap_or(false),
        presentation: PresentationOptions {
            sender_prefix: sender_prefix.unwrap_or(false),
            text_limit,
            shows,
        },
        capabilities: spec.capabilities,
        behaviour: spec.behaviour,
        reorder_window: window,
        allow_ips,
        delivery,
        settings,
        secrets: secret_names,
        secrets_version: 0,
        suspended: false,
        version: 0,
    };
    Some(DesiredConnection { connection, secrets, line })
}

fn read_settings(
    node: &Node<'_>,
    spec: &PlatformSpec,
    options: ReadOptions<'_>,
    problems: &mut ConfigProblems,
) -> Map<String, Value> {
    let known: Vec<&str> = spec.settings.iter().map(|setting| setting.name).collect();
    let members = node.members(problems, &format!("the settings of {}", spec.id), &known);
    let mut settings = Map::new();
    for setting in spec.settings {
        let Some(node) = members.get(setting.name) else { continue };
        let name = setting.name;
        let read = match setting.kind {
            Kind::Text => node.text(problems, name).map(Value::String),
            Kind::Boolean => node.boolean(problems, name).map(Value::Bool),
            Kind::Number { min, max } => node.number(problems, name, min..=max).map(Value::from),
            Kind::Enum(words) => node.one_of(problems, name, words).map(Value::String),
            Kind::Url => node.text(problems, name).and_then(|text| {
                match check_url(&text, options.allow_local) {
                    Ok(_) => Some(Value::String(text)),
                    Err(why) => {
                        problems.add(node.line(), format!("{name}: {why}"));
                        None
                    }
                }
            }),
        };
        // An invalid setting is inserted as null, so that it is not reported as missing too.
        let valid = read.filter(|value| match (setting.check)(value) {
            Ok(()) => true,
            Err(why) => {
                problems.add(node.line(), format!("{name} {why}"));
                false
            }
        });
        settings.insert(name.to_owned(), valid.unwrap_or(Value::Null));
    }
    settings
}

fn read_secrets(
    node: &Node<'_>,
    spec: &PlatformSpec,
    options: ReadOptions<'_>,
    problems: &mut ConfigProblems,
) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for (name, line, node) in node.entries(problems, "secrets") {
        let check = match spec.secret(&name) {
            Some(spec) => spec.check,
            None if name == PATH_KEY => check_path_key,
            None => {
                let known: Vec<_> = spec.secrets.iter().map(|secret| secret.name).collect();
                let known = known.join(", ");
                problems.add(
                    line,
                    format!("a {} connection has no secret '{name}': use {known}", spec.id),
                );
                continue;
            }
        };
        let mut values = Vec::new();
        for (line, value) in secrets::read(&node, &name, options.secrets, problems) {
            if let Err(why) = check(&value, options.allow_local) {
                problems.add(line, format!("the secret {name} {why}"));
            }
            values.push(value);
        }
        found.push((name, values));
    }
    found
}

/// Checks a path key, the secret part of an inbound URL.
fn check_path_key(value: &str, _: bool) -> Result<(), String> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    if value.len() >= 32 && value.bytes().all(plain) {
        Ok(())
    } else {
        Err("must have at least 32 letters, digits, - or _; omit it to have one generated".into())
    }
}

fn read_features(node: &Node<'_>, problems: &mut ConfigProblems) -> Vec<Feature> {
    let known = Feature::NAMES.map(|(name, _)| name);
    let mut features = Vec::new();
    for item in node.items(problems, "shows") {
        let word = item.one_of(problems, "a feature in shows", &known);
        let feature = Feature::NAMES.iter().find(|(name, _)| Some(*name) == word.as_deref());
        features.extend(feature.map(|(_, feature)| *feature));
    }
    features
}

fn read_ranges(node: &Node<'_>, problems: &mut ConfigProblems) -> Vec<ipnet::IpNet> {
    let mut ranges = Vec::new();
    for item in node.items(problems, "allow_ips") {
        let Some(text) = item.text(problems, "an address in allow_ips") else { continue };
        let address = text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
        if let Ok(range) = text.parse().or(address) {
            ranges.push(range);
        } else {
            let how = "is not an address: write 192.0.2.7 or 192.0.2.0/24";
            problems.add(item.line(), format!("'{text}' {how}"));
        }
    }
    ranges
}
