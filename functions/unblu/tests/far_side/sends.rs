//! Messages, files, answers, states, ends.

use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use trunkline_shared::model::{
    Author, AuthorRole, Content, EventBody, Line, Media, Recall, ReceiptStatus, Reference, Session,
    Verdict,
};
use trunkline_shared::outbound::Outbound;
use trunkline_unblu::Unblu;

use crate::common::{delivery, delivery_id, handover, map, says};
use crate::{Far, VERSIONS};
use trunkline_stand_ins::unblu::Style;

#[tokio::test]
async fn a_text_arrives_with_the_deliverys_id() {
    for version in VERSIONS {
        let far = Far::start(version, &json!({})).await;
        let session = far.open().await;
        let attempt = far.send("m1", says("Where is my order?"), &session).await;
        let sent = far.server.accepts(1).await.remove(0);
        assert_eq!((attempt.meaning.verdict, attempt.status), (Verdict::Delivered, Some(200)));
        let told = if version == "v4" { sent.id.clone() } else { format!("action-{}", sent.id) };
        assert_eq!(attempt.meaning.external_id, Some(told));
        assert_eq!(attempt.session, None, "nothing is to be written");
        assert_eq!(
            (sent.source_id.as_str(), sent.conversation.as_str()),
            (&*delivery_id("m1"), &*session.external_id)
        );
        let sender = if version == "v4" { "contact" } else { "person" };
        assert_eq!(sent.sender, session.memory[sender]);
        assert_eq!(sent.data["text"], "Where is my order?");
    }
}

#[tokio::test]
async fn its_states_name_what_the_switchboard_knows() {
    let far = Far::start("v4", &json!({})).await;
    let session = far.open().await;
    let message = delivery("m1", says("hi"));
    far.send("m1", says("hi"), &session).await;
    let sent = far.server.accepts(1).await.remove(0);
    let call = far.server.agent_gets(&sent.id, "READ", Style::Webhook);
    let known = Unblu.message_id(&message, Some(sent.id)).unwrap();
    assert_eq!(call.json()["sourceId"], known, "the receipt's message is the outcome's id");
}

#[tokio::test]
async fn a_handover_tells_what_was_said() {
    let far = Far::start("v4", &json!({})).await;
    let session = far.open().await;
    let line = |role, text: &str| Line {
        at: crate::common::now(),
        author: Author::nameless(role),
        content: Content::text(text),
    };
    let lines = vec![line(AuthorRole::Customer, "Where is it?"), line(AuthorRole::Bot, "I ask.")];
    let recall = Recall { last: 20, lines, ..Recall::default() };
    let body = handover(Some("customer_asked"), json!({"order": "48121"}), recall);
    let attempt = far.send("h1", body, &session).await;
    assert_eq!(attempt.meaning.verdict, Verdict::Delivered);
    let sent = far.server.accepts(1).await.remove(0);
    let text = "Handed over by the assistant\nReason: customer_asked\norder: 48121\n\n\
                — 2026-03-04 (UTC)\n09:15 Customer: Where is it?\n09:15 Bot: I ask.";
    assert_eq!(sent.data["text"], text);
    assert_eq!(sent.source_id, format!("{}#1", delivery_id("h1")));
    let nothing = far.send("h2", handover(None, json!({}), Recall::default()), &session).await;
    assert_eq!((nothing.meaning.verdict, far.server.sent().len()), (Verdict::Skipped, 1));
}

/// A place where customers' files are; it wants a header.
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
    });
    let text = text.map(Into::into);
    let content = Content { text, media: media.collect(), ..Content::default() };
    EventBody::Message { content, metadata: map(json!({})) }
}

#[tokio::test]
async fn files_go_as_files_and_what_is_too_large_or_kept_from_us_as_links() {
    let base = files().await;
    let mut far = Far::start("v4", &json!({"max_file_bytes": "100000"})).await;
    let session = far.open().await;
    let urls =
        ["a.bin", "guarded.bin", "large.bin", "none.bin"].map(|name| format!("{base}/{name}"));
    let attempt = far.send("m1", with_files(Some("Four"), &urls), &session).await;
    assert_eq!(attempt.meaning.verdict, Verdict::Delivered);
    let sent = far.server.accepts(5).await;
    let shown = |data: &Value| match data["type"].as_str().unwrap() {
        "FILE" => data["fileData"].as_str().unwrap().to_owned(),
        _ => data["text"].as_str().unwrap().to_owned(),
    };
    let png = "data:image/png;base64,AQID";
    let texts: Vec<_> = sent.iter().map(|sent| shown(&sent.data)).collect();
    assert_eq!(texts, ["Four", png, &urls[1], &urls[2], &urls[3]]);
    assert_eq!(sent[4].source_id, delivery_id("m1"));

    far.secrets.set("media_header:authorization", vec!["Bearer files".into()]);
    far.connection.settings.insert("media_hosts".into(), "127.0.0.1".into());
    far.send("m2", with_files(Some("One"), &urls[1..2]), &session).await;
    let last = far.server.accepts(6).await.remove(5);
    assert_eq!((shown(&last.data).as_str(), &last.data["caption"]), (png, &json!("One")));
    far.connection.settings.insert("max_file_bytes".into(), "2".into());
    far.send("m3", with_files(None, &urls[..1]), &session).await;
    assert_eq!(shown(&far.server.accepts(7).await[6].data), urls[0]);
}

#[tokio::test]
async fn a_retry_goes_on_where_the_first_try_ended() {
    let far = Far::start("v4", &json!({})).await;
    let session = far.open().await;
    let urls = ["a", "b"].map(|name| format!("http://127.0.0.1:1/{name}"));
    let body = || with_files(Some("Two"), &urls);
    let failing = far.server.clone();
    failing.fails_after(2, 503);
    let first = far.send("m1", body(), &session).await;
    assert_eq!((first.meaning.verdict, first.status), (Verdict::Retryable, Some(503)));
    let session = first.session.expect("how far it came is remembered");
    let second = far.send("m1", body(), &session).await;
    assert_eq!(second.meaning.verdict, Verdict::Delivered);
    let texts: Vec<_> = far.server.sent().iter().map(|sent| sent.data["text"].clone()).collect();
    assert_eq!(texts, [json!("Two"), json!(urls[0]), json!(urls[1])], "none twice");
    let other = far.send("m2", says("more"), &session).await;
    assert_eq!((other.meaning.verdict, far.server.sent().len()), (Verdict::Delivered, 4));
}

#[tokio::test]
async fn who_is_slow_gets_the_rest_the_next_time() {
    let far = Far::start("v4", &json!({})).await;
    let session = far.open().await;
    far.server.takes(Duration::from_millis(2_500));
    let urls = ["a", "b"].map(|name| format!("http://127.0.0.1:1/{name}"));
    let body = || with_files(Some("Two"), &urls);
    let first = far.send("m1", body(), &session).await;
    assert_eq!((first.meaning.verdict, far.server.sent().len()), (Verdict::Retryable, 2));
    far.server.takes(Duration::ZERO);
    let second = far.send("m1", body(), &first.session.unwrap()).await;
    assert_eq!((second.meaning.verdict, far.server.sent().len()), (Verdict::Delivered, 3));
}

#[tokio::test]
async fn a_conversation_that_an_agent_began_has_its_visitor_found() {
    for version in VERSIONS {
        let far = Far::start(version, &json!({})).await;
        let opened = far.open().await;
        let bare = Session::new(opened.conversation.clone(), opened.external_id.clone());
        let attempt = far.send("m1", says("hello"), &bare).await;
        assert_eq!(attempt.meaning.verdict, Verdict::Delivered);
        assert_eq!(attempt.session, Some(opened), "and is remembered");
    }
}

#[tokio::test]
async fn an_answer_names_its_question() {
    let far = Far::start("v4", &json!({})).await;
    let session = far.open().await;
    let call =
        far.server.agent_asks(&session.external_id, "Which?", &["Red", "Blue"], Style::Webhook);
    let question = call.json()["conversationMessage"]["id"].as_str().unwrap().to_owned();
    let (id, title) = (format!("question/{question}/BLUE"), Some("Blue".into()));
    far.send("c1", EventBody::Choice { id, title, typed: Some("2".into()) }, &session).await;
    let sent = far.server.accepts(1).await.remove(0);
    assert_eq!(
        (&sent.data["questionMessageId"], &sent.data["value"]),
        (&json!(question), &json!("BLUE"))
    );
    assert_eq!(sent.data["type"], "REPLY");
}

fn receipt(message: &str, known: Option<(&str, &str)>, status: ReceiptStatus) -> EventBody {
    let about = known.map(|(connection, message)| Reference {
        connection: connection.parse().unwrap(),
        message: message.into(),
    });
    let reason = Some("The number is unknown".to_owned());
    EventBody::Receipt { message: message.into(), about, status, reason }
}

#[tokio::test]
async fn receipts_are_states() {
    for version in VERSIONS {
        let far = Far::start(version, &json!({"fail_state": "RETRYABLE"})).await;
        let session = far.open().await;
        let call = far.server.agent_writes(&session.external_id, "Hi", Style::Webhook);
        let message = call.json()["conversationMessage"]["id"].as_str().unwrap().to_owned();
        let own = Some(("desk", message.as_str()));
        for (status, named, call, fail_state) in [
            (ReceiptStatus::Delivered, "wa-1", "messageDelivered", None),
            (ReceiptStatus::Read, "wa-1", "messageRead", None),
            (ReceiptStatus::Other("sent".into()), "wa-1", "messageSentSuccessfully", None),
            (ReceiptStatus::Failed, "wa-1", "messageSendFailed", Some("RETRYABLE")),
            (ReceiptStatus::Failed, &delivery_id("x"), "messageSendFailed", Some("TERMINAL")),
        ] {
            let attempt = far.send("r1", receipt(named, own, status), &session).await;
            assert_eq!((attempt.meaning.verdict, attempt.status), (Verdict::Delivered, Some(204)));
            let marked = far.server.marked().pop().unwrap();
            assert_eq!((marked.call.as_str(), &marked.message), (call, &message));
            let failed = if version == "v4" { "failState" } else { "failedState" };
            assert_eq!(marked.body[failed].as_str(), fail_state);
            if fail_state.is_some() {
                assert_eq!(marked.body["failureText"], "The number is unknown");
            }
        }
    }
}

#[tokio::test]
async fn receipts_that_say_nothing_to_unblu_are_left_out() {
    let far = Far::start("v4", &json!({})).await;
    let session = far.open().await;
    let read = || ReceiptStatus::Read;
    for body in [
        receipt("wa-1", None, read()),
        receipt("wa-1", Some(("bot", "b-1")), read()),
        receipt("wa-1", Some(("desk", "m")), ReceiptStatus::Other("queued".into())),
        receipt("wa-1", Some(("desk", "gone")), read()),
        EventBody::Typing { active: true },
        EventBody::Accept,
    ] {
        let attempt = far.send("r1", body.clone(), &session).await;
        assert_eq!(attempt.meaning.verdict, Verdict::Skipped, "{body:?}");
    }
    let off = Far::start("v4", &json!({"message_states": false})).await;
    let session = off.open().await;
    let body = receipt("wa-1", Some(("desk", "m")), read());
    assert_eq!(off.send("r1", body, &session).await.meaning.verdict, Verdict::Skipped);
    assert!(off.server.marked().is_empty());
}

#[tokio::test]
async fn what_the_switchboard_takes_back_is_ended() {
    for version in VERSIONS {
        let far = Far::start(version, &json!({})).await;
        let session = far.open().await;
        let close = || EventBody::Close { reason: Some("nobody accepted in time".into()) };
        let attempt = far.send("x1", close(), &session).await;
        assert_eq!((attempt.meaning.verdict, attempt.status), (Verdict::Delivered, Some(204)));
        let ended = far.server.ends(1).await.remove(0);
        assert_eq!(ended.conversation, session.external_id);
        assert_eq!(
            (ended.reason.as_str(), ended.comment.as_deref()),
            ("EXTERNAL_CHANNEL_CLOSED", Some("nobody accepted in time"))
        );
        // Ended, it cannot be written to; a new handover gets a new one.
        let late = far.send("m1", says("hello?"), &session).await;
        let reason = "Unblu answered 400 Bad Request: The conversation has ended";
        assert_eq!(
            (late.meaning.verdict, late.meaning.reason.as_deref()),
            (Verdict::Permanent, Some(reason))
        );
        let gone = Session { external_id: "gone".into(), ..session };
        assert_eq!(far.send("x2", close(), &gone).await.meaning.verdict, Verdict::Skipped);
    }
}

#[tokio::test]
async fn what_is_encoded_is_what_is_sent() {
    let far = Far::start("v4", &json!({})).await;
    let session = far.open().await;
    let message = delivery("m1", says("hi"));
    let request = Unblu.encode(&far.sending(&message, Some(&session))).unwrap();
    let answer = far.outside.call(request).await.unwrap();
    assert_eq!(Unblu.meaning(&answer).verdict, Verdict::Delivered);
    assert_eq!(far.server.sent()[0].source_id, delivery_id("m1"));
    let close = delivery("x1", EventBody::Close { reason: None });
    let request = Unblu.encode(&far.sending(&close, Some(&session))).unwrap();
    assert!(request.url.ends_with("/end"));
}
