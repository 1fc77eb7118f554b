//! Keywords of a route that can never take effect.

use std::collections::BTreeSet;

use trunkline_core::model::HandoverPolicy;

use super::{Answering, warn_of_repeated};
use crate::file::problems::ConfigProblems;
use crate::file::yaml::{Members, Node};

/// Checks the keywords of a route. `members` are those of the file.
pub(super) fn check(
    policy: &HandoverPolicy,
    members: &Members<'_>,
    answering: Answering,
    warnings: &mut ConfigProblems,
) {
    let languages = members.get("keywords").map(Node::read_members);
    for (language, _, node) in languages.iter().flat_map(Members::iter) {
        let Some(keywords) = policy.keywords.get(language) else { continue };
        let members = node.read_members();
        let lists = [("handover", &keywords.handover), ("handback", &keywords.handback)];
        for (name, words) in lists {
            let why = why_no_effect(name, answering).filter(|_| !words.is_empty());
            if let (Some(line), Some(why)) = (members.line(name), why) {
                warnings.add(line, format!("the {name} keywords have no effect {why}"));
            }
            let known = words.iter().map(|word| folded(word));
            warn_of_repeated(members.get(name), known, warnings);
        }
        let of_handover: BTreeSet<String> =
            keywords.handover.iter().map(|word| folded(word)).collect();
        let items = members.get("handback").map(Node::read_items).unwrap_or_default();
        for (item, word) in items.iter().zip(&keywords.handback) {
            if of_handover.contains(&folded(word)) {
                let what =
                    format!("'{word}' is a handover keyword, too, and is never a handback keyword");
                warnings.add(item.line(), format!("{what}: remove it from one of the lists"));
            }
        }
    }
}

/// Returns why a list of keywords has no effect and what to do; `None` if it can have one.
fn why_no_effect(name: &str, answering: Answering) -> Option<&'static str> {
    let has_agents =
        if name == "handback" { answering.has_desk } else { answering.can_have_agents };
    if !answering.has_bot {
        Some("without a bot, because agents have every conversation: add a bot, or remove them")
    } else if !has_agents {
        Some("without a desk: add a desk to the route, or remove them")
    } else {
        None
    }
}

/// Returns a keyword as it is compared: without case and surplus spaces.
fn folded(word: &str) -> String {
    word.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
