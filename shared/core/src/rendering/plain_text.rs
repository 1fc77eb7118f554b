//! Writes plain text from blocks, lists, quotes, links and tables. Both markup parsers use it.

use unicode_width::UnicodeWidthStr;

/// Containers nested more deeply than this add no indentation, so that the output stays linear in the input.
const MAX_INDENTED: usize = 8;

/// A table wider than this is not padded.
const MAX_TABLE_WIDTH: usize = 72;

/// The distance of a block from the text before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    #[default]
    None,
    Line,
    Blank,
}

impl Gap {
    /// Returns the distance of a list from what is around it: a list within `depth` others is close to them.
    pub(super) fn of_list(depth: usize) -> Self {
        if depth == 0 { Self::Blank } else { Self::Line }
    }
}

/// Returns what precedes the next item of a list, and counts it. `next` is its number; `None` for bullets.
pub(super) fn next_marker(next: &mut Option<u64>, delimiter: char) -> String {
    let Some(next) = next else { return "- ".to_owned() };
    let marker = format!("{next}{delimiter} ");
    *next = next.saturating_add(1);
    marker
}

/// What indents the lines within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Quote,
    Item,
}

#[derive(Debug)]
struct Open {
    container: Container,
    /// What the first line begins with. Spaces of its width indent the other lines of an item.
    marker: String,
}

/// The text of one link, image or table cell begins here.
#[derive(Debug)]
struct Link {
    address: String,
    start: usize,
}

#[derive(Debug, Default)]
struct Table {
    rows: Vec<Vec<String>>,
    in_cell: bool,
    /// Tables within a cell of this one.
    nested: usize,
    /// What is written outside of the table.
    outer: PlainTextWriter,
}

#[derive(Debug, Default)]
pub(super) struct PlainTextWriter {
    text: String,
    gap: Gap,
    line_open: bool,
    space: bool,
    containers: Vec<Open>,
    /// The number of containers whose markers are written.
    marked: usize,
    /// The number of open quotes.
    quotes: usize,
    links: Vec<Link>,
    table: Option<Box<Table>>,
}

impl PlainTextWriter {
    /// Returns the text, without white space at its end.
    pub(super) fn finish(mut self) -> String {
        while self.table.is_some() {
            self.end_table();
        }
        while let Some(open) = self.containers.last() {
            let container = open.container;
            self.close(container);
        }
        self.text.truncate(self.text.trim_end().len());
        self.text
    }

    /// Separates what follows from what precedes.
    pub(super) fn block(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
        self.space = false;
    }

    pub(super) fn line_break(&mut self) {
        self.start_line();
        self.new_line();
    }

    /// Writes text as it is. Its line breaks are kept.
    pub(super) fn verbatim(&mut self, text: &str) {
        self.flush_space();
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.line_break();
            }
            if !line.is_empty() {
                self.start_line();
                self.text.push_str(line.trim_end_matches('\r'));
            }
        }
    }

    /// Writes text whose white space counts as one space.
    pub(super) fn collapsed(&mut self, text: &str) {
        let is_space = |c: char| c.is_ascii_whitespace();
        self.space |= text.starts_with(is_space);
        for (index, word) in text.split(is_space).filter(|word| !word.is_empty()).enumerate() {
            self.space |= index > 0;
            self.flush_space();
            self.start_line();
            self.text.push_str(word);
        }
        self.space |= text.ends_with(is_space);
    }

    /// Opens a container. The marker precedes its first line.
    pub(super) fn open(&mut self, container: Container, marker: String) {
        self.quotes += usize::from(container == Container::Quote);
        self.containers.push(Open { container, marker });
    }

    /// Closes the innermost such container and those within it. Does nothing if there is none.
    pub(super) fn close(&mut self, container: Container) {
        let items = self.containers.len() - self.quotes;
        if (if container == Container::Quote { self.quotes } else { items }) == 0 {
            return;
        }
        if self.marked < self.containers.len() {
            self.start_line();
        }
        while let Some(open) = self.containers.pop() {
            self.quotes -= usize::from(open.container == Container::Quote);
            if open.container == container {
                break;
            }
        }
        self.marked = self.marked.min(self.containers.len());
    }

    pub(super) fn start_quote(&mut self) {
        self.block(Gap::Blank);
        self.open(Container::Quote, "> ".to_owned());
    }

    pub(super) fn end_quote(&mut self) {
        self.close(Container::Quote);
        self.block(Gap::Blank);
    }

    /// Writes a thematic break.
    pub(super) fn rule(&mut self) {
        self.block(Gap::Blank);
        self.verbatim("---");
        self.block(Gap::Blank);
    }

    pub(super) fn start_link(&mut self, address: &str) {
        self.flush_space();
        self.links.push(Link { address: address.to_owned(), start: self.text.len() });
    }

    /// Writes the address of the innermost link after its title, unless the title is the address.
    pub(super) fn end_link(&mut self) {
        self.end_reference(|title, address| {
            let bare = |text: &str| {
                let text = text.trim().trim_end_matches('/');
                text.strip_prefix("https://")
                    .or_else(|| text.strip_prefix("http://"))
                    .unwrap_or(text)
                    .to_owned()
            };
            match title {
                "" => address.to_owned(),
                title if bare(title) == bare(address) => String::new(),
                _ => format!(" ({address})"),
            }
        });
    }

    /// Writes the address of the innermost image after its description.
    pub(super) fn end_image(&mut self) {
        self.end_reference(|title, address| match title {
            "" => address.to_owned(),
            _ => format!(": {address}"),
        });
    }

    fn end_reference(&mut self, suffix: impl Fn(&str, &str) -> String) {
        let Some(Link { address, start }) = self.links.pop() else { return };
        let Some(address) = shown_address(&address) else { return };
        let title = self.text.get(start..).unwrap_or_default().trim();
        let suffix = suffix(title, address);
        if !suffix.is_empty() {
            self.start_line();
            self.text.push_str(&suffix);
        }
    }

    /// Returns whether a link is open.
    pub(super) fn in_link(&self) -> bool {
        !self.links.is_empty()
    }

    pub(super) fn start_table(&mut self) {
        if let Some(table) = &mut self.table {
            table.nested += 1;
            return self.block(Gap::Line);
        }
        let mut outer = std::mem::take(self);
        outer.block(Gap::Blank);
        self.table = Some(Box::new(Table { outer, ..Table::default() }));
    }

    pub(super) fn start_row(&mut self) {
        match &mut self.table {
            Some(table) if table.nested == 0 => {
                self.end_cell();
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            _ => self.block(Gap::Line),
        }
    }

    pub(super) fn start_cell(&mut self) {
        match &mut self.table {
            Some(table) if table.nested == 0 => {
                self.end_cell();
                if let Some(table) = &mut self.table {
                    table.in_cell = true;
                }
            }
            _ => self.block(Gap::Line),
        }
    }

    /// Ends a cell, and any text of a table outside of its cells.
    pub(super) fn end_cell(&mut self) {
        let Some(table) = &mut self.table else { return };
        if table.nested > 0 {
            return;
        }
        let text = std::mem::take(&mut self.text);
        if table.in_cell || !text.trim().is_empty() {
            if table.rows.is_empty() {
                table.rows.push(Vec::new());
            }
            if let Some(row) = table.rows.last_mut() {
                row.push(text.trim().to_owned());
            }
        }
        table.in_cell = false;
        self.start_cell_text();
    }

    pub(super) fn end_table(&mut self) {
        match &mut self.table {
            Some(table) if table.nested > 0 => {
                table.nested -= 1;
                return self.block(Gap::Line);
            }
            Some(_) => self.end_cell(),
            None => return,
        }
        let Some(table) = self.table.take() else { return };
        *self = table.outer;
        for (gap, line) in table_lines(table.rows) {
            self.block(gap);
            self.verbatim(&line);
        }
        self.block(Gap::Blank);
    }

    fn start_cell_text(&mut self) {
        self.containers.clear();
        self.links.clear();
        (self.marked, self.quotes) = (0, 0);
        (self.gap, self.line_open, self.space) = (Gap::None, false, false);
    }

    fn flush_space(&mut self) {
        if std::mem::take(&mut self.space) && self.line_open && self.gap == Gap::None {
            self.text.push(' ');
        }
    }

    fn new_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
        self.line_open = false;
        self.space = false;
    }

    /// Begins a line, if none is open: the gap, then what the containers put before it.
    fn start_line(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if gap > Gap::None && self.text.is_empty() {
            self.line_open = false;
        } else if gap > Gap::None {
            if self.line_open {
                self.new_line();
            }
            if gap == Gap::Blank && !self.text.ends_with("\n\n") {
                self.text.push('\n');
            }
        }
        if std::mem::replace(&mut self.line_open, true) {
            return;
        }
        for open in self.containers.iter().take(self.marked.min(MAX_INDENTED)) {
            match open.container {
                Container::Quote => self.text.push_str("> "),
                Container::Item => self.text.extend(std::iter::repeat_n(' ', open.marker.len())),
            }
        }
        for open in self.containers.iter().skip(self.marked) {
            self.text.push_str(&open.marker);
        }
        self.marked = self.containers.len();
    }
}

/// Returns the address as a reader can use it; `None` if it leads nowhere outside of its page.
fn shown_address(address: &str) -> Option<&str> {
    let address = address.trim();
    let scheme = |prefix: &str| {
        let found = address.get(..prefix.len())?;
        found.eq_ignore_ascii_case(prefix).then(|| &address[prefix.len()..])
    };
    if address.is_empty() || address.starts_with('#') {
        return None;
    }
    if ["javascript:", "vbscript:", "data:"].iter().any(|prefix| scheme(prefix).is_some()) {
        return None;
    }
    Some(scheme("mailto:").or_else(|| scheme("tel:")).unwrap_or(address))
}

/// Returns the lines of a table, each with its distance from what precedes it. A table with a line break in a
/// cell only arranges its content: each of its cells is a block.
fn table_lines(mut rows: Vec<Vec<String>>) -> Vec<(Gap, String)> {
    if rows.iter().flatten().any(|cell| cell.contains('\n')) {
        let cells = rows.into_iter().flatten().filter(|cell| !cell.is_empty());
        return cells.map(|cell| (Gap::Blank, cell)).collect();
    }
    rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for (index, cell) in rows.iter().flat_map(|row| row.iter().enumerate()) {
        widths[index] = widths[index].max(cell.width());
    }
    if widths.iter().sum::<usize>() > MAX_TABLE_WIDTH {
        widths.fill(0);
    }
    let line = |row: Vec<String>| {
        let mut line = String::new();
        for (index, cell) in row.into_iter().enumerate() {
            if index > 0 {
                line.push_str(" | ");
            }
            line.push_str(&cell);
            line.extend(std::iter::repeat_n(' ', widths[index].saturating_sub(cell.width())));
        }
        (Gap::Line, line.trim_end().to_owned())
    };
    rows.into_iter().map(line).collect()
}
