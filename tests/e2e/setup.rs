//! CLI commands for configuration, sample events, and the demo.

use std::process::{Output, Stdio};
use std::time::Duration;

use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use trunkline::apply::apply;
use trunkline::config::{ReadOptions, read};
use trunkline_core::model::AccessLevel;
use trunkline_demo::{CONFIGURATION, DemoSecrets, LocalApi};
use trunkline_registry::PLATFORMS;
use trunkline_runtime::secrets::PATH_KEY;
use trunkline_tests::{TestEnvironment, processes_of};

use crate::api::Caller;

async fn trunkline(env: &TestEnvironment, arguments: &[&str]) -> Output {
    let variables = [
        ("DEMO_WEBEX_PATH_KEY", "a-path-key-of-at-least-32-letters"),
        ("DEMO_WEBEX_TOKEN", "vt"),
        ("DEMO_WEBEX_URL", "http://127.0.0.1:1/"),
        ("SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
    ];
    env.trunkline(arguments, &variables).await
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

fn write(env: &TestEnvironment, name: &str, content: &str) -> String {
    let path = env.project.join(".local/test").join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

pub async fn cli_applies_and_prints_addresses(env: &TestEnvironment) {
    let file = write(env, "good.yaml", FILE);
    let first = trunkline(env, &["apply", &file]).await;
    assert!(first.status.success(), "{}", text(&first.stderr));
    let stdout = text(&first.stdout);
    for expected in
        ["created    connection cli-bot", "created    route cli", "created    connection cli-webex"]
    {
        assert!(stdout.contains(expected), "{stdout}");
    }
    let again = text(&trunkline(env, &["apply", &file]).await.stdout);
    assert_eq!(again.matches("unchanged").count(), 3, "{again}");

    let other = write(env, "other.yaml", &FILE.replace("role: bot", "role: bot\n    copies: true"));
    let updated = text(&trunkline(env, &["apply", &other]).await.stdout);
    assert!(updated.contains("updated    connection cli-bot"), "{updated}");

    let differs = trunkline(env, &["diff", &file]).await;
    assert_eq!(differs.status.code(), Some(2));
    let stdout = text(&differs.stdout);
    assert!(stdout.contains("~ connection cli-bot\n    copies: true -> false"), "{stdout}");
    let same = trunkline(env, &["diff", &other]).await;
    assert_eq!((same.status.code(), text(&same.stdout).contains(": no changes")), (Some(0), true));
    let exported = text(&trunkline(env, &["export"]).await.stdout);
    assert!(
        exported.contains("cli-webex:") && exported.contains("env: CLI_BOT_SIGNING"),
        "{exported}"
    );
    assert!(!exported.contains("whsec_"), "the export contains a secret");

    let urls = text(&trunkline(env, &["urls", &file]).await.stdout);
    assert!(urls.contains("/in/webex/cli-webex/a-path-key-of-at-least-32-letters"), "{urls}");
    let made = urls.lines().find(|line| line.starts_with("cli-bot")).unwrap();
    let key = made.rsplit('/').next().unwrap();
    assert!(key.len() >= 43, "no key was generated: {made}");
    let same = text(&trunkline(env, &["urls", &file]).await.stdout);
    assert_eq!(urls, same, "the generated key is kept");
    let operator = Caller::with(env, AccessLevel::Admin).await;
    let rotated = operator.calls(Method::POST, "/connections/cli-bot/rotate-key", None).await;
    assert_eq!(rotated.0, 200, "{}", rotated.2);
    trunkline(env, &["apply", &other]).await;
    let id = "cli-bot".parse().unwrap();
    let (bag, _) = env.stack().secrets.fetch(&id).await.unwrap().unwrap();
    assert_eq!(
        (bag.live(PATH_KEY).len(), bag.live(PATH_KEY)[1]),
        (2, key),
        "both keys are valid during a rotation"
    );

    let moved = FILE.replace("platform: webex", "platform: webhook").replace(
        "      verification_token: { env: DEMO_WEBEX_TOKEN }\n      send_url: { env: DEMO_WEBEX_URL }",
        "      signing: { env: SECRET }\n    settings: { message_url: http://127.0.0.1:1/ }",
    );
    let moved = trunkline(env, &["apply", &write(env, "moved.yaml", &moved)]).await;
    let why = text(&moved.stderr);
    assert!(
        !moved.status.success() && why.contains("cli-webex belongs to the platform webex"),
        "{why}"
    );
    let none = text(&trunkline(env, &["rejected", "cli-bot"]).await.stdout);
    assert!(none.contains("no rejected requests for cli-bot"), "{none}");
}

pub async fn cli_reports_every_configuration_error(env: &TestEnvironment) {
    let bad = FILE
        .replace("platform: webhook", "platform: webhok")
        .replace("bot: cli-bot", "bot: cli-bat");
    let file = write(env, "bad.yaml", &bad);
    let refused = trunkline(env, &["apply", &file]).await;
    assert_eq!(refused.status.code(), Some(1));
    let stdout = text(&refused.stderr);
    for expected in [
        "line 11: the platform cannot be 'webhok' (did you mean 'webhook'?)",
        "line 16: there is no connection 'cli-bat'",
        "nothing was applied",
    ] {
        assert!(stdout.contains(expected), "{stdout}");
    }
    let nowhere = trunkline(env, &["--stack", "nowhere", "verify", "x"]).await;
    assert!(
        text(&nowhere.stderr).contains("cannot read the stack 'nowhere'"),
        "{}",
        text(&nowhere.stderr)
    );
    let missing = trunkline(env, &["apply", "missing.yaml"]).await;
    assert!(text(&missing.stderr).contains("examples/trunkline.yaml"), "{}", text(&missing.stderr));
    let schema = trunkline(env, &["schema"]).await;
    assert!(serde_json::from_slice::<Value>(&schema.stdout).is_ok());
}

pub async fn every_function_has_a_sample_event_and_demo_runs(env: &TestEnvironment) {
    let options = ReadOptions { platforms: PLATFORMS, secrets: &DemoSecrets, allow_local: true };
    apply(env.stack(), &read(CONFIGURATION, options).unwrap(), |_| ()).await.unwrap();
    let platforms = trunkline_demo::start(None, LocalApi::new(env.port())).await.unwrap();
    let readme = std::fs::read_to_string(env.project.join("events/README.md")).unwrap();
    let mut listed: Vec<&str> = Vec::new();
    for line in readme.lines().filter_map(|line| line.strip_prefix("$ make invoke FUNCTION=")) {
        let (function, sample) = line.split_once("EVENT=").unwrap();
        let function = function.trim();
        listed.push(function);
        let expected = match function {
            _ if function.ends_with("Inbound") => r#""statusCode": 20"#,
            "Console" => r#""statusCode": 200"#,
            // The sample has no signature of this stack.
            "Files" => r#""statusCode": 403"#,
            _ if function.ends_with("Listener") => "null",
            _ => r#""batchItemFailures": []"#,
        };
        // On the deployed stack, and in the emulator of `sam local invoke`.
        let event = std::fs::read_to_string(env.project.join(sample)).unwrap();
        let answer = env.invoke(function, &serde_json::from_str(&event).unwrap()).await;
        assert_answer(function, "invoke", expected, &answer.to_string());
        let emulated = make(env, "emulate", function, sample).await;
        assert_answer(function, "make emulate", expected, &emulated);
        // `make invoke` makes the same call with the SAM CLI, which takes seconds to start.
        if function == "Console" {
            let invoked = make(env, "invoke", function, sample).await;
            assert_answer(function, "make invoke", expected, &invoked);
        }
    }
    let template = std::fs::read_to_string(env.project.join("template.yaml")).unwrap();
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
    assert_eq!(listed, there, "every function of the template has a sample event");
    // The demo's mocks use fixed ports, so the demo runs in the same test.
    drop(platforms);
    demo_runs_until_interrupted(env).await;
}

/// Runs a target that takes a function and an event, and returns its output.
async fn make(env: &TestEnvironment, target: &str, function: &str, sample: &str) -> String {
    let output = Command::new("make")
        .args(["--silent", target])
        .args([format!("FUNCTION={function}"), format!("EVENT={sample}")])
        .current_dir(&env.project)
        .env("PORT", env.port().to_string())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{target} {function}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Checks that an answer contains `expected`, with any spaces after colons.
fn assert_answer(function: &str, how: &str, expected: &str, answer: &str) {
    let spaced = answer.replace("\":", "\": ").replace("\":  ", "\": ");
    assert!(spaced.contains(expected), "{how} {function}: {answer}");
}

/// Runs what `make run` starts: it prints the conversation, keeps running, and SIGINT stops everything.
async fn demo_runs_until_interrupted(env: &TestEnvironment) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut demo = Command::new(env.project.join("target/debug/trunkline"))
        .args(["local", "--port", &port.to_string()])
        .current_dir(&env.project)
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
            if line.starts_with("Ctrl-C stops everything") {
                return true;
            }
        }
        false
    };
    let up = tokio::time::timeout(Duration::from_mins(2), read).await;
    assert_eq!(up, Ok(true), "{shown}");
    for expected in [
        "bot receives           message \"Where is my parcel?\", signature verified",
        "Webex receives         [demo-1] Your parcel will arrive tomorrow between 9:00 and 12:00.",
        "Webex receives         [demo-1] handed over to an agent",
        "/in/webex/demo-webex/demo-webex-key-for-this-machine-only",
        "/console#login=trk_",
    ] {
        assert!(shown.contains(expected), "{shown}");
    }
    let pid = Pid::from_raw(i32::try_from(demo.id().unwrap()).unwrap()).unwrap();
    let started = processes_of(port);
    assert!(started.len() >= 2, "the local AWS and functions are running: {started:?}");
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
