//! Splits long texts at the ends of paragraphs, otherwise of sentences, words or graphemes.

use unicode_segmentation::UnicodeSegmentation;

use crate::model::Format;

/// How good a point is for a cut. A higher one is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    /// Within a word that is longer than a part.
    Grapheme,
    /// Within a number and its unit.
    Unit,
    Word,
    Sentence,
    Line,
    Paragraph,
}

/// Splits `text` into parts of at most `limit` characters (Unicode scalar values). Drops only the white
/// space at a cut. A text that fits is returned unchanged. A code fence of Markdown that is cut is closed and
/// opened again.
#[must_use]
pub fn split(text: &str, limit: usize, format: Format) -> Vec<String> {
    let limit = limit.max(1);
    if text.len() <= limit || text.chars().count() <= limit {
        return vec![text.to_owned()];
    }
    let mut parts = Parts::new(limit);
    for line in text.split_inclusive('\n') {
        let fence = if format == Format::Markdown { fence_of(line) } else { None };
        let mut words = line.split_inclusive(char::is_whitespace).peekable();
        while let Some(word) = words.next() {
            let next = words.peek().copied().unwrap_or_default();
            parts.add_word(word, cut_after(word, next));
        }
        if let Some(fence) = fence {
            parts.toggle_fence(fence);
        }
    }
    parts.finish()
}

/// Returns how good a cut between a word, with the white space behind it, and the next word is.
fn cut_after(word: &str, next: &str) -> Cut {
    let trimmed = word.trim_end();
    if word.ends_with('\n') {
        return if trimmed.is_empty() { Cut::Paragraph } else { Cut::Line };
    }
    if word.ends_with(['\u{a0}', '\u{202f}', '\u{2007}']) {
        return Cut::Unit;
    }
    let closed = trimmed.trim_end_matches(['"', '\'', ')', ']', '”', '’', '»']);
    if closed.ends_with(SENTENCE_ENDS) {
        return Cut::Sentence;
    }
    let is_unit = |c: char| c.is_alphabetic() || "%€$£°".contains(c);
    let next = next.trim_end();
    if trimmed.ends_with(char::is_numeric)
        && next.len() <= 12
        && next.starts_with(is_unit)
        && next.chars().count() <= 4
    {
        return Cut::Unit;
    }
    Cut::Word
}

const SENTENCE_ENDS: [char; 10] = ['.', '!', '?', '…', '。', '！', '？', '।', '؟', '۔'];

/// Returns the opening line of a code fence, if the line is a fence.
fn fence_of(line: &str) -> Option<&str> {
    let inner = line.trim_start_matches(' ');
    let is_fence =
        line.len() - inner.len() < 4 && (inner.starts_with("```") || inner.starts_with("~~~"));
    is_fence.then(|| inner.trim_end())
}

/// A point where the open part may be cut.
#[derive(Debug, Clone, Copy)]
struct CutPoint {
    /// The position, in bytes and in characters.
    at: usize,
    characters: usize,
    cut: Cut,
    /// The index of the fence that is open there.
    fence: Option<usize>,
}

#[derive(Debug)]
struct Parts {
    limit: usize,
    done: Vec<String>,
    open: String,
    characters: usize,
    cut_points: Vec<CutPoint>,
    fences: Vec<String>,
    fence: Option<usize>,
}

impl Parts {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            done: Vec::new(),
            open: String::new(),
            characters: 0,
            cut_points: Vec::new(),
            fences: Vec::new(),
            fence: None,
        }
    }

    /// Opens or closes a fence after its line.
    fn toggle_fence(&mut self, line: &str) {
        // A fence is closed by a line of its own characters only, at least as many.
        let mark = |line: &str| line.chars().take_while(|c| line.starts_with(*c)).count();
        self.fence = match self.fence {
            Some(index)
                if line.starts_with(&self.fences[index][..1]) && mark(line) == line.len() =>
            {
                None
            }
            Some(index) => Some(index),
            // What reopens the fence must leave space for the code.
            None if (line.chars().count() + 5) * 2 <= self.limit => {
                self.fences.push(line.to_owned());
                // A part does not end with the line that opens a fence.
                self.cut_points.pop();
                Some(self.fences.len() - 1)
            }
            None => None,
        };
        if let (None, Some(point)) = (self.fence, self.cut_points.last_mut()) {
            point.fence = None;
        }
    }

    /// Adds a word with the white space behind it. A word that fits into a part is not cut.
    fn add_word(&mut self, word: &str, cut: Cut) {
        if length(word.trim_end()) <= self.room() {
            return self.add(word, cut);
        }
        let mut sentences = word.split_inclusive(&SENTENCE_ENDS[3..]).peekable();
        while let Some(sentence) = sentences.next() {
            let cut = if sentences.peek().is_some() { Cut::Sentence } else { cut };
            if length(sentence.trim_end()) <= self.room() {
                self.add(sentence, cut);
                continue;
            }
            for letter in sentence.graphemes(true) {
                if length(letter) <= self.room() {
                    self.add(letter, Cut::Grapheme);
                } else {
                    // One grapheme may consist of more characters than the limit.
                    letter
                        .chars()
                        .for_each(|c| self.add(c.encode_utf8(&mut [0; 4]), Cut::Grapheme));
                }
            }
        }
    }

    /// Returns how many characters of the text a part holds.
    fn room(&self) -> usize {
        let Some(fence) = self.fence else { return self.limit };
        // The line that opens the fence again, its line break, a line break and the line that closes it.
        self.limit - self.fences[fence].chars().count() - 5
    }

    fn add(&mut self, piece: &str, cut: Cut) {
        let characters = length(piece);
        while self.characters > 0
            && self.characters + length(piece.trim_end()) > self.limit - self.closing()
        {
            self.cut();
        }
        if self.open.is_empty()
            && piece.trim().is_empty()
            && (piece.contains('\n') || self.fence.is_none())
        {
            return;
        }
        self.open.push_str(piece);
        self.characters += characters;
        self.cut_points.push(CutPoint {
            at: self.open.len(),
            characters: self.characters,
            cut,
            fence: self.fence,
        });
    }

    fn closing(&self) -> usize {
        if self.fence.is_some() { 4 } else { 0 }
    }

    /// Cuts the open part at the best point of its second half, or at its end.
    fn cut(&mut self) {
        let half = self.limit / 2;
        let best = self.cut_points.iter().filter(|point| point.characters >= half);
        let best =
            best.max_by_key(|point| (point.cut, point.at)).or(self.cut_points.last()).copied();
        let Some(point) = best else {
            self.characters = 0;
            return self.open.clear();
        };
        let rest = self.open.split_off(point.at);
        let fence = point.fence.map(|index| self.fences[index].clone());
        self.close(fence.as_deref());
        let kept: Vec<CutPoint> =
            self.cut_points.drain(..).filter(|known| known.at > point.at).collect();
        // White space at a cut is dropped, but not the indentation of a line.
        let blank = rest.len() - rest.trim_start().len();
        let (prefix, skipped) = match &fence {
            Some(fence) => (format!("{fence}\n"), 0),
            None if point.cut >= Cut::Line => {
                (String::new(), rest[..blank].rfind('\n').map_or(0, |newline| newline + 1))
            }
            None => (String::new(), blank),
        };
        let (bytes, characters) = (prefix.len(), length(&prefix));
        let skipped_characters = length(&rest[..skipped]);
        self.open = prefix + &rest[skipped..];
        self.characters = length(&self.open);
        self.cut_points.extend(kept.into_iter().filter(|known| known.at - point.at > skipped).map(
            |known| CutPoint {
                at: known.at - point.at - skipped + bytes,
                characters: known.characters - point.characters - skipped_characters + characters,
                ..known
            },
        ));
    }

    fn close(&mut self, fence: Option<&str>) {
        let part = std::mem::take(&mut self.open);
        let part = part.trim_end();
        match fence {
            // Nothing but the line that opens the fence.
            Some(fence) if part == fence => {}
            Some(fence) => self.done.push(format!("{part}\n{}", &fence[..3])),
            None if part.is_empty() => {}
            None => self.done.push(part.to_owned()),
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.close(None);
        self.done
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}
