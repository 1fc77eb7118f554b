//! Person, contact, conversation.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_shared::model::{
    Author, AuthorRole, Content, Delivery, Line, Recall, Session, Verdict,
};

use crate::{Far, VERSIONS, common};
use trunkline_stand_ins::unblu::{AREA, REGISTERED};

#[tokio::test]
async fn person_contact_and_conversation_are_made_once() {
    for version in VERSIONS {
        let far = Far::start(version, &json!({})).await;
        let session = far.open().await;
        assert_eq!(session.conversation, "handover-1");
        let made = far.server.conversation("handover-1").unwrap();
        assert_eq!(made["id"], session.external_id.as_str());
        assert_eq!(made["initialEngagementType"], "CHAT_REQUEST");
        let person = far.server.person("shop/4711").unwrap();
        assert_eq!(
            (&person["firstName"], &person["lastName"]),
            (&json!("Ada"), &json!("Lovelace"))
        );
        assert_eq!(session.memory["person"], person["id"].as_str().unwrap());
        let contacts = usize::from(version == "v4");
        assert_eq!(far.server.counts(), (1, contacts, 1));
        if version == "v4" {
            let contact = far.server.contact("shop/4711").unwrap();
            assert_eq!(session.memory["contact"], contact["id"].as_str().unwrap());
            assert_eq!(contact["name"], "Ada Lovelace");
        }
        // Whoever asked may have died before they noted it.
        assert_eq!(far.open().await, session, "{version}");
        assert_eq!(far.server.counts(), (1, contacts, 1));
    }
}

#[tokio::test]
async fn a_step_that_fails_is_taken_again_and_nothing_is_made_twice() {
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
        let far = Far::start(version, &json!({})).await;
        let delivery = common::delivery("m1", common::says("hi"));
        for step in steps {
            far.server.fails_next_of(step, 503);
            let failed = far.try_open(&delivery).await.unwrap_err();
            assert_eq!((failed.meaning.verdict, failed.status), (Verdict::Retryable, Some(503)));
        }
        far.try_open(&delivery).await.unwrap();
        assert_eq!(far.server.counts(), (1, usize::from(version == "v4"), 1), "{version}");
    }
}

#[tokio::test]
async fn whoever_comes_second_finds_what_the_first_made() {
    for version in VERSIONS {
        let far = Far::start(version, &json!({})).await;
        let first = far.open().await;
        // The lookup sees nothing yet, so the conversation is made, which the other did meanwhile.
        far.server.fails_next_of("getBySourceIdAndChannelId", 404);
        assert_eq!(far.open().await, first, "{version}");
        let refused = "sourceId and externalMessengerChannelId are not unique";
        assert!(far.server.log().iter().any(|line| line.contains(refused)));
    }
    let far = Far::start("v4", &json!({})).await;
    let first = far.open().await;
    far.server.fails_next_of("externalmessengercontacts/create", 400);
    assert_eq!(far.open().await, first, "its contact is there, so none is made");
}

#[tokio::test]
async fn a_contact_that_is_made_meanwhile_is_found() {
    let far = Far::start("v4", &json!({})).await;
    let other = far.open().await;
    let next = common::delivery("m2", common::says("again"));
    // The first search answers as if it were not there yet.
    far.server.hides_contacts_once();
    let session = far.try_open(&next).await.unwrap();
    assert_eq!(session.memory["contact"], other.memory["contact"]);
    assert!(far.server.log().iter().any(|line| line.contains("There already is such a contact")));
}

#[tokio::test]
async fn conversations_are_addressed_and_carry_the_context() {
    for version in VERSIONS {
        let settings = json!({"recipient_type": "NAMED_AREA", "recipient_id": AREA,
                              "topic": "From the shop", "initial_engagement_type": "OFFLINE_CHAT_REQUEST"});
        let far = Far::start(version, &settings).await;
        let mut delivery = handed_over();
        delivery.event.language = Some("nl-BE".into());
        far.try_open(&delivery).await.unwrap();
        let made = far.server.conversation("handover-1").unwrap();
        assert_eq!(
            (&made["recipient"]["id"], &made["topic"]),
            (&json!(AREA), &json!("From the shop"))
        );
        assert_eq!(
            (&made["locale"], &made["initialEngagementType"]),
            (&json!("nl"), &json!("OFFLINE_CHAT_REQUEST"))
        );
        if version == "v4" {
            assert_eq!(made["metadata"], json!({"order": "48121", "tries": "3"}));
        }
        // The bot hands over; the customer's name is in what was said before.
        assert_eq!(far.server.person("shop/4711").unwrap()["firstName"], "Noor");
    }
}

#[tokio::test]
async fn opening_ends_in_time_and_goes_on_the_next_time() {
    let far = Far::start("v4", &json!({})).await;
    let delivery = common::delivery("m1", common::says("hi"));
    far.server.takes(Duration::from_secs(4));
    let failed = far.try_open(&delivery).await.unwrap_err();
    assert_eq!((failed.meaning.verdict, failed.status), (Verdict::Retryable, None));
    far.server.takes(Duration::ZERO);
    far.try_open(&delivery).await.unwrap();
    assert_eq!(far.server.counts(), (1, 1, 1));
}

/// By the bot, with a line of the customer's.
fn handed_over() -> Delivery {
    let author = Author { role: AuthorRole::Customer, name: Some("Noor".into()) };
    let lines = vec![Line { at: common::now(), author, content: Content::text("help") }];
    let recall = Recall { last: 5, lines, ..Recall::default() };
    let context = json!({"order": "48121", "tries": 3});
    let mut delivery = common::delivery("h1", common::handover(None, context, recall));
    delivery.event.author = Author { role: AuthorRole::Bot, name: Some("Shop bot".into()) };
    delivery
}

#[tokio::test]
async fn who_has_no_name_has_their_id() {
    let far = Far::start("v4", &json!({})).await;
    let mut delivery = common::delivery("m1", common::says("hi"));
    delivery.event.author.name = None;
    far.try_open(&delivery).await.unwrap();
    assert_eq!(far.server.contact("shop/4711").unwrap()["name"], "4711");
}

#[tokio::test]
async fn one_active_conversation_a_contact_where_unblu_says_so() {
    let far = Far::start("v4", &json!({})).await;
    far.open().await;
    let mut next = common::delivery("m2", common::says("again"));
    next.to.conversation = Some("handover-2".into());
    let failed = far.try_open(&next).await.unwrap_err();
    let reason = "Unblu answered 400 Bad Request: The contact already has an active conversation";
    assert_eq!(failed.meaning.reason.as_deref(), Some(reason));
    assert_eq!(failed.meaning.verdict, Verdict::Permanent);
    far.server.several_per_contact(true);
    let session = far.try_open(&next).await.unwrap();
    assert_eq!(session.conversation, "handover-2");
    assert_eq!(far.server.counts(), (1, 1, 2));
}

async fn failure(far: &Far) -> (Verdict, String) {
    let failed = far.try_open(&common::delivery("m1", common::says("hi"))).await.unwrap_err();
    (failed.meaning.verdict, failed.meaning.reason.unwrap())
}

#[tokio::test]
async fn who_may_not_is_told_why() {
    let mut far = Far::start("v4", &json!({})).await;
    far.secrets.set("password", vec!["wrong".into()]);
    let why = "Unblu answered 401 Unauthorized: log in; check the secrets username and password";
    assert_eq!(failure(&far).await, (Verdict::Permanent, why.into()));
    far.secrets.set("username", vec![REGISTERED.0.into()]);
    far.secrets.set("password", vec![REGISTERED.1.into()]);
    let why = "Unblu answered 403 Forbidden: ADMIN is required; the account needs the role ADMIN";
    assert_eq!(failure(&far).await, (Verdict::Permanent, why.into()));
    far.secrets = serde_json::from_value(json!({})).unwrap();
    let why = "the secret username is missing or wrong";
    assert_eq!(failure(&far).await, (Verdict::Permanent, why.into()));
    assert_eq!(far.server.counts(), (0, 0, 0));
}

#[tokio::test]
async fn the_wrong_version_and_nobody_there() {
    let mut far = Far::start("v4", &json!({})).await;
    far.connection.settings["base_url"] = Value::from(far.server.base_url("v3"));
    let (verdict, reason) = failure(&far).await;
    assert_eq!(verdict, Verdict::Permanent);
    assert!(reason.starts_with("Unblu answered 404"), "{reason}");
    far.connection.settings["base_url"] = Value::from("http://127.0.0.1:1/app/rest/v4");
    assert_eq!(failure(&far).await.0, Verdict::Retryable);
}

#[tokio::test]
async fn a_session_can_be_written_and_read() {
    let far = Far::start("v4", &json!({})).await;
    let session = far.open().await;
    let written = serde_json::to_string(&session).unwrap();
    assert_eq!(serde_json::from_str::<Session>(&written).unwrap(), session);
    assert!(!written.contains("pa:ss"), "no secret is remembered");
}
