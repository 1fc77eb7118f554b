//! Several rounds as one: the median, and the range.

use serde::Serialize;

use crate::outcome::Outcome;

/// The median of several figures, and the range that they are in.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Middle {
    /// Half of them are no larger.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Middle {
    /// Of what `of` takes from each outcome.
    pub fn of(outcomes: &[Outcome], of: impl Fn(&Outcome) -> f64) -> Self {
        let mut all: Vec<f64> = outcomes.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (all.first(), all.last()) else { return Self::default() };
        let upper = all[all.len() / 2];
        let median =
            if all.len() % 2 == 1 { upper } else { f64::midpoint(all[all.len() / 2 - 1], upper) };
        Self { median, least: *least, most: *most }
    }

    /// With so many digits behind the point.
    pub fn text(self, digits: usize) -> String {
        format!("{:.digits$} ({:.digits$}–{:.digits$})", self.median, self.least, self.most)
    }
}
