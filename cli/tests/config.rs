//! Reading a configuration file reports every problem with its line and a fix.

use std::collections::HashMap;

use proptest::prelude::*;
use trunkline::config::{Desired, InvalidConfig, ReadOptions, SecretResolver, SecretSource, read};
use trunkline_core::model::{PlatformId, Role};
use trunkline_demo::{CONFIGURATION, DemoSecrets};
use trunkline_registry::PLATFORMS;

#[derive(Debug)]
struct FixedSecrets(HashMap<&'static str, &'static str>);

impl SecretResolver for FixedSecrets {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let (SecretSource::Env(name) | SecretSource::File(name)) = source;
        self.0
            .get(name.as_str())
            .map(|&value| value.into())
            .ok_or_else(|| format!("{name} is not set"))
    }
}

fn secrets() -> FixedSecrets {
    FixedSecrets(HashMap::from([
        ("TOKEN", "vt-1"),
        ("URL", "https://hooks.example.net/e/1"),
        ("INWARD", "http://169.254.169.254/"),
        ("SIGNING", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        ("OTHER", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("SHORT", "whsec_c2hvcnQ="),
    ]))
}

fn load(text: &str) -> Result<Desired, InvalidConfig> {
    read(text, ReadOptions { platforms: PLATFORMS, secrets: &secrets(), allow_local: false })
}

const GOOD: &str = "\
connections:
  shop:
    platform: webex
    role: channel
    allow_ips: [192.0.2.7, 198.51.100.0/24]
    settings: { reply_event: \"1001\", closed_events: true }
    secrets:
      verification_token: { env: TOKEN }
      send_url: { env: URL }
      header:key: { env: TOKEN }
  bot:
    platform: webhook
    role: bot
    settings: { message_url: https://bot.example/m }
    secrets: { signing: [{ env: OTHER }, { env: SIGNING }] }
routes:
  main: { channels: [shop], bot: bot }
";

#[test]
fn reads_a_valid_file() {
    let desired = load(GOOD).unwrap();
    let shop = &desired.connections[0];
    assert_eq!(
        (shop.connection.platform, shop.connection.role),
        (PlatformId::from_static("webex"), Role::Channel)
    );
    assert_eq!(shop.connection.route.as_ref().unwrap().as_str(), "main");
    assert_eq!(shop.connection.allow_ips.len(), 2);
    assert_eq!(shop.connection.settings["closed_events"], true);
    let signing = &desired.connections[1].secrets[0];
    assert_eq!((signing.0.as_str(), signing.1.len()), ("signing", 2));
    assert_eq!(desired.routes[0].bot.as_ref().unwrap().as_str(), "bot");
    let stored = serde_json::to_string(&desired.connections[0].connection).unwrap();
    assert!(
        !stored.contains("vt-1") && !stored.contains("hooks.example.net"),
        "a secret is stored with the connection"
    );
}

#[test]
fn demo_and_example_are_valid() {
    let demo = ReadOptions { platforms: PLATFORMS, secrets: &DemoSecrets, allow_local: true };
    assert_eq!(read(CONFIGURATION, demo).unwrap().connections.len(), 7);
    let example = std::fs::read_to_string("../examples/trunkline.yaml").unwrap();
    let secrets = FixedSecrets(HashMap::from([
        ("WEBEX_VERIFICATION_TOKEN", "vt"),
        ("WEBEX_SEND_URL", "https://hooks.example.net/x"),
        ("bot.secret", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        ("desk.secret", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        ("archive.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ]));
    let example =
        read(&example, ReadOptions { platforms: PLATFORMS, secrets: &secrets, allow_local: false });
    assert_eq!(example.unwrap().routes.len(), 1);
}

#[test]
fn reports_every_problem_with_its_line_and_fix() {
    let text = "\
connections:
  Shop:
    platform: webx
    role: channel
  shop:
    platform: webex
    role: bot
    settings: { reply_event: 1001, colour: red }
    secrets: { send_url: { env: INWARD } }
  bot:
    platform: webhook
    role: bot
    allow_ips: [here]
    settings:
      message_url: http://bot.example/m
      auth: bearer
      handover_body: '{\"a\": $nothing}'
    secrets:
      signing: { env: SHORT }
      signin: { env: TOKEN }
  lonely:
    platform: webex
    role: channel
    secrets: { verification_token: { env: TOKEN }, send_url: plain }
routes:
  main:
    channels: [shop, nobody]
    bots: bot
";
    let problems = load(text).unwrap_err();
    let said = problems.to_string();
    for expected in [
        "line 2: 'Shop' is not an id",
        "line 3: the platform cannot be 'webx' (did you mean 'webex'?): use cm, servisbot, twin, unblu, webex, webhook",
        "line 5: a webex connection cannot have this role: use channel",
        "line 5: the connection shop: it needs the secret verification_token",
        "line 8: reply_event must be a text: put quotes around it",
        "line 8: the settings of webex has no 'colour'",
        "line 9: the secret send_url must be a public https URL",
        "line 10: the connection bot: it needs the secret bearer: add it under secrets",
        "line 10: the connection bot: handover_body: unknown variable '$nothing'",
        "line 13: 'here' is not an address: write 192.0.2.7 or 192.0.2.0/24",
        "line 15: message_url: URLs must use https, not 'http'",
        "line 19: the secret signing must be 'whsec_' and 24 to 64 bytes in base64",
        "line 20: a webhook connection has no secret 'signin'",
        "line 21: the channel lonely is in no route",
        "line 24: the secret send_url must be a reference: write { env: NAME } or { file: PATH }",
        "line 27: there is no connection 'nobody': add it under connections",
        "line 27: the connection shop does not have the role channel",
        "line 28: the route main has no 'bots' (did you mean 'bot'?)",
        "line 26: the route main has neither bot nor desk: add at least one",
        "nothing was applied",
    ] {
        assert!(said.contains(expected), "missing: {expected}\n{said}");
    }
    assert!(!said.contains("169.254"), "a message contains the value of a secret");
}

#[test]
fn rejects_files_that_are_not_a_configuration() {
    for (text, expected) in [
        ("", "line 1: the file is empty"),
        ("a: [", "not YAML"),
        ("a: 1\na: 2\n", "duplicated key"),
        ("- a\n", "line 1: the file must be a mapping"),
        ("connections: {}\nroutes: {}\n---\nx: 1\n", "one YAML document"),
    ] {
        let said = load(text).unwrap_err().to_string();
        assert!(said.contains(expected), "{text:?}: {said}");
    }
}

#[test]
fn rejects_a_channel_in_two_routes() {
    let text = GOOD.replace("routes:\n", "routes:\n  second: { channels: [shop], bot: bot }\n");
    let said = load(&text).unwrap_err().to_string();
    assert!(said.contains("the channel shop is already in the route second"), "{said}");
}

#[test]
fn names_a_missing_secret() {
    let said = load(&GOOD.replace("env: TOKEN", "env: NOPE")).unwrap_err().to_string();
    assert!(said.contains("line 8: the secret verification_token: NOPE is not set"), "{said}");
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "[a-z:{}\\[\\], \n'\"#-]{0,200}") {
        let _ = load(&text);
    }

    #[test]
    fn removing_any_line_never_panics(line in 0usize..18) {
        let text: Vec<_> = GOOD.lines().enumerate().filter(|(i, _)| *i != line).map(|(_, l)| l).collect();
        if let Err(problems) = load(&text.join("\n")) {
            prop_assert!(problems.0.iter().all(|problem| problem.line >= 1 && problem.line <= 18));
        }
    }
}
