//! Attacks on inbound endpoints: forged, altered and replayed signatures, manipulated URLs, and access to
//! conversations of another connection. Hostile bodies are in [`crate::attack_bodies`].

use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trunkline_cm_mock::{CmRouter, Side};
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_tests::{
    Fixture, SIGNING_SECRETS, TestEnvironment, message_event, signing_headers, webex_message,
};
use trunkline_unblu_mock::{self as unblu, CallStyle};

use crate::handover::conversation;
use crate::platforms::{ADAPTER, BOT, CHANNEL, CM, UNBLU, file, start_unblu, unblus};

/// Sends a request whose path is not normalized. Returns status and body.
pub async fn raw(env: &TestEnvironment, host: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", env.port())).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status, body.unwrap_or_default())
}

fn event(id: &str, conversation: &str, text: &str) -> String {
    let now = SystemClock.now();
    json!({"id": id, "timestamp": now, "conversation": conversation, "type": "message",
           "data": {"text": text}})
    .to_string()
}

pub async fn forged_webhook_signatures_are_rejected_and_replays_deduplicated(
    env: &TestEnvironment,
) {
    let fixture = Fixture::with_desk(env, "forged", "").await;
    let now = SystemClock.now();
    let body = event("w-1", "c-1", "hi");
    let good = signing_headers(SIGNING_SECRETS[0], "w-1", now, &body);
    let with = |place: usize, value: &str| {
        let mut headers = good.clone();
        value.clone_into(&mut headers[place].1);
        headers
    };
    let signature = good[2].1.clone();
    let second = now.as_second();
    let old = signing_headers(SIGNING_SECRETS[0], "w-1", now - SignedDuration::from_mins(6), &body);
    let early =
        signing_headers(SIGNING_SECRETS[0], "w-1", now + SignedDuration::from_mins(6), &body);
    // One signature with another secret, and one for another body.
    let stranger = signing_headers(SIGNING_SECRETS[1], "w-1", now, &body);
    let others = signing_headers(SIGNING_SECRETS[0], "w-1", now, &event("w-1", "c-1", "bye"));
    let attempts: Vec<Vec<(String, String)>> = vec![
        Vec::new(),
        good[..2].to_vec(),
        good[1..].to_vec(),
        with(2, ""),
        with(2, "v1,"),
        with(2, "v1"),
        with(2, &signature[..signature.len() - 1]),
        with(2, &signature[3..]),
        with(2, &signature.replace("v1,", "v2,")),
        with(2, &signature.replace("v1,", "v1a,")),
        with(2, &signature.to_uppercase()),
        with(2, &format!("v1,{}", "A".repeat(44))),
        with(2, &"v1,x ".repeat(1_000)),
        with(1, &(second + 1).to_string()),
        with(1, &format!("{second}.0")),
        with(1, &format!("0{second}x")),
        with(1, "-1"),
        with(1, "99999999999999999999"),
        with(1, "9223372036854775807"),
        with(1, "-9223372036854775808"),
        with(1, ""),
        with(0, "w-2"),
        old,
        early,
        stranger,
        others,
    ];
    for headers in &attempts {
        let (status, answer) = fixture.post("channel", body.clone(), headers).await;
        assert_eq!((status, &answer["code"]), (401, &json!("denied")), "{headers:?}: {answer}");
    }
    fixture.mock.expect_requests("/bot", 0).await;

    // The original request and its replays: the same response, and one delivery.
    for _ in 0..3 {
        assert_eq!(fixture.post("channel", body.clone(), &good).await.0, 200);
    }
    fixture.mock.expect_requests("/bot", 1).await;
    // One valid signature of two is enough, as during a rotation of secrets.
    let both = [("webhook-id", "w-1"), ("webhook-timestamp", &second.to_string())];
    let mut both: Vec<_> = both.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    both.push(("webhook-signature".into(), format!("v1,AAAA {signature}")));
    assert_eq!(fixture.post("channel", body, &both).await.0, 200);
}

/// Shows U4.
pub async fn forged_unblu_signatures_are_rejected_and_replays_deduplicated(env: &TestEnvironment) {
    let unblu = start_unblu().await;
    let route = "channels: [NAME-channel], bot: NAME-bot, desk: NAME-unblu";
    let file = file(&[CHANNEL, BOT, UNBLU], route);
    let fixture = Fixture::with_mocks(env, "forged-unblu", &file, &unblus(&unblu)).await;
    fixture.send_channel_message("c-1", "m-1", "agent").await;
    let theirs = unblu.wait_for_messages(1).await[0].conversation.clone();
    let post = async |call: &unblu::EndpointCall| {
        let headers: Vec<_> =
            call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        fixture.post("unblu", String::from_utf8(call.body.clone()).unwrap(), &headers).await.0
    };
    let good = unblu.agent_writes(&theirs, "Hello.", CallStyle::Webhook);
    let mut altered = good.clone();
    altered.body = String::from_utf8(altered.body).unwrap().replace("Hello.", "Hullo.").into();
    let cut = |call: &unblu::EndpointCall| {
        let mut cut = call.clone();
        for (name, value) in &mut cut.headers {
            if name.contains("signature") {
                value.pop();
            }
        }
        cut
    };
    for forged in [
        good.clone().unsigned(),
        good.clone().signed_with("another secret"),
        good.clone().signed_with(""),
        cut(&good),
        altered,
    ] {
        assert_eq!(post(&forged).await, 401, "{forged:?}");
    }
    let before = fixture.mock.requests("/channel").len();
    assert_eq!(post(&good).await, 200);
    // Unblu's signature has no timestamp, so a replay is valid. The message id deduplicates it.
    assert_eq!(post(&good).await, 200);
    fixture.mock.expect_requests("/channel", before + 1).await;
}

pub async fn rejects_manipulated_inbound_addresses(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "tricks", "").await;
    let other = Fixture::webex_and_bot(env, "tricks-too").await;
    let url = fixture.url("channel").to_owned();
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let (start, key) = path.rsplit_once('/').unwrap();
    let others_key = other.url("bot").rsplit('/').next().unwrap();
    let id = "tricks-channel";
    let long = "a".repeat(6_000);
    let flipped: String =
        key.chars()
            .map(|c| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            })
            .collect();
    let mut tried = 0;
    for path in [
        format!("/in/webhook/{id}/{others_key}"),
        format!("/in/webhook/tricks-bot/{key}"),
        format!("/in/webhook/tricks-too-bot/{key}"),
        format!("/in/webex/{id}/{key}"),
        format!("/in/webhook/{id}/{flipped}"),
        format!("/in/webhook/{id}/{}", &key[..key.len() - 1]),
        format!("/in/webhook/{id}/{key}x"),
        format!("/in/webhook/{id}/{key}/../x"),
        format!("/in/webhook/{id}/x/../{key}"),
        format!("/in/webhook/{id}/{key}/event"),
        format!("/in/webhook/{id}//{key}"),
        format!("/in/webhook//{id}/{key}"),
        format!("/in/webhook/../webhook/{id}/{key}"),
        format!("/in/webhook/%2e%2e/webhook/{id}/{key}"),
        format!("/in/webhook/..%2fwebhook%2f{id}/{key}"),
        format!("/in/webhook/tricks%2dchannel/{key}x"),
        format!("/in/webhook/TRICKS-CHANNEL/{key}"),
        format!("/in/webhook/{id}%20/{key}"),
        format!("/in/webhook/{id}%00/{key}"),
        format!("/in/webhook/{id}%0d%0ax-a:b/{key}"),
        format!("/in/webhook/{id};a=b/{key}"),
        format!("/in/webhook/{id}%23/{key}"),
        format!("/in/webhook/tricks\u{2010}channel/{key}"),
        format!("/in/webhook/{long}/{key}"),
        format!("/in/webhook/{id}/{long}"),
        format!("/in/webhook/trunkline/{key}"),
        format!("/in/webhook/-/{key}"),
        format!("/in/webhook/*/{key}"),
        "/in/webhook/".to_owned(),
        "/in/".to_owned(),
        "/in/webhook/%ff/%fe".to_owned(),
    ] {
        let (status, body) = raw(env, host, &path, &event("t-1", "c-1", "hi")).await;
        // API Gateway may reject a malformed path. No request gets past the URL key.
        assert!(matches!(status, 400 | 403 | 404 | 414), "{path:.80}: {status} {body}");
        assert!(!body.contains(key) && !body.contains(id), "{path:.80}: {body}");
        tried += 1;
    }
    assert_eq!(tried, 31);
    assert_eq!(raw(env, host, &format!("/{start}/{key}"), "{}").await.0, 401, "the correct URL");
    fixture.mock.expect_requests("/bot", 0).await;
}

pub async fn connection_cannot_access_conversation_of_another(env: &TestEnvironment) {
    let mine = Fixture::with_desk(env, "mine", "").await;
    let theirs = Fixture::with_desk(env, "theirs", "").await;
    for fixture in [&mine, &theirs] {
        fixture.send_channel_message("c-1", "m-1", "hi").await;
    }
    let my = conversation(&mine.mock.wait_for_requests("/bot", 1).await);
    let received = theirs.mock.wait_for_requests("/bot", 1).await;
    let (other, delivery) = (conversation(&received), received[0].json()["id"].clone());
    theirs.wait_for_outcomes("channel", "c-1").await;
    let refused = (404, json!("unknown_conversation"));
    let mut tries =
        vec![other.clone(), "c-1".into(), format!("theirs-bot#{other}"), format!("{my}#")];
    tries.extend([
        format!("{my} "),
        format!("#{my}"),
        "hint:x".into(),
        "CONV".into(),
        "../x".into(),
    ]);
    for (i, named) in tries.iter().enumerate() {
        for (event, kind) in [
            (message_event("let me in"), "message"),
            (json!({"type": "handover", "data": {}}), "handover"),
            (json!({"type": "close", "data": {}}), "close"),
            (
                json!({"type": "receipt", "data": {"message": &delivery, "status": "read"}}),
                "receipt",
            ),
        ] {
            let (status, answer) =
                mine.send_event("bot", &format!("x-{i}-{kind}"), named, event).await;
            assert_eq!((status, answer["code"].clone()), refused, "{named}: {answer}");
        }
    }
    // A receipt in the own conversation with the delivery id of the other has no effect.
    let receipt = json!({"type": "receipt", "data": {"message": delivery, "status": "read"}});
    assert_eq!(mine.send_event("bot", "r-1", &my, receipt).await.0, 200);
    // Conversation ids of a channel are scoped to the channel.
    for (i, named) in ["c-1", "theirs-channel#c-1", &other].into_iter().enumerate() {
        mine.send_channel_message(named, &format!("n-{i}"), "mine alone").await;
    }
    mine.mock.wait_for_requests("/bot", 4).await;
    theirs.mock.expect_requests("/channel", 0).await;
    assert_eq!(theirs.mock.requests("/bot").len(), 1);
    assert_eq!(
        theirs.conversation("channel", "c-1").await.owner(),
        mine.conversation("channel", "c-1").await.owner()
    );
    // Event ids are scoped to the connection.
    theirs.send_channel_message("c-1", "n-0", "not a repeat").await;
    theirs.mock.wait_for_requests("/bot", 2).await;
}

pub async fn rejects_wrong_tokens_of_each_platform(env: &TestEnvironment) {
    let cm = CmRouter::start("product-token").await;
    cm.add_adapter(ADAPTER, Side::Host);
    let guarded = CM.replace("{ product_token: { env: CM_TOKEN } }",
        "{ product_token: { env: CM_TOKEN }, shared_secret: [{ env: CM_NEW_OF_THIS_LENGTH }, { env: CM_OLD_OF_THIS_LENGTH }] }");
    let webex = crate::platforms::WEBEX
        .replace("role: channel", "role: channel\n    settings: { reject_wrong_token: true }");
    let others = [("CM", cm.outbound_url(ADAPTER)), ("CM_TOKEN", "product-token".into())];
    let route = "channels: [NAME-cm, NAME-webex], bot: NAME-bot";
    let fixture =
        Fixture::with_mocks(env, "tokens-2", &file(&[&guarded, &webex, BOT], route), &others).await;
    let chat = cm.chat("0031612345678", "0031201234567");
    let notice = cm.customer_writes(&chat, "hi");
    let sends = async |header: Option<&str>, query: &str| {
        let headers: Vec<_> = header
            .iter()
            .map(|value| ("x-trunkline-secret".to_owned(), (*value).to_owned()))
            .collect();
        let path = format!("{}{query}", notice.path);
        fixture.post_below("cm", &path, notice.body.clone(), &headers).await.0
    };
    for (header, query) in [
        (None, ""),
        (Some(""), ""),
        (Some("secret-CM_NEW_OF_THIS_LENGT"), ""),
        (Some("secret-CM_NEW_OF_THIS_LENGTHx"), ""),
        (Some("SECRET-CM_NEW_OF_THIS_LENGTH"), ""),
        (Some("secret-CM_NEW_OF_THIS_LENGT, secret-CM_OLD_OF_THIS_LENGT"), ""),
        (None, "?secret="),
        (None, "?secret=product-token"),
        (None, "?SECRET=secret-CM_NEW_OF_THIS_LENGTH"),
        (None, "?secret=wrong&secret=secret-CM_NEW_OF_THIS_LENGTH"),
    ] {
        assert_eq!(sends(header, query).await, 401, "{header:?} {query}");
    }
    assert!((200..300).contains(&sends(None, "?secret=secret-CM_OLD_OF_THIS_LENGTH").await));
    // Webex Connect always gets status 200. A request with a wrong token is stored and not delivered.
    let wrong = [("x-verification-token".to_owned(), "secret-TOKEX".to_owned())];
    assert_eq!(fixture.post("webex", webex_message("c-9", "m-9", "hi"), &wrong).await.0, 200);
    fixture.mock.expect_requests("/bot", 1).await;
    let head = env.request(Method::DELETE, fixture.url("cm")).send().await.unwrap();
    assert!(head.status().is_client_error(), "{}", head.status());
}
