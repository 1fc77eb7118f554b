//! Long texts in parts: at the ends of sentences, or else of words, or else between characters.

use unicode_segmentation::UnicodeSegmentation;

/// A text in parts of at most `limit` characters each (Unicode scalar values). White space at a cut
/// is dropped; nothing else is. A text that fits is one part, as it is.
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
            // Characters that belong together may still be more than the limit.
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
