//! What whoever deploys and configures Trunkline runs.

use std::process::{Output, Stdio};
use std::time::Duration;

use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use trunkline::apply::apply;
use trunkline::config::{Reading, read};
use trunkline::local::demo::{self, Api, CONFIGURATION, DemoSecrets};
use trunkline_shared::model::Access;
use trunkline_shared::secrets::PATH_KEY;
use trunkline_tests::{World, processes_of};

use crate::api::Caller;

async fn trunkline(world: &World, arguments: &[&str]) -> Output {
    let variables = [
        ("DEMO_WEBEX_PATH_KEY", "a-path-key-of-at-least-32-letters"),
        ("DEMO_WEBEX_TOKEN", "vt"),
        ("DEMO_WEBEX_URL", "http://127.0.0.1:1/"),
        ("SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
    ];
    world.trunkline(arguments, &variables).await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const FILE: &str = "
connections:
  cli-webex:
    platform: webex
    role: channel
    secrets:
      path_key: { env: DEMO_WEBEX_PATH_KEY }
      verification_token: { env: DEMO_WEBEX_TOKEN }
      send_url: { env: DEMO_WEBEX_URL }
  cli-bot:
    platform: webhook
    role: bot
    settings: { message_url: http://127.0.0.1:1/bot }
    secrets: { signing: { env: SECRET } }
routes:
  cli: { channels: [cli-webex], bot: cli-bot }
";

fn write(world: &World, name: &str, content: &str) -> String {
    let path = world.project.join(".local/test").join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

pub async fn the_command_applies_and_prints_addresses(world: &World) {
    let file = write(world, "good.yaml", FILE);
    let first = trunkline(world, &["apply", &file]).await;
    assert!(first.status.success(), "{}", text(&first.stderr));
    let said = text(&first.stdout);
    for expected in
        ["created    connection cli-bot", "created    route cli", "created    connection cli-webex"]
    {
        assert!(said.contains(expected), "{said}");
    }
    let again = text(&trunkline(world, &["apply", &file]).await.stdout);
    assert_eq!(again.matches("unchanged").count(), 3, "{again}");

    let other =
        write(world, "other.yaml", &FILE.replace("role: bot", "role: bot\n    copies: true"));
    let updated = text(&trunkline(world, &["apply", &other]).await.stdout);
    assert!(updated.contains("updated    connection cli-bot"), "{updated}");

    let differs = trunkline(world, &["diff", &file]).await;
    assert_eq!(differs.status.code(), Some(2));
    let said = text(&differs.stdout);
    assert!(said.contains("~ connection cli-bot\n    copies: true -> false"), "{said}");
    let same = trunkline(world, &["diff", &other]).await;
    assert_eq!(
        (same.status.code(), text(&same.stdout).contains("is what is there")),
        (Some(0), true)
    );
    let exported = text(&trunkline(world, &["export"]).await.stdout);
    assert!(
        exported.contains("cli-webex:") && exported.contains("env: CLI_BOT_SIGNING"),
        "{exported}"
    );
    assert!(!exported.contains("whsec_"), "no secret is written");

    let urls = text(&trunkline(world, &["urls", &file]).await.stdout);
    assert!(urls.contains("/in/webex/cli-webex/a-path-key-of-at-least-32-letters"), "{urls}");
    let made = urls.lines().find(|line| line.starts_with("cli-bot")).unwrap();
    let key = made.rsplit('/').next().unwrap();
    assert!(key.len() >= 43, "a key was made: {made}");
    let same = text(&trunkline(world, &["urls", &file]).await.stdout);
    assert_eq!(urls, same, "a key that was made stays");
    let operator = Caller::with(world, Access::Admin).await;
    let rotated = operator.calls(Method::POST, "/connections/cli-bot/rotate-key", None).await;
    assert_eq!(rotated.0, 200, "{}", rotated.2);
    trunkline(world, &["apply", &other]).await;
    let id = "cli-bot".parse().unwrap();
    let (bag, _) = world.stack().secrets.written(&id).await.unwrap().unwrap();
    assert_eq!((bag.live(PATH_KEY).len(), bag.live(PATH_KEY)[1]), (2, key), "both hold meanwhile");

    let moved = FILE.replace("platform: webex", "platform: webhook").replace(
        "      verification_token: { env: DEMO_WEBEX_TOKEN }\n      send_url: { env: DEMO_WEBEX_URL }",
        "      signing: { env: SECRET }\n    settings: { message_url: http://127.0.0.1:1/ }",
    );
    let moved = trunkline(world, &["apply", &write(world, "moved.yaml", &moved)]).await;
    let why = text(&moved.stderr);
    assert!(!moved.status.success() && why.contains("cli-webex is on webex"), "{why}");
    let none = text(&trunkline(world, &["rejected", "cli-bot"]).await.stdout);
    assert!(none.contains("nothing that came for cli-bot"), "{none}");
}

pub async fn the_command_says_all_that_is_wrong_with_a_file(world: &World) {
    let bad = FILE
        .replace("platform: webhook", "platform: webhok")
        .replace("bot: cli-bot", "bot: cli-bat");
    let file = write(world, "bad.yaml", &bad);
    let refused = trunkline(world, &["apply", &file]).await;
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    for expected in [
        "line 11: the platform cannot be 'webhok' (did you mean 'webhook'?)",
        "line 16: there is no connection 'cli-bat'",
        "nothing was applied",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    let nowhere = trunkline(world, &["--stack", "nowhere", "verify", "x"]).await;
    assert!(
        text(&nowhere.stderr).contains("the stack 'nowhere' cannot be read"),
        "{}",
        text(&nowhere.stderr)
    );
    let missing = trunkline(world, &["apply", "missing.yaml"]).await;
    assert!(text(&missing.stderr).contains("examples/trunkline.yaml"), "{}", text(&missing.stderr));
    let schema = trunkline(world, &["schema"]).await;
    assert!(serde_json::from_slice::<Value>(&schema.stdout).is_ok());
}

pub async fn every_function_has_a_sample_and_the_demo_runs_and_ends(world: &World) {
    let reading = Reading { environment: &DemoSecrets, allow_local: true };
    apply(world.stack(), &read(CONFIGURATION, reading).unwrap(), |_| ()).await.unwrap();
    let far_sides = demo::start(None, Api::at(world.port())).await.unwrap();
    let readme = std::fs::read_to_string(world.project.join("events/README.md")).unwrap();
    let mut listed: Vec<&str> = Vec::new();
    for line in readme.lines().filter_map(|line| line.strip_prefix("$ make invoke FUNCTION=")) {
        let (function, sample) = line.split_once("EVENT=").unwrap();
        let function = function.trim();
        listed.push(function);
        let expected = match function {
            _ if function.ends_with("Inbound") => r#""statusCode": 20"#,
            "Console" => r#""statusCode": 200"#,
            _ if function.ends_with("Listener") => "null",
            _ => r#""batchItemFailures": []"#,
        };
        // On the deployed stack, and as `sam local invoke` runs it.
        for how in ["invoke", "emulate"] {
            let output = Command::new("make")
                .args(["--silent", how])
                .args([format!("FUNCTION={function}"), format!("EVENT={sample}")])
                .current_dir(&world.project)
                .env("PORT", world.port().to_string())
                .output()
                .await
                .unwrap();
            let said = text(&output.stdout).replace("\":", "\": ").replace("\":  ", "\": ");
            let errors = text(&output.stderr);
            let right = output.status.success() && said.contains(expected);
            assert!(right, "{how} {function}: {said}{errors}");
        }
    }
    let template = std::fs::read_to_string(world.project.join("template.yaml")).unwrap();
    let mut there: Vec<&str> = Vec::new();
    let mut before = "";
    for line in template.lines() {
        if line.trim() == "Type: AWS::Serverless::Function" {
            there.push(before.trim().trim_end_matches(':'));
        }
        before = line;
    }
    listed.sort_unstable();
    there.sort_unstable();
    assert_eq!(listed, there, "every function of the template has a sample");
    // The demo's far sides have fixed ports, so the demo itself runs in the same test.
    drop(far_sides);
    the_demo_runs_and_ends(world).await;
}

/// What `make run` starts: the conversation is shown, it stays up, and an interrupt ends all of it.
async fn the_demo_runs_and_ends(world: &World) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut demo = Command::new(world.project.join("target/debug/trunkline"))
        .args(["local", "--port", &port.to_string()])
        .current_dir(&world.project)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut shown = String::new();
    let read = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            shown.push_str(&line);
            shown.push('\n');
            if line.starts_with("Ctrl-C ends it all") {
                return true;
            }
        }
        false
    };
    let up = tokio::time::timeout(Duration::from_mins(2), read).await;
    assert_eq!(up, Ok(true), "{shown}");
    for expected in [
        "bot hears              message \"Where is my parcel?\", signature verified",
        "Webex side receives    [demo-1] Your parcel will arrive tomorrow between 9:00 and 12:00.",
        "Webex side receives    [demo-1] handed over to an agent",
        "/in/webex/demo-webex/demo-webex-key-for-this-machine-only",
        "/console/#login=trk_",
    ] {
        assert!(shown.contains(expected), "{shown}");
    }
    let pid = Pid::from_raw(i32::try_from(demo.id().unwrap()).unwrap()).unwrap();
    let started = processes_of(port);
    assert!(started.len() >= 2, "the local AWS and functions run: {started:?}");
    kill_process(pid, Signal::INT).unwrap();
    assert!(demo.wait().await.unwrap().success());
    for _ in 0..50 {
        if processes_of(port).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("left running: {:?}", processes_of(port));
}
