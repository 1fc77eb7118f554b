//! Links of relayed files, opened on a stack in one process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

use http::{Method, StatusCode};
use jiff::SignedDuration;
use lambda_http::{Body, Request, Response};
use serde_json::Map;
use trunkline_core::model::{Content, EventBody, Media};
use trunkline_runtime::app::Clock;
use trunkline_testkit::{FileReply, TestStack, message};

const URL: &str = "https://desk.test/files/1";

/// A stack whose bot has sent a private file. Returns its link.
async fn with_file(reply: FileReply, mime_type: &str) -> (TestStack, String) {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    stack.toy.file(URL, reply);
    let media = Media {
        url: URL.into(),
        name: Some("offer.pdf".into()),
        mime_type: Some(mime_type.into()),
        private: true,
        file: None,
    };
    let content = Content { media: vec![media], ..Content::text("Look:") };
    let body = EventBody::Message { content, metadata: Map::new() };
    stack.send("bot", &stack.toy.conversation("bot"), "b-1", body).await;
    let record = stack.transcript("channel", "c-1").await.pop().unwrap();
    let EventBody::Message { content, .. } = record.event.body else { panic!("no message") };
    (stack, content.media[0].url.clone())
}

async fn open_with(stack: &TestStack, method: Method, link: &str) -> Response<Body> {
    let path = link.trim_start_matches("https://api.test");
    let request = Request::new(Body::Empty);
    let (mut parts, body) = request.into_parts();
    (parts.method, parts.uri) = (method, path.parse().unwrap());
    trunkline_files::respond(&stack.app, &Request::from_parts(parts, body)).await
}

async fn open(stack: &TestStack, link: &str) -> Response<Body> {
    open_with(stack, Method::GET, link).await
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn pdf() -> FileReply {
    FileReply::Content(b"%PDF".to_vec())
}

#[tokio::test(start_paused = true)]
async fn a_link_opens_the_file_for_a_minute() {
    let (stack, link) = with_file(pdf(), "application/pdf").await;
    for method in [Method::GET, Method::HEAD] {
        let answer = open_with(&stack, method, &link).await;
        assert_eq!(answer.status(), StatusCode::FOUND);
        assert_eq!(header(&answer, "cache-control"), "no-store");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
        let (url, now) = (header(&answer, "location"), stack.clock.now());
        let file = stack.files.get(url, now).unwrap();
        assert_eq!(
            (file.content, file.mime_type),
            (b"%PDF".to_vec(), "application/pdf".to_owned())
        );
        assert_eq!(stack.files.get(url, now + SignedDuration::from_secs(60)), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_expires() {
    let (stack, link) = with_file(pdf(), "application/pdf").await;
    stack.skip(SignedDuration::from_hours(7 * 24 - 1)).await;
    assert_eq!(open(&stack, &link).await.status(), StatusCode::FOUND);
    stack.advance(SignedDuration::from_hours(1)).await;
    let answer = open(&stack, &link).await;
    assert_eq!(answer.status(), StatusCode::GONE);
    let Body::Text(page) = answer.body() else { panic!("no page") };
    assert!(page.contains("no longer available"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_signature_and_an_unknown_file_are_refused_alike() {
    let (stack, link) = with_file(pdf(), "application/pdf").await;
    let (start, signature) = link.rsplit_once('=').unwrap();
    let expires = link.split_once("expires=").unwrap().1.split('&').next().unwrap();
    let wrong = [
        format!("{start}={}", signature.chars().rev().collect::<String>()),
        format!("{start}="),
        link.replace(expires, "9999999999"),
        link.replace(expires, "1"),
        link.replace("/files/", "/files/x"),
        "https://api.test/files/unknown.0?expires=9999999999&signature=abc".into(),
        "https://api.test/files/unknown.0".into(),
    ];
    let first = open(&stack, &wrong[0]).await;
    assert_eq!(first.status(), StatusCode::FORBIDDEN);
    for link in &wrong {
        let answer = open(&stack, link).await;
        assert_eq!(answer.status(), first.status(), "{link}");
        assert_eq!((answer.headers(), answer.body()), (first.headers(), first.body()), "{link}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_file_no_link_is_valid() {
    let stack = TestStack::with_bot().await;
    let link = "https://api.test/files/unknown.0?expires=9999999999&signature=abc";
    assert_eq!(open(&stack, link).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(stack.app.store.file_key().await.unwrap(), None);
    let other = open_with(&stack, Method::POST, link).await;
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_there_yet_or_failed_has_a_page() {
    let (stack, link) = with_file(FileReply::Status(503), "application/pdf").await;
    let answer = open(&stack, &link).await;
    assert_eq!(
        (answer.status(), header(&answer, "retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "10")
    );
    stack.advance(SignedDuration::from_mins(6)).await;
    assert_eq!(open(&stack, &link).await.status(), StatusCode::GONE);
}

#[tokio::test(start_paused = true)]
async fn the_link_of_an_erased_customer_is_gone() {
    let (stack, link) = with_file(pdf(), "application/pdf").await;
    stack.app.erase_customer(&stack.key("channel", "c-1")).await.unwrap();
    assert_eq!(open(&stack, &link).await.status(), StatusCode::GONE);
    assert_eq!(stack.files.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_page_with_a_script_is_handed_out_as_bytes() {
    let (stack, link) = with_file(pdf(), "image/svg+xml").await;
    let answer = open(&stack, &link).await;
    assert!(header(&answer, "location").ends_with("type=application/octet-stream"));
}
