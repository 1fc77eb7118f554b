//! `trunkline init`: from questions and answers to a first configuration file. The questions follow from the
//! descriptions of the platforms.

mod ask;
mod part;
mod text;

use trunkline_core::model::{ConnectionId, Role, RouteId, SYSTEM};
use trunkline_core::platform::{PlatformSpec, Platforms, SettingSpec};

use part::{Need, Part};

pub use ask::{AskError, ask};
pub use part::Alternative;
pub use text::NewConfiguration;

/// The answer for a role that the route does not have.
const NONE: &str = "none";
/// The roles in the order of the questions.
const ROLES: [Role; 4] = [Role::Channel, Role::Bot, Role::Desk, Role::Observer];

/// Error of making a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InitError {
    /// An answer that was given as an option is invalid.
    #[error("{question}: {reason}")]
    Invalid {
        question: String,
        /// What to answer instead.
        reason: String,
    },
    /// The platform's check finds a problem that no setting or secret solves.
    #[error("the connection {id}: {problem}. Start from examples/trunkline.yaml instead")]
    Unsolved { id: String, problem: String },
}

/// A question to the operator.
#[derive(Debug, Clone)]
pub enum Question {
    /// The platform of a role.
    Platform {
        role: Role,
        /// The platforms that have the role.
        choices: Vec<&'static str>,
        /// Whether the route can do without the role.
        optional: bool,
    },
    /// The id of a connection.
    Id { role: Role, platform: &'static PlatformSpec },
    /// The value of a setting of the connection.
    Setting { role: Role, id: String, setting: &'static SettingSpec },
    /// Which one of several settings or secrets the connection has.
    OneOf { role: Role, id: String, among: Vec<Alternative> },
    /// The id of the route.
    Route,
}

impl Question {
    /// Returns the text of the question, without its default.
    #[must_use]
    pub fn prompt(&self) -> String {
        match self {
            Self::Platform { role, choices, optional } => {
                let none = if *optional { format!(", {NONE}") } else { String::new() };
                let what = match role {
                    Role::Observer => "Platform of an observer, which receives copies",
                    Role::Channel => "Platform of the channel",
                    Role::Bot => "Platform of the bot",
                    Role::Desk => "Platform of the desk",
                };
                format!("{what} ({}{none})", choices.join(", "))
            }
            Self::Id { role, .. } => format!("Id of the {} connection", role_name(*role)),
            Self::Setting { id, setting, .. } => {
                format!("{id}: {}: {}", setting.name, setting.help_with_default())
            }
            Self::OneOf { id, among, .. } => {
                let lines = among.iter().map(|one| format!("\n  {}: {}", one.name, one.help));
                format!("{id}: one of these{}\nWhich one", lines.collect::<String>())
            }
            Self::Route => "Id of the route".into(),
        }
    }

    /// Returns the answer that an empty line means; `None` if an answer is required.
    #[must_use]
    pub fn default(&self) -> Option<String> {
        match self {
            Self::Platform { optional, .. } => optional.then(|| NONE.to_owned()),
            Self::Id { role, platform } => Some(format!("{}-{}", platform.id, role_name(*role))),
            Self::Setting { .. } => None,
            Self::OneOf { among, .. } => among.first().map(|one| one.name.to_owned()),
            Self::Route => Some("main".into()),
        }
    }
}

fn role_name(role: Role) -> &'static str {
    Role::NAMES.iter().find(|(_, known)| *known == role).map_or("", |(name, _)| name)
}

/// What is known about a role.
#[derive(Debug, Clone)]
enum Slot {
    Unasked,
    Empty,
    Filled(Box<Part>),
}

/// The questions and answers so far.
#[derive(Debug, Clone)]
pub struct Interview {
    platforms: Platforms,
    /// What is known about each of [`ROLES`].
    slots: [Slot; ROLES.len()],
    route: Option<RouteId>,
}

impl Interview {
    /// Starts an interview about these platforms.
    #[must_use]
    pub fn new(platforms: Platforms) -> Self {
        Self { platforms, slots: ROLES.map(|_| Slot::Unasked), route: None }
    }

    /// Returns the next question; `None` if everything is known.
    pub fn question(&mut self) -> Option<Question> {
        let has_bot = matches!(self.slots[1], Slot::Filled(_));
        for (role, slot) in ROLES.into_iter().zip(&mut self.slots) {
            let part = match slot {
                Slot::Empty => continue,
                Slot::Unasked => {
                    let can = self.platforms.iter().filter(|spec| spec.roles.contains(&role));
                    let choices = can.map(|spec| spec.id.as_str()).collect();
                    let needed = role == Role::Channel || (role == Role::Desk && !has_bot);
                    return Some(Question::Platform { role, choices, optional: !needed });
                }
                Slot::Filled(part) => part,
            };
            let Some(id) = &part.id else {
                return Some(Question::Id { role, platform: part.spec });
            };
            let id = id.to_string();
            match part.need() {
                Some(Need::Setting(setting)) => {
                    return Some(Question::Setting { role, id, setting });
                }
                Some(Need::OneOf(among)) => return Some(Question::OneOf { role, id, among }),
                None => {}
            }
        }
        self.route.is_none().then_some(Question::Route)
    }

    /// Answers a question of [`Interview::question`].
    ///
    /// # Errors
    /// The reason if the answer is invalid: the question stays open.
    pub fn answer(&mut self, question: &Question, answer: &str) -> Result<(), String> {
        let given = Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty());
        let answer = given.or_else(|| question.default()).unwrap_or_default();
        match question {
            Question::Platform { role, choices, optional } => {
                let slot = if *optional && answer == NONE {
                    Slot::Empty
                } else {
                    Slot::Filled(Box::new(self.new_part(*role, choices, &answer)?))
                };
                *self.slot(*role) = slot;
                Ok(())
            }
            Question::Id { role, .. } => self.set_id(*role, &answer),
            Question::Setting { role, setting, .. } => self.part(*role)?.set(setting, &answer),
            Question::OneOf { role, among, .. } => self.part(*role)?.choose(among, &answer),
            Question::Route => {
                self.route = Some(answer.parse().map_err(|why| format!("{why}"))?);
                Ok(())
            }
        }
    }

    /// Answers all questions: the platforms of the roles as given, and sample values for all else.
    ///
    /// # Errors
    /// If a platform does not exist or does not have its role.
    pub fn answer_with_samples(
        &mut self,
        platform_of: impl Fn(Role) -> Option<String>,
    ) -> Result<(), InitError> {
        while let Some(question) = self.question() {
            let answered = match &question {
                Question::Platform { role, .. } => {
                    self.answer(&question, &platform_of(*role).unwrap_or_default())
                }
                Question::Setting { role, setting, .. } => {
                    self.part(*role).and_then(|part| part.set_sample(setting))
                }
                other => self.answer(other, ""),
            };
            answered
                .map_err(|reason| InitError::Invalid { question: question.prompt(), reason })?;
        }
        Ok(())
    }

    /// Returns the configuration, once there is no question left.
    ///
    /// # Errors
    /// If the platform of a connection still finds a problem.
    pub fn finish(&self) -> Result<NewConfiguration, InitError> {
        let parts: Vec<&Part> = self.parts().collect();
        for part in &parts {
            if let Some(problem) = part.problems().into_iter().next() {
                let id = part.id.as_ref().map(ToString::to_string).unwrap_or_default();
                return Err(InitError::Unsolved { id, problem });
            }
        }
        let Some(route) = &self.route else {
            let (question, reason) = (Question::Route.prompt(), "it has no answer yet".into());
            return Err(InitError::Invalid { question, reason });
        };
        Ok(NewConfiguration::of(self.platforms, &parts, route))
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Filled(part) => Some(&**part),
            Slot::Unasked | Slot::Empty => None,
        })
    }

    fn new_part(&self, role: Role, choices: &[&str], answer: &str) -> Result<Part, String> {
        let mut known = self.platforms.iter().filter(|spec| choices.contains(&spec.id.as_str()));
        let spec = known.find(|spec| spec.id.as_str() == answer);
        spec.map(|spec| Part::new(spec, role)).ok_or_else(|| {
            let needs = if role == Role::Desk && answer == NONE {
                "a route needs a bot or a desk: "
            } else {
                ""
            };
            format!("{needs}answer one of {}", choices.join(", "))
        })
    }

    fn set_id(&mut self, role: Role, answer: &str) -> Result<(), String> {
        let id: ConnectionId = answer.parse().map_err(|why| format!("{why}"))?;
        if answer == SYSTEM {
            return Err(format!("'{SYSTEM}' is reserved for Trunkline itself: choose another id"));
        }
        if self.parts().any(|part| part.id.as_ref() == Some(&id)) {
            return Err(format!("{id} is the id of another connection: choose another one"));
        }
        self.part(role)?.id = Some(id);
        Ok(())
    }

    fn slot(&mut self, role: Role) -> &mut Slot {
        let index = ROLES.iter().position(|known| *known == role).unwrap_or_default();
        &mut self.slots[index]
    }

    fn part(&mut self, role: Role) -> Result<&mut Part, String> {
        match self.slot(role) {
            Slot::Filled(part) => Ok(part),
            Slot::Unasked | Slot::Empty => Err(format!("there is no {}", role_name(role))),
        }
    }
}

#[cfg(test)]
mod tests;
