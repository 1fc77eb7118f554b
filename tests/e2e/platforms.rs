//! Stories across platforms: a channel, a bot and a desk of different vendors, each played by a
//! stand-in that refuses what the real one would.

use serde_json::{Value, json};
use trunkline_shared::model::Owner;
use trunkline_stand_ins::cm::{CmRouter, Notice, Side};
use trunkline_stand_ins::servisbot::{API_KEY, Call as Event, ENGAGEMENT_SECRET, ServisBot};
use trunkline_stand_ins::twin::{Accepted as TwinAccepted, Twin24};
use trunkline_stand_ins::unblu::{self, Answered, Call, Posted, Style, Unblu};
use trunkline_tests::{Scene, World, says};

use crate::handover::{conversation, gist};

pub const ADAPTER: &str = "7d1c2a94-3f0b-4e0d-8f5d-0a9d5c1e7b22";

pub const CM: &str = "
  NAME-cm:
    platform: cm
    role: channel
    sender_prefix: true
    settings: { send_url: '<CM>' }
    secrets: { product_token: { env: CM_TOKEN } }
";
pub const TWIN: &str = "
  NAME-twin:
    platform: twin
    role: bot
    settings: <TWIN>
";
pub const SERVISBOT: &str = "
  NAME-servisbot:
    platform: servisbot
    role: bot
    settings: { engagement_url: '<SERVISBOT>', replies: eventing, auth: api_key }
    secrets: { engagement_secret: { env: ENGAGE }, api_key: { env: API_KEY } }
";
pub const UNBLU: &str = "
  NAME-unblu:
    platform: unblu
    role: desk
    settings: { base_url: '<UNBLU>', channel_id: cHaNnElIdExample0000001, recipient_type: NAMED_AREA, recipient_id: nAmEdArEaIdExample00001 }
    secrets: { username: { env: UNBLU_USER }, password: { env: UNBLU_PASSWORD }, webhook_secret: { env: UNBLU_SECRET } }
";
pub const WEBEX: &str = "
  NAME-webex:
    platform: webex
    role: channel
    secrets: { verification_token: { env: TOKEN }, send_url: { env: WEBEX_URL } }
";
pub const CHANNEL: &str = "
  NAME-channel:
    platform: webhook
    role: channel
    settings: { message_url: FAR/channel }
    secrets: { signing: { env: NEW } }
";
pub const BOT: &str = "
  NAME-bot:
    platform: webhook
    role: bot
    settings: { message_url: FAR/bot }
    secrets: { signing: { env: NEW } }
";

pub fn file(connections: &[&str], route: &str) -> String {
    let keywords = "keywords: { en: { handover: [agent] } }";
    let connections = connections.concat();
    format!("connections:{connections}routes:\n  NAME: {{ {route}, {keywords} }}\n")
}

pub fn unblus(unblu: &Unblu) -> Vec<(&'static str, String)> {
    let (user, password) = unblu::ADMIN;
    vec![
        ("UNBLU", unblu.base_url("v4")),
        ("UNBLU_USER", user.to_owned()),
        ("UNBLU_PASSWORD", password.to_owned()),
        ("UNBLU_SECRET", unblu::SECRET.to_owned()),
    ]
}

pub async fn unblu_posts(scene: &Scene<'_>, call: Call) -> Posted {
    let headers: Vec<_> =
        call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let body = String::from_utf8(call.body.clone()).unwrap();
    let (status, answered, text) = scene.post_below("unblu", "", body, &headers).await;
    let headers = answered.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()));
    let answered = Answered { status, headers: headers.collect(), body: text.into_bytes() };
    let posted = call.judge(&answered);
    assert_eq!((posted.status, &posted.problem), (200, &None), "{posted:?}");
    posted
}

pub async fn cm_posts(scene: &Scene<'_>, which: &str, notice: Notice) {
    let (status, _, text) =
        scene.post_below(which, notice.path, notice.body, &notice.headers).await;
    assert!((200..300).contains(&status), "{status} {text}");
}

pub async fn servisbot_posts(scene: &Scene<'_>, event: Event) {
    let headers: Vec<_> =
        event.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let (status, _, text) = scene.post_below("servisbot", event.path, event.body, &headers).await;
    assert_eq!(status, 200, "{text}");
}

/// The texts that the router was sent for the customer.
pub fn shown(cm: &CmRouter) -> Vec<String> {
    cm.accepted().iter().flat_map(trunkline_stand_ins::cm::Accepted::texts).collect()
}

pub async fn cm_to_twin_to_unblu_and_back(world: &World) {
    let (cm, unblu) = (CmRouter::start("product-token").await, Unblu::start().await);
    cm.adapter(ADAPTER, Side::Host);
    let twin = Twin24::start(world.http.clone()).await;
    let mut others = unblus(&unblu);
    others.push(("CM", cm.outbound_url(ADAPTER)));
    others.push(("CM_TOKEN", "product-token".into()));
    others.push(("TWIN", twin.settings(&json!({})).to_string()));
    let route = "channels: [NAME-cm], bot: NAME-twin, desk: NAME-unblu";
    let scene = Scene::beside(world, "ctu", &file(&[CM, TWIN, UNBLU], route), &others).await;

    // The bot asks, with buttons that become numbers on the customer's side.
    twin.will_say(json!([{"body": "Which order?", "answers": ["Shoes", "A lamp"]}]));
    let chat = cm.chat("0031612345678", "0031201234567");
    cm_posts(&scene, "cm", cm.customer_writes(&chat, "Where is my order?")).await;
    cm.accepts(1).await;
    assert_eq!(shown(&cm), ["Which order?\n1. Shoes\n2. A lamp"]);
    twin.will_say(json!([{"body": "It left on Monday."}]));
    cm_posts(&scene, "cm", cm.customer_writes(&chat, "2")).await;
    cm.accepts(2).await;
    let said: Vec<_> = twin.accepts(2).await.iter().map(TwinAccepted::text).collect();
    assert_eq!(said, ["Where is my order?", "A lamp"], "the number typed is the choice");

    // People take over, and know what was said.
    cm_posts(&scene, "cm", cm.customer_writes(&chat, "agent")).await;
    let told = unblu.accepts(2).await;
    let text = |i: usize| told[i].data["text"].as_str().unwrap_or_default().to_owned();
    for known in ["the customer asked", "Where is my order?", "It left on Monday."] {
        assert!(text(0).contains(known), "{known}: {}", text(0));
    }
    assert_eq!(text(1), "agent");
    let theirs = told[0].conversation.clone();
    for style in [Style::Webhook, Style::Outbound] {
        unblu_posts(&scene, unblu.agent_writes(&theirs, "I look it up.", style)).await;
    }
    unblu_posts(&scene, unblu.agent_notes(&theirs, "a difficult one", Style::Outbound)).await;
    let card = unblu.agent_sends_file(&theirs, "label.pdf", Style::Outbound);
    unblu_posts(&scene, card).await;
    cm.accepts(5).await;
    let shown_by_people = &shown(&cm)[2..];
    assert_eq!(shown_by_people[0], "Grace Hopper: I look it up.");
    assert!(shown_by_people[2].contains("/files/label.pdf"), "{shown_by_people:?}");
    assert!(!shown(&cm).concat().contains("difficult"), "a note stays with the agents");

    // They are done, and the bot has the conversation again.
    unblu_posts(&scene, unblu.agent_ends(&theirs, "OTHER")).await;
    twin.will_say(json!([{"body": "You are welcome."}]));
    cm_posts(&scene, "cm", cm.customer_writes(&chat, "thanks")).await;
    cm.accepts(6).await;
    assert_eq!(shown(&cm)[5], "You are welcome.");
    let key = chat["id"].as_str().unwrap();
    assert_eq!(scene.conversation("cm", key).await.owner(), Owner::Bot);
    assert_eq!((twin.refused(), cm.refused()), (vec![], vec![]));
}

pub async fn webex_to_servisbot_to_unblu(world: &World) {
    let (bot, unblu) = (ServisBot::start().await, Unblu::start().await);
    let mut others = unblus(&unblu);
    others.push(("SERVISBOT", bot.engagement_url()));
    others.push(("ENGAGE", ENGAGEMENT_SECRET.into()));
    others.push(("API_KEY", API_KEY.into()));
    let route = "channels: [NAME-webex], bot: NAME-servisbot, desk: NAME-unblu";
    let file = file(&[WEBEX, SERVISBOT, UNBLU], route);
    let scene = Scene::beside(world, "wsu", &file, &others).await;
    scene.customer_writes("wx-1", "m-1", "Where is my order?").await;
    let post = bot.accepts(1, std::time::Duration::from_secs(30)).await.remove(0);
    assert_eq!(post.value, "Where is my order?");
    let customer = post.customer;

    // What was posted comes back as an event, and is no message; the bot's is, once.
    let asks = bot.offers(&customer, "Pick one", &[("Track", "0"), ("Refund", "1")]);
    let events =
        [bot.hears(&customer, "Where is my order?"), bot.says(&customer, "Let me see."), asks];
    for event in &events {
        for _ in 0..2 {
            servisbot_posts(&scene, bot.posted(event)).await;
        }
    }
    let shown = scene.far.hears_only("/webex", 2).await;
    let texts: Vec<_> = shown.iter().map(trunkline_tests::Heard::text).collect();
    assert_eq!(texts, ["Let me see.", "Pick one\n1. Track\n2. Refund"]);
    scene.customer_writes("wx-1", "m-2", "2").await;
    let posts = bot.accepts(2, std::time::Duration::from_secs(30)).await;
    assert_eq!(posts[1].value, "Refund", "the choice by its label");

    scene.customer_writes("wx-1", "m-3", "agent").await;
    let told = unblu.accepts(2).await;
    unblu_posts(&scene, unblu.agent_writes(&told[0].conversation, "Hello.", Style::Webhook)).await;
    assert_eq!(scene.far.hears("/webex", 3).await[2].text(), "Hello.");
    let late = bot.says(&customer, "Still me.");
    servisbot_posts(&scene, bot.posted(&late)).await;
    scene.far.hears_only("/webex", 3).await;
    assert!(bot.refused().is_empty(), "{:?}", bot.refused());
}

pub async fn people_at_unblu_begin_a_conversation(world: &World) {
    let unblu = Unblu::start().await;
    let route = "channels: [NAME-channel], bot: NAME-bot, desk: NAME-unblu";
    let file = file(&[CHANNEL, BOT, UNBLU], route);
    let scene = Scene::beside(world, "begins", &file, &unblus(&unblu)).await;
    let wanted = unblu.agent_wants_contact("begins-channel/c-9", "Ada");
    let contact = unblu.takes_contact(&unblu_posts(&scene, wanted).await);
    let begun = unblu_posts(&scene, unblu.agent_begins(&contact)).await;
    let theirs = unblu.takes_conversation(&begun, &contact);
    let first = unblu.agent_writes(&theirs, "Your parcel is here.", Style::Outbound);
    unblu_posts(&scene, first).await;
    let shown = scene.far.hears("/channel", 1).await;
    assert_eq!(gist(&shown), ["Your parcel is here."]);
    assert_eq!(conversation(&shown), "c-9");
    scene.writes("c-9", "m-1", "Thanks, I come today.").await;
    let answer = unblu.accepts(1).await.remove(0);
    assert_eq!(answer.conversation, theirs, "in the conversation that they began");
    assert_eq!(answer.data["text"], "Thanks, I come today.");
    assert!(scene.far.heard("/bot").is_empty());
    // Nobody's customers but those of channels whose route has this desk.
    let stranger = unblu.agent_wants_contact("ctu-cm/somebody", "Bob");
    let contact = unblu.takes_contact(&unblu_posts(&scene, stranger).await);
    let begun = unblu_posts(&scene, unblu.agent_begins(&contact)).await;
    let theirs = unblu.takes_conversation(&begun, &contact);
    unblu_posts(&scene, unblu.agent_writes(&theirs, "psst", Style::Outbound)).await;
    scene.far.hears_only("/channel", 1).await;
}

pub async fn cm_as_a_host_hands_over_by_its_own_router(world: &World) {
    let cm = CmRouter::start("product-token").await;
    cm.adapter(ADAPTER, Side::Host);
    let settings = "{ send_url: '<CM>', control_url: '<CONTROL>', handover: mutation, disable_adapter: bot-adapter, enable_adapter: agent-adapter }";
    let channel = CM.replace("{ send_url: '<CM>' }", settings);
    let others = [
        ("CM", cm.outbound_url(ADAPTER)),
        ("CONTROL", cm.control_url()),
        ("CM_TOKEN", "product-token".to_owned()),
    ];
    let file = file(&[&channel, BOT], "channels: [NAME-cm], bot: NAME-bot");
    let scene = Scene::beside(world, "cm-own", &file, &others).await;
    let chat = cm.chat("0031612345678", "0031201234567");
    cm_posts(&scene, "cm", cm.customer_writes(&chat, "a person, please")).await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    let handover =
        json!({"type": "handover", "data": {"reason": "asked", "context": {"lang": "nl"}}});
    assert_eq!(scene.sends("bot", "b-1", &bots, handover).await.0, 200);
    let mutation = cm.accepts(1).await.remove(0);
    assert_eq!(
        (mutation.what, &mutation.chat),
        ("mutation", &chat["id"].as_str().unwrap().to_owned())
    );
    assert!(mutation.body.to_string().contains("agent-adapter"), "{}", mutation.body);
    assert!(mutation.body.to_string().contains("nl"), "{}", mutation.body);
    // The router tells us so, with a body that an empty context breaks; and the session ends.
    cm_posts(&scene, "cm", cm.handover(&chat, None)).await;
    let (status, refused) = scene.sends("bot", "b-2", &bots, says("Still me!")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_owner")));
    cm_posts(&scene, "cm", cm.event(&chat, "RouterSessionEnded")).await;
    let (status, closed) = scene.sends("bot", "b-3", &bots, says("Anybody?")).await;
    assert_eq!((status, &closed["code"]), (409, &json!("conversation_closed")));
    let rejected: Value = json!(cm.refused());
    assert_eq!(rejected, json!([]));
}

pub async fn a_desk_behind_cms_router(world: &World) {
    let cm = CmRouter::start("product-token").await;
    cm.adapter(ADAPTER, Side::Client);
    let desk = CM
        .replace("NAME-cm:", "NAME-agents:")
        .replace("role: channel", "role: desk")
        .replace("{ send_url: '<CM>' }", "{ send_url: '<CM>', channel: CXWebConversations }");
    let others = [("CM", cm.outbound_url(ADAPTER)), ("CM_TOKEN", "product-token".to_owned())];
    let route = "channels: [NAME-channel], bot: NAME-bot, desk: NAME-agents";
    let file = file(&[CHANNEL, BOT, &desk], route);
    let scene = Scene::beside(world, "cm-desk", &file, &others).await;
    scene.writes("c-1", "m-1", "hi").await;
    scene.far.hears("/bot", 1).await;
    scene.writes("c-1", "m-2", "agent").await;
    let sent = cm.accepts(2).await;
    assert!(sent[0].texts().concat().contains("hi"), "{:?}", sent[0].texts());
    assert_eq!(sent[1].texts(), ["agent"]);
    assert_eq!(sent[0].chat, sent[1].chat, "one chat, whose id the router chose");
    let chat = sent[0].chat_as_told();
    cm_posts(&scene, "agents", cm.host_writes(&chat, "Good morning.")).await;
    assert_eq!(gist(&scene.far.hears("/channel", 1).await), ["Good morning."]);
    cm_posts(&scene, "agents", cm.event(&chat, "routerSessionEnded")).await;
    assert_eq!(gist(&scene.far.hears("/bot", 2).await)[1], "<handback>");
}

pub async fn files_and_receipts_between_a_channel_and_unblu(world: &World) {
    let unblu = Unblu::start().await;
    let route = "channels: [NAME-channel], bot: NAME-bot, desk: NAME-unblu";
    let file = file(&[CHANNEL, BOT, UNBLU], route);
    let scene = Scene::beside(world, "files", &file, &unblus(&unblu)).await;
    scene.writes("c-1", "m-1", "agent").await;
    let theirs = unblu.accepts(2).await[0].conversation.clone();
    let media = json!([{"url": scene.far.url("/photo.png"), "mime_type": "image/png"}]);
    let photo = json!({"type": "message", "data": {"text": "Look", "media": media}});
    assert_eq!(scene.sends("channel", "m-2", "c-1", photo).await.0, 200);
    let sent = unblu.accepts(3).await;
    let file = &sent[2].data;
    assert_eq!((&file["type"], &file["caption"]), (&json!("FILE"), &json!("Look")));
    // The far side of this scene answers any path with `{}`.
    assert_eq!(file["fileData"], "data:image/png;base64,e30=");
    scene.settled("channel", "c-1").await;

    // Unblu tells that an agent has read it, and is told that the customer has read the answer.
    unblu_posts(&scene, unblu.agent_gets(&sent[2].id, "READ", Style::Webhook)).await;
    let told = scene.far.hears("/channel", 1).await[0].json();
    assert_eq!((&told["type"], &told["data"]["message"]), (&json!("receipt"), &json!("m-2")));
    let answer = unblu.agent_writes(&theirs, "I see.", Style::Outbound);
    let answered = answer.json()["conversationMessage"]["id"].clone();
    unblu_posts(&scene, answer).await;
    let shown = scene.far.hears("/channel", 2).await[1].json();
    scene.settled("channel", "c-1").await;
    let read = json!({"type": "receipt", "data": {"message": shown["id"], "status": "read"}});
    assert_eq!(scene.sends("channel", "r-1", "c-1", read).await.0, 200);
    let marked = unblu.is_told(1).await.remove(0);
    assert_eq!((marked.call.as_str(), json!(marked.message)), ("messageRead", answered));

    // The customer leaves, and Unblu's conversation is ended.
    assert_eq!(scene.sends("channel", "m-3", "c-1", json!({"type": "close"})).await.0, 200);
    assert_eq!(unblu.ends(1).await[0].conversation, theirs);
}

pub async fn our_conversations_are_readable_as_servisbot_events(world: &World) {
    let history = ServisBot::start().await;
    let archive = "
  NAME-archive:
    platform: servisbot
    role: observer
    shows: [choices]
    settings: { eventing_url: '<HISTORY>', organization: acme }
    secrets: { api_key: { env: API_KEY } }
";
    let others = [("HISTORY", history.history_url()), ("API_KEY", API_KEY.to_owned())];
    let route = "channels: [NAME-channel], bot: NAME-bot, observers: [NAME-archive]";
    let file = file(&[CHANNEL, BOT, archive], route);
    let scene = Scene::beside(world, "history", &file, &others).await;
    scene.writes("c-1", "m-1", "hi").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    let choices = json!([{"id": "r", "title": "Red"}, {"id": "b", "title": "Blue"}]);
    let asks = json!({"type": "message", "data": {"text": "Which?", "choices": choices}});
    assert_eq!(scene.sends("bot", "b-1", &bots, asks).await.0, 200);
    let kept = history.persists(2, std::time::Duration::from_secs(30)).await;
    let gist: Vec<_> = kept
        .iter()
        .map(|message| (message["to"].as_str().unwrap(), message["contentType"].as_str().unwrap()))
        .collect();
    assert_eq!(gist, [("server", "message"), ("client", "markup")]);
    assert!(history.refused().is_empty(), "{:?}", history.refused());
}
