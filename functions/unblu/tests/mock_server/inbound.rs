//! Webhooks and outbound requests from the mock server, and whether it accepts the replies.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use trunkline_core::model::{EventBody, ReceiptStatus};
use trunkline_core::rendering::content_as_text;
use trunkline_runtime::inbound::ParsedCall;
use trunkline_unblu::intended_recipient;

use super::{Setup, VERSIONS};
use crate::common::{delivery_id, headers, post, text_message};
use trunkline_unblu_mock::{
    ApiVersion, CallStyle, Endpoint, EndpointCall, EndpointReply, check_reply,
};

/// The connection's endpoint, called without a network.
pub fn endpoint(setup: &Setup) -> Endpoint {
    recording_endpoint(&setup.connection.settings.clone().into()).0
}

pub(super) type Recorded = Arc<Mutex<Vec<ParsedCall>>>;

pub(super) fn recording_endpoint(settings: &Value) -> (Endpoint, Recorded) {
    let (settings, all) = (settings.clone(), Recorded::default());
    let recorder = Arc::clone(&all);
    let posts: Endpoint = Arc::new(move |call: EndpointCall| {
        let pairs = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let (received, reply) = post(&settings, &headers(pairs), &call.body);
        recorder.lock().unwrap().push(received);
        let headers = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        let answered = EndpointReply {
            status: reply.status.as_u16(),
            headers: headers.collect(),
            body: reply.body.into_bytes(),
        };
        Box::pin(async move { answered })
    });
    (posts, all)
}

fn last(received: &Recorded) -> EventBody {
    match received.lock().unwrap().pop() {
        Some(ParsedCall::Events(mut events)) => events.remove(0).body,
        other => panic!("{other:?}"),
    }
}

/// Shows U5, U19, U20.
#[tokio::test]
async fn receives_every_agent_action_by_webhook_and_outbound_request() {
    for (version, style) in
        [("v3", CallStyle::Webhook), ("v4", CallStyle::Webhook), ("v4", CallStyle::Outbound)]
    {
        let setup = Setup::start(version, &json!({})).await;
        let (post, received) = recording_endpoint(&json!({}));
        setup.server.set_endpoint(post);
        let session = setup.open().await;
        let (server, id) = (&setup.server, session.external_conversation_id.as_str());
        let content = |body: EventBody| match body {
            EventBody::Message { content, .. } => content,
            other => panic!("{other:?}"),
        };
        for (call, text) in [
            (server.agent_writes(id, "Hi", style), "Hi"),
            (server.agent_asks(id, "Which?", &["Red"], style), "Which?\n1. Red"),
            (
                server.agent_sends_card(id, "Card", style),
                "Card\nDetails\nOpen: https://acme.example/1",
            ),
            (
                server.agent_sends_list(id, "Branches", &["Bern"], style),
                "Branches\nOpen daily\n\nBern",
            ),
        ] {
            let posted = server.post(call).await.unwrap();
            assert_eq!(posted.problem, None, "{posted:?}");
            assert_eq!(content_as_text(&content(last(&received))), text);
        }
        let posted = server.post(server.agent_sends_file(id, "a.pdf", style)).await.unwrap();
        assert_eq!(posted.problem, None, "{posted:?}");
        assert_eq!(content(last(&received)).text.as_deref(), Some("As promised"));
        let posted = server.post(server.agent_writes_note(id, "Careful", style)).await.unwrap();
        assert_eq!(posted.problem, None);
        assert!(matches!(last(&received), EventBody::Opaque { is_message: false, .. }));
        let posted = server.post(server.ping(style)).await.unwrap();
        assert_eq!(posted.problem, None, "{posted:?}");

        setup.send("m1", text_message("hello"), &session).await;
        let sent = server.wait_for_messages(1).await.remove(0);
        let posted =
            server.post(server.message_state_changes(&sent.id, "READ", style)).await.unwrap();
        assert_eq!(posted.problem, None, "{posted:?}");
        let (message, status) = (delivery_id("m1").into(), ReceiptStatus::Read);
        let read = EventBody::Receipt { message, target: None, status, reason: None };
        received.lock().unwrap().retain(|received| matches!(received, ParsedCall::Events(_)));
        assert_eq!(last(&received), read);

        let posted = server.post(server.agent_ends(id, "ENDED_BY_PARTICIPANT")).await.unwrap();
        assert_eq!(posted.problem, None);
        assert_eq!(
            last(&received),
            EventBody::Close { reason: Some("ENDED_BY_PARTICIPANT".into()) }
        );
        assert_eq!(server.conversation("handover-1"), None, "the conversation has ended at Unblu");
    }
}

/// Shows U4.
#[tokio::test]
async fn accepts_only_calls_signed_by_unblu() {
    let setup = Setup::start("v4", &json!({})).await;
    setup.server.set_endpoint(endpoint(&setup));
    for style in [CallStyle::Webhook, CallStyle::Outbound] {
        let call = setup.server.agent_writes("c", "Hi", style);
        for (call, status) in [
            (call.clone(), 200),
            (call.clone().signed_only_by("x-unblu-signature"), 200),
            (call.clone().signed_only_by("x-unblu-signature-256"), 200),
            (call.clone().signed_with("another"), 401),
            (call.unsigned(), 401),
        ] {
            let posted = setup.server.post(call).await.unwrap();
            assert_eq!(posted.status, status, "{posted:?}");
        }
    }
}

/// Shows U13.
#[tokio::test]
async fn an_agent_starts_a_conversation() {
    let setup = Setup::start("v4", &json!({"contact_channel": "shop"})).await;
    setup.server.set_endpoint(endpoint(&setup));
    let server = &setup.server;
    let posted = server.post(server.agent_requests_contact("4711", "Ada Lovelace")).await.unwrap();
    assert_eq!(posted.problem, None, "{posted:?}");
    let contact = server.create_contact(&posted);
    let posted = server.post(server.agent_starts_conversation(&contact)).await.unwrap();
    assert_eq!(posted.problem, None, "{posted:?}");
    let conversation = server.create_conversation(&posted, &contact);
    let call = server.agent_writes(&conversation, "Your parcel is here", CallStyle::Outbound);
    let key = intended_recipient(&call.body).expect("the recipient");
    assert_eq!((key.channel.as_str(), key.customer.as_str()), ("shop", "4711"));
    let posted = server.post(server.agent_requests_contact(" ", "No name")).await.unwrap();
    assert_eq!(
        (posted.problem, &posted.body["type"]),
        (None, &json!("INVALID_CONTACT_IDENTIFIER"))
    );
}

#[tokio::test]
async fn an_inactive_channel_makes_no_calls() {
    let setup = Setup::start("v4", &json!({})).await;
    setup.server.set_endpoint(endpoint(&setup));
    setup.server.set_unavailable();
    assert!(setup.server.post(setup.server.ping(CallStyle::Webhook)).await.is_none());
}

#[test]
fn the_mock_accepts_every_documented_reply() {
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
        let check = |answer: &Value| check_reply(ApiVersion::V4, service, &json!({}), answer);
        assert_eq!(check(&answer), Ok(()), "{service}");
        assert!(check(&json!({"type": "CREATE"})).is_err());
    }
}

#[tokio::test]
async fn the_mock_rejects_invalid_messages() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let session = setup.open().await;
        let known = session
            .platform_data
            .get("contact")
            .unwrap_or(&session.platform_data["person"])
            .clone();
        let base = setup.server.base_url(version);
        let sender =
            if version == "v4" { "senderExternalMessengerContactId" } else { "senderPersonId" };
        let mut good = json!({
            "$_type": "ExternalMessengerPostMessage", "conversationId": session.external_conversation_id,
            sender: known, "sourceId": "x",
            "messageData": {"$_type": "TextPostMessageData", "type": "TEXT", "text": "x", "textType": "SIMPLE_TEXT"},
        });
        let path = if version == "v4" {
            format!("{base}/externalmessengers/{}/sendMessage", crate::common::CHANNEL)
        } else {
            good["externalMessengerChannelId"] = crate::common::CHANNEL.into();
            format!("{base}/externalmessengers/sendMessage")
        };
        let call = async |url: &str, body: &Value| {
            let mut request = trunkline_runtime::http_client::HttpRequest {
                method: http::Method::POST,
                url: url.to_owned(),
                headers: headers([("content-type", "application/json")]),
                body: body.to_string().into_bytes(),
            };
            let login = "Basic aHViOnBhOnNzIHfDtnJk".parse().unwrap();
            request.headers.insert("authorization", login);
            let answer = setup.http_client.send(request).await.unwrap();
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let is_error =
                body["$_type"] == "Error" && body["statusCode"] == answer.status.as_u16();
            assert!(answer.status.is_success() || is_error, "{body}");
            answer.status.as_u16()
        };
        assert_eq!(call(&path, &good).await, 200);
        let mut stranger = good.clone();
        stranger[sender] = json!("stranger");
        assert_eq!(call(&path, &stranger).await, 400, "{version}");
        assert!(setup.server.take_violations().is_empty());
        for (name, at, value) in [
            ("$_type", "", json!("Message")),
            ("x", "", json!(1)),
            ("$_type", "/messageData", json!("TextMessageData")),
            ("type", "/messageData", json!(null)),
            ("textType", "/messageData", json!("HTML")),
            ("x", "/messageData", json!(1)),
        ] {
            let mut bad = good.clone();
            bad.pointer_mut(at).unwrap()[name] = value;
            assert_eq!(call(&path, &bad).await, 400, "{version} {at}/{name}");
            assert!(!setup.server.take_violations().is_empty(), "{version} {at}/{name}");
        }
        let mut unknown = good.clone();
        unknown["conversationId"] = json!("unknown");
        assert_eq!(call(&path, &unknown).await, 404);
        let old =
            if version == "v4" { "sendMessage" } else { "cHaNnElIdExample0000001/sendMessage" };
        assert_eq!(call(&format!("{base}/externalmessengers/{old}"), &good).await, 404);
        let query = format!("{path}?dryRun=true");
        assert_eq!(call(&query, &good).await, 400);
        assert_eq!(setup.server.take_violations().len(), 2, "path and query");
    }
}
