//! `trunkline env`: the environment of a stack's functions.

use serde_json::{Value, json};
use trunkline::stack::StackInfo;

/// Returns the environment variables that the template sets for the functions, in the format of
/// `sam local invoke --env-vars`. It contains no secrets.
pub(super) fn environment(stack: &str, info: &StackInfo) -> Value {
    json!({"Parameters": {
        "TRUNKLINE_TABLE": info.table,
        "TRUNKLINE_SECRETS": info.secrets,
        "TRUNKLINE_TASKS_QUEUE": info.tasks_queue,
        "TRUNKLINE_RETENTION_DAYS": info.retention_days.to_string(),
        "TRUNKLINE_ALLOW_LOCAL": info.allow_local,
        "TRUNKLINE_LOG": "info",
        "TRUNKLINE_METRICS": format!("Trunkline/{stack}"),
        "TRUNKLINE_METRIC_DIMENSIONS": "stack",
        "TRUNKLINE_STACK": stack,
        "TRUNKLINE_API": info.api,
        "TRUNKLINE_URL": info.api,
        "TRUNKLINE_FILES_BUCKET": info.files_bucket,
        "TRUNKLINE_FILE_DAYS": info.file_days.to_string(),
    }})
}
