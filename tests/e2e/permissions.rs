//! The policies of the functions, which the local AWS evaluates, and the requests that the functions make.

use std::path::Path;

use tokio::process::Command;
use trunkline_tests::{Fixture, TestEnvironment, webex_message};

/// What inbound functions may do with the table, as in `template.yaml`, and the same without one action.
const INBOUND_ACTIONS: &str =
    "[dynamodb:GetItem, dynamodb:PutItem, dynamodb:Query, dynamodb:UpdateItem]";
const WITHOUT_PUT_ITEM: &str = "[dynamodb:GetItem, dynamodb:Query, dynamodb:UpdateItem]";

/// Copies the project to a folder, with another template.
fn copy_with_template(project: &Path, folder: &Path, template: &str) {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("template.yaml"), template).unwrap();
    std::fs::copy(project.join("samconfig.toml"), folder.join("samconfig.toml")).unwrap();
    std::os::unix::fs::symlink(project.join("target"), folder.join("target")).unwrap();
}

/// Sends a message to a new stack of the template in `folder`. Returns the status.
async fn first_message(folder: &Path) -> u16 {
    let env = TestEnvironment::with_version(folder, "permissions").await;
    let fixture = Fixture::webex_and_bot(&env, "allowed").await;
    fixture.post("webex", webex_message("wx-1", "m-1", "hello"), &[]).await.0
}

pub async fn a_missing_action_of_a_policy_fails_the_first_message(env: &TestEnvironment) {
    let template = std::fs::read_to_string(env.project.join("template.yaml")).unwrap();
    assert_eq!(template.matches(INBOUND_ACTIONS).count(), 1);
    let folder = env.project.join("target/permissions");
    copy_with_template(&env.project, &folder, &template);
    assert_eq!(first_message(&folder).await, 200);
    let template = template.replace(INBOUND_ACTIONS, WITHOUT_PUT_ITEM);
    copy_with_template(&env.project, &folder, &template);
    assert_eq!(first_message(&folder).await, 503);
}

pub async fn no_function_was_denied_an_action(env: &TestEnvironment) {
    let log = env.log();
    let denied: Vec<_> =
        log.lines().filter(|line| line.contains("is not authorized to perform")).collect();
    assert!(denied.is_empty(), "{} calls, such as {}", denied.len(), denied[0]);
}

/// Judged by the service models of `botocore`.
pub async fn every_request_fits_the_service_models(env: &TestEnvironment) {
    let path = env.project.join(".local/test/requests.jsonl");
    env.fault_proxy.write_requests(&path);
    let program = env.project.join(".tools/sam/bin/python3");
    let check = Command::new(program)
        .arg(env.project.join("tools/check_requests.py"))
        .arg(&path)
        .output()
        .await
        .unwrap();
    let counts = env.successful_output("requests", &check);
    for operation in ["PutItem", "SendMessage", "TransactWriteItems", "GetParameter"] {
        assert!(counts.contains(operation), "no {operation} among the requests: {counts}");
    }
}
