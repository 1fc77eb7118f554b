//! Calls to the inbound functions: addresses, keys, source addresses, and the limits of bodies and events.

use std::time::Duration;

use jiff::SignedDuration;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};
use serde_json::{Value, json};
use trunkline_core::model::{Content, Event, EventBody, Role};
use trunkline_runtime::app::Clock;
use trunkline_runtime::inbound::MAX_BODY;
use trunkline_runtime::store::Rejected;
use trunkline_testkit::aws::CallRecord;
use trunkline_testkit::{CallResponse, Fault, TestStack, message};

const CHANNEL: &str = "/in/toy/channel/url-key";

fn request(path: &str, body: impl Into<Body>) -> Request {
    http::Request::builder().method("POST").uri(path).body(body.into()).unwrap()
}

async fn call(stack: &TestStack, path: &str, body: impl Into<Body>) -> CallResponse {
    let answer = stack.request("toy", &request(path, body)).await;
    stack.run_until_idle().await;
    answer
}

/// Returns the body of a call with a message of the customer `c-1`.
fn body(stack: &TestStack, text: &str) -> String {
    serde_json::to_string(&[stack.event("channel", "c-1", "m-1", message(text))]).unwrap()
}

/// Returns the channel's rejected bodies, the newest first.
async fn rejected(stack: &TestStack) -> Vec<Rejected> {
    let channel = "channel".parse().unwrap();
    let found = stack.app.store.rejected(&channel, None, 100).await.unwrap();
    found.into_iter().map(|(_, rejected)| rejected).collect()
}

#[tokio::test(start_paused = true)]
async fn every_wrong_address_gets_the_same_answer() {
    let stack = TestStack::with_bot().await;
    let body = body(&stack, "hi");
    let absent = call(&stack, "/in/toy/nobody/url-key", body.clone()).await;
    assert_eq!((absent.status, &absent.body), (404, &json!({"message": "Not Found"})));
    for path in [
        "/in/toy/channel/wrong-key",
        "/in/toy/channel/url-key2",
        "/in/toy/channel/",
        "/in/toy/channel",
        "/in/toy/NOT-AN-ID/url-key",
        "/in/toy/channel/url-key/unknown-path",
        "/in/fax/channel/url-key",
        "/other/toy/channel/url-key",
    ] {
        assert_eq!(call(&stack, path, body.clone()).await, absent, "{path}");
    }
    assert!(stack.toy.calls("bot").is_empty());
    assert!(rejected(&stack).await.is_empty(), "nothing of a stranger is stored");
    assert!(call(&stack, CHANNEL, body).await.is_success());
}

#[tokio::test(start_paused = true)]
async fn connection_of_another_platform_is_not_found() {
    let stack = TestStack::with_bot().await;
    let body = body(&stack, "hi");
    let fax = "fax".parse().unwrap();
    stack.connect("channel", Role::Channel, |channel| channel.platform = fax).await;
    assert_eq!(call(&stack, CHANNEL, body).await.status, 404);
}

/// Calls the channel from a source address; `None`: API Gateway names none.
async fn call_from(stack: &TestStack, source: Option<&str>, id: &str) -> u16 {
    let event = stack.event("channel", "c-1", id, message(id));
    let request = request(CHANNEL, serde_json::to_string(&[event]).unwrap());
    let mut context = json!({"http": {"method": "POST"}, "timeEpoch": 0});
    if let Some(source) = source {
        context["http"]["sourceIp"] = source.into();
    }
    let context = serde_json::from_value(context).unwrap();
    let request = request.with_request_context(RequestContext::ApiGatewayV2(context));
    stack.request("toy", &request).await.status
}

/// Shows C14, S7.
#[tokio::test(start_paused = true)]
async fn only_allowed_source_addresses_can_call() {
    let stack = TestStack::with_bot().await;
    assert_eq!(call_from(&stack, None, "anyone").await, 200, "without a list, all can");
    let allow = ["192.0.2.0/24", "2001:db8::7/128"].map(|net| net.parse().unwrap());
    stack.connect("channel", Role::Channel, |channel| channel.allow_ips = allow.to_vec()).await;
    for (source, status) in [
        (Some("192.0.2.200"), 200),
        (Some("2001:db8::7"), 200),
        (Some("192.0.3.1"), 404),
        (Some("2001:db8::8"), 404),
        (Some("not an address"), 404),
        (None, 404),
    ] {
        assert_eq!(call_from(&stack, source, "m-2").await, status, "{source:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn body_over_128_kib_is_refused_and_its_beginning_is_stored() {
    let stack = TestStack::with_bot().await;
    let frame = body(&stack, "").len();
    let largest = "x".repeat(MAX_BODY - frame);
    let answer = call(&stack, CHANNEL, body(&stack, &format!("{largest}x"))).await;
    assert_eq!((answer.status, answer.code()), (413, "too_large"));
    let stored = rejected(&stack).await;
    assert_eq!((stored.len(), stored[0].size), (1, MAX_BODY + 1));
    assert!(stored[0].reason.contains("larger than 131072 bytes"), "{}", stored[0].reason);
    assert!(stack.toy.calls("bot").is_empty());
    assert!(call(&stack, CHANNEL, body(&stack, &largest)).await.is_success());
    assert_eq!(stack.toy.heard("bot"), [largest], "the largest body is delivered");
}

#[tokio::test(start_paused = true)]
async fn body_that_is_not_json_is_stored_with_the_reason() {
    let stack = TestStack::with_bot().await;
    for text in ["", "hello", r#"[{"id": 1}]"#] {
        let answer = call(&stack, CHANNEL, text).await;
        assert_eq!((answer.status, answer.code()), (400, "unreadable"), "{text}");
        let stored = rejected(&stack).await.remove(0);
        assert_eq!(stored.body, text);
        assert_eq!(answer.body["detail"], stored.reason);
        stack.clock.advance(SignedDuration::from_secs(1));
    }
    assert_eq!(rejected(&stack).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn binary_body_is_read_like_text() {
    let stack = TestStack::with_bot().await;
    let body = body(&stack, "hi").into_bytes();
    assert!(call(&stack, CHANNEL, body).await.is_success());
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
}

/// Sends one event of the customer and returns status and code of the answer.
async fn post(stack: &TestStack, event: Event) -> (u16, String) {
    let answer = stack.post("channel", &[event]).await;
    stack.run_until_idle().await;
    (answer.status, answer.code().to_owned())
}

fn answer(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

#[tokio::test(start_paused = true)]
async fn event_nested_more_than_64_deep_is_refused() {
    let stack = TestStack::with_bot().await;
    let event = |id: &str, depth| {
        let metadata = [("form".to_owned(), nested(depth))].into_iter().collect();
        let body = EventBody::Message { content: Content::text("hi"), metadata };
        stack.event("channel", "c-1", id, body)
    };
    assert_eq!(post(&stack, event("m-1", 65)).await, answer(422, "too_deep"));
    assert_eq!(rejected(&stack).await.len(), 1);
    assert_eq!(post(&stack, event("m-2", 64)).await, answer(200, ""));
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
    assert_eq!(stack.transcript("channel", "c-1").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reply_data_over_16_kib_is_refused() {
    let stack = TestStack::with_bot().await;
    let event = |id: &str, size: usize| {
        let origin = json!({"token": "x".repeat(size)}).as_object().unwrap().clone();
        Event { origin, ..stack.event("channel", "c-1", id, message("hi")) }
    };
    assert_eq!(post(&stack, event("m-1", 16 * 1024)).await, answer(413, "too_large"));
    assert_eq!(post(&stack, event("m-2", 16_000)).await, answer(200, ""));
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
}

#[tokio::test(start_paused = true)]
async fn conversation_id_has_1_to_512_bytes() {
    let stack = TestStack::with_bot().await;
    let event = |id: &str, customer: &str| stack.event("channel", customer, id, message("hi"));
    let refused = answer(422, "bad_conversation_id");
    assert_eq!(post(&stack, event("m-1", "")).await, refused);
    assert_eq!(post(&stack, event("m-2", &"é".repeat(257))).await, refused);
    assert_eq!(post(&stack, event("m-3", &"é".repeat(256))).await, answer(200, ""));
}

#[tokio::test(start_paused = true)]
async fn observer_cannot_send() {
    let stack = TestStack::with_bot().await;
    stack.connect("watch", Role::Observer, |_| ()).await;
    let refused = stack.try_send("watch", "c-1", "m-1", message("hi")).await;
    assert_eq!((refused.status, refused.code()), (422, "observer_cannot_send"));
}

#[tokio::test(start_paused = true)]
async fn rejected_event_does_not_stop_the_others_of_its_call() {
    let stack = TestStack::with_bot().await;
    let event = |id: &str, body| stack.event("channel", "c-1", id, body);
    let events =
        [event("m-1", message("1")), event("m-2", EventBody::Accept), event("m-3", message("3"))];
    let answer = stack.post("channel", &events).await;
    stack.run_until_idle().await;
    assert_eq!((answer.status, answer.code()), (422, "unexpected_event"));
    assert_eq!(stack.toy.heard("bot"), ["1", "3"]);
    assert_eq!(rejected(&stack).await.len(), 1);
}

/// An event whose deliveries do not fit into a queue message must not be accepted.
#[tokio::test(start_paused = true)]
async fn event_whose_delivery_does_not_fit_into_the_queue_is_refused_and_not_recorded() {
    let stack = TestStack::with_bot().await;
    // The queue does not accept this character, so each becomes six characters.
    let text = "\u{ffff}".repeat(43_000);
    let answer = call(&stack, CHANNEL, body(&stack, &text)).await;
    assert!(answer.is_success(), "it becomes 258,000 bytes: {answer:?}");
    let text = "\u{ffff}".repeat(43_620);
    let event = stack.event("channel", "c-2", "m-1", message(&text));
    assert_eq!(post(&stack, event).await, self::answer(413, "too_large"));
    assert!(stack.transcript("channel", "c-2").await.is_empty());
}

/// Shows W17.
#[tokio::test(start_paused = true)]
async fn slow_table_is_answered_with_503_before_the_platform_gives_up() {
    let stack = TestStack::with_bot().await;
    let inbound = |call: &CallRecord| call.function == "toy-inbound";
    stack.faults().when(inbound, 0, None, Fault::Delay(Duration::from_secs(3)));
    let start = stack.clock.now();
    let answer = call(&stack, CHANNEL, body(&stack, "hi")).await;
    assert_eq!((answer.status, answer.code()), (503, "unavailable"));
    assert!(stack.clock.now().duration_since(start) <= SignedDuration::from_millis(4_500));
    stack.faults().clear();
    assert!(call(&stack, CHANNEL, body(&stack, "hi")).await.is_success());
    assert_eq!(stack.toy.heard("bot"), ["hi"]);
}
