//! SQS emulation with the queues of `template.yaml`.

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::dispatch::SqsHandler;
use rustack_sqs_http::response::error_to_response;
use rustack_sqs_model::operations::SqsOperation;
use serde_json::{Value, json};

/// The outbound queue of signed webhooks.
pub const OUTBOUND: &str = "webhook-outbound.fifo";
/// The queue of scheduled tasks.
pub const TASKS: &str = "tasks";
/// The queue that starts TWIN listeners.
pub const LISTEN: &str = "twin-listen";

/// The emulated queues.
pub struct Sqs {
    handler: RustackSqsHandler,
    port: u16,
}

impl std::fmt::Debug for Sqs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqs").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Sqs {
    /// Creates the queues. `port` is the port of their URLs.
    pub(super) async fn start(port: u16) -> Self {
        let config = SqsConfig { host: "127.0.0.1".into(), port, ..SqsConfig::default() };
        let handler = RustackSqsHandler::new(std::sync::Arc::new(RustackSqs::new(config)));
        let started = Self { handler, port };
        let fifo = trunkline_registry::PLATFORMS.ids().into_iter();
        let fifo = fifo.flat_map(|id| ["outbound", "dead"].map(|kind| format!("{id}-{kind}.fifo")));
        for name in fifo.chain([TASKS.to_owned(), LISTEN.to_owned()]) {
            let mut attributes = json!({"VisibilityTimeout": "45"});
            if ![TASKS, LISTEN].contains(&name.as_str()) {
                attributes["FifoQueue"] = json!("true");
            }
            started
                .call(
                    SqsOperation::CreateQueue,
                    &json!({"QueueName": name, "Attributes": attributes}),
                )
                .await;
        }
        started
    }

    /// Returns the URL of a queue.
    pub fn url(&self, queue: &str) -> String {
        format!("http://127.0.0.1:{}/000000000000/{queue}", self.port)
    }

    /// Receives up to ten messages, waiting up to a second.
    pub async fn receive(&self, queue: &str) -> Vec<Value> {
        let request = json!({
            "QueueUrl": self.url(queue), "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1,
            "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        let response = self.call(SqsOperation::ReceiveMessage, &request).await;
        response["Messages"].as_array().cloned().unwrap_or_default()
    }

    /// Deletes processed messages.
    pub async fn delete(&self, queue: &str, receipts: &[String]) {
        let entries: Vec<Value> = receipts
            .iter()
            .enumerate()
            .map(|(id, receipt)| json!({"Id": id.to_string(), "ReceiptHandle": receipt}))
            .collect();
        let request = json!({"QueueUrl": self.url(queue), "Entries": entries});
        self.call(SqsOperation::DeleteMessageBatch, &request).await;
    }

    async fn call(&self, operation: SqsOperation, request: &Value) -> Value {
        let body = request.to_string().into_bytes().into();
        let answer = self.handler.handle_operation(operation, body).await;
        let body = answer.unwrap().into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// Handles a call of the SDK.
    pub(super) async fn answer(&self, operation: &str, body: Bytes) -> Response {
        let Some(operation) = SqsOperation::from_name(operation) else {
            return (http::StatusCode::BAD_REQUEST, "unknown operation").into_response();
        };
        let answer = self.handler.handle_operation(operation, body).await;
        let answer = answer.unwrap_or_else(|error| error_to_response(&error, "bench"));
        let (mut parts, body) = answer.into_parts();
        parts.headers.insert("content-type", "application/x-amz-json-1.0".parse().unwrap());
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(parts, axum::body::Body::from(body))
    }
}
