//! Asks the questions of an interview on a terminal, or reads the answers line by line from another program.

use std::io::{self, BufRead, Write};

use super::Interview;

/// Why an interview on a terminal did not end.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The input ended early.
    #[error(
        "the input ended before the last question: nothing was written. Answer all questions, or use --channel"
    )]
    Ended,
    /// The terminal cannot be read or written.
    #[error("nothing was written: {0}")]
    Terminal(#[from] io::Error),
}

/// Asks until there is no question left. After an invalid answer, shows the reason and asks again.
///
/// # Errors
/// If the input ends before the last question, or cannot be read.
pub fn ask(
    interview: &mut Interview,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), AskError> {
    while let Some(question) = interview.question() {
        let default = question.default();
        let default = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        write!(output, "{}{default}: ", question.prompt())?;
        output.flush()?;
        let mut answer = String::new();
        if input.read_line(&mut answer)? == 0 {
            return Err(AskError::Ended);
        }
        if let Err(reason) = interview.answer(&question, &answer) {
            writeln!(output, "  {reason}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use trunkline_core::model::Role;
    use trunkline_registry::PLATFORMS;

    use super::*;

    fn channel() -> &'static str {
        let mut platforms = PLATFORMS.iter();
        platforms.find(|spec| spec.roles.contains(&Role::Channel)).unwrap().id.as_str()
    }

    #[test]
    fn shows_the_reason_and_asks_again() {
        let mut interview = Interview::new(PLATFORMS);
        let answers = format!("pigeon\n{}\nNo Id\n", channel());
        let mut output = Vec::new();
        let ended = ask(&mut interview, &mut answers.as_bytes(), &mut output).unwrap_err();
        assert!(matches!(ended, AskError::Ended));
        let shown = String::from_utf8(output).unwrap();
        assert_eq!(shown.matches("Platform of the channel").count(), 2, "{shown}");
        assert!(shown.contains("answer one of") && shown.contains("-channel]: "), "{shown}");
        assert_eq!(shown.matches("Id of the channel connection").count(), 2, "{shown}");
    }
}
