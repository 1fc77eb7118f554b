//! Resolves references to secrets. A file names the source of a secret, never its value.

use super::problems::ConfigProblems;
use super::yaml::Node;

/// The source of a secret's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file. Line breaks at its end are removed.
    File(String),
}

/// Resolves references to secrets.
pub trait SecretResolver: std::fmt::Debug {
    /// Returns the value of a secret.
    ///
    /// # Errors
    /// A message for the operator: why there is no value and how to fix it.
    fn resolve(&self, source: &SecretSource) -> Result<String, String>;
}

/// Resolves references from environment variables and files of this process.
#[derive(Debug, Clone, Copy)]
pub struct EnvAndFiles;

impl SecretResolver for EnvAndFiles {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
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

/// Returns the values that a secret's node refers to, each with its line: one reference, or a list of two
/// while the secret is rotated, newest first.
pub(super) fn read(
    node: &Node<'_>,
    name: &str,
    environment: &dyn SecretResolver,
    problems: &mut ConfigProblems,
) -> Vec<(usize, String)> {
    let references =
        if node.is_sequence() { node.items(problems, name) } else { vec![node.clone()] };
    if references.is_empty() || references.len() > 2 {
        let rule = "must have one reference, or two during a rotation: the new one first, then the old one";
        problems.add(node.line(), format!("the secret {name} {rule}"));
    }
    let mut values = Vec::new();
    for reference in references.iter().take(2) {
        let Some(source) = source(reference, name, problems) else { continue };
        match environment.resolve(&source) {
            Ok(value) => values.push((reference.line(), value)),
            Err(why) => problems.add(reference.line(), format!("the secret {name}: {why}")),
        }
    }
    values
}

fn source(node: &Node<'_>, name: &str, problems: &mut ConfigProblems) -> Option<SecretSource> {
    let what = format!("the secret {name}");
    if !node.is_mapping() {
        let how = "must be a reference: write { env: NAME } or { file: PATH }";
        problems.add(node.line(), format!("{what} {how}"));
        return None;
    }
    let members = node.members(problems, &what, &["env", "file"]);
    match (members.get("env"), members.get("file")) {
        (Some(env), None) => env.text(problems, &what).map(SecretSource::Env),
        (None, Some(file)) => file.text(problems, &what).map(SecretSource::File),
        _ => {
            problems
                .add(node.line(), format!("{what} must have exactly one reference: env or file"));
            None
        }
    }
}
