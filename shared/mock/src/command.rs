//! The commands of a simulated customer, bot or agent, one per line of input.

/// A command of a simulated party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayerCommand {
    /// Sends a text message.
    Say(String),
    /// Sends a text with choices.
    Offer(String, Vec<String>),
    /// Picks a choice by its id.
    Pick(String),
    /// Requests a handover, with an optional reason.
    Handover(Option<String>),
    /// Accepts a handover.
    Accept,
    /// Hands the conversation back to the bot.
    Handback,
    /// Closes the conversation.
    Close,
}

/// The list of commands.
pub const HELP: &str = "\
  any text               send a message
  /offer TEXT | A | B    send a message with the choices A and B
  /pick ID               pick a choice
  /handover [REASON]     request an agent
  /accept                accept the handover
  /handback              hand back to the bot
  /close                 close the conversation
  /help                  show this list; Ctrl-D or Ctrl-C exits";

impl PlayerCommand {
    /// Parses a line. Returns `None` for a blank line.
    ///
    /// # Errors
    /// A message for the person at the terminal.
    pub fn read(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim();
        let Some(command) = line.strip_prefix('/') else {
            return Ok((!line.is_empty()).then(|| Self::Say(line.to_owned())));
        };
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let rest = rest.trim();
        let command = match (name, rest) {
            ("offer", rest) => {
                let mut parts = rest.split('|').map(|part| part.trim().to_owned());
                let text = parts.next().unwrap_or_default();
                let choices: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
                if text.is_empty() || choices.is_empty() {
                    return Err("usage: /offer Which one? | Shoes | A lamp".into());
                }
                Self::Offer(text, choices)
            }
            ("pick", "") => return Err("usage: /pick ID".into()),
            ("pick", id) => Self::Pick(id.to_owned()),
            ("handover", "") => Self::Handover(None),
            ("handover", reason) => Self::Handover(Some(reason.to_owned())),
            ("accept", _) => Self::Accept,
            ("handback", _) => Self::Handback,
            ("close", _) => Self::Close,
            ("help", _) => return Err(HELP.into()),
            (other, _) => return Err(format!("unknown command /{other}:\n{HELP}")),
        };
        Ok(Some(command))
    }

    /// Returns its name in messages.
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

    /// Returns the message that a party cannot execute this command.
    pub fn unsupported_by(&self, party: &str, can: &str) -> String {
        format!("{party} does not support {}; use {can}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_text_and_commands() {
        let read = |line: &str| PlayerCommand::read(line);
        assert_eq!(read("  "), Ok(None));
        assert_eq!(read(" Hi / there "), Ok(Some(PlayerCommand::Say("Hi / there".into()))));
        let offer = PlayerCommand::Offer("Which?".into(), vec!["A".into(), "B b".into()]);
        assert_eq!(read("/offer Which? | A |B b|"), Ok(Some(offer)));
        assert_eq!(read("/pick 7"), Ok(Some(PlayerCommand::Pick("7".into()))));
        assert_eq!(read("/handover"), Ok(Some(PlayerCommand::Handover(None))));
        assert_eq!(
            read("/handover a tax"),
            Ok(Some(PlayerCommand::Handover(Some("a tax".into()))))
        );
        for bad in ["/offer x", "/pick", "/fly", "/help"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
