//! A restored table brings lost data back.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_tests::{Behaviour, Fixture, TestEnvironment};

use crate::parked::waits_for;

/// The table that DynamoDB would restore.
const RESTORED: &str = "e2e-restored";

/// Calls the table service of the local AWS.
async fn dynamodb(env: &TestEnvironment, operation: &str, request: &Value) -> Value {
    let call = env
        .aws_request(http::Method::POST, "dynamodb", "/")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .body(request.to_string());
    let answer = call.send().await.unwrap();
    let (status, body) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{operation}: {body}");
    serde_json::from_str(&body).unwrap()
}

async fn all_items(env: &TestEnvironment, table: &str) -> Vec<Value> {
    let mut request = json!({"TableName": table});
    let mut items = Vec::new();
    loop {
        let mut page = dynamodb(env, "Scan", &request).await;
        items.append(page["Items"].as_array_mut().unwrap());
        if page["LastEvaluatedKey"].is_null() {
            return items;
        }
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"].take();
    }
}

/// Creates a table with what the stack's table has about a fixture, as a restore would.
async fn create_restored_table(env: &TestEnvironment, name: &str) -> usize {
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let table = json!({"TableName": RESTORED, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "AttributeDefinitions": [text("pk"), text("sk")]});
    dynamodb(env, "CreateTable", &table).await;
    let mut items = all_items(env, &env.stack().info.table).await;
    // The marker of a parked delivery names neither its customer nor its connection.
    let about = format!("{name}-");
    let named: HashSet<String> = items
        .iter()
        .filter(|item| item.to_string().contains(&about))
        .map(|item| item["pk"]["S"].to_string())
        .collect();
    let shared =
        |pk: &str| ["\"CONNECTIONS\"", "\"ROUTES\"", "\"WAITING\"", "\"TOKENS\""].contains(&pk);
    items.retain(|item| {
        let pk = item["pk"]["S"].to_string();
        named.contains(&pk) && (!shared(&pk) || item.to_string().contains(&about))
    });
    for item in &items {
        dynamodb(env, "PutItem", &json!({"TableName": RESTORED, "Item": item})).await;
    }
    items.len()
}

async fn exported(env: &TestEnvironment, channel: &str) -> Vec<Value> {
    let output = env.trunkline(&["customer", "export", channel, "lost"], &[]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn restore(env: &TestEnvironment, arguments: &[&str]) -> (bool, String) {
    let output = env.trunkline(&[&["restore"][..], arguments].concat(), &[]).await;
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (output.status.success(), text)
}

pub async fn restored_table_brings_lost_conversation_back(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "restored", "").await;
    fixture.mock.set_behaviour_for("waits", Behaviour::down());
    fixture.send_channel_message("lost", "m-1", "Where is my parcel?").await;
    fixture.mock.wait_for_accepted("/bot", 1, Duration::from_secs(30)).await;
    fixture.send_channel_message("lost", "m-2", "this waits").await;
    waits_for(env, "restored-bot", 1).await;
    let kinds = |pieces: &[Value]| -> Vec<String> {
        pieces.iter().map(|piece| piece["kind"].as_str().unwrap().to_owned()).collect()
    };
    let before = kinds(&exported(env, "restored-channel").await);
    assert!(before.contains(&"parked".to_owned()), "{before:?}");

    let count = create_restored_table(env, "restored").await;
    assert!(count > 8, "{count} items");
    let deleted =
        env.trunkline(&["customer", "delete", "restored-channel", "lost", "--yes"], &[]).await;
    assert!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
    waits_for(env, "restored-bot", 0).await;

    let (_, dry) = restore(env, &["--from", RESTORED, "--dry-run"]).await;
    assert!(dry.contains("TO WRITE") && dry.contains("Nothing was written"), "{dry}");
    waits_for(env, "restored-bot", 0).await;
    let (done, said) = restore(env, &["--from", RESTORED]).await;
    assert!(done && said.contains("The copy is complete"), "{said}");
    assert_eq!(kinds(&exported(env, "restored-channel").await), before);
    assert!(!env.project.join(format!(".trunkline-restore-{RESTORED}.json")).exists());

    fixture.mock.clear_behaviour_for_words();
    let replay = ["replay", "--connection", "restored-bot", "--since", "1h"];
    let replayed = env.trunkline(&replay, &[]).await;
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    let taken = fixture.mock.wait_for_accepted("/bot", 2, Duration::from_mins(1)).await;
    assert_eq!(taken[1].text(), "this waits");
    waits_for(env, "restored-bot", 0).await;

    let own = env.stack().info.table.clone();
    for (from, expected) in [
        (own.as_str(), "is the stack's own table"),
        ("e2e-nowhere", "there is no table 'e2e-nowhere'"),
    ] {
        let (done, said) = restore(env, &["--from", from]).await;
        assert!(!done && said.contains(expected), "{said}");
    }
    dynamodb(env, "DeleteTable", &json!({"TableName": RESTORED})).await;
}
