//! Conversations that are opened at Unblu before a handover, and those of customers with a recipient of their own.

use serde_json::json;
use trunkline_core::model::{Delivery, EventBody, Session, Verdict};
use trunkline_runtime::outbound::{Attempt, Outbound};
use trunkline_unblu::Unblu;

use super::{Setup, VERSIONS};
use crate::common::{delivery, delivery_id, text_message};

/// Sets up a connection that receives copies.
async fn with_copies(version: &str) -> Setup {
    let mut setup = Setup::start(version, &json!({})).await;
    setup.connection.copies = true;
    setup
}

/// A copy for the desk before any handover: its session is the conversation itself.
fn copy(id: &str, body: EventBody) -> Delivery {
    let mut copy = delivery(id, body);
    copy.to.copy = true;
    copy.to.session_id = None;
    copy
}

async fn send(setup: &Setup, delivery: &Delivery, session: &Session) -> Attempt {
    let settings = setup.settings();
    Unblu.send(&setup.send_context(&settings, delivery, Some(session)), &setup.http_client).await
}

/// Shows U13.
#[tokio::test]
async fn a_handover_continues_the_conversation_that_was_opened_ahead() {
    for version in VERSIONS {
        let setup = with_copies(version).await;
        let first = copy("m1", text_message("Hello"));
        let ahead = setup.try_open(&first).await.unwrap();
        assert_eq!(ahead.id, "conversation-1");
        assert_eq!(send(&setup, &first, &ahead).await.classification.verdict, Verdict::Delivered);
        assert_eq!(setup.server.sent()[0].source_id, delivery_id("m1"));
        let handed_over = setup.open().await;
        assert_eq!(handed_over.id, "handover-1");
        assert_eq!(handed_over.external_conversation_id, ahead.external_conversation_id);
        assert_eq!(setup.server.counts().2, 1, "{version}");
    }
}

/// Shows U13.
#[tokio::test]
async fn a_conversation_that_an_agent_ended_is_not_written_to() {
    let setup = with_copies("v4").await;
    let ahead = setup.try_open(&copy("m1", text_message("Hello"))).await.unwrap();
    drop(setup.server.agent_ends(ahead.external_conversation_id.as_str(), "OTHER"));
    let late = send(&setup, &copy("m2", text_message("Are you there?")), &ahead).await;
    assert_eq!(late.classification.verdict, Verdict::Skipped);
    let close = copy("x1", EventBody::Close { reason: None });
    assert_eq!(send(&setup, &close, &ahead).await.classification.verdict, Verdict::Skipped);
    let handed_over = setup.open().await;
    assert_ne!(handed_over.external_conversation_id, ahead.external_conversation_id);
}

/// Shows U13.
#[tokio::test]
async fn the_end_of_a_conversation_ends_what_was_opened_ahead() {
    let setup = with_copies("v4").await;
    let close = copy("x1", EventBody::Close { reason: None });
    let nothing = setup.try_open(&close).await.unwrap_err();
    assert_eq!(nothing.classification.verdict, Verdict::Skipped);
    assert_eq!(setup.server.counts(), (0, 0, 0), "nothing is created only to be ended");
    let ahead = setup.try_open(&copy("m1", text_message("Hello"))).await.unwrap();
    assert_eq!(setup.try_open(&close).await.unwrap(), ahead);
    assert_eq!(send(&setup, &close, &ahead).await.classification.verdict, Verdict::Delivered);
    assert_eq!(
        setup.server.wait_for_ends(1).await[0].conversation,
        ahead.external_conversation_id.as_str()
    );
}

/// Shows U13.
#[tokio::test]
async fn a_customer_with_an_agent_of_their_own_reaches_this_agent() {
    for version in VERSIONS {
        let settings = json!({"recipients": "shop/4711=AGENT:aGeNt-1, 9=TEAM:tEaM-1"});
        let setup = Setup::start(version, &settings).await;
        setup.open().await;
        let made = setup.server.conversation("handover-1").unwrap();
        assert_eq!(made["recipient"]["id"], "aGeNt-1", "{version}");
        let settings = json!({"recipients": "4711=ASSIGNEE:aGeNt-1"});
        let setup = Setup::start(version, &settings).await;
        setup.open().await;
        let made = setup.server.conversation("handover-1").unwrap();
        let persons = made["participants"].as_array().unwrap();
        assert!(persons.iter().any(|one| one["personId"] == "aGeNt-1"), "{version}: {made}");
    }
}
