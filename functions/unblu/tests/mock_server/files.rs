//! Files of agents, fetched with the login of the web API.

use std::time::Duration;

use serde_json::json;
use trunkline_core::model::{EventBody, Media};
use trunkline_runtime::files::TemporaryFile;
use trunkline_runtime::inbound::ParsedCall;
use trunkline_runtime::outbound::{FetchedFile, FileContext, FileError, Outbound};
use trunkline_unblu::Unblu;
use trunkline_unblu_mock::CallStyle;

use super::{Setup, VERSIONS};

/// Sends a file as an agent, and returns it as Trunkline understands it.
async fn sent_file(setup: &Setup, name: &str) -> Media {
    let (post, received) = super::inbound::recording_endpoint(&json!({}));
    setup.server.set_endpoint(post);
    let session = setup.open().await;
    let id = session.external_conversation_id.as_str();
    let call = setup.server.agent_sends_file(id, name, CallStyle::Webhook);
    setup.server.post(call).await.unwrap();
    let ParsedCall::Events(mut events) = received.lock().unwrap().pop().unwrap() else {
        panic!("no events")
    };
    match events.remove(0).body {
        EventBody::Message { mut content, .. } => content.media.remove(0),
        other => panic!("{other:?}"),
    }
}

/// Fetches a file as the worker does.
async fn fetch(setup: &Setup, url: &str) -> (Result<FetchedFile, FileError>, Vec<u8>) {
    let id = "unblu-test.0".into();
    let mut stored = TemporaryFile::create(&std::env::temp_dir(), &id, 1_000_000).unwrap();
    let context = FileContext {
        connection: &setup.connection,
        settings: &setup.settings(),
        secrets: &setup.secrets,
        limit: stored.limit(),
        time: Duration::from_secs(10),
        now: crate::common::now(),
    };
    let fetched = Unblu.fetch_file(&context, &setup.http_client, url, &mut stored).await;
    (fetched, stored.read_all().unwrap())
}

/// Shows U19.
#[tokio::test]
async fn an_agents_file_is_private_and_fetched_with_the_login() {
    for version in VERSIONS {
        let mut setup = Setup::start(version, &json!({})).await;
        let media = sent_file(&setup, "offer.pdf").await;
        assert!(media.private, "{version}");
        assert_eq!(media.name.as_deref(), Some("offer.pdf"));
        assert_eq!(fetch(&setup, &media.url).await.1, b"%PDF-1.7", "{version}");

        setup.secrets.set("password", vec!["wrong".into()]);
        let reason = "the platform answered 401 Unauthorized to the download";
        let (refused, _) = fetch(&setup, &media.url).await;
        assert_eq!(refused, Err(FileError::Refused(reason.into())));
    }
}

#[tokio::test]
async fn a_file_that_is_reviewed_is_tried_again() {
    let setup = Setup::start("v4", &json!({})).await;
    let media = sent_file(&setup, "reviewed.pdf").await;
    let (waiting, _) = fetch(&setup, &media.url).await;
    assert!(waiting.is_err_and(|error| error.is_retryable()));
}

#[tokio::test]
async fn the_login_is_sent_to_unblu_only() {
    let setup = Setup::start("v4", &json!({})).await;
    let context = FileContext {
        connection: &setup.connection,
        settings: &setup.settings(),
        secrets: &setup.secrets,
        limit: 1,
        time: Duration::from_secs(10),
        now: crate::common::now(),
    };
    let base = setup.server.base_url("v4");
    for (url, is_own) in [
        (format!("{base}/files/1"), true),
        ("/files/1".to_owned(), true),
        ("https://files.example/1".to_owned(), false),
        (base.replace("http://", "https://"), false),
        ("https://127.0.0.1/files/1".to_owned(), false),
    ] {
        let request = Unblu.file_request(&context, &setup.http_client, &url).await.unwrap();
        assert_eq!(request.headers.contains_key("authorization"), is_own, "{url}");
    }
}
