//! Commands on connections and routes: suspend, resume, rotate and delete.

use std::time::Duration;

use trunkline_runtime::secrets::PATH_KEY;
use trunkline_tests::{Behaviour, Fixture, TestEnvironment, record_secret};

use crate::parked::waits_for;

/// A file that names nothing of this test.
const OTHER_FILE: &str = "
connections:
  operate-other: { platform: webhook, role: channel, settings: { message_url: http://127.0.0.1:1/ }, secrets: { signing: { env: SECRET } } }
  operate-desk: { platform: webhook, role: desk, settings: { message_url: http://127.0.0.1:1/ }, secrets: { signing: { env: SECRET } } }
routes:
  operate-other: { channels: [operate-other], desk: operate-desk }
";

/// Runs the CLI. Returns whether it succeeded, and its standard output and errors.
async fn trunkline(env: &TestEnvironment, arguments: &[&str]) -> (bool, String, String) {
    let secret = [("SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")];
    let output = env.trunkline(arguments, &secret).await;
    let [stdout, errors] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.success(), stdout, errors)
}

async fn succeeds(env: &TestEnvironment, arguments: &[&str]) -> String {
    let (good, stdout, errors) = trunkline(env, arguments).await;
    assert!(good, "{arguments:?}: {errors}");
    stdout
}

async fn fails(env: &TestEnvironment, arguments: &[&str], expected: &str) {
    let (good, stdout, errors) = trunkline(env, arguments).await;
    assert!(!good && errors.contains(expected), "{arguments:?}: {stdout}{errors}");
}

pub async fn connection_is_suspended_resumed_rotated_and_deleted(env: &TestEnvironment) {
    let policy = "{ retry: [3600], breaker_after: 1000 }";
    let fixture = Fixture::with_delivery_policy(env, "operate", policy).await;
    let bot = "operate-bot";
    // No worker has the connection in its cache yet.
    let stdout = succeeds(env, &["connection", "suspend", bot]).await;
    assert!(stdout.contains("operate-bot is suspended"), "{stdout}");
    fixture.send_webex_message("wx-1", "m-0", "hello").await;
    waits_for(env, bot, 1).await;
    assert!(fixture.mock.requests("/bot").is_empty());
    let status = succeeds(env, &["status"]).await;
    let line = status.lines().find(|line| line.starts_with("operate-bot ")).unwrap();
    assert!(line.contains("suspended"), "{line}");
    succeeds(env, &["connection", "resume", bot]).await;
    // Workers can have the suspended connection in their caches for 30 seconds.
    let taken = fixture.mock.wait_for_accepted("/bot", 1, Duration::from_mins(1)).await;
    assert_eq!(taken[0].text(), "hello");

    rotated_url_is_printed(env, &fixture).await;

    // A delivery that waits for an hour.
    fixture.mock.set_behaviour_for("venom", Behaviour::Respond(500, vec![]));
    fixture.send_webex_message("wx-1", "m-1", "venom").await;
    waits_for(env, bot, 1).await;
    surplus_is_shown_in_the_order_of_deletion(env).await;
    fails(env, &["connection", "delete", bot, "--force", "--yes"], "in the route operate").await;
    fails(env, &["route", "delete", "operate", "--yes"], "the channel operate-webex").await;
    let stdout = succeeds(env, &["connection", "delete", "operate-webex", "--yes"]).await;
    assert!(stdout.contains("deleted    connection operate-webex"), "{stdout}");
    succeeds(env, &["route", "delete", "operate", "--yes"]).await;
    fails(env, &["connection", "delete", bot, "--yes"], "(1 parked, 0 failed)").await;
    let stdout = succeeds(env, &["connection", "delete", bot, "--force", "--yes"]).await;
    assert!(stdout.contains("1 parked ones fail within two minutes"), "{stdout}");
    fails(env, &["connection", "delete", bot, "--yes"], "does not exist").await;

    // Nothing is lost: the delivery fails with the reason, and waits for an operator.
    let reason = failed_reason(env, bot).await;
    assert!(reason.contains("no longer configured"), "{reason}");
    assert_eq!(fixture.post("bot", "{}".into(), &[]).await.0, 404, "its inbound URL is gone");
    succeeds(env, &["discard", "--connection", bot]).await;
    waits_for(env, bot, 0).await;
}

async fn rotated_url_is_printed(env: &TestEnvironment, fixture: &Fixture<'_>) {
    let (good, stdout, errors) = trunkline(env, &["connection", "rotate", "operate-bot"]).await;
    assert!(good && errors.contains("until the next rotation"), "{errors}");
    let (url, key) = stdout.trim().rsplit_once('/').unwrap();
    record_secret("path key", key);
    let (before, old_key) = fixture.url("bot").rsplit_once('/').unwrap();
    assert_eq!(url, before);
    let id = "operate-bot".parse().unwrap();
    let (secrets, _) = env.stack().secrets.fetch(&id).await.unwrap().unwrap();
    assert_eq!(secrets.live(PATH_KEY), [key, old_key], "both keys are valid");
}

/// The stack is shared, so this test does not run `apply --prune`.
async fn surplus_is_shown_in_the_order_of_deletion(env: &TestEnvironment) {
    let file = env.project.join(".local/test/operate.yaml");
    std::fs::write(&file, OTHER_FILE).unwrap();
    let (_, stdout, errors) = trunkline(env, &["diff", "--prune", file.to_str().unwrap()]).await;
    let expected = ["- connection operate-webex", "- route operate", "- connection operate-bot"];
    let places = expected.map(|wanted| stdout.lines().position(|line| line == wanted));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{stdout}{errors}");
    assert!(stdout.contains("+ connection operate-desk"), "{stdout}");
}

/// Waits until the one delivery to a connection has failed. Returns the reason.
async fn failed_reason(env: &TestEnvironment, connection: &str) -> String {
    let id = connection.parse().unwrap();
    for _ in 0..180 {
        if let Some(failed) = env.stack().store.failed(&id, None, 1).await.unwrap().pop() {
            return failed.reason;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("the delivery to {connection} has not failed");
}
