//! Renders and splits one worst case, for a tool that counts instructions, and prints the time of its slowest format in
//! microseconds.
//!
//! Usage: `rendering <case> <KiB>`. Without arguments, prints the names of the cases.

use std::hint::black_box;
use std::time::Instant;

use trunkline_core::model::Format;
use trunkline_core::rendering::{split, to_plain_text};

/// The limit of a part, in characters: that of Webex Connect.
const LIMIT: usize = 4_096;

/// Texts that make a careless renderer slow: the name, and what comes before, repeatedly, and after.
const CASES: [(&str, &str, &str, &str); 12] = [
    ("open tags", "", "<a", ""),
    ("open attribute", "<a=\"", "<a", ""),
    ("declarations", "", "<!", ""),
    ("nested quotes", "", "> ", "a\nb\nc"),
    ("nested quotes in HTML", "", "<blockquote>", "a"),
    ("open brackets", "", "[", ""),
    ("open images", "", "![a](", ""),
    ("open emphasis", "", "*a_", ""),
    ("nested lists", "", "<ul><li>", "a<br>b"),
    ("wide table", "", "|", "\n|-|-|\n"),
    ("spaces after a sentence", "Done.", " ", "1"),
    ("brackets after a sentence", "Done.", ")", ""),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, size] = &arguments[..] else {
        for (name, ..) in CASES {
            println!("{name}");
        }
        return;
    };
    let size = size.parse::<usize>().unwrap_or(0) * 1024;
    let known = CASES.iter().find(|(known, ..)| known == name);
    let (_, before, repeated, after) = known.unwrap_or_else(|| panic!("no case {name}"));
    let count = size.saturating_sub(before.len() + after.len()) / repeated.len();
    let source = format!("{before}{}{after}", repeated.repeat(count));
    let longest = [Format::Markdown, Format::Html, Format::Plain].map(|format| {
        let start = Instant::now();
        let text = to_plain_text(black_box(&source), format);
        black_box(split(&text, LIMIT, Format::Plain));
        start.elapsed().as_micros()
    });
    println!("{}", longest.into_iter().max().unwrap_or_default());
}
