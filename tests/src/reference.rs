//! The Standard Webhooks reference library and a JSON Schema validator, both in Python.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::mock_platform::ReceivedRequest;

/// Runs `tests/reference.py`, which uses the reference libraries.
#[derive(Debug, Clone)]
pub struct Reference {
    python: PathBuf,
    script: PathBuf,
}

impl Reference {
    /// Uses the Python environment that `make test` installs in `project`.
    pub fn new(project: &std::path::Path) -> Self {
        Self {
            python: project.join(".tools/test/bin/python"),
            script: project.join("tests/reference.py"),
        }
    }

    /// Returns whether the reference library accepts the signature of a request under `secret`.
    pub async fn verifies(&self, secret: &str, received: &ReceivedRequest) -> bool {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers: Value = names.iter().map(|name| (*name, received.header(name))).collect();
        let body = String::from_utf8(received.body.to_vec()).unwrap();
        let answer =
            self.ask(json!({"do": "verify", "secret": secret, "headers": headers, "body": body}));
        answer.await["good"] == true
    }

    /// Returns the headers with which the reference library signs a body.
    pub async fn sign(&self, secret: &str, id: &str, body: &str) -> Vec<(String, String)> {
        let answer =
            self.ask(json!({"do": "sign", "secret": secret, "id": id, "body": body})).await;
        let headers = answer["headers"].as_object().unwrap();
        headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().into())).collect()
    }

    /// Validates an event against the published schema. Returns the problem, or null.
    pub async fn schema_problem(&self, event: &Value) -> Value {
        self.ask(json!({"do": "validate", "event": event})).await["problem"].clone()
    }

    async fn ask(&self, question: Value) -> Value {
        let mut child = Command::new(&self.python)
            .arg(&self.script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("run `make test`, which installs the reference libraries");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(question.to_string().as_bytes()).await.unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
