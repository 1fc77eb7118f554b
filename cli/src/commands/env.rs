//! The environment of a stack's functions.

use serde_json::{Value, json};
use trunkline::stack::Facts;

use super::Failed;

/// What the template gives to the functions of a stack, in the form of `sam local invoke --env-vars`. There
/// is no secret in it.
pub(super) fn of(stack: &str, facts: &Facts) -> Result<Value, Failed> {
    Ok(json!({"Parameters": {
        "TRUNKLINE_TABLE": facts.table,
        "TRUNKLINE_SECRETS": facts.secrets,
        "TRUNKLINE_QUEUES": serde_json::to_string(&facts.queues)?,
        "TRUNKLINE_RETENTION_DAYS": facts.retention_days.to_string(),
        "TRUNKLINE_ALLOW_LOCAL": facts.allow_local,
        "TRUNKLINE_LOG": "info",
        "TRUNKLINE_METRICS": format!("Trunkline/{stack}"),
        "TRUNKLINE_CONNECTION_METRICS": "no",
        "TRUNKLINE_STACK": stack,
        "TRUNKLINE_API": facts.api,
    }}))
}
