//! Export and deletion of a customer's data.

use serde_json::Value;
use trunkline_core::model::EventRecord;
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_tests::{Behaviour, Fixture, TestEnvironment};

/// Returns the items that `trunkline customer export` prints.
async fn exported(env: &TestEnvironment, channel: &str, customer: &str) -> Vec<Value> {
    let output = env.trunkline(&["customer", "export", channel, customer], &[]).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'a>(pieces: &'a [Value], kind: &str) -> Vec<&'a Value> {
    pieces.iter().filter(|piece| piece["kind"] == kind).map(|piece| &piece["data"]).collect()
}

pub async fn customer_data_is_exported_and_deleted(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "data", "").await;
    fixture.mock.set_behaviour_for("waits", Behaviour::down());
    fixture.send_channel_message("mine", "m-1", "Where is my parcel?").await;
    fixture.send_channel_message("mine", "m-2", "this waits").await;
    fixture.send_channel_message("another's", "a-1", "I am somebody else").await;
    fixture.wait_for_outcomes("channel", "another's").await;

    let mut pieces = Vec::new();
    for _ in 0..20 {
        pieces = exported(env, "data-channel", "mine").await;
        if !of_kind(&pieces, "parked").is_empty() {
            break;
        }
    }
    assert_eq!(of_kind(&pieces, "conversation").len(), 1);
    let events = of_kind(&pieces, "event");
    let text = |event: &Value| event["event"]["body"]["content"]["text"].to_string();
    let texts = events.iter().map(|event| text(event)).collect::<String>();
    assert!(texts.contains("Where is my parcel?") && texts.contains("this waits"), "{pieces:#?}");
    assert!(events.iter().any(|event| event["outcomes"]["data-bot"]["verdict"] == "delivered"));
    assert_eq!(of_kind(&pieces, "parked").len(), 1, "{pieces:#?}");
    assert!(of_kind(&pieces, "leg").iter().any(|leg| leg["connection"] == "data-bot"));
    let all = Value::from(pieces).to_string();
    assert!(!all.contains("somebody else") && !all.contains("whsec_"), "{all}");

    let refused = env.trunkline(&["customer", "delete", "data-channel", "mine"], &[]).await;
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("--yes"), "{why}");
    assert!(!exported(env, "data-channel", "mine").await.is_empty());
    let done = env.trunkline(&["customer", "delete", "data-channel", "mine", "--yes"], &[]).await;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // A delivery in progress may still write its outcome, which contains no message text.
    let left = Value::from(exported(env, "data-channel", "mine").await).to_string();
    assert!(!left.contains("parcel") && !left.contains("waits"), "{left}");
    let key = fixture.key_on("channel", "another's");
    let others: Vec<EventRecord> =
        env.stack().store.transcript(&key, 10, SystemClock.now()).await.unwrap();
    assert_eq!(others.len(), 1, "the other customer's data is unchanged");
}
