//! `DynamoDB` emulation that reports the capacity units of each call.

use axum::response::{IntoResponse, Response};
use dynoxide::Database;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::counts::CallStats;

#[derive(Debug)]
pub(super) struct DynamoDb {
    address: String,
    client: reqwest::Client,
}

impl DynamoDb {
    /// Starts it and creates the table.
    pub(super) async fn start(table: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, Database::memory().unwrap()));
        let started = Self { address, client: crate::client() };
        let (answer, _) = started.call("CreateTable", table.to_string().as_bytes()).await;
        assert_eq!(answer.status(), StatusCode::OK, "CreateTable failed: {answer:?}");
        started
    }

    /// Forwards a call. Returns the response and its capacity units.
    pub(super) async fn call(&self, operation: &str, body: &[u8]) -> (Response, CallStats) {
        let mut request: Value = serde_json::from_slice(body).unwrap();
        if operation != "CreateTable" {
            request["ReturnConsumedCapacity"] = json!("TOTAL");
        }
        let call = self.client.post(&self.address).body(request.to_string());
        let call = call
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a")
            .header("x-amz-date", "20260101T000000Z");
        let answer = call.send().await.unwrap();
        let status = answer.status();
        let text = answer.bytes().await.unwrap();
        let response: Value = serde_json::from_slice(&text).unwrap_or_default();
        let units = units(operation, &response);
        let headers = [("content-type", "application/x-amz-json-1.0")];
        ((status, headers, text).into_response(), units)
    }
}

/// Returns the capacity units of a response.
fn units(operation: &str, response: &Value) -> CallStats {
    let consumed = &response["ConsumedCapacity"];
    let each: Vec<&Value> = match consumed {
        Value::Array(each) => each.iter().collect(),
        one => vec![one],
    };
    let total: f64 = each.iter().filter_map(|one| one["CapacityUnits"].as_f64()).sum();
    let reads = ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"];
    let (read_units, write_units) =
        if reads.contains(&operation) { (total, 0.0) } else { (0.0, total) };
    CallStats { read_units, write_units, ..CallStats::default() }
}
