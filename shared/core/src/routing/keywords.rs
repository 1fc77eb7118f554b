//! Matches keywords and selects texts in the customer's language.

use std::collections::BTreeMap;

use crate::model::{HandoverPolicy, Keywords, Texts};

/// The owner that a keyword asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeywordIntent {
    Desk,
    Bot,
}

/// The entry for a language: the exact language, then the language without its region, then the
/// route's default language.
fn for_language<'a, T>(
    table: &'a BTreeMap<String, T>,
    language: Option<&str>,
    usual: Option<&str>,
) -> Option<&'a T> {
    let find = |wanted: &str| {
        let same = |(known, _): &(&String, &T)| known.eq_ignore_ascii_case(wanted);
        table.iter().find(same).map(|(_, entry)| entry)
    };
    let with_and_without_region = |wanted: &str| {
        find(wanted).or_else(|| find(wanted.split(['-', '_']).next().unwrap_or_default()))
    };
    language.and_then(with_and_without_region).or_else(|| usual.and_then(with_and_without_region))
}

/// The intent of a message that consists of a keyword and nothing else. If the customer's language is
/// unknown, the keywords of all languages match.
pub(super) fn match_keyword(
    text: &str,
    policy: &HandoverPolicy,
    language: Option<&str>,
) -> Option<KeywordIntent> {
    if policy.keywords.is_empty() {
        return None;
    }
    let said = normalize(text);
    let own = language.and_then(|language| for_language(&policy.keywords, Some(language), None));
    let tables: Vec<&Keywords> =
        own.map_or_else(|| policy.keywords.values().collect(), |own| vec![own]);
    let has = |words: &[String]| words.iter().any(|word| normalize(word) == said);
    if tables.iter().any(|table| has(&table.handover)) {
        Some(KeywordIntent::Desk)
    } else if tables.iter().any(|table| has(&table.handback)) {
        Some(KeywordIntent::Bot)
    } else {
        None
    }
}

/// Lower case, single spaces, no punctuation at the ends.
fn normalize(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    words.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

/// One of the route's texts in the customer's language; `None` if it is empty or not configured.
pub(super) fn text(
    policy: &HandoverPolicy,
    language: Option<&str>,
    which: fn(&Texts) -> &String,
    agent: Option<&str>,
) -> Option<String> {
    let texts = for_language(&policy.texts, language, policy.language.as_deref())?;
    let text = which(texts);
    let agent = agent.unwrap_or(&texts.agent);
    (!text.trim().is_empty()).then(|| text.replace("{agent}", agent))
}

/// The text that replaces a file if the route has none.
const FILE_FAILED: &str = "The file {name} could not be delivered.";

/// Returns the text that replaces a file that could not be delivered, in the customer's language.
#[must_use]
pub fn file_failed_text(
    policy: Option<&HandoverPolicy>,
    language: Option<&str>,
    name: Option<&str>,
) -> String {
    let own = policy.and_then(|policy| text(policy, language, |texts| &texts.file_failed, None));
    let text = own.as_deref().unwrap_or(FILE_FAILED);
    // Without a name, the space before or after it goes too.
    text.replace("{name}", name.unwrap_or_default())
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> HandoverPolicy {
        let keywords = |handover: &str, handback: &str| Keywords {
            handover: vec![handover.into()],
            handback: vec![handback.into()],
        };
        let texts = |joined: &str| Texts {
            joined: joined.into(),
            agent: "someone".into(),
            ..Texts::default()
        };
        HandoverPolicy {
            language: Some("en".into()),
            keywords: [("en", keywords("agent", "robot")), ("nl", keywords("Een mens", "agent"))]
                .map(|(language, words)| (language.to_owned(), words))
                .into(),
            texts: [("en", texts("{agent} is here.")), ("nl", texts("{agent} is er."))]
                .map(|(language, texts)| (language.to_owned(), texts))
                .into(),
            ..HandoverPolicy::default()
        }
    }

    #[test]
    fn only_a_message_that_is_nothing_else_is_a_keyword() {
        let wish = |text: &str, language: Option<&str>| match_keyword(text, &policy(), language);
        assert_eq!(wish(" Agent! ", Some("en-GB")), Some(KeywordIntent::Desk));
        assert_eq!(wish("my travel agent", Some("en")), None);
        assert_eq!(wish("een  mens", Some("nl")), Some(KeywordIntent::Desk));
        assert_eq!(wish("een mens", Some("en")), None, "another language's word");
        assert_eq!(
            wish("agent", Some("nl-BE")),
            Some(KeywordIntent::Bot),
            "each language has its own"
        );
        assert_eq!(
            wish("een mens", None),
            Some(KeywordIntent::Desk),
            "all count where none is known"
        );
        assert_eq!(wish("", None), None);
    }

    #[test]
    fn a_lost_file_is_replaced_by_the_routes_text_or_a_usual_one() {
        let mut policy = policy();
        let usual = file_failed_text(Some(&policy), None, Some("a.pdf"));
        assert_eq!(usual, "The file a.pdf could not be delivered.");
        assert_eq!(file_failed_text(None, None, None), "The file could not be delivered.");
        let dutch = policy.texts.get_mut("nl").unwrap();
        dutch.file_failed = "{name} is niet aangekomen.".into();
        let text = file_failed_text(Some(&policy), Some("nl-BE"), Some("a.pdf"));
        assert_eq!(text, "a.pdf is niet aangekomen.");
    }

    #[test]
    fn texts_are_in_the_customers_language_or_else_the_routes() {
        let joined = |language, agent| text(&policy(), language, |t| &t.joined, agent);
        assert_eq!(joined(Some("nl_NL"), Some("Ann")).unwrap(), "Ann is er.");
        assert_eq!(joined(Some("fr"), Some("Ann")).unwrap(), "Ann is here.");
        assert_eq!(joined(None, None).unwrap(), "someone is here.");
        assert_eq!(text(&policy(), None, |t| &t.left, None), None, "an empty one is not said");
    }
}
