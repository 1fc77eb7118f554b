//! `DynamoDB` in memory.

use dynoxide::Database;
use dynoxide::errors::DynoxideError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{AwsRequest, AwsResponse, AwsService, json_error, json_operation, json_response};

/// Prefix of the `X-Amz-Target` header.
const TARGET: &str = "DynamoDB_20120810";

/// `DynamoDB` in memory, with one table.
pub struct DynamoDb(Database);

impl std::fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoDb")
    }
}

/// The capacity units that AWS would bill for a call.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CapacityUnits {
    /// Read request units.
    pub read: f64,
    /// Write request units.
    pub write: f64,
}

impl DynamoDb {
    /// Creates the table of a `CreateTable` request.
    pub fn with_table(table: &Value) -> Self {
        let created = Self(Database::memory().unwrap());
        let answer = created.run("CreateTable", table.to_string().as_bytes());
        assert_eq!(answer.status(), 200, "{}", String::from_utf8_lossy(answer.body()));
        created
    }

    /// Performs an operation. `body` is its JSON.
    pub fn run(&self, operation: &str, body: &[u8]) -> AwsResponse {
        match self.perform(operation, body) {
            Ok(body) => json_response(200, body),
            Err(error) => json_response(error.status_code(), error.to_json()),
        }
    }

    /// Performs an operation and returns also what AWS would bill for it.
    pub fn run_metered(&self, operation: &str, body: &[u8]) -> (AwsResponse, CapacityUnits) {
        let mut request: Value = serde_json::from_slice(body).unwrap_or_default();
        request["ReturnConsumedCapacity"] = "TOTAL".into();
        let answer = self.run(operation, request.to_string().as_bytes());
        let units = capacity_units(operation, &serde_json::from_slice(answer.body()).unwrap());
        (answer, units)
    }

    fn perform(&self, operation: &str, body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
        let database = &self.0;
        Ok(match operation {
            "CreateTable" => json(&database.create_table(request(body)?)?),
            "GetItem" => json(&database.get_item(request(body)?)?),
            "PutItem" => json(&database.put_item(request(body)?)?),
            "UpdateItem" => json(&database.update_item(request(body)?)?),
            "DeleteItem" => json(&database.delete_item(request(body)?)?),
            "Query" => json(&database.query(request(body)?)?),
            "Scan" => json(&database.scan(request(body)?)?),
            "BatchGetItem" => json(&database.batch_get_item(request(body)?)?),
            "BatchWriteItem" => json(&database.batch_write_item(request(body)?)?),
            "TransactWriteItems" => json(&database.transact_write_items(request(body)?)?),
            "BatchExecuteStatement" => json(&database.batch_execute_statement(request(body)?)?),
            "TransactGetItems" => json(&database.transact_get_items(request(body)?)?),
            other => panic!("the emulated DynamoDB has no operation {other}"),
        })
    }
}

fn request<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    let invalid = |error: serde_json::Error| DynoxideError::ValidationException(error.to_string());
    serde_json::from_slice(body).map_err(invalid)
}

fn json(output: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(output).unwrap()
}

fn capacity_units(operation: &str, response: &Value) -> CapacityUnits {
    let consumed = &response["ConsumedCapacity"];
    let each: Vec<&Value> = match consumed {
        Value::Array(each) => each.iter().collect(),
        one => vec![one],
    };
    let total: f64 = each.iter().filter_map(|one| one["CapacityUnits"].as_f64()).sum();
    let reads = ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"];
    let (read, write) = if reads.contains(&operation) { (total, 0.0) } else { (0.0, total) };
    CapacityUnits { read, write }
}

impl AwsService for DynamoDb {
    fn name(&self) -> &'static str {
        "dynamodb"
    }

    fn operation(&self, request: &AwsRequest) -> Option<String> {
        json_operation(TARGET, request)
    }

    fn call(&self, operation: &str, request: &AwsRequest) -> AwsResponse {
        self.run(operation, request.body())
    }

    fn throttled(&self) -> AwsResponse {
        let code = "com.amazonaws.dynamodb.v20120810#ThrottlingException";
        json_error(400, code, "Throughput exceeds the current capacity of your table or index.")
    }

    fn failed(&self) -> AwsResponse {
        let code = "com.amazonaws.dynamodb.v20120810#InternalServerError";
        json_error(500, code, "An error occurred on the server side.")
    }
}
