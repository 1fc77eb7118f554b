//! The connections of a file.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use trunkline_shared::model::{Connection, ConnectionId, Feature, HOUSE, Platform, Role};
use trunkline_shared::secrets::PATH_KEY;
use trunkline_shared::security::check_url;

use super::problems::Report;
use super::spec::{Checked, Kind, PlatformSpec};
use super::yaml::Node;
use super::{DesiredConnection, Reading, delivery, secrets};
use crate::platforms;

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
/// The longest time that events are held back, in seconds.
const LONGEST_WINDOW: u32 = 60;

pub(super) fn read(
    node: &Node<'_>,
    reading: Reading<'_>,
    report: &mut Report,
) -> Vec<DesiredConnection> {
    let entries = node.entries(report, "connections");
    entries.iter().filter_map(|(id, line, node)| one(id, *line, node, reading, report)).collect()
}

fn one(
    name: &str,
    line: usize,
    node: &Node<'_>,
    reading: Reading<'_>,
    report: &mut Report,
) -> Option<DesiredConnection> {
    let id: Option<ConnectionId> =
        name.parse().map_err(|why| report.add(line, format!("{why}"))).ok();
    if name == HOUSE {
        report.add(line, format!("'{HOUSE}' is Trunkline's own name: choose another"));
    }
    let what = format!("the connection {name}");
    let members = node.members(report, &what, &MEMBERS);
    let platform = members.required("platform", line, report);
    let platform = platform.and_then(|node| node.word(report, "the platform", &Platform::names()));
    let role = members.required("role", line, report);
    let role =
        role.and_then(|node| node.word(report, "the role", &Role::NAMES.map(|(name, _)| name)));
    let copies = members.get("copies").and_then(|node| node.truth(report, "copies"));
    let prefix = members.get("sender_prefix");
    let sender_prefix = prefix.and_then(|node| node.truth(report, "sender_prefix"));
    let text_limit = members.get("text_limit");
    let text_limit = text_limit.and_then(|node| node.number(report, "text_limit", 20..=1_000_000));
    let shows = members.get("shows").map_or_else(Vec::new, |node| features(node, report));
    let window = members.get("reorder_window");
    let window = window.and_then(|node| node.number(report, "reorder_window", 1..=LONGEST_WINDOW));
    let allow_ips = members.get("allow_ips").map_or_else(Vec::new, |node| ranges(node, report));

    let platform: Platform = platform?.parse().ok()?;
    let role = Role::NAMES.iter().find(|(name, _)| Some(*name) == role.as_deref())?.1;
    let spec = platforms::spec(platform);
    if !spec.roles.contains(&role) {
        let can = spec.roles.iter().filter_map(|role| {
            Role::NAMES.iter().find(|(_, known)| known == role).map(|(name, _)| *name)
        });
        let can: Vec<_> = can.collect();
        report.add(line, format!("a {platform} connection can only be: {}", can.join(", ")));
    }
    let delivery = delivery::read(members.get("delivery"), spec, report);
    let settings = match members.get("settings") {
        Some(node) => settings(node, spec, reading, report),
        None => Map::new(),
    };
    for missing in spec.settings.iter().filter(|known| known.required) {
        if !settings.contains_key(missing.name) {
            let message = format!("{what} needs the setting {}: {}", missing.name, missing.about);
            report.add(line, message);
        }
    }
    let secrets = match members.get("secrets") {
        Some(node) => all_secrets(node, spec, reading, report),
        None => Vec::new(),
    };
    let names: Vec<&str> = secrets.iter().map(|(name, _)| name.as_str()).collect();
    for missing in spec.secrets.iter().filter(|known| known.required) {
        if !names.contains(&missing.name) {
            let message = format!("{what} needs the secret {}: {}", missing.name, missing.about);
            report.add(line, message);
        }
    }
    for problem in (spec.check)(&Checked { settings: &settings, secrets: &names }) {
        report.add(line, format!("{what}: {problem}"));
    }
    let secret_names: BTreeSet<String> = secrets.iter().map(|(name, _)| name.clone()).collect();
    let connection = Connection {
        id: id?,
        platform,
        role,
        route: None,
        copies: copies.unwrap_or(false),
        sender_prefix: sender_prefix.unwrap_or(false),
        text_limit,
        shows,
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

fn settings(
    node: &Node<'_>,
    spec: &PlatformSpec,
    reading: Reading<'_>,
    report: &mut Report,
) -> Map<String, Value> {
    let known: Vec<&str> = spec.settings.iter().map(|setting| setting.name).collect();
    let members = node.members(report, &format!("the settings of {}", spec.platform), &known);
    let mut settings = Map::new();
    for setting in spec.settings {
        let Some(node) = members.get(setting.name) else { continue };
        let name = setting.name;
        let read = match setting.kind {
            Kind::Text => node.text(report, name).map(Value::String),
            Kind::Truth => node.truth(report, name).map(Value::Bool),
            Kind::Word(words) => node.word(report, name, words).map(Value::String),
            Kind::Url => node.text(report, name).and_then(|text| {
                match check_url(&text, reading.allow_local) {
                    Ok(_) => Some(Value::String(text)),
                    Err(why) => {
                        report.add(node.line(), format!("{name}: {why}"));
                        None
                    }
                }
            }),
        };
        // A setting that is there but wrong is not missing as well.
        settings.insert(name.to_owned(), read.unwrap_or(Value::Null));
    }
    settings
}

fn all_secrets(
    node: &Node<'_>,
    spec: &PlatformSpec,
    reading: Reading<'_>,
    report: &mut Report,
) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for (name, line, node) in node.entries(report, "secrets") {
        let check = match spec.secret(&name) {
            Some(spec) => spec.check,
            None if name == PATH_KEY => path_key,
            None => {
                let known: Vec<_> = spec.secrets.iter().map(|secret| secret.name).collect();
                let known = known.join(", ");
                report.add(
                    line,
                    format!("a {} connection has no secret '{name}': use {known}", spec.platform),
                );
                continue;
            }
        };
        let mut values = Vec::new();
        for (line, value) in secrets::read(&node, &name, reading.environment, report) {
            if let Err(why) = check(&value, reading.allow_local) {
                report.add(line, format!("the secret {name} {why}"));
            }
            values.push(value);
        }
        found.push((name, values));
    }
    found
}

/// The key of an inbound address: made by `apply` unless it is given.
fn path_key(value: &str, _: bool) -> Result<(), String> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    if value.len() >= 32 && value.bytes().all(plain) {
        Ok(())
    } else {
        Err("must have at least 32 letters, digits, - or _; leave it out and one is made".into())
    }
}

fn features(node: &Node<'_>, report: &mut Report) -> Vec<Feature> {
    let known = Feature::NAMES.map(|(name, _)| name);
    let mut features = Vec::new();
    for item in node.items(report, "shows") {
        let word = item.word(report, "a feature in shows", &known);
        let feature = Feature::NAMES.iter().find(|(name, _)| Some(*name) == word.as_deref());
        features.extend(feature.map(|(_, feature)| *feature));
    }
    features
}

fn ranges(node: &Node<'_>, report: &mut Report) -> Vec<ipnet::IpNet> {
    let mut ranges = Vec::new();
    for item in node.items(report, "allow_ips") {
        let Some(text) = item.text(report, "an address in allow_ips") else { continue };
        let address = text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
        if let Ok(range) = text.parse().or(address) {
            ranges.push(range);
        } else {
            let how = "is not an address: write 192.0.2.7 or 192.0.2.0/24";
            report.add(item.line(), format!("'{text}' {how}"));
        }
    }
    ranges
}
