//! The channel's registration and Unblu's pings.

use serde_json::json;
use trunkline_runtime::outbound::{CheckContext, Outbound, Verification};
use trunkline_unblu::Unblu;
use trunkline_unblu::registration::{RegistrationError, Repair, Status, check, repair};

use super::inbound::endpoint;
use super::{Setup, VERSIONS};

#[tokio::test]
async fn disabled_unblu_webhook_is_reactivated() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let (settings, secrets, http_client) =
            (&setup.settings(), &setup.secrets, &setup.http_client);
        assert_eq!(repair(settings, secrets, http_client).await, Ok(Repair::NotNeeded));
        setup.server.set_unavailable();
        let registration = check(settings, secrets, http_client).await.unwrap();
        assert_eq!(registration.status, Status::Unavailable);
        assert_eq!(
            registration.problems.len(),
            usize::from(version == "v3"),
            "the registered channel is V4"
        );
        assert_eq!(repair(settings, secrets, http_client).await, Ok(Repair::Reactivated));
        let channel = setup.server.channel();
        assert_eq!(channel["webhookStatus"], "ACTIVE");
        assert_eq!(channel["webhookSecret"], crate::common::SECRET, "nothing else changes");
        assert_eq!(channel["metadata"], json!({"hub.cursor": "0"}));
    }
}

#[tokio::test]
async fn leaves_a_channel_off_that_a_person_switched_off() {
    let setup = Setup::start("v4", &json!({})).await;
    setup.server.switch_off();
    let done = repair(&setup.settings(), &setup.secrets, &setup.http_client).await;
    assert_eq!(done, Ok(Repair::LeftOff));
    assert_eq!(setup.server.channel()["webhookStatus"], "INACTIVE");
}

#[tokio::test]
async fn retries_after_concurrent_changes() {
    let setup = Setup::start("v4", &json!({})).await;
    let settings = setup.settings();
    let repaired = || repair(&settings, &setup.secrets, &setup.http_client);
    setup.server.set_unavailable();
    setup.server.change_concurrently(2);
    assert_eq!(repaired().await, Ok(Repair::Reactivated));
    setup.server.set_unavailable();
    setup.server.change_concurrently(3);
    assert_eq!(repaired().await, Err(RegistrationError::Contended));
    setup.server.change_concurrently(0);
    setup.server.fail_next_call_to("update", 400);
    let why = "Unblu answered 400 Bad Request: scheduled failure";
    assert_eq!(repaired().await, Err(RegistrationError::Refused(why.into())));
}

#[tokio::test]
async fn reports_why_a_check_fails() {
    let mut setup = Setup::start("v4", &json!({"channel_id": "another"})).await;
    let why = "Unblu answered 404 Not Found: There is no such channel";
    let checked = check(&setup.settings(), &setup.secrets, &setup.http_client).await;
    assert_eq!(checked, Err(RegistrationError::Refused(why.into())));
    setup.secrets = serde_json::from_value(json!({})).unwrap();
    let checked = check(&setup.settings(), &setup.secrets, &setup.http_client).await;
    assert!(matches!(checked, Err(RegistrationError::Misconfigured(_))));
}

#[tokio::test]
async fn verification_needs_a_ping_that_comes_back() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        setup.server.set_webhook_version(version);
        let settings = setup.settings();
        let asking = CheckContext {
            connection: &setup.connection,
            settings: &settings,
            secrets: &setup.secrets,
            challenge: "abc",
            now: crate::common::now(),
        };
        let prove = || Unblu.verify(&asking, &setup.http_client);
        let missing = |proof| match proof {
            Verification::Failed(why) => why,
            other => panic!("{other:?}"),
        };
        if version == "v4" {
            let problem = missing(prove().await);
            assert!(problem.contains("the endpoint could not be reached"), "{problem}");
        }
        setup.server.set_endpoint(endpoint(&setup));
        assert_eq!(prove().await, Verification::Ok);
        setup.server.fail_next_call(401);
        assert!(missing(prove().await).contains("401"));
        setup.server.set_unavailable();
        assert_eq!(
            prove().await,
            Verification::Ok,
            "a channel that Unblu switched off is repaired"
        );
        setup.server.switch_off();
        assert!(missing(prove().await).contains("a person switched the channel off"));
    }
}
