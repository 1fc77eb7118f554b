//! Questions that the customer answers in their own words.

use serde_json::json;
use trunkline_core::model::{EventBody, ReceiptStatus, Session, Verdict};

use super::{Setup, VERSIONS};
use crate::common::text_message;
use trunkline_unblu_mock::CallStyle;

/// An agent asks a question, which reaches the customer's channel. Returns its id and the session afterwards.
async fn asked(setup: &Setup) -> (String, Session) {
    let session = setup.open().await;
    let data = json!({"type": "TEXT_QUESTION", "text": "Where do you live?", "textType": "SIMPLE_TEXT",
                      "answerStatus": "PENDING"});
    let id = session.external_conversation_id.as_str();
    let call = setup.server.agent_sends(id, "Where do you live?", &data, CallStyle::Webhook);
    let question = call.json()["conversationMessage"]["id"].as_str().unwrap().to_owned();
    let known = format!("question/{question}");
    let sent = super::sending::receipt("dlv", Some(("desk", &known)), ReceiptStatus::Sent);
    let told = setup.send("r1", sent, &session).await;
    assert_eq!(told.classification.verdict, Verdict::Delivered);
    let report = setup.server.state_reports().pop().unwrap();
    assert_eq!(report.message, question, "Unblu knows the message by its own id");
    (question, told.session.expect("the question is remembered"))
}

/// Shows U19.
#[tokio::test]
async fn the_customers_next_text_answers_the_question() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let (question, session) = asked(&setup).await;
        let answered = setup.send("m1", text_message("Main Street 1"), &session).await;
        assert_eq!(answered.classification.verdict, Verdict::Delivered);
        let sent = setup.server.sent().pop().unwrap();
        assert_eq!(sent.data["questionMessageId"], question.as_str(), "{version}");
        assert_eq!(
            (&sent.data["type"], &sent.data["value"]),
            (&json!("REPLY"), &json!("Main Street 1"))
        );
        let session = answered.session.expect("the question is answered");
        setup.send("m2", text_message("Anything else?"), &session).await;
        assert_eq!(setup.server.sent().pop().unwrap().data["type"], "TEXT");
    }
}

#[tokio::test]
async fn a_refused_answer_is_sent_as_a_text() {
    let setup = Setup::start("v4", &json!({})).await;
    let (_, session) = asked(&setup).await;
    setup.server.fail_next_call_to("sendMessage", 400);
    let answered = setup.send("m1", text_message("Main Street 1"), &session).await;
    assert_eq!(answered.classification.verdict, Verdict::Delivered);
    let sent = setup.server.sent().pop().unwrap();
    assert_eq!((&sent.data["type"], &sent.data["text"]), (&json!("TEXT"), &json!("Main Street 1")));
}

#[tokio::test]
async fn declining_answers_the_question() {
    let setup = Setup::start("v4", &json!({})).await;
    let (question, session) = asked(&setup).await;
    let id = format!("question/{question}/none");
    let decline = EventBody::Choice { id, title: Some("Rather not".into()), typed: None };
    let declined = setup.send("c1", decline, &session).await;
    let sent = setup.server.sent().pop().unwrap();
    assert_eq!(
        (&sent.data["value"], &sent.data["fallbackText"]),
        (&json!("none"), &json!("Rather not"))
    );
    let session = declined.session.expect("the question is answered");
    setup.send("m1", text_message("Hello?"), &session).await;
    assert_eq!(setup.server.sent().pop().unwrap().data["type"], "TEXT");
}
