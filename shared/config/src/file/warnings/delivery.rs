//! Parts of a retry policy that can never take effect.

use trunkline_core::model::DeliveryPolicy;

use super::warn_of_repeated;
use crate::file::problems::ConfigProblems;
use crate::file::yaml::{Members, Node};

/// Checks the `delivery` of a connection. `connection` are the members of the connection.
pub(super) fn check(
    policy: &DeliveryPolicy,
    connection: &Members<'_>,
    warnings: &mut ConfigProblems,
) {
    let Some(members) = connection.get("delivery").map(Node::read_members) else { return };
    let waits = policy.retry.len();
    let unknown = policy.retry_unknown.and_then(|limit| usize::try_from(limit).ok());
    if let (Some(line), Some(unknown)) = (members.line("retry_unknown"), unknown)
        && unknown > waits
    {
        let what = format!("retry_unknown is {unknown}, but retry has {waits} waits");
        warnings.add(line, format!("{what}: write {waits}, or add waits to retry"));
    }
    let Some(list) = members.get("retry_statuses") else { return };
    let mut statuses = Vec::new();
    for item in list.read_items() {
        let read = item.number(&mut ConfigProblems::default(), "", 0..=u32::MAX);
        let status = read.unwrap_or_default();
        if is_always_retried(status) {
            let what = format!("{status} is retried without this: remove it from retry_statuses");
            warnings.add(item.line(), what);
        }
        statuses.push(status);
    }
    warn_of_repeated(Some(list), statuses, warnings);
}

/// Whether a delivery is retried after this HTTP status in any case, see
/// `trunkline_runtime::outbound::classify_by_status`.
fn is_always_retried(status: u32) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}
