//! One connection of a new file: what its platform still needs, and whether an answer is valid.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use trunkline_core::model::{ConnectionId, Role};
use trunkline_core::platform::{CheckInput, Kind, PlatformSpec, SecretSpec, SettingSpec};
use trunkline_runtime::security::check_url;

/// What a sample value contains where an operator must put something else.
const REPLACE: &str = "replace-me";

/// A connection of the new file, as far as it is known.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub spec: &'static PlatformSpec,
    pub role: Role,
    pub id: Option<ConnectionId>,
    pub settings: Map<String, Value>,
    pub secrets: BTreeSet<&'static str>,
    /// The settings whose values are samples.
    pub samples: BTreeSet<&'static str>,
    /// Optional settings that the operator has chosen, and that have no value yet.
    chosen: Vec<&'static SettingSpec>,
}

/// Something that a connection needs.
#[derive(Debug, Clone)]
pub(super) enum Need {
    /// The value of a setting.
    Setting(&'static SettingSpec),
    /// One of these settings or secrets.
    OneOf(Vec<Alternative>),
}

/// One of several settings or secrets that a connection can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternative {
    pub name: &'static str,
    /// One line for operators.
    pub help: &'static str,
}

/// A setting or secret that could solve a problem.
#[derive(Debug, Clone, Copy)]
enum Candidate {
    Setting(&'static SettingSpec),
    Secret(&'static SecretSpec),
}

impl Candidate {
    fn name(&self) -> &'static str {
        match self {
            Self::Setting(setting) => setting.name,
            Self::Secret(secret) => secret.name,
        }
    }

    fn alternative(&self) -> Alternative {
        let help = match self {
            Self::Setting(setting) => setting.help,
            Self::Secret(secret) => secret.help,
        };
        Alternative { name: self.name(), help: help.trim() }
    }
}

impl Part {
    /// Starts a connection with the required secrets of its platform.
    pub fn new(spec: &'static PlatformSpec, role: Role) -> Self {
        let required = spec.secrets.iter().filter(|secret| secret.required);
        Self {
            spec,
            role,
            id: None,
            settings: Map::new(),
            secrets: required.map(|secret| secret.name).collect(),
            samples: BTreeSet::new(),
            chosen: Vec::new(),
        }
    }

    /// Returns what the platform's own check finds wrong.
    pub fn problems(&self) -> Vec<String> {
        let secrets: Vec<&str> = self.secrets.iter().copied().collect();
        (self.spec.check)(&CheckInput { settings: &self.settings, secrets: &secrets })
    }

    /// Returns what the connection needs next, after adding the secrets that it needs in any case; `None` if it is
    /// complete.
    ///
    /// Only the platform's check knows what depends on what. Its problems name the settings and secrets that solve
    /// them.
    pub fn need(&mut self) -> Option<Need> {
        loop {
            let required = self.spec.settings.iter().filter(|setting| setting.required);
            let mut open = required.chain(self.chosen.iter().copied());
            if let Some(open) = open.find(|setting| !self.settings.contains_key(setting.name)) {
                return Some(Need::Setting(open));
            }
            let problems = self.problems();
            let solutions = problems.iter().map(|problem| self.candidates(problem));
            let candidates = solutions.into_iter().find(|candidates| !candidates.is_empty())?;
            match candidates.as_slice() {
                [Candidate::Setting(setting)] => return Some(Need::Setting(setting)),
                [Candidate::Secret(secret)] => self.secrets.insert(secret.name),
                several => {
                    return Some(Need::OneOf(several.iter().map(Candidate::alternative).collect()));
                }
            };
        }
    }

    /// Returns the settings and secrets that a problem names, that are not given yet, and that are for the role; in
    /// the order of the problem's words.
    fn candidates(&self, problem: &str) -> Vec<Candidate> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words: Vec<&str> = problem.split(|c| !is_part(c)).collect();
        let settings = self.spec.settings.iter().filter(|setting| {
            !self.settings.contains_key(setting.name) && is_for(setting.help, self.role)
        });
        let secrets =
            self.spec.secrets.iter().filter(|secret| {
                !self.secrets.contains(secret.name) && is_for(secret.help, self.role)
            });
        let all = settings.map(Candidate::Setting);
        let all = all.chain(secrets.map(Candidate::Secret));
        let place = |candidate: &Candidate| words.iter().position(|word| *word == candidate.name());
        let mut named: Vec<(usize, Candidate)> =
            all.filter_map(|candidate| Some((place(&candidate)?, candidate))).collect();
        named.sort_by_key(|(place, _)| *place);
        named.into_iter().map(|(_, candidate)| candidate).collect()
    }

    /// Chooses one of several settings or secrets.
    ///
    /// # Errors
    /// The reason if the name is none of them.
    pub fn choose(&mut self, among: &[Alternative], answer: &str) -> Result<(), String> {
        let Some(Alternative { name, .. }) = among.iter().find(|one| one.name == answer) else {
            let names: Vec<&str> = among.iter().map(|one| one.name).collect();
            return Err(format!("answer {}", names.join(" or ")));
        };
        match self.spec.settings.iter().find(|setting| setting.name == *name) {
            Some(setting) => self.chosen.push(setting),
            None => {
                self.secrets.insert(name);
            }
        }
        Ok(())
    }

    /// Sets the value of a setting.
    ///
    /// # Errors
    /// The reason if the value is invalid. The setting is then unchanged.
    pub fn set(&mut self, setting: &'static SettingSpec, answer: &str) -> Result<(), String> {
        let name = setting.name;
        let value = parse(setting.kind, answer)?;
        (setting.check)(&value).map_err(|why| format!("{name} {why}"))?;
        let before = self.settings.insert(name.to_owned(), value);
        // The platform's check refuses a value by a problem that begins with the name.
        let is_own = |problem: &String| {
            let rest = problem.strip_prefix(name);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        let Some(problem) = self.problems().into_iter().find(is_own) else { return Ok(()) };
        match before {
            Some(before) => self.settings.insert(name.to_owned(), before),
            None => self.settings.remove(name),
        };
        Err(problem)
    }

    /// Sets a setting to a sample value.
    ///
    /// # Errors
    /// The reason if no sample is valid.
    pub fn set_sample(&mut self, setting: &'static SettingSpec) -> Result<(), String> {
        let sample = sample(setting);
        let set = self.set(setting, &sample).or_else(|reason| match path_in(&reason) {
            Some(path) => self.set(setting, &format!("https://example.com{path}")),
            None => Err(reason),
        });
        self.samples.insert(setting.name);
        set
    }
}

/// Whether a setting or secret is for a role: its help begins with the roles that it is limited to, such as
/// `bot or desk: …`.
fn is_for(help: &str, role: Role) -> bool {
    let Some((roles, _)) = help.trim().split_once(':') else { return true };
    let named =
        |word: &str| Role::NAMES.iter().find(|(name, _)| *name == word).map(|(_, role)| *role);
    let words = roles.split([' ', ',']).filter(|word| !word.is_empty() && *word != "or");
    let roles: Option<Vec<Role>> = words.map(named).collect();
    roles.is_none_or(|roles| roles.contains(&role))
}

/// Reads the value of a setting.
fn parse(kind: Kind, answer: &str) -> Result<Value, String> {
    if answer.is_empty() {
        return Err("a value is required".into());
    }
    match kind {
        Kind::Text => Ok(Value::from(answer)),
        Kind::Url => match check_url(answer, false) {
            Ok(_) => Ok(Value::from(answer)),
            Err(why) => Err(why.to_string()),
        },
        Kind::Boolean => answer.parse().map(Value::Bool).map_err(|_| "answer true or false".into()),
        Kind::Number { min, max } => {
            let number = answer.parse::<u32>().ok().filter(|number| (min..=max).contains(number));
            number.map(Value::from).ok_or_else(|| format!("answer a number from {min} to {max}"))
        }
        Kind::Enum(words) if words.contains(&answer) => Ok(Value::from(answer)),
        Kind::Enum(words) => Err(format!("answer {}", words.join(" or "))),
    }
}

/// Returns a value that has the form of a setting, for the operator to replace.
fn sample(setting: &SettingSpec) -> String {
    match setting.kind {
        Kind::Text => REPLACE.into(),
        Kind::Url => {
            let mut words = setting.help.split_whitespace();
            let example = words.find(|word| word.starts_with("https://"));
            example.map_or_else(|| format!("https://example.com/{REPLACE}"), ToOwned::to_owned)
        }
        Kind::Boolean => false.to_string(),
        Kind::Number { min, .. } => min.to_string(),
        Kind::Enum(words) => words.first().copied().unwrap_or_default().to_owned(),
    }
}

/// Returns the path that a problem requires of a URL, such as `/accounts/<id>`, with sample values for its
/// placeholders.
fn path_in(problem: &str) -> Option<String> {
    let path =
        problem.split_whitespace().find(|word| word.starts_with('/') && word.contains('<'))?;
    let mut filled = String::new();
    let mut rest = path.trim_end_matches([':', ',', '.']);
    while let Some((before, placeholder)) = rest.split_once('<') {
        filled.push_str(before);
        filled.push_str(REPLACE);
        rest = placeholder.split_once('>').map_or("", |(_, after)| after);
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_roles_in_a_help() {
        for (help, bot, desk) in [
            ("bot: URL of its endpoint", true, false),
            ("bot or desk: host of the chats", true, true),
            ("channel, desk: a text", false, true),
            ("handover: mutation: the adapter", true, true),
            ("URL that receives messages", true, true),
        ] {
            assert_eq!(is_for(help, Role::Bot), bot, "{help}");
            assert_eq!(is_for(help, Role::Desk), desk, "{help}");
        }
    }

    #[test]
    fn reads_the_path_that_a_problem_requires() {
        let problem = "url does not end in /a/<id>/b/<id>: copy it";
        assert_eq!(path_in(problem).as_deref(), Some("/a/replace-me/b/replace-me"));
        assert_eq!(path_in("url ends with /v3"), None);
    }

    #[test]
    fn a_value_must_have_the_form_of_its_setting() {
        let number = Kind::Number { min: 1, max: 60 };
        let word = Kind::Enum(&["black", "white"]);
        for (kind, good, bad) in [
            (Kind::Text, "a", ""),
            (Kind::Url, "https://fax.example.com/in", "http://127.0.0.1/"),
            (Kind::Boolean, "true", "yes"),
            (number, "60", "61"),
            (word, "white", "red"),
        ] {
            assert!(parse(kind, good).is_ok(), "{kind:?}");
            assert!(parse(kind, bad).is_err(), "{kind:?}");
        }
        assert_eq!(parse(number, "7"), Ok(Value::from(7)));
    }
}
