//! What far sides think of us: asked by a person, and looked after by upkeep.

use std::time::{Duration, Instant};

use serde_json::json;
use trunkline_stand_ins::twin::{EMAIL, PASSWORD, Twin24};
use trunkline_stand_ins::unblu::{Call, Unblu};
use trunkline_tests::{Scene, World};

use crate::breaker::reported;
use crate::platforms::{CHANNEL, TWIN, UNBLU, file, unblu_posts, unblus};

const OBSERVER: &str = "
  NAME-ops:
    platform: webhook
    role: observer
    settings: { message_url: FAR/ops, operations: true }
    secrets: { signing: { env: NEW } }
";

async fn is_active(unblu: &Unblu) {
    let end = Instant::now() + Duration::from_secs(30);
    while unblu.channel()["webhookStatus"] != "ACTIVE" {
        assert!(Instant::now() < end, "{}", unblu.channel());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits for a report about the scene's desk.
async fn is_told(scene: &Scene<'_>, name: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    while reported(&scene.far.heard("/ops"), name, "tended-unblu").is_none() {
        assert!(Instant::now() < end, "nobody was told {name}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub async fn a_channel_that_unblu_gave_up_is_switched_on_again(world: &World) {
    let (twin, unblu) = (Twin24::start(world.http.clone()).await, Unblu::start().await);
    let mut others = unblus(&unblu);
    others.push(("TWIN", twin.settings(&json!({})).to_string()));
    others.push(("EMAIL", EMAIL.to_owned()));
    others.push(("PASSWORD", PASSWORD.to_owned()));
    let login = "    secrets: { email: { env: EMAIL }, password: { env: PASSWORD } }\n";
    let route = "channels: [NAME-channel], bot: NAME-twin, desk: NAME-unblu, observers: [NAME-ops]";
    let file = file(&[CHANNEL, &format!("{TWIN}{login}"), UNBLU, OBSERVER], route);
    let scene = Scene::beside(world, "tended", &file, &others).await;

    // Upkeep looks by itself, and whoever operates is told.
    unblu.gives_up();
    world.invoke("Upkeep", &json!({"source": "aws.events"})).await;
    is_active(&unblu).await;
    is_told(&scene, "trunkline.registration_mended").await;

    // A person asks: Unblu's ping comes back by way of our own address, TWIN takes the login.
    let url = scene.url("unblu").to_owned();
    let http = world.request(http::Method::POST, &url).build().unwrap();
    let (client, head) = (world.http.clone(), http);
    unblu.calls(std::sync::Arc::new(move |call: Call| {
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
            trunkline_stand_ins::unblu::Answered { status, headers, body }
        })
    }));
    unblu.gives_up();
    let names = ["tended-unblu", "tended-twin", "tended-channel"];
    let checked = world.trunkline(&[&["check"], &names[..]].concat(), &[]).await;
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(said.contains("works   tended-unblu"), "{said}");
    assert!(said.contains("works   tended-twin"), "{said}");
    assert!(said.contains("broken  tended-channel") && said.contains("challenge"), "{said}");
    assert_eq!(checked.status.code(), Some(1), "one of them does not work");
    is_active(&unblu).await;
    let all = world.trunkline(&["check", "--help"], &[]).await;
    assert!(all.status.success());

    // And it calls us again.
    scene.writes("c-1", "m-1", "agent").await;
    let theirs = unblu.accepts(2).await[0].conversation.clone();
    let style = trunkline_stand_ins::unblu::Style::Webhook;
    unblu_posts(&scene, unblu.agent_writes(&theirs, "Hello.", style)).await;
    scene.far.hears("/channel", 1).await;
}
