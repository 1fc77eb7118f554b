//! The number of AWS requests per message, counted by the fault proxy.

use std::collections::BTreeMap;

use serde_json::json;
use trunkline_tests::{Fixture, TestEnvironment};

pub async fn message_costs_two_reads_two_or_three_writes_and_one_send(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "counted").await;
    // The first exchange fills the caches of the functions and opens both legs.
    fixture.send_webex_message("wx-1", "m-0", "hello").await;
    let conversation =
        fixture.mock.wait_for_requests("/bot", 1).await[0].json()["conversation"].clone();
    let conversation = conversation.as_str().unwrap();
    let message_event = || json!({"type": "message", "data": {"text": "x"}});
    assert_eq!(fixture.send_event("bot", "b-0", conversation, message_event()).await.0, 200);
    fixture.mock.expect_requests("/webex", 1).await;

    for (direction, messages) in [("in", 5), ("out", 5)] {
        let before = env.fault_proxy.counts("counted-");
        for i in 0..messages {
            if direction == "in" {
                fixture.send_webex_message("wx-1", &format!("m-{}", i + 1), "again").await;
                fixture.mock.wait_for_requests("/bot", i + 2).await;
            } else {
                let (status, _) = fixture
                    .send_event("bot", &format!("b-{}", i + 1), conversation, message_event())
                    .await;
                assert_eq!(status, 200);
                fixture.mock.wait_for_requests("/webex", i + 2).await;
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let after = env.fault_proxy.counts("counted-");
        let mut spent: BTreeMap<&str, usize> = BTreeMap::new();
        for (operation, count) in &after {
            let count = count - before.get(operation).copied().unwrap_or_default();
            if count > 0 {
                spent.insert(operation, count);
            }
        }
        println!("{direction}: {messages} messages cost {spent:?}");
        // Sent at the start of a process and every 30 seconds.
        spent.remove("GetItem of cached items");
        spent.remove("GetParameter");
        // At most once in ten seconds.
        spent.remove("UpdateItem of rates");
        // The outbound function reads its leg, and every five seconds the breaker in the same request.
        let with_breaker = spent.remove("BatchGetItem").unwrap_or_default();
        assert!(with_breaker <= messages);
        *spent.entry("GetItem").or_default() += with_breaker;
        // A message of Webex Connect is claimed before it is written, because Webex Connect documents no timestamp
        // that it repeats. A webhook's is only written.
        let puts = if direction == "in" { 2 * messages } else { messages };
        let expected = [
            ("GetItem", 2 * messages),
            ("PutItem", puts),
            ("SendMessage", messages),
            ("UpdateItem", messages),
        ];
        assert_eq!(
            spent,
            BTreeMap::from(expected),
            "2 reads, 2 or 3 writes, 1 send and no other request"
        );
    }
}
