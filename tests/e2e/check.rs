//! Registrations at platforms: checked by operators, and repaired by the scheduler.

use std::time::{Duration, Instant};

use serde_json::json;
use trunkline_tests::{Fixture, TestEnvironment};
use trunkline_twin_mock::{EMAIL, PASSWORD, Twin24};
use trunkline_unblu_mock::{EndpointCall, Unblu};

use crate::breaker::find_alert;
use crate::platforms::{CHANNEL, TWIN, UNBLU, file, start_unblu, unblu_posts, unblus};

const OBSERVER: &str = "
  NAME-ops:
    platform: webhook
    role: observer
    settings: { message_url: MOCK/ops, operations: true }
    secrets: { signing: { env: NEW } }
";

async fn wait_until_active(unblu: &Unblu) {
    let end = Instant::now() + Duration::from_secs(30);
    while unblu.channel()["webhookStatus"] != "ACTIVE" {
        assert!(Instant::now() < end, "{}", unblu.channel());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits for an alert about the fixture's desk.
async fn wait_for_alert(fixture: &Fixture<'_>, name: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    while find_alert(&fixture.mock.requests("/ops"), name, "tended-unblu").is_none() {
        assert!(Instant::now() < end, "no alert {name}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub async fn disabled_unblu_webhook_is_reactivated(env: &TestEnvironment) {
    let (twin, unblu) = (Twin24::start(env.http.clone()).await, start_unblu().await);
    let mut others = unblus(&unblu);
    others.push(("TWIN", twin.settings(&json!({"answers": "response"})).to_string()));
    others.push(("EMAIL", EMAIL.to_owned()));
    others.push(("PASSWORD", PASSWORD.to_owned()));
    let login = "    secrets: { email: { env: EMAIL }, password: { env: PASSWORD } }\n";
    let route = "channels: [NAME-channel], bot: NAME-twin, desk: NAME-unblu, observers: [NAME-ops]";
    let file = file(&[CHANNEL, &format!("{TWIN}{login}"), UNBLU, OBSERVER], route);
    let fixture = Fixture::with_mocks(env, "tended", &file, &others).await;

    let url = fixture.url("unblu").to_owned();
    let http = env.request(http::Method::POST, &url).build().unwrap();
    let (client, head) = (env.http.clone(), http);
    unblu.set_endpoint(std::sync::Arc::new(move |call: EndpointCall| {
        let (client, mut request) = (client.clone(), head.try_clone().unwrap());
        for (name, value) in &call.headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        *request.body_mut() = Some(call.body.into());
        Box::pin(async move {
            let answer = client.execute(request).await.unwrap();
            let headers = answer.headers().iter();
            let headers = headers.map(|(name, value)| {
                (name.to_string(), value.to_str().unwrap_or_default().to_owned())
            });
            let (status, headers) = (answer.status().as_u16(), headers.collect());
            let body = answer.bytes().await.unwrap().to_vec();
            trunkline_unblu_mock::EndpointReply { status, headers, body }
        })
    }));

    // An operator has Trunkline set up its channel and webhook registration at Unblu.
    let fixed = env.trunkline(&["check", "--fix", "tended-unblu"], &[]).await;
    let stdout = String::from_utf8_lossy(&fixed.stdout).into_owned();
    assert!(fixed.status.success() && stdout.contains("tended-unblu"), "{stdout}");

    // The scheduler repairs the registration and sends an alert.
    unblu.set_unavailable();
    env.invoke("Scheduler", &json!({"source": "aws.events"})).await;
    wait_until_active(&unblu).await;
    wait_for_alert(&fixture, "trunkline.registration_repaired").await;

    // The operator runs the check: Unblu's ping arrives at the inbound URL, TWIN accepts the login.
    unblu.set_unavailable();
    let names = ["tended-unblu", "tended-twin", "tended-channel"];
    let checked = env.trunkline(&[&["check"], &names[..]].concat(), &[]).await;
    let stdout = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(stdout.contains("works   tended-unblu"), "{stdout}");
    assert!(stdout.contains("works   tended-twin"), "{stdout}");
    assert!(stdout.contains("broken  tended-channel") && stdout.contains("challenge"), "{stdout}");
    assert_eq!(checked.status.code(), Some(1), "one connection is broken");
    wait_until_active(&unblu).await;
    let all = env.trunkline(&["check", "--help"], &[]).await;
    assert!(all.status.success());

    // Unblu calls the inbound URL again.
    fixture.send_channel_message("c-1", "m-1", "agent").await;
    let theirs = unblu.wait_for_messages(2).await[0].conversation.clone();
    let style = trunkline_unblu_mock::CallStyle::Webhook;
    unblu_posts(&fixture, unblu.agent_writes(&theirs, "Hello.", style)).await;
    fixture.mock.wait_for_requests("/channel", 1).await;
}
