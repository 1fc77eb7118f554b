//! Checks of the account and of this machine, which need no stack.

use jiff::SignedDuration;
use trunkline_core::model::PlatformId;

use super::aws::Caller;
use super::facts::{Facts, Known, RegionSources};
use super::report::Finding;

/// The longest name of a queue, in characters. Source: SQS, quotas for queues.
const MAX_QUEUE_NAME: usize = 80;
/// The concurrent executions of an ordinary account. Source: Lambda, quotas.
const USUAL_CONCURRENCY: u32 = 1_000;
/// The executions that must be left to the functions other than the outbound ones.
const OTHER_CONCURRENCY: u32 = 100;
/// The default of the parameter `OutboundConcurrency`.
const DEFAULT_OUTBOUND: u32 = 150;
/// From this difference on, AWS refuses signatures. Source: Signature Version 4.
const MAX_CLOCK_ERROR: SignedDuration = SignedDuration::from_mins(5);
/// From this difference on, little is left of the tolerance of signed webhooks, which is five minutes.
const LARGE_CLOCK_ERROR: SignedDuration = SignedDuration::from_mins(1);
/// The reads of the Parameter Store a second, without its higher throughput. Source: SSM, quotas.
const STANDARD_READS: usize = 40;
/// How long, in seconds, the secrets of all connections may take to be read by all processes at once.
const LONGEST_START: usize = 120;

/// Checks that there are credentials, and names their owner.
pub(super) fn credentials(identity: &Known<Caller>) -> Finding {
    let check = "credentials";
    match identity {
        Ok(Caller { account, arn }) => Finding::ok(check, format!("account {account}, {arn}")),
        Err(why) => Finding::fail(
            check,
            format!("AWS does not accept the credentials: {why}"),
            "Set AWS_PROFILE, or sign in (`aws sso login`). `aws sts get-caller-identity` must answer.",
        ),
    }
}

/// Checks that every tool uses the same region.
pub(super) fn region(sources: &RegionSources) -> Finding {
    let check = "region";
    let named = [
        ("AWS_REGION", &sources.aws_region),
        ("AWS_DEFAULT_REGION", &sources.aws_default_region),
        ("samconfig.toml", &sources.samconfig),
        ("the profile", &sources.profile),
    ];
    let named: Vec<(&str, &str)> =
        named.iter().filter_map(|(source, region)| Some((*source, region.as_deref()?))).collect();
    let Some((source, region)) = named.first().copied() else {
        return Finding::fail(
            check,
            "no region is set",
            "Set it for every command: `export AWS_REGION=eu-central-1`.",
        );
    };
    if ["cn-", "us-gov-", "us-iso", "eu-iso"].iter().any(|start| region.starts_with(start)) {
        let advice = "Choose a commercial region: Trunkline supports no other partition.";
        return Finding::fail(check, format!("{region} ({source})"), advice);
    }
    let shown = named.iter().map(|(source, region)| format!("{source} {region}"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    let others: Vec<&str> =
        named.iter().filter(|(_, other)| *other != region).map(|(source, _)| *source).collect();
    match others.as_slice() {
        [] => Finding::ok(check, format!("{region} ({source})")),
        // The tools agree on the variable, also if the profile has another region.
        ["the profile"] if sources.aws_region.is_some() => Finding::warn(
            check,
            format!("two regions: {shown}"),
            format!("{region} counts while AWS_REGION is set. Set the same region in the profile."),
        ),
        _ => Finding::fail(
            check,
            format!("several regions: {shown}"),
            "The tools differ in which one they use. Set AWS_REGION, and remove the others or set the same region there.",
        ),
    }
}

/// Checks the clock of this machine against that of AWS.
pub(super) fn clock(lead: &Known<SignedDuration>) -> Finding {
    let check = "clock";
    let lead = match lead {
        Ok(lead) => *lead,
        Err(why) => return Finding::skip(check, why),
    };
    let seconds = lead.abs().as_secs();
    let side = if lead.is_negative() { "behind" } else { "ahead of" };
    let found = format!("{seconds} s {side} AWS's clock");
    let advice = "Synchronize the clock of this machine (NTP).";
    if lead.abs() >= MAX_CLOCK_ERROR {
        let found = format!("{found}: AWS refuses its signatures");
        Finding::fail(check, found, advice)
    } else if lead.abs() >= LARGE_CLOCK_ERROR {
        let found =
            format!("{found}: signed webhooks tolerate five minutes on both sides together");
        Finding::warn(check, found, advice)
    } else if seconds <= 1 {
        Finding::ok(check, "agrees with AWS's clock")
    } else {
        Finding::ok(check, found)
    }
}

/// Returns the longest end of a queue's name, as the template makes it.
#[must_use]
pub fn longest_queue_suffix(platforms: &[PlatformId]) -> String {
    let longest = platforms.iter().map(PlatformId::as_str).max_by_key(|id| id.len());
    format!("-{}-outbound.fifo", longest.unwrap_or_default())
}

/// Checks that the names that contain the stack's name are valid.
pub(super) fn stack_name(stack: &str, platforms: &[PlatformId]) -> Finding {
    let check = "stack name";
    let suffix = longest_queue_suffix(platforms);
    let most = MAX_QUEUE_NAME - suffix.len();
    let is_valid = stack.starts_with(|c: char| c.is_ascii_alphabetic())
        && stack.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_valid {
        let found = format!("'{stack}' is no name of a stack");
        let advice =
            "Use letters, digits and hyphens, a letter first: --stack, or TRUNKLINE_STACK.";
        return Finding::fail(check, found, advice);
    }
    let length = stack.len();
    if length > most {
        let found = format!("'{stack}' has {length} characters, and {most} are allowed");
        let advice = format!(
            "Choose a shorter name: that of the queue {stack}{suffix} may have {MAX_QUEUE_NAME} characters."
        );
        return Finding::fail(check, found, advice);
    }
    Finding::ok(check, format!("{stack}: {length} of {most} characters"))
}

/// Checks the account's quota of concurrent executions against what the outbound functions may take.
pub(super) fn concurrency(facts: &Facts) -> Finding {
    let check = "concurrency";
    let quota = match &facts.concurrency {
        Ok(quota) => *quota,
        Err(why) => return Finding::skip(check, why),
    };
    let deployed = facts.deployed.as_ref().ok().and_then(Option::as_ref);
    let parameter = deployed.and_then(|deployed| deployed.parameter("OutboundConcurrency"));
    let each = parameter.and_then(|value| value.parse().ok()).unwrap_or(DEFAULT_OUTBOUND);
    let platforms = deployed.map_or(facts.platforms.len(), |deployed| deployed.queues.len());
    let outbound = each * u32::try_from(platforms).unwrap_or(u32::MAX);
    let found = format!(
        "{quota} concurrent executions; {platforms} outbound functions may take {each} each"
    );
    let request = "Request 1,000: Service Quotas > AWS Lambda > Concurrent executions.";
    if facts.is_local {
        return Finding::ok(check, format!("{quota} on the local AWS"));
    }
    if outbound >= quota {
        let advice = format!(
            "{request}\n\
             Until then, deploy with few workers: `make deploy PARAMETERS='OutboundConcurrency=2'`.\n\
             Otherwise slow platforms leave nothing to the inbound functions, and API Gateway answers 503."
        );
        return Finding::fail(check, found, advice);
    }
    if quota < USUAL_CONCURRENCY {
        return Finding::warn(check, found, request);
    }
    if quota - outbound < OTHER_CONCURRENCY {
        let advice = format!(
            "Lower OutboundConcurrency, so that {OTHER_CONCURRENCY} are left to the other functions."
        );
        return Finding::warn(check, found, advice);
    }
    Finding::ok(check, found)
}

/// Checks that the Parameter Store is fast enough for the secrets of all connections, if all processes start
/// at once.
pub(super) fn parameter_throughput(facts: &Facts) -> Finding {
    let check = "SSM throughput";
    match &facts.high_throughput {
        Ok(true) => return Finding::ok(check, "higher throughput is enabled"),
        Ok(false) => {}
        Err(why) => return Finding::skip(check, why),
    }
    let deployed = facts.deployed.as_ref().ok().and_then(Option::as_ref);
    let connections = deployed.and_then(|deployed| deployed.connections.as_ref()?.as_ref().ok());
    let connections = connections.copied().unwrap_or(0);
    let processes = facts.concurrency.as_ref().copied().unwrap_or(USUAL_CONCURRENCY);
    let reads = connections * usize::try_from(processes).unwrap_or(usize::MAX);
    let found = format!("{STANDARD_READS} reads a second, {connections} connections");
    if reads <= STANDARD_READS * LONGEST_START {
        return Finding::ok(check, found);
    }
    let seconds = reads / STANDARD_READS;
    Finding::warn(
        check,
        format!("{found}: {processes} new processes read their secrets for {seconds} s"),
        "Enable the higher throughput: Systems Manager > Parameter Store > Settings.",
    )
}

/// Checks that this machine has what `make deploy` needs.
pub(super) fn tools(missing: &Known<Vec<String>>) -> Finding {
    let check = "tools";
    match missing {
        Err(why) => Finding::skip(check, why),
        Ok(missing) if missing.is_empty() => {
            Finding::ok(check, "this machine has what `make deploy` needs")
        }
        Ok(missing) => Finding::warn(
            check,
            format!("missing: {}", missing.join(", ")),
            "Install them before you deploy from this machine: docs/deploy.md#1-prerequisites.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::facts::{Deployed, QueueAnswer, QueueFacts, Unknown};
    use crate::doctor::report::Status;
    use crate::doctor::testing::{FAXLINE, TOY, facts};

    #[test]
    fn missing_credentials_fail() {
        let finding = credentials(&Err(Unknown::Failed("ExpiredToken: old".into())));
        assert_eq!(finding.status, Status::Fail);
        assert!(finding.found.contains("ExpiredToken"), "{finding:?}");
        assert_eq!(credentials(&facts().identity).status, Status::Ok);
    }

    #[test]
    fn the_region_must_be_set_in_one_place() {
        let of = |aws: &str, default: &str, sam: &str, profile: &str| {
            let set = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let finding = region(&RegionSources {
                aws_region: set(aws),
                aws_default_region: set(default),
                samconfig: set(sam),
                profile: set(profile),
            });
            (finding.status, finding.found)
        };
        let one = "eu-central-1";
        for (sources, expected, found) in [
            (["", "", "", ""], Status::Fail, "no region"),
            ([one, "", "", ""], Status::Ok, "AWS_REGION"),
            (["", "", "", one], Status::Ok, "the profile"),
            ([one, one, one, one], Status::Ok, one),
            ([one, "", "", "us-east-1"], Status::Warn, "the profile us-east-1"),
            ([one, "us-east-1", "", ""], Status::Fail, "AWS_DEFAULT_REGION us-east-1"),
            ([one, "", "us-east-1", ""], Status::Fail, "samconfig.toml us-east-1"),
            (["", "", one, "us-east-1"], Status::Fail, "several"),
            (["cn-north-1", "", "", ""], Status::Fail, "cn-north-1"),
        ] {
            let [aws, default, sam, profile] = sources;
            let (status, shown) = of(aws, default, sam, profile);
            assert_eq!(status, expected, "{sources:?}");
            assert!(shown.contains(found), "{shown}");
        }
    }

    #[test]
    fn a_clock_that_is_wrong_warns_and_then_fails() {
        for (seconds, expected) in [
            (0, Status::Ok),
            (59, Status::Ok),
            (60, Status::Warn),
            (-299, Status::Warn),
            (300, Status::Fail),
            (-300, Status::Fail),
        ] {
            let finding = clock(&Ok(SignedDuration::from_secs(seconds)));
            assert_eq!(finding.status, expected, "{seconds}");
        }
        let behind = clock(&Ok(SignedDuration::from_secs(-400)));
        assert!(behind.found.starts_with("400 s behind AWS's clock"), "{behind:?}");
        let unknown = clock(&Err(Unknown::Failed("no answer".into())));
        assert_eq!(unknown.status, Status::Skip);
    }

    #[test]
    fn a_long_or_odd_stack_name_fails() {
        let platforms = [TOY, FAXLINE];
        let suffix = longest_queue_suffix(&platforms);
        assert_eq!(suffix, "-faxline-outbound.fifo");
        let most = 80 - suffix.len();
        for (name, expected) in [
            ("trunkline".to_owned(), Status::Ok),
            ("a".repeat(most), Status::Ok),
            ("a".repeat(most + 1), Status::Fail),
            ("1trunk".to_owned(), Status::Fail),
            ("trunk_line".to_owned(), Status::Fail),
            (String::new(), Status::Fail),
        ] {
            assert_eq!(stack_name(&name, &platforms).status, expected, "{name}");
        }
    }

    /// The template makes the names of the queues.
    #[test]
    fn the_longest_suffix_is_that_of_the_template() {
        let template = include_str!("../../../template.yaml");
        let names = template
            .lines()
            .filter_map(|line| line.trim().strip_prefix("QueueName: !Sub ${AWS::StackName}"));
        let longest = names.max_by_key(|name| name.len()).unwrap();
        let platforms: Vec<PlatformId> =
            trunkline_registry::PLATFORMS.iter().map(|spec| spec.id).collect();
        assert_eq!(longest_queue_suffix(&platforms), longest);
    }

    #[test]
    fn a_small_quota_warns_and_one_that_workers_can_exhaust_fails() {
        let of = |quota, outbound: &str| {
            let mut deployed = Deployed::default();
            let parameters = &mut deployed.description.parameters;
            parameters.insert("OutboundConcurrency".into(), outbound.into());
            deployed.queues = [TOY, FAXLINE]
                .map(|platform| {
                    let answer = Ok(QueueAnswer::After(std::time::Duration::ZERO));
                    QueueFacts { platform, dead: Ok(0), answer }
                })
                .into();
            let deployed = Ok(Some(deployed));
            concurrency(&Facts { concurrency: Ok(quota), deployed, ..facts() })
        };
        for (quota, outbound, expected) in [
            (1_000, "150", Status::Ok),
            (1_000, "475", Status::Warn),
            (1_000, "500", Status::Fail),
            (10, "2", Status::Warn),
            (10, "5", Status::Fail),
            (10, "150", Status::Fail),
        ] {
            let finding = of(quota, outbound);
            assert_eq!(finding.status, expected, "{quota} {outbound}");
        }
        assert!(of(10, "150").advice.contains("OutboundConcurrency=2"));
        // Without a stack, the default of the parameter and all platforms count.
        let new = concurrency(&Facts { concurrency: Ok(10), deployed: Ok(None), ..facts() });
        assert_eq!(new.status, Status::Fail);
        assert!(new.found.contains("2 outbound functions may take 150 each"), "{new:?}");
        let local = concurrency(&Facts { concurrency: Ok(10), is_local: true, ..facts() });
        assert_eq!(local.status, Status::Ok);
        let denied = Err(Unknown::Denied("lambda:GetAccountSettings"));
        let denied = concurrency(&Facts { concurrency: denied, ..facts() });
        assert_eq!(denied.status, Status::Skip);
        assert!(denied.found.contains("lambda:GetAccountSettings"), "{denied:?}");
    }

    #[test]
    fn many_connections_need_the_higher_throughput() {
        let of = |high, connections| {
            let connections = Some(Ok(connections));
            let deployed = Ok(Some(Deployed { connections, ..Deployed::default() }));
            parameter_throughput(&Facts { high_throughput: Ok(high), deployed, ..facts() })
        };
        assert_eq!(of(false, 2).status, Status::Ok);
        assert_eq!(of(true, 100).status, Status::Ok);
        let slow = of(false, 100);
        assert_eq!(slow.status, Status::Warn);
        assert!(
            slow.found.ends_with("1000 new processes read their secrets for 2500 s"),
            "{slow:?}"
        );
        let unknown = Err(Unknown::Denied("ssm:GetServiceSetting"));
        let unknown = parameter_throughput(&Facts { high_throughput: unknown, ..facts() });
        assert_eq!(unknown.status, Status::Skip);
    }

    #[test]
    fn missing_tools_warn() {
        let missing = tools(&Ok(vec!["cargo".into(), "python3".into()]));
        assert_eq!((missing.status, &*missing.found), (Status::Warn, "missing: cargo, python3"));
        assert_eq!(tools(&Ok(Vec::new())).status, Status::Ok);
        assert_eq!(tools(&Err(Unknown::NotInProject)).status, Status::Skip);
    }
}
