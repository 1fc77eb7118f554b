//! What Unblu tells us, as the stand-in posts it, and whether it takes our answers.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use trunkline_shared::inbound::Received;
use trunkline_shared::model::{EventBody, ReceiptStatus};
use trunkline_unblu::reaches;

use crate::common::{delivery_id, headers, post, says};
use crate::{Far, VERSIONS};
use trunkline_stand_ins::unblu::{Answered, Call, Post, Style, accepts};

/// Our side of a connection, without the network.
pub fn endpoint(far: &Far) -> Post {
    heard(&far.connection.settings.clone().into()).0
}

type Heard = Arc<Mutex<Vec<Received>>>;

fn heard(settings: &Value) -> (Post, Heard) {
    let (settings, all) = (settings.clone(), Heard::default());
    let hears = Arc::clone(&all);
    let posts: Post = Arc::new(move |call: Call| {
        let pairs = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let (received, reply) = post(&settings, &headers(pairs), &call.body);
        hears.lock().unwrap().push(received);
        let headers = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        let answered = Answered {
            status: reply.status.as_u16(),
            headers: headers.collect(),
            body: reply.body.into_bytes(),
        };
        Box::pin(async move { answered })
    });
    (posts, all)
}

fn last(heard: &Heard) -> EventBody {
    match heard.lock().unwrap().pop() {
        Some(Received::Events(mut events)) => events.remove(0).body,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn everything_that_an_agent_does_is_heard_and_answered_in_either_style() {
    for style in [Style::Webhook, Style::Outbound] {
        let far = Far::start("v4", &json!({})).await;
        let (post, heard) = heard(&json!({}));
        far.server.calls(post);
        let session = far.open().await;
        let (server, id) = (&far.server, session.external_id.as_str());
        let shown = |body: EventBody| match body {
            EventBody::Message { content, .. } => content,
            other => panic!("{other:?}"),
        };
        for (call, text) in [
            (server.agent_writes(id, "Hi", style), "Hi"),
            (server.agent_sends_file(id, "a.pdf", style), "As promised"),
            (
                server.agent_sends_card(id, "Card", style),
                "Card\nDetails\nOpen: https://acme.example/1",
            ),
            (server.agent_asks(id, "Which?", &["Red"], style), "Which?"),
        ] {
            let posted = server.post(call).await.unwrap();
            assert_eq!(posted.problem, None, "{posted:?}");
            assert_eq!(shown(last(&heard)).text.as_deref(), Some(text));
        }
        let posted = server.post(server.agent_notes(id, "Careful", style)).await.unwrap();
        assert_eq!(posted.problem, None);
        assert!(matches!(last(&heard), EventBody::Opaque { said: false, .. }));
        let posted = server.post(server.ping(style)).await.unwrap();
        assert_eq!(posted.problem, None, "{posted:?}");

        far.send("m1", says("hello"), &session).await;
        let sent = server.accepts(1).await.remove(0);
        let posted = server.post(server.agent_gets(&sent.id, "READ", style)).await.unwrap();
        assert_eq!(posted.problem, None, "{posted:?}");
        let (message, status) = (delivery_id("m1"), ReceiptStatus::Read);
        let read = EventBody::Receipt { message, about: None, status, reason: None };
        heard.lock().unwrap().retain(|received| matches!(received, Received::Events(_)));
        assert_eq!(last(&heard), read);

        let posted = server.post(server.agent_ends(id, "ENDED_BY_PARTICIPANT")).await.unwrap();
        assert_eq!(posted.problem, None);
        assert_eq!(last(&heard), EventBody::Close { reason: Some("ENDED_BY_PARTICIPANT".into()) });
        assert_eq!(server.conversation("handover-1"), None, "it is over there");
    }
}

#[tokio::test]
async fn only_unblus_own_signatures_are_believed() {
    let far = Far::start("v4", &json!({})).await;
    far.server.calls(endpoint(&far));
    for style in [Style::Webhook, Style::Outbound] {
        let call = far.server.agent_writes("c", "Hi", style);
        for (call, status) in [
            (call.clone(), 200),
            (call.clone().signed_only_by("x-unblu-signature"), 200),
            (call.clone().signed_only_by("x-unblu-signature-256"), 200),
            (call.clone().signed_with("another"), 401),
            (call.unsigned(), 401),
        ] {
            let posted = far.server.post(call).await.unwrap();
            assert_eq!(posted.status, status, "{posted:?}");
        }
    }
}

#[tokio::test]
async fn an_agent_begins_a_conversation() {
    let far = Far::start("v4", &json!({"contact_channel": "shop"})).await;
    far.server.calls(endpoint(&far));
    let server = &far.server;
    let posted = server.post(server.agent_wants_contact("4711", "Ada Lovelace")).await.unwrap();
    assert_eq!(posted.problem, None, "{posted:?}");
    let contact = server.takes_contact(&posted);
    let posted = server.post(server.agent_begins(&contact)).await.unwrap();
    assert_eq!(posted.problem, None, "{posted:?}");
    let conversation = server.takes_conversation(&posted, &contact);
    let call = server.agent_writes(&conversation, "Your parcel is here", Style::Outbound);
    let key = reaches(&call.body).expect("whom it reaches");
    assert_eq!((key.channel.as_str(), key.customer.as_str()), ("shop", "4711"));
    let posted = server.post(server.agent_wants_contact(" ", "Nobody")).await.unwrap();
    assert_eq!(
        (posted.problem, &posted.body["type"]),
        (None, &json!("INVALID_CONTACT_IDENTIFIER"))
    );
}

#[tokio::test]
async fn a_channel_that_is_off_calls_nobody() {
    let far = Far::start("v4", &json!({})).await;
    far.server.calls(endpoint(&far));
    far.server.gives_up();
    assert!(far.server.post(far.server.ping(Style::Webhook)).await.is_none());
}

#[test]
fn the_stand_in_takes_every_documented_answer() {
    for (service, answer) in [
        (
            "external_messenger.create_contact",
            include_str!("../../fixtures/create-contact-create.json"),
        ),
        (
            "external_messenger.create_contact",
            include_str!("../../fixtures/create-contact-use-existing.json"),
        ),
        (
            "external_messenger.create_contact",
            include_str!("../../fixtures/create-contact-invalid.json"),
        ),
        (
            "external_messenger.create_conversation",
            include_str!("../../fixtures/create-conversation-create.json"),
        ),
        (
            "external_messenger.new_message",
            include_str!("../../fixtures/new-message-response.json"),
        ),
        (
            "external_messenger.message_state",
            include_str!("../../fixtures/message-state-response.json"),
        ),
    ] {
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(accepts(service, &json!({}), &answer), Ok(()), "{service}");
        assert!(accepts(service, &json!({}), &json!({"type": "CREATE"})).is_err());
    }
}

#[tokio::test]
async fn the_stand_in_refuses_what_unblu_would() {
    for version in VERSIONS {
        let far = Far::start(version, &json!({})).await;
        let session = far.open().await;
        let known = session.memory.get("contact").unwrap_or(&session.memory["person"]).clone();
        let base = far.server.base_url(version);
        let sender =
            if version == "v4" { "senderExternalMessengerContactId" } else { "senderPersonId" };
        let good = json!({
            "$_type": "ExternalMessengerPostMessage", "conversationId": session.external_id,
            "externalMessengerChannelId": crate::common::CHANNEL, sender: known, "sourceId": "x",
            "messageData": {"$_type": "TextPostMessageData", "type": "TEXT", "text": "x", "textType": "SIMPLE_TEXT"},
        });
        let path = if version == "v4" {
            format!("{base}/externalmessengers/{}/sendMessage", crate::common::CHANNEL)
        } else {
            format!("{base}/externalmessengers/sendMessage")
        };
        let call = async |url: &str, body: &Value| {
            let mut request = trunkline_shared::http_client::Request {
                method: http::Method::POST,
                url: url.to_owned(),
                headers: headers([("content-type", "application/json")]),
                body: body.to_string().into_bytes(),
            };
            let login = "Basic aHViOnBhOnNzIHfDtnJk".parse().unwrap();
            request.headers.insert("authorization", login);
            let answer = far.outside.call(request).await.unwrap();
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let is_error =
                body["$_type"] == "Error" && body["statusCode"] == answer.status.as_u16();
            assert!(answer.status.is_success() || is_error, "{body}");
            answer.status.as_u16()
        };
        assert_eq!(call(&path, &good).await, 200);
        for (pointer, value) in [
            ("/$_type", json!("Message")),
            ("/messageData/$_type", json!("TextMessageData")),
            ("/messageData/type", json!(null)),
            ("/messageData/textType", json!("HTML")),
            (&*format!("/{sender}"), json!("stranger")),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = value;
            assert_eq!(call(&path, &bad).await, 400, "{version} {pointer}");
        }
        let mut unknown = good.clone();
        unknown["conversationId"] = json!("unknown");
        assert_eq!(call(&path, &unknown).await, 404);
        let old =
            if version == "v4" { "sendMessage" } else { "cHaNnElIdExample0000001/sendMessage" };
        assert_eq!(call(&format!("{base}/externalmessengers/{old}"), &good).await, 404);
    }
}
