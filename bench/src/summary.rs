//! Summarises several rounds: median and range.

use serde::Serialize;

/// The median and range of several figures.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct MedianRange {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl MedianRange {
    /// Returns the median and range of a figure of each measurement.
    pub fn of<T>(measurements: &[T], of: impl Fn(&T) -> f64) -> Self {
        Self::of_figures(measurements.iter().map(of))
    }

    /// Returns the median and range of figures.
    pub fn of_figures(figures: impl Iterator<Item = f64>) -> Self {
        let mut all: Vec<f64> = figures.collect();
        all.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (all.first(), all.last()) else { return Self::default() };
        let upper = all[all.len() / 2];
        let median =
            if all.len() % 2 == 1 { upper } else { f64::midpoint(all[all.len() / 2 - 1], upper) };
        Self { median, min: *min, max: *max }
    }

    /// Formats the figures with a number of decimal places.
    pub fn text(self, digits: usize) -> String {
        format!("{:.digits$} ({:.digits$}–{:.digits$})", self.median, self.min, self.max)
    }
}
