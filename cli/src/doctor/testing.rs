//! Facts of an account in which every check passes, for the tests of the checks.

use std::time::Duration;

use jiff::SignedDuration;
use trunkline_core::model::PlatformId;

use super::aws::{Alarm, Caller, StackDescription, Subscription, Topic};
use super::facts::{
    DeployPermissions, Deployed, Facts, FunctionFacts, FunctionState, QueueAnswer, QueueFacts,
    RegionSources, SelfTest, TopicFacts,
};

pub(super) const FAXLINE: PlatformId = PlatformId::from_static("faxline");
pub(super) const TOY: PlatformId = PlatformId::from_static("toy");
pub(super) const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:alarms";

/// Returns facts of an account without a stack.
pub(super) fn facts() -> Facts {
    Facts {
        stack: "trunkline".into(),
        platforms: vec![FAXLINE, TOY],
        is_local: false,
        identity: Ok(Caller {
            account: "111122223333".into(),
            arn: "arn:aws:iam::111122223333:user/anna".into(),
        }),
        regions: RegionSources {
            aws_region: Some("eu-central-1".into()),
            ..RegionSources::default()
        },
        clock_lead: Ok(SignedDuration::ZERO),
        concurrency: Ok(1_000),
        high_throughput: Ok(true),
        permissions: Ok(DeployPermissions::Root),
        missing_tools: Ok(Vec::new()),
        deployed: Ok(None),
    }
}

/// Returns facts of a stack that works.
pub(super) fn deployed() -> Deployed {
    let second = Duration::from_secs(1);
    let function = |name: &str| FunctionFacts {
        name: name.into(),
        state: FunctionState::Answers(second),
        recursive_loop: Ok("Allow".into()),
    };
    let queue =
        |platform| QueueFacts { platform, dead: Ok(0), answer: Ok(QueueAnswer::After(second)) };
    let alarm = Alarm {
        name: "trunkline-BreakerAlarm".into(),
        state: "OK".into(),
        actions: vec![TOPIC.into()],
        actions_enabled: true,
    };
    let policy = r#"{"Statement": {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*",
        "Principal": {"Service": "cloudwatch.amazonaws.com"}}}"#;
    Deployed {
        description: StackDescription {
            status: "UPDATE_COMPLETE".into(),
            ..StackDescription::default()
        },
        functions: Ok(["ToyInbound", "ToyOutbound", "Scheduler"].map(function).into()),
        connections: Some(Ok(3)),
        queues: [FAXLINE, TOY].map(queue).into(),
        dead_letters: Some(Ok(0)),
        self_test: Some(SelfTest::Returned(second)),
        alarms: Some(Ok(vec![alarm])),
        topics: vec![TopicFacts {
            arn: TOPIC.into(),
            topic: Ok(Some(Topic { policy: policy.into(), key: String::new() })),
            subscriptions: Ok(vec![Subscription { protocol: "email".into(), is_confirmed: true }]),
        }],
    }
}
