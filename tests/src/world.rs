//! The deployed local stack, shared by all tests.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::process::Command;
use trunkline::local::{LocalStack, Options, Places, Progress, STACK, plain_http};
use trunkline::stack::Stack;
use trunkline_shared::app::{App, Clock, RandomIds, SystemClock};
use trunkline_shared::http_client::HttpClient;
use trunkline_shared::model::Connection;
use trunkline_shared::operator;
use trunkline_shared::queue::Queues;
use trunkline_shared::store::{Directory, Health};

use crate::reference::Reference;
use crate::secrets::uses_secret;
use crate::tap::Tap;

/// How many lines of the log are asked for at once, at most.
const MOST_LINES: usize = 10_000;

/// The deployed local stack, and what stands around it.
#[derive(Debug)]
pub struct World {
    local: LocalStack,
    places: Places,
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
        let version = std::env::var("TRUNKLINE_VERSION").map_or(project, PathBuf::from);
        Self::of(&version, "test").await
    }

    /// Starts one with the template and the functions of `version`, a folder. Logs go to `.local/<name>`.
    pub async fn of(version: &Path, name: &str) -> Self {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let http = plain_http();
        let tap = Tap::start(http.clone()).await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        tap.leads_to(format!("http://127.0.0.1:{port}"));
        let places = Places { project: version.to_owned(), ..Places::of(&project, name) };
        let mut progress = Progress::new(2);
        let endpoint = Some(tap.endpoint());
        let options = Options { port, functions_endpoint: endpoint, parameters: parameters() };
        let local = LocalStack::start(&places, &options, &mut progress).await;
        let local = local.unwrap_or_else(|error| panic!("{error}"));
        let config = trunkline::stack::local(&local.aws.endpoint()).await.unwrap();
        let sqs = aws_sdk_sqs::Client::new(&config);
        let reference = Reference::new(&project);
        Self { local, places, tap, reference, sqs, project, http, said: Mutex::default() }
    }

    /// Deploys the template and the functions of another version over what is there.
    pub async fn deploy(&self, version: &Path) {
        let places = Places { project: version.to_owned(), ..self.places.clone() };
        let deployed = self.local.deploy(&places, &parameters()).await;
        deployed.unwrap_or_else(|error| panic!("{error}"));
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
        std::fs::read_to_string(self.places.logs.join("aws.log")).unwrap()
    }

    /// What the functions logged with `word` in it, oldest first.
    pub async fn lines(&self, word: &str) -> Vec<String> {
        let found = self.logged(json!({"filterPattern": word})).await;
        found.into_iter().map(|(_, line)| line).collect()
    }

    /// Every line that any function wrote so far. Only the lines with which the local AWS itself begins
    /// and ends each run are left out.
    pub async fn functions_log(&self) -> Vec<String> {
        const ITS_OWN: [&str; 3] = ["START RequestId: ", "END RequestId: ", "REPORT RequestId: "];
        let mut lines = Vec::new();
        let mut since = 0;
        loop {
            let found = self.logged(json!({"startTime": since})).await;
            let (count, last) = (found.len(), found.last().map_or(0, |(at, _)| *at));
            let said = found.into_iter().map(|(_, line)| line);
            lines.extend(said.filter(|line| !ITS_OWN.iter().any(|own| line.starts_with(own))));
            if count < MOST_LINES {
                return lines;
            }
            // Lines of that moment come again, which does no harm.
            since = if last == since { last + 1 } else { last };
        }
    }

    /// Lines of the stack's log group with their times, in milliseconds; the first, where there are many.
    async fn logged(&self, which: Value) -> Vec<(i64, String)> {
        let mut asked = json!({"logGroupName": format!("/trunkline/{STACK}"), "limit": MOST_LINES});
        asked.as_object_mut().unwrap().extend(which.as_object().unwrap().clone());
        let scope = "Credential=test/20260101/us-east-1/logs/aws4_request";
        let call = self.http.post(self.local.aws.endpoint());
        let call = call.header("x-amz-target", "Logs_20140328.FilterLogEvents");
        let call = call.header("content-type", "application/x-amz-json-1.1");
        let call = call.header("authorization", format!("AWS4-HMAC-SHA256 {scope}"));
        let answer: Value =
            call.body(asked.to_string()).send().await.unwrap().json().await.unwrap();
        let events = answer["events"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
        let line = |event: &Value| {
            (event["timestamp"].as_i64().unwrap(), event["message"].as_str().unwrap().to_owned())
        };
        events.map(line).collect()
    }

    /// Asks a connection's far side to prove itself; answers with what was heard.
    pub async fn verify(&self, connection: &Connection) -> Health {
        let app = self.stack().app();
        let (id, platform) = (&connection.id, connection.platform);
        operator::verify(app.asking(), id, platform, 20).await.unwrap()
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
            outside: Arc::new(HttpClient::new(true)),
            clock,
            ids: Arc::new(RandomIds),
        }
    }
}

/// The template's parameters in tests.
fn parameters() -> Vec<String> {
    let parameters = [
        // A killed worker's messages come back sooner than on AWS, so that tests need not wait.
        "OutboundTimeout=10",
        "OutboundVisibility=12",
        // Listeners hand over sooner, so that tests see it.
        "ListenerTimeout=24",
    ];
    parameters.map(ToOwned::to_owned).to_vec()
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
