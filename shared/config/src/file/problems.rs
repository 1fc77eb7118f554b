//! Problems and warnings of a configuration file.

use std::fmt;

/// One problem or warning of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigProblem {
    /// The line in the file, from 1.
    pub line: usize,
    /// What is wrong or has no effect, and what to do.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Error of an invalid file: all its problems, ordered by line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidConfig(pub Vec<ConfigProblem>);

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        let count = self.0.len();
        write!(f, "{count} problem{}; nothing was applied", if count == 1 { "" } else { "s" })
    }
}

/// Collects the problems of a file while it is read.
#[derive(Debug, Default)]
pub(super) struct ConfigProblems(Vec<ConfigProblem>);

impl ConfigProblems {
    pub(super) fn add(&mut self, line: usize, message: impl Into<String>) {
        self.0.push(ConfigProblem { line, message: message.into() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the problems in the order of the file.
    pub(super) fn into_sorted(mut self) -> Vec<ConfigProblem> {
        self.0.sort();
        self.0.dedup();
        self.0
    }

    pub(super) fn into_result<T>(self, value: T) -> Result<T, InvalidConfig> {
        if self.is_empty() { Ok(value) } else { Err(InvalidConfig(self.into_sorted())) }
    }
}

/// Returns ` (did you mean 'x'?)` if one of `known` differs by two edits at most; otherwise an empty string.
pub(super) fn suggestion(given: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (edit_distance(given, known), known)).min();
    match near {
        Some((distance, known)) if distance <= 2 => format!(" (did you mean '{known}'?)"),
        _ => String::new(),
    }
}

/// Returns the Levenshtein distance of two words.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_similar_names() {
        assert_eq!(suggestion("conections", &["connections"]), " (did you mean 'connections'?)");
        assert_eq!(suggestion("bots", &["bot", "channels"]), " (did you mean 'bot'?)");
        assert_eq!(suggestion("xyz", &["connections"]), "");
    }
}
