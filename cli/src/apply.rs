//! Applies a configuration to a deployed stack.

use serde_json::Value;
use trunkline_config::prune::Resource;
use trunkline_core::model::Connection;
use trunkline_runtime::secrets::SecretsError;

pub use trunkline_config::apply::{Applied, ApplyError, Change};

use crate::config::Desired;
use crate::stack::Stack;

/// How many resources a line names.
const MAX_NAMED: usize = 10;

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

/// Returns the line about what a stack has and a file does not; `None` if there is nothing.
#[must_use]
pub fn kept_note(resources: &[Resource]) -> Option<String> {
    let named: Vec<String> = resources.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    let more = match resources.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = named.join(", ");
    (!resources.is_empty())
        .then(|| format!("not in the file: {named}{more} (kept; --prune deletes them)"))
}

/// Returns what happens to the deliveries that waited for a connection, by the API's response to its deletion.
/// `None` if there were none.
#[must_use]
pub fn waiting_note(deleted: &Value) -> Option<String> {
    let count = |name: &str| deleted[name].as_u64().unwrap_or_default();
    let (parked, failed) = (count("parked"), count("failed"));
    let how = "discard them, or apply the connection again and replay them";
    (parked + failed > 0).then(|| {
        format!(
            "deliveries waited for it: {parked} parked ones fail within two minutes, {failed} had failed. \
             `trunkline deliveries` lists them: {how}"
        )
    })
}

/// Whether an answer to a question with the default no confirms.
#[must_use]
pub fn confirms(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_yes_confirms() {
        for (answer, expected) in
            [("y\n", true), (" YES \n", true), ("\n", false), ("n\n", false), ("yes please", false)]
        {
            assert_eq!(confirms(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn names_the_deliveries_that_waited() {
        assert_eq!(waiting_note(&Value::Null), None);
        assert_eq!(waiting_note(&json!({"parked": 0, "failed": 0})), None);
        let note = waiting_note(&json!({"parked": 2, "failed": 1})).unwrap();
        assert!(note.contains("2 parked") && note.contains("1 had failed"), "{note}");
    }

    #[test]
    fn names_at_most_ten_kept_resources() {
        assert_eq!(kept_note(&[]), None);
        let one = [Resource::Route("old".parse().unwrap())];
        let expected = "not in the file: route old (kept; --prune deletes them)";
        assert_eq!(kept_note(&one).as_deref(), Some(expected));
        let many: Vec<Resource> =
            (0..12).map(|i| Resource::Connection(format!("c-{i}").parse().unwrap())).collect();
        let note = kept_note(&many).unwrap();
        assert!(note.contains("connection c-9 and 2 more (kept"), "{note}");
    }
}
