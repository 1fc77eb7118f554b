//! Deliveries to a connection that an operator deletes while they wait: they fail with a reason, and none is lost.

use jiff::SignedDuration;
use trunkline_core::model::{ConnectionId, DeliveryPolicy, Role, ScheduledTask};
use trunkline_runtime::app::Clock;
use trunkline_runtime::schedule::schedule;
use trunkline_testkit::{Reply, TestStack, message};

/// How long a process uses a connection from its cache.
const CACHED: SignedDuration = SignedDuration::from_secs(31);

/// A stack whose bot refuses messages, with two of them parked and its breaker open.
async fn with_parked() -> TestStack {
    let stack = TestStack::with_bot().await;
    let delivery =
        DeliveryPolicy { retry: vec![3_600; 9], breaker_after: 1, ..DeliveryPolicy::default() };
    stack.connect("bot", Role::Bot, |bot| bot.delivery = delivery).await;
    stack.toy.always("bot", Reply::Status(503));
    for (customer, id) in [("c-1", "m-1"), ("c-1", "m-2"), ("c-2", "m-3")] {
        stack.send("channel", customer, id, message(id)).await;
    }
    assert_eq!(stack.parked("bot").await.len(), 3);
    stack
}

async fn delete_bot(stack: &TestStack) -> ConnectionId {
    let bot = stack.app.store.connection(&"bot".parse().unwrap()).await.unwrap().unwrap();
    stack.app.store.delete_connection(&bot.id, bot.version).await.unwrap();
    bot.id
}

#[tokio::test(start_paused = true)]
async fn parked_deliveries_of_a_deleted_connection_fail_with_the_reason() {
    let stack = with_parked().await;
    let platform = stack.connection("bot").platform;
    let connection = delete_bot(&stack).await;
    stack.advance(CACHED).await;
    let (at, after_group) = (Some(stack.clock.now()), None);
    let task = ScheduledTask::ReleaseParked { platform, connection, at, after_group };
    schedule(&stack.app, &task).await.unwrap();
    stack.advance(SignedDuration::from_secs(2)).await;
    let failed = stack.failed("bot").await;
    assert_eq!((failed.len(), stack.parked("bot").await.len()), (3, 0));
    for failed in failed {
        assert!(failed.reason.contains("no longer configured"), "{}", failed.reason);
    }
    let accounting = stack.accounting().await;
    assert_eq!((accounting.failed, accounting.lost.len()), (3, 0), "{accounting:?}");
}

#[tokio::test(start_paused = true)]
async fn failed_deliveries_are_replayed_once_the_connection_exists_again() {
    let stack = with_parked().await;
    let platform = stack.connection("bot").platform;
    let connection = delete_bot(&stack).await;
    stack.advance(CACHED).await;
    let task = ScheduledTask::ReleaseParked { platform, connection, at: None, after_group: None };
    schedule(&stack.app, &task).await.unwrap();
    stack.advance(SignedDuration::from_secs(2)).await;
    stack.toy.always("bot", None);
    stack.connect("bot", Role::Bot, |bot| bot.version = 1).await;
    let selection = trunkline_runtime::operator::Selection {
        connection: Some("bot".parse().unwrap()),
        ..Default::default()
    };
    stack.app.operator_actions().replay(&selection).await.unwrap();
    stack.run_until_idle().await;
    assert!(stack.failed("bot").await.is_empty());
    let mut heard = stack.toy.heard("bot");
    heard.sort();
    assert_eq!(heard, ["m-1", "m-2", "m-3"]);
    assert_eq!(stack.accounting().await.lost, [""; 0]);
}

/// A message that arrives while the route still names the deleted bot, or that was queued before.
#[tokio::test(start_paused = true)]
async fn queued_deliveries_to_a_deleted_connection_fail_with_the_reason() {
    let stack = TestStack::with_bot().await;
    stack.accept("channel", "c-1", "m-1", message("queued")).await;
    delete_bot(&stack).await;
    stack.restart_processes();
    stack.run_until_idle().await;
    let failed = stack.failed("bot").await;
    assert_eq!(failed.len(), 1);
    assert!(failed[0].reason.contains("no longer configured"), "{}", failed[0].reason);
}

#[tokio::test(start_paused = true)]
async fn only_the_current_version_of_a_connection_or_route_is_deleted() {
    let stack = TestStack::with_bot().await;
    let (store, bot) = (&stack.app.store, stack.connection("bot"));
    let stale = store.delete_connection(&bot.id, bot.version + 1).await;
    assert!(matches!(stale, Err(trunkline_runtime::store::StoreError::Conflict)), "{stale:?}");
    let route = store.route(&"main".parse().unwrap()).await.unwrap().unwrap();
    let stale = store.delete_route(&route.id, route.version + 1).await;
    assert!(matches!(stale, Err(trunkline_runtime::store::StoreError::Conflict)), "{stale:?}");
    assert!(store.connection(&bot.id).await.unwrap().is_some());
    store.delete_route(&route.id, route.version).await.unwrap();
    assert_eq!(store.routes(None, 9).await.unwrap(), []);
}
