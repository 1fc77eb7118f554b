//! Puts what a file asks for into a deployed stack.

use trunkline_shared::model::Connection;
use trunkline_shared::secrets::SecretsError;

pub use trunkline_setup::apply::{Applied, ApplyError, Change};

use crate::config::Desired;
use crate::stack::Stack;

/// Puts what a file asks for into a stack, as [`trunkline_setup::apply::apply`].
///
/// # Errors
/// If AWS refuses. Applying again is safe.
pub async fn apply(
    stack: &Stack,
    desired: &Desired,
    told: impl FnMut(&Applied),
) -> Result<(), ApplyError> {
    trunkline_setup::apply::apply(stack.site(), desired, told).await
}

/// The address at which a connection's platform reaches us.
///
/// # Errors
/// If the connection's key cannot be read.
pub async fn inbound_url(
    stack: &Stack,
    connection: &Connection,
) -> Result<Option<String>, SecretsError> {
    trunkline_setup::apply::inbound_url(&stack.secrets, &stack.facts.api, connection).await
}
