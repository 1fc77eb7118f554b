//! Reads the retry policy of a connection.

use trunkline_core::model::{DeliveryPolicy, Reactivation};
use trunkline_core::platform::PlatformSpec;

use super::problems::ConfigProblems;
use super::yaml::Node;

const MEMBERS: [&str; 5] =
    ["retry", "breaker_after", "reactivation", "retry_unknown", "retry_statuses"];
/// The longest wait before a retry, in seconds: one day.
const MAX_WAIT: u32 = 24 * 60 * 60;

/// Returns the policy of a connection that has no `delivery`.
pub(super) fn default(spec: &PlatformSpec) -> DeliveryPolicy {
    DeliveryPolicy { retry_unknown: spec.retry_unknown, ..DeliveryPolicy::default() }
}

/// Reads a connection's `delivery`. Omitted members have the platform's defaults.
pub(super) fn read(
    node: Option<&Node<'_>>,
    spec: &PlatformSpec,
    problems: &mut ConfigProblems,
) -> DeliveryPolicy {
    let mut policy = default(spec);
    let Some(node) = node else { return policy };
    let members = node.members(problems, "delivery", &MEMBERS);
    if let Some(node) = members.get("retry") {
        let waits = node.items(problems, "retry").into_iter();
        policy.retry = waits
            .filter_map(|wait| wait.number(problems, "a wait in retry", 1..=MAX_WAIT))
            .collect();
        if policy.retry.len() > 20 {
            problems.add(node.line(), "retry has more than 20 waits: remove some");
        }
    }
    if let Some(node) = members.get("breaker_after") {
        let count = node.number(problems, "breaker_after", 1..=1_000);
        policy.breaker_after = count.unwrap_or(policy.breaker_after);
    }
    if let Some(node) = members.get("reactivation") {
        let word = node.one_of(problems, "reactivation", &["automatic", "manual"]);
        if word.as_deref() == Some("manual") {
            policy.reactivation = Reactivation::Manual;
        }
    }
    if let Some(node) = members.get("retry_unknown") {
        policy.retry_unknown = node.number(problems, "retry_unknown", 0..=20);
    }
    if let Some(node) = members.get("retry_statuses") {
        let statuses = node.items(problems, "retry_statuses").into_iter();
        let statuses = statuses
            .filter_map(|status| status.number(problems, "a status in retry_statuses", 400..=599));
        policy.retry_statuses = statuses.filter_map(|status| u16::try_from(status).ok()).collect();
    }
    policy
}
