//! Calls over real HTTP to a router that refuses what the vendor's would.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use common::{
    ADAPTER, CHAT, Given, SECRET, TOKEN, connection, delivery, map, plain, says, secrets, sending,
};
use http::HeaderMap;
use serde_json::{Value, json};
use trunkline_cm::{Cm, message_id};
use trunkline_shared::http_client::Outside;
use trunkline_shared::model::{
    Choice, Connection, Content, Event, EventBody, Media, Mode, Recall, Session, Verdict,
};
use trunkline_shared::outbound::{Attempt, Outbound};
use trunkline_stand_ins::cm::{ACCOUNT, CmRouter, Notice, Side, chat_id};

const CLIENT: &str = "0031612345678";

async fn router(side: Side) -> CmRouter {
    let router = CmRouter::start(TOKEN).await;
    router.adapter(ADAPTER, side);
    router
}

/// A connection to the router, with more settings.
fn to(router: &CmRouter, role: &str, settings: Value) -> Connection {
    let mut all = map(json!({
        "send_url": router.outbound_url(ADAPTER),
        "control_url": router.control_url(),
        "state_url": router.state_url(),
    }));
    all.extend(map(settings));
    connection(role, Value::Object(all))
}

/// Opens the chat if it is not open, and sends; answers with the attempt and the session afterwards.
async fn sent(
    connection: &Connection,
    session: Option<Session>,
    body: EventBody,
    origin: Option<&Value>,
) -> (Attempt, Option<Session>) {
    let (outside, secrets) = (Outside::new(true), secrets(false));
    let mut delivery = delivery(connection, body);
    if let Some(origin) = origin {
        delivery.to.origin = map(origin.clone());
        delivery.key.customer = origin["id"].as_str().unwrap().to_owned();
    }
    let opening = sending(connection, &secrets, None, &delivery);
    let session = match &session {
        Some(_) => session,
        None => Cm.open(&opening, &outside).await.expect("it calls nobody"),
    };
    let attempt =
        Cm.send(&sending(connection, &secrets, session.as_ref(), &delivery), &outside).await;
    let session = attempt.session.clone().or(session);
    (attempt, session)
}

fn text(text: &str) -> EventBody {
    says(Content::text(text))
}

fn handover() -> EventBody {
    let context = map(json!({"skill": "returns", "order": 48121}));
    EventBody::Handover { mode: Mode::Offer, reason: None, context, recall: Recall::default() }
}

/// What a notice of the router is read as.
fn heard(role: &str, notice: &Notice) -> Event {
    let headers: HeaderMap = notice
        .headers
        .iter()
        .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
        .collect();
    let (path, settings) =
        (notice.path.trim_start_matches('/'), json!({"event_secret": "path_key"}));
    let given = Given { role, settings, shared: true, path, headers, ..plain() };
    given.event(notice.body.as_bytes())
}

#[tokio::test]
async fn a_host_answers_in_the_chat_that_it_was_told() {
    let router = router(Side::Host).await;
    router.sends_header("X-Trunkline-Secret", SECRET);
    let chat = router.chat(CLIENT, "0031201234567");
    let event = heard("channel", &router.customer_writes(&chat, "Where is my parcel?"));
    assert_eq!(event.conversation, chat["id"].as_str().unwrap());
    let host = to(&router, "channel", json!({}));
    let origin = Value::Object(event.origin);
    let (attempt, session) = sent(&host, None, text("Tomorrow."), Some(&origin)).await;
    assert_eq!((attempt.meaning.verdict, attempt.status), (Verdict::Delivered, Some(201)));
    assert_eq!(attempt.session, None, "the channel's own key is its id");
    assert_eq!(session.unwrap().external_id, event.conversation);
    let accepted = router.accepts(1).await.remove(0);
    assert_eq!(
        (accepted.texts(), accepted.chat.as_str()),
        (vec!["Tomorrow.".into()], chat["id"].as_str().unwrap())
    );
    assert_eq!(accepted.body["chat"], chat, "echoed as a whole");
    let id = accepted.body["conversationMessages"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(attempt.meaning.external_id, Some(id));
}

#[tokio::test]
async fn a_client_takes_the_routers_id_of_its_chat_and_keeps_to_it() {
    let router = router(Side::Client).await;
    let desk = to(&router, "desk", json!({}));
    let (attempt, session) = sent(&desk, None, text("Where is my parcel?"), None).await;
    assert_eq!(attempt.meaning.verdict, Verdict::Delivered);
    let ours = chat_id("webshop:visitor-48121", ADAPTER, "CXWebConversations");
    let session = session.unwrap();
    assert_eq!(
        (session.external_id.as_str(), session.conversation.as_str()),
        (ours.as_str(), "ours")
    );
    assert_eq!(router.accepts(1).await[0].body["chat"]["id"], "trunkline-ours");
    let (again, session) = sent(&desk, Some(session), text("Hello?"), None).await;
    assert_eq!((again.meaning.verdict, again.session), (Verdict::Delivered, None));
    let accepted = router.accepts(2).await.remove(1);
    assert_eq!(accepted.body["chat"]["id"], json!(ours));
    router.sends_header("X-Trunkline-Secret", SECRET);
    let answer = heard("desk", &router.host_writes(&accepted.chat_as_told(), "Tomorrow."));
    assert_eq!(answer.conversation, session.unwrap().external_id, "by which our leg is found");
    let EventBody::Message { content, .. } = answer.body else { panic!("a message") };
    assert_eq!(content.text.as_deref(), Some("Tomorrow."));
}

#[tokio::test]
async fn a_chat_that_the_router_renames_is_known_by_its_new_name() {
    let router = router(Side::Client).await;
    let desk = to(&router, "desk", json!({}));
    let old = Session::new("ours", "an id of yesterday");
    let (_, session) = sent(&desk, Some(old), text("x"), None).await;
    let session = session.unwrap();
    assert_eq!(session.external_id, router.accepts(1).await[0].chat);
    let accepted = include_str!("../fixtures/accepted.json");
    router.will_answer(201, Vec::new(), accepted);
    let (documented, session) = sent(&desk, Some(session), text("x"), None).await;
    assert_eq!(
        (documented.meaning.verdict, session.unwrap().external_id.as_str()),
        (Verdict::Delivered, CHAT)
    );
    router.will_answer(201, Vec::new(), "accepted");
    let (unnamed, session) = sent(&desk, None, text("x"), None).await;
    assert_eq!(unnamed.meaning.verdict, Verdict::Delivered);
    assert_eq!(session.unwrap().external_id, "trunkline-ours", "better than none");
}

#[tokio::test]
async fn a_handover_and_an_end_are_control_calls() {
    let router = router(Side::Host).await;
    let chat = router.chat(CLIENT, "0031201234567");
    let agents = json!({"handover": "mutation", "enable_adapter": "agents"});
    for (settings, body, what) in [
        (agents, handover(), "mutation"),
        (json!({"handover": "mutation", "disable_component": "CMBot"}), handover(), "mutation"),
        (json!({"handover": "state", "state_name_id": "agent"}), handover(), "state"),
        (json!({"end_session": true}), EventBody::Close { reason: None }, "end"),
    ] {
        let (attempt, _) = sent(&to(&router, "channel", settings), None, body, Some(&chat)).await;
        assert_eq!(attempt.meaning.verdict, Verdict::Delivered, "{what}: {:?}", router.refused());
        let accepted = router.accepted().pop().unwrap();
        assert_eq!((accepted.what, accepted.chat.as_str()), (what, chat["id"].as_str().unwrap()));
        if what != "end" {
            assert_eq!(accepted.body["Context"], json!({"skill": "returns", "order": "48121"}));
        }
    }
    let none = to(&router, "channel", json!({}));
    let (skipped, _) = sent(&none, None, handover(), Some(&chat)).await;
    assert_eq!(skipped.meaning.verdict, Verdict::Skipped);
    assert_eq!(router.accepted().len(), 4);
}

#[tokio::test]
async fn what_the_router_refuses_is_for_a_person_to_see_with_its_own_words() {
    let router = router(Side::Host).await;
    let chat = router.chat(CLIENT, "0031201234567");
    router.lacks_right(true);
    let state = to(&router, "channel", json!({"handover": "state", "state_name_id": "agent"}));
    let (forbidden, _) = sent(&state, None, handover(), Some(&chat)).await;
    assert_eq!((forbidden.meaning.verdict, forbidden.status), (Verdict::Permanent, Some(403)));
    assert!(forbidden.meaning.reason.unwrap().contains("RouterSession_Update"));
    let mut custom = chat.clone();
    custom["channel"] = json!("Custom");
    let host = to(&router, "channel", json!({}));
    let (refused, _) = sent(&host, None, text("x"), Some(&custom)).await;
    assert_eq!((refused.meaning.verdict, refused.status), (Verdict::Permanent, Some(400)));
    let reason = "CM.com answered 400 Bad Request: The channel 'Custom' is not supported.";
    assert_eq!(refused.meaning.reason.as_deref(), Some(reason));
    let capital =
        json!({"shows": ["media"], "media_template": r#"{"$type":"Image","url":"$url"}"#});
    let media = Media { url: "https://x.example/a".into(), mime_type: None, name: None };
    let file = || says(Content { media: vec![media.clone()], ..Content::default() });
    let (abstracted, _) =
        sent(&to(&router, "channel", capital.clone()), None, file(), Some(&chat)).await;
    assert!(abstracted.meaning.reason.unwrap().contains("MessageBase"));
    router.knows_type("Image");
    let (known, _) = sent(&to(&router, "channel", capital), None, file(), Some(&chat)).await;
    assert_eq!(known.meaning.verdict, Verdict::Delivered);
    assert_eq!(router.accepted()[0].body["conversationMessages"][0]["url"], "https://x.example/a");
}

#[tokio::test]
async fn a_wrong_token_is_a_bare_401_and_is_never_told() {
    let router = CmRouter::start("another").await;
    router.adapter(ADAPTER, Side::Host);
    let chat = router.chat(CLIENT, "h");
    let host = to(&router, "channel", json!({}));
    let (attempt, _) = sent(&host, None, text("x"), Some(&chat)).await;
    assert_eq!((attempt.meaning.verdict, attempt.status), (Verdict::Permanent, Some(401)));
    let reason = attempt.meaning.reason.unwrap();
    assert!(
        reason.starts_with("CM.com answered 401 Unauthorized; check product_token"),
        "{reason}"
    );
    router.will_answer(
        400,
        Vec::new(),
        &json!({"error": format!("bad token {TOKEN}")}).to_string(),
    );
    let (told, _) = sent(&host, None, text("x"), Some(&chat)).await;
    let reason = told.meaning.reason.unwrap();
    assert_eq!(reason, "CM.com answered 400 Bad Request: bad token …");
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let router = router(Side::Host).await;
    let chat = router.chat(CLIENT, "h");
    let host = to(&router, "channel", json!({}));
    let wait = || vec![("retry-after", "7".to_owned())];
    for (status, headers, body, asked) in [
        (429, wait(), "", Some(7)),
        (429, Vec::new(), r#"{"message":"slow down"}"#, None),
        (408, Vec::new(), "", None),
        (500, Vec::new(), "<html>", None),
        (503, Vec::new(), "", None),
    ] {
        router.will_answer(status, headers, body);
        let (attempt, _) = sent(&host, None, text("x"), Some(&chat)).await;
        assert_eq!(attempt.meaning.verdict, Verdict::Retryable, "{status}");
        assert_eq!(attempt.retry_after, asked);
        assert_eq!(attempt.session, None);
    }
    let nobody =
        connection("channel", json!({"send_url": "http://127.0.0.1:1/accounts/a/adapters/b"}));
    let (attempt, _) = sent(&nobody, None, text("x"), Some(&chat)).await;
    assert_eq!(attempt.meaning.verdict, Verdict::Retryable);
    assert!(router.accepted().is_empty());
}

#[tokio::test]
async fn no_answer_may_mean_that_it_was_heard_and_a_repeat_has_the_same_id() {
    let router = router(Side::Client).await;
    let desk = to(&router, "desk", json!({}));
    router.hangs(true);
    let (attempt, session) = sent(&desk, None, text("x"), None).await;
    assert_eq!((attempt.meaning.verdict, session), (Verdict::Unknown, None));
    router.hangs(false);
    let (attempt, _) = sent(&desk, None, text("x"), None).await;
    let id = message_id(&delivery(&desk, text("x")).id, 0);
    assert_eq!(attempt.meaning.external_id, Some(id.clone()));
    assert_eq!(router.accepted()[0].body["conversationMessages"][0]["id"], json!(id));
}

#[tokio::test]
async fn what_the_router_posts_is_read() {
    let router = router(Side::Host).await;
    router.sends_header("X-Trunkline-Secret", SECRET);
    let chat = router.chat(CLIENT, "h");
    let id = chat["id"].as_str().unwrap();
    let context = json!({"RoutingKeywords": "returns"});
    for (notice, kind) in [
        (router.customer_writes(&chat, "Hello"), "message"),
        (router.host_writes(&chat, "Hello"), "opaque"),
        (router.handover(&chat, Some(&context)), "handover"),
        (router.handover(&chat, None), "handover"),
        (router.event(&chat, "routerSessionEnded"), "close"),
        (router.event(&chat, "somethingElse"), "opaque"),
        (CmRouter::flat_event(&chat, "RouterSessionEnded"), "close"),
    ] {
        let event = heard("channel", &notice);
        assert_eq!((event.body.kind(), event.conversation.as_str()), (kind, id), "{notice:?}");
    }
    assert!(router.handover(&chat, None).body.ends_with("\"context\":}"));
    assert!(router.event(&chat, "x").headers.is_empty(), "the form has none for events");
    assert_eq!(chat["accountId"], ACCOUNT);
}

#[tokio::test]
async fn the_router_is_no_easier_than_the_real_one() {
    let router = router(Side::Client).await;
    let host = to(&router, "channel", json!({}));
    let chat = router.chat(CLIENT, "h");
    let (wrong_way, _) = sent(&host, None, text("x"), Some(&chat)).await;
    assert_eq!(wrong_way.status, Some(400), "an adapter sends in its own direction only");
    let unknown = json!({"send_url": router.outbound_url("another")});
    let (unknown, _) = sent(&connection("channel", unknown), None, text("x"), Some(&chat)).await;
    assert_eq!(unknown.status, Some(404));
    let mutation = json!({"handover": "mutation", "enable_adapter": "agents"});
    let mut nobodys = chat.clone();
    nobodys["id"] = json!("of nobody");
    let (no_chat, _) =
        sent(&to(&router, "channel", mutation), None, handover(), Some(&nobodys)).await;
    assert_eq!(no_chat.status, Some(404));
    let mut partial = chat;
    partial.as_object_mut().unwrap().remove("conversationClientId");
    let (partial, _) = sent(&host, None, text("x"), Some(&partial)).await;
    assert_eq!(
        partial.meaning.reason.as_deref(),
        Some("CM.com answered 400 Bad Request: The chat's conversationClientId field is required.")
    );
    assert!(router.accepted().is_empty());
    assert_eq!(router.refused().len(), 4);
}

#[tokio::test]
async fn choices_go_to_a_client_as_text() {
    let router = router(Side::Client).await;
    let desk = to(&router, "desk", json!({}));
    let choices = vec![Choice { id: "r".into(), title: "Red".into() }];
    let content = Content { choices, ..Content::text("Which?") };
    sent(&desk, None, says(content), None).await;
    assert_eq!(router.accepted()[0].texts(), ["Which?\n1. Red"]);
}
