//! The API, the documentation and the console are what they claim: generated API calls, every documented command,
//! and every page with real data. These tests act on the whole stack or take a minute, and run in `make
//! documents`.

use futures_util::future::join_all;
use tokio::process::Command;
use trunkline_core::model::AccessLevel;
use trunkline_tests::{Fixture, TestEnvironment};

use crate::api::Caller;

// Also for the lines that the generated calls cause.
pub use crate::attack_leaks::every_log_line_is_one_json_object;
pub use crate::browser::pages_are_accessible;

/// Answers to invalid input. 412 is one: the version is compared before the body is validated.
const SCHEMATHESIS: &str = "[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 415, 422, 428, 429]
";

/// The operations in parts of similar size, by the beginning of their paths. The last part has all others,
/// except `/session`, because signing out would revoke the token of this run.
const PARTS: [[&str; 2]; 4] = [
    ["--include-path-regex", "^/connections"],
    ["--include-path-regex", "^/(routes|tokens)"],
    ["--include-path-regex", "^/conversations"],
    ["--exclude-path-regex", "^/(connections|routes|tokens|conversations|session)"],
];

/// Schemathesis calls every operation with valid and invalid input that it generates from the OpenAPI
/// document.
pub async fn api_matches_its_openapi_document(env: &TestEnvironment) {
    Fixture::with_desk(env, "described", "").await;
    let admin = Caller::with(env, AccessLevel::Admin).await;
    let folder = env.project.join(".local/test");
    let document = admin.gets("/openapi.json").await;
    std::fs::write(folder.join("openapi.json"), document.to_string()).unwrap();
    std::fs::write(folder.join("schemathesis.toml"), SCHEMATHESIS).unwrap();
    let host = env.stack().info.api.trim_start_matches("http://").to_owned();
    // Processes instead of workers: Python 3.11 parses source in threads wrongly ("AST constructor recursion
    // depth mismatch").
    let runs = PARTS.map(|part| {
        Command::new(env.project.join(".tools/api/bin/schemathesis"))
            .args(["run", "openapi.json", "--workers", "1"])
            .args(["--url", &format!("http://127.0.0.1:{}/api/v1", env.port())])
            .args(["--header", &format!("Host: {host}")])
            .args(["--header", &format!("Authorization: Bearer {}", admin.token)])
            .args(["--checks", "all", "--phases", "examples,coverage,fuzzing"])
            // OpenAPI cannot describe the content of a cursor or dependencies between settings.
            .args(["--exclude-checks", "positive_data_acceptance"])
            .args(["--max-examples", "10", "--seed", "1", "--no-color"])
            .args(["--suppress-health-check", "all"])
            .args(part)
            .current_dir(&folder)
            .output()
    });
    for (number, output) in join_all(runs).await.into_iter().enumerate() {
        env.successful_output(&format!("schemathesis-{number}"), &output.unwrap());
    }
}

pub async fn every_documented_command_runs(env: &TestEnvironment) {
    let python = env.project.join(".tools/test/bin/python3");
    let script = env.project.join("tests/docs.py");
    let endpoint = format!("http://127.0.0.1:{}", env.port());
    let output = Command::new(python)
        .arg(script)
        .args([&endpoint, &env.stack().info.api])
        .output()
        .await
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{stdout}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{errors}");
}
