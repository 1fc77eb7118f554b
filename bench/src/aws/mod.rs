//! An in-process emulation of the AWS services that the functions call. One endpoint counts every call.

mod counts;
mod sqs;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use trunkline_testkit::aws::{AwsResponse, DynamoDb, Ssm};

pub use counts::{CallStats, Counts};
pub use sqs::{OUTBOUND, Sqs, TASKS};

/// The name of the table.
pub const TABLE: &str = "trunkline";
/// The prefix of the SSM parameters that contain secrets.
pub const SECRETS: &str = "/trunkline/bench/secrets/";

/// The emulated services.
#[derive(Debug)]
pub struct Aws {
    /// The endpoint URL for the SDKs.
    pub endpoint: String,
    pub sqs: Sqs,
    pub counts: Counts,
    dynamodb: DynamoDb,
    ssm: Ssm,
}

impl Aws {
    /// Starts the services with the table of a `CreateTable` request and the queues of `template.yaml`.
    pub async fn start(table: &Value) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let aws = Arc::new(Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            sqs: Sqs::start(port).await,
            counts: Counts::default(),
            dynamodb: DynamoDb::with_table(table),
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
            let (response, units) = aws.dynamodb.run_metered(operation, &body);
            let (read_units, write_units) = (units.read, units.write);
            aws.counts.add(&name, CallStats { read_units, write_units, ..CallStats::of(size) });
            to_axum(response)
        }
        "AmazonSQS" => {
            aws.counts.add(&name, CallStats::of(size));
            aws.sqs.answer(operation, body).await
        }
        _ => {
            aws.counts.add(&name, CallStats::of(size));
            to_axum(aws.ssm.run(operation, &body))
        }
    }
}

fn to_axum(response: AwsResponse) -> Response {
    response.map(axum::body::Body::from)
}

/// Returns the function that made a call: its access key id is its name.
fn caller(headers: &HeaderMap) -> &str {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok());
    let credential = signed.and_then(|value| value.split_once("Credential="));
    let name = credential.and_then(|(_, rest)| rest.split('/').next());
    name.unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trunkline_testkit::aws::table_definition;

    use super::*;

    #[test]
    fn statements_of_a_batch_fail_and_are_billed_one_by_one() {
        let table = table_definition(include_str!("../../../template.yaml"), TABLE);
        let dynamodb = DynamoDb::with_table(&table);
        let item = json!({"pk": {"S": "p"}, "sk": {"S": "s"}, "outcomes": {"M": {}}});
        dynamodb.run("PutItem", json!({"TableName": TABLE, "Item": item}).to_string().as_bytes());
        let statement = |sk: &str| {
            let text = r#"UPDATE "trunkline" SET outcomes."status"=? WHERE pk=? AND sk=?"#;
            json!({"Statement": text, "Parameters": [{"S": "delivered"}, {"S": "p"}, {"S": sk}]})
        };
        let request = json!({"Statements": [statement("s"), statement("none")]});
        let (answer, units) =
            dynamodb.run_metered("BatchExecuteStatement", request.to_string().as_bytes());
        let answer: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(answer["Responses"][0]["Error"], Value::Null, "{answer}");
        assert_eq!(answer["Responses"][1]["Error"]["Code"], "ConditionalCheckFailed", "{answer}");
        assert!(units.read < 0.5 && units.write > 1.5, "{units:?}");
    }
}
