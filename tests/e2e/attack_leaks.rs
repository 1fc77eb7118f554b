//! Checks on all logs of the run: no secret, no message text, and one JSON object per line.

use serde_json::Value;
use trunkline_tests::{TestEnvironment, recorded_secrets};

/// Prefixes of secrets that were not recorded, with the minimum number of characters after each.
const SHAPES: [(&str, usize); 4] = [("trk_", 60), ("whsec_", 24), ("Bearer ", 8), ("Basic ", 8)];

/// Message texts of tests that occur nowhere else.
const MESSAGE_TEXTS: [&str; 12] = [
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

/// Returns the line with the secret masked.
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

pub async fn logs_and_cli_output_contain_no_secrets(env: &TestEnvironment) {
    let (lines, cli_output) = (env.function_log_lines().await, env.cli_output());
    let used = recorded_secrets();
    println!(
        "{} lines of functions, {} of the CLI, {} secrets",
        lines.len(),
        cli_output.lines().count(),
        used.len()
    );
    assert!(
        !used.is_empty() && lines.iter().any(|line| line.contains(r#""level""#)),
        "the log is empty"
    );
    let mut found = Vec::new();
    for line in lines.iter().map(String::as_str).chain(cli_output.lines()) {
        for (secret, kind) in &used {
            // JSON may escape the secret.
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
    assert!(found.is_empty(), "{} lines contain secrets:\n{}", found.len(), found.join("\n"));
}

pub async fn logs_contain_no_message_text(env: &TestEnvironment) {
    for line in &env.function_log_lines().await {
        let text = MESSAGE_TEXTS.into_iter().find(|text| line.contains(text));
        assert!(text.is_none(), "the log contains {text:?}: {line:.300}");
    }
}

pub async fn every_log_line_is_one_json_object(env: &TestEnvironment) {
    for line in &env.function_log_lines().await {
        let read: Result<serde_json::Map<String, Value>, _> = serde_json::from_str(line);
        assert!(read.is_ok(), "{:?}: {line:.300}", read.err());
        let raw = line.chars().find(|c| c.is_control());
        assert!(raw.is_none(), "control character {raw:?} in {line:.300}");
    }
}
