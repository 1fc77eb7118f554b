//! Tables for terminals.

use jiff::Timestamp;
use serde_json::Value;
use trunkline::terminal::safe_line;
use trunkline_runtime::app::{Clock, SystemClock};

/// A table whose columns are as wide as their widest cell.
#[derive(Debug)]
pub(super) struct Table(Vec<Vec<String>>);

impl Table {
    pub(super) fn new(heads: &[&str]) -> Self {
        Self(vec![heads.iter().map(|head| (*head).to_owned()).collect()])
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.push(cells.map(|cell| safe_line(&cell)).into());
    }

    /// Prints the table, or the text `empty` if it has no rows.
    pub(super) fn print(&self, empty: &str) {
        println!("{}", if self.0.len() > 1 { self.render() } else { empty.to_owned() });
    }

    fn render(&self) -> String {
        let columns = self.0.first().map_or(0, Vec::len);
        let width =
            |column: usize| self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Returns how long ago an RFC 3339 time was, such as `5m`.
pub(super) fn ago(time: &Value) -> String {
    let Some(at) = time.as_str().and_then(|text| text.parse::<Timestamp>().ok()) else {
        return "-".to_owned();
    };
    age(at, SystemClock.now())
}

/// Returns the text of a JSON value, for a place within a line; `-` for null.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => safe_line(text),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_widest_cell() {
        let mut table = Table::new(&["A", "BB"]);
        table.row(["long".to_owned(), "x".to_owned()]);
        assert_eq!(table.render(), "A     BB\nlong  x");
    }
}
