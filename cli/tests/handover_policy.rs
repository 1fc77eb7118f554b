//! Reading the handover policy of a route.

use trunkline::config::{Desired, InvalidConfig, ReadOptions, SecretResolver, SecretSource, read};
use trunkline_core::model::{HandoverPolicy, OnClose, Role, TranscriptStart};

#[derive(Debug)]
struct AnySecret;

impl SecretResolver for AnySecret {
    fn resolve(&self, _: &SecretSource) -> Result<String, String> {
        Ok("a-token".into())
    }
}

fn load(routes: &str) -> Result<Desired, InvalidConfig> {
    let party = |id: &str, role: &str| {
        format!(
            "  {id}:\n    platform: webhook\n    role: {role}\n    settings: {{ message_url: https://x.example/m, auth: bearer }}\n    secrets: {{ bearer: {{ env: T }} }}\n"
        )
    };
    let parties = [("shop", "channel"), ("phone", "channel"), ("bot", "bot"), ("desk", "desk")];
    let parties: String = parties.iter().map(|(id, role)| party(id, role)).collect();
    let text = format!("connections:\n{parties}routes:\n{routes}");
    read(
        &text,
        ReadOptions {
            platforms: trunkline_registry::PLATFORMS,
            secrets: &AnySecret,
            allow_local: false,
        },
    )
}

#[test]
fn reads_every_route_option() {
    let desired = load(
        "
  main:
    channels: [shop]
    bot: bot
    desk: desk
    default: true
    handover:
      accept_within: 120
      agent_idle: 600
      after_close: close
      if_unanswered: close
      transcript: 5
      transcript_since: handback
    bot_down_after: 60
    session_ttl: 3600
    language: en
    keywords:
      en: { handover: [agent, a person], handback: [robot] }
    texts:
      en: { waiting: One moment., joined: '{agent} is here.', left: Bye., unanswered: Busy., unsupported: What?, agent: An agent }
      pt-BR: { waiting: Um momento. }
",
    )
    .unwrap();
    let route = &desired.routes[0];
    let policy = &route.handover_policy;
    assert_eq!((policy.accept_within, policy.agent_idle), (Some(120), Some(600)));
    assert_eq!((policy.after_close, policy.if_unanswered), (OnClose::Close, OnClose::Close));
    assert_eq!((policy.transcript, policy.transcript_since), (5, TranscriptStart::Handback));
    assert_eq!((policy.bot_down_after, policy.session_ttl), (Some(60), Some(3_600)));
    assert_eq!(policy.keywords["en"].handover, ["agent", "a person"]);
    assert_eq!(policy.texts["pt-BR"].waiting, "Um momento.");
    let phone = desired.connections.iter().find(|c| c.connection.id.as_str() == "phone").unwrap();
    assert_eq!(
        phone.connection.route.as_ref(),
        Some(&route.id),
        "the channel is not in the default route"
    );
    assert_eq!(desired.connections.iter().filter(|c| c.connection.role == Role::Desk).count(), 1);
}

#[test]
fn omitted_options_have_their_defaults() {
    let desired = load("  main: { channels: [shop, phone], desk: desk }\n").unwrap();
    assert_eq!(desired.routes[0].handover_policy, HandoverPolicy::default());
    assert_eq!((&desired.routes[0].bot, desired.routes[0].desk.is_some()), (&None, true));
}

#[test]
fn rejects_invalid_routes_and_options() {
    for (routes, expected) in [
        ("  main: { channels: [shop, phone] }\n", "has neither bot nor desk: add at least one"),
        ("  main: { channels: [shop], bot: bot }\n", "the channel phone is in no route"),
        ("  main: { channels: [shop, phone], bot: desk }\n", "does not have the role bot"),
        (
            "  main: { default: true, bot: bot }\n  idle: { bot: bot }\n",
            "the route idle serves no channel: add one under channels, or write `channels: []`",
        ),
        (
            "  main: { default: true, bot: bot }\n  idle: { bot: bot, channels: }\n",
            "serves no channel",
        ),
        (
            "  a: { default: true, bot: bot }\n  b: { default: true, bot: bot }\n",
            "a is already the default route",
        ),
        (
            "  main: { default: true, bot: bot, handover: { accept_withn: 5 } }\n",
            "did you mean 'accept_within'?",
        ),
        (
            "  main: { default: true, bot: bot, session_ttl: 0 }\n",
            "session_ttl must be a whole number from 1 to",
        ),
        (
            "  main: { default: true, bot: bot, texts: { english!: { waiting: x } } }\n",
            "'english!' is not a language",
        ),
        (
            "  main: { default: true, bot: bot, texts: { en: { left: '{agent} left' } } }\n",
            "a text uses {agent}: add 'agent'",
        ),
    ] {
        let said = load(routes).unwrap_err().to_string();
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

#[test]
fn rejects_the_reserved_connection_id() {
    let text = "connections:\n  trunkline: { platform: webhook, role: bot }\nroutes: {}\n";
    let said = read(
        text,
        ReadOptions {
            platforms: trunkline_registry::PLATFORMS,
            secrets: &AnySecret,
            allow_local: false,
        },
    )
    .unwrap_err();
    assert!(said.to_string().contains("'trunkline' is reserved for Trunkline itself"), "{said}");
}
