//! Reads and validates `trunkline.yaml`. Reports every problem with its line and a fix.

mod connection_file;
mod connections;
mod delivery;
#[cfg(test)]
pub(crate) mod examples;
mod export;
mod handover_policy;
mod problems;
mod routes;
mod secrets;
mod single;
mod warnings;
mod yaml;

use trunkline_core::model::{Connection, ConnectionId, Route};
use trunkline_core::platform::Platforms;

pub use connection_file::ConnectionFile;
pub use connections::TEXT_LIMIT;
pub use export::export;
pub use problems::{ConfigProblem, InvalidConfig};
pub use secrets::{EnvAndFiles, SecretResolver, SecretSource};
pub use single::{ConnectionInput, FieldErrors, read_connection, read_route};

use problems::ConfigProblems;
use yaml::Node;

/// The contents of a valid file: the desired state of a stack.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// In the order of the file.
    pub connections: Vec<DesiredConnection>,
    /// In the order of the file.
    pub routes: Vec<Route>,
    /// What the file configures although it can never take effect, in the order of the file.
    pub warnings: Vec<ConfigProblem>,
}

/// A connection of a file, with the values of its secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredConnection {
    /// As it is stored, except `secrets_version`.
    pub connection: Connection,
    /// The valid values of each secret by name, newest first.
    pub secrets: Vec<(String, Vec<String>)>,
    /// Its line in the file, from 1.
    pub line: usize,
}

/// Options for reading a file.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions<'a> {
    /// The platforms that connections can belong to.
    pub platforms: Platforms,
    /// Resolves references to secrets.
    pub secrets: &'a dyn SecretResolver,
    /// Whether the stack allows deliveries to plain http and private addresses.
    pub allow_local: bool,
}

/// Reads and validates a file.
///
/// # Errors
/// Every problem of the file.
pub fn read(text: &str, options: ReadOptions<'_>) -> Result<Desired, InvalidConfig> {
    let mut problems = ConfigProblems::default();
    let mut desired = Desired::default();
    match Node::parse(text) {
        Err(problem) => problems.add(problem.line, problem.message),
        Ok(None) => problems.add(1, "the file is empty: add 'connections' and 'routes'"),
        Ok(Some(root)) => {
            let members = root.members(&mut problems, "the file", &["connections", "routes"]);
            if let Some(node) = members.required("connections", 1, &mut problems) {
                desired.connections = connections::read(node, options, &mut problems);
            }
            if let Some(node) = members.required("routes", 1, &mut problems) {
                desired.routes = routes::read(node, &mut desired.connections, &mut problems);
            }
            if problems.is_empty() {
                desired.warnings = warnings::find(&members, &desired, options.platforms);
            }
        }
    }
    problems.into_result(desired)
}

impl Desired {
    /// Returns the connection with an id.
    #[must_use]
    pub fn connection(&self, id: &ConnectionId) -> Option<&DesiredConnection> {
        self.connections.iter().find(|desired| desired.connection.id == *id)
    }
}
