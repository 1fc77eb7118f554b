//! How deliveries to a connection are tried again, as a file says it.

use trunkline_shared::model::{Policy, Reactivation};

use super::problems::Report;
use super::spec::PlatformSpec;
use super::yaml::Node;

const MEMBERS: [&str; 4] = ["retry", "breaker_after", "reactivation", "retry_unknown"];
/// The longest wait, in seconds: a day.
const LONGEST: u32 = 24 * 60 * 60;

/// Reads a connection's `delivery`; what it does not say is as the platform has it.
pub(super) fn read(node: Option<&Node<'_>>, spec: &PlatformSpec, report: &mut Report) -> Policy {
    let mut policy = Policy { retry_unknown: spec.retry_unknown, ..Policy::default() };
    let Some(node) = node else { return policy };
    let members = node.members(report, "delivery", &MEMBERS);
    if let Some(node) = members.get("retry") {
        let waits = node.items(report, "retry").into_iter();
        policy.retry =
            waits.filter_map(|wait| wait.number(report, "a wait", 1..=LONGEST)).collect();
        if policy.retry.len() > 20 {
            report.add(node.line(), "retry has at most 20 waits");
        }
    }
    if let Some(node) = members.get("breaker_after") {
        let count = node.number(report, "breaker_after", 1..=1_000);
        policy.breaker_after = count.unwrap_or(policy.breaker_after);
    }
    if let Some(node) = members.get("reactivation") {
        let word = node.word(report, "reactivation", &["automatic", "manual"]);
        if word.as_deref() == Some("manual") {
            policy.reactivation = Reactivation::Manual;
        }
    }
    if let Some(node) = members.get("retry_unknown") {
        policy.retry_unknown = node.number(report, "retry_unknown", 0..=20);
    }
    policy
}
