//! Reads the connections of a file.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use trunkline_core::model::{ConnectionId, Feature, PresentationOptions, Role, SYSTEM};
use trunkline_core::platform::{CheckInput, Kind, PlatformSpec};
use trunkline_runtime::secrets::PATH_KEY;
use trunkline_runtime::security::check_url;

use super::problems::ConfigProblems;
use super::yaml::{Members, Node};
use super::{ConnectionFile, DesiredConnection, ReadOptions, delivery, secrets};

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
    let known = ConnectionFile::member_names();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let members = node.members(problems, &what, &known);
    let platform = members.required("platform", line, problems);
    let platform =
        platform.and_then(|node| node.one_of(problems, "the platform", &options.platforms.ids()));
    let role = members.required("role", line, problems);
    let role = role.and_then(|node| node.variant(problems, "the role", &Role::NAMES));
    let copies = members.boolean("copies", problems);
    let presentation = read_presentation(&members, problems);
    let reorder_window = members.number("reorder_window", 1..=MAX_REORDER_WINDOW, problems);
    let allow_ips =
        members.get("allow_ips").map_or_else(Vec::new, |node| read_ranges(node, problems));
    let spec = options.platforms.get(platform?.parse().ok()?)?;
    let role = role?;
    check_role(role, spec, line, problems);
    check_shows(&presentation, role, spec, line, problems);
    let delivery = delivery::read(members.get("delivery"), spec, problems);
    let settings = members.get("settings");
    let settings =
        settings.map_or_else(Map::new, |node| read_settings(node, spec, options, problems));
    let secrets = members.get("secrets");
    let secrets = secrets.map_or_else(Vec::new, |node| read_secrets(node, spec, options, problems));
    let names: Vec<&str> = secrets.iter().map(|(name, _)| name.as_str()).collect();
    let input = CheckInput { settings: &settings, secrets: &names };
    for missing in missing_parts(spec, input) {
        problems.add(line, format!("{what} needs {missing}"));
    }
    for problem in (spec.check)(&input) {
        problems.add(line, format!("{what}: {problem}"));
    }
    let file = ConnectionFile {
        platform: spec.id,
        role,
        route: None,
        copies,
        presentation,
        reorder_window,
        allow_ips,
        delivery,
        settings,
        secrets: names.into_iter().map(ToOwned::to_owned).collect(),
    };
    let connection = file.into_connection(id?, spec.traits());
    Some(DesiredConnection { connection, secrets, line })
}

fn read_presentation(members: &Members<'_>, problems: &mut ConfigProblems) -> PresentationOptions {
    PresentationOptions {
        sender_prefix: members.boolean("sender_prefix", problems),
        text_limit: members.number("text_limit", TEXT_LIMIT, problems),
        shows: members.variants("shows", &Feature::NAMES, problems),
    }
}

/// Checks that connections of a platform can have a role.
fn check_role(role: Role, spec: &PlatformSpec, line: usize, problems: &mut ConfigProblems) {
    if !spec.roles.contains(&role) {
        let can = Role::NAMES.iter().filter(|(_, role)| spec.roles.contains(role));
        let can: Vec<&str> = can.map(|(name, _)| *name).collect();
        let how = format!("use {}", can.join(", "));
        problems.add(line, format!("a {} connection cannot have this role: {how}", spec.id));
    }
}

/// Checks that the platform has code for every feature that the connection adds: the content would be lost.
fn check_shows(
    presentation: &PresentationOptions,
    role: Role,
    spec: &PlatformSpec,
    line: usize,
    problems: &mut ConfigProblems,
) {
    let can = spec.optional_features(role);
    for (name, feature) in Feature::NAMES {
        if presentation.shows.contains(&feature) && !can.contains(&name) {
            let how = match can.as_slice() {
                [] => "leave shows out".to_owned(),
                names => format!("use {}", names.join(", ")),
            };
            let what = format!("a {} connection cannot add '{name}' with shows: {how}", spec.id);
            problems.add(line, what);
        }
    }
}

/// Returns the problem of each required setting and secret that is missing.
fn missing_parts(spec: &PlatformSpec, input: CheckInput<'_>) -> Vec<String> {
    let settings = spec.settings.iter().filter(|known| known.required);
    let settings = settings.filter(|known| !input.settings.contains_key(known.name));
    let settings =
        settings.map(|known| format!("the setting {}: {}", known.name, known.help.trim()));
    let secrets = spec.secrets.iter().filter(|known| known.required);
    let secrets = secrets.filter(|known| !input.has_secret(known.name));
    let secrets = secrets.map(|known| format!("the secret {}: {}", known.name, known.help));
    settings.chain(secrets).collect()
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
            Kind::Number { min, max } => {
                node.number_or_text(problems, name, min..=max).map(Value::from)
            }
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
