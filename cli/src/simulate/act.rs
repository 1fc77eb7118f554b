//! What a person at a simulated side does, a line at a time.

/// What a person does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Says something.
    Say(String),
    /// Says something, and gives things to choose from.
    Offer(String, Vec<String>),
    /// Picks one of what was offered, by its id.
    Pick(String),
    /// Asks for people to take over.
    Handover(Option<String>),
    /// Takes what was offered.
    Accept,
    /// Gives it back to the bot.
    Handback,
    /// Ends it.
    Close,
}

/// How the lines are written.
pub const HELP: &str = "\
  any text               say it
  /offer TEXT | A | B    say it, with A and B to choose from
  /pick ID               pick what was offered
  /handover [REASON]     ask people to take over
  /accept                take what was offered
  /handback              give it back to the bot
  /close                 end it
  /help                  this list; Ctrl-D or Ctrl-C ends";

impl Act {
    /// Reads a line; nothing, if it is blank.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim();
        let Some(command) = line.strip_prefix('/') else {
            return Ok((!line.is_empty()).then(|| Self::Say(line.to_owned())));
        };
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let rest = rest.trim();
        let act = match (name, rest) {
            ("offer", rest) => {
                let mut parts = rest.split('|').map(|part| part.trim().to_owned());
                let text = parts.next().unwrap_or_default();
                let choices: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
                if text.is_empty() || choices.is_empty() {
                    return Err("write it like this: /offer Which one? | Shoes | A lamp".into());
                }
                Self::Offer(text, choices)
            }
            ("pick", "") => return Err("write it like this: /pick ID".into()),
            ("pick", id) => Self::Pick(id.to_owned()),
            ("handover", "") => Self::Handover(None),
            ("handover", reason) => Self::Handover(Some(reason.to_owned())),
            ("accept", _) => Self::Accept,
            ("handback", _) => Self::Handback,
            ("close", _) => Self::Close,
            ("help", _) => return Err(HELP.into()),
            (other, _) => return Err(format!("there is no /{other}:\n{HELP}")),
        };
        Ok(Some(act))
    }

    /// Its name, as it is written.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Say(_) => "a text",
            Self::Offer(..) => "/offer",
            Self::Pick(_) => "/pick",
            Self::Handover(_) => "/handover",
            Self::Accept => "/accept",
            Self::Handback => "/handback",
            Self::Close => "/close",
        }
    }

    /// Why it cannot be done at a side.
    pub(super) fn not_at(&self, side: &str, can: &str) -> String {
        format!("{side} has no {}; there is: {can}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_meant() {
        let read = |line: &str| Act::read(line);
        assert_eq!(read("  "), Ok(None));
        assert_eq!(read(" Hi / there "), Ok(Some(Act::Say("Hi / there".into()))));
        let offer = Act::Offer("Which?".into(), vec!["A".into(), "B b".into()]);
        assert_eq!(read("/offer Which? | A |B b|"), Ok(Some(offer)));
        assert_eq!(read("/pick 7"), Ok(Some(Act::Pick("7".into()))));
        assert_eq!(read("/handover"), Ok(Some(Act::Handover(None))));
        assert_eq!(read("/handover a tax"), Ok(Some(Act::Handover(Some("a tax".into())))));
        for bad in ["/offer x", "/pick", "/fly", "/help"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
