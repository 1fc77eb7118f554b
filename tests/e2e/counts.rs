//! What a message costs, counted between the functions and AWS.

use std::collections::BTreeMap;

use serde_json::json;
use trunkline_tests::{Scene, World};

pub async fn an_ordinary_message_costs_two_reads_two_writes_and_one_send(world: &World) {
    let scene = Scene::usual(world, "counted").await;
    // A first exchange fills what a warm process remembers and opens both legs.
    scene.customer_writes("wx-1", "m-0", "hello").await;
    let conversation = scene.far.hears("/bot", 1).await[0].json()["conversation"].clone();
    let conversation = conversation.as_str().unwrap();
    let says = || json!({"type": "message", "data": {"text": "x"}});
    assert_eq!(scene.sends("bot", "b-0", conversation, says()).await.0, 200);
    scene.far.hears_only("/webex", 1).await;

    for (direction, messages) in [("in", 5), ("out", 5)] {
        let before = world.tap.counts("counted-");
        for i in 0..messages {
            if direction == "in" {
                scene.customer_writes("wx-1", &format!("m-{}", i + 1), "again").await;
                scene.far.hears("/bot", i + 2).await;
            } else {
                let (status, _) =
                    scene.sends("bot", &format!("b-{}", i + 1), conversation, says()).await;
                assert_eq!(status, 200);
                scene.far.hears("/webex", i + 2).await;
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let after = world.tap.counts("counted-");
        let mut spent: BTreeMap<&str, usize> = BTreeMap::new();
        for (operation, count) in &after {
            let count = count - before.get(operation).copied().unwrap_or_default();
            if count > 0 {
                spent.insert(operation, count);
            }
        }
        println!("{direction}: {messages} messages cost {spent:?}");
        // These come with a fresh process, and every half minute.
        spent.remove("GetItem of what is remembered");
        spent.remove("GetParameter");
        // At most once in ten seconds.
        spent.remove("UpdateItem of rates");
        // The outbound function reads its leg; and in the same call the breaker, once a second.
        let with_breaker = spent.remove("BatchGetItem").unwrap_or_default();
        assert!(with_breaker <= messages);
        *spent.entry("GetItem").or_default() += with_breaker;
        let expected = [
            ("GetItem", 2 * messages),
            ("PutItem", messages),
            ("SendMessage", messages),
            ("UpdateItem", messages),
        ];
        assert_eq!(
            spent,
            BTreeMap::from(expected),
            "2 reads, 2 writes and 1 send, and no other call"
        );
    }
}
