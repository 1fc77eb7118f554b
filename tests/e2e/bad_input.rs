//! Bad input: a typed answer with a reason, and nothing lost.

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use trunkline_shared::app::{Clock, SystemClock};
use trunkline_tests::{SIGNING, Scene, World, signing_headers, webex_message};

pub async fn webex_is_always_answered_with_its_token(world: &World) {
    let scene = Scene::usual(world, "wx-bad").await;
    let huge = webex_message("c", "m-huge", &"x".repeat(200 * 1024));
    let documented = include_str!("../../functions/webex/fixtures/documented-message.txt");
    let unknown = r#"{"Conversationid":"c","Event":"Chat closed by agent","Timestamp":"?"}"#;
    for body in
        ["", "{}", "[]", "not json", "[1]", r#"{"Event":"Incoming message"}"#, &huge, unknown]
    {
        let (status, answer) = scene.post("webex", body.to_owned(), &[]).await;
        assert_eq!(
            (status, &answer["verification_token"]),
            (200, &json!("secret-TOKEN")),
            "{body:.40}"
        );
    }
    let call = world.request(Method::POST, scene.url("webex")).body(vec![0xff, 0xfe, 0x00]);
    assert_eq!(call.send().await.unwrap().status(), 200);
    for method in [Method::HEAD, Method::GET] {
        let answer = world.request(method, scene.url("webex")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-verification-token"], "secret-TOKEN");
    }
    assert_eq!(scene.post("webex", documented.to_owned(), &[]).await.0, 200);
    let heard = scene.far.hears_only("/bot", 1).await;
    assert_eq!(heard[0].json()["data"]["text"], "see https://shop.example/48121");

    let id = &scene.connection("webex").id;
    let kept = world.stack().store.rejected(id, None, 50).await.unwrap();
    let reasons: Vec<_> = kept.iter().rev().map(|(_, kept)| kept.reason.as_str()).collect();
    assert_eq!(kept.len(), 5, "{reasons:?}");
    for (reason, expected) in reasons.iter().zip([
        "the body is not JSON",
        "the body is not a JSON object",
        "there is no Conversationid",
        "larger than 131072 bytes",
        "the body is not UTF-8",
    ]) {
        assert!(reason.contains(expected), "{reason}");
    }
    assert!(kept.iter().all(|(_, kept)| kept.body.len() <= 32 * 1024), "what is kept is bounded");
    let opaque = scene.transcript("c").await.remove(0);
    assert_eq!((opaque.event.body.kind(), opaque.targets.len()), ("opaque", 0));
}

pub async fn a_wrong_key_and_an_unknown_connection_look_the_same(world: &World) {
    let scene = Scene::usual(world, "intruder").await;
    let (base, _) = scene.url("webex").rsplit_once('/').unwrap();
    let unknown = base.replace("intruder-webex", "nobody");
    let misplaced = scene.url("webex").replace("/in/webex/", "/in/webhook/");
    let mut answers = Vec::new();
    for url in
        [format!("{base}/wrong"), format!("{unknown}/wrong"), format!("{base}x/wrong"), misplaced]
    {
        let call = world.request(Method::POST, &url).body(webex_message("c", "m", "hi"));
        let answer = call.send().await.unwrap();
        let headers = answer.headers().get("x-verification-token").cloned();
        answers.push((answer.status().as_u16(), headers, answer.text().await.unwrap()));
    }
    assert_eq!(answers[0].0, 404);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    scene.far.hears_only("/bot", 0).await;
}

pub async fn webhooks_are_told_what_is_wrong(world: &World) {
    let scene = Scene::usual(world, "wh-bad").await;
    let now = SystemClock.now();
    let event = |data: Value| {
        json!({"id": "1", "timestamp": now, "conversation": "c", "type": "message", "data": data})
            .to_string()
    };
    let good = event(json!({"text": "hi"}));
    let signed = |body: &str| signing_headers(SIGNING[0], "1", now, body);
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let stale = now - SignedDuration::from_mins(6);
    let huge = event(json!({"text": "x".repeat(200 * 1024)}));
    let dance = good.replace(r#""type":"message""#, r#""type":"dance""#);
    let empty = event(json!({"text": ""}));
    for (body, headers, status, code) in [
        (&good, vec![], 401, "denied"),
        (&good, signing_headers(stranger, "1", now, &good), 401, "denied"),
        (&good, signing_headers(SIGNING[0], "1", stale, &good), 401, "denied"),
        (&good, signed("another body"), 401, "denied"),
        (&"hello".to_owned(), signed("hello"), 400, "unreadable"),
        (&"[]".to_owned(), signed("[]"), 400, "unreadable"),
        (&dance, signed(&dance), 400, "unreadable"),
        (&empty, signed(&empty), 400, "unreadable"),
        (&huge, signed(&huge), 413, "too_large"),
        (&good, signed(&good), 404, "unknown_conversation"),
    ] {
        let (given, answer) = scene.post("bot", body.clone(), &headers).await;
        assert_eq!((given, &answer["code"]), (status, &json!(code)), "{answer}");
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{answer}");
    }
    let deleted = world.request(Method::DELETE, scene.url("bot")).send().await.unwrap();
    assert_eq!(deleted.status(), 405);
    let kept = world.stack().store.rejected(&scene.connection("bot").id, None, 50).await.unwrap();
    assert_eq!(kept.len(), 6, "what was signed, and unreadable or refused, is kept");
}

pub async fn a_caller_that_is_not_on_the_list_finds_nothing(world: &World) {
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
    settings: {{ message_url: FAR/bot }}
    secrets: {{ signing: {{ env: NEW }} }}
routes:
  NAME: {{ channels: [NAME-webex], bot: NAME-bot }}
"
        )
    };
    let elsewhere = Scene::of(world, "elsewhere", &file("34.141.248.107")).await;
    assert_eq!(elsewhere.post("webex", webex_message("c", "m", "hi"), &[]).await.0, 404);
    let here = Scene::of(world, "here", &file("127.0.0.0/8")).await;
    here.customer_writes("c", "m", "hi").await;
}
