//! A console on an in-process DynamoDB, and on a server that stores parameters and records queue messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use dynoxide::Database;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use trunkline_console::{Console, router};
use trunkline_runtime::app::{App, RandomIdGenerator, SystemClock};
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::queue::Queues;
use trunkline_runtime::secrets::SecretStore;
use trunkline_runtime::store::{ConfigCache, Store};

pub const TABLE: &str = "trunkline";

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

/// The state of the server for parameters and queues.
#[derive(Debug, Default)]
pub struct Services {
    /// Value and version by name.
    pub parameters: HashMap<String, (String, i64)>,
    /// The bodies of the sent queue messages.
    pub messages: Vec<Value>,
}

/// Performs an operation of the Parameter Store or of SQS.
async fn serve(
    State(services): State<Arc<Mutex<Services>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut services = services.lock().unwrap();
    let request: Value = serde_json::from_str(&body).unwrap();
    let name = request["Name"].as_str().unwrap_or_default();
    let target = headers["x-amz-target"].to_str().unwrap();
    let (status, answer) = match target.split_once('.').unwrap().1 {
        "SendMessage" => {
            let text = request["MessageBody"].as_str().unwrap();
            services.messages.push(serde_json::from_str(text).unwrap());
            (StatusCode::OK, json!({"MessageId": "1"}))
        }
        "PutParameter" => {
            let version = services.parameters.get(name).map_or(1, |(_, version)| version + 1);
            let value = request["Value"].as_str().unwrap().to_owned();
            services.parameters.insert(name.to_owned(), (value, version));
            (StatusCode::OK, json!({"Version": version}))
        }
        "GetParameter" => match services.parameters.get(name) {
            Some((value, version)) => {
                let parameter = json!({"Name": name, "Value": value, "Version": version});
                (StatusCode::OK, json!({"Parameter": parameter}))
            }
            None => (StatusCode::BAD_REQUEST, json!({"__type": "ParameterNotFound"})),
        },
        other => panic!("the console does not call {other}"),
    };
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, kind, answer.to_string()).into_response()
}

/// Listens on a free port. Returns the listener and its URL.
async fn listen() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A console with everything that it uses.
pub struct TestConsole {
    pub db: Database,
    pub app: App,
    pub router: Router,
    pub services: Arc<Mutex<Services>>,
}

impl TestConsole {
    /// Starts a console on an empty stack.
    pub async fn start() -> Self {
        let (listener, endpoint) = listen().await;
        let db = Database::memory().unwrap();
        tokio::spawn(dynoxide::server::serve_on(listener, db.clone()));
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(config!(aws_sdk_dynamodb, &endpoint));
        create_table(&dynamodb).await;
        let store = Store::new(dynamodb, TABLE.into(), 90);
        let services: Arc<Mutex<Services>> = Arc::default();
        let (listener, endpoint) = listen().await;
        let server = Router::new().fallback(serve).with_state(Arc::clone(&services));
        tokio::spawn(async move { axum::serve(listener, server).await });
        let ssm = aws_sdk_ssm::Client::from_conf(config!(aws_sdk_ssm, &endpoint));
        let sqs = aws_sdk_sqs::Client::from_conf(config!(aws_sdk_sqs, &endpoint));
        let app = App {
            config_cache: Arc::new(ConfigCache::new(store.clone())),
            store,
            queues: Queues::new(sqs, format!("{endpoint}/tasks").parse().unwrap()),
            secrets: Arc::new(SecretStore::new(ssm, "/t/".into())),
            http_client: Arc::new(HttpClient::new(true)),
            files: None,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIdGenerator),
        };
        let console = Console::new(app.clone(), "test".into(), None, true);
        Self { db, app, router: router(&console), services }
    }
}

/// Creates the table with its keys and index.
async fn create_table(dynamodb: &aws_sdk_dynamodb::Client) {
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
}
