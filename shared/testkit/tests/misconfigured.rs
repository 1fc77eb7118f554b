//! Settings that this version of Trunkline cannot use, for example after a rollback: work is refused, and no
//! setting silently has its default.

use serde_json::json;
use trunkline_core::model::Verdict;
use trunkline_runtime::operator::Selection;
use trunkline_testkit::{TestStack, message};

/// Sets the colours of a connection: 1 to 7 are valid.
async fn set_colours(stack: &TestStack, connection: &str, colours: serde_json::Value) {
    let role = stack.connection(connection).role;
    let change = |changed: &mut trunkline_core::model::Connection| {
        changed.settings.insert("colours".into(), colours);
    };
    stack.connect(connection, role, change).await;
}

#[tokio::test(start_paused = true)]
async fn inbound_call_gets_503_until_the_settings_are_valid() {
    let stack = TestStack::with_bot().await;
    for invalid in [json!(8), json!("many"), json!({"of": "them"})] {
        set_colours(&stack, "channel", invalid).await;
        let answer = stack.try_send("channel", "c-1", "m-1", message("hi")).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(stack.toy.heard("bot").is_empty());
    }
    set_colours(&stack, "channel", json!(7)).await;
    let answer = stack.try_send("channel", "c-1", "m-1", message("hi")).await;
    assert!(answer.is_success(), "{answer:?}");
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
}

#[tokio::test(start_paused = true)]
async fn unknown_setting_is_refused_like_an_invalid_one() {
    let stack = TestStack::with_bot().await;
    let role = stack.connection("channel").role;
    let change = |channel: &mut trunkline_core::model::Connection| {
        channel.settings.insert("setting_of_a_later_release".into(), json!(true));
    };
    stack.connect("channel", role, change).await;
    let answer = stack.try_send("channel", "c-1", "m-1", message("hi")).await;
    assert_eq!(answer.status, 503, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn delivery_fails_visibly_with_the_setting_named_and_can_be_replayed() {
    let stack = TestStack::with_bot().await;
    set_colours(&stack, "bot", json!("many")).await;
    stack.send("channel", "c-1", "m-1", message("hi")).await;
    assert!(stack.toy.calls("bot").is_empty(), "nothing is sent with default settings");
    let failed = stack.failed("bot").await;
    assert_eq!(failed.len(), 1);
    let outcome = stack.outcome("channel", "c-1", "hi", "bot").await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Permanent);
    let reason = outcome.reason.unwrap_or_default();
    assert!(reason.contains("'colours'") && reason.contains("1 to 7"), "{reason}");

    let health = stack.verify("bot").await;
    assert!(health.problem.is_some_and(|problem| problem.contains("'colours'")));

    set_colours(&stack, "bot", json!(2)).await;
    stack.app.operator_actions().replay(&Selection::default()).await.unwrap();
    stack.run_until_idle().await;
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
}
