//! Calls over HTTP to a mock router that enforces the vendor's rules.

use crate::common::{
    ADAPTER, CHAT, SECRET, TOKEN, TestCall, channel_call, connection, delivery, map, message_body,
    secrets, sending, settings_of,
};
use http::HeaderMap;
use serde_json::{Value, json};
use trunkline_cm::{Cm, message_id};
use trunkline_cm_mock::{ACCOUNT, AdapterCall, CmRouter, Side, chat_id};
use trunkline_core::model::{
    Choice, Connection, Content, Event, EventBody, HandoverMode, Media, Session, Transcript,
    Verdict,
};
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::outbound::{Attempt, CheckContext, Outbound, RetryAfter, Verification};

const CLIENT: &str = "0031612345678";

async fn router(side: Side) -> CmRouter {
    let router = CmRouter::start(TOKEN).await;
    router.add_adapter(ADAPTER, side);
    router
}

/// A connection to the router, with additional settings.
fn to(router: &CmRouter, role: &str, settings: Value) -> Connection {
    let mut all = map(json!({
        "send_url": router.outbound_url(ADAPTER),
        "control_url": router.control_url(),
        "state_url": router.state_url(),
    }));
    all.extend(map(settings));
    connection(role, Value::Object(all))
}

/// Opens the chat if necessary and sends; returns the attempt and the resulting session.
async fn sent(
    connection: &Connection,
    session: Option<Session>,
    body: EventBody,
    origin: Option<&Value>,
) -> (Attempt, Option<Session>) {
    let (http_client, secrets) = (HttpClient::new(true), secrets(false));
    let mut delivery = delivery(connection, body);
    if let Some(origin) = origin {
        delivery.to.origin = map(origin.clone());
        delivery.key.customer = origin["id"].as_str().unwrap().to_owned();
    }
    let settings = &settings_of(connection);
    let opening = sending(connection, settings, &secrets, None, &delivery);
    let session = match &session {
        Some(_) => session,
        None => Cm.open(&opening, &http_client).await.expect("opening makes no call"),
    };
    let context = sending(connection, settings, &secrets, session.as_ref(), &delivery);
    let attempt = Cm.send(&context, &http_client).await;
    let session = attempt.session.clone().or(session);
    (attempt, session)
}

fn text(text: &str) -> EventBody {
    message_body(Content::text(text))
}

fn handover() -> EventBody {
    let context = map(json!({"skill": "returns", "order": 48121}));
    EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: None,
        context,
        transcript: Transcript::default(),
    }
}

/// Parses a call from the router.
fn parsed(role: &str, notice: &AdapterCall) -> Event {
    let headers: HeaderMap = notice
        .headers
        .iter()
        .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
        .collect();
    let (path, settings) =
        (notice.path.trim_start_matches('/'), json!({"event_secret": "path_key"}));
    let given =
        TestCall { role, settings, has_shared_secret: true, path, headers, ..channel_call() };
    given.event(notice.body.as_bytes())
}

/// Shows C1, C4, C10, C12.
#[tokio::test]
async fn a_host_replies_in_the_chat_that_it_received() {
    let router = router(Side::Host).await;
    router.add_header("X-Trunkline-Secret", SECRET);
    let chat = router.chat(CLIENT, "0031201234567");
    let event = parsed("channel", &router.customer_writes(&chat, "Where is my parcel?"));
    assert_eq!(event.external_conversation_id, chat["id"].as_str().unwrap());
    let host = to(&router, "channel", json!({}));
    let origin = Value::Object(event.origin);
    let (attempt, session) = sent(&host, None, text("Tomorrow."), Some(&origin)).await;
    assert_eq!((attempt.classification.verdict, attempt.status), (Verdict::Delivered, Some(201)));
    assert_eq!(attempt.session, None, "the channel's own key is its id");
    assert_eq!(session.unwrap().external_conversation_id, event.external_conversation_id);
    let accepted = router.wait_for_calls(1).await.remove(0);
    assert_eq!(
        (accepted.texts(), accepted.chat.as_str()),
        (vec!["Tomorrow.".into()], chat["id"].as_str().unwrap())
    );
    assert_eq!(accepted.body["chat"], chat, "the whole chat is echoed");
    let id = accepted.body["conversationMessages"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(attempt.classification.external_message_id, Some(id.into()));
}

/// Shows C1, C4.
#[tokio::test]
async fn a_client_adopts_the_chat_id_of_the_router() {
    let router = router(Side::Client).await;
    let desk = to(&router, "desk", json!({}));
    let (attempt, session) = sent(&desk, None, text("Where is my parcel?"), None).await;
    assert_eq!(attempt.classification.verdict, Verdict::Delivered);
    let router_id = chat_id("webshop:visitor-48121", ADAPTER, "CXWebConversations");
    let session = session.unwrap();
    assert_eq!(
        (session.external_conversation_id.as_str(), session.id.as_str()),
        (router_id.as_str(), "conversation-1")
    );
    assert_eq!(router.wait_for_calls(1).await[0].body["chat"]["id"], "trunkline-conversation-1");
    let (again, session) = sent(&desk, Some(session), text("Hello?"), None).await;
    assert_eq!((again.classification.verdict, again.session), (Verdict::Delivered, None));
    let accepted = router.wait_for_calls(2).await.remove(1);
    assert_eq!(accepted.body["chat"]["id"], json!(router_id));
    router.add_header("X-Trunkline-Secret", SECRET);
    let answer = parsed("desk", &router.host_writes(&accepted.chat_from_router(), "Tomorrow."));
    assert_eq!(
        answer.external_conversation_id,
        session.unwrap().external_conversation_id,
        "the id identifies the leg"
    );
    let EventBody::Message { content, .. } = answer.body else { panic!("a message") };
    assert_eq!(content.text.as_deref(), Some("Tomorrow."));
}

#[tokio::test]
async fn updates_the_session_when_the_chat_id_changes() {
    let router = router(Side::Client).await;
    let desk = to(&router, "desk", json!({}));
    let old = Session::new("conversation-1", "an old id");
    let (_, session) = sent(&desk, Some(old), text("x"), None).await;
    let session = session.unwrap();
    assert_eq!(session.external_conversation_id.as_str(), router.wait_for_calls(1).await[0].chat);
    let accepted = include_str!("../fixtures/accepted.json");
    router.respond_next(201, Vec::new(), accepted);
    let (documented, session) = sent(&desk, Some(session), text("x"), None).await;
    assert_eq!(
        (documented.classification.verdict, session.unwrap().external_conversation_id.as_str()),
        (Verdict::Delivered, CHAT)
    );
    router.respond_next(201, Vec::new(), "accepted");
    let (unnamed, session) = sent(&desk, None, text("x"), None).await;
    assert_eq!(unnamed.classification.verdict, Verdict::Delivered);
    assert_eq!(
        session.unwrap().external_conversation_id,
        "trunkline-conversation-1",
        "the placeholder remains"
    );
}

#[tokio::test]
async fn handovers_and_closes_are_control_calls() {
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
        assert_eq!(
            attempt.classification.verdict,
            Verdict::Delivered,
            "{what}: {:?}",
            router.refused()
        );
        let accepted = router.accepted().pop().unwrap();
        assert_eq!((accepted.what, accepted.chat.as_str()), (what, chat["id"].as_str().unwrap()));
        if what != "end" {
            assert_eq!(accepted.body["Context"], json!({"skill": "returns", "order": "48121"}));
        }
    }
    let none = to(&router, "channel", json!({}));
    let (skipped, _) = sent(&none, None, handover(), Some(&chat)).await;
    assert_eq!(skipped.classification.verdict, Verdict::Skipped);
    assert_eq!(router.accepted().len(), 4);
}

/// Shows C3.
#[tokio::test]
async fn rejections_are_permanent_and_quote_the_router() {
    let router = router(Side::Host).await;
    let chat = router.chat(CLIENT, "0031201234567");
    router.deny_session_update(true);
    let state = to(&router, "channel", json!({"handover": "state", "state_name_id": "agent"}));
    let (forbidden, _) = sent(&state, None, handover(), Some(&chat)).await;
    assert_eq!(
        (forbidden.classification.verdict, forbidden.status),
        (Verdict::Permanent, Some(403))
    );
    assert!(forbidden.classification.reason.unwrap().contains("RouterSession_Update"));
    let mut custom = chat.clone();
    custom["channel"] = json!("Custom");
    let host = to(&router, "channel", json!({}));
    let (refused, _) = sent(&host, None, text("x"), Some(&custom)).await;
    assert_eq!((refused.classification.verdict, refused.status), (Verdict::Permanent, Some(400)));
    let reason = "CM.com answered 400 Bad Request: The channel 'Custom' is not supported.";
    assert_eq!(refused.classification.reason.as_deref(), Some(reason));
    let capital =
        json!({"shows": ["media"], "media_template": r#"{"$type":"Image","url":"$url"}"#});
    let media = Media {
        url: "https://x.example/a".into(),
        mime_type: None,
        name: None,
        ..Media::default()
    };
    let file = || message_body(Content { media: vec![media.clone()], ..Content::default() });
    let (abstracted, _) =
        sent(&to(&router, "channel", capital.clone()), None, file(), Some(&chat)).await;
    assert!(abstracted.classification.reason.unwrap().contains("MessageBase"));
    router.allow_type("Image");
    let (known, _) = sent(&to(&router, "channel", capital), None, file(), Some(&chat)).await;
    assert_eq!(known.classification.verdict, Verdict::Delivered);
    assert_eq!(router.accepted()[0].body["conversationMessages"][0]["url"], "https://x.example/a");
}

/// Shows C12.
#[tokio::test]
async fn a_wrong_token_is_permanent_and_never_appears_in_the_reason() {
    let router = CmRouter::start("another").await;
    router.add_adapter(ADAPTER, Side::Host);
    let chat = router.chat(CLIENT, "h");
    let host = to(&router, "channel", json!({}));
    let (attempt, _) = sent(&host, None, text("x"), Some(&chat)).await;
    assert_eq!((attempt.classification.verdict, attempt.status), (Verdict::Permanent, Some(401)));
    let reason = attempt.classification.reason.unwrap();
    assert!(
        reason.starts_with("CM.com answered 401 Unauthorized; check product_token"),
        "{reason}"
    );
    router.respond_next(
        400,
        Vec::new(),
        &json!({"error": format!("bad token {TOKEN}")}).to_string(),
    );
    let (attempt, _) = sent(&host, None, text("x"), Some(&chat)).await;
    let reason = attempt.classification.reason.unwrap();
    assert_eq!(reason, "CM.com answered 400 Bad Request: bad token …");
}

#[tokio::test]
async fn temporary_failures_are_retryable() {
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
        router.respond_next(status, headers, body);
        let (attempt, _) = sent(&host, None, text("x"), Some(&chat)).await;
        assert_eq!(attempt.classification.verdict, Verdict::Retryable, "{status}");
        assert_eq!(attempt.retry_after, asked.map(RetryAfter::Seconds));
        assert_eq!(attempt.session, None);
    }
    let unreachable =
        connection("channel", json!({"send_url": "http://127.0.0.1:1/accounts/a/adapters/b"}));
    let (attempt, _) = sent(&unreachable, None, text("x"), Some(&chat)).await;
    assert_eq!(attempt.classification.verdict, Verdict::Retryable);
    assert!(router.accepted().is_empty());
}

#[tokio::test]
async fn a_missing_response_is_unknown_and_a_repeat_has_the_same_id() {
    let router = router(Side::Client).await;
    let desk = to(&router, "desk", json!({}));
    router.set_hanging(true);
    let (attempt, session) = sent(&desk, None, text("x"), None).await;
    assert_eq!((attempt.classification.verdict, session), (Verdict::Unknown, None));
    router.set_hanging(false);
    let (attempt, _) = sent(&desk, None, text("x"), None).await;
    let id = message_id(&delivery(&desk, text("x")).id, 0);
    assert_eq!(attempt.classification.external_message_id, Some(id.clone().into()));
    assert_eq!(router.accepted()[0].body["conversationMessages"][0]["id"], json!(id));
}

/// Shows C2, C5, C6, C9.
#[tokio::test]
async fn parses_all_calls_of_the_router() {
    let router = router(Side::Host).await;
    router.add_header("X-Trunkline-Secret", SECRET);
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
        let event = parsed("channel", &notice);
        assert_eq!(
            (event.body.kind(), event.external_conversation_id.as_str()),
            (kind, id),
            "{notice:?}"
        );
    }
    assert!(router.handover(&chat, None).body.ends_with("\"context\":}"));
    assert!(router.event(&chat, "x").headers.is_empty(), "the form has no headers for events");
    assert_eq!(chat["accountId"], ACCOUNT);
}

#[tokio::test]
async fn the_mock_router_enforces_the_vendors_rules() {
    let router = router(Side::Client).await;
    let host = to(&router, "channel", json!({}));
    let chat = router.chat(CLIENT, "h");
    let (wrong_way, _) = sent(&host, None, text("x"), Some(&chat)).await;
    assert_eq!(wrong_way.status, Some(400), "an adapter sends only in its own direction");
    let unknown = json!({"send_url": router.outbound_url("another")});
    let (unknown, _) = sent(&connection("channel", unknown), None, text("x"), Some(&chat)).await;
    assert_eq!(unknown.status, Some(404));
    let mutation = json!({"handover": "mutation", "enable_adapter": "agents"});
    let mut unknown_chat = chat.clone();
    unknown_chat["id"] = json!("unknown");
    let (no_chat, _) =
        sent(&to(&router, "channel", mutation), None, handover(), Some(&unknown_chat)).await;
    assert_eq!(no_chat.status, Some(404));
    let mut partial = chat;
    partial.as_object_mut().unwrap().remove("conversationClientId");
    let (partial, _) = sent(&host, None, text("x"), Some(&partial)).await;
    assert_eq!(
        partial.classification.reason.as_deref(),
        Some("CM.com answered 400 Bad Request: The chat's conversationClientId field is required.")
    );
    let mut invented = router.chat(CLIENT, "h");
    invented["conversationClientPhone"] = json!("0031612345678");
    let (invented, _) = sent(&host, None, text("x"), Some(&invented)).await;
    let reason = invented.classification.reason.unwrap();
    assert!(reason.contains("undocumented member 'conversationClientPhone'"), "{reason}");
    assert!(router.accepted().is_empty());
    assert_eq!(router.refused().len(), 5);
}

/// Shows C14.
#[tokio::test]
async fn a_check_names_the_routers_address_if_only_the_url_protects_the_endpoints() {
    let advice = async |connection: &Connection| {
        let (settings, secrets) = (&settings_of(connection), &secrets(false));
        let (challenge, address, now) = ("", None, crate::common::now());
        let check = CheckContext { connection, settings, secrets, challenge, address, now };
        match Cm.verify(&check, &HttpClient::new(true)).await {
            Verification::Unsupported(advice) => advice.contains("34.141.248.107"),
            other => panic!("{other:?}"),
        }
    };
    let open = connection("channel", json!({}));
    assert!(advice(&open).await);
    let allow_ips = vec!["34.141.248.107/32".parse().unwrap()];
    assert!(!advice(&Connection { allow_ips, ..open.clone() }).await);
    let secrets = ["shared_secret".to_owned()].into();
    assert!(!advice(&Connection { secrets, ..open }).await);
}

#[tokio::test]
async fn sends_choices_to_a_client_as_text() {
    let router = router(Side::Client).await;
    let desk = to(&router, "desk", json!({}));
    let choices = vec![Choice { id: "r".into(), title: "Red".into() }];
    let content = Content { choices, ..Content::text("Which?") };
    sent(&desk, None, message_body(content), None).await;
    assert_eq!(router.accepted()[0].texts(), ["Which?\n1. Red"]);
}
