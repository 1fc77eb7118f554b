//! The calls of the checks, with the members of their answers that the checks need. Each documents the
//! permission that it needs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use trunkline_runtime::security::percent_encode;

use super::{AwsApi, Call, CallError, Element, INVOCATION_TIMEOUT, ServiceResponse, TIMEOUT};

/// The owner of the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The number of the account.
    pub account: String,
    pub arn: String,
}

/// Whether IAM allows an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A policy allows it.
    Allowed,
    /// It is denied, or no policy allows it.
    Denied,
    /// It is denied without the values of these condition keys, which a simulation does not know.
    DependsOn(Vec<String>),
}

/// The result of the simulation of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Service and action, such as `lambda:CreateFunction`.
    pub action: String,
    pub decision: Decision,
}

/// A stack of CloudFormation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackDescription {
    /// The status, such as `CREATE_COMPLETE`.
    pub status: String,
    /// The reason of a failure. Empty if there is none.
    pub reason: String,
    pub parameters: BTreeMap<String, String>,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The name in the template.
    pub logical_id: String,
    /// The name in AWS.
    pub physical_id: String,
    /// The type, such as `AWS::Lambda::Function`.
    pub kind: String,
}

/// The answer of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The result, or the error if the function failed.
    pub payload: Value,
    /// Whether the function failed.
    pub failed: bool,
    pub duration: Duration,
}

/// An alarm of CloudWatch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alarm {
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// The ARNs that are notified when it fires.
    pub actions: Vec<String>,
    /// Whether it notifies anything at all.
    pub actions_enabled: bool,
}

/// A topic of SNS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topic {
    /// The access policy, as JSON.
    pub policy: String,
    /// The key that encrypts the topic. Empty if it is not encrypted.
    pub key: String,
}

/// A subscription of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub protocol: String,
    pub is_confirmed: bool,
}

type Result<T> = std::result::Result<T, CallError>;

fn parameter(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

impl AwsApi {
    /// Returns the owner of the credentials. Needs no permission.
    pub async fn caller(&self) -> Result<Caller> {
        let answer = self.query("sts", "2011-06-15", "GetCallerIdentity", &[]).await?;
        let text = |name| answer.text_of(name).to_owned();
        Ok(Caller { account: text("Account"), arn: text("Arn") })
    }

    /// Returns the ARN of a role, with its path. Needs `iam:GetRole`.
    pub async fn role_arn(&self, name: &str) -> Result<String> {
        let parameters = [parameter("RoleName", name)];
        let answer = self.query("iam", "2010-05-08", "GetRole", &parameters).await?;
        Ok(answer.text_of("Arn").to_owned())
    }

    /// Asks IAM whether a user or role may do these actions on a resource. Needs
    /// `iam:SimulatePrincipalPolicy`.
    pub async fn simulate(
        &self,
        principal: &str,
        actions: &[String],
        resource: &str,
    ) -> Result<Vec<Evaluation>> {
        let mut parameters = vec![
            parameter("PolicySourceArn", principal),
            parameter("ResourceArns.member.1", resource),
            parameter("MaxItems", "1000"),
        ];
        for (index, action) in actions.iter().enumerate() {
            parameters.push(parameter(&format!("ActionNames.member.{}", index + 1), action));
        }
        let version = "2010-05-08";
        let answer = self.query("iam", version, "SimulatePrincipalPolicy", &parameters).await?;
        Ok(answer.list("EvaluationResults").iter().map(evaluation).collect())
    }

    /// Returns the account's quota of concurrent executions in this region. Needs
    /// `lambda:GetAccountSettings`.
    pub async fn account_concurrency(&self) -> Result<u32> {
        let settings = self.lambda(Method::GET, "/2016-08-19/account-settings/".into()).await?;
        let quota = settings["AccountLimit"]["ConcurrentExecutions"].as_u64();
        let quota = quota.and_then(|quota| u32::try_from(quota).ok());
        quota.ok_or_else(|| CallError::Unreadable("lambda:GetAccountSettings".into()))
    }

    /// Returns what Lambda does with recursive loops of a function: `Allow` or `Terminate`. Needs
    /// `lambda:GetFunctionRecursionConfig`.
    pub async fn recursive_loop(&self, function: &str) -> Result<String> {
        let name = percent_encode(function);
        let path = format!("/2024-08-31/functions/{name}/recursion-config");
        let config = self.lambda(Method::GET, path).await?;
        Ok(config["RecursiveLoop"].as_str().unwrap_or_default().to_owned())
    }

    /// Invokes a function with an event and waits for its answer; without an event, only checks that it
    /// exists and may be invoked. Needs `lambda:InvokeFunction`.
    pub async fn invoke(&self, function: &str, event: Option<&Value>) -> Result<Invocation> {
        let kind = if event.is_some() { "RequestResponse" } else { "DryRun" };
        let name = percent_encode(function);
        let call = Call {
            service: "lambda",
            method: Method::POST,
            path: format!("/2015-03-31/functions/{name}/invocations"),
            headers: vec![("x-amz-invocation-type", kind.into())],
            body: event.map(ToString::to_string).unwrap_or_default(),
            timeout: INVOCATION_TIMEOUT,
        };
        let started = Instant::now();
        let ServiceResponse { function_error, body } = self.send(call).await?;
        Ok(Invocation {
            payload: serde_json::from_str(&body).unwrap_or_default(),
            failed: function_error.is_some(),
            duration: started.elapsed(),
        })
    }

    async fn lambda(&self, method: Method, path: String) -> Result<Value> {
        let (headers, body) = (Vec::new(), String::new());
        let call = Call { service: "lambda", method, path, headers, body, timeout: TIMEOUT };
        let answer = self.send(call).await?;
        serde_json::from_str(&answer.body).map_err(|_| CallError::Unreadable("lambda".into()))
    }

    /// Returns whether the higher throughput of the Parameter Store is enabled. Needs
    /// `ssm:GetServiceSetting`.
    pub async fn has_high_throughput(&self) -> Result<bool> {
        let setting = json!({"SettingId": "/ssm/parameter-store/high-throughput-enabled"});
        let call = Call {
            service: "ssm",
            method: Method::POST,
            path: "/".into(),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".into()),
                ("x-amz-target", "AmazonSSM.GetServiceSetting".into()),
            ],
            body: setting.to_string(),
            timeout: TIMEOUT,
        };
        let answer = self.send(call).await?;
        let answer: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let value = answer["ServiceSetting"]["SettingValue"].as_str();
        let value = value.ok_or_else(|| CallError::Unreadable("ssm:GetServiceSetting".into()))?;
        Ok(value == "true")
    }

    /// Returns a stack; `None` if there is none of this name. Needs `cloudformation:DescribeStacks`.
    pub async fn stack(&self, name: &str) -> Result<Option<StackDescription>> {
        let parameters = [parameter("StackName", name)];
        let answer = match self.cloudformation("DescribeStacks", &parameters).await {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let stack = answer.list("Stacks").first().cloned().unwrap_or_default();
        let text = |name| stack.text_of(name).to_owned();
        let value = |one: &Element| {
            (one.text_of("ParameterKey").to_owned(), one.text_of("ParameterValue").to_owned())
        };
        let description = StackDescription {
            status: text("StackStatus"),
            reason: text("StackStatusReason"),
            parameters: stack.list("Parameters").iter().map(value).collect(),
        };
        Ok(Some(description).filter(|found| found.status != "DELETE_COMPLETE"))
    }

    /// Returns the resources of a stack. Needs `cloudformation:ListStackResources`.
    pub async fn stack_resources(&self, name: &str) -> Result<Vec<Resource>> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let mut parameters = vec![parameter("StackName", name)];
            if !token.is_empty() {
                parameters.push(parameter("NextToken", &token));
            }
            let answer = self.cloudformation("ListStackResources", &parameters).await?;
            found.extend(answer.list("StackResourceSummaries").iter().map(|one| Resource {
                logical_id: one.text_of("LogicalResourceId").to_owned(),
                physical_id: one.text_of("PhysicalResourceId").to_owned(),
                kind: one.text_of("ResourceType").to_owned(),
            }));
            answer.text_of("NextToken").clone_into(&mut token);
            if token.is_empty() {
                return Ok(found);
            }
        }
    }

    async fn cloudformation(
        &self,
        action: &str,
        parameters: &[(String, String)],
    ) -> Result<Element> {
        self.query("cloudformation", "2010-05-15", action, parameters).await
    }

    /// Returns the alarms of these names, at most 100. Needs `cloudwatch:DescribeAlarms`.
    pub async fn alarms(&self, names: &[&str]) -> Result<Vec<Alarm>> {
        let mut parameters = vec![parameter("MaxRecords", "100")];
        for (index, name) in names.iter().take(100).enumerate() {
            parameters.push(parameter(&format!("AlarmNames.member.{}", index + 1), name));
        }
        let answer = self.query("monitoring", "2010-08-01", "DescribeAlarms", &parameters).await?;
        let alarm = |one: &Element| Alarm {
            name: one.text_of("AlarmName").to_owned(),
            state: one.text_of("StateValue").to_owned(),
            actions: one.list("AlarmActions").iter().map(|arn| arn.text.clone()).collect(),
            actions_enabled: one.text_of("ActionsEnabled") != "false",
        };
        Ok(answer.list("MetricAlarms").iter().map(alarm).collect())
    }

    /// Returns a topic; `None` if it does not exist. Needs `sns:GetTopicAttributes`.
    pub async fn topic(&self, arn: &str) -> Result<Option<Topic>> {
        let parameters = [parameter("TopicArn", arn)];
        let answer = match self.sns("GetTopicAttributes", &parameters).await {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let attributes = answer.list("Attributes");
        let value = |name: &str| {
            let entry = attributes.iter().find(|entry| entry.text_of("key") == name);
            entry.map_or("", |entry| entry.text_of("value")).to_owned()
        };
        Ok(Some(Topic { policy: value("Policy"), key: value("KmsMasterKeyId") }))
    }

    /// Returns the first hundred subscriptions of a topic. Needs `sns:ListSubscriptionsByTopic`.
    pub async fn subscriptions(&self, arn: &str) -> Result<Vec<Subscription>> {
        let parameters = [parameter("TopicArn", arn)];
        let answer = self.sns("ListSubscriptionsByTopic", &parameters).await?;
        let subscription = |one: &Element| Subscription {
            protocol: one.text_of("Protocol").to_owned(),
            is_confirmed: one.text_of("SubscriptionArn").starts_with("arn:"),
        };
        Ok(answer.list("Subscriptions").iter().map(subscription).collect())
    }

    async fn sns(&self, action: &str, parameters: &[(String, String)]) -> Result<Element> {
        self.query("sns", "2010-03-31", action, parameters).await
    }
}

fn evaluation(one: &Element) -> Evaluation {
    let missing: Vec<String> =
        one.list("MissingContextValues").iter().map(|key| key.text.clone()).collect();
    let decision = match one.text_of("EvalDecision") {
        "allowed" => Decision::Allowed,
        "implicitDeny" if !missing.is_empty() => Decision::DependsOn(missing),
        _ => Decision::Denied,
    };
    Evaluation { action: one.text_of("EvalActionName").to_owned(), decision }
}
