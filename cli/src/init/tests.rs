//! Every platform in every role yields a file that can be applied.

use std::collections::BTreeMap;

use trunkline_config::{Desired, ReadOptions, SecretResolver, SecretSource, read};
use trunkline_core::platform::SecretSpec;
use trunkline_registry::PLATFORMS;

use super::*;

/// Values for secrets; each secret takes the first that its check accepts.
const VALUES: [&str; 3] = [
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "https://example.com/events/1",
    "a-secret-of-more-than-32-characters",
];

/// Resolves the variables that a configuration lists, and no others.
#[derive(Debug)]
struct Listed(BTreeMap<String, String>);

impl Listed {
    fn of(interview: &Interview, new: &NewConfiguration) -> Self {
        let specs = interview.parts().flat_map(|part| {
            part.spec.secrets.iter().filter(|spec| part.secrets.contains(spec.name))
        });
        let names = new.variables.iter().map(|(name, _)| name.clone());
        Self(names.zip(specs.map(value_for)).collect())
    }
}

impl SecretResolver for Listed {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let SecretSource::Env(name) = source else { return Err("no file".into()) };
        self.0.get(name).cloned().ok_or_else(|| format!("{name} is not listed"))
    }
}

fn value_for(spec: &SecretSpec) -> String {
    let mut valid = VALUES.iter().filter(|value| (spec.check)(value, false).is_ok());
    valid.next().unwrap_or_else(|| panic!("no value for {}", spec.name)).to_string()
}

/// Reads the file that an interview yields, as `trunkline apply --dry-run` does.
fn read_back(interview: &Interview) -> (Desired, NewConfiguration) {
    let new = interview.finish().unwrap();
    let secrets = Listed::of(interview, &new);
    let options = ReadOptions { platforms: PLATFORMS, secrets: &secrets, allow_local: false };
    let desired = read(&new.text, options);
    (desired.unwrap_or_else(|problems| panic!("{problems}\n{}", new.text)), new)
}

/// Every platform with each of its roles.
fn platforms_and_roles() -> Vec<(&'static PlatformSpec, Role)> {
    PLATFORMS.iter().flat_map(|spec| spec.roles.iter().map(move |role| (spec, *role))).collect()
}

/// Returns the platform of a role for a file that has `spec` in `role` and as little else as possible.
fn with_minimum(spec: &PlatformSpec, role: Role, asked: Role) -> Option<String> {
    let first = |role: Role| PLATFORMS.iter().find(|spec| spec.roles.contains(&role));
    match asked {
        _ if asked == role => Some(spec.id.to_string()),
        Role::Channel => first(Role::Channel).map(|spec| spec.id.to_string()),
        Role::Bot if role != Role::Desk => first(Role::Bot).map(|spec| spec.id.to_string()),
        _ => None,
    }
}

#[test]
fn samples_of_every_platform_and_role_can_be_applied() {
    for (spec, role) in platforms_and_roles() {
        let mut interview = Interview::new(PLATFORMS);
        let given = interview.answer_with_samples(|asked| with_minimum(spec, role, asked));
        given.unwrap_or_else(|why| panic!("{} as {role:?}: {why}", spec.id));
        let (desired, new) = read_back(&interview);
        let mut connections = desired.connections.iter().map(|desired| &desired.connection);
        assert!(connections.any(|one| one.platform == spec.id && one.role == role), "{}", new.text);
        assert_eq!(desired.routes.len(), 1);
        for (name, _) in &new.samples {
            let setting = name.rsplit('.').next().unwrap();
            assert!(new.text.contains(&format!("{setting}: ")), "{name}: {}", new.text);
        }
    }
}

/// Answers like an operator: the default where there is one, and otherwise a valid value.
fn answer_all(
    interview: &mut Interview,
    platform_of: impl Fn(Role) -> Option<String>,
) -> Vec<String> {
    let mut asked = Vec::new();
    while let Some(question) = interview.question() {
        assert!(asked.len() < 30, "the questions do not end: {asked:?}");
        let reply = match &question {
            Question::Platform { role, .. } => platform_of(*role).unwrap_or_default(),
            Question::Setting { .. } => {
                assert!(interview.answer(&question, "").is_err(), "a value is required");
                "https://example.com/accounts/a/adapters/b".to_owned()
            }
            _ => String::new(),
        };
        let reply =
            interview.answer(&question, &reply).or_else(|_| interview.answer(&question, "abc-1"));
        reply.unwrap_or_else(|why| panic!("{}: {why}", question.prompt()));
        asked.push(question.prompt());
    }
    asked
}

#[test]
fn answers_for_every_platform_and_role_can_be_applied() {
    for (spec, role) in platforms_and_roles() {
        let mut interview = Interview::new(PLATFORMS);
        answer_all(&mut interview, |asked| with_minimum(spec, role, asked));
        let (_, new) = read_back(&interview);
        assert_eq!(new.samples, [], "{}", new.text);
    }
}

#[test]
fn invalid_answers_leave_the_question_open() {
    let mut interview = Interview::new(PLATFORMS);
    let question = interview.question().unwrap();
    assert!(question.default().is_none(), "a channel is required");
    let why = interview.answer(&question, "carrier-pigeon").unwrap_err();
    let channel = PLATFORMS.iter().find(|spec| spec.roles.contains(&Role::Channel)).unwrap();
    assert!(why.contains(channel.id.as_str()), "{why}");
    assert!(matches!(interview.question(), Some(Question::Platform { role: Role::Channel, .. })));
    interview.answer(&question, channel.id.as_str()).unwrap();
    let question = interview.question().unwrap();
    for wrong in ["Not An Id", SYSTEM] {
        assert!(interview.answer(&question, wrong).is_err(), "{wrong}");
    }
    interview.answer(&question, "shop").unwrap();
    assert!(!matches!(interview.question(), Some(Question::Id { role: Role::Channel, .. })));
}

#[test]
fn a_route_needs_a_bot_or_a_desk() {
    let mut interview = Interview::new(PLATFORMS);
    let channel = PLATFORMS.iter().find(|spec| spec.roles.contains(&Role::Channel)).unwrap();
    let only = |role| (role == Role::Channel).then(|| channel.id.to_string());
    let refused = interview.answer_with_samples(only).unwrap_err();
    assert!(refused.to_string().starts_with("Platform of the desk"), "{refused}");
    let question = interview.question().unwrap();
    let why = interview.answer(&question, NONE).unwrap_err();
    assert!(why.contains("a bot or a desk"), "{why}");
}

#[test]
fn two_connections_have_two_ids() {
    let mut interview = Interview::new(PLATFORMS);
    let both = PLATFORMS
        .iter()
        .find(|spec| [Role::Channel, Role::Desk].iter().all(|role| spec.roles.contains(role)));
    let both = both.unwrap().id.to_string();
    let given = |role| [Role::Channel, Role::Desk].contains(&role).then(|| both.clone());
    interview.answer_with_samples(given).unwrap();
    let taken = interview.parts().next().unwrap().id.clone().unwrap();
    let question = Question::Id { role: Role::Desk, platform: PLATFORMS.iter().next().unwrap() };
    let why = interview.answer(&question, taken.as_str()).unwrap_err();
    assert!(why.contains("another connection"), "{why}");
}

#[test]
fn the_next_steps_name_each_variable_and_sample() {
    let (spec, role) = platforms_and_roles()[0];
    let mut interview = Interview::new(PLATFORMS);
    interview.answer_with_samples(|asked| with_minimum(spec, role, asked)).unwrap();
    let new = interview.finish().unwrap();
    let steps = new.next_steps("shop.yaml");
    for (name, _) in &new.variables {
        assert!(steps.contains(&format!("export {name}=…")), "{steps}");
        assert!(new.text.contains(&format!("env: {name}")), "{}", new.text);
    }
    for (name, _) in &new.samples {
        assert!(steps.contains(name), "{steps}");
    }
    for command in ["trunkline apply shop.yaml", "trunkline urls shop.yaml", "trunkline check"] {
        assert!(steps.contains(command), "{steps}");
    }
}
