//! The deployed local stack, shared by all tests.

use std::path::{Path, PathBuf};

use serde_json::Value;
use trunkline::local::{LocalStack, Options, Places, Progress, plain_http};
use trunkline::stack::Stack;

use crate::reference::Reference;
use crate::tap::Tap;

/// The deployed local stack, and what stands around it.
#[derive(Debug)]
pub struct World {
    local: LocalStack,
    /// The tap on the functions' calls to AWS.
    pub tap: Tap,
    /// The Python side.
    pub reference: Reference,
    /// The project's folder.
    pub project: PathBuf,
    /// Calls from outside.
    pub http: reqwest::Client,
}

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
            parameters: vec!["OutboundTimeout=10".into(), "OutboundVisibility=12".into()],
        };
        let local = LocalStack::start(&places, &options, &mut progress).await;
        let local = local.unwrap_or_else(|error| panic!("{error}"));
        Self { local, tap, reference: Reference::new(&project), project, http }
    }

    /// The deployed stack.
    pub fn stack(&self) -> &Stack {
        &self.local.stack
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
}
