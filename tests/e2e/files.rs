//! Private files: an agent's and an operator's file open by the link that the channel received, without a
//! login.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline_tests::{Fixture, TestEnvironment, record_secret};
use trunkline_twin_mock::{EMAIL, PASSWORD, Twin24};
use trunkline_unblu_mock::{ApiVersion, CallStyle, Unblu};

use crate::browser;
use crate::platforms::{BOT, CHANNEL, TWIN, UNBLU, file, unblu_posts, unblus};

/// What the mock of Unblu and the operator of TWIN send.
const CONTENT: &[u8] = b"%PDF-1.7";

/// Opens a link as a browser does, one step: returns status, `Location` and body.
async fn open(env: &TestEnvironment, url: &str) -> (StatusCode, String, Vec<u8>) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let rest = url.trim_start_matches("http://");
    let (host, path) = rest.split_once('/').unwrap();
    let call = client
        .unwrap()
        .request(Method::GET, format!("http://127.0.0.1:{}/{path}", env.port()))
        .header("host", host);
    let answer = call.send().await.unwrap();
    let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    let status = answer.status();
    (status, location.unwrap_or_default(), answer.bytes().await.unwrap().to_vec())
}

/// Returns the file of the channel's message with this number.
async fn received_file(fixture: &Fixture<'_>, number: usize) -> Value {
    let received = fixture.mock.wait_for_requests("/channel", number).await;
    received[number - 1].json()["data"]["media"][0].clone()
}

/// Checks that a link opens the file without a login, and that a changed one does not.
async fn check_link(env: &TestEnvironment, file: &Value, name: &str) {
    assert_eq!(file["name"], name, "{file}");
    let link = file["url"].as_str().unwrap();
    assert!(link.contains("/files/") && link.contains("signature="), "{link}");
    record_secret("signature of a link", link.rsplit_once('=').unwrap().1);
    let (status, location, _) = open(env, link).await;
    assert_eq!(status, StatusCode::FOUND);
    let signature = location.split_once("X-Amz-Signature=").unwrap().1;
    record_secret("signature of a redirect", signature.split('&').next().unwrap());
    assert!(location.contains("X-Amz-Expires=60"), "the redirect is valid for a minute");
    let (status, _, content) = open(env, &location).await;
    assert_eq!((status, content.as_slice()), (StatusCode::OK, CONTENT));

    browser::open_file(env, link, std::str::from_utf8(CONTENT).unwrap()).await;

    let expires = link.split_once("expires=").unwrap().1.split('&').next().unwrap();
    let later = (expires.parse::<i64>().unwrap() + 86_400).to_string();
    for changed in [link.replace(expires, &later), link.replace(expires, "1"), format!("{link}x")] {
        let (status, location, page) = open(env, &changed).await;
        assert_eq!((status, location.as_str()), (StatusCode::FORBIDDEN, ""), "{changed}");
        assert!(String::from_utf8_lossy(&page).contains("not complete"));
    }
}

async fn unblu_file(env: &TestEnvironment, version: ApiVersion) {
    let unblu = Unblu::start(version).await;
    let name = format!("file{}", version.word());
    let route = "channels: [NAME-channel], bot: NAME-bot, desk: NAME-unblu";
    let file = file(&[CHANNEL, BOT, UNBLU], route);
    let fixture = Fixture::with_mocks(env, &name, &file, &unblus(&unblu)).await;
    fixture.send_channel_message("c-1", "m-1", "agent").await;
    let sent = unblu.wait_for_messages(2).await;
    let theirs = sent[0].conversation.clone();
    let style = CallStyle::Webhook;
    unblu_posts(&fixture, unblu.agent_sends_file(&theirs, "label.pdf", style)).await;
    unblu_posts(&fixture, unblu.agent_writes(&theirs, "Please print it.", style)).await;
    check_link(env, &received_file(&fixture, 1).await, "label.pdf").await;
    let received = fixture.mock.wait_for_requests("/channel", 2).await;
    assert_eq!(received[1].json()["data"]["text"], "Please print it.");

    // Deleting the customer's data ends the link.
    let link = received[0].json()["data"]["media"][0]["url"].as_str().unwrap().to_owned();
    let channel = format!("{name}-channel");
    let done = env.trunkline(&["customer", "delete", &channel, "c-1", "--yes"], &[]).await;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(open(env, &link).await.0, StatusCode::GONE);
}

pub async fn agents_file_opens_by_link_v4(env: &TestEnvironment) {
    unblu_file(env, ApiVersion::V4).await;
}

pub async fn agents_file_opens_by_link_v3(env: &TestEnvironment) {
    unblu_file(env, ApiVersion::V3).await;
}

/// Shows T24.
pub async fn operators_private_file_opens_by_link(env: &TestEnvironment) {
    let twin = Twin24::start(env.http.clone()).await;
    twin.set_callback_port(env.port());
    let key = "a-path-key-for-files-of-40-characters-00";
    let callback = format!("{}/in/twin/filetwin-twin/{key}", env.stack().info.api);
    let others = [
        ("TWIN", twin.settings(&json!({"answers": "callback"})).to_string()),
        ("TWIN_KEY", key.to_owned()),
        ("CALLBACK", callback),
        ("EMAIL", EMAIL.to_owned()),
        ("PASSWORD", PASSWORD.to_owned()),
    ];
    let secrets = "    secrets: { path_key: { env: TWIN_KEY }, callback_url: { env: CALLBACK }, \
                   email: { env: EMAIL }, password: { env: PASSWORD } }\n";
    let file =
        file(&[CHANNEL, &format!("{TWIN}{secrets}")], "channels: [NAME-channel], bot: NAME-twin");
    let fixture = Fixture::with_mocks(env, "filetwin", &file, &others).await;
    fixture.send_channel_message("c-1", "m-1", "Where is my order?").await;
    twin.wait_for_calls(1).await;
    let session = twin.sessions().remove(0);
    twin.operator_sends_file(&session, "offer.pdf", CONTENT).await;
    check_link(env, &received_file(&fixture, 1).await, "offer.pdf").await;
}
