//! What all logs of the whole run show, once it is over: no secret that it used, nothing that customers
//! wrote, and one JSON object a line.

use serde_json::Value;
use trunkline_tests::{World, secrets_used};

/// How secrets begin that the run may have been given without noting each: with what must follow.
const SHAPES: [(&str, usize); 4] = [("trk_", 60), ("whsec_", 24), ("Bearer ", 8), ("Basic ", 8)];

/// What the tests' customers, bots and agents say, in words that stand nowhere else.
const SAID: [&str; 12] = [
    "Where is my order?",
    "Where is my parcel?",
    "Which order?",
    "It left on Monday.",
    "I look it up.",
    "Yes, gladly.",
    "Still here.",
    "We are on it.",
    "let me in",
    "mine alone",
    "not a repeat",
    "a difficult one",
];

/// A text of which one sees where it stands, and not what it is.
fn masked(line: &str, secret: &str) -> String {
    let shown: String = secret.chars().take(3).collect();
    line.replace(secret, &format!("{shown}…")).chars().take(300).collect()
}

fn shaped(text: &str) -> Option<(&'static str, String)> {
    SHAPES.into_iter().find_map(|(start, least)| {
        let at = text.find(start)?;
        let is_of_it = |c: &char| c.is_ascii_alphanumeric() || "_-+/=.".contains(*c);
        let found: String = text[at + start.len()..].chars().take_while(is_of_it).collect();
        (found.len() >= least).then(|| (start, format!("{start}{found}")))
    })
}

pub async fn no_log_and_no_command_shows_a_secret(world: &World) {
    let (lines, said) = (world.functions_log().await, world.said());
    let used = secrets_used();
    println!(
        "{} lines of functions, {} of the command, {} secrets",
        lines.len(),
        said.lines().count(),
        used.len()
    );
    assert!(!used.is_empty() && lines.iter().any(|line| line.contains(r#""level""#)), "no log");
    let mut found = Vec::new();
    for line in lines.iter().map(String::as_str).chain(said.lines()) {
        for (secret, kind) in &used {
            // JSON may have escaped it.
            let escaped = Value::from(secret.as_str()).to_string();
            if line.contains(secret) || line.contains(escaped.trim_matches('"')) {
                found.push(format!("{kind}: {}", masked(line, secret)));
            }
        }
        if let Some((shape, secret)) = shaped(line) {
            found.push(format!("{shape}: {}", masked(line, &secret)));
        }
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} lines show secrets:\n{}", found.len(), found.join("\n"));
}

pub async fn no_log_says_what_customers_wrote(world: &World) {
    for line in &world.functions_log().await {
        let text = SAID.into_iter().find(|text| line.contains(text));
        assert!(text.is_none(), "{text:?} is in a log: {line:.300}");
    }
}

pub async fn every_line_of_a_function_is_one_json_object(world: &World) {
    for line in &world.functions_log().await {
        let read: Result<serde_json::Map<String, Value>, _> = serde_json::from_str(line);
        assert!(read.is_ok(), "{:?}: {line:.300}", read.err());
        let raw = line.chars().find(|c| c.is_control());
        assert!(raw.is_none(), "{raw:?} stands in {line:.300}");
    }
}
