//! When people take over and when they give back, as a route says it.

use std::collections::BTreeMap;

use trunkline_shared::model::{Keywords, Since, Switching, Texts, Then};

use super::problems::Report;
use super::yaml::{Members, Node};

const HANDOVER: [&str; 6] =
    ["accept_within", "agent_idle", "after_close", "if_nobody", "transcript", "transcript_since"];
const KEYWORDS: [&str; 2] = ["handover", "handback"];
const TEXTS: [&str; 6] = ["waiting", "joined", "left", "nobody", "unshown", "agent"];
/// The longest wait, in seconds: thirty days.
const LONGEST: u32 = 30 * 24 * 60 * 60;
/// As many messages as a desk is told at most of what was said before.
const MOST_TOLD: u32 = 50;

/// Reads what a route says of it; whatever it does not say is as usual.
pub(super) fn read(route: &Members<'_>, report: &mut Report) -> Switching {
    let mut switching = Switching {
        session_ttl: seconds(route, "session_ttl", report),
        bot_down_after: seconds(route, "bot_down_after", report),
        ..Switching::default()
    };
    if let Some(node) = route.get("handover") {
        let members = node.members(report, "handover", &HANDOVER);
        switching.accept_within = seconds(&members, "accept_within", report);
        switching.agent_idle = seconds(&members, "agent_idle", report);
        switching.after_close = then(&members, "after_close", report);
        switching.if_nobody = then(&members, "if_nobody", report);
        if let Some(node) = members.get("transcript") {
            let count = node.number(report, "transcript", 0..=MOST_TOLD).unwrap_or_default();
            switching.transcript = u16::try_from(count).unwrap_or_default();
        }
        if let Some(node) = members.get("transcript_since") {
            let word = node.word(report, "transcript_since", &["start", "handback"]);
            if word.as_deref() == Some("handback") {
                switching.transcript_since = Since::Handback;
            }
        }
    }
    switching.language = route.get("language").and_then(|node| node.text(report, "language"));
    switching.keywords = by_language(route, "keywords", report, keywords);
    switching.texts = by_language(route, "texts", report, texts);
    switching
}

fn seconds(members: &Members<'_>, name: &str, report: &mut Report) -> Option<u32> {
    members.get(name).and_then(|node| node.number(report, name, 1..=LONGEST))
}

fn then(members: &Members<'_>, name: &str, report: &mut Report) -> Then {
    let word = members.get(name).and_then(|node| node.word(report, name, &["bot", "close"]));
    if word.as_deref() == Some("close") { Then::Close } else { Then::Bot }
}

fn by_language<T>(
    route: &Members<'_>,
    name: &str,
    report: &mut Report,
    read: fn(&Node<'_>, &mut Report) -> T,
) -> BTreeMap<String, T> {
    let Some(node) = route.get(name) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (language, line, node) in node.entries(report, name) {
        let is_part = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric())
        };
        if !language.split('-').all(is_part) {
            report.add(line, format!("'{language}' is not a language: write en, nl or pt-BR"));
        }
        found.insert(language, read(&node, report));
    }
    found
}

fn keywords(node: &Node<'_>, report: &mut Report) -> Keywords {
    let members = node.members(report, "keywords", &KEYWORDS);
    let mut words = |name: &str| -> Vec<String> {
        let items = members.get(name).map(|node| node.items(report, name)).unwrap_or_default();
        items.iter().filter_map(|node| node.text(report, "a keyword")).collect()
    };
    Keywords { handover: words("handover"), handback: words("handback") }
}

fn texts(node: &Node<'_>, report: &mut Report) -> Texts {
    let members = node.members(report, "texts", &TEXTS);
    let mut text = |name: &str| -> String {
        members.get(name).and_then(|node| node.text(report, name)).unwrap_or_default()
    };
    let texts = Texts {
        waiting: text("waiting"),
        joined: text("joined"),
        left: text("left"),
        nobody: text("nobody"),
        unshown: text("unshown"),
        agent: text("agent"),
    };
    let named = [&texts.joined, &texts.left].iter().any(|text| text.contains("{agent}"));
    if named && texts.agent.is_empty() {
        let how = "add 'agent': what {agent} stands for where the name is not known";
        report.add(node.line(), format!("a text uses {{agent}}: {how}"));
    }
    texts
}
