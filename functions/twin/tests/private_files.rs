//! Private files of operators, fetched with the connection's login.

use std::time::Duration;

use serde_json::json;
use trunkline_runtime::files::TemporaryFile;
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::outbound::{FetchedFile, FileContext, FileError, Outbound};
use trunkline_twin_mock::{EMAIL, PASSWORD, Twin24, plain_http};

use crate::common::{Leg, parse};

const CONTENT: &[u8] = b"%PDF-1.7";

/// Fetches a file as the worker does.
async fn fetch(leg: &Leg, url: &str) -> (Result<FetchedFile, FileError>, Vec<u8>) {
    let id = format!("twin-{}.0", leg.secrets.names().count()).as_str().into();
    let mut stored = TemporaryFile::create(&std::env::temp_dir(), &id, 1_000_000).unwrap();
    let context = FileContext {
        connection: &leg.connection,
        settings: &parse(&leg.connection.settings),
        secrets: &leg.secrets,
        limit: stored.limit(),
        time: Duration::from_secs(10),
        now: leg.now,
    };
    let fetched = leg.twin.fetch_file(&context, &HttpClient::new(true), url, &mut stored).await;
    (fetched, stored.read_all().unwrap())
}

/// Shows T24.
#[tokio::test]
async fn a_private_file_is_fetched_with_the_login() {
    let twin = Twin24::start(plain_http()).await;
    let mut leg = Leg::new("desk", &twin.settings(&json!({"answers": "socket"})));
    leg.say("Hello").await;
    let session = leg.external_id().to_owned();
    twin.operator_sends_file(&session, "offer.pdf", CONTENT).await;
    let url = twin.file_url("offer.pdf");

    let (refused, _) = fetch(&leg, &url).await;
    let reason = "the platform answered 401 Unauthorized to the download";
    assert_eq!(refused, Err(FileError::Unavailable(reason.into())), "without a login");

    leg.secret("email", EMAIL);
    leg.secret("password", PASSWORD);
    let (fetched, content) = fetch(&leg, &url).await;
    assert_eq!(fetched.unwrap().mime_type.as_deref(), Some("application/pdf"));
    assert_eq!(content, CONTENT);

    // The next attempt logs in again.
    twin.revoke_tokens();
    assert!(fetch(&leg, &url).await.0.is_err());
    assert_eq!(fetch(&leg, &url).await.1, CONTENT);
    assert_eq!(twin.logins(), 2);
}

#[tokio::test]
async fn the_login_is_sent_to_the_file_api_only() {
    let twin = Twin24::start(plain_http()).await;
    let mut leg = Leg::new("desk", &twin.settings(&json!({"answers": "socket"})));
    leg.secret("email", EMAIL);
    leg.secret("password", PASSWORD);
    let context = FileContext {
        connection: &leg.connection,
        settings: &parse(&leg.connection.settings),
        secrets: &leg.secrets,
        limit: 1,
        time: Duration::from_secs(10),
        now: leg.now,
    };
    let http_client = HttpClient::new(true);
    let own = leg.twin.file_request(&context, &http_client, &twin.file_url("x")).await.unwrap();
    assert!(own.headers["authorization"].is_sensitive());
    for other in ["https://files.example/p", "https://127.0.0.1/iam/files/1", "nowhere"] {
        let request = leg.twin.file_request(&context, &http_client, other).await.unwrap();
        assert!(request.headers.is_empty(), "{other}");
    }
}
