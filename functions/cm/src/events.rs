//! The meaning of the router's events. Public pages name one event only, the end of a session (BRIDGE); the
//! setting `events` gives others a meaning.

use serde_json::{Map, Value};
use trunkline_core::json::member;
use trunkline_core::model::EventBody;

use crate::handover_notice;
use crate::parse::CallParser;
use crate::settings::HandoverMeaning;

/// The name of the session's end in lower case. The case of `$type` is unknown (fact sheet A6).
const SESSION_ENDED: &str = "sessionended";

/// What an event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventMeaning {
    /// The conversation is closed.
    Close,
    /// The same as a handover notice with this meaning.
    Notice(HandoverMeaning),
}

/// Why the setting `events` is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MappingError {
    /// An entry is not of the form `name=meaning`.
    #[error("'{0}' is not of the form name=meaning")]
    NoMeaning(String),
    /// The meaning is unknown.
    #[error("'{0}' is not a meaning: use close, handover, handback, accept, record")]
    UnknownMeaning(String),
}

/// Checks the setting `events`.
///
/// # Errors
/// The first invalid entry.
pub(crate) fn check(mapping: &str) -> Result<(), MappingError> {
    for entry in mapping.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, word) = parts(entry).ok_or_else(|| MappingError::NoMeaning(entry.into()))?;
        if name.is_empty() || word.is_empty() {
            return Err(MappingError::NoMeaning(entry.into()));
        }
        meaning_of(word).ok_or_else(|| MappingError::UnknownMeaning(word.into()))?;
    }
    Ok(())
}

fn parts(entry: &str) -> Option<(&str, &str)> {
    entry.rsplit_once('=').map(|(name, word)| (name.trim(), word.trim()))
}

fn meaning_of(word: &str) -> Option<EventMeaning> {
    if word == "close" {
        return Some(EventMeaning::Close);
    }
    let known = HandoverMeaning::WORDS.iter().find(|(known, _)| *known == word);
    known.map(|(_, meaning)| EventMeaning::Notice(*meaning))
}

/// Returns the meaning of an event: by the setting `events`, else that of the session's end. `None`: it is
/// recorded only.
pub(crate) fn meaning(mapping: &str, name: &str) -> Option<EventMeaning> {
    let mut entries = mapping.split(',').filter_map(parts);
    let mapped = entries.find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
    let ends = || name.to_lowercase().ends_with(SESSION_ENDED).then_some(EventMeaning::Close);
    mapped.and_then(|(_, word)| meaning_of(word)).or_else(ends)
}

/// Returns what an event becomes.
pub(crate) fn body(parser: &CallParser<'_>, name: String, event: &Map<String, Value>) -> EventBody {
    let raw = Value::Object(event.clone());
    match meaning(&parser.call.settings.events, &name) {
        Some(EventMeaning::Close) => EventBody::Close { reason: Some(name) },
        Some(EventMeaning::Notice(meaning)) => {
            let context = member(event, "context");
            handover_notice::body(parser.call.connection.role, meaning, context, &name, raw)
        }
        None => EventBody::Opaque { is_message: false, name, raw },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_goes_before_the_end_of_a_session() {
        let mapping = "AgentJoined=accept, chat.returned = handback,RouterSessionEnded=record,x=y";
        let notice = |meaning| Some(EventMeaning::Notice(meaning));
        for (name, expected) in [
            ("agentjoined", notice(HandoverMeaning::Accept)),
            ("Chat.Returned ", notice(HandoverMeaning::Handback)),
            ("routerSessionEnded", notice(HandoverMeaning::Record)),
            ("sessionEnded", Some(EventMeaning::Close)),
            ("agentTyping", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(meaning(mapping, name), expected, "{name}");
        }
    }

    #[test]
    fn check_names_the_invalid_entry() {
        for valid in ["", " , ", "a=close", "a=handover,b=handback, c = accept ,d=record"] {
            assert_eq!(check(valid), Ok(()), "{valid}");
        }
        assert_eq!(check("a=close,b"), Err(MappingError::NoMeaning("b".into())));
        assert_eq!(check("=close"), Err(MappingError::NoMeaning("=close".into())));
        assert_eq!(check("a="), Err(MappingError::NoMeaning("a=".into())));
        assert_eq!(check("a=stop"), Err(MappingError::UnknownMeaning("stop".into())));
    }
}
