//! The channel's registration, and Unblu's pings.

use serde_json::json;
use trunkline_shared::outbound::{Asking, Outbound, Proof};
use trunkline_unblu::Unblu;
use trunkline_unblu::registration::{RegistrationError, Repair, Status, check, repair};

use crate::calls::endpoint;
use crate::{Far, VERSIONS, common};

#[tokio::test]
async fn a_channel_that_unblu_gave_up_is_switched_on_again() {
    for version in VERSIONS {
        let far = Far::start(version, &json!({})).await;
        let (connection, secrets, outside) = (&far.connection, &far.secrets, &far.outside);
        assert_eq!(repair(connection, secrets, outside).await, Ok(Repair::NotNeeded));
        far.server.gives_up();
        let registration = check(connection, secrets, outside).await.unwrap();
        assert_eq!(registration.status, Status::Unavailable);
        assert_eq!(registration.problems.len(), usize::from(version == "v3"), "it is a V4 channel");
        assert_eq!(repair(connection, secrets, outside).await, Ok(Repair::Reactivated));
        let channel = far.server.channel();
        assert_eq!(channel["webhookStatus"], "ACTIVE");
        assert_eq!(channel["webhookSecret"], common::SECRET, "nothing else is changed");
        assert_eq!(channel["metadata"], json!({"hub.cursor": "0"}));
    }
}

#[tokio::test]
async fn what_a_person_switched_off_stays_off() {
    let far = Far::start("v4", &json!({})).await;
    far.server.is_switched_off();
    let done = repair(&far.connection, &far.secrets, &far.outside).await;
    assert_eq!(done, Ok(Repair::LeftOff));
    assert_eq!(far.server.channel()["webhookStatus"], "INACTIVE");
}

#[tokio::test]
async fn somebody_elses_change_is_read_before_the_next_try() {
    let far = Far::start("v4", &json!({})).await;
    let repaired = || repair(&far.connection, &far.secrets, &far.outside);
    far.server.gives_up();
    far.server.changes_meanwhile(2);
    assert_eq!(repaired().await, Ok(Repair::Reactivated));
    far.server.gives_up();
    far.server.changes_meanwhile(3);
    assert_eq!(repaired().await, Err(RegistrationError::Contended));
    far.server.changes_meanwhile(0);
    far.server.fails_next_of("update", 400);
    let why = "Unblu answered 400 Bad Request: told to fail";
    assert_eq!(repaired().await, Err(RegistrationError::Refused(why.into())));
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let mut far = Far::start("v4", &json!({"channel_id": "another"})).await;
    let why = "Unblu answered 404 Not Found: There is no such channel";
    let checked = check(&far.connection, &far.secrets, &far.outside).await;
    assert_eq!(checked, Err(RegistrationError::Refused(why.into())));
    far.secrets = serde_json::from_value(json!({})).unwrap();
    let checked = check(&far.connection, &far.secrets, &far.outside).await;
    assert!(matches!(checked, Err(RegistrationError::Misconfigured(_))));
}

#[tokio::test]
async fn a_verification_is_a_ping_that_comes_back() {
    for version in VERSIONS {
        let far = Far::start(version, &json!({})).await;
        far.server.calls_in(version);
        let asking = Asking {
            connection: &far.connection,
            secrets: &far.secrets,
            challenge: "abc",
            now: common::now(),
        };
        let prove = || Unblu.prove(&asking, &far.outside);
        let missing = |proof| match proof {
            Proof::Missing(why) => why,
            other => panic!("{other:?}"),
        };
        if version == "v4" {
            let problem = missing(prove().await);
            assert!(problem.contains("the endpoint could not be reached"), "{problem}");
        }
        far.server.calls(endpoint(&far));
        assert_eq!(prove().await, Proof::Given);
        far.server.fails_next(401);
        assert!(missing(prove().await).contains("401"));
        far.server.gives_up();
        assert_eq!(prove().await, Proof::Given, "what Unblu gave up is switched on again");
        far.server.is_switched_off();
        assert!(missing(prove().await).contains("somebody switched the channel off"));
    }
}
