//! The findings of the checks, and how they are printed.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, json};

use super::facts::Unknown;

/// The column in which the name of a check begins.
const STATUS_WIDTH: usize = 6;
/// The column, after the status, in which the text begins.
const CHECK_WIDTH: usize = 15;

/// The result of a check in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The check passed.
    Ok,
    /// The check was not made.
    Skip,
    /// It works, and something should be changed.
    Warn,
    /// Something does not work.
    Fail,
}

impl Status {
    /// Returns the word that is printed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub status: Status,
    /// The name of the check.
    pub check: &'static str,
    /// What was found.
    pub found: String,
    /// What the operator does about it. Empty if the check passed.
    #[serde(rename = "do")]
    pub advice: String,
}

impl Finding {
    /// Returns the finding of a check that passed.
    #[must_use]
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { status: Status::Ok, check, found: found.into(), advice: String::new() }
    }

    /// Returns the finding that something should be changed.
    #[must_use]
    pub fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { status: Status::Warn, check, found: found.into(), advice: advice.into() }
    }

    /// Returns the finding that something does not work.
    #[must_use]
    pub fn fail(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { status: Status::Fail, check, found: found.into(), advice: advice.into() }
    }

    /// Returns the finding of a check that was not made.
    #[must_use]
    pub fn skip(check: &'static str, reason: &Unknown) -> Self {
        let found = format!("not checked: {reason}");
        Self { status: Status::Skip, check, found, advice: reason.advice() }
    }
}

/// Whether no check failed.
#[must_use]
pub fn is_healthy(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.status != Status::Fail)
}

/// Returns the findings as lines for a terminal, and a line with their numbers.
#[must_use]
pub fn as_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    let indent = " ".repeat(STATUS_WIDTH + CHECK_WIDTH);
    for finding in findings {
        let Finding { status, check, found, advice } = finding;
        let word = status.word();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{word:<STATUS_WIDTH$}{check:<CHECK_WIDTH$}{found}");
        for line in advice.lines() {
            let _ = writeln!(text, "{indent}{line}");
        }
    }
    let count = |status| findings.iter().filter(|finding| finding.status == status).count();
    let (failed, warned) = (count(Status::Fail), count(Status::Warn));
    let skipped = count(Status::Skip);
    let _ = writeln!(
        text,
        "\n{} checks: {failed} failed, {warned} with a warning, {skipped} not made",
        findings.len()
    );
    text
}

/// Returns the findings as a JSON document.
#[must_use]
pub fn as_json(stack: &str, findings: &[Finding]) -> Value {
    json!({"stack": stack, "healthy": is_healthy(findings), "checks": findings})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::ok("clock", "right"),
            Finding::warn("region", "two", "Set one."),
            Finding::fail("table", "gone", "Deploy again.\nOr restore it."),
            Finding::skip("permissions", &Unknown::Denied("iam:SimulatePrincipalPolicy")),
        ]
    }

    #[test]
    fn each_finding_is_a_line_and_what_to_do() {
        let expected = "\
ok    clock          right
warn  region         two
                     Set one.
fail  table          gone
                     Deploy again.
                     Or restore it.
skip  permissions    not checked: it needs iam:SimulatePrincipalPolicy
                     Allow iam:SimulatePrincipalPolicy, or run the command as a user who has it.

4 checks: 1 failed, 1 with a warning, 1 not made
";
        assert_eq!(as_text(&findings()), expected);
    }

    #[test]
    fn only_a_failure_is_unhealthy() {
        let mut findings = findings();
        assert!(!is_healthy(&findings));
        findings.retain(|finding| finding.status != Status::Fail);
        assert!(is_healthy(&findings));
        let shown = as_json("trunkline", &findings);
        assert_eq!((&shown["stack"], &shown["healthy"]), (&json!("trunkline"), &json!(true)));
        assert_eq!(
            shown["checks"][1],
            json!({"status": "warn", "check": "region", "found": "two", "do": "Set one."})
        );
    }
}
