//! Parameter Store, for the secrets of connections.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::{AwsRequest, AwsResponse, AwsService, json_error, json_operation, json_response};

/// Parameter Store: `GetParameter` and `PutParameter` of the latest version.
#[derive(Debug, Default)]
pub struct Ssm(Mutex<HashMap<String, (String, i64)>>);

impl Ssm {
    /// Performs an operation. `body` is its JSON.
    pub fn run(&self, operation: &str, body: &[u8]) -> AwsResponse {
        let request: Value = serde_json::from_slice(body).unwrap();
        let name = request["Name"].as_str().unwrap_or_default();
        let mut known = self.0.lock().unwrap();
        if operation == "PutParameter" {
            let version = known.get(name).map_or(1, |(_, version)| version + 1);
            let value = request["Value"].as_str().unwrap_or_default().to_owned();
            known.insert(name.to_owned(), (value, version));
            let answer = json!({"Version": version, "Tier": "Standard"});
            return json_response(200, answer.to_string());
        }
        let Some((value, version)) = known.get(name) else {
            return json_error(400, "ParameterNotFound", "");
        };
        let parameter =
            json!({"Name": name, "Value": value, "Version": version, "Type": "SecureString"});
        json_response(200, json!({"Parameter": parameter}).to_string())
    }
}

impl AwsService for Ssm {
    fn name(&self) -> &'static str {
        "ssm"
    }

    fn operation(&self, request: &AwsRequest) -> Option<String> {
        json_operation("AmazonSSM", request)
    }

    fn call(&self, operation: &str, request: &AwsRequest) -> AwsResponse {
        self.run(operation, request.body())
    }

    fn throttled(&self) -> AwsResponse {
        json_error(400, "ThrottlingException", "Rate exceeded")
    }

    fn failed(&self) -> AwsResponse {
        json_error(500, "InternalServerError", "An error occurred on the server side.")
    }
}
