//! The deployed local stack that all tests share.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::process::Command;
use trunkline::local::{LocalStack, Options, Paths, Progress, STACK, plain_http};
use trunkline::stack::Stack;
use trunkline_core::model::Connection;
use trunkline_runtime::app::{App, Clock, RandomIdGenerator, SystemClock};
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::queue::{QueueUrls, Queues};
use trunkline_runtime::store::{ConfigCache, Health};

use crate::fault_proxy::FaultProxy;
use crate::reference::Reference;
use crate::used_secrets::record_secret;

/// Maximum log lines per `FilterLogEvents` request.
const LOG_LINES_LIMIT: usize = 10_000;

/// How many lines of a failed program's output are shown.
const LAST_LINES: usize = 60;

/// The deployed local stack with its fault proxy and clients.
#[derive(Debug)]
pub struct TestEnvironment {
    local: LocalStack,
    paths: Paths,
    /// The proxy between the functions and AWS.
    pub fault_proxy: FaultProxy,
    /// Reference implementations in Python.
    pub reference: Reference,
    /// A client of the local SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// The project folder.
    pub project: PathBuf,
    /// An HTTP client for calls to the API.
    pub http: reqwest::Client,
    /// Output of the CLI so far, without commands that print secrets.
    cli_output: Mutex<String>,
}

/// CLI subcommands that print secrets.
const COMMANDS_WITH_SECRETS: [&str; 4] = ["urls", "token", "secret", "rotate"];

impl TestEnvironment {
    /// Deploys the current version, or that of `TRUNKLINE_VERSION`, on free ports.
    pub async fn start() -> Self {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let version = std::env::var("TRUNKLINE_VERSION").map_or(project, PathBuf::from);
        Self::with_version(&version, "test").await
    }

    /// Deploys the template and functions of the folder `version`. Logs go to `.local/<name>`.
    pub async fn with_version(version: &Path, name: &str) -> Self {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let http = plain_http();
        let fault_proxy = FaultProxy::start().await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fault_proxy.set_upstream(format!("http://127.0.0.1:{port}"));
        let paths = Paths { project: version.to_owned(), ..Paths::of(&project, name) };
        let mut progress = Progress::new(2);
        let endpoint = Some(fault_proxy.endpoint());
        let options = Options {
            port,
            functions_endpoint: endpoint,
            parameters: parameters(),
            account_concurrency: account_concurrency(),
        };
        let local = LocalStack::start(&paths, &options, &mut progress).await;
        let local = local.unwrap_or_else(|error| panic!("{error}"));
        let config = trunkline::stack::local_aws_config(&local.aws.endpoint()).await.unwrap();
        let sqs = aws_sdk_sqs::Client::new(&config);
        let reference = Reference::new(&project);
        Self {
            local,
            paths,
            fault_proxy,
            reference,
            sqs,
            project,
            http,
            cli_output: Mutex::default(),
        }
    }

    /// Updates the stack to the template and functions of the folder `version`.
    pub async fn deploy(&self, version: &Path) {
        let paths = Paths { project: version.to_owned(), ..self.paths.clone() };
        let deployed = self.local.deploy(&paths, &parameters()).await;
        deployed.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The deployed stack.
    pub fn stack(&self) -> &Stack {
        &self.local.stack
    }

    /// The URLs of the stack's queues.
    pub fn queue_urls(&self) -> QueueUrls {
        self.stack().info.tasks_queue.parse().unwrap()
    }

    /// Runs the CLI on this stack, with additional environment variables.
    pub async fn trunkline(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        for (name, value) in variables {
            if ["KEY", "TOKEN", "SECRET"].iter().any(|word| name.ends_with(word)) {
                record_secret(name, value);
            }
        }
        let output = Command::new(self.project.join("target/debug/trunkline"))
            .args(arguments)
            .current_dir(&self.project)
            .env("AWS_ENDPOINT_URL", self.local.aws.endpoint())
            .envs([
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_REGION", "us-east-1"),
            ])
            .envs(variables.iter().copied())
            .output()
            .await
            .unwrap();
        if !arguments.iter().any(|argument| COMMANDS_WITH_SECRETS.contains(argument)) {
            let mut output_so_far = self.cli_output.lock().unwrap();
            for text in [&output.stdout, &output.stderr] {
                output_so_far.push_str(&String::from_utf8_lossy(text));
            }
        }
        output
    }

    /// Returns the output of the CLI so far, without commands that print secrets.
    pub fn cli_output(&self) -> String {
        self.cli_output.lock().unwrap().clone()
    }

    /// Writes the standard output of a program to `.local/test/<name>.log` and returns it. Panics with its last lines
    /// if the program failed.
    pub fn successful_output(&self, name: &str, output: &Output) -> String {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let log = self.project.join(".local/test").join(format!("{name}.log"));
        std::fs::write(log, &stdout).unwrap();
        let lines: Vec<&str> = stdout.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        assert!(output.status.success(), "{last}");
        stdout
    }

    /// Returns the log of the local AWS so far, which includes the functions' lines.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.paths.logs.join("aws.log")).unwrap()
    }

    /// Returns the log lines of functions that contain `word`, oldest first.
    pub async fn log_lines_with(&self, word: &str) -> Vec<String> {
        let found = self.filter_log_events(json!({"filterPattern": word})).await;
        found.into_iter().map(|(_, line)| line).collect()
    }

    /// Returns all log lines of functions so far, without the lines that the local AWS writes at the
    /// start and end of each invocation.
    pub async fn function_log_lines(&self) -> Vec<String> {
        const RUNTIME_LINES: [&str; 3] =
            ["START RequestId: ", "END RequestId: ", "REPORT RequestId: "];
        let mut lines = Vec::new();
        let mut since = 0;
        loop {
            let found = self.filter_log_events(json!({"startTime": since})).await;
            let (count, last) = (found.len(), found.last().map_or(0, |(at, _)| *at));
            let own = found.into_iter().map(|(_, line)| line);
            lines.extend(
                own.filter(|line| !RUNTIME_LINES.iter().any(|start| line.starts_with(start))),
            );
            if count < LOG_LINES_LIMIT {
                return lines;
            }
            // Lines with the same timestamp are read twice, which does no harm.
            since = if last == since { last + 1 } else { last };
        }
    }

    /// Returns up to [`LOG_LINES_LIMIT`] lines of the stack's log group with their Unix times in
    /// milliseconds.
    async fn filter_log_events(&self, which: Value) -> Vec<(i64, String)> {
        let mut asked =
            json!({"logGroupName": format!("/trunkline/{STACK}"), "limit": LOG_LINES_LIMIT});
        asked.as_object_mut().unwrap().extend(which.as_object().unwrap().clone());
        let call = self.aws_request(http::Method::POST, "logs", "/");
        let call = call.header("x-amz-target", "Logs_20140328.FilterLogEvents");
        let call = call.header("content-type", "application/x-amz-json-1.1");
        let answer: Value =
            call.body(asked.to_string()).send().await.unwrap().json().await.unwrap();
        let events = answer["events"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
        let line = |event: &Value| {
            (event["timestamp"].as_i64().unwrap(), event["message"].as_str().unwrap().to_owned())
        };
        events.map(line).collect()
    }

    /// Verifies a connection and returns the result.
    pub async fn verify(&self, connection: &Connection) -> Health {
        let app = self.stack().app();
        let (id, platform) = (&connection.id, connection.platform);
        app.operator_actions().verify(id, platform, 20).await.unwrap()
    }

    /// Returns the port of the local AWS.
    pub fn port(&self) -> u16 {
        self.local.aws.port
    }

    /// Builds a request to a URL of the API. Its host name need not resolve.
    pub fn request(&self, method: http::Method, url: &str) -> reqwest::RequestBuilder {
        let rest = url.trim_start_matches("http://");
        let (host, path) = rest.split_once('/').unwrap();
        self.http
            .request(method, format!("http://127.0.0.1:{}/{path}", self.port()))
            .header("host", host)
    }

    /// Invokes a function by its logical name in the template and returns its response.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let listed = self.aws_request(http::Method::GET, "lambda", "/2015-03-31/functions/");
        let listed: Value = listed.send().await.unwrap().json().await.unwrap();
        let names = listed["Functions"].as_array().unwrap().iter();
        let mut names = names.filter_map(|listed| listed["FunctionName"].as_str());
        let name = names.find(|name| name.contains(&format!("-{function}-"))).unwrap();
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let call = self.aws_request(http::Method::POST, "lambda", &path).body(event.to_string());
        call.send().await.unwrap().json().await.unwrap()
    }

    /// Builds a call of the local AWS by its root user, whose signature it does not check.
    pub fn aws_request(
        &self,
        method: http::Method,
        service: &str,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let scope = format!("test/20260101/us-east-1/{service}/aws4_request");
        let header =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none");
        let url = format!("{}{path}", self.local.aws.endpoint());
        self.http.request(method, url).header("authorization", header)
    }

    /// Returns an [`App`] on the deployed table and queues with another clock. Its scheduled tasks go to
    /// the queue URL `tasks_queue`, if there is one, instead of the stack's tasks queue.
    pub fn app(&self, clock: Arc<dyn Clock>, tasks_queue: Option<String>) -> App {
        let stack = self.stack();
        let urls = self.queue_urls();
        let urls = match tasks_queue {
            Some(url) => urls.with_tasks(url),
            None => urls,
        };
        App {
            store: stack.store.clone(),
            config_cache: Arc::new(ConfigCache::new(stack.store.clone())),
            queues: Queues::new(self.sqs.clone(), urls),
            secrets: Arc::clone(&stack.secrets),
            http_client: Arc::new(HttpClient::new(true)),
            files: stack.app().files,
            clock,
            ids: Arc::new(RandomIdGenerator),
        }
    }
}

/// Returns how many invocations the account allows at once, from `TRUNKLINE_ACCOUNT_CONCURRENCY`.
fn account_concurrency() -> Option<u16> {
    let text = std::env::var("TRUNKLINE_ACCOUNT_CONCURRENCY").ok()?;
    Some(text.parse().expect("TRUNKLINE_ACCOUNT_CONCURRENCY is a number"))
}

/// Returns the template parameters for tests.
fn parameters() -> Vec<String> {
    let parameters = [
        // Shorter than on AWS, so that SQS redelivers the messages of a killed worker sooner.
        "OutboundTimeout=10",
        "OutboundVisibility=12",
        // Shorter than on AWS, so that a listener is replaced during a test.
        "ListenerTimeout=20",
    ];
    parameters.map(ToOwned::to_owned).to_vec()
}

/// The system clock plus an offset.
#[derive(Debug)]
pub struct ShiftedClock(Mutex<SignedDuration>);

impl ShiftedClock {
    /// Creates a clock that is ahead of the system clock by `by`.
    pub fn ahead_by(by: SignedDuration) -> Self {
        Self(Mutex::new(by))
    }

    /// Adds `by` to the offset.
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}
