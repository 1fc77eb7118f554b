//! Secrets by reference: a file names where a secret is, never what it is.

use super::problems::Report;
use super::yaml::Node;

/// Where a secret's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file, without its last line break.
    File(String),
}

/// Where secrets are looked up.
pub trait Environment: std::fmt::Debug {
    /// The value, or why there is none and what to do.
    ///
    /// # Errors
    /// In words for whoever runs the command.
    fn secret(&self, source: &SecretSource) -> Result<String, String>;
}

/// The process's own environment and files.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Environment for System {
    fn secret(&self, source: &SecretSource) -> Result<String, String> {
        match source {
            SecretSource::Env(name) => std::env::var(name).map_err(|_| {
                format!("the environment variable {name} is not set: set it and apply again")
            }),
            SecretSource::File(path) => std::fs::read_to_string(path)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| format!("the file {path} cannot be read: {error}")),
        }
    }
}

/// The live values that a secret's node refers to: one reference, or a list of at most two while the
/// secret is rotated, the newest first.
pub(super) fn read(
    node: &Node<'_>,
    name: &str,
    environment: &dyn Environment,
    report: &mut Report,
) -> Vec<(usize, String)> {
    let references = if node.is_sequence() { node.items(report, name) } else { vec![node.clone()] };
    if references.is_empty() || references.len() > 2 {
        let rule = "has one reference, or two while it is rotated: the new one first, then the old";
        report.add(node.line(), format!("the secret {name} {rule}"));
    }
    let mut values = Vec::new();
    for reference in references.iter().take(2) {
        let Some(source) = source(reference, name, report) else { continue };
        match environment.secret(&source) {
            Ok(value) => values.push((reference.line(), value)),
            Err(why) => report.add(reference.line(), format!("the secret {name}: {why}")),
        }
    }
    values
}

fn source(node: &Node<'_>, name: &str, report: &mut Report) -> Option<SecretSource> {
    let what = format!("the secret {name}");
    if !node.is_mapping() {
        let how = "is given by reference: write { env: NAME } or { file: PATH }";
        report.add(node.line(), format!("{what} {how}"));
        return None;
    }
    let members = node.members(report, &what, &["env", "file"]);
    match (members.get("env"), members.get("file")) {
        (Some(env), None) => env.text(report, &what).map(SecretSource::Env),
        (None, Some(file)) => file.text(report, &what).map(SecretSource::File),
        _ => {
            report.add(node.line(), format!("{what} needs one reference: env or file"));
            None
        }
    }
}
