//! What a route says of its switchboard is read whole, and what is wrong with it is said.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

use trunkline::config::{Desired, Environment, Problems, Reading, SecretSource, read};
use trunkline_shared::model::{Role, Since, Switching, Then};

#[derive(Debug)]
struct Any;

impl Environment for Any {
    fn secret(&self, _: &SecretSource) -> Result<String, String> {
        Ok("a-token".into())
    }
}

fn load(routes: &str) -> Result<Desired, Problems> {
    let party = |id: &str, role: &str| {
        format!(
            "  {id}:\n    platform: webhook\n    role: {role}\n    settings: {{ message_url: https://x.example/m, auth: bearer }}\n    secrets: {{ bearer: {{ env: T }} }}\n"
        )
    };
    let parties = [("shop", "channel"), ("phone", "channel"), ("bot", "bot"), ("desk", "desk")];
    let parties: String = parties.iter().map(|(id, role)| party(id, role)).collect();
    let text = format!("connections:\n{parties}routes:\n{routes}");
    read(&text, Reading { environment: &Any, allow_local: false })
}

#[test]
fn all_of_it_is_read() {
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
      if_nobody: close
      transcript: 5
      transcript_since: handback
    bot_down_after: 60
    session_ttl: 3600
    language: en
    keywords:
      en: { handover: [agent, a person], handback: [robot] }
    texts:
      en: { waiting: One moment., joined: '{agent} is here.', left: Bye., nobody: Nobody., unshown: What?, agent: Somebody }
      pt-BR: { waiting: Um momento. }
",
    )
    .unwrap();
    let route = &desired.routes[0];
    let switching = &route.switching;
    assert_eq!((switching.accept_within, switching.agent_idle), (Some(120), Some(600)));
    assert_eq!((switching.after_close, switching.if_nobody), (Then::Close, Then::Close));
    assert_eq!((switching.transcript, switching.transcript_since), (5, Since::Handback));
    assert_eq!((switching.bot_down_after, switching.session_ttl), (Some(60), Some(3_600)));
    assert_eq!(switching.keywords["en"].handover, ["agent", "a person"]);
    assert_eq!(switching.texts["pt-BR"].waiting, "Um momento.");
    let phone = desired.connections.iter().find(|c| c.connection.id.as_str() == "phone").unwrap();
    assert_eq!(phone.connection.route.as_ref(), Some(&route.id), "the default route");
    assert_eq!(desired.connections.iter().filter(|c| c.connection.role == Role::Desk).count(), 1);
}

#[test]
fn what_is_not_said_is_as_usual() {
    let desired = load("  main: { channels: [shop, phone], desk: desk }\n").unwrap();
    assert_eq!(desired.routes[0].switching, Switching::default());
    assert_eq!((&desired.routes[0].bot, desired.routes[0].desk.is_some()), (&None, true));
}

#[test]
fn what_is_wrong_is_said() {
    for (routes, expected) in [
        ("  main: { channels: [shop, phone] }\n", "serves nobody: name a bot, a desk or both"),
        ("  main: { channels: [shop], bot: bot }\n", "the channel phone is in no route"),
        ("  main: { channels: [shop, phone], bot: desk }\n", "does not have the role bot"),
        (
            "  main: { default: true, bot: bot }\n  idle: { bot: bot }\n",
            "the route idle serves no channel: name one under channels, or write `channels: []`",
        ),
        (
            "  main: { default: true, bot: bot }\n  idle: { bot: bot, channels: }\n",
            "serves no channel",
        ),
        (
            "  a: { default: true, bot: bot }\n  b: { default: true, bot: bot }\n",
            "a is the default route already",
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
fn nobody_takes_trunklines_own_name() {
    let text = "connections:\n  trunkline: { platform: webhook, role: bot }\nroutes: {}\n";
    let said = read(text, Reading { environment: &Any, allow_local: false }).unwrap_err();
    assert!(said.to_string().contains("'trunkline' is Trunkline's own name"), "{said}");
}
