//! The webhook platform as channel, bot and observer.

use serde_json::{Value, json};
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_tests::{Fixture, SIGNING_SECRETS, TestEnvironment, signing_headers};

pub async fn channel_bot_and_observer_with_event_urls(env: &TestEnvironment) {
    let fixture = Fixture::new(
        env,
        "all-webhook",
        r#"
connections:
  NAME-channel:
    platform: webhook
    role: channel
    settings:
      message_url: MOCK/channel
      handover_url: MOCK/channel/handover
      events_url: MOCK/channel/events
      handover_body: '{"chatId":"{{$chatId}}","client":"$conversationClientId","context":$context}'
    secrets: { signing: { env: NEW } }
  NAME-bot:
    platform: webhook
    role: bot
    settings: { message_url: MOCK/bot }
    secrets: { signing: { env: NEW } }
  NAME-archive:
    platform: webhook
    role: observer
    settings: { message_url: MOCK/archive }
    secrets: { signing: { env: NEW } }
routes:
  NAME: { channels: [NAME-channel], bot: NAME-bot, observers: [NAME-archive] }
"#,
    )
    .await;
    let message = json!({"type": "message", "author": {"role": "customer", "name": "Noor"}, "data": {
        "text": "this one", "media": [{"url": "https://m.example/a.jpg", "mime_type": "image/jpeg"}]}});
    let (status, answer) =
        fixture.send_event("channel", "c-1", "chat \"7\"", message.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let received = fixture.mock.wait_for_requests("/bot", 1).await[0].json();
    assert_eq!((&received["data"], &received["author"]), (&message["data"], &message["author"]));
    let conversation = received["conversation"].as_str().unwrap();

    let choices = json!([{"id": "a", "title": "Red"}, {"id": "b", "title": "Blue"}]);
    let question = json!({"type": "message", "data": {"text": "Which?", "choices": choices}});
    let typing = json!({"type": "typing", "data": {"active": true}});
    let handover = json!({"type": "handover", "data": {"context": {"said": "\"yes\""}}});
    for (i, event) in [typing, question, handover].into_iter().enumerate() {
        let (status, answer) =
            fixture.send_event("bot", &format!("b-{i}"), conversation, event).await;
        assert_eq!(status, 200, "{answer}");
    }
    let asked = fixture.mock.expect_requests("/channel", 1).await[0].json();
    assert_eq!(
        (&asked["conversation"], &asked["data"]["choices"]),
        (&json!("chat \"7\""), &choices)
    );
    let typed = fixture.mock.expect_requests("/channel/events", 1).await[0].json();
    assert_eq!((&typed["type"], &typed["data"]["active"]), (&json!("typing"), &json!(true)));
    let handed = fixture.mock.expect_requests("/channel/handover", 1).await[0].json();
    let expected =
        json!({"chatId": "chat \"7\"", "client": "chat \"7\"", "context": {"said": "\"yes\""}});
    assert_eq!(handed, expected);

    let archive = fixture.mock.expect_requests("/archive", 3).await;
    for copy in &archive {
        assert_eq!(copy.json()["copy"], true, "observers receive copies");
        assert_eq!(env.reference.schema_problem(&copy.json()).await, Value::Null);
    }
    let kinds: Vec<_> = archive.iter().map(|received| received.json()["type"].clone()).collect();
    assert_eq!(kinds, ["message", "message", "handover"], "in order, without typing events");
    let (status, refused) = fixture.send_event("archive", "a-1", conversation, message).await;
    assert_eq!((status, &refused["code"]), (422, &json!("observer_cannot_send")));
}

pub async fn bearer_and_api_key_authentication(env: &TestEnvironment) {
    let fixture = Fixture::new(
        env,
        "tokens",
        "
connections:
  NAME-channel:
    platform: webhook
    role: channel
    settings: { message_url: MOCK/channel, auth: bearer }
    secrets: { bearer: [{ env: B2 }, { env: B1 }] }
  NAME-bot:
    platform: webhook
    role: bot
    settings: { message_url: MOCK/bot, auth: api_key, api_key_header: X-Our-Key }
    secrets: { api_key: { env: K } }
routes:
  NAME: { channels: [NAME-channel], bot: NAME-bot }
",
    )
    .await;
    let body = |id: &str| {
        json!({"id": id, "timestamp": SystemClock.now(), "conversation": "c", "type": "message",
               "data": {"text": "hi"}})
        .to_string()
    };
    let bearer = |token: &str| [("authorization".to_owned(), format!("Bearer {token}"))];
    assert_eq!(fixture.post("channel", body("1"), &bearer("secret-B1")).await.0, 200);
    assert_eq!(fixture.post("channel", body("2"), &bearer("secret-B2")).await.0, 200);
    assert_eq!(fixture.post("channel", body("3"), &bearer("secret-B3")).await.0, 401);
    let signed = signing_headers(SIGNING_SECRETS[0], "4", SystemClock.now(), &body("4"));
    assert_eq!(fixture.post("channel", body("4"), &signed).await.0, 401);
    let received = fixture.mock.expect_requests("/bot", 2).await;
    assert_eq!(received[0].header("x-our-key"), "secret-K");
    assert!(!received[0].headers.contains_key("webhook-signature"));
}

pub async fn verification_handshake_both_ways(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "handshake").await;
    let ask = json!({"type": "verification", "data": {"challenge": "abc"}});
    assert_eq!(
        fixture.send_event("bot", "v-1", "none", ask).await,
        (200, json!({"challenge": "abc"}))
    );
    let ready = env.request(http::Method::GET, fixture.url("bot")).send().await.unwrap();
    assert_eq!(ready.status(), 200);

    let bot = fixture.connection("bot");
    let silent = env.verify(bot).await.problem;
    assert!(silent.as_ref().is_some_and(|why| why.contains("challenge")), "{silent:?}");
    fixture.mock.queue_response(500, "");
    let failing = env.verify(bot).await.problem;
    assert!(failing.as_ref().is_some_and(|why| why.contains("500")), "{failing:?}");

    fixture.mock.echo_challenges();
    assert_eq!(env.verify(bot).await.problem, None);
    let received = fixture.mock.requests("/bot").remove(2);
    assert!(env.reference.verifies(SIGNING_SECRETS[0], &received).await);

    let webex = env.verify(fixture.connection("webex")).await;
    assert!(webex.unsupported.is_some_and(|how| how.contains("press Verify")));
}
