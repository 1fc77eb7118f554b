//! The deployed local stack, shared by all tests.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::process::Command;
use trunkline::local::{LocalStack, Options, Places, Progress, plain_http};
use trunkline::stack::Stack;
use trunkline_shared::app::{App, Clock, RandomIds, SystemClock};
use trunkline_shared::guard::Outside;
use trunkline_shared::model::Connection;
use trunkline_shared::operations;
use trunkline_shared::queue::Queues;
use trunkline_shared::store::{Directory, Health};

use crate::reference::Reference;
use crate::secrets::uses_secret;
use crate::tap::Tap;

/// The deployed local stack, and what stands around it.
#[derive(Debug)]
pub struct World {
    local: LocalStack,
    /// The tap on the functions' calls to AWS.
    pub tap: Tap,
    /// The Python side.
    pub reference: Reference,
    /// SQS itself.
    pub sqs: aws_sdk_sqs::Client,
    /// The project's folder.
    pub project: PathBuf,
    /// Calls from outside.
    pub http: reqwest::Client,
    /// What the command said so far, but where it is asked for secrets.
    said: Mutex<String>,
}

/// What prints a secret because it is asked to.
const PRINTS_SECRETS: [&str; 3] = ["urls", "token", "secret"];

impl World {
    /// Starts it, on ports that are free.
    pub async fn start() -> Self {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let http = plain_http();
        let tap = Tap::start(http.clone()).await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        tap.leads_to(format!("http://127.0.0.1:{port}"));
        let places = Places::of(&project, "test");
        let mut progress = Progress::new(2);
        let options = Options {
            port,
            functions_endpoint: Some(tap.endpoint()),
            // A killed worker's messages come back sooner than on AWS, so that tests need not wait.
            parameters: vec![
                "OutboundTimeout=10".into(),
                "OutboundVisibility=12".into(),
                // Listeners hand over sooner, so that tests see it.
                "ListenerTimeout=24".into(),
            ],
        };
        let local = LocalStack::start(&places, &options, &mut progress).await;
        let local = local.unwrap_or_else(|error| panic!("{error}"));
        let config = trunkline::stack::local(&local.aws.endpoint()).await.unwrap();
        let sqs = aws_sdk_sqs::Client::new(&config);
        Self {
            local,
            tap,
            sqs,
            reference: Reference::new(&project),
            project,
            http,
            said: Mutex::default(),
        }
    }

    /// The deployed stack.
    pub fn stack(&self) -> &Stack {
        &self.local.stack
    }

    /// Runs the command on this stack, with further variables in its environment.
    pub async fn trunkline(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        for (name, value) in variables {
            if ["KEY", "TOKEN", "SECRET"].iter().any(|word| name.ends_with(word)) {
                uses_secret(name, value);
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
        if !arguments.iter().any(|argument| PRINTS_SECRETS.contains(argument)) {
            let mut said = self.said.lock().unwrap();
            for text in [&output.stdout, &output.stderr] {
                said.push_str(&String::from_utf8_lossy(text));
            }
        }
        output
    }

    /// What the command said so far, but where it is asked for secrets.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// The log so far: the local AWS's, with the functions' lines.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.project.join(".local/test/aws.log")).unwrap()
    }

    /// Every line that any function wrote so far, from the stack's log group. Only the lines with which
    /// the local AWS itself begins and ends each run are left out.
    pub async fn functions_log(&self) -> Vec<String> {
        const LOGS: &str = "/trunkline/trunkline";
        const MOST: usize = 10_000;
        const ITS_OWN: [&str; 3] = ["START RequestId: ", "END RequestId: ", "REPORT RequestId: "];
        let scope = "Credential=test/20260101/us-east-1/logs/aws4_request";
        let mut lines = Vec::new();
        let mut since = 0;
        loop {
            let asked =
                serde_json::json!({"logGroupName": LOGS, "startTime": since, "limit": MOST});
            let call = self.http.post(self.local.aws.endpoint());
            let call = call.header("x-amz-target", "Logs_20140328.FilterLogEvents");
            let call = call.header("content-type", "application/x-amz-json-1.1");
            let call = call.header("authorization", format!("AWS4-HMAC-SHA256 {scope}"));
            let answer = call.body(asked.to_string()).send().await.unwrap();
            let answer: Value = answer.json().await.unwrap();
            let events = answer["events"].as_array().unwrap_or_else(|| panic!("{answer}"));
            let said = events.iter().map(|event| event["message"].as_str().unwrap().to_owned());
            lines.extend(said.filter(|line| !ITS_OWN.iter().any(|own| line.starts_with(own))));
            if events.len() < MOST {
                return lines;
            }
            let last = events.last().unwrap()["timestamp"].as_i64().unwrap();
            // Lines of that moment come again, which does no harm.
            since = if last == since { last + 1 } else { last };
        }
    }

    /// Asks a connection's far side to prove itself; answers with what was heard.
    pub async fn verify(&self, connection: &Connection) -> Health {
        let app = self.stack().app();
        let (id, platform) = (&connection.id, connection.platform);
        operations::verify(app.asking(), id, platform, 20).await.unwrap()
    }

    /// The local AWS's port.
    pub fn port(&self) -> u16 {
        self.local.aws.port
    }

    /// A call to one of the API's addresses, whose name need not resolve.
    pub fn request(&self, method: http::Method, url: &str) -> reqwest::RequestBuilder {
        let rest = url.trim_start_matches("http://");
        let (host, path) = rest.split_once('/').unwrap();
        self.http
            .request(method, format!("http://127.0.0.1:{}/{path}", self.port()))
            .header("host", host)
    }

    /// Invokes a function, named as in the template, and answers with what it answers.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let base = format!("http://127.0.0.1:{}/2015-03-31/functions", self.port());
        let listed: Value =
            self.http.get(format!("{base}/")).send().await.unwrap().json().await.unwrap();
        let names = listed["Functions"].as_array().unwrap().iter();
        let mut names = names.filter_map(|listed| listed["FunctionName"].as_str());
        let name = names.find(|name| name.contains(&format!("-{function}-"))).unwrap();
        let call = self.http.post(format!("{base}/{name}/invocations")).body(event.to_string());
        call.send().await.unwrap().json().await.unwrap()
    }

    /// The functions' own code on the deployed table and queues, with another clock. Its notes to itself
    /// go to `wake`, if given, in place of the deployed function that reads them.
    pub fn app(&self, clock: Arc<dyn Clock>, wake: Option<String>) -> App {
        let stack = self.stack();
        let mut urls = stack.facts.queues.clone();
        urls.wake = wake.unwrap_or(urls.wake);
        App {
            store: stack.store.clone(),
            directory: Arc::new(Directory::new(stack.store.clone())),
            queues: Queues::new(self.sqs.clone(), urls),
            secrets: Arc::clone(&stack.secrets),
            outside: Arc::new(Outside::new(true)),
            clock,
            ids: Arc::new(RandomIds),
        }
    }
}

/// A clock that is ahead of the machine's, by as much as it is told.
#[derive(Debug)]
pub struct Ahead(Mutex<SignedDuration>);

impl Ahead {
    /// So much ahead.
    pub fn of_now(by: SignedDuration) -> Self {
        Self(Mutex::new(by))
    }

    /// So much more ahead.
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}
