//! `trunkline env`: the environment of a stack's functions.

use serde_json::{Value, json};
use trunkline::stack::StackInfo;

use super::CliError;

/// Returns the environment variables that the template sets for the functions, in the format of
/// `sam local invoke --env-vars`. It contains no secrets.
pub(super) fn environment(stack: &str, info: &StackInfo) -> Result<Value, CliError> {
    Ok(json!({"Parameters": {
        "TRUNKLINE_TABLE": info.table,
        "TRUNKLINE_SECRETS": info.secrets,
        "TRUNKLINE_QUEUES": serde_json::to_string(&info.queues)?,
        "TRUNKLINE_RETENTION_DAYS": info.retention_days.to_string(),
        "TRUNKLINE_ALLOW_LOCAL": info.allow_local,
        "TRUNKLINE_LOG": "info",
        "TRUNKLINE_METRICS": format!("Trunkline/{stack}"),
        "TRUNKLINE_CONNECTION_METRICS": "no",
        "TRUNKLINE_STACK": stack,
        "TRUNKLINE_API": info.api,
    }}))
}
