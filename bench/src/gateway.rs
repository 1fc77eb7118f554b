//! API Gateway: converts calls of platforms into events and invokes the inbound functions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use trunkline_mock::Call;
use trunkline_runtime::app::{Clock, SystemClock};

use crate::lambda::Function;
use crate::testbed::PATH_KEY;

/// The inbound functions by platform.
type Functions = BTreeMap<&'static str, Arc<Function>>;

/// API Gateway on its own port.
#[derive(Debug)]
pub struct Gateway {
    pub port: u16,
    functions: Mutex<Functions>,
}

impl Gateway {
    /// Starts serving. Calls fail until the functions are set.
    pub async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let gateway = Arc::new(Self { port, functions: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&gateway));
        tokio::spawn(async move { axum::serve(listener, app).await });
        gateway
    }

    /// Sets the functions that calls invoke. An empty map releases the previous ones.
    pub fn set_functions(&self, functions: Functions) {
        *self.functions.lock().unwrap() = functions;
    }

    /// Returns the inbound URL of a connection.
    pub fn url(&self, platform: &str, connection: &str) -> String {
        format!("http://127.0.0.1:{}/in/{platform}/{connection}/{PATH_KEY}", self.port)
    }

    /// Makes a call of a platform. Returns the status.
    pub async fn call(&self, platform: &str, connection: &str, call: &Call) -> u16 {
        let function = self.functions.lock().unwrap().get(platform).cloned();
        let Some(function) = function else { return 404 };
        let headers = call.headers.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let event = http_event(platform, connection, &call.path, headers, &call.body);
        let answer = function.invoke(event.to_string().into()).await;
        let response: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let status = response["statusCode"].as_u64().filter(|_| answer.ok);
        status.and_then(|status| u16::try_from(status).ok()).unwrap_or(502)
    }
}

async fn answer(
    State(gateway): State<Arc<Gateway>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut words = uri.path().trim_start_matches("/in/").splitn(3, '/');
    let (platform, connection) =
        (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = words.next().and_then(|rest| rest.strip_prefix(PATH_KEY));
    let Some(path) = path else { return StatusCode::NOT_FOUND };
    let headers = headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let body = String::from_utf8_lossy(&body).into_owned();
    let call = Call { path: path.to_owned(), headers: headers.collect(), body };
    let status = gateway.call(platform, connection, &call).await;
    StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)
}

/// Returns the API Gateway event (payload format 2.0) for a call to a connection. `below` is appended to its inbound
/// URL; it is empty or begins with a slash.
pub fn http_event<'h>(
    platform: &str,
    connection: &str,
    below: &str,
    headers: impl IntoIterator<Item = (&'h str, String)>,
    body: &str,
) -> Value {
    let now = SystemClock.now();
    let path = format!("/in/{platform}/{connection}/{PATH_KEY}{below}");
    let route = format!("ANY /in/{platform}/{{connection}}/{{key}}");
    let mut parameters = json!({"connection": connection, "key": PATH_KEY});
    if let Some(below) = below.strip_prefix('/') {
        parameters["path"] = below.into();
    }
    json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": event_headers(headers, body),
        "requestContext": {
            "accountId": "000000000000", "apiId": "bench", "domainName": "localhost",
            "domainPrefix": "bench", "requestId": "bench", "stage": "$default",
            "routeKey": route,
            "time": "04/Mar/2026:09:15:20 +0000", "timeEpoch": now.as_millisecond(),
            "http": {
                "method": "POST", "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7", "userAgent": "bench",
            },
        },
        "pathParameters": parameters,
        "isBase64Encoded": false,
        "body": body,
    })
}

fn event_headers<'h>(
    headers: impl IntoIterator<Item = (&'h str, String)>,
    body: &str,
) -> Map<String, Value> {
    let common = json!({
        "content-type": "application/json",
        "content-length": body.len().to_string(),
        "host": "abcdefghij.execute-api.eu-central-1.amazonaws.com",
        "user-agent": "bench",
        "x-amzn-trace-id": "Root=1-66f9c1de-5c7c7c7c7c7c7c7c7c7c7c7c",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    });
    let own = headers.into_iter().map(|(name, value)| (name.to_lowercase(), value.into()));
    common.as_object().cloned().unwrap_or_default().into_iter().chain(own).collect()
}
