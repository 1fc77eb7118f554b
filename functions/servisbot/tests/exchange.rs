//! Calls over HTTP with a mock of ServisBOT.

use std::time::Duration;

use crate::common::{
    CONVERSATION, connection, content, delivery, events, now, parsed, secrets, text_message,
};
use http::{HeaderMap, HeaderName, Method};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline_core::model::{
    AuthorRole, Choice, ChoiceSource, Content, Delivery, EventBody, EventId, Role, Verdict,
};
use trunkline_runtime::http_client::HttpClient;
use trunkline_runtime::inbound::{Call, Inbound, ParsedCall};
use trunkline_runtime::outbound::{Attempt, Outbound, SendContext};
use trunkline_servisbot::Servisbot;
use trunkline_servisbot_mock::{
    API_KEY, Call as Posted, ENGAGEMENT_SECRET, EventOrder, EventingAuth, JWT_SECRET, Post,
    ServisBot,
};

/// Opens and sends, like the outbound function.
async fn send(delivery: &Delivery, settings: &Value) -> Attempt {
    let role = if delivery.to.role == Role::Bot { "bot" } else { "observer" };
    let (connection, secrets, http_client) =
        (connection(role, settings), secrets(), HttpClient::new(true));
    let settings = &parsed(settings);
    let opening = SendContext {
        connection: &connection,
        settings,
        secrets: &secrets,
        session: None,
        delivery,
        now: now(),
    };
    let session = Servisbot::default().open(&opening, &http_client).await.unwrap().unwrap();
    assert_eq!(session.external_conversation_id, CONVERSATION);
    let sending = SendContext { session: Some(&session), ..opening };
    Servisbot::default().send(&sending, &http_client).await
}

/// Prepares and parses, like the inbound function.
async fn receive(
    platform: &Servisbot,
    posted: &Posted,
    settings: &Value,
    at: Timestamp,
) -> ParsedCall {
    let (connection, secrets) = (connection("bot", settings), secrets());
    let (settings, http_client) = (&parsed(settings), HttpClient::new(true));
    platform.prepare(&connection, settings, &HeaderMap::new(), &http_client, at).await;
    let headers = posted
        .headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
    let mut received = HeaderMap::new();
    headers.for_each(|(name, value)| {
        received.append(name, value);
    });
    let headers = received;
    platform.parse(&Call {
        connection: &connection,
        settings,
        secrets: &secrets,
        method: &Method::POST,
        path: posted.path.trim_start_matches('/'),
        query: "",
        headers: &headers,
        body: posted.body.as_bytes(),
        received_body: posted.body.as_bytes(),
        now: at,
    })
}

async fn started() -> ServisBot {
    let servisbot = ServisBot::start().await;
    servisbot.set_clock(now().as_millisecond());
    for (name, theirs) in
        [("api_key", API_KEY), ("jwt_secret", JWT_SECRET), ("engagement_secret", ENGAGEMENT_SECRET)]
    {
        assert_eq!(secrets().newest(name), Some(theirs), "both sides share the secret");
    }
    servisbot
}

fn bot(servisbot: &ServisBot) -> Value {
    json!({"engagement_url": servisbot.engagement_url(), "replies": "eventing"})
}

/// Shows S3, S4, S10, S11.
#[tokio::test]
async fn sends_a_message_and_accepts_replies_only_from_the_chosen_source() {
    let servisbot = started().await;
    let settings = bot(&servisbot);
    let asked = delivery(Role::Bot, AuthorRole::Customer, text_message("where is my order"));
    let attempt = send(&asked, &settings).await;
    assert_eq!((attempt.classification.verdict, attempt.status), (Verdict::Delivered, Some(200)));
    let posts = servisbot.wait_for_posts(1, Duration::from_secs(5)).await;
    let customer = CONVERSATION.to_owned();
    let (kind, value) = ("message".to_owned(), json!("where is my order"));
    assert_eq!(posts, [Post { kind, value, customer, context: Value::Null }]);

    let echo = servisbot.user_message(CONVERSATION, "where is my order");
    let answer = servisbot.bot_message(CONVERSATION, "Let me check.");
    let offered = servisbot.buttons(CONVERSATION, "Which?", &[("A", "0"), ("B", "1")]);
    let click = servisbot.button_click(CONVERSATION, &offered, 1);
    let sent = [echo, answer, offered, click];
    let platform = Servisbot::default();
    let mut events_received = Vec::new();
    for call in servisbot.event_calls(&sent, EventOrder { duplicated: true, reversed: true }) {
        events_received.extend(events(receive(&platform, &call, &settings, now()).await));
    }
    assert_eq!(events_received.len(), 8);
    events_received.sort_by_key(|event| event.at);
    events_received.dedup_by(|next, before| next.id == before.id);
    assert_eq!(events_received.len(), 4, "a click is not a repeat of its markup");
    assert!(events_received.iter().all(|event| event.external_conversation_id == CONVERSATION));
    assert_eq!(content(&events_received[1]).text.as_deref(), Some("Let me check."));
    let choice = |title: &str| Choice { id: title.into(), title: title.into() };
    assert_eq!(content(&events_received[2]).choices, [choice("A"), choice("B")]);
    assert!(matches!(events_received[0].body, EventBody::Opaque { is_message: false, .. }));
    let clicked = EventBody::Choice { id: "1".into(), title: Some("B".into()), typed: None };
    assert_eq!(events_received[3].body, clicked);
    let source = events_received[3].choice_source.as_deref().unwrap();
    assert_eq!((&source.event, source.at), (&events_received[2].id, events_received[2].at));

    let egress = ServisBot::egress(CONVERSATION, &["Let me check."]);
    let opaque = events(receive(&platform, &egress, &settings, now()).await);
    assert!(matches!(opaque[0].body, EventBody::Opaque { is_message: false, .. }));
    let mut other = settings.clone();
    other["replies"] = json!("egress");
    let events_received = events(receive(&platform, &egress, &other, now()).await);
    assert_eq!(content(&events_received[0]).text.as_deref(), Some("Let me check."));
}

#[tokio::test]
async fn classifies_the_responses_of_the_endpoint() {
    let servisbot = started().await;
    let asked = delivery(Role::Bot, AuthorRole::Customer, text_message("x"));
    let verdict = |settings: Value| {
        let asked = asked.clone();
        async move { send(&asked, &settings).await.classification.verdict }
    };
    let mut elsewhere = bot(&servisbot);
    elsewhere["engagement_url"] = json!(format!("{}-other", servisbot.engagement_url()));
    assert_eq!(verdict(elsewhere).await, Verdict::Permanent);
    for (status, expected) in
        [(429, Verdict::Retryable), (500, Verdict::Retryable), (401, Verdict::Permanent)]
    {
        servisbot.respond_next(status);
        assert_eq!(verdict(bot(&servisbot)).await, expected, "{status}");
    }
    let mut with_context_updates = bot(&servisbot);
    with_context_updates["context_updates"] = json!(true);
    with_context_updates["context_form"] = json!("standalone");
    let close = delivery(Role::Bot, AuthorRole::System, EventBody::Close { reason: None });
    assert_eq!(
        send(&close, &with_context_updates).await.classification.verdict,
        Verdict::Permanent
    );
    servisbot.accept_context();
    assert_eq!(
        send(&close, &with_context_updates).await.classification.verdict,
        Verdict::Delivered
    );
    assert_eq!(send(&close, &bot(&servisbot)).await.classification.verdict, Verdict::Skipped);
    with_context_updates["context_form"] = json!("message");
    let mut asked = asked.clone();
    asked.event.channel = Some("WhatsApp".into());
    for delivery in [&close, &asked] {
        let attempt = send(delivery, &with_context_updates).await;
        assert_eq!(attempt.classification.verdict, Verdict::Delivered);
    }
    let contexts: Vec<_> = servisbot.posts().into_iter().map(|post| post.context).collect();
    let expected = [Value::Null, json!({"event": "close"}), json!({"channel": "WhatsApp"})];
    assert_eq!(contexts, expected);
}

/// Shows S6.
#[tokio::test]
async fn verifies_tokens_by_secret_and_by_rotated_keys() {
    let servisbot = started().await;
    let event = servisbot.bot_message(CONVERSATION, "hello");
    let platform = Servisbot::default();
    servisbot.set_auth(EventingAuth::JwtSecret);
    let claims = json!({"issuer": "servisbot", "audience": "hub"});
    let with = |auth: &str| {
        let mut settings = claims.clone();
        settings["auth"] = json!(auth);
        settings["jwks_url"] = json!(servisbot.jwks_url());
        settings
    };
    let after = |seconds| now() + SignedDuration::from_secs(seconds);
    let call = servisbot.event_call(&event);
    let is_accepted = |received: ParsedCall| matches!(received, ParsedCall::Events(_));
    assert!(is_accepted(receive(&platform, &call, &with("jwt_secret"), now()).await));
    assert!(is_accepted(receive(&platform, &call, &with("jwt_secret"), after(119)).await));
    let expired = receive(&platform, &call, &with("jwt_secret"), after(121)).await;
    assert!(matches!(expired, ParsedCall::Denied(_)));
    let wrong_kind = receive(&platform, &call, &with("jwks"), now()).await;
    assert!(matches!(wrong_kind, ParsedCall::Denied(_)));

    servisbot.set_auth(EventingAuth::Jwks);
    let call = servisbot.event_call(&event);
    assert!(is_accepted(receive(&platform, &call, &with("jwks"), now()).await));
    let mut two = call.clone();
    two.headers.push(("authorization", "Bearer a.b.c".into()));
    two.headers.rotate_right(1);
    assert!(is_accepted(receive(&platform, &two, &with("jwks"), now()).await), "input 17");
    assert_eq!(servisbot.key_fetches(), 1, "keys are cached");
    servisbot.rotate_keys();
    let call = servisbot.event_call(&event);
    let too_soon = receive(&platform, &call, &with("jwks"), after(30)).await;
    assert!(matches!(too_soon, ParsedCall::Denied(_)), "at most once a minute: {too_soon:?}");
    let ParsedCall::Reply(later) = receive(&platform, &call, &with("jwks"), after(60)).await else {
        panic!("the sender must retry")
    };
    assert_eq!(later.status, 503);
    assert!(is_accepted(receive(&platform, &call, &with("jwks"), after(61)).await));
    assert_eq!(servisbot.key_fetches(), 2);
}

#[tokio::test]
async fn without_keys_calls_receive_503() {
    let servisbot = started().await;
    let settings = json!({"auth": "jwks", "jwks_url": servisbot.jwks_url()});
    servisbot.set_auth(EventingAuth::Jwks);
    servisbot.set_keys_down(true);
    let call = servisbot.event_call(&servisbot.bot_message(CONVERSATION, "hello"));
    let platform = Servisbot::default();
    let received = receive(&platform, &call, &settings, now()).await;
    assert!(matches!(received, ParsedCall::Reply(reply) if reply.status == 503));
    servisbot.set_keys_down(false);
    let later = now() + SignedDuration::from_secs(5);
    assert!(matches!(receive(&platform, &call, &settings, later).await, ParsedCall::Events(_)));
}

/// Shows S10, S11, S24, S25.
#[tokio::test]
async fn a_chat_history_server_joins_each_choice_to_its_markup() {
    let servisbot = started().await;
    let settings = json!({"eventing_url": servisbot.history_url(), "organization": "acme"});
    let question = Content {
        choices: vec![Choice { id: "1".into(), title: "Yes".into() }],
        single_use: true,
        ..Content::text("Sure?")
    };
    let message = EventBody::Message { content: question, metadata: serde_json::Map::new() };
    let choice = EventBody::Choice { id: "1".into(), title: Some("Yes".into()), typed: None };
    for (second, (author, body)) in (0_i64..).zip([
        (AuthorRole::Customer, text_message("hello")),
        (AuthorRole::Bot, message),
        (AuthorRole::Customer, choice),
        (AuthorRole::Agent, text_message("I take over.")),
    ]) {
        let mut observed = delivery(Role::Observer, author, body);
        observed.event.at = now() + SignedDuration::from_secs(second);
        observed.event.id = EventId::from_parts(&["m", &second.to_string()]);
        observed.id =
            Delivery::make_id(&observed.key, &observed.from, &observed.event.id, &observed.to);
        if matches!(observed.event.body, EventBody::Choice { .. }) {
            observed.event.choice_source = Some(Box::new(ChoiceSource {
                from: "bot".parse().unwrap(),
                event: EventId::from_parts(&["m", "1"]),
                at: now() + SignedDuration::from_secs(1),
                parts: [].into(),
            }));
        }
        for _ in 0..2 {
            let attempt = send(&observed, &settings).await;
            assert_eq!(
                attempt.classification.verdict,
                Verdict::Delivered,
                "{:?}",
                servisbot.refused()
            );
        }
    }
    let history = servisbot.wait_for_history(4, Duration::from_secs(5)).await;
    let stored: Vec<_> = history
        .iter()
        .map(|message| (message["to"].as_str().unwrap(), message["contentType"].as_str().unwrap()))
        .collect();
    assert_eq!(
        stored,
        [
            ("server", "message"),
            ("client", "markup"),
            ("server", "markupInteraction"),
            ("client", "message")
        ]
    );
    assert_eq!(history[1]["id"], history[2]["id"]);
    assert_eq!(servisbot.refused().len(), 4, "each repeat was rejected");

    servisbot.set_auth(EventingAuth::JwtSecret);
    let observed = delivery(Role::Observer, AuthorRole::Customer, text_message("and with a token"));
    assert_eq!(send(&observed, &settings).await.classification.verdict, Verdict::Permanent);
    let mut with_token = settings.clone();
    with_token["auth"] = json!("jwt_secret");
    assert_eq!(send(&observed, &with_token).await.classification.verdict, Verdict::Delivered);
}

#[tokio::test]
async fn without_a_customer_reference_the_event_has_servisbots_id() {
    let servisbot = started().await;
    servisbot.omit_customer_reference(true);
    let call = servisbot.event_call(&servisbot.bot_message(CONVERSATION, "hello"));
    let events_received =
        events(receive(&Servisbot::default(), &call, &bot(&servisbot), now()).await);
    assert!(events_received[0].external_conversation_id.as_str().starts_with("5f2c1c7e-"));
}
