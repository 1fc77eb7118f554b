//! AWS as far as the functions call it, inside this process: one endpoint that counts every call.

mod counts;
mod dynamodb;
mod sqs;
mod ssm;
mod template;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

pub use counts::{Call, Counts};
pub use sqs::{OUTBOUND, Sqs, WAKE};

use dynamodb::DynamoDb;
use ssm::Ssm;

/// The table's name.
pub const TABLE: &str = "trunkline";
/// What the names of the secrets' parameters begin with.
pub const SECRETS: &str = "/trunkline/bench/secrets/";

/// AWS.
#[derive(Debug)]
pub struct Aws {
    /// Where the SDKs find it.
    pub endpoint: String,
    /// The queues.
    pub sqs: Sqs,
    /// What was called.
    pub counts: Counts,
    dynamodb: DynamoDb,
    ssm: Ssm,
}

impl Aws {
    /// With the table and the queues of `template.yaml`.
    pub async fn start(template: &str) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let aws = Arc::new(Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            sqs: Sqs::start(port).await,
            counts: Counts::default(),
            dynamodb: DynamoDb::start(&template::table(template)).await,
            ssm: Ssm::default(),
        });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&aws));
        tokio::spawn(async move { axum::serve(listener, app).await });
        aws
    }
}

async fn answer(State(aws): State<Arc<Aws>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let Some((service, operation)) = target.and_then(|target| target.split_once('.')) else {
        return (StatusCode::BAD_REQUEST, "no operation").into_response();
    };
    let size = body.len();
    let name = format!("{} {operation}", caller(&headers));
    match service {
        "DynamoDB_20120810" => {
            let (response, units) = aws.dynamodb.call(operation, &body).await;
            aws.counts.add(&name, Call { count: 1, bytes: size as u64, ..units });
            response
        }
        "AmazonSQS" => {
            aws.counts.add(&name, Call::of(size));
            aws.sqs.answer(operation, body).await
        }
        _ => {
            aws.counts.add(&name, Call::of(size));
            aws.ssm.call(operation, &body)
        }
    }
}

/// Whose credentials a call has: each function's are called like it.
fn caller(headers: &HeaderMap) -> &str {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok());
    let credential = signed.and_then(|value| value.split_once("Credential="));
    let name = credential.and_then(|(_, rest)| rest.split('/').next());
    name.unwrap_or("nobody")
}
