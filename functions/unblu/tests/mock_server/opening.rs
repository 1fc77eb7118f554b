//! Opening a conversation: person, contact, conversation.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Content, Delivery, Session, Transcript, TranscriptEntry, Verdict,
};

use super::{Setup, VERSIONS};
use trunkline_unblu_mock::{AREA, REGISTERED};

/// Shows U5, U11, U15, U17.
#[tokio::test]
async fn creates_person_contact_and_conversation_once() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let session = setup.open().await;
        assert_eq!(session.id, "handover-1");
        let made = setup.server.conversation("handover-1").unwrap();
        assert_eq!(made["id"], session.external_conversation_id.as_str());
        assert_eq!(made["initialEngagementType"], "CHAT_REQUEST");
        let person = setup.server.person("shop/4711").unwrap();
        assert_eq!(
            (&person["firstName"], &person["lastName"]),
            (&json!("Ada"), &json!("Lovelace"))
        );
        assert_eq!(session.platform_data["person"], person["id"].as_str().unwrap());
        let contacts = usize::from(version == "v4");
        assert_eq!(setup.server.counts(), (1, contacts, 1));
        if version == "v4" {
            let contact = setup.server.contact("shop/4711").unwrap();
            assert_eq!(session.platform_data["contact"], contact["id"].as_str().unwrap());
            assert_eq!(contact["name"], "Ada Lovelace");
        }
        // A worker may crash before it stores the session, so opening again must find the same one.
        assert_eq!(setup.open().await, session, "{version}");
        assert_eq!(setup.server.counts(), (1, contacts, 1));
    }
}

#[tokio::test]
async fn retrying_a_failed_step_creates_nothing_twice() {
    for (version, steps) in [
        ("v3", &["createOrUpdateVirtual", "getBySourceIdAndChannelId", "conversations/create"][..]),
        (
            "v4",
            &[
                "search",
                "createOrUpdateVirtual",
                "externalmessengercontacts/create",
                "getBySourceIdAndChannelId",
                "conversations/create",
            ],
        ),
    ] {
        let setup = Setup::start(version, &json!({})).await;
        let delivery = crate::common::delivery("m1", crate::common::text_message("hi"));
        for step in steps {
            setup.server.fail_next_call_to(step, 503);
            let failed = setup.try_open(&delivery).await.unwrap_err();
            assert_eq!(
                (failed.classification.verdict, failed.status),
                (Verdict::Retryable, Some(503))
            );
        }
        setup.try_open(&delivery).await.unwrap();
        assert_eq!(setup.server.counts(), (1, usize::from(version == "v4"), 1), "{version}");
    }
}

/// Shows U16, U17.
#[tokio::test]
async fn concurrent_opens_yield_the_same_conversation() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let first = setup.open().await;
        // The lookup finds nothing yet, so the conversation is created, but another worker was faster.
        setup.server.fail_next_call_to("getBySourceIdAndChannelId", 404);
        assert_eq!(setup.open().await, first, "{version}");
        let refused = "sourceId and externalMessengerChannelId are not unique";
        assert!(setup.server.log().iter().any(|line| line.contains(refused)));
    }
    let setup = Setup::start("v4", &json!({})).await;
    let first = setup.open().await;
    setup.server.fail_next_call_to("externalmessengercontacts/create", 400);
    assert_eq!(setup.open().await, first, "the contact exists, so none is created");
}

#[tokio::test]
async fn finds_a_contact_created_concurrently() {
    let setup = Setup::start("v4", &json!({})).await;
    let other = setup.open().await;
    let next = crate::common::delivery("m2", crate::common::text_message("again"));
    // The first search does not find the contact yet.
    setup.server.hide_contacts_once();
    let session = setup.try_open(&next).await.unwrap();
    assert_eq!(session.platform_data["contact"], other.platform_data["contact"]);
    assert!(setup.server.log().iter().any(|line| line.contains("There already is such a contact")));
}

/// Shows U12.
#[tokio::test]
async fn conversations_have_recipient_topic_and_context() {
    for version in VERSIONS {
        let settings = json!({"recipient_type": "NAMED_AREA", "recipient_id": AREA,
                              "topic": "From the shop", "initial_engagement_type": "OFFLINE_CHAT_REQUEST"});
        let setup = Setup::start(version, &settings).await;
        let mut delivery = handed_over();
        delivery.event.language = Some("nl-BE".into());
        setup.try_open(&delivery).await.unwrap();
        let made = setup.server.conversation("handover-1").unwrap();
        assert_eq!(
            (&made["recipient"]["id"], &made["topic"]),
            (&json!(AREA), &json!("From the shop"))
        );
        assert_eq!(
            (&made["locale"], &made["initialEngagementType"]),
            (&json!("nl-BE"), &json!("OFFLINE_CHAT_REQUEST"))
        );
        assert_eq!(made["metadata"], json!({"order": "48121", "tries": "3"}));
        // The bot hands over; the customer's name is in the transcript.
        assert_eq!(setup.server.person("shop/4711").unwrap()["firstName"], "Noor");
    }
}

#[tokio::test]
async fn opening_times_out_and_continues_in_the_next_attempt() {
    let setup = Setup::start("v4", &json!({})).await;
    let delivery = crate::common::delivery("m1", crate::common::text_message("hi"));
    setup.server.set_delay(Duration::from_secs(4));
    let failed = setup.try_open(&delivery).await.unwrap_err();
    assert_eq!((failed.classification.verdict, failed.status), (Verdict::Retryable, None));
    setup.server.set_delay(Duration::ZERO);
    setup.try_open(&delivery).await.unwrap();
    assert_eq!(setup.server.counts(), (1, 1, 1));
}

/// A handover by the bot, with a customer's message in the transcript.
fn handed_over() -> Delivery {
    let author = Author { role: AuthorRole::Customer, name: Some("Noor".into()) };
    let lines =
        vec![TranscriptEntry { at: crate::common::now(), author, content: Content::text("help") }];
    let transcript = Transcript { limit: 5, entries: lines, ..Transcript::default() };
    let context = json!({"order": "48121", "tries": 3});
    let mut delivery =
        crate::common::delivery("h1", crate::common::handover(None, context, transcript));
    delivery.event.author = Author { role: AuthorRole::Bot, name: Some("Shop bot".into()) };
    delivery
}

#[tokio::test]
async fn a_customer_without_a_name_is_named_by_id() {
    let setup = Setup::start("v4", &json!({})).await;
    let mut delivery = crate::common::delivery("m1", crate::common::text_message("hi"));
    delivery.event.author.name = None;
    setup.try_open(&delivery).await.unwrap();
    assert_eq!(setup.server.contact("shop/4711").unwrap()["name"], "4711");
    let person = setup.server.person("shop/4711").unwrap();
    assert_eq!((&person["username"], person.get("firstName")), (&json!("4711"), None));
}

#[tokio::test]
async fn a_person_has_the_phone_number_and_the_e_mail_address() {
    for (settings, context, phone, email) in [
        (
            json!({}),
            json!({"phone": "+31612345678", "email": "a@b.example"}),
            Some("+31612345678"),
            Some("a@b.example"),
        ),
        (json!({"customer_id_type": "phone"}), json!({}), Some("4711"), None),
        (json!({"customer_id_type": "email"}), json!({"email": 7}), None, Some("4711")),
        (json!({}), json!({}), None, None),
    ] {
        let setup = Setup::start("v4", &settings).await;
        let body = crate::common::handover(None, context, Transcript::default());
        setup.try_open(&crate::common::delivery("h1", body)).await.unwrap();
        let person = setup.server.person("shop/4711").unwrap();
        assert_eq!((person["phone"].as_str(), person["email"].as_str()), (phone, email));
    }
}

/// Shows U3.
#[tokio::test]
async fn unblu_may_allow_only_one_active_conversation_per_contact() {
    let setup = Setup::start("v4", &json!({})).await;
    setup.open().await;
    let mut next = crate::common::delivery("m2", crate::common::text_message("again"));
    next.to.session_id = Some("handover-2".into());
    let failed = setup.try_open(&next).await.unwrap_err();
    let reason = "Unblu answered 400 Bad Request: The contact already has an active conversation";
    assert_eq!(failed.classification.reason.as_deref(), Some(reason));
    assert_eq!(failed.classification.verdict, Verdict::Permanent);
    setup.server.allow_several_conversations(true);
    let session = setup.try_open(&next).await.unwrap();
    assert_eq!(session.id, "handover-2");
    assert_eq!(setup.server.counts(), (1, 1, 2));
}

async fn failure(setup: &Setup) -> (Verdict, String) {
    let failed = setup
        .try_open(&crate::common::delivery("m1", crate::common::text_message("hi")))
        .await
        .unwrap_err();
    (failed.classification.verdict, failed.classification.reason.unwrap())
}

#[tokio::test]
async fn reports_authentication_and_permission_errors() {
    let mut setup = Setup::start("v4", &json!({})).await;
    setup.secrets.set("password", vec!["wrong".into()]);
    let why = "Unblu answered 401 Unauthorized: log in; check the secrets username and password";
    assert_eq!(failure(&setup).await, (Verdict::Permanent, why.into()));
    setup.secrets.set("username", vec![REGISTERED.0.into()]);
    setup.secrets.set("password", vec![REGISTERED.1.into()]);
    let why = "Unblu answered 403 Forbidden: ADMIN is required; the account needs the role ADMIN";
    assert_eq!(failure(&setup).await, (Verdict::Permanent, why.into()));
    setup.secrets = serde_json::from_value(json!({})).unwrap();
    let why = "the secret username is missing or wrong";
    assert_eq!(failure(&setup).await, (Verdict::Permanent, why.into()));
    assert_eq!(setup.server.counts(), (0, 0, 0));
}

#[tokio::test]
async fn reports_a_wrong_version_or_an_unreachable_server() {
    let mut setup = Setup::start("v4", &json!({})).await;
    setup.connection.settings["base_url"] = Value::from(setup.server.base_url("v3"));
    let (verdict, reason) = failure(&setup).await;
    assert_eq!(verdict, Verdict::Permanent);
    assert!(reason.starts_with("Unblu answered 404"), "{reason}");
    assert!(!setup.server.take_violations().is_empty(), "the server has no v3");
    setup.connection.settings["base_url"] = Value::from("http://127.0.0.1:1/app/rest/v4");
    assert_eq!(failure(&setup).await.0, Verdict::Retryable);
}

#[tokio::test]
async fn sessions_round_trip_without_secrets() {
    let setup = Setup::start("v4", &json!({})).await;
    let session = setup.open().await;
    let written = serde_json::to_string(&session).unwrap();
    assert_eq!(serde_json::from_str::<Session>(&written).unwrap(), session);
    assert!(!written.contains("pa:ss"), "a session contains no secret");
}
