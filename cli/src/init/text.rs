//! The text of a new file, and the steps that follow.

use std::fmt::Write;

use trunkline_config::{ConnectionFile, export};
use trunkline_core::model::{Connection, HandoverPolicy, Role, Route, RouteId};
use trunkline_core::platform::Platforms;

use super::part::Part;

/// A new configuration: connections, and the route that joins them.
#[derive(Debug, Clone)]
pub struct NewConfiguration {
    /// What `trunkline apply` reads.
    pub text: String,
    /// The environment variables with the secrets, each with what it is.
    pub variables: Vec<(String, &'static str)>,
    /// The settings whose values are samples, each with what it is.
    pub samples: Vec<(String, String)>,
}

impl NewConfiguration {
    /// Builds the text of a file from complete connections.
    pub(super) fn of(platforms: Platforms, parts: &[&Part], route: &RouteId) -> Self {
        let ids = |role: Role| {
            let parts = parts.iter().filter(move |part| part.role == role);
            parts.filter_map(|part| part.id.clone())
        };
        let connections: Vec<Connection> =
            parts.iter().filter_map(|part| connection(part, route)).collect();
        let route = Route {
            id: route.clone(),
            bot: ids(Role::Bot).next(),
            desk: ids(Role::Desk).next(),
            observers: ids(Role::Observer).collect(),
            handover_policy: HandoverPolicy::default(),
            version: 0,
        };
        let variables = parts.iter().flat_map(|part| variables(part)).collect();
        let samples = parts.iter().flat_map(|part| samples(part)).collect();
        let body = export(platforms, &connections, &[route]);
        let new = Self { text: String::new(), variables, samples };
        Self { text: format!("{}\n{body}", new.header()), ..new }
    }

    fn header(&self) -> String {
        let mut header = "# Written by `trunkline init`. docs/configuration.md describes the options of connections \
                          and routes,\n# docs/settings.md the settings and secrets of each platform.\n"
            .to_owned();
        let lists = [
            ("Environment variables that `trunkline apply` reads:", self.variables()),
            ("Sample values, to be replaced:", self.samples()),
        ];
        for (title, lines) in lists {
            if !lines.is_empty() {
                // Writing to a `String` cannot fail.
                let _ = writeln!(header, "#\n# {title}");
            }
            for (name, help) in lines {
                let _ = writeln!(header, "#   {name}: {help}");
            }
        }
        header
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|(name, help)| (name.as_str(), *help)).collect()
    }

    fn samples(&self) -> Vec<(&str, &str)> {
        self.samples.iter().map(|(name, help)| (name.as_str(), help.as_str())).collect()
    }

    /// Returns the steps after the file is written to `file`, a line each.
    #[must_use]
    pub fn next_steps(&self, file: &str) -> String {
        let mut steps: Vec<String> = Vec::new();
        if !self.samples.is_empty() {
            let lines = self.samples.iter().map(|(name, help)| format!("\n     {name}: {help}"));
            steps
                .push(format!("Replace the sample values in {file}:{}", lines.collect::<String>()));
        }
        if !self.variables.is_empty() {
            let lines = self.variables.iter();
            let lines = lines.map(|(name, help)| format!("\n     export {name}=…   # {help}"));
            steps.push(format!("Set the secrets:{}", lines.collect::<String>()));
        }
        steps.push(format!("Apply the file: trunkline apply {file}"));
        steps
            .push(format!("Enter the inbound URLs into the vendors' forms: trunkline urls {file}"));
        steps.push("Verify the connections: trunkline check".into());
        let numbered = steps.iter().zip(1..).map(|(step, number)| format!("{number}. {step}\n"));
        numbered.collect()
    }
}

/// Returns the connection as it would be stored; `None` without an id.
fn connection(part: &Part, route: &RouteId) -> Option<Connection> {
    let file = ConnectionFile {
        route: (part.role == Role::Channel).then(|| route.clone()),
        settings: part.settings.clone(),
        secrets: part.secrets.iter().map(|name| (*name).to_owned()).collect(),
        // The file leaves out what is the platform's default.
        delivery: trunkline_core::model::DeliveryPolicy {
            retry_unknown: part.spec.retry_unknown,
            ..Default::default()
        },
        ..ConnectionFile::new(part.spec.id, part.role)
    };
    Some(file.into_connection(part.id.clone()?, part.spec.traits()))
}

/// Returns the variables of a connection's secrets, named as `trunkline export` names them.
fn variables(part: &Part) -> Vec<(String, &'static str)> {
    let Some(id) = &part.id else { return Vec::new() };
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let specs = part.spec.secrets.iter().filter(|spec| part.secrets.contains(spec.name));
    specs
        .map(|spec| (format!("{id}_{}", spec.name).chars().map(word).collect(), spec.help))
        .collect()
}

fn samples(part: &Part) -> Vec<(String, String)> {
    let Some(id) = &part.id else { return Vec::new() };
    let specs = part.spec.settings.iter().filter(|spec| part.samples.contains(spec.name));
    let line = |name: &str| format!("connections.{id}.settings.{name}");
    specs.map(|spec| (line(spec.name), spec.help.trim().to_owned())).collect()
}
