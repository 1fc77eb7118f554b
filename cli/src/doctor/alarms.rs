//! Checks that the alarms reach a person.

use super::aws::{Alarm, Topic};
use super::facts::{Deployed, Known, TopicFacts};
use super::report::Finding;
use super::topics::lets_cloudwatch_publish;

/// The key of SNS, which CloudWatch may not use.
const SNS_KEY: &str = "alias/aws/sns";
/// How many names of alarms are shown.
const SHOWN: usize = 5;

/// Returns the findings about the alarms and their topics.
pub(super) fn checks(deployed: &Deployed) -> Vec<Finding> {
    let Some(alarms) = &deployed.alarms else { return Vec::new() };
    let mut findings = vec![firing(alarms)];
    if let Ok(alarms) = alarms {
        findings.extend(notifications(alarms));
        findings.extend(deployed.topics.iter().map(topic));
    }
    findings
}

fn firing(alarms: &Known<Vec<Alarm>>) -> Finding {
    let check = "alarms";
    let alarms = match alarms {
        Ok(alarms) => alarms,
        Err(why) => return Finding::skip(check, why),
    };
    if alarms.is_empty() {
        return Finding::fail(check, "the stack has no alarms", "Deploy it again.");
    }
    let firing: Vec<&str> = alarms
        .iter()
        .filter(|alarm| alarm.state == "ALARM")
        .map(|alarm| alarm.name.as_str())
        .collect();
    if firing.is_empty() {
        return Finding::ok(check, format!("{} alarms, none fires", alarms.len()));
    }
    let shown = firing.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    let found = format!("{} of {} alarms fire: {shown}", firing.len(), alarms.len());
    Finding::warn(check, found, "docs/runbook.md has a section about each alarm.")
}

/// Returns the finding about alarms that notify nothing.
fn notifications(alarms: &[Alarm]) -> Option<Finding> {
    let check = "notifications";
    let silent = alarms.iter().filter(|alarm| alarm.actions.is_empty()).count();
    let disabled = alarms.iter().filter(|alarm| !alarm.actions_enabled).count();
    if silent > 0 {
        return Some(Finding::warn(
            check,
            format!("{silent} of {} alarms notify no one", alarms.len()),
            "Set an address: `make deploy PARAMETERS='AlarmEmail=ops@example.com'`, or AlarmTopicArn.",
        ));
    }
    (disabled > 0).then(|| {
        Finding::fail(
            check,
            format!("the actions of {disabled} of {} alarms are disabled", alarms.len()),
            "Enable them: `aws cloudwatch enable-alarm-actions --alarm-names …`.",
        )
    })
}

fn topic(facts: &TopicFacts) -> Finding {
    let check = "alarm topic";
    let arn = &facts.arn;
    let topic = match &facts.topic {
        Ok(Some(topic)) => topic,
        Ok(None) => {
            let advice = "Create it again, or set another one: AlarmTopicArn or AlarmEmail.";
            return Finding::fail(check, format!("{arn} does not exist"), advice);
        }
        Err(why) => return Finding::skip(check, why),
    };
    if let Some(finding) = publishing(arn, topic) {
        return finding;
    }
    let subscriptions = match &facts.subscriptions {
        Ok(subscriptions) => subscriptions,
        Err(why) => return Finding::skip(check, why),
    };
    let confirmed = subscriptions.iter().filter(|one| one.is_confirmed).count();
    let pending: Vec<&str> = subscriptions
        .iter()
        .filter(|one| !one.is_confirmed)
        .map(|one| one.protocol.as_str())
        .collect();
    let confirm = "Open the mail of AWS Notifications, and confirm the subscription.";
    match (confirmed, pending.as_slice()) {
        (0, []) => Finding::fail(
            check,
            format!("{arn} has no subscription"),
            "Subscribe an address to it: `aws sns subscribe`.",
        ),
        (0, _) => Finding::fail(check, format!("no subscription of {arn} is confirmed"), confirm),
        (_, []) => Finding::ok(check, format!("{arn}: {confirmed} confirmed subscriptions")),
        (_, waiting) => Finding::warn(
            check,
            format!("{arn}: subscriptions wait for confirmation: {}", waiting.join(", ")),
            confirm,
        ),
    }
}

/// Returns why CloudWatch cannot publish to a topic.
fn publishing(arn: &str, topic: &Topic) -> Option<Finding> {
    let check = "alarm topic";
    if topic.key.ends_with(SNS_KEY) {
        return Some(Finding::fail(
            check,
            format!("{arn} is encrypted with {SNS_KEY}, which CloudWatch may not use"),
            "Encrypt it with a key whose policy allows cloudwatch.amazonaws.com, or with none.",
        ));
    }
    (!lets_cloudwatch_publish(&topic.policy)).then(|| {
        Finding::fail(
            check,
            format!("the policy of {arn} does not let CloudWatch publish"),
            "Allow sns:Publish to the principal cloudwatch.amazonaws.com in the topic's policy.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::aws::Subscription;
    use crate::doctor::facts::Unknown;
    use crate::doctor::report::Status;
    use crate::doctor::testing::{TOPIC, deployed};

    /// Returns the worst finding about a stack after a change.
    fn worst(change: impl FnOnce(&mut Deployed)) -> Finding {
        let mut deployed = deployed();
        change(&mut deployed);
        let findings = checks(&deployed);
        findings.into_iter().max_by_key(|finding| finding.status).unwrap()
    }

    fn alarm(deployed: &mut Deployed) -> &mut Alarm {
        deployed.alarms.as_mut().unwrap().as_mut().unwrap().first_mut().unwrap()
    }

    #[test]
    fn alarms_that_reach_a_person_pass() {
        let findings = checks(&deployed());
        assert!(findings.iter().all(|finding| finding.status == Status::Ok), "{findings:?}");
        assert_eq!(findings.len(), 2);
        assert_eq!(checks(&Deployed::default()), []);
    }

    #[test]
    fn each_fault_of_the_alarms_is_found() {
        let fires = worst(|deployed| alarm(deployed).state = "ALARM".into());
        assert_eq!(fires.status, Status::Warn);
        assert!(fires.found.ends_with("fire: trunkline-BreakerAlarm"), "{fires:?}");
        let none = worst(|deployed| deployed.alarms = Some(Ok(Vec::new())));
        assert_eq!((none.status, &*none.found), (Status::Fail, "the stack has no alarms"));
        let silent = worst(|deployed| alarm(deployed).actions.clear());
        assert_eq!(silent.status, Status::Warn);
        assert!(silent.advice.contains("AlarmEmail"), "{silent:?}");
        let disabled = worst(|deployed| alarm(deployed).actions_enabled = false);
        assert_eq!(disabled.status, Status::Fail);
        assert!(disabled.found.contains("disabled"), "{disabled:?}");
        let denied = Some(Err(Unknown::Denied("cloudwatch:DescribeAlarms")));
        assert_eq!(worst(|deployed| deployed.alarms = denied).status, Status::Skip);
    }

    #[test]
    fn each_fault_of_a_topic_is_found() {
        type Change = fn(&mut TopicFacts);
        let subscription = |is_confirmed| Subscription { protocol: "email".into(), is_confirmed };
        let cases: [(Change, Status, &str); 8] = [
            (|facts| facts.topic = Ok(None), Status::Fail, "does not exist"),
            (|facts| facts.topic = Ok(Some(Topic::default())), Status::Fail, "publish"),
            (
                |facts| facts.topic.as_mut().unwrap().as_mut().unwrap().key = SNS_KEY.into(),
                Status::Fail,
                "encrypted with alias/aws/sns",
            ),
            (|facts| facts.subscriptions = Ok(Vec::new()), Status::Fail, "no subscription"),
            (
                |facts| facts.subscriptions.as_mut().unwrap()[0].is_confirmed = false,
                Status::Fail,
                "is confirmed",
            ),
            (|_| {}, Status::Ok, "alarms"),
            (
                |facts| facts.topic = Err(Unknown::Denied("sns:GetTopicAttributes")),
                Status::Skip,
                "sns:GetTopicAttributes",
            ),
            (
                |facts| facts.subscriptions = Err(Unknown::Denied("sns:ListSubscriptionsByTopic")),
                Status::Skip,
                "sns:ListSubscriptionsByTopic",
            ),
        ];
        for (change, status, found) in cases {
            let mut facts = deployed().topics.remove(0);
            change(&mut facts);
            let finding = topic(&facts);
            assert_eq!(finding.status, status, "{finding:?}");
            assert!(finding.found.contains(found), "{finding:?}");
        }
        let mut facts = deployed().topics.remove(0);
        facts.subscriptions = Ok(vec![subscription(true), subscription(false)]);
        let finding = topic(&facts);
        assert_eq!(finding.status, Status::Warn);
        assert!(finding.found.starts_with(TOPIC), "{finding:?}");
    }
}
