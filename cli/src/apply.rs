//! Applies a configuration to a deployed stack.

use trunkline_shared::model::Connection;
use trunkline_shared::secrets::SecretsError;

pub use trunkline_setup::apply::{Applied, ApplyError, Change};

use crate::config::Desired;
use crate::stack::Stack;

/// Applies a configuration to a stack, see [`trunkline_setup::apply::apply`].
///
/// # Errors
/// If AWS refuses a call. Applying again is safe.
pub async fn apply(
    stack: &Stack,
    desired: &Desired,
    on_applied: impl FnMut(&Applied),
) -> Result<(), ApplyError> {
    trunkline_setup::apply::apply(stack.apply_target(), desired, on_applied).await
}

/// Returns the inbound URL that a connection's platform calls; `None` if the connection has not been applied.
///
/// # Errors
/// If the connection's path key cannot be read.
pub async fn inbound_url(
    stack: &Stack,
    connection: &Connection,
) -> Result<Option<String>, SecretsError> {
    trunkline_setup::apply::inbound_url(&stack.secrets, &stack.info.api, connection).await
}
