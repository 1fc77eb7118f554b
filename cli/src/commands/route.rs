//! `trunkline route`: deletes a route.

use trunkline::api::{Api, path_segment};

use super::CliError;
use super::connection::{Deletion, delete};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Route {
    /// Delete a route. Asks first. Refused while a channel names it.
    Delete {
        /// Id of the route.
        id: String,
        #[command(flatten)]
        deletion: Deletion,
    },
}

pub(super) async fn run(api: &Api, command: &Route) -> Result<(), CliError> {
    let Route::Delete { id, deletion } = command;
    delete(api, &format!("route {id}"), &format!("/routes/{}", path_segment(id)), *deletion).await
}
