//! The draft: the text that a person is typing, and the cursor in it.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::values::text;

/// ZERO WIDTH JOINER.
const JOINER: char = '\u{200D}';

/// A text that is being typed, and the cursor in it. `text` holds no control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    pub(super) text: String,
    /// The byte offset of the cursor in `text`: the next character is inserted there.
    pub(super) cursor: usize,
    /// Bytes that were typed and found no room, counted since text was last cut.
    pub(super) over: u64,
}

impl Draft {
    pub(super) fn of(text: String) -> Self {
        Self { cursor: text.len(), text, over: 0 }
    }

    /// Inserts `text` at the cursor, without control characters and with spaces for tabs.
    /// Characters that would make the draft longer than `max` bytes are only counted, in `over`.
    pub(super) fn insert(&mut self, text: &str, max: usize) {
        for c in text.chars() {
            let c = if c == '\t' { ' ' } else { c };
            if text::clean(c.encode_utf8(&mut [0; 4]).as_bytes()).is_empty() {
                continue;
            }
            if self.text.len() + c.len_utf8() > max {
                self.over += c.len_utf8() as u64;
            } else {
                self.text.insert(self.cursor, c);
                self.cursor += c.len_utf8();
            }
        }
    }

    /// Removes a range of bytes, puts the cursor there, and returns the removed text.
    pub(super) fn cut(&mut self, range: Range<usize>) -> String {
        if !range.is_empty() {
            self.over = 0;
        }
        self.cursor = range.start;
        self.text.drain(range).collect()
    }

    /// The byte offset at which the grapheme before the cursor begins. Graphemes that a joiner
    /// joins count as one, as on the screen.
    pub(super) fn left(&self) -> usize {
        self.left_of(self.cursor)
    }

    /// The byte offset behind the grapheme at the cursor; joined graphemes count as one.
    pub(super) fn right(&self) -> usize {
        self.right_of(self.cursor)
    }

    fn left_of(&self, at: usize) -> usize {
        self.whole_left(at - self.text[..at].graphemes(true).next_back().map_or(0, str::len))
    }

    fn right_of(&self, at: usize) -> usize {
        self.whole_right(at + self.text[at..].graphemes(true).next().map_or(0, str::len))
    }

    /// The nearest offset at or before `at` that is not directly behind a joiner: a terminal might
    /// draw a character that is written there into the cell before.
    fn whole_left(&self, mut at: usize) -> usize {
        while self.text[..at].ends_with(JOINER) {
            at -= self.text[..at].graphemes(true).next_back().map_or(0, str::len);
        }
        at
    }

    /// The nearest offset at or behind `at` that is not directly behind a joiner, or the end.
    fn whole_right(&self, mut at: usize) -> usize {
        while self.text[..at].ends_with(JOINER) && at < self.text.len() {
            at += self.text[at..].graphemes(true).next().map_or(0, str::len);
        }
        at
    }

    /// The byte offset at which the word before the cursor begins. A word is a run of letters and
    /// digits with their marks.
    pub(super) fn word_left(&self) -> usize {
        let (mut at, mut within) = (self.cursor, false);
        while at > 0 {
            let left = self.left_of(at);
            let is_letter = is_letter(&self.text[left..at]);
            if within && !is_letter {
                break;
            }
            (at, within) = (left, is_letter);
        }
        at
    }

    /// The byte offset behind the next word.
    pub(super) fn word_right(&self) -> usize {
        let (mut at, mut within) = (self.cursor, false);
        while at < self.text.len() {
            let right = self.right_of(at);
            let is_letter = is_letter(&self.text[at..right]);
            if within && !is_letter {
                break;
            }
            (at, within) = (right, is_letter);
        }
        at
    }

    /// The byte offset at which ^W begins to cut: behind the last white space before the cursor,
    /// ignoring white space directly before it.
    pub(super) fn blank_left(&self) -> usize {
        self.text[..self.cursor].trim_end().trim_end_matches(|c: char| !c.is_whitespace()).len()
    }

    /// Swaps the graphemes before and behind the cursor (^T); at the end of the text, the last two.
    pub(super) fn transpose(&mut self) {
        if self.text.is_empty() {
            return;
        }
        if self.cursor == self.text.len() {
            self.cursor = self.left();
        }
        let (from, to) = (self.left(), self.right());
        if from < self.cursor {
            let turned = format!("{}{}", &self.text[self.cursor..to], &self.text[from..self.cursor]);
            self.text.replace_range(from..to, &turned);
            self.cursor = to;
        } else {
            self.cursor = to;
        }
    }
}

/// Whether a grapheme is a letter or a digit, with its marks.
fn is_letter(grapheme: &str) -> bool {
    grapheme.contains(char::is_alphanumeric)
}
