//! The channel and the webhook registration at Unblu, and Unblu's pings.

use serde_json::{Value, json};
use trunkline_runtime::outbound::{CheckContext, Outbound, RegistrationState, Verification};
use trunkline_unblu::{Settings, Unblu};

use super::inbound::endpoint;
use super::{Setup, VERSIONS};
use crate::common::{CHANNEL, SECRET};

const ADDRESS: &str = "https://hub.example.com/in/unblu/desk/k3y";

fn check<'a>(
    setup: &'a Setup,
    settings: &'a Settings,
    address: Option<&'a str>,
) -> CheckContext<'a, Settings> {
    CheckContext {
        connection: &setup.connection,
        settings,
        secrets: &setup.secrets,
        challenge: "abc",
        address,
        now: crate::common::now(),
    }
}

async fn reconcile(setup: &Setup, address: Option<&str>) -> RegistrationState {
    let settings = setup.settings();
    Unblu.reconcile_registration(&check(setup, &settings, address), &setup.http_client).await
}

async fn fix(setup: &Setup) -> RegistrationState {
    let settings = setup.settings();
    Unblu.fix_registration(&check(setup, &settings, Some(ADDRESS)), &setup.http_client).await
}

fn out_of_sync(state: RegistrationState) -> String {
    match state {
        RegistrationState::OutOfSync(why) => why,
        other => panic!("{other:?}"),
    }
}

fn repaired(state: RegistrationState) -> String {
    match state {
        RegistrationState::Repaired(what) => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn disabled_unblu_webhook_is_reactivated() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        assert_eq!(reconcile(&setup, None).await, RegistrationState::InSync, "{version}");
        setup.server.set_unavailable();
        let expected = "set the channel's webhookStatus from INACTIVE_UNAVAILABLE to ACTIVE";
        assert_eq!(repaired(reconcile(&setup, None).await), expected);
        let channel = setup.server.channel();
        assert_eq!(channel["webhookStatus"], "ACTIVE");
        assert_eq!(channel["webhookSecret"], SECRET, "nothing else changes");
        assert_eq!(channel["metadata"], json!({"hub.cursor": "0"}));
    }
}

/// Shows U7.
#[tokio::test]
async fn a_check_compares_the_endpoint_and_changes_nothing() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let before = setup.server.channel();
        let why = out_of_sync(reconcile(&setup, Some(ADDRESS)).await);
        let expected = "the channel's webhookEndpoint is an address at hub.example.com in place of the \
                        connection's inbound URL; Unblu does not report ended conversations: there is no \
                        webhook registration: `trunkline check --fix desk` corrects this";
        assert_eq!(why, expected);
        assert_eq!((setup.server.channel(), setup.server.webhooks().len()), (before, 0));
    }
}

#[tokio::test]
async fn leaves_a_channel_off_that_a_person_switched_off() {
    let setup = Setup::start("v4", &json!({})).await;
    setup.server.switch_off();
    let why = out_of_sync(reconcile(&setup, None).await);
    assert!(why.starts_with("a person switched the channel off in Unblu"), "{why}");
    assert_eq!(setup.server.channel()["webhookStatus"], "INACTIVE");
}

#[tokio::test]
async fn retries_after_concurrent_changes() {
    let setup = Setup::start("v4", &json!({})).await;
    setup.server.set_unavailable();
    setup.server.change_concurrently(2);
    repaired(reconcile(&setup, None).await);
    setup.server.set_unavailable();
    setup.server.change_concurrently(3);
    let why = "the channel was changed by others during each attempt: try again later";
    assert_eq!(out_of_sync(reconcile(&setup, None).await), why);
    setup.server.change_concurrently(0);
    setup.server.fail_next_call_to("update", 400);
    let why = "Unblu answered 400 Bad Request: scheduled failure";
    assert_eq!(out_of_sync(reconcile(&setup, None).await), why);
}

#[tokio::test]
async fn reports_why_a_check_fails() {
    let mut setup = Setup::start("v4", &json!({"channel_id": "another"})).await;
    let why = "Unblu answered 404 Not Found: There is no such channel";
    assert_eq!(out_of_sync(reconcile(&setup, None).await), why);
    setup.secrets = serde_json::from_value(json!({})).unwrap();
    let why = "the secret username is missing or wrong";
    assert_eq!(out_of_sync(reconcile(&setup, None).await), why);
    assert_eq!(out_of_sync(fix(&setup).await), why);
}

/// Shows U6, U7, U10.
#[tokio::test]
async fn a_fix_updates_the_channel_and_creates_the_webhook_registration() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        setup.server.switch_off();
        let what = repaired(fix(&setup).await);
        let expected = "set the channel's webhookStatus from INACTIVE to ACTIVE; set the channel's \
                        webhookEndpoint from an address at hub.example.com to the connection's inbound URL; \
                        created the webhook registration 'Trunkline desk' with the id ";
        assert!(what.starts_with(expected), "{what}");
        let channel = setup.server.channel();
        assert_eq!(
            (&channel["webhookEndpoint"], &channel["name"]),
            (&json!(ADDRESS), &json!("acme-hub"))
        );
        assert_eq!(channel["metadata"], json!({"hub.cursor": "0"}), "the metadata is kept");
        let webhook = setup.server.webhooks().remove(0);
        let expected = json!({
            "$_type": "WebhookRegistration", "name": "Trunkline desk", "status": "ACTIVE",
            "description": "Created by Trunkline for the connection desk", "endpoint": ADDRESS,
            "apiVersion": version.to_uppercase(), "secret": "the new one",
            "events": ["conversation.ended"], "id": webhook["id"], "accountId": webhook["accountId"],
            "version": 1,
        });
        assert_eq!(webhook, expected);
        assert_eq!(fix(&setup).await, RegistrationState::InSync, "a second fix changes nothing");
        assert_eq!(reconcile(&setup, Some(ADDRESS)).await, RegistrationState::InSync);
    }
}

/// Shows U6.
#[tokio::test]
async fn a_fix_creates_the_channel_once() {
    for version in VERSIONS {
        let settings = json!({"channel_id": "", "channel_name": "Shop"});
        let mut setup = Setup::start(version, &settings).await;
        setup.server.remove_channel();
        let why = out_of_sync(reconcile(&setup, Some(ADDRESS)).await);
        assert!(why.contains("there is no channel 'Shop'"), "{why}");
        let what = repaired(fix(&setup).await);
        let expected =
            format!("created the channel 'Shop' with the id {CHANNEL}; created the webhook");
        assert!(what.starts_with(&expected), "{what}");
        let channel = setup.server.channel();
        assert_eq!(channel["sourceId"], "https://hub.example.com/in/unblu/desk");
        assert_eq!(channel["webhookSecret"], "the new one");
        assert_eq!(channel["messageStateHandledExternally"], true);
        let timeout = if version == "v4" { json!(10_000) } else { Value::Null };
        assert_eq!(channel["outboundTimeoutMillis"], timeout);
        assert_eq!(
            fix(&setup).await,
            RegistrationState::InSync,
            "the channel is found by its name"
        );
        let why = out_of_sync(reconcile(&setup, Some(ADDRESS)).await);
        assert!(why.contains(&format!("set channel_id to {CHANNEL}")), "{why}");
        setup.connection.settings.insert("channel_id".into(), CHANNEL.into());
        assert_eq!(reconcile(&setup, Some(ADDRESS)).await, RegistrationState::InSync);
    }
}

/// Shows U6.
#[tokio::test]
async fn objects_of_others_are_left_alone() {
    let setup = Setup::start("v4", &json!({"channel_id": "", "channel_name": "acme-hub"})).await;
    let why = format!(
        "Unblu has another channel named 'acme-hub' with the id {CHANNEL}: set channel_name to another \
         name, or channel_id to this id to use it"
    );
    assert_eq!(out_of_sync(fix(&setup).await), why);
    let setup = Setup::start("v4", &json!({"channel_name": "Ended"})).await;
    let other = json!({"$_type": "WebhookRegistration", "name": "Ended", "status": "ACTIVE",
                       "endpoint": "https://other.example/k", "events": ["conversation.ended"]});
    setup.server.add_webhook(&other);
    let why = out_of_sync(fix(&setup).await);
    let expected = "Unblu has another webhook registration named 'Ended' that calls other.example: set \
                    channel_name to another name";
    assert!(why.starts_with(expected), "{why}");
    assert!(
        why.contains("set the channel's webhookEndpoint"),
        "the error names the change before it: {why}"
    );
}

/// Shows U6.
#[tokio::test]
async fn a_registration_made_by_hand_is_used_and_kept_up_to_date() {
    let setup = Setup::start("v4", &json!({})).await;
    let made = |endpoint: &str, event: &str| {
        json!({"$_type": "WebhookRegistration", "name": "By hand", "status": "ACTIVE",
               "endpoint": endpoint, "apiVersion": "V4", "secret": SECRET, "events": [event]})
    };
    setup.server.change_channel(&json!({"webhookEndpoint": ADDRESS}));
    setup.server.add_webhook(&made(ADDRESS, "agent.created"));
    let why = out_of_sync(reconcile(&setup, Some(ADDRESS)).await);
    assert!(why.starts_with("the webhook registration's events is without it"), "{why}");
    repaired(fix(&setup).await);
    let webhook = setup.server.webhooks().remove(0);
    assert_eq!(webhook["events"], json!(["agent.created", "conversation.ended"]));
    assert_eq!(reconcile(&setup, Some(ADDRESS)).await, RegistrationState::InSync);
    setup.server.set_webhooks_unavailable();
    let what = repaired(reconcile(&setup, Some(ADDRESS)).await);
    assert_eq!(what, "set the webhook registration's status from INACTIVE_UNAVAILABLE to ACTIVE");
}

/// Shows U6.
#[tokio::test]
async fn a_new_key_is_written_to_both_objects() {
    let setup = Setup::start("v4", &json!({})).await;
    repaired(fix(&setup).await);
    let settings = setup.settings();
    let rotated = "https://hub.example.com/in/unblu/desk/n3w";
    let check = check(&setup, &settings, Some(rotated));
    let what = repaired(Unblu.fix_registration(&check, &setup.http_client).await);
    assert!(!what.contains("n3w") && !what.contains("k3y"), "{what}");
    assert_eq!(setup.server.channel()["webhookEndpoint"], rotated);
    assert_eq!(setup.server.webhooks()[0]["endpoint"], rotated);
    assert_eq!(setup.server.webhooks().len(), 1);
}

#[tokio::test]
async fn a_proxy_has_an_address_of_its_own() {
    let setup = Setup::start("v4", &json!({"webhook_endpoint": "https://proxy.example/x"})).await;
    repaired(fix(&setup).await);
    assert_eq!(setup.server.channel()["webhookEndpoint"], "https://proxy.example/x");
    let setup = Setup::start("v4", &json!({"channel_id": ""})).await;
    setup.server.remove_channel();
    let settings = setup.settings();
    let unknown = check(&setup, &settings, None);
    let why = out_of_sync(Unblu.fix_registration(&unknown, &setup.http_client).await);
    assert!(why.contains("set webhook_endpoint"), "{why}");
}

/// Shows U7.
#[tokio::test]
async fn verification_needs_a_ping_that_comes_back() {
    for version in VERSIONS {
        let setup = Setup::start(version, &json!({})).await;
        let settings = setup.settings();
        let asking = check(&setup, &settings, None);
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
