//! Reads the handover policy of a route: timers, keywords and texts.

use std::collections::BTreeMap;

use trunkline_core::model::{HandoverPolicy, Keywords, OnClose, Texts, TranscriptStart};

use super::problems::ConfigProblems;
use super::yaml::{Members, Node};

const HANDOVER: [&str; 6] = [
    "accept_within",
    "agent_idle",
    "after_close",
    "if_unanswered",
    "transcript",
    "transcript_since",
];
const KEYWORDS: [&str; 2] = ["handover", "handback"];
const TEXTS: [&str; 9] = [
    "waiting",
    "joined",
    "left",
    "unanswered",
    "unsupported",
    "edited",
    "deleted",
    "file_failed",
    "agent",
];
/// The maximum of every timer, in seconds: 30 days.
const MAX_SECONDS: u32 = 30 * 24 * 60 * 60;
/// The maximum number of earlier messages that a desk receives.
const MAX_TRANSCRIPT: u32 = 50;

/// Reads the policy of a route. Omitted members have their defaults.
pub(super) fn read(route: &Members<'_>, problems: &mut ConfigProblems) -> HandoverPolicy {
    let mut policy = HandoverPolicy {
        session_ttl: seconds(route, "session_ttl", problems),
        bot_down_after: seconds(route, "bot_down_after", problems),
        ..HandoverPolicy::default()
    };
    if let Some(node) = route.get("handover") {
        let members = node.members(problems, "handover", &HANDOVER);
        policy.accept_within = seconds(&members, "accept_within", problems);
        policy.agent_idle = seconds(&members, "agent_idle", problems);
        policy.after_close = on_close(&members, "after_close", problems);
        policy.if_unanswered = on_close(&members, "if_unanswered", problems);
        if let Some(node) = members.get("transcript") {
            let count = node.number(problems, "transcript", 0..=MAX_TRANSCRIPT).unwrap_or_default();
            policy.transcript = u16::try_from(count).unwrap_or_default();
        }
        if let Some(node) = members.get("transcript_since") {
            let word = node.one_of(problems, "transcript_since", &["start", "handback"]);
            if word.as_deref() == Some("handback") {
                policy.transcript_since = TranscriptStart::Handback;
            }
        }
    }
    policy.keywords = by_language(route, "keywords", problems, keywords);
    policy.texts = by_language(route, "texts", problems, texts);
    policy.language = match route.get("language") {
        Some(node) => node.text(problems, "language"),
        None => only_key(&policy.texts)
            .or_else(|| only_key(&policy.keywords).filter(|_| policy.texts.is_empty())),
    };
    policy
}

/// Returns the key of a table with one entry. A route with one language needs no `language`: without this, a
/// customer whose language is unknown would receive none of its texts.
fn only_key<T>(table: &BTreeMap<String, T>) -> Option<String> {
    let mut keys = table.keys();
    keys.next().filter(|_| keys.next().is_none()).cloned()
}

fn seconds(members: &Members<'_>, name: &str, problems: &mut ConfigProblems) -> Option<u32> {
    members.get(name).and_then(|node| node.number(problems, name, 1..=MAX_SECONDS))
}

fn on_close(members: &Members<'_>, name: &str, problems: &mut ConfigProblems) -> OnClose {
    let word = members.get(name).and_then(|node| node.one_of(problems, name, &["bot", "close"]));
    if word.as_deref() == Some("close") { OnClose::Close } else { OnClose::Bot }
}

fn by_language<T>(
    route: &Members<'_>,
    name: &str,
    problems: &mut ConfigProblems,
    read: fn(&Node<'_>, &mut ConfigProblems) -> T,
) -> BTreeMap<String, T> {
    let Some(node) = route.get(name) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (language, line, node) in node.entries(problems, name) {
        let is_part = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric())
        };
        if !language.split('-').all(is_part) {
            problems.add(
                line,
                format!(
                    "'{language}' is not a language: write a BCP 47 tag such as en, nl or pt-BR"
                ),
            );
        }
        found.insert(language, read(&node, problems));
    }
    found
}

fn keywords(node: &Node<'_>, problems: &mut ConfigProblems) -> Keywords {
    let members = node.members(problems, "keywords", &KEYWORDS);
    let mut words = |name: &str| -> Vec<String> {
        let items = members.get(name).map(|node| node.items(problems, name)).unwrap_or_default();
        items.iter().filter_map(|node| node.text(problems, "a keyword")).collect()
    };
    Keywords { handover: words("handover"), handback: words("handback") }
}

fn texts(node: &Node<'_>, problems: &mut ConfigProblems) -> Texts {
    let members = node.members(problems, "texts", &TEXTS);
    let mut text = |name: &str| -> String {
        members.get(name).and_then(|node| node.text(problems, name)).unwrap_or_default()
    };
    let texts = Texts {
        waiting: text("waiting"),
        joined: text("joined"),
        left: text("left"),
        unanswered: text("unanswered"),
        unsupported: text("unsupported"),
        file_failed: text("file_failed"),
        edited: text("edited"),
        deleted: text("deleted"),
        agent: text("agent"),
    };
    let named = [&texts.joined, &texts.left].iter().any(|text| text.contains("{agent}"));
    if named && texts.agent.is_empty() {
        let how = "add 'agent', which replaces {agent} if the agent's name is not known";
        problems.add(node.line(), format!("a text uses {{agent}}: {how}"));
    }
    if !texts.edited.is_empty() && !texts.edited.contains("{text}") {
        let how = "add {text} to 'edited': it is replaced by the new text";
        problems.add(node.line(), how.to_owned());
    }
    texts
}

#[cfg(test)]
mod tests {
    use trunkline_core::model::Role;

    use crate::file::read_route;

    /// Returns the language of a route that has these members besides its bot.
    fn language(members: &serde_json::Value) -> Option<String> {
        let mut members = members.clone();
        members["bot"] = "bot".into();
        let known = [("bot".parse().unwrap(), Role::Bot)];
        read_route("shop", &members, &known).unwrap().handover_policy.language
    }

    #[test]
    fn the_only_language_is_that_of_customers_whose_language_is_unknown() {
        let texts = serde_json::json!({"nl": {"unsupported": "Sorry"}});
        let keywords = serde_json::json!({"nl": {"handover": ["mens"]}});
        let en = serde_json::json!({"en": {"handover": ["agent"]}});
        for members in [
            serde_json::json!({"texts": texts}),
            serde_json::json!({"keywords": keywords}),
            serde_json::json!({"texts": texts, "keywords": keywords}),
            // Only texts need a language: keywords of all languages match while it is unknown.
            serde_json::json!({"texts": texts, "keywords": en}),
        ] {
            assert_eq!(language(&members).as_deref(), Some("nl"), "{members}");
        }
    }

    #[test]
    fn the_language_stays_unknown_without_texts_or_with_several_languages() {
        let two =
            serde_json::json!({"nl": {"unsupported": "Sorry"}, "en": {"unsupported": "Sorry"}});
        let one = serde_json::json!({"nl": {"handover": ["mens"]}});
        for members in [
            serde_json::json!({}),
            serde_json::json!({"texts": two}),
            serde_json::json!({"texts": two, "keywords": one}),
        ] {
            assert_eq!(language(&members), None, "{members}");
        }
    }

    #[test]
    fn a_given_language_stays() {
        let members =
            serde_json::json!({"language": "en", "texts": {"nl": {"unsupported": "Sorry"}}});
        assert_eq!(language(&members).as_deref(), Some("en"));
    }
}
