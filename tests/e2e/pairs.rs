//! More stories across platforms: bots that answer elsewhere than in the response, and people at the
//! channel's own side.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_shared::model::Owner;
use trunkline_stand_ins::cm::{Accepted as CmAccepted, CmRouter, Side};
use trunkline_stand_ins::servisbot::{API_KEY, ENGAGEMENT_SECRET, ServisBot};
use trunkline_stand_ins::twin::{Accepted, Twin24};
use trunkline_stand_ins::unblu::{Style, Unblu};
use trunkline_tests::{Heard, Scene, World, says, webex_message};

use crate::handover::{conversation, gist};
use crate::platforms::{
    ADAPTER, BOT, CHANNEL, CM, SERVISBOT, TWIN, UNBLU, WEBEX, cm_posts, file, servisbot_posts,
    shown, unblu_posts, unblus,
};

const SOON: Duration = Duration::from_secs(30);

/// ServisBOT by its engagement adapter alone: it answers there, too.
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

pub async fn a_webhook_channel_to_twin_by_callback_to_unblu(world: &World) {
    let (twin, unblu) = (Twin24::start(world.http.clone()).await, Unblu::start().await);
    twin.calls_back_by(world.port());
    let key = "a-path-key-for-twin-of-40-characters-000";
    let callback = format!("{}/in/twin/callback-twin/{key}", world.stack().facts.api);
    let mut others = unblus(&unblu);
    others.push(("TWIN", twin.settings(&json!({"answers": "callback"})).to_string()));
    others.push(("TWIN_KEY", key.to_owned()));
    others.push(("CALLBACK", callback));
    let secrets = "    secrets: { path_key: { env: TWIN_KEY }, callback_url: { env: CALLBACK } }\n";
    let twins = format!("{TWIN}{secrets}");
    let route = "channels: [NAME-channel], bot: NAME-twin, desk: NAME-unblu";
    let file = file(&[CHANNEL, &twins, UNBLU], route);
    let scene = Scene::beside(world, "callback", &file, &others).await;

    scene.writes("c-1", "m-1", "Where is my order?").await;
    twin.accepts(1).await;
    let session = twin.sessions().remove(0);
    // Of its own accord, with choices, which this channel shows as they are.
    let asks = json!({"body": "Which order?", "answers": ["Shoes", "A lamp"]});
    twin.bot_says(&session, asks).await;
    twin.operator_says(&session, "Olga", "I am here as well.").await;
    let heard = scene.far.hears("/channel", 2).await;
    assert_eq!(gist(&heard), ["Which order?", "I am here as well."]);
    let choices = &heard[0].json()["data"]["choices"];
    assert_eq!(choices[1]["title"], "A lamp");
    let picked = json!({"type": "choice", "data": {"id": choices[1]["id"]}});
    assert_eq!(scene.sends("channel", "m-2", "c-1", picked).await.0, 200);
    let said: Vec<_> = twin.accepts(2).await.iter().map(Accepted::text).collect();
    assert_eq!(said, ["Where is my order?", "A lamp"]);

    scene.writes("c-1", "m-3", "agent").await;
    let told = unblu.accepts(2).await;
    let theirs = told[0].conversation.clone();
    for known in ["Which order?", "I am here as well.", "A lamp"] {
        assert!(told[0].data["text"].as_str().unwrap().contains(known), "{known}: {:?}", told[0]);
    }
    unblu_posts(&scene, unblu.agent_writes(&theirs, "It is on its way.", Style::Outbound)).await;
    scene.far.hears("/channel", 3).await;
    twin.bot_says(&session, json!({"body": "Still me!"})).await;
    unblu_posts(&scene, unblu.agent_ends(&theirs, "MANUALLY")).await;
    scene.writes("c-1", "m-4", "And the shoes?").await;
    let said = twin.accepts(3).await;
    assert!(said.iter().any(|accepted| accepted.text() == "And the shoes?"), "{said:?}");
    let heard = gist(&scene.far.hears_only("/channel", 3).await);
    assert!(
        !heard.contains(&"Still me!".to_owned()),
        "the bot had not the conversation: {heard:?}"
    );
}

pub async fn webex_to_servisbot_to_webex_connects_own_agents_and_back(world: &World) {
    let bot = ServisBot::start().await;
    let route = "channels: [NAME-webex], bot: NAME-servisbot";
    let file = file(&[WEBEX, BY_EGRESS], route);
    let scene = Scene::beside(world, "ccsp", &file, &servisbots(&bot)).await;
    scene.customer_writes("wx-1", "m-1", "Where is my order?").await;
    let customer = bot.accepts(1, SOON).await.remove(0).customer;
    // Several messages in one call of the adapter; the second asks for people.
    let egress = ServisBot::egress(&customer, &["Let me see.", "#people a late order"]);
    servisbot_posts(&scene, egress).await;
    let out = scene.far.hears("/webex", 2).await;
    assert_eq!(
        (out[0].json()["eventid"].clone(), out[0].text()),
        (json!("1001"), "Let me see.".into())
    );
    assert_eq!(out[1].json()["eventid"], "1002");
    assert_eq!(out[1].json()["customparam1"], "reason=a late order");
    assert_eq!(scene.conversation("webex", "wx-1").await.owner(), Owner::Desk);

    // What is said while Webex Connect's agents have it is not the bot's.
    let meanwhile = webex_message("wx-1", "m-2", "Hello?").replace(r#""BOT""#, r#""CCSP""#);
    assert_eq!(scene.post("webex", meanwhile, &[]).await.0, 200);
    servisbot_posts(&scene, ServisBot::egress(&customer, &["Still me!"])).await;
    scene.customer_writes("wx-1", "m-3", "One more thing").await;
    let posts = bot.accepts(2, SOON).await;
    assert_eq!(posts[1].value, "One more thing", "the bot has it again");
    servisbot_posts(&scene, ServisBot::egress(&customer, &["Yes?"])).await;
    let texts: Vec<_> = scene.far.hears("/webex", 3).await.iter().map(Heard::text).collect();
    assert_eq!(texts[2], "Yes?");
    scene.far.hears_only("/webex", 3).await;
    assert!(bot.refused().is_empty(), "{:?}", bot.refused());
}

pub async fn cm_to_a_servisbot_whose_events_name_nobody_to_a_webhook_desk(world: &World) {
    let (cm, bot) = (CmRouter::start("product-token").await, ServisBot::start().await);
    cm.adapter(ADAPTER, Side::Host);
    bot.hides_customers(true);
    let joined = SERVISBOT.replace("replies: eventing", "replies: eventing, join: text");
    let desk = BOT.replace("NAME-bot", "NAME-desk").replace("role: bot", "role: desk");
    let desk = desk.replace("FAR/bot", "FAR/desk");
    let mut others = servisbots(&bot);
    others.push(("CM", cm.outbound_url(ADAPTER)));
    others.push(("CM_TOKEN", "product-token".into()));
    let route = "channels: [NAME-cm], bot: NAME-servisbot, desk: NAME-desk";
    let file = file(&[CM, &joined, &desk], route);
    let scene = Scene::beside(world, "nameless", &file, &others).await;
    let chats =
        [cm.chat("0031600000001", "0031201234567"), cm.chat("0031600000002", "0031201234567")];
    let texts = |of: &Value| -> Vec<String> {
        let of = of["id"].as_str().unwrap();
        cm.accepted().iter().filter(|one| one.chat == of).flat_map(CmAccepted::texts).collect()
    };

    // Both say the same at once: then nobody can tell whose the event is, and it is nobody's.
    for chat in &chats {
        cm_posts(&scene, "cm", cm.customer_writes(chat, "Hello")).await;
    }
    let posts = bot.accepts(2, SOON).await;
    servisbot_posts(&scene, bot.posted(&bot.hears("one", "Hello"))).await;
    servisbot_posts(&scene, bot.posted(&bot.says("one", "Lost"))).await;
    // The next thing that each says joins them; the bot's answer may be faster than that.
    cm_posts(&scene, "cm", cm.customer_writes(&chats[0], "Where is my order?")).await;
    cm_posts(&scene, "cm", cm.customer_writes(&chats[1], "A refund, please")).await;
    bot.accepts(4, SOON).await;
    let (answer, question) = (bot.says("one", "It left."), bot.hears("one", "Where is my order?"));
    tokio::join!(servisbot_posts(&scene, bot.posted(&answer)), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        servisbot_posts(&scene, bot.posted(&question)).await;
    });
    servisbot_posts(&scene, bot.posted(&bot.hears("two", "A refund, please"))).await;
    servisbot_posts(&scene, bot.posted(&bot.says("two", "It is yours."))).await;
    cm.accepts(2).await;
    assert_eq!(texts(&chats[0]), ["It left."]);
    assert_eq!(texts(&chats[1]), ["It is yours."]);
    assert_ne!(posts[0].customer, posts[1].customer);

    cm_posts(&scene, "cm", cm.customer_writes(&chats[0], "agent")).await;
    let desks = scene.far.hears("/desk", 2).await;
    assert_eq!(gist(&desks), ["<handover>", "agent"]);
    let theirs = conversation(&desks);
    assert_eq!(scene.sends("desk", "d-1", &theirs, says("Ann here.")).await.0, 200);
    cm.accepts(3).await;
    assert_eq!(texts(&chats[0])[1], "Ann here.");
    assert_eq!(shown(&cm).len(), 3, "nothing else was shown: {:?}", shown(&cm));
}

pub async fn a_webhook_channel_to_servisbot_to_agents_behind_cm(world: &World) {
    let (cm, bot) = (CmRouter::start("product-token").await, ServisBot::start().await);
    cm.adapter(ADAPTER, Side::Client);
    let desk = CM
        .replace("NAME-cm:", "NAME-agents:")
        .replace("role: channel", "role: desk")
        .replace("{ send_url: '<CM>' }", "{ send_url: '<CM>', channel: CXWebConversations }");
    let mut others = servisbots(&bot);
    others.push(("CM", cm.outbound_url(ADAPTER)));
    others.push(("CM_TOKEN", "product-token".into()));
    let route = "channels: [NAME-channel], bot: NAME-servisbot, desk: NAME-agents";
    let file = file(&[CHANNEL, BY_EGRESS, &desk], route);
    let scene = Scene::beside(world, "egress", &file, &others).await;
    scene.writes("c-1", "m-1", "I want a person").await;
    let customer = bot.accepts(1, SOON).await.remove(0).customer;
    servisbot_posts(&scene, ServisBot::egress(&customer, &["#people"])).await;
    let sent = cm.accepts(1).await;
    assert!(sent[0].texts().concat().contains("I want a person"), "{:?}", sent[0].texts());
    let chat = sent[0].chat_as_told();
    cm_posts(&scene, "agents", cm.host_writes(&chat, "Good morning.")).await;
    assert_eq!(gist(&scene.far.hears("/channel", 1).await), ["Good morning."]);
    let media = json!([{"url": "https://files.example/photo.png", "mime_type": "image/png"}]);
    let photo = json!({"type": "message", "data": {"text": "Look", "media": media}});
    assert_eq!(scene.sends("channel", "m-2", "c-1", photo).await.0, 200);
    let sent = cm.accepts(2).await;
    assert_eq!(sent[1].texts(), ["Look\nhttps://files.example/photo.png"], "a file as a link");
    cm_posts(&scene, "agents", cm.event(&chat, "routerSessionEnded")).await;
    scene.writes("c-1", "m-3", "Are you there, robot?").await;
    assert_eq!(bot.accepts(2, SOON).await[1].value, "Are you there, robot?");
}
