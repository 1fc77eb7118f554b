//! `trunkline.yaml`: read and validated as a whole, every problem with its line and what to do.

mod connections;
mod delivery;
#[cfg(test)]
pub(crate) mod examples;
mod export;
mod one;
mod problems;
mod routes;
mod secrets;
mod spec;
mod switching;
mod yaml;

use trunkline_shared::model::{Connection, ConnectionId, Route};

pub use export::export;
pub use one::{One, Wrong, read_connection, read_route};
pub use problems::{Problem, Problems};
pub use secrets::{Environment, SecretSource, System};
pub use spec::{AddressSpec, Checked, Kind, PlatformSpec, SecretSpec, SettingSpec};

use problems::Report;
use yaml::Node;

/// What a file asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// The connections, in the file's order.
    pub connections: Vec<DesiredConnection>,
    /// The routes, in the file's order.
    pub routes: Vec<Route>,
}

/// A connection as a file asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredConnection {
    /// As it will be stored, but for the version of its secrets.
    pub connection: Connection,
    /// Its secrets' live values by name, the newest first.
    pub secrets: Vec<(String, Vec<String>)>,
    /// Where it stands in the file.
    pub line: usize,
}

/// How a file is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Where secrets come from.
    pub environment: &'a dyn Environment,
    /// Whether deliveries may go to plain http and private addresses: the stack's own setting.
    pub allow_local: bool,
}

/// Reads and validates a file.
///
/// # Errors
/// All that is wrong with it.
pub fn read(text: &str, reading: Reading<'_>) -> Result<Desired, Problems> {
    let mut report = Report::default();
    let mut desired = Desired::default();
    match Node::parse(text) {
        Err(problem) => report.add(problem.line, problem.message),
        Ok(None) => report.add(1, "the file is empty: it needs 'connections' and 'routes'"),
        Ok(Some(root)) => {
            let members = root.members(&mut report, "the file", &["connections", "routes"]);
            if let Some(node) = members.required("connections", 1, &mut report) {
                desired.connections = connections::read(node, reading, &mut report);
            }
            if let Some(node) = members.required("routes", 1, &mut report) {
                desired.routes = routes::read(node, &mut desired.connections, &mut report);
            }
        }
    }
    report.into_result(desired)
}

impl Desired {
    /// The connection of that id.
    #[must_use]
    pub fn connection(&self, id: &ConnectionId) -> Option<&DesiredConnection> {
        self.connections.iter().find(|desired| desired.connection.id == *id)
    }
}
