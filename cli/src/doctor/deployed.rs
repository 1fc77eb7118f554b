//! Checks of a stack: it is complete, its functions answer, its queues are read, and a message passes through
//! all of it.

use std::time::Duration;

use super::facts::{
    Deployed, FunctionFacts, FunctionState, Known, QueueAnswer, QueueFacts, SelfTest, Unknown,
};
use super::report::{Finding, Status};

/// How many names are shown in one finding.
const SHOWN: usize = 4;
/// A round trip that takes longer is reported.
const SLOW: Duration = Duration::from_secs(5);

/// Checks that the stack exists and that its last deployment succeeded.
pub(super) fn stack(name: &str, deployed: &Known<Option<Deployed>>) -> Finding {
    let check = "stack";
    let description = match deployed {
        Ok(Some(deployed)) => &deployed.description,
        Ok(None) => {
            let absent = Unknown::Failed(format!("there is no stack {name} in this region"));
            let advice = "Deploy it (`make deploy`), and run the command again.".into();
            return Finding { advice, ..Finding::skip(check, &absent) };
        }
        Err(why) => return Finding::skip(check, why),
    };
    let status = description.status.as_str();
    let reason = Some(&description.reason).filter(|reason| !reason.is_empty());
    let found = reason.map_or_else(|| status.to_owned(), |reason| format!("{status}: {reason}"));
    match status {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Finding::ok(check, found),
        "UPDATE_ROLLBACK_COMPLETE" => Finding::warn(
            check,
            format!("{found}: the last deployment failed, and the version before it runs"),
            "Look at the stack's events, and deploy again.",
        ),
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" => Finding::fail(
            check,
            format!("{found}: the first deployment failed"),
            "Delete the stack, and deploy again: docs/deploy.md#if-the-first-deployment-fails.",
        ),
        _ if status.ends_with("_IN_PROGRESS") => Finding::warn(
            check,
            found,
            "Wait until the deployment ends, and run the command again.",
        ),
        _ => Finding::fail(
            check,
            found,
            "Look at the stack's events. `aws cloudformation continue-update-rollback` repeats a failed rollback.",
        ),
    }
}

/// Returns the findings about a stack that exists. A local AWS does not know about recursive loops.
pub(super) fn checks(deployed: &Deployed, is_local: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &deployed.functions {
        Ok(all) => {
            findings.push(functions(all));
            findings.extend((!is_local).then(|| recursion(all)));
        }
        Err(why) => findings.push(Finding::skip("functions", why)),
    }
    findings.extend(deployed.connections.as_ref().map(table));
    if !deployed.queues.is_empty() {
        findings.push(queues(&deployed.queues));
    }
    findings.extend(deployed.dead_letters.as_ref().map(|stored| dead_letters(deployed, stored)));
    findings.extend(deployed.self_test.as_ref().map(message));
    findings
}

/// Joins the first names, and adds how many more there are.
fn names(all: &[&str]) -> String {
    let shown = all.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn millis(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}

/// Checks that every function answers.
fn functions(functions: &[FunctionFacts]) -> Finding {
    let check = "functions";
    if functions.is_empty() {
        return Finding::fail(check, "the stack has no functions", "Deploy it again.");
    }
    let worst = functions
        .iter()
        .filter_map(|function| function_problem(function, functions))
        .max_by_key(|finding| finding.status);
    if let Some(finding) = worst {
        return finding;
    }
    let answers = functions.iter().filter_map(|function| match function.state {
        FunctionState::Answers(duration) => Some((duration, function.name.as_str())),
        _ => None,
    });
    let count = answers.clone().count();
    let existing = functions.len() - count;
    let mut found = format!("{count} answer");
    if existing > 0 {
        found = format!("{found}, {existing} exist (a listener is not invoked)");
    }
    if let Some((duration, name)) = answers.max() {
        found = format!("{found}; the slowest is {name}, {}", millis(duration));
    }
    Finding::ok(check, found)
}

/// Returns the problem of a function, with the names of all functions that have it.
fn function_problem(function: &FunctionFacts, all: &[FunctionFacts]) -> Option<Finding> {
    let check = "functions";
    let same: Vec<&str> = all
        .iter()
        .filter(|other| {
            std::mem::discriminant(&other.state) == std::mem::discriminant(&function.state)
        })
        .map(|other| other.name.as_str())
        .collect();
    let same = names(&same);
    let log = "The log has the reason: `aws logs tail /trunkline/<stack> --since 5m`.";
    Some(match &function.state {
        FunctionState::Answers(_) | FunctionState::Exists => return None,
        FunctionState::Missing => Finding::fail(
            check,
            format!("deleted: {same}"),
            "Deploy the stack again. If CloudFormation finds no change, delete the stack and deploy it: \
             docs/deploy.md#9-remove-it.",
        ),
        FunctionState::Crashes(why) => Finding::fail(check, format!("{same}: {why}"), log),
        FunctionState::Unexpected(what) => Finding::fail(check, format!("{same}: {what}"), log),
        FunctionState::Throttled => Finding::fail(
            check,
            format!("no concurrent execution is free for {same}"),
            "See the line about concurrency, or lower OutboundConcurrency.",
        ),
        FunctionState::Unknown(why) => Finding::skip(check, why),
    })
}

/// Checks that Lambda does not stop chains of messages.
fn recursion(functions: &[FunctionFacts]) -> Finding {
    let check = "recursion";
    let stopped: Vec<&str> = functions
        .iter()
        .filter(|function| function.recursive_loop.as_deref().is_ok_and(|what| what != "Allow"))
        .map(|function| function.name.as_str())
        .collect();
    if !stopped.is_empty() {
        return Finding::fail(
            check,
            format!("Lambda stops recursive loops of {}", names(&stopped)),
            "Deploy the stack again: a function was changed by hand, or its template is older.",
        );
    }
    let unknown = functions.iter().find_map(|function| function.recursive_loop.as_ref().err());
    unknown.map_or_else(
        || Finding::ok(check, "Lambda allows recursive loops"),
        |why| Finding::skip(check, why),
    )
}

/// Checks that this command can read the table.
fn table(connections: &Known<usize>) -> Finding {
    let check = "table";
    match connections {
        Ok(0) => Finding::ok(check, "no connections yet"),
        Ok(count) => Finding::ok(check, format!("connections: {count}")),
        Err(why @ Unknown::Denied(_)) => Finding::skip(check, why),
        Err(why) => Finding::fail(
            check,
            why.to_string(),
            "Without the table nothing works. If it was deleted, restore it: docs/runbook.md.",
        ),
    }
}

/// Checks that each outbound function takes the messages of its queue, and may use the table.
fn queues(queues: &[QueueFacts]) -> Finding {
    let check = "queues";
    let silent: Vec<&str> = queues
        .iter()
        .filter(|queue| matches!(queue.answer, Ok(QueueAnswer::NotWithin(_))))
        .map(|queue| queue.platform.as_str())
        .collect();
    if !silent.is_empty() {
        return Finding::fail(
            check,
            format!("no answer from the outbound function of {}", names(&silent)),
            "Look at the function's event source mapping (is it enabled?), at its log, and at its role's permissions.",
        );
    }
    let broken = queues.iter().find_map(|queue| match &queue.answer {
        Err(why @ Unknown::Failed(_)) => Some((queue.platform, why)),
        _ => None,
    });
    if let Some((platform, why)) = broken {
        let advice = "If the queue was deleted, deploy the stack again.";
        return Finding::fail(check, format!("{platform}: {why}"), advice);
    }
    if let Some(why) = queues.iter().find_map(|queue| queue.answer.as_ref().err()) {
        return Finding::skip(check, why);
    }
    let slowest = queues.iter().filter_map(|queue| match queue.answer {
        Ok(QueueAnswer::After(duration)) => Some((duration, queue.platform.as_str())),
        _ => None,
    });
    let slowest = slowest.max().map_or_else(String::new, |(duration, name)| {
        format!("; the slowest is {name}, {}", millis(duration))
    });
    Finding::ok(check, format!("{} outbound functions read theirs{slowest}", queues.len()))
}

/// Checks that no message failed inside Trunkline.
fn dead_letters(deployed: &Deployed, stored: &Known<usize>) -> Finding {
    let check = "dead letters";
    let unread: Known<Vec<u64>> = deployed.queues.iter().map(|queue| queue.dead.clone()).collect();
    let (stored, unread) = match (stored, unread) {
        (Ok(stored), Ok(unread)) => (*stored, unread.iter().sum::<u64>()),
        (Err(why), _) => return Finding::skip(check, why),
        (_, Err(why)) => return Finding::skip(check, &why),
    };
    if stored == 0 && unread == 0 {
        return Finding::ok(check, "none");
    }
    let found = format!("{stored} stored, {unread} not stored yet");
    let advice = "`trunkline deliveries --dead` shows the stored ones. If others stay, the scheduler does not \
                  run: docs/runbook.md#deadlettersunreadalarm.";
    Finding::warn(check, found, advice)
}

/// Checks that a message passes through all parts.
fn message(outcome: &SelfTest) -> Finding {
    let check = "message";
    let fail = |found: String, advice: &str| Finding::fail(check, found, advice);
    let passed = |duration: &Duration| {
        format!("API, inbound, queue, outbound, API, inbound, table: {}", millis(*duration))
    };
    match outcome {
        SelfTest::Returned(duration) if *duration > SLOW => Finding::warn(
            check,
            passed(duration),
            "Run the command again: the first message starts new processes. If it stays slow, look at the queue's age.",
        ),
        SelfTest::Returned(duration) => Finding::ok(check, passed(duration)),
        SelfTest::NotReached(why) => fail(
            format!("the API cannot be called: {why}"),
            "Check the domain's DNS record and certificate, and whether this machine may call the internet.",
        ),
        SelfTest::NotAccepted(status, body) => {
            fail(format!("the API answers {status}: {body}"), acceptance_advice(*status))
        }
        SelfTest::NotTaken(limit) => fail(
            format!("it was accepted, and still waits in its queue after {} s", limit.as_secs()),
            "Look at the outbound function's event source mapping and log.",
        ),
        SelfTest::NotSent(why) => fail(
            format!("it was accepted and queued, and could not be sent: {why}"),
            "The outbound function must be able to call the API. See the lines above, and its log.",
        ),
        SelfTest::NotReturned(limit) => fail(
            format!("it was sent, and did not return within {} s", limit.as_secs()),
            "Look at the inbound function's log.",
        ),
        SelfTest::NotMade(why @ Unknown::Failed(_)) => {
            Finding { status: Status::Fail, ..Finding::skip(check, why) }
        }
        SelfTest::NotMade(why) => Finding::skip(check, why),
        SelfTest::NotCleaned(why) => Finding::warn(
            check,
            format!("it returned, but the test's own connections are left: {why}"),
            "Allow ssm:DeleteParameter and dynamodb:DeleteItem. The next run removes them.",
        ),
    }
}

fn acceptance_advice(status: u16) -> &'static str {
    match status {
        403 | 404 => {
            "API Gateway or the function does not know the address. Deploy the stack again, and compare ApiUrl."
        }
        429 => "API Gateway limits the rate: compare ThrottleRate.",
        500 | 502 | 503 => {
            "The inbound function cannot run, or cannot use the table, the queue or the secrets: see its log."
        }
        _ => "See the inbound function's log.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::deployed;

    /// Returns the worst finding about a stack after a change.
    fn worst(change: impl FnOnce(&mut Deployed)) -> Finding {
        let mut deployed = deployed();
        change(&mut deployed);
        let findings = checks(&deployed, false);
        findings.into_iter().max_by_key(|finding| finding.status).unwrap()
    }

    fn all(deployed: &mut Deployed) -> &mut Vec<FunctionFacts> {
        deployed.functions.as_mut().unwrap()
    }

    #[test]
    fn a_stack_that_works_passes() {
        let findings = checks(&deployed(), false);
        assert!(findings.iter().all(|finding| finding.status == Status::Ok), "{findings:#?}");
        assert_eq!(findings.len(), 6);
        assert!(findings[5].found.ends_with(": 1000 ms"), "{findings:#?}");
        assert_eq!(checks(&deployed(), true).len(), 5);
    }

    #[test]
    fn each_status_of_the_stack_has_its_advice() {
        for (status, expected, advice) in [
            ("CREATE_COMPLETE", Status::Ok, ""),
            ("UPDATE_ROLLBACK_COMPLETE", Status::Warn, "deploy again"),
            ("UPDATE_IN_PROGRESS", Status::Warn, "Wait"),
            ("ROLLBACK_COMPLETE", Status::Fail, "Delete the stack"),
            ("UPDATE_ROLLBACK_FAILED", Status::Fail, "continue-update-rollback"),
            ("DELETE_FAILED", Status::Fail, "events"),
        ] {
            let mut deployed = deployed();
            deployed.description.status = status.into();
            let finding = stack("trunkline", &Ok(Some(deployed)));
            assert_eq!(finding.status, expected, "{status}");
            assert!(finding.advice.contains(advice), "{finding:?}");
        }
        let absent = stack("trunkline", &Ok(None));
        assert_eq!(absent.status, Status::Skip);
        assert!(absent.found.contains("there is no stack trunkline"), "{absent:?}");
        let denied = stack("trunkline", &Err(Unknown::Denied("cloudformation:DescribeStacks")));
        assert_eq!(denied.status, Status::Skip);
    }

    #[test]
    fn each_fault_of_a_function_is_found() {
        for (state, status, found) in [
            (FunctionState::Missing, Status::Fail, "deleted: ToyOutbound"),
            (FunctionState::Crashes("exit 1".into()), Status::Fail, "ToyOutbound: exit 1"),
            (FunctionState::Unexpected("503".into()), Status::Fail, "ToyOutbound: 503"),
            (FunctionState::Throttled, Status::Fail, "no concurrent execution"),
            (
                FunctionState::Unknown(Unknown::Denied("lambda:InvokeFunction")),
                Status::Skip,
                "lambda:InvokeFunction",
            ),
        ] {
            let finding = worst(|deployed| all(deployed)[1].state = state);
            assert_eq!((finding.check, finding.status), ("functions", status), "{finding:?}");
            assert!(finding.found.contains(found), "{finding:?}");
        }
        let none = worst(|deployed| all(deployed).clear());
        assert_eq!((none.status, none.check), (Status::Fail, "functions"));
        let denied = Err(Unknown::Denied("cloudformation:ListStackResources"));
        let denied = worst(|deployed| deployed.functions = denied);
        assert_eq!((denied.status, denied.check), (Status::Skip, "functions"));
        let both = worst(|deployed| {
            all(deployed)[0].state = FunctionState::Throttled;
            all(deployed)[2].state = FunctionState::Throttled;
        });
        assert!(both.found.ends_with("ToyInbound, Scheduler"), "{both:?}");
        let mut listening = deployed();
        all(&mut listening)[0].state = FunctionState::Exists;
        let finding = functions(all(&mut listening));
        assert!(finding.found.starts_with("2 answer, 1 exist"), "{finding:?}");
    }

    #[test]
    fn many_names_are_shortened() {
        assert_eq!(names(&["a", "b"]), "a, b");
        assert_eq!(names(&["a", "b", "c", "d", "e", "f"]), "a, b, c, d and 2 more");
    }

    #[test]
    fn a_function_whose_loops_are_stopped_fails() {
        let stops = worst(|deployed| all(deployed)[2].recursive_loop = Ok("Terminate".into()));
        assert_eq!((stops.check, stops.status), ("recursion", Status::Fail));
        assert!(stops.found.ends_with("of Scheduler"), "{stops:?}");
        let denied = Err(Unknown::Denied("lambda:GetFunctionRecursionConfig"));
        let denied = worst(|deployed| all(deployed)[0].recursive_loop = denied);
        assert_eq!((denied.check, denied.status), ("recursion", Status::Skip));
    }

    #[test]
    fn a_table_or_queue_that_cannot_be_used_fails() {
        let gone = || Unknown::Failed("ResourceNotFoundException".into());
        let table = worst(|deployed| deployed.connections = Some(Err(gone())));
        assert_eq!((table.check, table.status), ("table", Status::Fail));
        let denied = Some(Err(Unknown::Denied("dynamodb:Query")));
        let denied = worst(|deployed| deployed.connections = denied);
        assert_eq!((denied.check, denied.status), ("table", Status::Skip));
        let queue = worst(|deployed| deployed.queues[0].answer = Err(gone()));
        assert_eq!((queue.check, queue.status), ("queues", Status::Fail));
        assert!(queue.found.starts_with("faxline: Resource"), "{queue:?}");
        let silent = Ok(QueueAnswer::NotWithin(Duration::from_secs(10)));
        let silent = worst(|deployed| deployed.queues[1].answer = silent);
        assert_eq!((silent.check, silent.status), ("queues", Status::Fail));
        assert!(silent.found.ends_with("outbound function of toy"), "{silent:?}");
        let read_only = worst(|deployed| deployed.queues[1].answer = Err(Unknown::ReadOnly));
        assert_eq!((read_only.check, read_only.status), ("queues", Status::Skip));
    }

    #[test]
    fn dead_letters_warn() {
        let stored = worst(|deployed| deployed.dead_letters = Some(Ok(2)));
        assert_eq!((stored.check, stored.status), ("dead letters", Status::Warn));
        assert_eq!(stored.found, "2 stored, 0 not stored yet");
        let unread = worst(|deployed| deployed.queues[0].dead = Ok(3));
        assert_eq!(unread.found, "0 stored, 3 not stored yet");
        let denied = Err(Unknown::Denied("sqs:GetQueueAttributes"));
        let denied = worst(|deployed| deployed.queues[0].dead = denied);
        assert_eq!((denied.check, denied.status), ("dead letters", Status::Skip));
    }

    #[test]
    fn each_end_of_the_message_has_its_advice() {
        let limit = Duration::from_secs(20);
        for (outcome, status, found, advice) in [
            (SelfTest::Returned(SLOW * 2), Status::Warn, "10000 ms", "again"),
            (SelfTest::NotReached("no such host".into()), Status::Fail, "no such host", "DNS"),
            (SelfTest::NotAccepted(404, "{}".into()), Status::Fail, "404", "ApiUrl"),
            (SelfTest::NotAccepted(429, "{}".into()), Status::Fail, "429", "ThrottleRate"),
            (SelfTest::NotAccepted(503, "{}".into()), Status::Fail, "503", "secrets"),
            (SelfTest::NotAccepted(401, "{}".into()), Status::Fail, "401", "log"),
            (SelfTest::NotTaken(limit), Status::Fail, "after 20 s", "event source mapping"),
            (SelfTest::NotSent("refused".into()), Status::Fail, "refused", "outbound"),
            (SelfTest::NotReturned(limit), Status::Fail, "within 20 s", "inbound"),
            (SelfTest::NotMade(Unknown::Failed("conflict".into())), Status::Fail, "conflict", ""),
            (SelfTest::NotMade(Unknown::ReadOnly), Status::Skip, "--read-only", "without"),
            (SelfTest::NotMade(Unknown::Interrupted), Status::Skip, "interrupted", "again"),
            (
                SelfTest::NotMade(Unknown::NotDeployed("toy".into())),
                Status::Skip,
                "does not have toy",
                "Nothing",
            ),
            (SelfTest::NotCleaned("denied".into()), Status::Warn, "denied", "DeleteParameter"),
        ] {
            let finding = worst(|deployed| deployed.self_test = Some(outcome));
            assert_eq!((finding.check, finding.status), ("message", status), "{finding:?}");
            assert!(finding.found.contains(found), "{finding:?}");
            assert!(finding.advice.contains(advice), "{finding:?}");
        }
    }
}
