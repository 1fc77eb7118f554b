//! The time of a page does not depend on the number of conversations.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use axum::Router;
use axum::body::{Body, to_bytes};
use dynoxide::types::{AttributeValue, Item};
use dynoxide::{Database, ImportOptions};
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use trunkline_console::{Console, issue, router};
use trunkline_core::model::{AccessLevel, Connection, TokenKind};
use trunkline_runtime::app::{App, RandomIdGenerator, SystemClock};
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::queue::Queues;
use trunkline_runtime::secrets::SecretStore;
use trunkline_runtime::store::{ConfigCache, Store};

const TABLE: &str = "trunkline";

macro_rules! config {
    ($sdk:ident, $endpoint:expr) => {
        $sdk::config::Builder::new()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new("us-east-1"))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .endpoint_url($endpoint)
            .http_client(trunkline_runtime::aws::AwsHttpClient::new().unwrap())
            .build()
    };
}

/// Starts an in-process DynamoDB with the table's keys and index, and a console that uses it.
async fn console() -> (Database, App, Router) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let db = Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, db.clone()));
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(config!(aws_sdk_dynamodb, &endpoint));
    let attribute = |name: &str| {
        let kind = ScalarAttributeType::S;
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name("by_state")
        .key_schema(key("list", KeyType::Hash))
        .key_schema(key("changed", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build());
    dynamodb
        .create_table()
        .table_name(TABLE)
        .set_attribute_definitions(Some(["pk", "sk", "list", "changed"].map(attribute).into()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
    let store = Store::new(dynamodb, TABLE.into(), 90);
    let ssm = aws_sdk_ssm::Client::from_conf(config!(aws_sdk_ssm, &endpoint));
    let sqs = aws_sdk_sqs::Client::from_conf(config!(aws_sdk_sqs, &endpoint));
    let urls = "http://127.0.0.1:1/tasks".parse().unwrap();
    let app = App {
        config_cache: Arc::new(ConfigCache::new(store.clone())),
        store,
        queues: Queues::new(sqs, urls),
        secrets: Arc::new(SecretStore::new(ssm, "/t/".into())),
        http_client: Arc::new(HttpClient::new(true)),
        files: None,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIdGenerator),
    };
    let console = Console::new(app.clone(), "test".into(), None, true);
    (db, app, router(&console))
}

/// Returns the item of a conversation, as the store writes it.
fn item(number: usize) -> Item {
    let at = format!(
        "2026-03-04T{:02}:{:02}:{:02}.{:03}Z",
        number / 3_600_000 % 24,
        number / 60_000 % 60,
        number / 1_000 % 60,
        number % 1_000
    );
    let customer = format!("c-{number:06}");
    let conversation = json!({
        "key": {"channel": "shop", "customer": customer}, "id": format!("cnv-{number}"),
        "route": "shop", "parties": {"channel": {"connection": "shop", "platform": "fax"},
            "bot": {"connection": "bot", "platform": "fax"}},
        "bot_since": at, "phase": "open", "started_at": at, "touched_at": at, "version": 1,
    });
    let text = |text: String| AttributeValue::S(text);
    Item::from([
        ("pk".to_owned(), text(format!("CONV#shop#{customer}"))),
        ("sk".to_owned(), text("CONV".into())),
        ("list".to_owned(), text("shop#bot".into())),
        ("changed".to_owned(), text(format!("{at}#shop#{customer}"))),
        ("json".to_owned(), text(conversation.to_string())),
    ])
}

fn fill(db: &Database, numbers: std::ops::Range<usize>) {
    let items: Vec<Item> = numbers.map(item).collect();
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
    let (db, app, console) = console().await;
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
