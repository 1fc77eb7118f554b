//! What a customer's words mean, and what the customer is told, in their language.

use std::collections::BTreeMap;

use crate::model::{Keywords, Switching, Texts};

/// Where a customer wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    People,
    Bot,
}

/// The entry for a language: its own, or that of the language without its region, or that of the
/// route's own language.
fn of_language<'a, T>(
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

/// What a message that is nothing but a keyword asks for. Where nobody knows the customer's language,
/// the words of all languages count.
pub(super) fn wish(text: &str, switching: &Switching, language: Option<&str>) -> Option<Wish> {
    if switching.keywords.is_empty() {
        return None;
    }
    let said = folded(text);
    let own = language.and_then(|language| of_language(&switching.keywords, Some(language), None));
    let tables: Vec<&Keywords> =
        own.map_or_else(|| switching.keywords.values().collect(), |own| vec![own]);
    let has = |words: &[String]| words.iter().any(|word| folded(word) == said);
    if tables.iter().any(|table| has(&table.handover)) {
        Some(Wish::People)
    } else if tables.iter().any(|table| has(&table.handback)) {
        Some(Wish::Bot)
    } else {
        None
    }
}

/// In lower case, with single spaces, and without punctuation at the ends.
fn folded(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    words.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

/// One of the texts for a customer, if it is to be said at all.
pub(super) fn text(
    switching: &Switching,
    language: Option<&str>,
    which: fn(&Texts) -> &String,
    agent: Option<&str>,
) -> Option<String> {
    let texts = of_language(&switching.texts, language, switching.language.as_deref())?;
    let text = which(texts);
    let agent = agent.unwrap_or(&texts.agent);
    (!text.trim().is_empty()).then(|| text.replace("{agent}", agent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switching() -> Switching {
        let keywords = |handover: &str, handback: &str| Keywords {
            handover: vec![handover.into()],
            handback: vec![handback.into()],
        };
        let texts = |joined: &str| Texts {
            joined: joined.into(),
            agent: "someone".into(),
            ..Texts::default()
        };
        Switching {
            language: Some("en".into()),
            keywords: [("en", keywords("agent", "robot")), ("nl", keywords("Een mens", "agent"))]
                .map(|(language, words)| (language.to_owned(), words))
                .into(),
            texts: [("en", texts("{agent} is here.")), ("nl", texts("{agent} is er."))]
                .map(|(language, texts)| (language.to_owned(), texts))
                .into(),
            ..Switching::default()
        }
    }

    #[test]
    fn only_a_message_that_is_nothing_else_is_a_keyword() {
        let wish = |text: &str, language: Option<&str>| wish(text, &switching(), language);
        assert_eq!(wish(" Agent! ", Some("en-GB")), Some(Wish::People));
        assert_eq!(wish("my travel agent", Some("en")), None);
        assert_eq!(wish("een  mens", Some("nl")), Some(Wish::People));
        assert_eq!(wish("een mens", Some("en")), None, "another language's word");
        assert_eq!(wish("agent", Some("nl-BE")), Some(Wish::Bot), "each language has its own");
        assert_eq!(wish("een mens", None), Some(Wish::People), "all count where none is known");
        assert_eq!(wish("", None), None);
    }

    #[test]
    fn texts_are_in_the_customers_language_or_else_the_routes() {
        let joined = |language, agent| text(&switching(), language, |t| &t.joined, agent);
        assert_eq!(joined(Some("nl_NL"), Some("Ann")).unwrap(), "Ann is er.");
        assert_eq!(joined(Some("fr"), Some("Ann")).unwrap(), "Ann is here.");
        assert_eq!(joined(None, None).unwrap(), "someone is here.");
        assert_eq!(text(&switching(), None, |t| &t.left, None), None, "an empty one is not said");
    }
}
