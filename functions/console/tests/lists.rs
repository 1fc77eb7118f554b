//! The time of a page does not depend on the number of conversations.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use dynoxide::types::{AttributeValue, Item};
use dynoxide::{Database, ImportOptions};
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use trunkline_console::issue;
use trunkline_core::model::{AccessLevel, Connection, TokenKind};

use crate::stack::{TABLE, TestConsole};

/// Returns the item of a conversation, as the store writes it. Its route has the id of the channel.
pub fn conversation_item(number: usize, channel: &str, state: &str, desk: Option<&str>) -> Item {
    let at = format!(
        "2026-03-04T{:02}:{:02}:{:02}.{:03}Z",
        number / 3_600_000 % 24,
        number / 60_000 % 60,
        number / 1_000 % 60,
        number % 1_000
    );
    let customer = format!("c-{number:06}");
    let party = |connection: &str| json!({"connection": connection, "platform": "fax"});
    let conversation = json!({
        "key": {"channel": channel, "customer": customer}, "id": format!("cnv-{number}"),
        "route": channel,
        "parties": {"channel": party(channel), "bot": party("bot"), "desk": desk.map(party)},
        "bot_since": at, "phase": "open", "started_at": at, "touched_at": at, "version": 1,
    });
    let text = |text: String| AttributeValue::S(text);
    Item::from([
        ("pk".to_owned(), text(format!("CONV#{channel}#{customer}"))),
        ("sk".to_owned(), text("CONV".into())),
        ("list".to_owned(), text(format!("{channel}#{state}"))),
        ("changed".to_owned(), text(format!("{at}#{channel}#{customer}"))),
        ("json".to_owned(), text(conversation.to_string())),
    ])
}

fn fill(db: &Database, numbers: std::ops::Range<usize>) {
    let items: Vec<Item> =
        numbers.map(|number| conversation_item(number, "shop", "bot", None)).collect();
    for chunk in items.chunks(5_000) {
        db.import_items(TABLE, chunk.to_vec(), ImportOptions::default()).unwrap();
    }
}

async fn page(console: &Router, token: &str, query: &str) -> (Value, Duration) {
    let uri = format!("/api/v1/conversations?limit=50{query}");
    let request = Request::get(uri).header("authorization", format!("Bearer {token}"));
    let began = Instant::now();
    let response = console.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let took = began.elapsed();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, 200, "{body}");
    (body, took)
}

/// Measures the median time of the first page and of the eleventh page.
async fn times(console: &Router, token: &str) -> [Duration; 2] {
    let (mut first, mut deep) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let (body, took) = page(console, token, "").await;
        assert_eq!(body["items"].as_array().unwrap().len(), 50);
        first.push(took);
        let (mut cursor, mut took) = (body["next"].clone(), took);
        for _ in 0..10 {
            let next = format!("&cursor={}", cursor.as_str().unwrap());
            let (body, time) = page(console, token, &next).await;
            (cursor, took) = (body["next"].clone(), time);
        }
        deep.push(took);
    }
    [first, deep].map(|mut times| {
        times.sort();
        times[times.len() / 2]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn page_time_does_not_depend_on_the_number_of_conversations() {
    let TestConsole { db, app, router: console, .. } = TestConsole::start().await;
    let channel = json!({"id": "shop", "platform": "fax", "role": "channel", "version": 1});
    let channel: Connection = serde_json::from_value(channel).unwrap();
    app.store.put_connection(&channel).await.unwrap();
    let (_, token) =
        issue(&app, "test", AccessLevel::Viewer, TokenKind::Operator, None).await.unwrap();
    fill(&db, 0..1_000);
    times(&console, &token).await;
    let few = times(&console, &token).await;
    fill(&db, 1_000..20_000);
    let many = times(&console, &token).await;
    println!("a page of 50, first and eleventh: of 1,000 {few:?}, of 20,000 {many:?}");
    for (few, many) in few.iter().zip(many) {
        // Times are noisy on a busy machine. Linear growth would be a factor of twenty.
        assert!(
            many < *few * 5 + Duration::from_millis(20),
            "{few:?} for 1,000, {many:?} for 20,000"
        );
    }
    let (newest, _) = page(&console, &token, "").await;
    assert_eq!(newest["items"][0]["customer"], "c-019999");
}
