//! Hostile request bodies: depth, size, malformed JSON, control characters, entity expansion, redirecting
//! or endless files, and ids with header or log injection.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_servisbot_mock::{API_KEY, ENGAGEMENT_SECRET, ServisBot};
use trunkline_tests::{
    Fixture, SIGNING_SECRETS, TestEnvironment, message_event, signing_headers, webex_message,
};

use crate::handover::{conversation, summarize};
use crate::platforms::{BOT, CHANNEL, SERVISBOT, UNBLU, WEBEX, file, start_unblu, unblus};

async fn posts(fixture: &Fixture<'_>, which: &str, id: &str, body: String) -> (u16, Value) {
    let headers = signing_headers(SIGNING_SECRETS[0], id, SystemClock.now(), &body);
    fixture.post(which, body, &headers).await
}

fn envelope(id: &str, conversation: &str, data: &str) -> String {
    let now = SystemClock.now();
    format!(
        r#"{{"id":"{id}","timestamp":"{now}","conversation":"{conversation}","type":"message","data":{data}}}"#
    )
}

fn nested(depth: usize) -> String {
    format!("{}1{}", r#"{"a":["#.repeat(depth / 2), "]}".repeat(depth / 2))
}

/// Shows input 8.
pub async fn malformed_bodies_do_not_corrupt_conversation(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "bombs", "").await;
    let with = |id: &str, extra: &str| {
        envelope(id, "c-1", &format!(r#"{{"text":"hi","metadata":{extra}}}"#))
    };
    for (id, extra, status, code) in [
        ("d-1", format!("{}{}", "[".repeat(60_000), "]".repeat(60_000)), 400, "unreadable"),
        ("d-2", nested(120), 422, "too_deep"),
        ("d-3", format!(r#"{{"m":{}}}"#, nested(66)), 422, "too_deep"),
        ("d-4", format!("[{}", "[".repeat(50_000)), 400, "unreadable"),
        ("d-5", r#"{"n":1e400}"#.to_owned(), 400, "unreadable"),
        ("d-6", r#"{"n":-1e999999999999999999999}"#.to_owned(), 400, "unreadable"),
        ("d-7", r#"{"n":NaN}"#.to_owned(), 400, "unreadable"),
        ("d-8", format!(r#"{{"t":"{}"}}"#, "x".repeat(10 * 1024 * 1024)), 413, "too_large"),
    ] {
        let (given, answer) = posts(&fixture, "channel", id, with(id, &extra)).await;
        // API Gateway rejects bodies above its own limit before the function.
        let ours = (given, &answer["code"]) == (status, &json!(code));
        assert!(ours || (status == 413 && given == 413), "{id}: {given} {answer:.200}");
    }
    fixture.mock.expect_requests("/bot", 0).await;
    // Unusual JSON: half of a surrogate pair, duplicate members and large numbers.
    let half = envelope("o-0", "c-1", r#"{"text":"half \ud83d"}"#);
    assert_eq!(posts(&fixture, "channel", "o-0", half).await.0, 200);
    let received = fixture.mock.wait_for_requests("/bot", 1).await;
    assert_eq!(summarize(&received), ["half \u{fffd}"]);
    let digits = "9".repeat(300);
    let odd =
        with("o-1", &format!(r#"{{"n":{digits},"a":1,"a":2,"z":-0.0,"s":"\u0000\u001b[2J"}}"#));
    assert_eq!(posts(&fixture, "channel", "o-1", odd).await.0, 200);
    let twice = envelope("o-2", "c-1", r#"{"text":"first","text":"second"}"#);
    let (status, _) = posts(&fixture, "channel", "o-2", twice).await;
    assert!(status == 200 || status == 400, "{status}");
    let shallow = with("o-3", &format!(r#"{{"m":{}}}"#, nested(60)));
    assert_eq!(posts(&fixture, "channel", "o-3", shallow).await.0, 200);
    // Characters that SQS rejects, and characters that JSON must escape.
    let strange = "a\u{ffff}b\u{fffe}c\u{0}\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}d\r\ne\u{10ffff}";
    fixture.send_channel_message("c-1", "o-4", strange).await;
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while !summarize(&fixture.mock.requests("/bot")).iter().any(|text| text == strange) {
        assert!(std::time::Instant::now() < end, "{:?}", summarize(&fixture.mock.requests("/bot")));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The conversation is still readable.
    let key = fixture.key_on("channel", "c-1");
    let transcript = env.stack().store.transcript(&key, 100, SystemClock.now()).await.unwrap();
    assert!(transcript.len() >= 3, "{}", transcript.len());
}

pub async fn hostile_ids_do_not_inject_headers_or_log_lines(env: &TestEnvironment) {
    let route = "channels: [NAME-channel, NAME-webex], bot: NAME-bot";
    let fixture = Fixture::new(env, "breaks", &file(&[CHANNEL, WEBEX, BOT], route)).await;
    let odd = [
        "c\r\nx-injected: 1\r\n\r\n",
        "c\n{\"level\":\"ERROR\",\"message\":\"forged\"}",
        "c\"},{\"level\":\"ERROR\"",
        "\u{1b}[2J\u{1b}[31mred",
        "c\u{0}d",
        "../../../etc/passwd",
        "%0d%0ax-injected:%201",
        "${jndi:ldap://127.0.0.1/x}",
        "' OR 1=1 --",
        "CONV#x#y",
    ];
    for (i, id) in odd.iter().enumerate() {
        // As conversation id, message id, name, language, and URL and name of a file.
        let data = json!({"type": "message", "author": {"role": "customer", "name": id}, "language": id,
            "data": {"text": "marked", "media": [{"url": format!("https://m.example/{id}"), "name": id, "mime_type": id}]}});
        let mut body = data;
        body["id"] = json!(format!("i-{i}-{id}"));
        body["timestamp"] = json!(SystemClock.now());
        body["conversation"] = json!(id);
        let (status, answer) =
            posts(&fixture, "channel", &format!("i-{i}"), body.to_string()).await;
        assert_eq!(status, 200, "{id:?}: {answer}");
        let (status, _) =
            fixture.post("webex", webex_message(id, &format!("{i}{id}"), "marked"), &[]).await;
        assert_eq!(status, 200, "{id:?}");
        let event = json!({"Conversationid": id, "Event": id, "Messageid": id, "Timestamp": id});
        assert_eq!(fixture.post("webex", event.to_string(), &[]).await.0, 200, "{id:?}");
        let (status, _) =
            fixture.send_event("bot", &format!("b-{i}"), id, message_event("marked")).await;
        assert_eq!(status, 404, "{id:?}");
    }
    let received = fixture.mock.wait_for_requests("/bot", 2 * odd.len()).await;
    for received in &received {
        assert!(!received.headers.contains_key("x-injected"), "{:?}", received.headers);
        assert!(received.json()["conversation"].is_string());
    }
    // Replies use the unchanged id.
    let last =
        received.iter().find(|h| h.json()["channel"]["connection"] == "breaks-webex").unwrap();
    let bot_conversation = conversation(std::slice::from_ref(last));
    assert_eq!(
        fixture.send_event("bot", "b-last", &bot_conversation, message_event("answered")).await.0,
        200
    );
    let shown = fixture.mock.wait_for_requests("/webex", 1).await.remove(0);
    assert!(!shown.headers.contains_key("x-injected"));
    assert!(odd.iter().any(|id| shown.json().to_string().contains(&json!(id).to_string()[1..4])));
}

/// Returns a "billion laughs" document with ServisBOT's elements.
fn laughs() -> String {
    let mut dtd = String::from(r#"<!DOCTYPE T [<!ENTITY l0 "lol">"#);
    for level in 1..10 {
        let inner = format!("&l{};", level - 1).repeat(10);
        dtd = format!(r#"{dtd}<!ENTITY l{level} "{inner}">"#);
    }
    format!("{dtd}]><TimelineMessage><TextMsg>&l9;</TextMsg></TimelineMessage>")
}

pub async fn markup_entities_are_not_expanded(env: &TestEnvironment) {
    let servisbot = ServisBot::start().await;
    let others = [
        ("SERVISBOT", servisbot.engagement_url()),
        ("ENGAGE", ENGAGEMENT_SECRET.to_owned()),
        ("API_KEY", API_KEY.to_owned()),
    ];
    let route = "channels: [NAME-channel], bot: NAME-servisbot";
    let fixture =
        Fixture::with_mocks(env, "markups", &file(&[CHANNEL, SERVISBOT], route), &others).await;
    fixture.send_channel_message("c-1", "m-1", "hi").await;
    let customer = servisbot.wait_for_posts(1, Duration::from_secs(30)).await[0].customer.clone();
    let external = r#"<!DOCTYPE T [<!ENTITY x SYSTEM "file:///etc/passwd">]><TimelineMessage><TextMsg>&x;</TextMsg></TimelineMessage>"#;
    let parameter =
        r#"<!DOCTYPE T [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]><TimelineMessage/>"#;
    let inside = "<TimelineMessage><TextMsg>&x;&l9;</TextMsg></TimelineMessage>";
    let deep = format!(
        "<TimelineMessage>{}{}</TimelineMessage>",
        "<List>".repeat(20_000),
        "</List>".repeat(20_000)
    );
    let open = format!("<TimelineMessage>{}", "<List a='".repeat(10_000));
    let attributes = format!(
        "<TimelineMessage {}/>",
        (0..5_000).map(|i| format!("a{i}='x'")).collect::<Vec<_>>().join(" ")
    );
    let variables =
        format!("<TimelineMessage><TextMsg>{}</TextMsg></TimelineMessage>", "${a}".repeat(20_000));
    let instruction = r#"<?xml-stylesheet href="http://127.0.0.1:1/x"?><TimelineMessage><TextMsg>styled</TextMsg></TimelineMessage>"#;
    let markups = [
        &laughs(),
        external,
        parameter,
        inside,
        &deep,
        &open,
        &attributes,
        &variables,
        instruction,
    ];
    for (i, markup) in markups.iter().enumerate() {
        let mut event = servisbot.bot_message(&customer, "x");
        let message = event.as_object_mut().unwrap();
        message.insert("contentType".into(), json!("markup"));
        message.insert("id".into(), json!(format!("bomb-{i}")));
        let context = json!({"a": "x".repeat(10_000)});
        message.insert("contents".into(), json!({"markup": markup, "context": context}));
        crate::platforms::servisbot_posts(&fixture, servisbot.event_call(&event)).await;
    }
    // Depths that can be parsed, but whose stored form could not: that would break the conversation.
    for depth in [64, 100, 120, 122, 124, 126] {
        let bearer = [("authorization".to_owned(), format!("Bearer {ENGAGEMENT_SECRET}"))];
        let customer = json!(customer);
        let body = format!(r#"{{"CustomerReference":{customer},"Unknown":{}}}"#, nested(depth));
        let (status, _, text) = fixture.post_below("servisbot", "/egress", body, &bearer).await;
        assert_eq!(status, 200, "{depth}: {text}");
    }
    let plain = servisbot.bot_message(&customer, "Still here.");
    crate::platforms::servisbot_posts(&fixture, servisbot.event_call(&plain)).await;
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while !summarize(&fixture.mock.requests("/channel")).iter().any(|text| text == "Still here.") {
        assert!(
            std::time::Instant::now() < end,
            "{:?}",
            summarize(&fixture.mock.requests("/channel"))
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let shown = fixture.mock.requests("/channel");
    let key = fixture.key_on("channel", "c-1");
    env.stack()
        .store
        .transcript(&key, 100, SystemClock.now())
        .await
        .expect("cannot read the transcript");
    let total: usize = shown.iter().map(|received| received.body.len()).sum();
    assert!(total < 400_000, "{total}");
    for text in summarize(&shown) {
        assert!(!text.contains("lollol") && !text.contains("root:"), "{text:.100}");
    }
}

pub async fn unsafe_file_urls_are_sent_as_links(env: &TestEnvironment) {
    let unblu = start_unblu().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let far = format!("http://{}", listener.local_addr().unwrap());
    let (inner, private) =
        (far.clone(), std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let counted = std::sync::Arc::clone(&private);
    let gzip: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0";
    let packed = [("content-encoding", "gzip"), ("content-type", "application/zip")];
    let router =
        Router::new()
            .route(
                "/moved",
                get(move || async move {
                    (StatusCode::FOUND, [("location", format!("{inner}/private"))])
                }),
            )
            .route(
                "/private",
                get(move || async move {
                    counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    "the metadata service's secrets"
                }),
            )
            .route("/gzip", get(move || async move { (packed, gzip) }))
            .route(
                "/endless",
                get(|| async {
                    let chunk = || async {
                        Some((Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1 << 16])), ()))
                    };
                    Body::from_stream(futures_util::stream::unfold((), move |()| chunk()))
                        .into_response()
                }),
            );
    tokio::spawn(async move { axum::serve(listener, router).await });
    let route = "channels: [NAME-channel], bot: NAME-bot, desk: NAME-unblu";
    let file = file(&[CHANNEL, BOT, UNBLU], route);
    let fixture = Fixture::with_mocks(env, "files-2", &file, &unblus(&unblu)).await;
    fixture.send_channel_message("c-1", "m-1", "agent").await;
    let before = unblu.wait_for_messages(1).await.len();
    for (i, path) in ["moved", "gzip", "endless"].into_iter().enumerate() {
        let media = json!([{"url": format!("{far}/{path}"), "name": format!("{path}.zip")}]);
        let message =
            json!({"type": "message", "data": {"text": format!("see {path}"), "media": media}});
        assert_eq!(fixture.send_event("channel", &format!("f-{i}"), "c-1", message).await.0, 200);
    }
    fixture.send_channel_message("c-1", "m-9", "the last").await;
    let end = std::time::Instant::now() + Duration::from_mins(1);
    let all = loop {
        let sent: String = unblu.sent().iter().map(|sent| sent.data.to_string()).collect();
        if sent.contains("the last") {
            break sent;
        }
        assert!(std::time::Instant::now() < end, "{before}: {sent:.2000}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(private.load(std::sync::atomic::Ordering::SeqCst), 0, "a redirect was followed");
    assert!(all.contains("/moved") && all.contains("/endless"), "{all:.2000}");
    assert!(!all.contains("metadata"), "{all:.2000}");
}
