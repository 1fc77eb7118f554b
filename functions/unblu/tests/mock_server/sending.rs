//! Sending messages, files, replies, message states and ends.

use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use trunkline_core::model::{
    Author, AuthorRole, Content, EventBody, Media, MessageReference, ReceiptStatus, Session,
    Transcript, TranscriptEntry, Verdict,
};
use trunkline_runtime::outbound::Outbound;
use trunkline_unblu::Unblu;

use super::{Setup, VERSIONS};
use crate::common::{delivery, delivery_id, handover, map, text_message};
use trunkline_unblu_mock::CallStyle;

/// Shows U1, U18.
#[tokio::test]
async fn a_text_has_the_delivery_id_as_source_id() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let session = setup.open().await;
        let attempt = setup.send("m1", text_message("Where is my order?"), &session).await;
        let sent = setup.server.wait_for_messages(1).await.remove(0);
        assert_eq!(
            (attempt.classification.verdict, attempt.status),
            (Verdict::Delivered, Some(200))
        );
        let expected =
            if version == "v4" { sent.id.clone() } else { format!("action-{}", sent.id) };
        assert_eq!(attempt.classification.external_message_id, Some(expected.into()));
        assert_eq!(attempt.session, None, "the session is unchanged");
        assert_eq!(
            (sent.source_id.as_str(), sent.conversation.as_str()),
            (&*delivery_id("m1"), session.external_conversation_id.as_str())
        );
        let sender = if version == "v4" { "contact" } else { "person" };
        assert_eq!(sent.sender, session.platform_data[sender]);
        assert_eq!(sent.data["text"], "Where is my order?");
    }
}

/// Shows U21.
#[tokio::test]
async fn message_states_refer_to_the_outcomes_message_id() {
    let setup = Setup::start("v4", &json!({})).await;
    let session = setup.open().await;
    let message = delivery("m1", text_message("hi"));
    setup.send("m1", text_message("hi"), &session).await;
    let sent = setup.server.wait_for_messages(1).await.remove(0);
    let call = setup.server.message_state_changes(&sent.id, "READ", CallStyle::Webhook);
    let known = Unblu.external_message_id(&message, Some(sent.id.into())).unwrap();
    assert_eq!(
        call.json()["sourceId"],
        known.as_str(),
        "the receipt's message is the outcome's id"
    );
}

#[tokio::test]
async fn a_handover_sends_reason_context_and_transcript() {
    let setup = Setup::start("v4", &json!({})).await;
    let session = setup.open().await;
    let line = |role, text: &str| TranscriptEntry {
        at: crate::common::now(),
        author: Author::nameless(role),
        content: Content::text(text),
    };
    let lines = vec![line(AuthorRole::Customer, "Where is it?"), line(AuthorRole::Bot, "I ask.")];
    let transcript = Transcript { limit: 20, entries: lines, ..Transcript::default() };
    let body = handover(Some("customer_asked"), json!({"order": "48121"}), transcript);
    let attempt = setup.send("h1", body, &session).await;
    assert_eq!(attempt.classification.verdict, Verdict::Delivered);
    let sent = setup.server.wait_for_messages(1).await.remove(0);
    let text = "Handed over by the assistant\nReason: customer_asked\norder: 48121\n\n\
                — 2026-03-04 (UTC)\n09:15 Customer: Where is it?\n09:15 Bot: I ask.";
    assert_eq!(sent.data["text"], text);
    assert_eq!(sent.source_id, format!("{}#1", delivery_id("h1")));
    let nothing =
        setup.send("h2", handover(None, json!({}), Transcript::default()), &session).await;
    assert_eq!((nothing.classification.verdict, setup.server.sent().len()), (Verdict::Skipped, 1));
}

/// A server for customers' files; one needs a header.
async fn files() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let guarded = |headers: HeaderMap| async move {
        let may = headers.get("authorization").is_some_and(|value| value == "Bearer files");
        if may { Ok([1_u8, 2, 3].to_vec()) } else { Err(axum::http::StatusCode::FORBIDDEN) }
    };
    let router = Router::new()
        .route("/a.bin", get(|| async { [1_u8, 2, 3].to_vec() }))
        .route("/guarded.bin", get(guarded))
        .route("/large.bin", get(|| async { vec![0_u8; 200_000] }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

fn with_files(text: Option<&str>, urls: &[String]) -> EventBody {
    let media = urls.iter().map(|url| Media {
        url: url.clone(),
        mime_type: Some("image/png".into()),
        name: None,
        ..Media::default()
    });
    let text = text.map(Into::into);
    let content = Content { text, media: media.collect(), ..Content::default() };
    EventBody::Message { content, metadata: map(json!({})) }
}

#[tokio::test]
async fn sends_files_and_links_for_large_or_protected_ones() {
    let base = files().await;
    let mut setup = Setup::start("v4", &json!({"max_file_bytes": "100000"})).await;
    let session = setup.open().await;
    let urls =
        ["a.bin", "guarded.bin", "large.bin", "none.bin"].map(|name| format!("{base}/{name}"));
    let attempt = setup.send("m1", with_files(Some("Four"), &urls), &session).await;
    assert_eq!(attempt.classification.verdict, Verdict::Delivered);
    let sent = setup.server.wait_for_messages(5).await;
    let shown = |data: &Value| match data["type"].as_str().unwrap() {
        "FILE" => data["fileData"].as_str().unwrap().to_owned(),
        _ => data["text"].as_str().unwrap().to_owned(),
    };
    let png = "data:image/png;base64,AQID";
    let texts: Vec<_> = sent.iter().map(|sent| shown(&sent.data)).collect();
    assert_eq!(texts, ["Four", png, &urls[1], &urls[2], &urls[3]]);
    assert_eq!(sent[4].source_id, delivery_id("m1"));

    setup.secrets.set("media_header:authorization", vec!["Bearer files".into()]);
    setup.connection.settings.insert("media_hosts".into(), "127.0.0.1".into());
    setup.send("m2", with_files(Some("One"), &urls[1..2]), &session).await;
    let last = setup.server.wait_for_messages(6).await.remove(5);
    assert_eq!((shown(&last.data).as_str(), &last.data["caption"]), (png, &json!("One")));
    setup.connection.settings.insert("max_file_bytes".into(), "2".into());
    setup.send("m3", with_files(None, &urls[..1]), &session).await;
    assert_eq!(shown(&setup.server.wait_for_messages(7).await[6].data), urls[0]);
}

#[tokio::test]
async fn a_retry_continues_where_the_first_attempt_ended() {
    let setup = Setup::start("v4", &json!({})).await;
    let session = setup.open().await;
    let urls = ["a", "b"].map(|name| format!("http://127.0.0.1:1/{name}"));
    let body = || with_files(Some("Two"), &urls);
    let failing = setup.server.clone();
    failing.fail_after_messages(2, 503);
    let first = setup.send("m1", body(), &session).await;
    assert_eq!((first.classification.verdict, first.status), (Verdict::Retryable, Some(503)));
    let session = first.session.expect("how setup it came is remembered");
    let second = setup.send("m1", body(), &session).await;
    assert_eq!(second.classification.verdict, Verdict::Delivered);
    let texts: Vec<_> = setup.server.sent().iter().map(|sent| sent.data["text"].clone()).collect();
    assert_eq!(texts, [json!("Two"), json!(urls[0]), json!(urls[1])], "no message twice");
    let other = setup.send("m2", text_message("more"), &session).await;
    assert_eq!((other.classification.verdict, setup.server.sent().len()), (Verdict::Delivered, 4));
}

#[tokio::test]
async fn a_slow_server_gets_the_rest_in_the_next_attempt() {
    let setup = Setup::start("v4", &json!({})).await;
    let session = setup.open().await;
    setup.server.set_delay(Duration::from_millis(2_500));
    let urls = ["a", "b"].map(|name| format!("http://127.0.0.1:1/{name}"));
    let body = || with_files(Some("Two"), &urls);
    let first = setup.send("m1", body(), &session).await;
    assert_eq!((first.classification.verdict, setup.server.sent().len()), (Verdict::Retryable, 2));
    setup.server.set_delay(Duration::ZERO);
    let second = setup.send("m1", body(), &first.session.unwrap()).await;
    assert_eq!((second.classification.verdict, setup.server.sent().len()), (Verdict::Delivered, 3));
}

#[tokio::test]
async fn finds_the_visitor_of_a_conversation_started_by_an_agent() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let opened = setup.open().await;
        let bare = Session::new(opened.id.clone(), opened.external_conversation_id.clone());
        let attempt = setup.send("m1", text_message("hello"), &bare).await;
        assert_eq!(attempt.classification.verdict, Verdict::Delivered);
        assert_eq!(attempt.session, Some(opened), "the ids are stored in the session");
    }
}

/// Shows U18.
#[tokio::test]
async fn a_reply_names_its_question() {
    let setup = Setup::start("v4", &json!({})).await;
    let session = setup.open().await;
    let call = setup.server.agent_asks(
        session.external_conversation_id.as_str(),
        "Which?",
        &["Red", "Blue"],
        CallStyle::Webhook,
    );
    let question = call.json()["conversationMessage"]["id"].as_str().unwrap().to_owned();
    let (id, title) = (format!("question/{question}/BLUE"), Some("Blue".into()));
    setup.send("c1", EventBody::Choice { id, title, typed: Some("2".into()) }, &session).await;
    let sent = setup.server.wait_for_messages(1).await.remove(0);
    assert_eq!(
        (&sent.data["questionMessageId"], &sent.data["value"]),
        (&json!(question), &json!("BLUE"))
    );
    assert_eq!(sent.data["type"], "REPLY");
}

pub(super) fn receipt(
    message: &str,
    known: Option<(&str, &str)>,
    status: ReceiptStatus,
) -> EventBody {
    let about = known.map(|(connection, message)| MessageReference {
        connection: connection.parse().unwrap(),
        message: message.into(),
    });
    let reason = Some("The number is unknown".to_owned());
    EventBody::Receipt { message: message.into(), target: about, status, reason }
}

/// Shows U21.
#[tokio::test]
async fn reports_receipts_as_message_states() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({"fail_state": "RETRYABLE"})).await;
        let session = setup.open().await;
        let call = setup.server.agent_writes(
            session.external_conversation_id.as_str(),
            "Hi",
            CallStyle::Webhook,
        );
        let message = call.json()["conversationMessage"]["id"].as_str().unwrap().to_owned();
        let own = Some(("desk", message.as_str()));
        for (status, named, call, fail_state) in [
            (ReceiptStatus::Delivered, "wa-1", "messageDelivered", None),
            (ReceiptStatus::Read, "wa-1", "messageRead", None),
            (ReceiptStatus::Sent, "wa-1", "messageSentSuccessfully", None),
            (ReceiptStatus::Failed, "wa-1", "messageSendFailed", Some("RETRYABLE")),
            (ReceiptStatus::Failed, &delivery_id("x"), "messageSendFailed", Some("TERMINAL")),
        ] {
            let attempt = setup.send("r1", receipt(named, own, status), &session).await;
            assert_eq!(
                (attempt.classification.verdict, attempt.status),
                (Verdict::Delivered, Some(204))
            );
            let report = setup.server.state_reports().pop().unwrap();
            assert_eq!((report.call.as_str(), &report.message), (call, &message));
            let failed = if version == "v4" { "failState" } else { "failedState" };
            assert_eq!(report.body[failed].as_str(), fail_state);
            if fail_state.is_some() {
                assert_eq!(report.body["failureText"], "The number is unknown");
            }
        }
    }
}

#[tokio::test]
async fn skips_receipts_that_unblu_does_not_support() {
    let setup = Setup::start("v4", &json!({})).await;
    let session = setup.open().await;
    let read = || ReceiptStatus::Read;
    for body in [
        receipt("wa-1", None, read()),
        receipt("wa-1", Some(("bot", "b-1")), read()),
        receipt("wa-1", Some(("desk", "m")), ReceiptStatus::Other("queued".into())),
        receipt("wa-1", Some(("desk", "gone")), read()),
        EventBody::Typing { active: true },
        EventBody::Accept,
    ] {
        let attempt = setup.send("r1", body.clone(), &session).await;
        assert_eq!(attempt.classification.verdict, Verdict::Skipped, "{body:?}");
    }
    let off = Setup::start("v4", &json!({"message_states": false})).await;
    let session = off.open().await;
    let body = receipt("wa-1", Some(("desk", "m")), read());
    assert_eq!(off.send("r1", body, &session).await.classification.verdict, Verdict::Skipped);
    assert!(off.server.state_reports().is_empty());
}

#[tokio::test]
async fn a_close_ends_the_conversation() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let session = setup.open().await;
        let close = || EventBody::Close { reason: Some("no agent accepted in time".into()) };
        let attempt = setup.send("x1", close(), &session).await;
        assert_eq!(
            (attempt.classification.verdict, attempt.status),
            (Verdict::Delivered, Some(200))
        );
        let ended = setup.server.wait_for_ends(1).await.remove(0);
        assert_eq!(session.external_conversation_id, *ended.conversation);
        assert_eq!(
            (ended.reason.as_str(), ended.comment.as_deref()),
            ("EXTERNAL_CHANNEL_CLOSED", Some("no agent accepted in time"))
        );
        // An ended conversation accepts no messages; a new handover opens a new one.
        let late = setup.send("m1", text_message("hello?"), &session).await;
        let reason = "Unblu answered 400 Bad Request: The conversation has ended";
        assert_eq!(
            (late.classification.verdict, late.classification.reason.as_deref()),
            (Verdict::Permanent, Some(reason))
        );
        let gone = Session { external_conversation_id: "gone".into(), ..session };
        assert_eq!(setup.send("x2", close(), &gone).await.classification.verdict, Verdict::Skipped);
    }
}

#[tokio::test]
async fn encode_returns_the_request_that_is_sent() {
    let setup = Setup::start("v4", &json!({})).await;
    let session = setup.open().await;
    let message = delivery("m1", text_message("hi"));
    let request =
        Unblu.encode(&setup.send_context(&setup.settings(), &message, Some(&session))).unwrap();
    let answer = setup.http_client.send(request).await.unwrap();
    assert_eq!(Unblu.classify(&answer).verdict, Verdict::Delivered);
    assert_eq!(setup.server.sent()[0].source_id, delivery_id("m1"));
    let close = delivery("x1", EventBody::Close { reason: None });
    let request =
        Unblu.encode(&setup.send_context(&setup.settings(), &close, Some(&session))).unwrap();
    assert!(request.url.ends_with("/end"));
}
