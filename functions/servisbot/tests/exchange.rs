//! Over real HTTP, with a stand-in of ServisBOT on the other side.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use std::time::Duration;

use common::{CONVERSATION, connection, content, delivery, events, now, says, secrets};
use http::{HeaderMap, HeaderName, Method};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline_servisbot::Servisbot;
use trunkline_shared::http_client::Outside;
use trunkline_shared::inbound::{Call, Inbound, Received};
use trunkline_shared::model::{AuthorRole, Choice, Content, Delivery, EventBody, Role, Verdict};
use trunkline_shared::outbound::{Attempt, Outbound, Sending};
use trunkline_stand_ins::servisbot::{
    API_KEY, Call as Posted, Disorder, ENGAGEMENT_SECRET, JWT_SECRET, Post, Proof, ServisBot,
};

/// Opens and sends, as the dispatcher does.
async fn send(delivery: &Delivery, settings: &Value) -> Attempt {
    let role = if delivery.to.role == Role::Bot { "bot" } else { "observer" };
    let (connection, secrets, outside) =
        (connection(role, settings), secrets(), Outside::new(true));
    let opening =
        Sending { connection: &connection, secrets: &secrets, session: None, delivery, now: now() };
    let session = Servisbot::default().open(&opening, &outside).await.unwrap().unwrap();
    assert_eq!(session.external_id, CONVERSATION);
    let sending = Sending { session: Some(&session), ..opening };
    Servisbot::default().send(&sending, &outside).await
}

/// Prepares and receives, as the inbound function does.
async fn hear(platform: &Servisbot, posted: &Posted, settings: &Value, at: Timestamp) -> Received {
    let (connection, secrets) = (connection("bot", settings), secrets());
    platform.prepare(&connection, &HeaderMap::new(), &Outside::new(true), at).await;
    let headers = posted
        .headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
    let headers: HeaderMap = headers.collect();
    platform.receive(&Call {
        connection: &connection,
        secrets: &secrets,
        method: &Method::POST,
        path: posted.path.trim_start_matches('/'),
        query: "",
        headers: &headers,
        body: posted.body.as_bytes(),
        now: at,
    })
}

async fn started() -> ServisBot {
    let servisbot = ServisBot::start().await;
    servisbot.sets_clock(now().as_millisecond());
    for (name, theirs) in
        [("api_key", API_KEY), ("jwt_secret", JWT_SECRET), ("engagement_secret", ENGAGEMENT_SECRET)]
    {
        assert_eq!(secrets().newest(name), Some(theirs), "both sides have the same");
    }
    servisbot
}

fn bot(servisbot: &ServisBot) -> Value {
    json!({"engagement_url": servisbot.engagement_url(), "replies": "eventing"})
}

#[tokio::test]
async fn a_message_is_posted_and_its_answers_are_heard_from_the_chosen_source_only() {
    let servisbot = started().await;
    let settings = bot(&servisbot);
    let asked = delivery(Role::Bot, AuthorRole::Customer, says("where is my order"));
    let attempt = send(&asked, &settings).await;
    assert_eq!((attempt.meaning.verdict, attempt.status), (Verdict::Delivered, Some(200)));
    let posts = servisbot.accepts(1, Duration::from_secs(5)).await;
    let customer = CONVERSATION.to_owned();
    let (kind, value) = ("message".to_owned(), json!("where is my order"));
    assert_eq!(posts, [Post { kind, value, customer }]);

    let echo = servisbot.hears(CONVERSATION, "where is my order");
    let answer = servisbot.says(CONVERSATION, "Let me check.");
    let offered = servisbot.offers(CONVERSATION, "Which?", &[("A", "0"), ("B", "1")]);
    let click = servisbot.clicks(CONVERSATION, &offered, 1);
    let said = [echo, answer, offered, click];
    let platform = Servisbot::default();
    let mut heard = Vec::new();
    for call in servisbot.feed(&said, Disorder { twice: true, backwards: true }) {
        heard.extend(events(hear(&platform, &call, &settings, now()).await));
    }
    assert_eq!(heard.len(), 8);
    heard.sort_by_key(|event| event.at);
    heard.dedup_by(|next, before| next.id == before.id);
    assert_eq!(heard.len(), 4, "a click is not a repeat of its markup");
    assert!(heard.iter().all(|event| event.conversation == CONVERSATION));
    assert_eq!(content(&heard[1]).text.as_deref(), Some("Let me check."));
    let choice = |title: &str| Choice { id: title.into(), title: title.into() };
    assert_eq!(content(&heard[2]).choices, [choice("A"), choice("B")]);
    for kept in [&heard[0], &heard[3]] {
        assert!(matches!(kept.body, EventBody::Opaque { said: false, .. }));
    }

    let egress = ServisBot::egress(CONVERSATION, &["Let me check."]);
    let kept = events(hear(&platform, &egress, &settings, now()).await);
    assert!(matches!(kept[0].body, EventBody::Opaque { said: false, .. }));
    let mut other = settings.clone();
    other["replies"] = json!("egress");
    let heard = events(hear(&platform, &egress, &other, now()).await);
    assert_eq!(content(&heard[0]).text.as_deref(), Some("Let me check."));
}

#[tokio::test]
async fn what_the_endpoint_refuses_or_answers_is_understood() {
    let servisbot = started().await;
    let asked = delivery(Role::Bot, AuthorRole::Customer, says("x"));
    let verdict = |settings: Value| {
        let asked = asked.clone();
        async move { send(&asked, &settings).await.meaning.verdict }
    };
    let mut elsewhere = bot(&servisbot);
    elsewhere["engagement_url"] = json!(format!("{}-other", servisbot.engagement_url()));
    assert_eq!(verdict(elsewhere).await, Verdict::Permanent);
    for (status, expected) in
        [(429, Verdict::Retryable), (500, Verdict::Retryable), (401, Verdict::Permanent)]
    {
        servisbot.will_answer(status);
        assert_eq!(verdict(bot(&servisbot)).await, expected, "{status}");
    }
    let mut knowing = bot(&servisbot);
    knowing["context_updates"] = json!(true);
    let close = delivery(Role::Bot, AuthorRole::System, EventBody::Close { reason: None });
    assert_eq!(send(&close, &knowing).await.meaning.verdict, Verdict::Permanent);
    servisbot.takes_context();
    assert_eq!(send(&close, &knowing).await.meaning.verdict, Verdict::Delivered);
    assert_eq!(send(&close, &bot(&servisbot)).await.meaning.verdict, Verdict::Skipped);
    assert_eq!(servisbot.posts().len(), 1);
}

#[tokio::test]
async fn tokens_by_secret_and_by_keys_that_are_rotated() {
    let servisbot = started().await;
    let event = servisbot.says(CONVERSATION, "hello");
    let platform = Servisbot::default();
    servisbot.proves_by(Proof::JwtSecret);
    let claims = json!({"issuer": "servisbot", "audience": "hub"});
    let with = |auth: &str| {
        let mut settings = claims.clone();
        settings["auth"] = json!(auth);
        settings["jwks_url"] = json!(servisbot.jwks_url());
        settings
    };
    let after = |seconds| now() + SignedDuration::from_secs(seconds);
    let call = servisbot.posted(&event);
    let is_heard = |received: Received| matches!(received, Received::Events(_));
    assert!(is_heard(hear(&platform, &call, &with("jwt_secret"), now()).await));
    assert!(is_heard(hear(&platform, &call, &with("jwt_secret"), after(119)).await));
    let expired = hear(&platform, &call, &with("jwt_secret"), after(121)).await;
    assert!(matches!(expired, Received::Denied(_)));
    let wrong_kind = hear(&platform, &call, &with("jwks"), now()).await;
    assert!(matches!(wrong_kind, Received::Denied(_)));

    servisbot.proves_by(Proof::Jwks);
    let call = servisbot.posted(&event);
    assert!(is_heard(hear(&platform, &call, &with("jwks"), now()).await));
    assert!(is_heard(hear(&platform, &call, &with("jwks"), now()).await));
    assert_eq!(servisbot.key_fetches(), 1, "keys are remembered");
    servisbot.rotates_keys();
    let call = servisbot.posted(&event);
    let too_soon = hear(&platform, &call, &with("jwks"), after(30)).await;
    assert!(matches!(too_soon, Received::Denied(_)), "at most once a minute: {too_soon:?}");
    let Received::Answered(later) = hear(&platform, &call, &with("jwks"), after(60)).await else {
        panic!("the sender is asked to try again")
    };
    assert_eq!(later.status, 503);
    assert!(is_heard(hear(&platform, &call, &with("jwks"), after(61)).await));
    assert_eq!(servisbot.key_fetches(), 2);
}

#[tokio::test]
async fn while_keys_cannot_be_fetched_nothing_is_believed_and_nothing_is_refused_for_good() {
    let servisbot = started().await;
    let settings = json!({"auth": "jwks", "jwks_url": servisbot.jwks_url()});
    servisbot.proves_by(Proof::Jwks);
    servisbot.hides_keys(true);
    let call = servisbot.posted(&servisbot.says(CONVERSATION, "hello"));
    let platform = Servisbot::default();
    let received = hear(&platform, &call, &settings, now()).await;
    assert!(matches!(received, Received::Answered(reply) if reply.status == 503));
    servisbot.hides_keys(false);
    let later = now() + SignedDuration::from_secs(5);
    assert!(matches!(hear(&platform, &call, &settings, later).await, Received::Events(_)));
}

#[tokio::test]
async fn a_chat_history_server_takes_all_that_we_send_it_once() {
    let servisbot = started().await;
    let settings = json!({"eventing_url": servisbot.history_url(), "organization": "acme"});
    let question = Content {
        choices: vec![Choice { id: "1".into(), title: "Yes".into() }],
        ..Content::text("Sure?")
    };
    let message = EventBody::Message { content: question, metadata: serde_json::Map::new() };
    let choice = EventBody::Choice { id: "1".into(), title: Some("Yes".into()), typed: None };
    for (second, (author, body)) in (0_i64..).zip([
        (AuthorRole::Customer, says("hello")),
        (AuthorRole::Bot, message),
        (AuthorRole::Customer, choice),
        (AuthorRole::Agent, says("I take over.")),
    ]) {
        let mut told = delivery(Role::Observer, author, body);
        told.event.at = now() + SignedDuration::from_secs(second);
        told.id = format!("dlv_{second}");
        for _ in 0..2 {
            let attempt = send(&told, &settings).await;
            assert_eq!(attempt.meaning.verdict, Verdict::Delivered, "{:?}", servisbot.refused());
        }
    }
    let history = servisbot.persists(4, Duration::from_secs(5)).await;
    let told: Vec<_> = history
        .iter()
        .map(|message| (message["to"].as_str().unwrap(), message["contentType"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [("server", "message"), ("client", "markup"), ("server", "message"), ("client", "message")]
    );
    assert_eq!(servisbot.refused().len(), 4, "each repeat was known");

    servisbot.proves_by(Proof::JwtSecret);
    let told = delivery(Role::Observer, AuthorRole::Customer, says("and with a token"));
    assert_eq!(send(&told, &settings).await.meaning.verdict, Verdict::Permanent);
    let mut with_token = settings.clone();
    with_token["auth"] = json!("jwt_secret");
    assert_eq!(send(&told, &with_token).await.meaning.verdict, Verdict::Delivered);
}

#[tokio::test]
async fn without_a_customer_reference_only_servisbots_own_id_is_there() {
    let servisbot = started().await;
    servisbot.hides_customers(true);
    let call = servisbot.posted(&servisbot.says(CONVERSATION, "hello"));
    let heard = events(hear(&Servisbot::default(), &call, &bot(&servisbot), now()).await);
    assert!(heard[0].conversation.starts_with("5f2c1c7e-"));
}
