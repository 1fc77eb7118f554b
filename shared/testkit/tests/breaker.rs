//! Breakers.

use jiff::SignedDuration;
use trunkline_testkit::{Reply, TestStack, message};

#[tokio::test(start_paused = true)]
async fn opens_after_five_failures() {
    let stack = TestStack::with_bot().await;
    stack.toy.always("bot", Reply::Status(503));
    for i in 0..5 {
        assert!(!stack.breaker("bot").await.is_open());
        stack.send("channel", &format!("c-{i}"), "m-0", message("hello")).await;
    }
    assert!(stack.breaker("bot").await.is_open());
    assert_eq!(stack.parked("bot").await.len(), 5);
    stack.toy.always("bot", Reply::Accept);
    stack.advance(SignedDuration::from_secs(10)).await;
    assert_eq!(stack.toy.heard("bot").len(), 5);
    let accounting = stack.accounting().await;
    assert_eq!((accounting.delivered, accounting.lost), (5, Vec::<String>::new()));
}
