//! Parameter Store emulation for reading and writing secrets.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(super) struct Ssm(Mutex<HashMap<String, (String, i64)>>);

impl Ssm {
    pub(super) fn call(&self, operation: &str, body: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(body).unwrap();
        let name = request["Name"].as_str().unwrap_or_default();
        let mut known = self.0.lock().unwrap();
        if operation == "PutParameter" {
            let version = known.get(name).map_or(1, |(_, version)| version + 1);
            let value = request["Value"].as_str().unwrap_or_default().to_owned();
            known.insert(name.to_owned(), (value, version));
            return Json(json!({"Version": version, "Tier": "Standard"})).into_response();
        }
        match known.get(name) {
            Some((value, version)) => Json(json!({
                "Parameter": {"Name": name, "Value": value, "Version": version, "Type": "SecureString"},
            }))
            .into_response(),
            None => {
                (StatusCode::BAD_REQUEST, Json(json!({"__type": "ParameterNotFound"}))).into_response()
            }
        }
    }
}
