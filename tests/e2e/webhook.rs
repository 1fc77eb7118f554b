//! The webhook platform in all its places: channel, bot, observer.

use serde_json::{Value, json};
use trunkline_shared::app::{Clock, SystemClock};
use trunkline_tests::{SIGNING, Scene, World, signing_headers};

pub async fn channel_observer_and_addresses_of_their_own(world: &World) {
    let scene = Scene::of(
        world,
        "all-webhook",
        r#"
connections:
  NAME-channel:
    platform: webhook
    role: channel
    settings:
      message_url: FAR/channel
      handover_url: FAR/channel/handover
      events_url: FAR/channel/events
      handover_body: '{"chatId":"{{$chatId}}","client":"$conversationClientId","context":$context}'
    secrets: { signing: { env: NEW } }
  NAME-bot:
    platform: webhook
    role: bot
    settings: { message_url: FAR/bot }
    secrets: { signing: { env: NEW } }
  NAME-archive:
    platform: webhook
    role: observer
    settings: { message_url: FAR/archive }
    secrets: { signing: { env: NEW } }
routes:
  NAME: { channels: [NAME-channel], bot: NAME-bot, observers: [NAME-archive] }
"#,
    )
    .await;
    let message = json!({"type": "message", "author": {"role": "customer", "name": "Noor"}, "data": {
        "text": "this one", "media": [{"url": "https://m.example/a.jpg", "mime_type": "image/jpeg"}]}});
    let (status, answer) = scene.sends("channel", "c-1", "chat \"7\"", message.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let heard = scene.far.hears("/bot", 1).await[0].json();
    assert_eq!((&heard["data"], &heard["author"]), (&message["data"], &message["author"]));
    let conversation = heard["conversation"].as_str().unwrap();

    let choices = json!([{"id": "a", "title": "Red"}, {"id": "b", "title": "Blue"}]);
    let question = json!({"type": "message", "data": {"text": "Which?", "choices": choices}});
    let typing = json!({"type": "typing", "data": {"active": true}});
    let handover = json!({"type": "handover", "data": {"context": {"said": "\"yes\""}}});
    for (i, event) in [typing, question, handover].into_iter().enumerate() {
        let (status, answer) = scene.sends("bot", &format!("b-{i}"), conversation, event).await;
        assert_eq!(status, 200, "{answer}");
    }
    let asked = scene.far.hears_only("/channel", 1).await[0].json();
    assert_eq!(
        (&asked["conversation"], &asked["data"]["choices"]),
        (&json!("chat \"7\""), &choices)
    );
    let typed = scene.far.hears_only("/channel/events", 1).await[0].json();
    assert_eq!((&typed["type"], &typed["data"]["active"]), (&json!("typing"), &json!(true)));
    let handed = scene.far.hears_only("/channel/handover", 1).await[0].json();
    let expected =
        json!({"chatId": "chat \"7\"", "client": "chat \"7\"", "context": {"said": "\"yes\""}});
    assert_eq!(handed, expected);

    let archive = scene.far.hears_only("/archive", 3).await;
    for copy in &archive {
        assert_eq!(copy.json()["copy"], true, "an observer gets copies");
        assert_eq!(world.reference.schema_problem(&copy.json()).await, Value::Null);
    }
    let kinds: Vec<_> = archive.iter().map(|heard| heard.json()["type"].clone()).collect();
    assert_eq!(kinds, ["message", "message", "handover"], "in order, and typing is of the moment");
    let (status, refused) = scene.sends("archive", "a-1", conversation, message).await;
    assert_eq!((status, &refused["code"]), (422, &json!("observer_only_listens")));
}

pub async fn bearer_and_api_key(world: &World) {
    let scene = Scene::of(
        world,
        "tokens",
        "
connections:
  NAME-channel:
    platform: webhook
    role: channel
    settings: { message_url: FAR/channel, auth: bearer }
    secrets: { bearer: [{ env: B2 }, { env: B1 }] }
  NAME-bot:
    platform: webhook
    role: bot
    settings: { message_url: FAR/bot, auth: api_key, api_key_header: X-Our-Key }
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
    assert_eq!(scene.post("channel", body("1"), &bearer("secret-B1")).await.0, 200);
    assert_eq!(scene.post("channel", body("2"), &bearer("secret-B2")).await.0, 200);
    assert_eq!(scene.post("channel", body("3"), &bearer("secret-B3")).await.0, 401);
    let signed = signing_headers(SIGNING[0], "4", SystemClock.now(), &body("4"));
    assert_eq!(scene.post("channel", body("4"), &signed).await.0, 401);
    let heard = scene.far.hears_only("/bot", 2).await;
    assert_eq!(heard[0].header("x-our-key"), "secret-K");
    assert!(!heard[0].headers.contains_key("webhook-signature"));
}

pub async fn handshakes_both_ways(world: &World) {
    let scene = Scene::usual(world, "handshake").await;
    let ask = json!({"type": "verification", "data": {"challenge": "abc"}});
    assert_eq!(scene.sends("bot", "v-1", "none", ask).await, (200, json!({"challenge": "abc"})));
    let ready = world.request(http::Method::GET, scene.url("bot")).send().await.unwrap();
    assert_eq!(ready.status(), 200);

    let bot = scene.connection("bot");
    let silent = world.verify(bot).await.problem;
    assert!(silent.as_ref().is_some_and(|why| why.contains("challenge")), "{silent:?}");
    scene.far.will_answer(500, "");
    let failing = world.verify(bot).await.problem;
    assert!(failing.as_ref().is_some_and(|why| why.contains("500")), "{failing:?}");

    scene.far.will_echo_the_challenge();
    assert_eq!(world.verify(bot).await.problem, None);
    let heard = scene.far.heard("/bot").remove(2);
    assert!(world.reference.believes(SIGNING[0], &heard).await);

    let webex = world.verify(scene.connection("webex")).await;
    assert!(webex.unasked.is_some_and(|how| how.contains("press Verify")));
}
