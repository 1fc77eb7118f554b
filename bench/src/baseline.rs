//! What was measured before and is kept in the repository: a rise is a failure.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// By how much a figure may rise.
const ALLOWED: f64 = 0.10;

/// Figures that are kept.
#[derive(Debug)]
pub struct Baseline {
    file: PathBuf,
    unit: &'static str,
}

impl Baseline {
    /// The figures of `bench/baseline/<name>.json`.
    pub fn new(name: &str, unit: &'static str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline/");
        Self { file: format!("{folder}{name}.json").into(), unit }
    }

    /// Keeps figures.
    pub fn write(&self, figures: &BTreeMap<String, u64>) {
        let text = serde_json::to_string_pretty(figures).unwrap() + "\n";
        std::fs::write(&self.file, text).unwrap();
        println!("{} written", self.file.display());
    }

    /// Prints figures beside those that are kept; answers how many have risen by too much.
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
