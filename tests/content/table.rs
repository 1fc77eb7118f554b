//! The tables of `docs/content.md`.

use std::collections::BTreeMap;
use std::fmt::Write;

use trunkline_core::model::Role;

use crate::kinds::{ALL, Arrival, Kind};

const BEGIN: &str = "<!-- generated: make content -->\n";
const END: &str = "<!-- end -->\n";

type Party = (&'static str, Role);

/// What each party can send, and how each kind arrives at each party.
#[derive(Debug, Default)]
pub struct Tables {
    parties: Vec<Party>,
    sent: Vec<(Kind, Party)>,
    arrivals: BTreeMap<(usize, usize), Arrival>,
}

impl Tables {
    fn index(&mut self, party: Party) -> usize {
        let known = self.parties.iter().position(|known| *known == party);
        known.unwrap_or_else(|| {
            self.parties.push(party);
            self.parties.len() - 1
        })
    }

    /// Adds the result of one kind in one direction; `None` if the sender has no form for it.
    pub fn add(&mut self, kind: Kind, from: Party, to: Party, arrival: Option<Arrival>) {
        self.index(from);
        let to = self.index(to);
        let Some(arrival) = arrival else { return };
        self.sent.push((kind, from));
        let row = ALL.iter().position(|known| *known == kind).unwrap();
        let before = self.arrivals.insert((row, to), arrival);
        assert!(before.is_none_or(|before| before == arrival), "{kind:?} depends on the sender");
    }

    pub fn markdown(&self) -> String {
        let sends = |kind: Kind, party: Party| {
            let is_sent = self.sent.contains(&(kind, party));
            if is_sent { "yes".to_owned() } else { String::new() }
        };
        let arrives = |kind: Kind, party: Party| {
            let row = ALL.iter().position(|known| *known == kind).unwrap();
            let column = self.parties.iter().position(|known| *known == party).unwrap();
            self.arrivals.get(&(row, column)).map_or_else(String::new, |arrival| arrival.cell())
        };
        let mut text = String::from("### What each platform can send\n\n");
        self.write(&mut text, sends);
        text.push_str("\n### How it arrives\n\n");
        self.write(&mut text, arrives);
        text
    }

    fn write(&self, text: &mut String, cell: impl Fn(Kind, Party) -> String) {
        let mut parties = self.parties.clone();
        parties.sort_by_key(|(platform, role)| (*role as u8, *platform));
        let heads =
            parties.iter().map(|(platform, role)| format!("`{platform}` {} |", name(*role)));
        let _ = writeln!(text, "| | {}", heads.collect::<Vec<_>>().join(" "));
        let _ = writeln!(text, "| --- |{}", " --- |".repeat(parties.len()));
        for kind in ALL {
            let cells = parties.iter().map(|party| format!("{} |", cell(kind, *party)));
            let _ = writeln!(text, "| {} | {}", kind.name(), cells.collect::<Vec<_>>().join(" "));
        }
    }
}

fn name(role: Role) -> &'static str {
    Role::NAMES.iter().find(|(_, known)| *known == role).unwrap().0
}

/// Returns the page with its generated part replaced.
pub fn replace_generated(page: &str, tables: &str) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("the beginning of the generated part");
    let (_, after) = rest.split_once(END).expect("the end of the generated part");
    format!("{before}{BEGIN}\n{tables}\n{END}{after}")
}
