//! More end-to-end conversations across platforms: bots that answer asynchronously, and agents at the
//! channel's platform.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_cm_mock::{Accepted as CmAccepted, CmRouter, Side};
use trunkline_core::model::Owner;
use trunkline_servisbot_mock::{API_KEY, ENGAGEMENT_SECRET, ServisBot};
use trunkline_tests::{Fixture, ReceivedRequest, TestEnvironment, message_event, webex_message};
use trunkline_twin_mock::{Accepted, Twin24};

use crate::handover::{conversation, summarize};
use crate::platforms::{
    ADAPTER, BOT, CHANNEL, CM, SERVISBOT, TWIN, UNBLU, WEBEX, cm_posts, file, servisbot_posts,
    shown, start_unblu, unblu_posts, unblus,
};

const SOON: Duration = Duration::from_secs(30);

/// ServisBOT with the engagement adapter in both directions.
const BY_EGRESS: &str = "
  NAME-servisbot:
    platform: servisbot
    role: bot
    settings: { engagement_url: '<SERVISBOT>', handover_phrase: '#people' }
    secrets: { engagement_secret: { env: ENGAGE } }
";

fn servisbots(bot: &ServisBot) -> Vec<(&'static str, String)> {
    vec![
        ("SERVISBOT", bot.engagement_url()),
        ("ENGAGE", ENGAGEMENT_SECRET.to_owned()),
        ("API_KEY", API_KEY.to_owned()),
    ]
}

/// Shows T20, T22.
pub async fn webhook_to_twin_callback_to_unblu(env: &TestEnvironment) {
    let (twin, unblu) = (Twin24::start(env.http.clone()).await, start_unblu().await);
    twin.set_callback_port(env.port());
    let key = "a-path-key-for-twin-of-40-characters-000";
    let callback = format!("{}/in/twin/callback-twin/{key}", env.stack().info.api);
    let mut others = unblus(&unblu);
    others.push(("TWIN", twin.settings(&json!({"answers": "callback"})).to_string()));
    others.push(("TWIN_KEY", key.to_owned()));
    others.push(("CALLBACK", callback));
    let secrets = "    secrets: { path_key: { env: TWIN_KEY }, callback_url: { env: CALLBACK } }\n";
    let twins = format!("{TWIN}{secrets}");
    let route = "channels: [NAME-channel], bot: NAME-twin, desk: NAME-unblu";
    let file = file(&[CHANNEL, &twins, UNBLU], route);
    let fixture = Fixture::with_mocks(env, "callback", &file, &others).await;

    fixture.send_channel_message("c-1", "m-1", "Where is my order?").await;
    twin.wait_for_calls(1).await;
    let session = twin.sessions().remove(0);
    // An unsolicited bot message with choices, which this channel supports.
    let asks = json!({"body": "Which order?", "answers": ["Shoes", "A lamp"]});
    twin.bot_says(&session, asks).await;
    twin.operator_says(&session, "Olga", "I am here as well.").await;
    let received = fixture.mock.wait_for_requests("/channel", 2).await;
    assert_eq!(summarize(&received), ["Which order?", "I am here as well."]);
    let choices = &received[0].json()["data"]["choices"];
    assert_eq!(choices[1]["title"], "A lamp");
    let picked = json!({"type": "choice", "data": {"id": choices[1]["id"]}});
    assert_eq!(fixture.send_event("channel", "m-2", "c-1", picked).await.0, 200);
    let texts: Vec<_> = twin.wait_for_calls(2).await.iter().map(Accepted::text).collect();
    assert_eq!(texts, ["Where is my order?", "A lamp"]);

    fixture.send_channel_message("c-1", "m-3", "agent").await;
    let sent = unblu.wait_for_messages(2).await;
    let theirs = sent[0].conversation.clone();
    for known in ["Which order?", "I am here as well.", "A lamp"] {
        assert!(sent[0].data["text"].as_str().unwrap().contains(known), "{known}: {:?}", sent[0]);
    }
    let answer = unblu.agent_writes(&theirs, "It is on its way.", unblu.style());
    unblu_posts(&fixture, answer).await;
    fixture.mock.wait_for_requests("/channel", 3).await;
    twin.bot_says(&session, json!({"body": "Still me!"})).await;
    unblu_posts(&fixture, unblu.agent_ends(&theirs, "ENDED_BY_PARTICIPANT")).await;
    fixture.send_channel_message("c-1", "m-4", "And the shoes?").await;
    let texts = twin.wait_for_calls(3).await;
    assert!(texts.iter().any(|accepted| accepted.text() == "And the shoes?"), "{texts:?}");
    let received = summarize(&fixture.mock.expect_requests("/channel", 3).await);
    assert!(
        !received.contains(&"Still me!".to_owned()),
        "the bot does not own the conversation: {received:?}"
    );
}

/// Shows W12, W13, W14, W20.
pub async fn webex_to_servisbot_to_webex_agents_and_back(env: &TestEnvironment) {
    let bot = ServisBot::start().await;
    let route = "channels: [NAME-webex], bot: NAME-servisbot";
    let file = file(&[WEBEX, BY_EGRESS], route);
    let fixture = Fixture::with_mocks(env, "ccsp", &file, &servisbots(&bot)).await;
    fixture.send_webex_message("wx-1", "m-1", "Where is my order?").await;
    let customer = bot.wait_for_posts(1, SOON).await.remove(0).customer;
    // Several messages in one adapter request. The second one requests a handover.
    let egress = ServisBot::egress(&customer, &["Let me see.", "#people a late order"]);
    servisbot_posts(&fixture, egress).await;
    let out = fixture.mock.wait_for_requests("/webex", 2).await;
    assert_eq!(
        (out[0].json()["eventid"].clone(), out[0].text()),
        (json!("1001"), "Let me see.".into())
    );
    assert_eq!(out[1].json()["eventid"], "1002");
    assert_eq!(out[1].json()["customparam1"], "reason=a late order");
    assert_eq!(fixture.conversation("webex", "wx-1").await.owner(), Owner::Desk);

    // While Webex Connect's agents own the conversation, messages are not for the bot.
    let meanwhile = webex_message("wx-1", "m-2", "Hello?").replace(r#""BOT""#, r#""CCSP""#);
    assert_eq!(fixture.post("webex", meanwhile, &[]).await.0, 200);
    servisbot_posts(&fixture, ServisBot::egress(&customer, &["Still me!"])).await;
    fixture.send_webex_message("wx-1", "m-3", "One more thing").await;
    let posts = bot.wait_for_posts(2, SOON).await;
    assert_eq!(posts[1].value, "One more thing", "the bot owns the conversation again");
    servisbot_posts(&fixture, ServisBot::egress(&customer, &["Yes?"])).await;
    let texts: Vec<_> = fixture
        .mock
        .wait_for_requests("/webex", 3)
        .await
        .iter()
        .map(ReceivedRequest::text)
        .collect();
    assert_eq!(texts[2], "Yes?");
    fixture.mock.expect_requests("/webex", 3).await;
    assert!(bot.refused().is_empty(), "{:?}", bot.refused());
}

/// Shows S20.
pub async fn cm_to_servisbot_without_customer_reference_to_webhook_desk(env: &TestEnvironment) {
    let (cm, bot) = (CmRouter::start("product-token").await, ServisBot::start().await);
    cm.add_adapter(ADAPTER, Side::Host);
    bot.omit_customer_reference(true);
    let joined = SERVISBOT.replace("replies: eventing", "replies: eventing, join: text");
    let desk = BOT.replace("NAME-bot", "NAME-desk").replace("role: bot", "role: desk");
    let desk = desk.replace("MOCK/bot", "MOCK/desk");
    let mut others = servisbots(&bot);
    others.push(("CM", cm.outbound_url(ADAPTER)));
    others.push(("CM_TOKEN", "product-token".into()));
    let route = "channels: [NAME-cm], bot: NAME-servisbot, desk: NAME-desk";
    let file = file(&[CM, &joined, &desk], route);
    let fixture = Fixture::with_mocks(env, "nameless", &file, &others).await;
    let chats =
        [cm.chat("0031600000001", "0031201234567"), cm.chat("0031600000002", "0031201234567")];
    let texts = |of: &Value| -> Vec<String> {
        let of = of["id"].as_str().unwrap();
        cm.accepted().iter().filter(|one| one.chat == of).flat_map(CmAccepted::texts).collect()
    };

    // Both send the same text at once. The event cannot be attributed, so it is dropped.
    for chat in &chats {
        cm_posts(&fixture, "cm", cm.customer_writes(chat, "Hello")).await;
    }
    let posts = bot.wait_for_posts(2, SOON).await;
    servisbot_posts(&fixture, bot.event_call(&bot.user_message("one", "Hello"))).await;
    servisbot_posts(&fixture, bot.event_call(&bot.bot_message("one", "Lost"))).await;
    // The next message of each customer correlates. The bot's answer may arrive before it.
    cm_posts(&fixture, "cm", cm.customer_writes(&chats[0], "Where is my order?")).await;
    cm_posts(&fixture, "cm", cm.customer_writes(&chats[1], "A refund, please")).await;
    bot.wait_for_posts(4, SOON).await;
    let (answer, question) =
        (bot.bot_message("one", "It left."), bot.user_message("one", "Where is my order?"));
    tokio::join!(servisbot_posts(&fixture, bot.event_call(&answer)), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        servisbot_posts(&fixture, bot.event_call(&question)).await;
    });
    servisbot_posts(&fixture, bot.event_call(&bot.user_message("two", "A refund, please"))).await;
    servisbot_posts(&fixture, bot.event_call(&bot.bot_message("two", "It is yours."))).await;
    cm.wait_for_calls(2).await;
    assert_eq!(texts(&chats[0]), ["It left."]);
    assert_eq!(texts(&chats[1]), ["It is yours."]);
    assert_ne!(posts[0].customer, posts[1].customer);

    cm_posts(&fixture, "cm", cm.customer_writes(&chats[0], "agent")).await;
    let desk_conversation = fixture.mock.wait_for_requests("/desk", 2).await;
    assert_eq!(summarize(&desk_conversation), ["<handover>", "agent"]);
    let theirs = conversation(&desk_conversation);
    assert_eq!(fixture.send_event("desk", "d-1", &theirs, message_event("Ann here.")).await.0, 200);
    cm.wait_for_calls(3).await;
    assert_eq!(texts(&chats[0])[1], "Ann here.");
    assert_eq!(shown(&cm).len(), 3, "no other text was sent: {:?}", shown(&cm));
}

/// Shows C4.
pub async fn webhook_to_servisbot_to_cm_agents(env: &TestEnvironment) {
    let (cm, bot) = (CmRouter::start("product-token").await, ServisBot::start().await);
    cm.add_adapter(ADAPTER, Side::Client);
    let desk = CM
        .replace("NAME-cm:", "NAME-agents:")
        .replace("role: channel", "role: desk")
        .replace("{ send_url: '<CM>' }", "{ send_url: '<CM>', channel: CXWebConversations }");
    let mut others = servisbots(&bot);
    others.push(("CM", cm.outbound_url(ADAPTER)));
    others.push(("CM_TOKEN", "product-token".into()));
    let route = "channels: [NAME-channel], bot: NAME-servisbot, desk: NAME-agents";
    let file = file(&[CHANNEL, BY_EGRESS, &desk], route);
    let fixture = Fixture::with_mocks(env, "egress", &file, &others).await;
    fixture.send_channel_message("c-1", "m-1", "I want a person").await;
    let customer = bot.wait_for_posts(1, SOON).await.remove(0).customer;
    servisbot_posts(&fixture, ServisBot::egress(&customer, &["#people"])).await;
    let sent = cm.wait_for_calls(1).await;
    assert!(sent[0].texts().concat().contains("I want a person"), "{:?}", sent[0].texts());
    let chat = sent[0].chat_from_router();
    cm_posts(&fixture, "agents", cm.host_writes(&chat, "Good morning.")).await;
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/channel", 1).await), ["Good morning."]);
    let media = json!([{"url": "https://files.example/photo.png", "mime_type": "image/png"}]);
    let photo = json!({"type": "message", "data": {"text": "Look", "media": media}});
    assert_eq!(fixture.send_event("channel", "m-2", "c-1", photo).await.0, 200);
    let sent = cm.wait_for_calls(2).await;
    assert_eq!(
        sent[1].texts(),
        ["Look\nhttps://files.example/photo.png"],
        "a file is sent as a link"
    );
    cm_posts(&fixture, "agents", cm.event(&chat, "routerSessionEnded")).await;
    fixture.send_channel_message("c-1", "m-3", "Are you there, robot?").await;
    assert_eq!(bot.wait_for_posts(2, SOON).await[1].value, "Are you there, robot?");
}
