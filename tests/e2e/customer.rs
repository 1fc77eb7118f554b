//! A customer's own data: given out, and removed.

use serde_json::Value;
use trunkline_shared::store::EventRecord;
use trunkline_tests::{Behaviour, Scene, World};

/// The pieces that `trunkline customer export` prints.
async fn exported(world: &World, channel: &str, customer: &str) -> Vec<Value> {
    let output = world.trunkline(&["customer", "export", channel, customer], &[]).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'a>(pieces: &'a [Value], kind: &str) -> Vec<&'a Value> {
    pieces.iter().filter(|piece| piece["kind"] == kind).map(|piece| &piece["kept"]).collect()
}

pub async fn a_customers_data_is_given_out_and_removed(world: &World) {
    let scene = Scene::of_three(world, "data", "").await;
    scene.far.poisoned_by("waits", Behaviour::down());
    scene.writes("mine", "m-1", "Where is my parcel?").await;
    scene.writes("mine", "m-2", "this waits").await;
    scene.writes("another's", "a-1", "I am somebody else").await;
    scene.settled("channel", "another's").await;

    let mut pieces = Vec::new();
    for _ in 0..20 {
        pieces = exported(world, "data-channel", "mine").await;
        if !of_kind(&pieces, "parked").is_empty() {
            break;
        }
    }
    assert_eq!(of_kind(&pieces, "conversation").len(), 1);
    let events = of_kind(&pieces, "event");
    let text = |event: &Value| event["event"]["body"]["content"]["text"].to_string();
    let said = events.iter().map(|event| text(event)).collect::<String>();
    assert!(said.contains("Where is my parcel?") && said.contains("this waits"), "{pieces:#?}");
    assert!(events.iter().any(|event| event["outcomes"]["data-bot"]["verdict"] == "delivered"));
    assert_eq!(of_kind(&pieces, "parked").len(), 1, "{pieces:#?}");
    assert!(of_kind(&pieces, "leg").iter().any(|leg| leg["connection"] == "data-bot"));
    let all = Value::from(pieces).to_string();
    assert!(!all.contains("somebody else") && !all.contains("whsec_"), "{all}");

    let refused = world.trunkline(&["customer", "delete", "data-channel", "mine"], &[]).await;
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("--yes"), "{why}");
    assert!(!exported(world, "data-channel", "mine").await.is_empty());
    let done = world.trunkline(&["customer", "delete", "data-channel", "mine", "--yes"], &[]).await;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // What was being tried just then may write its outcome once more; nothing of the text is in that.
    let left = Value::from(exported(world, "data-channel", "mine").await).to_string();
    assert!(!left.contains("parcel") && !left.contains("waits"), "{left}");
    let key = scene.key_on("channel", "another's");
    let others: Vec<EventRecord> = world.stack().store.transcript(&key, 10).await.unwrap();
    assert_eq!(others.len(), 1, "the others' is untouched");
}
