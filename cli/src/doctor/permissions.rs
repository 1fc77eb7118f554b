//! Whether the caller may deploy the template: the actions of docs/deploy.md, simulated by IAM.

use super::aws::{Decision, Evaluation};
use super::facts::{DeployPermissions, Known};
use super::report::Finding;

/// How many actions one finding names.
const SHOWN: usize = 6;

/// Actions on one kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionGroup {
    pub service: &'static str,
    /// An ARN with `<region>`, `<account>` and `<stack>`; `*` for actions on no certain resource.
    resource: &'static str,
    actions: &'static [&'static str],
}

impl ActionGroup {
    /// Returns the actions with their service, such as `sqs:CreateQueue`.
    #[must_use]
    pub fn actions(&self) -> Vec<String> {
        self.actions.iter().map(|action| format!("{}:{action}", self.service)).collect()
    }

    /// Returns the ARN of a resource of this kind.
    #[must_use]
    pub fn resource(&self, region: &str, account: &str, stack: &str) -> String {
        let arn = self.resource.replace("<region>", region).replace("<account>", account);
        arn.replace("<stack>", stack)
    }
}

const fn group(
    service: &'static str,
    resource: &'static str,
    actions: &'static [&'static str],
) -> ActionGroup {
    ActionGroup { service, resource, actions }
}

/// The actions that every deployment needs. Those of optional parameters are not among them.
pub const DEPLOYING: &[ActionGroup] = &[
    group(
        "cloudformation",
        "arn:aws:cloudformation:<region>:<account>:stack/<stack>/doctor",
        &[
            "CreateChangeSet",
            "DescribeChangeSet",
            "ExecuteChangeSet",
            "DeleteChangeSet",
            "DescribeStacks",
            "DescribeStackEvents",
            "DescribeStackResources",
            "ListStackResources",
            "GetTemplate",
            "GetTemplateSummary",
            "UpdateStack",
            "DeleteStack",
            "TagResource",
            "UntagResource",
        ],
    ),
    group(
        "s3",
        "arn:aws:s3:::<stack>-filesbucket-doctor",
        &[
            "CreateBucket",
            "DeleteBucket",
            "ListBucket",
            "GetBucketLocation",
            "GetBucketPolicy",
            "GetBucketPublicAccessBlock",
            "GetBucketOwnershipControls",
            "GetBucketTagging",
            "GetBucketVersioning",
            "GetEncryptionConfiguration",
            "GetLifecycleConfiguration",
            "PutBucketPolicy",
            "PutBucketPublicAccessBlock",
            "PutBucketOwnershipControls",
            "PutBucketTagging",
            "PutBucketVersioning",
            "PutEncryptionConfiguration",
            "PutLifecycleConfiguration",
            "DeleteBucketPolicy",
        ],
    ),
    group(
        "s3",
        "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-doctor/doctor",
        &["GetObject", "PutObject"],
    ),
    group(
        "iam",
        "arn:aws:iam::<account>:role/<stack>-doctor",
        &[
            "CreateRole",
            "GetRole",
            "UpdateRole",
            "UpdateAssumeRolePolicy",
            "DeleteRole",
            "PassRole",
            "TagRole",
            "UntagRole",
            "ListRoleTags",
            "PutRolePolicy",
            "GetRolePolicy",
            "DeleteRolePolicy",
            "ListRolePolicies",
            "AttachRolePolicy",
            "DetachRolePolicy",
            "ListAttachedRolePolicies",
        ],
    ),
    group(
        "iam",
        "arn:aws:iam::<account>:policy/<stack>-doctor",
        &[
            "CreatePolicy",
            "GetPolicy",
            "DeletePolicy",
            "CreatePolicyVersion",
            "GetPolicyVersion",
            "ListPolicyVersions",
            "DeletePolicyVersion",
            "ListEntitiesForPolicy",
            "TagPolicy",
            "UntagPolicy",
            "ListPolicyTags",
        ],
    ),
    group(
        "lambda",
        "arn:aws:lambda:<region>:<account>:function:<stack>-doctor",
        &[
            "CreateFunction",
            "GetFunction",
            "GetFunctionConfiguration",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
            "DeleteFunction",
            "GetFunctionCodeSigningConfig",
            "GetRuntimeManagementConfig",
            "PutFunctionRecursionConfig",
            "GetFunctionRecursionConfig",
            "PutFunctionConcurrency",
            "DeleteFunctionConcurrency",
            "AddPermission",
            "RemovePermission",
            "GetPolicy",
            "TagResource",
            "UntagResource",
            "ListTags",
        ],
    ),
    group(
        "lambda",
        "*",
        &[
            "CreateEventSourceMapping",
            "GetEventSourceMapping",
            "UpdateEventSourceMapping",
            "DeleteEventSourceMapping",
            "ListEventSourceMappings",
        ],
    ),
    group(
        "apigateway",
        "arn:aws:apigateway:<region>::/apis/doctor",
        &["GET", "POST", "PUT", "PATCH", "DELETE", "TagResource", "UntagResource"],
    ),
    group(
        "dynamodb",
        "arn:aws:dynamodb:<region>:<account>:table/<stack>-Table-DOCTOR",
        &[
            "CreateTable",
            "DescribeTable",
            "UpdateTable",
            "DeleteTable",
            "UpdateTimeToLive",
            "DescribeTimeToLive",
            "UpdateContinuousBackups",
            "DescribeContinuousBackups",
            "DescribeContributorInsights",
            "DescribeKinesisStreamingDestination",
            "GetResourcePolicy",
            "TagResource",
            "UntagResource",
            "ListTagsOfResource",
        ],
    ),
    group(
        "sqs",
        "arn:aws:sqs:<region>:<account>:<stack>-tasks",
        &[
            "CreateQueue",
            "GetQueueUrl",
            "GetQueueAttributes",
            "SetQueueAttributes",
            "DeleteQueue",
            "TagQueue",
            "UntagQueue",
            "ListQueueTags",
        ],
    ),
    group(
        "events",
        "arn:aws:events:<region>:<account>:rule/<stack>-doctor",
        &[
            "PutRule",
            "DescribeRule",
            "DeleteRule",
            "PutTargets",
            "RemoveTargets",
            "ListTargetsByRule",
            "TagResource",
            "UntagResource",
            "ListTagsForResource",
        ],
    ),
    group(
        "logs",
        "arn:aws:logs:<region>:<account>:log-group:/trunkline/<stack>",
        &[
            "CreateLogGroup",
            "DeleteLogGroup",
            "PutRetentionPolicy",
            "DeleteRetentionPolicy",
            "TagResource",
            "UntagResource",
            "ListTagsForResource",
        ],
    ),
    group(
        "logs",
        "*",
        &[
            "DescribeLogGroups",
            "CreateLogDelivery",
            "GetLogDelivery",
            "UpdateLogDelivery",
            "DeleteLogDelivery",
            "ListLogDeliveries",
            "PutResourcePolicy",
            "DescribeResourcePolicies",
        ],
    ),
    group(
        "cloudwatch",
        "arn:aws:cloudwatch:<region>:<account>:alarm:<stack>-doctor",
        &[
            "PutMetricAlarm",
            "DescribeAlarms",
            "DeleteAlarms",
            "TagResource",
            "UntagResource",
            "ListTagsForResource",
        ],
    ),
    group(
        "cloudwatch",
        "arn:aws:cloudwatch::<account>:dashboard/<stack>",
        &["PutDashboard", "GetDashboard", "DeleteDashboards"],
    ),
    group(
        "ssm",
        "arn:aws:ssm:<region>:<account>:parameter/trunkline/<stack>/stack",
        &[
            "PutParameter",
            "GetParameter",
            "GetParameters",
            "DeleteParameter",
            "AddTagsToResource",
            "RemoveTagsFromResource",
            "ListTagsForResource",
        ],
    ),
    group("ssm", "*", &["DescribeParameters"]),
];

/// The owner of the credentials, as IAM simulates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The root user, who may do everything and cannot be simulated.
    Root,
    /// An IAM user, with its ARN.
    User(String),
    /// The session of a role. `arn` is that of the role if it has no path.
    Role { name: String, arn: String },
    /// A principal that IAM cannot simulate, such as a federated user.
    Other,
}

impl Principal {
    /// Reads the ARN of a caller.
    #[must_use]
    pub fn of(arn: &str) -> Self {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, service, _, account, resource] = parts.as_slice() else {
            return Self::Other;
        };
        match (*service, resource.split_once('/')) {
            ("iam", None) if *resource == "root" => Self::Root,
            ("iam", Some(("user", _))) => Self::User(arn.to_owned()),
            ("sts", Some(("assumed-role", session))) => {
                let name = session.split('/').next().unwrap_or_default().to_owned();
                let arn = format!("arn:{partition}:iam::{account}:role/{name}");
                Self::Role { name, arn }
            }
            _ => Self::Other,
        }
    }
}

/// Returns the result of all simulations.
#[must_use]
pub fn summary(evaluations: &[Evaluation]) -> DeployPermissions {
    let with = |wanted: fn(&Decision) -> bool| -> Vec<String> {
        let some = evaluations.iter().filter(|one| wanted(&one.decision));
        let mut names: Vec<String> = some.map(|one| one.action.clone()).collect();
        names.dedup();
        names
    };
    DeployPermissions::Simulated {
        actions: evaluations.len(),
        denied: with(|decision| matches!(decision, Decision::Denied)),
        conditional: with(|decision| matches!(decision, Decision::DependsOn(_))),
    }
}

/// Checks that the caller may deploy. A stack that exists does not need that now.
pub(super) fn deploy_permissions(
    permissions: &Known<DeployPermissions>,
    is_deployed: bool,
) -> Finding {
    let check = "permissions";
    let (actions, denied, conditional) = match permissions {
        Ok(DeployPermissions::Root) => {
            return Finding::ok(check, "the root user may deploy");
        }
        Ok(DeployPermissions::Simulated { actions, denied, conditional }) => {
            (*actions, denied, conditional)
        }
        Err(why) => return Finding::skip(check, why),
    };
    if !denied.is_empty() {
        let shown = denied.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = denied.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let found = format!("{} of {actions} actions are denied: {shown}{more}", denied.len());
        let advice = "Allow them to the person or pipeline that deploys: docs/deploy.md#permissions-to-deploy.";
        return if is_deployed {
            Finding::warn(check, found, advice)
        } else {
            Finding::fail(check, found, advice)
        };
    }
    if !conditional.is_empty() {
        let found = format!(
            "{} of {actions} actions depend on conditions: {}",
            conditional.len(),
            conditional.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ")
        );
        return Finding::warn(
            check,
            found,
            "IAM cannot evaluate them here. If the deployment fails with AccessDenied, look at them first.",
        );
    }
    Finding::ok(check, format!("all {actions} actions of a deployment are allowed"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::doctor::facts::Unknown;
    use crate::doctor::report::Status;

    #[test]
    fn denied_actions_fail_before_the_first_deployment() {
        let evaluation = |action: &str, decision| Evaluation { action: action.into(), decision };
        let of = |decision: Decision| {
            let allowed = evaluation("sqs:CreateQueue", Decision::Allowed);
            Ok(summary(&[allowed, evaluation("lambda:CreateFunction", decision)]))
        };
        let denied = of(Decision::Denied);
        let finding = deploy_permissions(&denied, false);
        assert_eq!(finding.status, Status::Fail);
        assert_eq!(finding.found, "1 of 2 actions are denied: lambda:CreateFunction");
        assert_eq!(deploy_permissions(&denied, true).status, Status::Warn);
        let conditional = of(Decision::DependsOn(vec!["aws:RequestTag/app".into()]));
        let finding = deploy_permissions(&conditional, false);
        assert_eq!(finding.status, Status::Warn);
        assert!(finding.found.contains("depend on conditions: lambda:"), "{finding:?}");
        assert_eq!(deploy_permissions(&of(Decision::Allowed), false).status, Status::Ok);
        assert_eq!(deploy_permissions(&Ok(DeployPermissions::Root), false).status, Status::Ok);
        let unknown = Err(Unknown::Denied("iam:SimulatePrincipalPolicy"));
        let finding = deploy_permissions(&unknown, false);
        assert_eq!(finding.status, Status::Skip);
        assert!(finding.found.ends_with("it needs iam:SimulatePrincipalPolicy"), "{finding:?}");
        let many = DeployPermissions::Simulated {
            actions: 9,
            denied: (0..8).map(|n| format!("s3:{n}")).collect(),
            conditional: Vec::new(),
        };
        assert!(deploy_permissions(&Ok(many), false).found.ends_with("s3:5 and 2 more"));
    }

    #[test]
    fn reads_the_kinds_of_callers() {
        let user = "arn:aws:iam::111122223333:user/team/anna";
        assert_eq!(Principal::of(user), Principal::User(user.into()));
        assert_eq!(Principal::of("arn:aws:iam::111122223333:root"), Principal::Root);
        let role = Principal::of("arn:aws:sts::111122223333:assumed-role/deployer/session");
        let arn = "arn:aws:iam::111122223333:role/deployer".into();
        assert_eq!(role, Principal::Role { name: "deployer".into(), arn });
        for other in ["", "arn:aws:sts::111122223333:federated-user/anna"] {
            assert_eq!(Principal::of(other), Principal::Other, "{other}");
        }
    }

    #[test]
    fn a_resource_has_the_names_of_the_stack() {
        let queues = DEPLOYING.iter().find(|group| group.service == "sqs").unwrap();
        assert_eq!(
            queues.resource("eu-central-1", "111122223333", "shop"),
            "arn:aws:sqs:eu-central-1:111122223333:shop-tasks"
        );
        assert!(queues.actions().contains(&"sqs:CreateQueue".to_owned()));
    }

    /// Returns the actions in a cell of the table in docs/deploy.md. The cell of buckets says `Get…` and
    /// `Put…` once for several.
    fn documented(service: &str, cell: &str) -> Vec<String> {
        let mut found = Vec::new();
        for part in cell.split(';') {
            let words = part.split('`').skip(1).step_by(2);
            let (prefixes, names): (Vec<&str>, Vec<&str>) =
                words.partition(|word| word.ends_with('…'));
            // Those of optional parameters are not checked.
            let names =
                names.into_iter().filter(|name| !name.ends_with("KmsKey") && *name != "KeyArn");
            for name in names {
                if prefixes.is_empty() {
                    found.push(format!("{service}:{name}"));
                }
                for prefix in &prefixes {
                    found.push(format!("{service}:{}{name}", prefix.trim_end_matches('…')));
                }
            }
        }
        found
    }

    #[test]
    fn the_actions_are_those_of_the_documentation() {
        let page = include_str!("../../../docs/deploy.md");
        let section = page.split("### Permissions to deploy").nth(1).unwrap();
        let section = section.split("\n### ").next().unwrap();
        let rows =
            section.lines().filter(|line| line.starts_with("| `") || line.starts_with("| |"));
        let (mut service, mut expected) = ("", BTreeSet::new());
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            if !cells[0].is_empty() {
                service = cells[0];
            }
            if !service.contains(", with") {
                expected.extend(documented(service.trim_matches('`'), cells[1]));
            }
        }
        assert!(expected.len() > 100, "{expected:?}");
        let listed: BTreeSet<String> = DEPLOYING.iter().flat_map(ActionGroup::actions).collect();
        assert_eq!(listed, expected);
    }
}
