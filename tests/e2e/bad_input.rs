//! Invalid requests: a typed error with a reason, and nothing lost.

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_tests::{Fixture, SIGNING_SECRETS, TestEnvironment, signing_headers, webex_message};

/// Shows W6, W8, W19, W27.
pub async fn webex_responses_always_carry_verification_token(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "wx-bad").await;
    let huge = webex_message("c", "m-huge", &"x".repeat(200 * 1024));
    let documented = include_str!("../../functions/webex/fixtures/documented-message.txt");
    let unknown = r#"{"Conversationid":"c","Event":"Chat closed by agent","Timestamp":"?"}"#;
    for body in
        ["", "{}", "[]", "not json", "[1]", r#"{"Event":"Incoming message"}"#, &huge, unknown]
    {
        let (status, answer) = fixture.post("webex", body.to_owned(), &[]).await;
        assert_eq!(
            (status, &answer["verification_token"]),
            (200, &json!("secret-TOKEN")),
            "{body:.40}"
        );
    }
    let call = env.request(Method::POST, fixture.url("webex")).body(vec![0xff, 0xfe, 0x00]);
    assert_eq!(call.send().await.unwrap().status(), 200);
    for method in [Method::HEAD, Method::GET] {
        let answer = env.request(method, fixture.url("webex")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-verification-token"], "secret-TOKEN");
    }
    assert_eq!(fixture.post("webex", documented.to_owned(), &[]).await.0, 200);
    let received = fixture.mock.expect_requests("/bot", 1).await;
    assert_eq!(received[0].json()["data"]["text"], "see https://shop.example/48121");

    let id = &fixture.connection("webex").id;
    let stored = env.stack().store.rejected(id, None, 50).await.unwrap();
    let reasons: Vec<_> = stored.iter().rev().map(|(_, stored)| stored.reason.as_str()).collect();
    assert_eq!(stored.len(), 5, "{reasons:?}");
    for (reason, expected) in reasons.iter().zip([
        "the body is not JSON",
        "the body is not a JSON object",
        "Conversationid is missing",
        "larger than 131072 bytes",
        "the body is not UTF-8",
    ]) {
        assert!(reason.contains(expected), "{reason}");
    }
    assert!(
        stored.iter().all(|(_, stored)| stored.body.len() <= 32 * 1024),
        "stored bodies are truncated"
    );
    let opaque = fixture.transcript("c").await.remove(0);
    assert_eq!((opaque.event.body.kind(), opaque.targets.len()), ("opaque", 0));
}

pub async fn wrong_key_and_unknown_connection_get_identical_responses(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "intruder").await;
    let (base, _) = fixture.url("webex").rsplit_once('/').unwrap();
    let unknown = base.replace("intruder-webex", "nobody");
    let misplaced = fixture.url("webex").replace("/in/webex/", "/in/webhook/");
    let mut answers = Vec::new();
    for url in
        [format!("{base}/wrong"), format!("{unknown}/wrong"), format!("{base}x/wrong"), misplaced]
    {
        let call = env.request(Method::POST, &url).body(webex_message("c", "m", "hi"));
        let answer = call.send().await.unwrap();
        let headers = answer.headers().get("x-verification-token").cloned();
        answers.push((answer.status().as_u16(), headers, answer.text().await.unwrap()));
    }
    assert_eq!(answers[0].0, 404);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    fixture.mock.expect_requests("/bot", 0).await;
}

pub async fn webhook_errors_have_code_and_detail(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "wh-bad").await;
    let now = SystemClock.now();
    let event = |data: Value| {
        json!({"id": "1", "timestamp": now, "conversation": "c", "type": "message", "data": data})
            .to_string()
    };
    let good = event(json!({"text": "hi"}));
    let signed = |body: &str| signing_headers(SIGNING_SECRETS[0], "1", now, body);
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let stale = now - SignedDuration::from_mins(6);
    let huge = event(json!({"text": "x".repeat(200 * 1024)}));
    let dance = good.replace(r#""type":"message""#, r#""type":"dance""#);
    let empty = event(json!({"text": ""}));
    for (body, headers, status, code) in [
        (&good, vec![], 401, "denied"),
        (&good, signing_headers(stranger, "1", now, &good), 401, "denied"),
        (&good, signing_headers(SIGNING_SECRETS[0], "1", stale, &good), 401, "denied"),
        (&good, signed("another body"), 401, "denied"),
        (&"hello".to_owned(), signed("hello"), 400, "unreadable"),
        (&"[]".to_owned(), signed("[]"), 400, "unreadable"),
        (&dance, signed(&dance), 400, "unreadable"),
        (&empty, signed(&empty), 400, "unreadable"),
        (&huge, signed(&huge), 413, "too_large"),
        (&good, signed(&good), 404, "unknown_conversation"),
    ] {
        let (given, answer) = fixture.post("bot", body.clone(), &headers).await;
        assert_eq!((given, &answer["code"]), (status, &json!(code)), "{answer}");
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{answer}");
    }
    let deleted = env.request(Method::DELETE, fixture.url("bot")).send().await.unwrap();
    assert_eq!(deleted.status(), 405);
    let stored = env.stack().store.rejected(&fixture.connection("bot").id, None, 50).await.unwrap();
    assert_eq!(stored.len(), 6, "signed requests that are unreadable or rejected are stored");
}

/// Shows C14, S7.
pub async fn caller_outside_allow_ips_gets_404(env: &TestEnvironment) {
    let file = |range: &str| {
        format!(
            "
connections:
  NAME-webex:
    platform: webex
    role: channel
    allow_ips: [{range}]
    secrets: {{ verification_token: {{ env: TOKEN }}, send_url: {{ env: WEBEX_URL }} }}
  NAME-bot:
    platform: webhook
    role: bot
    settings: {{ message_url: MOCK/bot }}
    secrets: {{ signing: {{ env: NEW }} }}
routes:
  NAME: {{ channels: [NAME-webex], bot: NAME-bot }}
"
        )
    };
    let elsewhere = Fixture::new(env, "elsewhere", &file("34.141.248.107")).await;
    assert_eq!(elsewhere.post("webex", webex_message("c", "m", "hi"), &[]).await.0, 404);
    let here = Fixture::new(env, "here", &file("127.0.0.0/8")).await;
    here.send_webex_message("c", "m", "hi").await;
}

/// Shows input 16.
pub async fn characters_that_no_uri_has_are_no_function_error(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "odd-uri").await;
    let url: reqwest::Url = fixture.url("webex").parse().unwrap();
    let host = url.host_str().unwrap();
    let address = ("127.0.0.1", url.port_or_known_default().unwrap());
    for (target, headers, expected) in [
        (format!("{}?q=<script>\"|{{}}^`[]\\", url.path()), "", 200),
        (format!("{}?secret=a%20b%22&x=%zz", url.path()), "", 200),
        (url.path().to_owned(), "x-forwarded-proto: https,http\r\n", 200),
        ("/in/webhook/x/y?q=<script>\"".to_owned(), "", 404),
        ("/in/webhook/x/y<z>\"?q=1".to_owned(), "", 404),
    ] {
        let request = format!(
            "POST {target} HTTP/1.1\r\nhost: {host}\r\n{headers}content-length: 2\r\nconnection: close\r\n\r\n{{}}"
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        // A gateway may refuse such a target itself.
        assert!(status == Some(expected) || status == Some(400), "{target}: {answer}");
    }
}
