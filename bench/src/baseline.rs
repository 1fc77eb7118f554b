//! Reference figures in the repository. A figure that rises too much is a failure.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The tolerated rise of a figure, as a fraction.
const ALLOWED: f64 = 0.10;

/// A file of reference figures.
#[derive(Debug)]
pub struct Baseline {
    file: PathBuf,
    unit: &'static str,
}

impl Baseline {
    /// Returns the figures of `bench/baseline/<name>.json`.
    pub fn new(name: &str, unit: &'static str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline/");
        Self { file: format!("{folder}{name}.json").into(), unit }
    }

    /// Writes the reference figures.
    pub fn write(&self, figures: &BTreeMap<String, u64>) {
        let text = serde_json::to_string_pretty(figures).unwrap() + "\n";
        std::fs::write(&self.file, text).unwrap();
        println!("{} written", self.file.display());
    }

    /// Prints figures with their change from the reference. Returns the number that rose too much.
    pub fn check(&self, figures: &BTreeMap<String, u64>) -> usize {
        let text = std::fs::read_to_string(&self.file).unwrap_or_else(|_| "{}".into());
        let kept: BTreeMap<String, u64> = serde_json::from_str(&text).unwrap();
        let mut worse = 0;
        for (name, now) in figures {
            let verdict = match kept.get(name) {
                None => {
                    worse += 1;
                    "not in the baseline: FAILED".to_owned()
                }
                Some(before) => {
                    let change = *now as f64 / *before as f64 - 1.0;
                    let failed = change > ALLOWED;
                    worse += usize::from(failed);
                    format!("{:+.1} %{}", change * 100.0, if failed { ": FAILED" } else { "" })
                }
            };
            println!("{name:<22} {now:>12} {:<12} {verdict}", self.unit);
        }
        worse
    }
}
