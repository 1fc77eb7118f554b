//! Changes of the configuration while functions run: versions, caches, and secrets with two live values.

use jiff::SignedDuration;
use lambda_http::{Body, Request};
use trunkline_core::model::{Breaker, Connection, ConnectionId, LegId, Role, Route};
use trunkline_runtime::app::Clock;
use trunkline_runtime::error::BackendError;
use trunkline_runtime::secrets::{PATH_KEY, SecretBag, SecretsError};
use trunkline_runtime::store::StoreError;
use trunkline_testkit::{TestStack, message};

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Stores the next version of a connection without a restart of any process, as the console does.
async fn change(stack: &TestStack, id: &str, change: impl FnOnce(&mut Connection)) {
    let id = id.parse().unwrap();
    let mut connection = stack.app.store.connection(&id).await.unwrap().unwrap();
    connection.version += 1;
    change(&mut connection);
    stack.app.store.put_connection(&connection).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_the_next_version_of_a_connection_is_stored() {
    let stack = TestStack::with_bot().await;
    let stored = stack.connection("bot");
    for version in [stored.version, stored.version + 2, 1] {
        let changed = Connection { version, suspended: true, ..stored.clone() };
        let result = stack.app.store.put_connection(&changed).await;
        assert!(matches!(result, Err(StoreError::Conflict)), "{version}: {result:?}");
    }
    let after = stack.app.store.connection(&stored.id).await.unwrap();
    assert_eq!(after, Some(stored));
}

#[tokio::test(start_paused = true)]
async fn one_of_two_concurrent_changes_of_a_route_is_stored() {
    let stack = TestStack::with_bot().await;
    let id = "main".parse().unwrap();
    let stored = stack.app.store.route(&id).await.unwrap().unwrap();
    let first = Route { version: stored.version + 1, bot: None, ..stored.clone() };
    let second = Route { version: stored.version + 1, desk: stored.bot.clone(), ..stored };
    let results =
        tokio::join!(stack.app.store.put_route(&first), stack.app.store.put_route(&second));
    let after = stack.app.store.route(&id).await.unwrap().unwrap();
    match results {
        (Ok(()), Err(StoreError::Conflict)) => assert_eq!(after, first),
        (Err(StoreError::Conflict), Ok(())) => assert_eq!(after, second),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn running_process_sees_a_changed_connection_after_30_seconds() {
    let stack = TestStack::with_bot().await;
    let start = stack.clock.now();
    stack.send("channel", "c-1", "m-0", message("cached")).await;
    change(&stack, "bot", |bot| bot.suspended = true).await;
    stack.advance(seconds(29) - stack.clock.now().duration_since(start)).await;
    stack.send("channel", "c-1", "m-1", message("still cached")).await;
    assert_eq!(stack.toy.heard("bot"), ["cached", "still cached"]);
    stack.advance(seconds(2)).await;
    stack.send("channel", "c-1", "m-2", message("suspended")).await;
    assert_eq!(stack.parked("bot").await.len(), 1);
    assert_eq!(stack.toy.heard("bot").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn new_process_sees_a_changed_connection_at_once() {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "m-0", message("cached")).await;
    change(&stack, "bot", |bot| bot.suspended = true).await;
    stack.restart_processes();
    stack.send("channel", "c-1", "m-1", message("suspended")).await;
    assert_eq!(stack.toy.heard("bot"), ["cached"]);
    assert_eq!(stack.parked("bot").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn missing_connection_is_looked_up_again_each_time() {
    let stack = TestStack::start().await;
    let (id, now): (ConnectionId, _) = ("bot".parse().unwrap(), stack.clock.now());
    assert!(stack.app.config_cache.connection(&id, now).await.unwrap().is_none());
    stack.connect("bot", Role::Bot, |_| ()).await;
    assert!(stack.app.config_cache.connection(&id, now).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn cached_route_is_replaced_after_30_seconds() {
    let stack = TestStack::with_bot().await;
    let (id, now) = ("main".parse().unwrap(), stack.clock.now());
    let bot = async |after| {
        let route = stack.app.config_cache.resolved_route(&id, now + seconds(after)).await;
        route.unwrap().unwrap().bot.clone().map(|bot| bot.connection.to_string())
    };
    assert_eq!(bot(0).await.as_deref(), Some("bot"));
    stack.route("main", |route| route.bot = None).await;
    assert_eq!(bot(30).await.as_deref(), Some("bot"));
    assert_eq!(bot(31).await, None);
}

#[tokio::test(start_paused = true)]
async fn route_leaves_out_parties_that_are_not_configured() {
    let stack = TestStack::with_bot().await;
    stack.connect("watch", Role::Observer, |_| ()).await;
    let named = ["gone", "watch"].map(|id| id.parse::<ConnectionId>().unwrap());
    let change = |route: &mut Route| {
        route.desk = Some("nobody".parse().unwrap());
        route.observers = named.to_vec();
    };
    stack.route("main", change).await;
    let (id, now) = ("main".parse().unwrap(), stack.clock.now());
    let route = stack.app.config_cache.resolved_route(&id, now).await.unwrap().unwrap();
    assert_eq!(route.desk, None);
    let observers: Vec<_> = route.observers.iter().map(|one| one.connection.clone()).collect();
    assert_eq!(observers, named[1..]);
}

/// Reads the bot's breaker as a worker does, `millis` after the first time.
async fn breaker(stack: &TestStack, millis: i64) -> Breaker {
    let start = stack.clock.now();
    let leg = LegId { key: stack.key("channel", "c-1"), connection: "bot".parse().unwrap() };
    let at = start + SignedDuration::from_millis(millis);
    stack.app.config_cache.leg_and_breaker(&leg, at).await.unwrap().1
}

#[tokio::test(start_paused = true)]
async fn breaker_without_failures_is_cached_for_five_seconds() {
    let stack = TestStack::with_bot().await;
    let bot = "bot".parse().unwrap();
    assert!(!breaker(&stack, 0).await.is_open());
    stack.app.store.open_breaker(&bot, stack.clock.now()).await.unwrap();
    assert!(!breaker(&stack, 5_000).await.is_open());
    assert!(breaker(&stack, 5_001).await.is_open());
    // The worker that counts a failure does not wait for that.
    stack.app.store.close_breaker(&bot).await.unwrap();
    assert!(!breaker(&stack, 10_100).await.is_open());
    stack.app.store.open_breaker(&bot, stack.clock.now()).await.unwrap();
    stack.app.config_cache.invalidate_breaker(&bot);
    assert!(breaker(&stack, 10_100).await.is_open());
}

#[tokio::test(start_paused = true)]
async fn breaker_with_failures_is_not_cached() {
    let stack = TestStack::with_bot().await;
    let bot = "bot".parse().unwrap();
    for failures in 1..4 {
        stack.app.store.count_failure(&bot).await.unwrap();
        assert_eq!(breaker(&stack, 0).await.failures, failures);
    }
}

#[tokio::test(start_paused = true)]
async fn breaker_opens_and_closes_once() {
    let stack = TestStack::with_bot().await;
    let (bot, now) = ("bot".parse().unwrap(), stack.clock.now());
    let interval = SignedDuration::from_secs(4);
    let store = &stack.app.store;
    assert!(!store.close_breaker(&bot).await.unwrap(), "it is closed");
    let probe = |opened_at| store.record_probe(&bot, opened_at, now - interval, now);
    assert!(!probe(now).await.unwrap(), "it is closed");
    assert_eq!(store.breaker(&bot).await.unwrap().probed_at, None, "a closed one has no probes");
    store.count_failure(&bot).await.unwrap();
    let opened = tokio::join!(store.open_breaker(&bot, now), store.open_breaker(&bot, now));
    assert_ne!(opened.0.unwrap(), opened.1.unwrap());
    assert!(!probe(now - interval).await.unwrap(), "a probe of another opening");
    let probes = tokio::join!(probe(now), probe(now));
    assert_ne!(probes.0.unwrap(), probes.1.unwrap(), "the same probe, sent twice");
    // The success of a delivery that began before does not reset an open breaker.
    store.reset_failures(&bot).await.unwrap();
    let open = Breaker { failures: 1, opened_at: Some(now), probed_at: Some(now) };
    assert_eq!(store.breaker(&bot).await.unwrap(), open);
    assert!(store.close_breaker(&bot).await.unwrap());
    assert_eq!(store.breaker(&bot).await.unwrap(), Breaker::default());
}

/// Sets the live values of the channel's URL key, newest first, and takes the change over.
async fn set_url_keys(stack: &TestStack, keys: &[&str]) {
    let mut secrets = SecretBag::default();
    secrets.set(PATH_KEY, keys.iter().map(ToString::to_string).collect());
    let id = "channel".parse().unwrap();
    let version = stack.app.secrets.write(&id, &secrets).await.unwrap();
    change(stack, "channel", |channel| channel.secrets_version = version).await;
}

/// Calls the channel under a URL key, and returns the status.
async fn call(stack: &TestStack, key: &str) -> u16 {
    let request = http::Request::builder().method("POST").uri(format!("/in/toy/channel/{key}"));
    let request: Request = request.body(Body::Text("[]".into())).unwrap();
    stack.request("toy", &request).await.status
}

#[tokio::test(start_paused = true)]
async fn two_url_keys_are_valid_during_a_rotation() {
    let stack = TestStack::with_bot().await;
    let valid = async |keys: [&str; 3]| {
        let mut valid = Vec::new();
        for key in keys {
            if call(&stack, key).await == 200 {
                valid.push(key.to_owned());
            }
        }
        valid
    };
    let keys = ["url-key", "new-key", "new"];
    assert_eq!(valid(keys).await, ["url-key"]);
    set_url_keys(&stack, &["new-key", "url-key"]).await;
    stack.advance(seconds(31)).await;
    assert_eq!(valid(keys).await, ["url-key", "new-key"]);
    set_url_keys(&stack, &["new-key"]).await;
    stack.advance(seconds(31)).await;
    assert_eq!(valid(keys).await, ["new-key"]);
}

/// Secrets are written before the connection that refers to their version.
#[tokio::test(start_paused = true)]
async fn secrets_are_read_again_only_when_the_connection_names_another_version() {
    let stack = TestStack::with_bot().await;
    let connection = stack.connection("channel");
    let read = async |connection: &Connection| {
        let secrets = stack.app.secrets.for_connection(connection).await.unwrap();
        secrets.newest(PATH_KEY).map(ToOwned::to_owned)
    };
    assert_eq!(read(&connection).await.as_deref(), Some("url-key"));
    let mut secrets = SecretBag::default();
    secrets.set(PATH_KEY, vec!["new-key".into()]);
    let version = stack.app.secrets.write(&connection.id, &secrets).await.unwrap();
    assert_eq!(version, connection.secrets_version + 1);
    assert_eq!(read(&connection).await.as_deref(), Some("url-key"), "cached");
    let applied = Connection { secrets_version: version, ..connection };
    assert_eq!(read(&applied).await.as_deref(), Some("new-key"));
}

#[tokio::test(start_paused = true)]
async fn missing_secrets_are_an_error_that_a_retry_does_not_solve() {
    let stack = TestStack::with_bot().await;
    let unknown = Connection { id: "unknown".parse().unwrap(), ..stack.connection("channel") };
    assert!(stack.app.secrets.fetch(&unknown.id).await.unwrap().is_none());
    let error = stack.app.secrets.for_connection(&unknown).await.unwrap_err();
    assert!(matches!(&error, SecretsError::Corrupt(id) if *id == unknown.id), "{error:?}");
    assert!(!BackendError::from(error).is_retryable());
}
