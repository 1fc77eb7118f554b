//! Texts and languages of a route that can never take effect.

use std::collections::BTreeMap;

use trunkline_core::model::{HandoverPolicy, Texts};

use super::Answering;
use crate::file::problems::ConfigProblems;
use crate::file::yaml::{Members, Node};

/// The texts that accompany a handover to the desk.
const OF_DESK: [&str; 4] = ["waiting", "joined", "left", "unanswered"];

/// Checks the texts and the language of a route. `members` are those of the file.
pub(super) fn check(
    policy: &HandoverPolicy,
    members: &Members<'_>,
    answering: Answering,
    warnings: &mut ConfigProblems,
) {
    let texts = members.get("texts").map(Node::read_members);
    check_language(policy, members, warnings);
    for (language, line, node) in texts.iter().flat_map(Members::iter) {
        check_case(&policy.texts, language, line, warnings);
        let members = node.read_members();
        let mut uses_agent = false;
        for (name, line, text) in members.iter() {
            let text = text.text(&mut ConfigProblems::default(), "").unwrap_or_default();
            if text.trim().is_empty() || name == "agent" {
                continue;
            }
            if !answering.has_desk && OF_DESK.contains(&name) {
                let how = "add a desk to the route, or remove it";
                let what = format!("the text {name} is never sent, because the route has no desk");
                warnings.add(line, format!("{what}: {how}"));
            } else {
                uses_agent |= text.contains("{agent}");
            }
        }
        if let Some(line) = members.line("agent").filter(|_| !uses_agent) {
            let what = "the text agent has no effect, because no text contains {agent}";
            warnings.add(line, format!("{what}: remove it"));
        }
    }
}

/// Checks which texts a customer receives whose language is unknown.
fn check_language(policy: &HandoverPolicy, members: &Members<'_>, warnings: &mut ConfigProblems) {
    let texts = &policy.texts;
    let (line, language) = (members.line("language"), policy.language.as_deref());
    match (line, language) {
        // Keywords of one language set the language, too, and an export then has it.
        (Some(_), Some(_)) if texts.is_empty() && !policy.keywords.is_empty() => {}
        (Some(line), Some(_)) if texts.is_empty() => {
            let what = "language has no effect, because the route has no texts";
            warnings.add(line, format!("{what}: add texts, or remove it"));
        }
        (Some(line), Some(language)) if !has_texts(texts, language) => {
            let has = texts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let what = format!("language is '{language}', but texts has only {has}");
            let why = "a customer whose language is unknown receives no text";
            warnings.add(line, format!("{what}, so {why}: add these texts, or change language"));
        }
        (None, None) if !texts.is_empty() => {
            let what = "a customer whose language is unknown receives none of these texts";
            let line = members.line("texts").unwrap_or_default();
            warnings.add(line, format!("{what}: set the route's language to one of theirs"));
        }
        _ => {}
    }
}

/// Whether there are texts for a language, with or without its region.
fn has_texts(texts: &BTreeMap<String, Texts>, language: &str) -> bool {
    let general = language.split(['-', '_']).next().unwrap_or_default();
    texts
        .keys()
        .any(|known| known.eq_ignore_ascii_case(language) || known.eq_ignore_ascii_case(general))
}

/// Warns about a language that another name of the same language precedes in the order of selection, which is the
/// order of the table.
fn check_case(
    texts: &BTreeMap<String, Texts>,
    language: &str,
    line: usize,
    warnings: &mut ConfigProblems,
) {
    let first = texts.keys().find(|known| known.eq_ignore_ascii_case(language));
    if let Some(first) = first.filter(|first| *first != language) {
        let what = format!("the texts for '{language}' are never sent beside those for '{first}'");
        warnings.add(line, format!("{what}: upper and lower case mean the same, so join them"));
    }
}
