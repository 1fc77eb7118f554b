//! Applies a configuration to a deployed stack.

use trunkline_core::model::Connection;
use trunkline_runtime::secrets::SecretsError;

pub use trunkline_config::apply::{Applied, ApplyError, Change};

use crate::config::Desired;
use crate::stack::Stack;

/// Applies a configuration to a stack, see [`trunkline_config::apply::apply`].
///
/// # Errors
/// If AWS refuses a call. Applying again is safe.
pub async fn apply(
    stack: &Stack,
    desired: &Desired,
    on_applied: impl FnMut(&Applied),
) -> Result<(), ApplyError> {
    trunkline_config::apply::apply(stack.apply_target(), desired, on_applied).await
}

/// Returns the inbound URL that a connection's platform calls; `None` if the connection has not been applied.
///
/// # Errors
/// If the connection's path key cannot be read.
pub async fn inbound_url(
    stack: &Stack,
    connection: &Connection,
) -> Result<Option<String>, SecretsError> {
    trunkline_config::apply::inbound_url(&stack.secrets, &stack.info.api, connection).await
}
