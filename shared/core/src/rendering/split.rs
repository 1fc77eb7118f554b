//! Splits long texts at the ends of sentences, otherwise of words, otherwise between characters.

use unicode_segmentation::UnicodeSegmentation;

/// Splits `text` into parts of at most `limit` characters (Unicode scalar values). Drops only the white
/// space at a cut. A text that fits is returned unchanged.
#[must_use]
pub fn split(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(1);
    if text.len() <= limit || text.chars().count() <= limit {
        return vec![text.to_owned()];
    }
    let mut parts = Parts { limit, done: Vec::new(), open: String::new(), length: 0 };
    for sentence in text.split_sentence_bounds() {
        if length(sentence.trim()) <= limit {
            parts.add(sentence);
            continue;
        }
        for word in sentence.split_word_bounds() {
            if length(word) <= limit {
                parts.add(word);
                continue;
            }
            // One grapheme may consist of more characters than the limit.
            for letter in word.graphemes(true) {
                if length(letter) <= limit {
                    parts.add(letter);
                } else {
                    letter.chars().for_each(|c| parts.add(c.encode_utf8(&mut [0; 4])));
                }
            }
        }
    }
    parts.cut();
    parts.done
}

fn length(text: &str) -> usize {
    text.chars().count()
}

struct Parts {
    limit: usize,
    done: Vec<String>,
    open: String,
    length: usize,
}

impl Parts {
    fn add(&mut self, piece: &str) {
        if self.length + length(piece.trim_end()) > self.limit {
            self.cut();
        }
        let piece = if self.open.is_empty() { piece.trim_start() } else { piece };
        self.open.push_str(piece);
        self.length += length(piece);
    }

    fn cut(&mut self) {
        let part = std::mem::take(&mut self.open);
        self.length = 0;
        let part = part.trim_end();
        if !part.is_empty() {
            self.done.push(part.to_owned());
        }
    }
}
