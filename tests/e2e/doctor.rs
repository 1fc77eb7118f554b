//! `trunkline doctor`: on the stack, which works, and on an AWS that answers some calls otherwise.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use jiff::SignedDuration;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use trunkline_core::model::{Connection, ConnectionId, Role, Route};
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_tests::TestEnvironment;

/// An answer that replaces that of the local AWS.
#[derive(Debug, Clone)]
struct Rule {
    /// The service that the call is signed for; empty for calls without a signature of AWS.
    service: &'static str,
    /// A part of the method and path, the target or the body of the call.
    word: &'static str,
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

fn rule(service: &'static str, word: &'static str, status: u16, body: impl Into<String>) -> Rule {
    Rule { service, word, status, headers: Vec::new(), body: body.into() }
}

impl Rule {
    fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }
}

/// A local AWS that answers some calls otherwise, and passes on all others.
#[derive(Debug)]
struct OtherAws {
    upstream: String,
    http: reqwest::Client,
    rules: Vec<Rule>,
}

impl OtherAws {
    /// Starts it, and returns its URL.
    async fn start(env: &TestEnvironment, rules: Vec<Rule>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = format!("http://127.0.0.1:{}", env.port());
        let state = Arc::new(Self { upstream, http: env.http.clone(), rules });
        let router = Router::new().fallback(answer).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

async fn answer(
    State(aws): State<Arc<OtherAws>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    // `AWS4-HMAC-SHA256 Credential=<id>/<date>/<region>/<service>/aws4_request, …`
    let service = header("authorization").split('/').nth(3).unwrap_or_default();
    let target = header("x-amz-target");
    let text = format!("{method} {uri}\n{target}\n{}", String::from_utf8_lossy(&body));
    let mut rules = aws.rules.iter();
    if let Some(rule) = rules.find(|rule| rule.service == service && text.contains(rule.word)) {
        let mut headers = HeaderMap::new();
        for (name, value) in &rule.headers {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let status = StatusCode::from_u16(rule.status).unwrap();
        return (status, headers, rule.body.clone()).into_response();
    }
    let call = aws.http.request(method, format!("{}{uri}", aws.upstream)).headers(headers);
    match call.body(body).send().await {
        Ok(answer) => {
            let (status, headers) = (answer.status(), answer.headers().clone());
            (status, headers, answer.bytes().await.unwrap_or_default()).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// A run of the command.
struct Doctor {
    name: &'static str,
    rules: Vec<Rule>,
    arguments: Vec<String>,
    variables: Vec<(&'static str, &'static str)>,
    /// The check that must differ from the others: its status, and a part of what was found.
    expected: Option<(&'static str, &'static str, &'static str)>,
}

fn doctor(
    name: &'static str,
    rules: Vec<Rule>,
    expected: (&'static str, &'static str, &'static str),
) -> Doctor {
    Doctor {
        name,
        rules,
        arguments: Vec::new(),
        variables: Vec::new(),
        expected: Some(expected).filter(|(check, ..)| !check.is_empty()),
    }
}

/// No check fails.
const NOTHING: (&str, &str, &str) = ("", "", "");

impl Doctor {
    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    fn command(&self, env: &TestEnvironment, endpoint: &str) -> Command {
        let mut command = Command::new(env.project.join("target/debug/trunkline"));
        command
            .args(["doctor", "--json"])
            .args(&self.arguments)
            .current_dir(&env.project)
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_DEFAULT_REGION")
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "us-east-1")
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs the command, and compares the checks that fail and the exit code.
    async fn run(self, env: &TestEnvironment) {
        let endpoint = OtherAws::start(env, self.rules.clone()).await;
        let output = self.command(env, &endpoint).output().await.unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            panic!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr))
        });
        let checks = report["checks"].as_array().unwrap();
        let failed: BTreeSet<&str> = checks
            .iter()
            .filter(|check| check["status"] == "fail")
            .map(|check| check["check"].as_str().unwrap())
            .collect();
        let fails = self.expected.filter(|(_, status, _)| *status == "fail");
        let expected: BTreeSet<&str> = fails.iter().map(|(check, ..)| *check).collect();
        assert_eq!(failed, expected, "{}: {report:#}", self.name);
        let code = i32::from(!expected.is_empty());
        assert_eq!(output.status.code(), Some(code), "{}: {report:#}", self.name);
        assert_eq!(report["healthy"], json!(expected.is_empty()), "{}", self.name);
        if let Some((name, status, found)) = self.expected {
            let check = checks.iter().find(|check| check["check"] == name);
            let check = check.unwrap_or_else(|| panic!("{}: {report:#}", self.name));
            assert_eq!(check["status"], status, "{}: {check}", self.name);
            let text = check["found"].as_str().unwrap();
            assert!(text.contains(found), "{}: {text}", self.name);
            assert_ne!(check["do"], "", "{}: {check}", self.name);
        }
    }
}

fn quota(executions: u32) -> Rule {
    let limit = json!({"AccountLimit": {"ConcurrentExecutions": executions}});
    rule("lambda", "/account-settings/", 200, limit.to_string())
}

fn query_error(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    )
}

fn in_ten_minutes() -> String {
    let at = SystemClock.now() + SignedDuration::from_mins(10);
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap()
}

/// Checks of an account in which there is no stack of this name.
fn accounts() -> Vec<Doctor> {
    let caller =
        "<R><Arn>arn:aws:iam::000000000000:user/anna</Arn><Account>000000000000</Account></R>";
    let denied = "<R><EvaluationResults><member><EvalDecision>implicitDeny</EvalDecision>\
                  <EvalActionName>lambda:PutFunctionRecursionConfig</EvalActionName></member>\
                  </EvaluationResults></R>";
    let no_settings = json!({"Message": "no"}).to_string();
    let no_settings = rule("lambda", "/account-settings/", 403, no_settings)
        .with("x-amzn-errortype", "AccessDeniedException");
    let simulated = |body: &str| vec![rule("sts", "", 200, caller), rule("iam", "", 200, body)];
    let mut wrong_region =
        doctor("region", vec![quota(1_000)], ("region", "fail", "AWS_DEFAULT_REGION eu-west-1"));
    wrong_region.variables.push(("AWS_DEFAULT_REGION", "eu-west-1"));
    let late = rule("", "GET /\n", 200, "").with("date", in_ten_minutes());
    let mut runs = vec![
        doctor("account", Vec::new(), NOTHING),
        wrong_region,
        doctor("clock", vec![late], ("clock", "fail", "behind AWS's clock")),
        doctor(
            "credentials",
            vec![rule("sts", "", 403, query_error("ExpiredToken"))],
            ("credentials", "fail", "ExpiredToken"),
        ),
        doctor("quota", vec![quota(10)], ("concurrency", "fail", "10 concurrent executions")),
        doctor(
            "no settings",
            vec![no_settings],
            ("concurrency", "skip", "lambda:GetAccountSettings"),
        ),
        doctor(
            "permissions",
            simulated(denied),
            ("permissions", "fail", "lambda:PutFunctionRecursionConfig"),
        ),
        doctor(
            "no simulation",
            simulated("")
                .into_iter()
                .take(1)
                .chain([rule("iam", "", 403, query_error("AccessDenied"))])
                .collect(),
            ("permissions", "skip", "iam:SimulatePrincipalPolicy"),
        ),
    ];
    for run in &mut runs {
        run.rules.push(quota(1_000));
        run.arguments.extend(["--stack".to_owned(), "nowhere".to_owned()]);
    }
    let long =
        ["--stack", "a-name-that-is-longer-than-the-fifty-six-characters-of-the-longest-queue"];
    runs.push(
        doctor("stack name", vec![quota(1_000)], ("stack name", "fail", "characters")).with(&long),
    );
    runs
}

/// Checks of the stack that write nothing.
fn stacks() -> Vec<Doctor> {
    let rolled_back = "<R><Stacks><member><StackStatus>ROLLBACK_COMPLETE</StackStatus><Parameters><member>\
        <ParameterKey>AllowLocalTargets</ParameterKey><ParameterValue>yes</ParameterValue></member></Parameters>\
        </member></Stacks></R>";
    let gone = || json!({"Message": "Function not found"}).to_string();
    let removed = rule("lambda", "-TwinInbound-", 404, gone())
        .with("x-amzn-errortype", "ResourceNotFoundException");
    let crashed = json!({"errorMessage": "exit status 1", "errorType": "Runtime.ExitError"});
    let crashed = rule("lambda", "-WebexOutbound-", 200, crashed.to_string())
        .with("x-amz-function-error", "Unhandled");
    let throttled = rule("lambda", "/invocations", 429, r#"{"Message": "Rate exceeded"}"#)
        .with("x-amzn-errortype", "TooManyRequestsException");
    let json_error = |code: &str| json!({"__type": code, "message": "no"}).to_string();
    let table = rule(
        "dynamodb",
        ".Query\n",
        400,
        json_error("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"),
    );
    let queue =
        rule("sqs", "cm-outbound.fifo", 400, json_error("com.amazonaws.sqs#QueueDoesNotExist"));
    let alarm = |actions: &str| {
        let text = format!(
            "<R><MetricAlarms><member><AlarmName>trunkline-BreakerAlarm</AlarmName><StateValue>OK</StateValue>\
             <ActionsEnabled>true</ActionsEnabled><AlarmActions>{actions}</AlarmActions></member></MetricAlarms></R>"
        );
        rule("monitoring", "DescribeAlarms", 200, text)
    };
    let topic = "<member>arn:aws:sns:us-east-1:000000000000:doctors-alarms</member>";
    let policy = "<R><Attributes><entry><key>Policy</key><value>{\"Statement\":{\"Effect\":\"Allow\",\
        \"Principal\":{\"AWS\":\"*\"},\"Action\":\"SNS:Publish\"}}</value></entry></Attributes></R>";
    let pending = "<R><Subscriptions><member><Protocol>email</Protocol>\
        <SubscriptionArn>PendingConfirmation</SubscriptionArn></member></Subscriptions></R>";
    let unconfirmed = vec![
        alarm(topic),
        rule("sns", "GetTopicAttributes", 200, policy),
        rule("sns", "ListSubscriptionsByTopic", 200, pending),
    ];
    let runs = vec![
        doctor("stack", Vec::new(), NOTHING),
        doctor(
            "rolled back",
            vec![rule("cloudformation", "DescribeStacks", 200, rolled_back)],
            ("stack", "fail", "ROLLBACK_COMPLETE"),
        ),
        doctor("function removed", vec![removed], ("functions", "fail", "deleted: TwinInbound")),
        doctor("function crashes", vec![crashed], ("functions", "fail", "WebexOutbound: exit")),
        doctor("throttled", vec![throttled], ("functions", "fail", "no concurrent execution")),
        doctor("table", vec![table], ("table", "fail", "ResourceNotFoundException")),
        doctor("queue", vec![queue], ("queues", "fail", "cm: a queue of the stack does not exist")),
        doctor("silent alarms", vec![alarm("")], ("notifications", "warn", "notify no one")),
        doctor("topic", vec![alarm(topic)], ("alarm topic", "fail", "does not exist")),
        doctor("subscription", unconfirmed, ("alarm topic", "fail", "is confirmed")),
    ];
    runs.into_iter().map(|run| run.with(&["--read-only"])).collect()
}

pub async fn each_fault_of_an_account_or_stack_is_found(env: &TestEnvironment) {
    let runs = accounts().into_iter().chain(stacks());
    // Each invokes all functions, and a new account allows few invocations at once.
    stream::iter(runs).for_each_concurrent(2, |run| run.run(env)).await;
}

/// Returns the connections and routes that a self-test has created.
async fn created(env: &TestEnvironment) -> Vec<String> {
    let store = &env.stack().store;
    let connections = store.connections(None, u16::MAX).await.unwrap();
    let routes = store.routes(None, u16::MAX).await.unwrap();
    let connections = connections.iter().map(|one| one.id.to_string());
    let names = connections.chain(routes.iter().map(ToString::to_string));
    names.filter(|name| name.starts_with("doctor-")).collect()
}

/// Stores a bot and a route as a run that ended too early leaves them, years ago.
async fn abandon(env: &TestEnvironment) {
    let run = "doctor-018c6c6a-4a11-7d5e-9a51-52b0d3d3e0aa";
    let bot =
        json!({"id": format!("{run}-bot"), "platform": "webhook", "role": Role::Bot, "version": 1});
    let bot: Connection = serde_json::from_value(bot).unwrap();
    env.stack().store.put_connection(&bot).await.unwrap();
    let route: Route = serde_json::from_value(json!({"id": run, "version": 1})).unwrap();
    env.stack().store.put_route(&route).await.unwrap();
}

pub async fn a_message_passes_through_the_stack_and_leaves_nothing(env: &TestEnvironment) {
    abandon(env).await;
    let passed = doctor("message", Vec::new(), ("message", "ok", "inbound, table: "));
    let Doctor { expected, .. } = &passed;
    let (check, ..) = expected.unwrap();
    let endpoint = format!("http://127.0.0.1:{}", env.port());
    let output = passed.command(env, &endpoint).output().await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{report:#}");
    for name in [check, "queues", "functions", "table"] {
        let checks = report["checks"].as_array().unwrap();
        let found = checks.iter().find(|one| one["check"] == name).unwrap();
        assert_eq!(found["status"], "ok", "{found}");
    }
    assert_eq!(created(env).await, Vec::<String>::new());
}

pub async fn a_message_that_does_not_pass_is_found_and_removed(env: &TestEnvironment) {
    let unavailable = rule("", "-channel/", 503, r#"{"code": "unavailable"}"#);
    let refused = rule("", "-bot/", 404, "{}");
    let runs = [
        doctor("not accepted", vec![unavailable], ("message", "fail", "the API answers 503")),
        doctor("not sent", vec![refused], ("message", "fail", "could not be sent: ")),
    ];
    join_all(runs.map(|run| run.run(env))).await;
    assert_eq!(created(env).await, Vec::<String>::new());
}

pub async fn an_interrupted_run_removes_what_it_created(env: &TestEnvironment) {
    let run = doctor("interrupted", Vec::new(), NOTHING);
    // The message never returns.
    let endpoint = OtherAws::start(env, vec![rule("", "-bot/", 500, "{}")]).await;
    let mut command = run.command(env, &endpoint);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    let mut found = Vec::new();
    for _ in 0..600 {
        found = created(env).await;
        if found.iter().any(|name| name.ends_with("-channel")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(found.len(), 3, "{found:?}");
    kill_process(pid, Signal::INT).unwrap();
    let output = tokio::time::timeout(Duration::from_secs(30), child.wait_with_output()).await;
    let output = output.expect("it ends when it is interrupted").unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let message = checks.iter().find(|one| one["check"] == "message").unwrap();
    assert_eq!(message["status"], "skip", "{message}");
    assert_eq!(created(env).await, Vec::<String>::new());
    let bot: ConnectionId =
        found.iter().find(|name| name.ends_with("-bot")).unwrap().parse().unwrap();
    assert!(env.stack().secrets.fetch(&bot).await.unwrap().is_none(), "its secrets are left");
}
