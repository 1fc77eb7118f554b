//! End-to-end conversations across platforms: a channel, a bot and a desk of different vendors, each a
//! mock that enforces the vendor's rules.

use serde_json::{Value, json};
use trunkline_cm_mock::{AdapterCall, CmRouter, Side};
use trunkline_core::model::Owner;
use trunkline_servisbot_mock::{API_KEY, Call as Event, ENGAGEMENT_SECRET, ServisBot};
use trunkline_tests::{Fixture, TestEnvironment, message_event, unblu_version};
use trunkline_twin_mock::{Accepted as TwinAccepted, Twin24};
use trunkline_unblu_mock::{
    self as unblu, ApiVersion, CallResult, CallStyle, EndpointCall, EndpointReply, Unblu,
};

use crate::handover::{conversation, summarize};

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
    settings: { base_url: '<UNBLU>', api_version: <UNBLU_API>, channel_id: cHaNnElIdExample0000001, recipient_type: NAMED_AREA, recipient_id: nAmEdArEaIdExample00001 }
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
    settings: { message_url: MOCK/channel }
    secrets: { signing: { env: NEW } }
";
pub const BOT: &str = "
  NAME-bot:
    platform: webhook
    role: bot
    settings: { message_url: MOCK/bot }
    secrets: { signing: { env: NEW } }
";

pub fn file(connections: &[&str], route: &str) -> String {
    let keywords = "keywords: { en: { handover: [agent] } }";
    let connections = connections.concat();
    format!("connections:{connections}routes:\n  NAME: {{ {route}, {keywords} }}\n")
}

/// Starts Unblu with the web API of this run. A story that calls this runs with each version.
pub async fn start_unblu() -> Unblu {
    crate::expect_story_with_unblu();
    Unblu::start(unblu_version::current()).await
}

pub fn unblus(unblu: &Unblu) -> Vec<(&'static str, String)> {
    let (user, password) = unblu::ADMIN;
    vec![
        ("UNBLU", unblu.api_url()),
        ("UNBLU_API", unblu.version().word().to_owned()),
        ("UNBLU_USER", user.to_owned()),
        ("UNBLU_PASSWORD", password.to_owned()),
        ("UNBLU_SECRET", unblu::SECRET.to_owned()),
    ]
}

pub async fn unblu_posts(fixture: &Fixture<'_>, call: EndpointCall) -> CallResult {
    let headers: Vec<_> =
        call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let body = String::from_utf8(call.body.clone()).unwrap();
    let (status, answered, text) = fixture.post_below("unblu", "", body, &headers).await;
    let headers = answered.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()));
    let answered = EndpointReply { status, headers: headers.collect(), body: text.into_bytes() };
    let posted = call.check(&answered);
    assert_eq!((posted.status, &posted.problem), (200, &None), "{posted:?}");
    posted
}

pub async fn cm_posts(fixture: &Fixture<'_>, which: &str, notice: AdapterCall) {
    let (status, _, text) =
        fixture.post_below(which, notice.path, notice.body, &notice.headers).await;
    assert!((200..300).contains(&status), "{status} {text}");
}

pub async fn servisbot_posts(fixture: &Fixture<'_>, event: Event) {
    let headers: Vec<_> =
        event.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let (status, _, text) = fixture.post_below("servisbot", event.path, event.body, &headers).await;
    assert_eq!(status, 200, "{text}");
}

/// Returns the texts that the router received for the customer.
pub fn shown(cm: &CmRouter) -> Vec<String> {
    cm.accepted().iter().flat_map(trunkline_cm_mock::Accepted::texts).collect()
}

/// Shows C1, C2, C5, C10, C12, T2, T10, T22, U1, U5, U11, U20.
pub async fn cm_to_twin_to_unblu_and_back(env: &TestEnvironment) {
    let (cm, unblu) = (CmRouter::start("product-token").await, start_unblu().await);
    cm.add_adapter(ADAPTER, Side::Host);
    let twin = Twin24::start(env.http.clone()).await;
    let mut others = unblus(&unblu);
    others.push(("CM", cm.outbound_url(ADAPTER)));
    others.push(("CM_TOKEN", "product-token".into()));
    others.push(("TWIN", twin.settings(&json!({"answers": "response"})).to_string()));
    let route = "channels: [NAME-cm], bot: NAME-twin, desk: NAME-unblu";
    let fixture = Fixture::with_mocks(env, "ctu", &file(&[CM, TWIN, UNBLU], route), &others).await;

    // The bot's buttons are numbers for the customer.
    twin.queue_reply(json!([{"body": "Which order?", "answers": ["Shoes", "A lamp"]}]));
    let chat = cm.chat("0031612345678", "0031201234567");
    cm_posts(&fixture, "cm", cm.customer_writes(&chat, "Where is my order?")).await;
    cm.wait_for_calls(1).await;
    assert_eq!(shown(&cm), ["Which order?\n1. Shoes\n2. A lamp"]);
    twin.queue_reply(json!([{"body": "It left on Monday."}]));
    cm_posts(&fixture, "cm", cm.customer_writes(&chat, "2")).await;
    cm.wait_for_calls(2).await;
    let texts: Vec<_> = twin.wait_for_calls(2).await.iter().map(TwinAccepted::text).collect();
    assert_eq!(texts, ["Where is my order?", "A lamp"], "a typed number selects the choice");

    // The desk takes over and receives the transcript.
    cm_posts(&fixture, "cm", cm.customer_writes(&chat, "agent")).await;
    let sent = unblu.wait_for_messages(2).await;
    let text = |i: usize| sent[i].data["text"].as_str().unwrap_or_default().to_owned();
    for known in ["the customer asked", "Where is my order?", "It left on Monday."] {
        assert!(text(0).contains(known), "{known}: {}", text(0));
    }
    assert_eq!(text(1), "agent");
    let theirs = sent[0].conversation.clone();
    for style in [CallStyle::Webhook, unblu.style()] {
        unblu_posts(&fixture, unblu.agent_writes(&theirs, "I look it up.", style)).await;
    }
    let note = unblu.agent_writes_note(&theirs, "a difficult one", unblu.style());
    unblu_posts(&fixture, note).await;
    let file = unblu.agent_sends_file(&theirs, "label.pdf", unblu.style());
    unblu_posts(&fixture, file).await;
    cm.wait_for_calls(5).await;
    let shown_by_people = &shown(&cm)[2..];
    assert_eq!(shown_by_people[0], "Grace Hopper: I look it up.");
    let link = &shown_by_people[2];
    assert!(link.contains("label.pdf: http") && link.contains("&signature="), "{link}");
    assert!(
        !shown(&cm).concat().contains("difficult"),
        "an agent's note is not sent to the customer"
    );

    // The agent ends the conversation, and the bot owns it again.
    unblu_posts(&fixture, unblu.agent_ends(&theirs, "OTHER")).await;
    twin.queue_reply(json!([{"body": "You are welcome."}]));
    cm_posts(&fixture, "cm", cm.customer_writes(&chat, "thanks")).await;
    cm.wait_for_calls(6).await;
    assert_eq!(shown(&cm)[5], "You are welcome.");
    let key = chat["id"].as_str().unwrap();
    assert_eq!(fixture.conversation("cm", key).await.owner(), Owner::Bot);
    assert_eq!((twin.refused(), cm.refused()), (vec![], vec![]));
}

/// Shows W1, W2, W9, W11, S1, S2, S3, S5, S8, S9, S18.
pub async fn webex_to_servisbot_to_unblu(env: &TestEnvironment) {
    let (bot, unblu) = (ServisBot::start().await, start_unblu().await);
    let mut others = unblus(&unblu);
    others.push(("SERVISBOT", bot.engagement_url()));
    others.push(("ENGAGE", ENGAGEMENT_SECRET.into()));
    others.push(("API_KEY", API_KEY.into()));
    let route = "channels: [NAME-webex], bot: NAME-servisbot, desk: NAME-unblu";
    let file = file(&[WEBEX, SERVISBOT, UNBLU], route);
    let fixture = Fixture::with_mocks(env, "wsu", &file, &others).await;
    fixture.send_webex_message("wx-1", "m-1", "Where is my order?").await;
    let post = bot.wait_for_posts(1, std::time::Duration::from_secs(30)).await.remove(0);
    assert_eq!(post.value, "Where is my order?");
    let customer = post.customer;

    // ServisBOT echoes the customer's message, which is ignored. The bot's message is delivered once.
    let asks = bot.buttons(&customer, "Pick one", &[("Track", "0"), ("Refund", "1")]);
    let events = [
        bot.user_message(&customer, "Where is my order?"),
        bot.bot_message(&customer, "Let me see."),
        asks,
    ];
    for event in &events {
        for _ in 0..2 {
            servisbot_posts(&fixture, bot.event_call(event)).await;
        }
    }
    let shown = fixture.mock.expect_requests("/webex", 2).await;
    let texts: Vec<_> = shown.iter().map(trunkline_tests::ReceivedRequest::text).collect();
    assert_eq!(texts, ["Let me see.", "Pick one\n1. Track\n2. Refund"]);
    fixture.send_webex_message("wx-1", "m-2", "2").await;
    let posts = bot.wait_for_posts(2, std::time::Duration::from_secs(30)).await;
    assert_eq!(posts[1].value, "Refund", "the choice is sent by its label");

    fixture.send_webex_message("wx-1", "m-3", "agent").await;
    let sent = unblu.wait_for_messages(2).await;
    unblu_posts(&fixture, unblu.agent_writes(&sent[0].conversation, "Hello.", CallStyle::Webhook))
        .await;
    assert_eq!(fixture.mock.wait_for_requests("/webex", 3).await[2].text(), "Hello.");
    let late = bot.bot_message(&customer, "Still me.");
    servisbot_posts(&fixture, bot.event_call(&late)).await;
    fixture.mock.expect_requests("/webex", 3).await;
    assert!(bot.refused().is_empty(), "{:?}", bot.refused());
}

/// Shows U20.
pub async fn unblu_agent_starts_conversation(env: &TestEnvironment) {
    // v3 has no request for it.
    let unblu = Unblu::start(ApiVersion::V4).await;
    let route = "channels: [NAME-channel], bot: NAME-bot, desk: NAME-unblu";
    let file = file(&[CHANNEL, BOT, UNBLU], route);
    let fixture = Fixture::with_mocks(env, "begins", &file, &unblus(&unblu)).await;
    let wanted = unblu.agent_requests_contact("begins-channel/c-9", "Ada");
    let contact = unblu.create_contact(&unblu_posts(&fixture, wanted).await);
    let begun = unblu_posts(&fixture, unblu.agent_starts_conversation(&contact)).await;
    let theirs = unblu.create_conversation(&begun, &contact);
    let first = unblu.agent_writes(&theirs, "Your parcel is here.", CallStyle::Outbound);
    unblu_posts(&fixture, first).await;
    let shown = fixture.mock.wait_for_requests("/channel", 1).await;
    assert_eq!(summarize(&shown), ["Your parcel is here."]);
    assert_eq!(conversation(&shown), "c-9");
    fixture.send_channel_message("c-9", "m-1", "Thanks, I come today.").await;
    let answer = unblu.wait_for_messages(1).await.remove(0);
    assert_eq!(answer.conversation, theirs, "in the conversation that the agent started");
    assert_eq!(answer.data["text"], "Thanks, I come today.");
    assert!(fixture.mock.requests("/bot").is_empty());
    // The desk reaches only customers of channels whose route has this desk.
    let stranger = unblu.agent_requests_contact("ctu-cm/somebody", "Bob");
    let contact = unblu.create_contact(&unblu_posts(&fixture, stranger).await);
    let begun = unblu_posts(&fixture, unblu.agent_starts_conversation(&contact)).await;
    let theirs = unblu.create_conversation(&begun, &contact);
    unblu_posts(&fixture, unblu.agent_writes(&theirs, "psst", CallStyle::Outbound)).await;
    fixture.mock.expect_requests("/channel", 1).await;
}

/// Shows C6, C8.
pub async fn cm_host_hands_over_through_its_router(env: &TestEnvironment) {
    let cm = CmRouter::start("product-token").await;
    cm.add_adapter(ADAPTER, Side::Host);
    let settings = "{ send_url: '<CM>', control_url: '<CONTROL>', handover: mutation, disable_adapter: bot-adapter, enable_adapter: agent-adapter }";
    let channel = CM.replace("{ send_url: '<CM>' }", settings);
    let others = [
        ("CM", cm.outbound_url(ADAPTER)),
        ("CONTROL", cm.control_url()),
        ("CM_TOKEN", "product-token".to_owned()),
    ];
    let file = file(&[&channel, BOT], "channels: [NAME-cm], bot: NAME-bot");
    let fixture = Fixture::with_mocks(env, "cm-own", &file, &others).await;
    let chat = cm.chat("0031612345678", "0031201234567");
    cm_posts(&fixture, "cm", cm.customer_writes(&chat, "a person, please")).await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    let handover =
        json!({"type": "handover", "data": {"reason": "asked", "context": {"lang": "nl"}}});
    assert_eq!(fixture.send_event("bot", "b-1", &bot_conversation, handover).await.0, 200);
    let mutation = cm.wait_for_calls(1).await.remove(0);
    assert_eq!(
        (mutation.what, &mutation.chat),
        ("mutation", &chat["id"].as_str().unwrap().to_owned())
    );
    assert!(mutation.body.to_string().contains("agent-adapter"), "{}", mutation.body);
    assert!(mutation.body.to_string().contains("nl"), "{}", mutation.body);
    // The router confirms the handover with invalid JSON (empty context), and ends the session.
    cm_posts(&fixture, "cm", cm.handover(&chat, None)).await;
    let (status, refused) =
        fixture.send_event("bot", "b-2", &bot_conversation, message_event("Still me!")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_owner")));
    cm_posts(&fixture, "cm", cm.event(&chat, "RouterSessionEnded")).await;
    let (status, closed) =
        fixture.send_event("bot", "b-3", &bot_conversation, message_event("Anybody?")).await;
    assert_eq!((status, &closed["code"]), (409, &json!("conversation_closed")));
    let rejected: Value = json!(cm.refused());
    assert_eq!(rejected, json!([]));
}

/// Shows C4.
pub async fn desk_behind_cm_router(env: &TestEnvironment) {
    let cm = CmRouter::start("product-token").await;
    cm.add_adapter(ADAPTER, Side::Client);
    let desk = CM
        .replace("NAME-cm:", "NAME-agents:")
        .replace("role: channel", "role: desk")
        .replace("{ send_url: '<CM>' }", "{ send_url: '<CM>', channel: CXWebConversations }");
    let others = [("CM", cm.outbound_url(ADAPTER)), ("CM_TOKEN", "product-token".to_owned())];
    let route = "channels: [NAME-channel], bot: NAME-bot, desk: NAME-agents";
    let file = file(&[CHANNEL, BOT, &desk], route);
    let fixture = Fixture::with_mocks(env, "cm-desk", &file, &others).await;
    fixture.send_channel_message("c-1", "m-1", "hi").await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    fixture.send_channel_message("c-1", "m-2", "agent").await;
    let sent = cm.wait_for_calls(2).await;
    assert!(sent[0].texts().concat().contains("hi"), "{:?}", sent[0].texts());
    assert_eq!(sent[1].texts(), ["agent"]);
    assert_eq!(sent[0].chat, sent[1].chat, "one chat, with the router's id");
    let chat = sent[0].chat_from_router();
    cm_posts(&fixture, "agents", cm.host_writes(&chat, "Good morning.")).await;
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/channel", 1).await), ["Good morning."]);
    cm_posts(&fixture, "agents", cm.event(&chat, "routerSessionEnded")).await;
    assert_eq!(summarize(&fixture.mock.wait_for_requests("/bot", 2).await)[1], "<handback>");
}

pub async fn files_and_receipts_between_channel_and_unblu(env: &TestEnvironment) {
    let unblu = start_unblu().await;
    let route = "channels: [NAME-channel], bot: NAME-bot, desk: NAME-unblu";
    let file = file(&[CHANNEL, BOT, UNBLU], route);
    let fixture = Fixture::with_mocks(env, "files", &file, &unblus(&unblu)).await;
    fixture.send_channel_message("c-1", "m-1", "agent").await;
    let theirs = unblu.wait_for_messages(2).await[0].conversation.clone();
    let media = json!([{"url": fixture.mock.url("/photo.png"), "mime_type": "image/png"}]);
    let photo = json!({"type": "message", "data": {"text": "Look", "media": media}});
    assert_eq!(fixture.send_event("channel", "m-2", "c-1", photo).await.0, 200);
    let sent = unblu.wait_for_messages(3).await;
    let file = &sent[2].data;
    assert_eq!((&file["type"], &file["caption"]), (&json!("FILE"), &json!("Look")));
    // The mock responds to any path with `{}`.
    assert_eq!(file["fileData"], "data:image/png;base64,e30=");
    fixture.wait_for_outcomes("channel", "c-1").await;

    // Read receipts in both directions: the agent's from Unblu, the customer's to Unblu.
    unblu_posts(&fixture, unblu.message_state_changes(&sent[2].id, "READ", CallStyle::Webhook))
        .await;
    let sent = fixture.mock.wait_for_requests("/channel", 1).await[0].json();
    assert_eq!((&sent["type"], &sent["data"]["message"]), (&json!("receipt"), &json!("m-2")));
    let answer = unblu.agent_writes(&theirs, "I see.", unblu.style());
    let answered = answer.json()["conversationMessage"]["id"].clone();
    unblu_posts(&fixture, answer).await;
    let shown = fixture.mock.wait_for_requests("/channel", 2).await[1].json();
    fixture.wait_for_outcomes("channel", "c-1").await;
    let read = json!({"type": "receipt", "data": {"message": shown["id"], "status": "read"}});
    assert_eq!(fixture.send_event("channel", "r-1", "c-1", read).await.0, 200);
    let states = unblu.wait_for_states(2).await;
    let states: Vec<_> =
        states.iter().map(|state| (state.call.as_str(), json!(state.message))).collect();
    assert_eq!(states, [("messageSentSuccessfully", answered.clone()), ("messageRead", answered)]);

    // The customer closes, and Unblu's conversation is ended.
    assert_eq!(fixture.send_event("channel", "m-3", "c-1", json!({"type": "close"})).await.0, 200);
    assert_eq!(unblu.wait_for_ends(1).await[0].conversation, theirs);
}

pub async fn servisbot_observer_receives_eventing_messages(env: &TestEnvironment) {
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
    let fixture = Fixture::with_mocks(env, "history", &file, &others).await;
    fixture.send_channel_message("c-1", "m-1", "hi").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    let choices = json!([{"id": "r", "title": "Red"}, {"id": "b", "title": "Blue"}]);
    let asks = json!({"type": "message", "data": {"text": "Which?", "choices": choices}});
    assert_eq!(fixture.send_event("bot", "b-1", &bot_conversation, asks).await.0, 200);
    history.wait_for_history(2, std::time::Duration::from_secs(30)).await;
    fixture.send_channel_message("c-1", "m-2", "Blue").await;
    let kept = history.wait_for_history(3, std::time::Duration::from_secs(30)).await;
    let summaries: Vec<_> = kept
        .iter()
        .map(|message| (message["to"].as_str().unwrap(), message["contentType"].as_str().unwrap()))
        .collect();
    let expected = [("server", "message"), ("client", "markup"), ("server", "markupInteraction")];
    assert_eq!(summaries, expected);
    assert_eq!(kept[2]["contents"]["source"]["id"], kept[1]["id"], "the click names its markup");
    assert!(history.refused().is_empty(), "{:?}", history.refused());
}
