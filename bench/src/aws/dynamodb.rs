//! `DynamoDB`, which also says what each call costs.

use axum::response::{IntoResponse, Response};
use dynoxide::Database;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::counts::Call;

#[derive(Debug)]
pub(super) struct DynamoDb {
    address: String,
    client: reqwest::Client,
}

impl DynamoDb {
    /// With one table.
    pub(super) async fn start(table: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, Database::memory().unwrap()));
        let started = Self { address, client: crate::client() };
        let (answer, _) = started.call("CreateTable", table.to_string().as_bytes()).await;
        assert_eq!(
            answer.status(),
            StatusCode::OK,
            "the template's table is not taken: {answer:?}"
        );
        started
    }

    /// Passes a call on, and asks what it costs.
    pub(super) async fn call(&self, operation: &str, body: &[u8]) -> (Response, Call) {
        let mut asked: Value = serde_json::from_slice(body).unwrap();
        if operation != "CreateTable" {
            asked["ReturnConsumedCapacity"] = json!("TOTAL");
        }
        let call = self.client.post(&self.address).body(asked.to_string());
        let call = call
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a")
            .header("x-amz-date", "20260101T000000Z");
        let answer = call.send().await.unwrap();
        let status = answer.status();
        let text = answer.bytes().await.unwrap();
        let told: Value = serde_json::from_slice(&text).unwrap_or_default();
        let units = units(operation, &told);
        let headers = [("content-type", "application/x-amz-json-1.0")];
        ((status, headers, text).into_response(), units)
    }
}

/// The request units that an answer tells of.
fn units(operation: &str, told: &Value) -> Call {
    let consumed = &told["ConsumedCapacity"];
    let each: Vec<&Value> = match consumed {
        Value::Array(each) => each.iter().collect(),
        one => vec![one],
    };
    let total: f64 = each.iter().filter_map(|one| one["CapacityUnits"].as_f64()).sum();
    let reads = ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"];
    let (read_units, write_units) =
        if reads.contains(&operation) { (total, 0.0) } else { (0.0, total) };
    Call { read_units, write_units, ..Call::default() }
}
