//! `trunkline doctor`: checks an account before the first deployment, and a stack after it.
//!
//! [`gather`] asks AWS and the stack for facts. Each check is a function of these facts: the modules
//! [`account`], [`permissions`], [`deployed`] and [`alarms`] call nothing.

pub mod account;
pub mod alarms;
pub mod aws;
pub mod deployed;
pub mod facts;
pub mod gather;
pub mod permissions;
mod probe;
pub mod report;
mod self_test;
#[cfg(test)]
mod testing;
mod tools;
mod topics;

use facts::Facts;
use report::Finding;

/// Returns the findings of all checks that the facts allow, in the order in which an operator reads them.
#[must_use]
pub fn check(facts: &Facts) -> Vec<Finding> {
    let deployed = facts.deployed.as_ref().ok().and_then(Option::as_ref);
    let mut findings = vec![
        account::credentials(&facts.identity),
        account::region(&facts.regions),
        account::clock(&facts.clock_lead),
        account::stack_name(&facts.stack, &facts.platforms),
        account::concurrency(facts),
        account::parameter_throughput(facts),
        permissions::deploy_permissions(&facts.permissions, deployed.is_some()),
    ];
    if deployed.is_none() {
        findings.push(account::tools(&facts.missing_tools));
    }
    findings.push(deployed::stack(&facts.stack, &facts.deployed));
    if let Some(deployed) = deployed {
        findings.extend(deployed::checks(deployed, facts.is_local));
        findings.extend(alarms::checks(deployed));
    }
    findings
}
