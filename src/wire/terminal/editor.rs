//! A line editor for terminals that send each key as it is hit.
//!
//! Bytes come in, [`Edit`]s come out, and between them there is a text with a cursor in it, to be drawn
//! by [`super::screen`]. The keys are those of Emacs, as in most shells. It knows no time: an escape
//! is part of a key until the next byte shows that it is not.

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

use super::screen::{self, Area, Size};
use crate::hub::command::holds_password;
use crate::values::text;

/// Lines of one's own that can be had back.
pub const RECALLED_LINES: usize = 50;

/// Bytes that these may have in all.
pub const RECALLED_BYTES: usize = 4 * 1024;

/// The longest text that can be pasted, in bytes; a longer one is refused as a whole.
pub const PASTE_BYTES: usize = 16 * 1024;

/// The longest escape sequence that is taken for one, in bytes behind its `ESC [`.
const SEQUENCE: usize = 16;

/// How a terminal marks what is pasted (bracketed paste), behind `ESC [`.
const PASTE_BEGINS: &[u8] = b"200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// What somebody has typed so far, and what came before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Editor {
    keys: Keys,
    draft: Draft,
    /// What stands before it on the screen.
    prompt: String,
    /// What was taken away last, for ^Y.
    killed: String,
    recall: Recall,
    searching: Option<Search>,
    completing: Option<Completing>,
    /// A paste that waits for a yes, as lines.
    pasted: VecDeque<String>,
    /// Lines that are given out one by one before anything more is looked at.
    ready: VecDeque<String>,
    /// What was being typed when a password was asked for; what is typed now is not shown.
    set_aside: Option<Box<Draft>>,
}

/// A text and the cursor in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Draft {
    text: String,
    /// The byte before which the next character goes.
    cursor: usize,
    /// Bytes that found no room.
    over: u64,
}

/// What the bytes so far were the beginning of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Keys {
    #[default]
    Between,
    /// Behind a CR that ended a line: a LF or NUL belongs to it.
    Return,
    /// Within a character of several bytes.
    Character(Vec<u8>),
    /// Behind ESC.
    Escape,
    /// Behind `ESC [`.
    Sequence(Vec<u8>),
    /// Behind `ESC O`.
    Keypad,
    /// Within a paste: its bytes, how many more were not kept, and how much of its end was seen.
    Paste(Vec<u8>, u64, usize),
}

/// Lines typed before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Recall {
    /// Oldest first.
    lines: VecDeque<String>,
    /// Which of them is being looked at, and what was being typed before.
    at: Option<(usize, String)>,
}

/// A search through the lines typed before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Search {
    query: String,
    /// The line that has it.
    at: Option<usize>,
    /// What was being typed before.
    before: Draft,
}

/// A completion that Tab goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Completing {
    /// Where in the text the word begins that was completed.
    from: usize,
    /// What it is completed to, in turn; the last is what was typed.
    words: Vec<String>,
    /// Which of them stands there now.
    at: usize,
}

/// What somebody has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Sent a line: cleaned, and at most as long as the limit.
    Line(String),
    /// Sent a line of so many bytes, which are more than allowed. What fits can be recalled.
    TooLong(u64),
    /// ^C: what was being typed is gone.
    Interrupt,
    /// ^D on an empty line.
    Leave,
    /// Tab: wants the word before the cursor completed. [`Editor::complete`] does it.
    Complete,
    /// ^L: wants the screen cleared and drawn again.
    Redraw,
}

/// A key, as far as it is one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Char(char),
    Enter,
    Tab,
    Erase,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Older,
    Newer,
    KillLeft,
    KillRight,
    KillBlankLeft,
    KillWordLeft,
    KillWordRight,
    Yank,
    Transpose,
    Search,
    Cancel,
    Interrupt,
    EndOfFile,
    Redraw,
    /// A key that does nothing, but ends what is under way.
    Other,
}

/// What a byte has completed.
enum Typed {
    Key(Key),
    Paste(Vec<u8>, u64),
}

impl Keys {
    /// Takes one byte; `None` if it is part of something longer, or nothing. Whether it was used up: if
    /// not, it comes again.
    fn take(&mut self, byte: u8) -> (Option<Typed>, bool) {
        let key = |key| (Some(Typed::Key(key)), true);
        match self {
            Self::Return if matches!(byte, b'\n' | 0) => {
                *self = Self::Between;
                (None, true)
            }
            Self::Between | Self::Return => {
                *self = Self::Between;
                match byte {
                    0x1B => {
                        *self = Self::Escape;
                        (None, true)
                    }
                    b'\r' => {
                        *self = Self::Return;
                        key(Key::Enter)
                    }
                    0x80.. => {
                        *self = Self::Character(Vec::new());
                        (None, false)
                    }
                    _ => (control(byte).map(Typed::Key), true),
                }
            }
            Self::Character(bytes) => {
                bytes.push(byte);
                let (typed, used) = match std::str::from_utf8(bytes) {
                    Ok(text) => (text.chars().next(), true),
                    Err(error) if error.error_len().is_none() => return (None, true),
                    // The byte that breaks a sequence begins the next one, unless it stands alone.
                    Err(_) => (Some(char::REPLACEMENT_CHARACTER), bytes.len() == 1),
                };
                *self = Self::Between;
                (typed.map(|c| Typed::Key(Key::Char(c))), used)
            }
            Self::Escape => {
                *self = Self::Between;
                match byte {
                    b'[' => *self = Self::Sequence(Vec::new()),
                    b'O' => *self = Self::Keypad,
                    0x1B => *self = Self::Escape,
                    b'b' | b'B' => return key(Key::WordLeft),
                    b'f' | b'F' => return key(Key::WordRight),
                    b'd' | b'D' => return key(Key::KillWordRight),
                    0x08 | 0x7F => return key(Key::KillWordLeft),
                    // A control key behind a lone Escape is itself.
                    ..0x20 => return (Some(Typed::Key(Key::Other)), false),
                    _ => return key(Key::Other),
                }
                (None, true)
            }
            Self::Keypad => {
                *self = Self::Between;
                key(arrow(byte).unwrap_or(Key::Other))
            }
            Self::Sequence(bytes) => match byte {
                0x20..0x7F if bytes.len() > SEQUENCE => {
                    // No key that we know is as long: what is left of it is not looked at.
                    if byte >= 0x40 {
                        *self = Self::Between;
                    }
                    (None, true)
                }
                0x20..0x40 => {
                    bytes.push(byte);
                    (None, true)
                }
                0x40..0x7F => {
                    bytes.push(byte);
                    let bytes = std::mem::take(bytes);
                    if bytes == PASTE_BEGINS {
                        *self = Self::Paste(Vec::new(), 0, 0);
                        return (None, true);
                    }
                    *self = Self::Between;
                    key(sequence(&bytes))
                }
                // No sequence after all.
                _ => {
                    *self = Self::Between;
                    (None, byte >= 0x20)
                }
            },
            Self::Paste(bytes, over, seen) => {
                if byte == PASTE_ENDS[*seen] {
                    *seen += 1;
                    if *seen == PASTE_ENDS.len() {
                        let paste = Typed::Paste(std::mem::take(bytes), *over);
                        *self = Self::Between;
                        return (Some(paste), true);
                    }
                    return (None, true);
                }
                let begun = std::mem::take(seen);
                for byte in PASTE_ENDS[..begun].iter().copied().chain((byte != PASTE_ENDS[0]).then_some(byte)) {
                    if bytes.len() < PASTE_BYTES {
                        bytes.push(byte);
                    } else {
                        *over += 1;
                    }
                }
                *seen = usize::from(byte == PASTE_ENDS[0]);
                (None, true)
            }
        }
    }
}

/// The key of one byte below 0x80.
fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        b' '..=b'~' => Key::Char(char::from(byte)),
        b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x03 => Key::Interrupt,
        0x04 => Key::EndOfFile,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x07 => Key::Cancel,
        0x08 | 0x7F => Key::Erase,
        0x0B => Key::KillRight,
        0x0C => Key::Redraw,
        0x0E => Key::Newer,
        0x10 => Key::Older,
        0x12 => Key::Search,
        0x14 => Key::Transpose,
        0x15 => Key::KillLeft,
        0x17 => Key::KillBlankLeft,
        0x19 => Key::Yank,
        0 => return None,
        _ => Key::Other,
    })
}

/// The key of `ESC O` or `ESC [` and this.
fn arrow(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Older,
        b'B' => Key::Newer,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'M' => Key::Enter,
        _ => return None,
    })
}

/// The key of an escape sequence, without its `ESC [`.
fn sequence(bytes: &[u8]) -> Key {
    match bytes {
        b"1~" | b"7~" => Key::Home,
        b"4~" | b"8~" => Key::End,
        b"3~" => Key::Delete,
        b"3;5~" => Key::KillWordRight,
        // With Control, Alt, or both.
        [b'1', b';', b'3' | b'5' | b'7', b'C'] => Key::WordRight,
        [b'1', b';', b'3' | b'5' | b'7', b'D'] => Key::WordLeft,
        [b'1', b';', _, last] | [last] => arrow(*last).filter(|key| *key != Key::Enter).unwrap_or(Key::Other),
        _ => Key::Other,
    }
}

impl Draft {
    fn of(text: String) -> Self {
        Self { cursor: text.len(), text, over: 0 }
    }

    fn insert(&mut self, text: &str, max: usize) {
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

    fn cut(&mut self, range: Range<usize>) -> String {
        if !range.is_empty() {
            self.over = 0;
        }
        self.cursor = range.start;
        self.text.drain(range).collect()
    }

    /// How far left the grapheme before the cursor begins.
    fn left(&self) -> usize {
        self.cursor - self.text[..self.cursor].graphemes(true).next_back().map_or(0, str::len)
    }

    fn right(&self) -> usize {
        self.cursor + self.text[self.cursor..].graphemes(true).next().map_or(0, str::len)
    }

    /// Where the word before the cursor begins; words are letters and digits.
    fn word_left(&self) -> usize {
        let before = self.text[..self.cursor].trim_end_matches(|c: char| !c.is_alphanumeric());
        before.trim_end_matches(char::is_alphanumeric).len()
    }

    fn word_right(&self) -> usize {
        let behind = self.text[self.cursor..].trim_start_matches(|c: char| !c.is_alphanumeric());
        self.text.len() - behind.trim_start_matches(char::is_alphanumeric).len()
    }

    /// Where what stands between white space before the cursor begins.
    fn blank_left(&self) -> usize {
        self.text[..self.cursor].trim_end().trim_end_matches(|c: char| !c.is_whitespace()).len()
    }

    fn transpose(&mut self) {
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

impl Recall {
    fn add(&mut self, line: &str) {
        self.at = None;
        if text::is_blank(line) || line.len() > RECALLED_BYTES || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push_back(line.to_owned());
        let mut bytes: usize = self.lines.iter().map(String::len).sum();
        while self.lines.len() > RECALLED_LINES || bytes > RECALLED_BYTES {
            bytes -= self.lines.pop_front().map_or(0, |line| line.len());
        }
    }

    /// The next line that is older or newer than the one looked at.
    fn step(&mut self, key: Key, typed: &str) -> Option<String> {
        match (key, self.at.take()) {
            (Key::Older, None) => {
                let last = self.lines.len().checked_sub(1)?;
                self.at = Some((last, typed.to_owned()));
            }
            (Key::Older, Some((at, typed))) => self.at = Some((at.saturating_sub(1), typed)),
            (_, None) => return None,
            (_, Some((at, typed))) if at + 1 >= self.lines.len() => return Some(typed),
            (_, Some((at, typed))) => self.at = Some((at + 1, typed)),
        }
        self.at.as_ref().and_then(|(at, _)| self.lines.get(*at).cloned())
    }

    /// The newest line before number `before` that holds `query`.
    fn find(&self, query: &str, before: usize) -> Option<usize> {
        (0..before.min(self.lines.len())).rev().find(|&at| !query.is_empty() && self.lines[at].contains(query))
    }
}

impl Editor {
    /// Takes bytes off `input` until something was done, or nothing is left (`None`). Lines may have
    /// `max` bytes.
    pub fn next(&mut self, input: &mut &[u8], max: usize) -> Option<Edit> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(if line.len() > max { Edit::TooLong(line.len() as u64) } else { Edit::Line(line) });
            }
            let (&byte, rest) = input.split_first()?;
            let (typed, used) = self.keys.take(byte);
            if used {
                *input = rest;
            }
            let edit = match typed {
                None => None,
                Some(Typed::Key(key)) => self.key(key, max),
                Some(Typed::Paste(bytes, over)) => self.paste(&bytes, over, max),
            };
            if edit.is_some() {
                return edit;
            }
        }
    }

    /// What is being typed, and the byte that the cursor stands before.
    #[must_use]
    pub fn typed(&self) -> (&str, usize) {
        (&self.draft.text, self.draft.cursor)
    }

    /// Whether lines are waiting to be given out.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether what was read from elsewhere fits together.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let harmless = |text: &str| !text.chars().any(char::is_control);
        let fits = |draft: &Draft| draft.text.is_char_boundary(draft.cursor) && harmless(&draft.text);
        let lines = self.recall.lines.len();
        fits(&self.draft)
            && self.set_aside.as_deref().is_none_or(fits)
            && harmless(&self.prompt)
            && harmless(&self.killed)
            && self.recall.lines.iter().all(|line| harmless(line))
            && self.searching.as_ref().is_none_or(|search| {
                fits(&search.before) && harmless(&search.query) && search.at.is_none_or(|at| at < lines)
            })
            && self.completing.as_ref().is_none_or(|completing| {
                completing.at < completing.words.len() && self.draft.text.is_char_boundary(completing.from)
            })
            && !matches!(&self.keys, Keys::Paste(_, _, seen) if *seen >= PASTE_ENDS.len())
    }

    /// What stands before what is typed.
    pub fn set_prompt(&mut self, prompt: &str) {
        prompt.clone_into(&mut self.prompt);
    }

    /// From now on what is typed is not shown, or again it is; what was being typed before waits.
    pub fn hide(&mut self, hidden: bool) {
        self.leave_off();
        if hidden && self.set_aside.is_none() {
            self.set_aside = Some(Box::new(std::mem::take(&mut self.draft)));
        } else if !hidden && let Some(before) = self.set_aside.take() {
            self.draft = *before;
        }
    }

    /// What is being typed is gone; it can be had back by ^Y.
    pub fn interrupt(&mut self) {
        self.leave_off();
        self.pasted.clear();
        self.recall.at = None;
        let typed = std::mem::take(&mut self.draft).text;
        if !typed.is_empty() && self.set_aside.is_none() {
            self.killed = typed;
        }
    }

    /// Erases the character before the cursor.
    pub fn erase(&mut self) {
        self.leave_off();
        let range = self.draft.left()..self.draft.cursor;
        self.draft.cut(range);
    }

    /// Completes what stands from byte `from` to the cursor, to the first of `words`; Tab goes on to the
    /// others, and after the last comes what was typed.
    pub fn complete(&mut self, from: usize, mut words: Vec<String>, max: usize) {
        let Draft { text, cursor, .. } = &self.draft;
        let is_word = from <= *cursor && text.is_char_boundary(from);
        if words.is_empty() || !is_word || self.set_aside.is_some() {
            return;
        }
        words.push(text[from..*cursor].to_owned());
        let at = words.len() - 1;
        self.completing = Some(Completing { from, words, at });
        self.complete_on(max);
    }

    fn complete_on(&mut self, max: usize) {
        let Some(completing) = &mut self.completing else { return };
        completing.at = (completing.at + 1) % completing.words.len();
        let word = completing.words[completing.at].clone();
        let from = completing.from;
        if from + word.len() + (self.draft.text.len() - self.draft.cursor) <= max {
            self.draft.cut(from..self.draft.cursor);
            self.draft.insert(&word, max);
        }
    }

    /// How it looks on a terminal of that size.
    #[must_use]
    pub fn area(&self, size: Size) -> Area {
        let Draft { text, cursor, over } = &self.draft;
        if let Some(search) = &self.searching {
            let prompt = match search.at {
                None if !search.query.is_empty() => format!("(not found) {}: ", search.query),
                _ => format!("(search) {}: ", search.query),
            };
            return screen::area(&prompt, text, *cursor, size);
        }
        if !self.pasted.is_empty() {
            let question = format!("{} lines pasted: Enter sends them, any other key does not ", self.pasted.len());
            return screen::area(&question, "", 0, size);
        }
        if self.set_aside.is_some() {
            return screen::area("(not shown) ", "", 0, size);
        }
        if *over > 0 {
            return screen::area(&format!("({over} bytes too long) {}", self.prompt), text, *cursor, size);
        }
        screen::area(&self.prompt, text, *cursor, size)
    }

    /// Ends what other keys than the one that began it end.
    fn leave_off(&mut self) {
        self.completing = None;
        self.searching = None;
    }

    fn key(&mut self, key: Key, max: usize) -> Option<Edit> {
        if !self.pasted.is_empty() {
            let lines = std::mem::take(&mut self.pasted);
            if key == Key::Enter {
                // What answers a question that is not to be seen is no line to be had back.
                if self.set_aside.is_none() {
                    let lines = lines.iter().filter(|line| !holds_password(line));
                    lines.for_each(|line| self.recall.add(&drawable(line)));
                }
                self.ready = lines;
                return None;
            }
            // The key that says no says nothing else.
            return None;
        }
        if self.searching.is_some() && self.search_key(key) {
            return None;
        }
        if key == Key::Tab {
            if self.completing.is_some() {
                self.complete_on(max);
                return None;
            }
            return (self.set_aside.is_none()).then_some(Edit::Complete);
        }
        self.completing = None;
        let draft = &mut self.draft;
        let cursor = draft.cursor;
        match key {
            Key::Char(c) => draft.insert(c.encode_utf8(&mut [0; 4]), max),
            Key::Enter => return Some(self.enter(max)),
            Key::Erase => drop(draft.cut(draft.left()..cursor)),
            Key::Delete => drop(draft.cut(cursor..draft.right())),
            Key::EndOfFile if draft.text.is_empty() => return Some(Edit::Leave),
            Key::EndOfFile => drop(draft.cut(cursor..draft.right())),
            Key::Left => draft.cursor = draft.left(),
            Key::Right => draft.cursor = draft.right(),
            Key::WordLeft => draft.cursor = draft.word_left(),
            Key::WordRight => draft.cursor = draft.word_right(),
            Key::Home => draft.cursor = 0,
            Key::End => draft.cursor = draft.text.len(),
            Key::KillLeft | Key::KillRight | Key::KillBlankLeft | Key::KillWordLeft | Key::KillWordRight => {
                let range = match key {
                    Key::KillLeft => 0..cursor,
                    Key::KillRight => cursor..draft.text.len(),
                    Key::KillBlankLeft => draft.blank_left()..cursor,
                    Key::KillWordLeft => draft.word_left()..cursor,
                    _ => cursor..draft.word_right(),
                };
                self.kill(range);
            }
            Key::Yank => draft.insert(&self.killed, max),
            Key::Transpose => draft.transpose(),
            Key::Older | Key::Newer if self.set_aside.is_none() => {
                if let Some(line) = self.recall.step(key, &draft.text) {
                    *draft = Draft::of(line);
                }
            }
            Key::Search if self.set_aside.is_none() => {
                let before = std::mem::take(draft);
                self.searching = Some(Search { before, ..Search::default() });
            }
            Key::Interrupt => {
                self.interrupt();
                return Some(Edit::Interrupt);
            }
            Key::Redraw => return Some(Edit::Redraw),
            Key::Older | Key::Newer | Key::Search | Key::Cancel | Key::Other | Key::Tab => {}
        }
        None
    }

    /// Whether the key belonged to the search.
    fn search_key(&mut self, key: Key) -> bool {
        let Some(search) = &mut self.searching else { return false };
        let found = match key {
            Key::Char(c) => {
                let mut query = Draft::of(std::mem::take(&mut search.query));
                query.insert(c.encode_utf8(&mut [0; 4]), 64);
                search.query = query.text;
                // The line that is found goes on being found as long as it fits.
                self.recall.find(&search.query, search.at.map_or(usize::MAX, |at| at + 1))
            }
            Key::Erase => {
                let mut query = Draft::of(std::mem::take(&mut search.query));
                query.cut(query.left()..query.cursor);
                search.query = query.text;
                self.recall.find(&search.query, usize::MAX)
            }
            Key::Search => self.recall.find(&search.query, search.at.unwrap_or(usize::MAX)).or(search.at),
            Key::Cancel | Key::Interrupt => {
                self.draft = std::mem::take(&mut search.before);
                self.searching = None;
                return true;
            }
            // Any other key takes what was found, and does what it does.
            _ => {
                if search.at.is_none() {
                    self.draft = std::mem::take(&mut search.before);
                }
                self.searching = None;
                return key == Key::Other;
            }
        };
        search.at = found;
        self.draft = found.and_then(|at| self.recall.lines.get(at)).map_or_else(Draft::default, |line| {
            let at = line.find(&search.query).unwrap_or(0);
            Draft { text: line.clone(), cursor: at, over: 0 }
        });
        true
    }

    fn kill(&mut self, range: Range<usize>) {
        let killed = self.draft.cut(range);
        // Not what nobody was to see.
        if !killed.is_empty() && self.set_aside.is_none() {
            self.killed = killed;
        }
    }

    fn enter(&mut self, max: usize) -> Edit {
        let Draft { text, over, .. } = std::mem::take(&mut self.draft);
        let text = text::clean(text.as_bytes()).into_owned();
        if self.set_aside.is_none() && !holds_password(&text) {
            self.recall.add(&text);
        }
        if over > 0 || text.len() > max { Edit::TooLong(text.len() as u64 + over) } else { Edit::Line(text) }
    }

    /// A text was pasted. One line is put where the cursor is; several are asked about.
    fn paste(&mut self, bytes: &[u8], over: u64, max: usize) -> Option<Edit> {
        self.leave_off();
        if over > 0 {
            return Some(Edit::TooLong(bytes.len() as u64 + over));
        }
        let lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).map(text::clean);
        let mut lines: VecDeque<_> = lines.filter(|line| !text::is_blank(line)).map(String::from).collect();
        if lines.len() > 1 && self.set_aside.is_none() {
            self.pasted = lines;
        } else if let Some(line) = lines.pop_front() {
            self.draft.insert(&drawable(&line), max);
        }
        None
    }
}

/// What a pasted line becomes where it is edited: a tab has no width that one could count on. Lines that
/// are sent as they are keep theirs.
fn drawable(line: &str) -> String {
    line.replace('\t', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: Size = Size { cols: 80, rows: 24 };
    const MAX: usize = 64;

    /// What has been typed, with `|` for the cursor, and what was done.
    fn typed(editor: &mut Editor, keys: impl AsRef<[u8]>) -> (String, Vec<Edit>) {
        let mut done = Vec::new();
        let mut input = keys.as_ref();
        while let Some(edit) = editor.next(&mut input, MAX) {
            done.push(edit);
        }
        let (text, cursor) = editor.typed();
        (format!("{}|{}", &text[..cursor], &text[cursor..]), done)
    }

    #[track_caller]
    fn check(keys: &str, shown: &str) {
        let mut editor = Editor::default();
        assert_eq!(typed(&mut editor, keys), (shown.to_owned(), Vec::new()), "{keys:?}");
        assert!(editor.is_sound());
    }

    fn after(lines: &[&str]) -> Editor {
        let mut editor = Editor::default();
        for line in lines {
            assert_eq!(typed(&mut editor, format!("{line}\r\0")).1, [Edit::Line((*line).to_owned())]);
        }
        editor
    }

    fn lines(of: &[&str]) -> Vec<Edit> {
        of.iter().map(|line| Edit::Line((*line).to_owned())).collect()
    }

    #[test]
    fn keys_move_and_erase_by_what_a_person_takes_for_a_character() {
        check("abc", "abc|");
        check("abc\x02\x02x", "ax|bc");
        check("abc\x1b[D\x1bODx\x1b[C\x05y", "axbcy|");
        check("abc\x01x\x1b[Fy\x1b[1~z", "z|xabcy");
        check("abcd\x1b[D\x1b[3~\x7f", "ab|");
        check("ae\u{301}\x02x", "ax|e\u{301}");
        check("日本\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}\x7f\x08語", "日語|");
        check("ab\x02\x14", "ba|");
        check("ab\x14c", "bac|");
    }

    #[test]
    fn words_go_as_a_whole_and_come_back() {
        check("one two, three\x1bb\x1b[1;5Dx", "one x|two, three");
        check("one two\x01\x1bf\x1bf!", "one two!|");
        check("one two-three\x17", "one |");
        check("one two-three\x1b\x7f", "one two-|");
        check("one two\x01\x1bd\x19\x19", "oneone| two");
        check("one two\x02\x02\x02\x0b\x01\x19", "two|one ");
        check("one two\x15x\x19", "xone two|");
    }

    #[test]
    fn each_line_is_one_however_it_ends() {
        let mut editor = Editor::default();
        let (rest, done) = typed(&mut editor, "one\r\0two\r\nthree\rfour\nfive\r\r");
        assert_eq!((rest.as_str(), done), ("|", lines(&["one", "two", "three", "four", "five", ""])));
    }

    #[test]
    fn control_d_leaves_when_nothing_is_typed_and_else_deletes() {
        let mut editor = Editor::default();
        assert_eq!(typed(&mut editor, "ab\x02\x04\x04"), ("a|".into(), vec![]));
        assert_eq!(typed(&mut editor, "\x7f\x04"), ("|".into(), vec![Edit::Leave]));
    }

    #[test]
    fn control_c_clears_and_what_is_gone_can_be_had_back() {
        let mut editor = Editor::default();
        assert_eq!(typed(&mut editor, "abc\x03"), ("|".into(), vec![Edit::Interrupt]));
        assert_eq!(typed(&mut editor, "\x19").0, "abc|");
    }

    #[test]
    fn lines_typed_before_are_recalled() {
        let mut editor = after(&["one", "two", "two", "three"]);
        assert_eq!(typed(&mut editor, "dra\x1b[A").0, "three|");
        assert_eq!(typed(&mut editor, "\x10").0, "two|");
        assert_eq!(typed(&mut editor, "\x1b[A\x1b[A\x1b[A").0, "one|");
        assert_eq!(typed(&mut editor, "\x1b[B\x1b[B\x0e\x0e").0, "dra|");
        let many: Vec<_> = (0..200).map(|number| format!("line {number}")).collect();
        let mut editor = after(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(typed(&mut editor, "\x10".repeat(300)).0, "line 150|");
    }

    #[test]
    fn lines_typed_before_are_searched() {
        let mut editor = after(&["make tea", "drink tea", "sleep"]);
        assert_eq!(typed(&mut editor, "draft\x12tea").0, "drink |tea");
        assert_eq!(typed(&mut editor, "\x12").0, "make |tea");
        assert_eq!(typed(&mut editor, "\x12").0, "make |tea");
        assert_eq!(typed(&mut editor, "\x07").0, "draft|");
        assert_eq!(typed(&mut editor, "\x12sl\r"), ("|".into(), lines(&["sleep"])));
        assert_eq!(typed(&mut editor, "\x12dr\x05!").0, "drink tea!|");
        assert_eq!(typed(&mut editor, "\x12xyz\x1b[C").0, "drink tea!|");
    }

    #[test]
    fn a_line_over_the_limit_is_refused_as_a_whole_and_can_be_recalled() {
        let mut editor = Editor::default();
        let (_, done) = typed(&mut editor, format!("{}\r", "x".repeat(MAX + 3)));
        assert_eq!(done, [Edit::TooLong(MAX as u64 + 3)]);
        assert_eq!(typed(&mut editor, "\x10").0, format!("{}|", "x".repeat(MAX)));
        assert_eq!(typed(&mut editor, "\r").1, lines(&[&"x".repeat(MAX)]));
    }

    #[test]
    fn several_pasted_lines_are_asked_about_and_one_is_typed() {
        let paste = |text: &str| format!("\x1b[200~{text}\x1b[201~");
        let mut editor = Editor::default();
        assert_eq!(typed(&mut editor, format!("a{}b", paste("pas\tted\x1b[A\r\n"))), ("apas ted[Ab|".into(), vec![]));
        let asked = paste("one\r\n\r\ntwo\n\x03three");
        assert_eq!(typed(&mut editor, &asked).1, []);
        let question = String::from_utf8(editor.area(SIZE).draw).unwrap();
        assert!(question.starts_with("3 lines pasted"), "{question}");
        assert_eq!(typed(&mut editor, "\r"), ("apas ted[Ab|".into(), lines(&["one", "two", "three"])));
        assert_eq!(typed(&mut editor, format!("{asked}n")), ("apas ted[Ab|".into(), vec![]));
        let huge = paste(&"x\n".repeat(PASTE_BYTES));
        assert_eq!(typed(&mut editor, huge).1, [Edit::TooLong(2 * PASTE_BYTES as u64)]);
    }

    #[test]
    fn tab_completes_to_one_after_the_other_and_back_to_what_was_typed() {
        let mut editor = Editor::default();
        assert_eq!(typed(&mut editor, "hi a\t").1, [Edit::Complete]);
        editor.complete(3, vec!["ann".into(), "anna".into()], MAX);
        assert_eq!(typed(&mut editor, "").0, "hi ann|");
        assert_eq!(typed(&mut editor, "\t").0, "hi anna|");
        assert_eq!(typed(&mut editor, "\t").0, "hi a|");
        assert_eq!(typed(&mut editor, "\t").0, "hi ann|");
        assert_eq!(typed(&mut editor, "!\t"), ("hi ann!|".into(), vec![Edit::Complete]));
        editor.complete(0, vec![], MAX);
        assert_eq!(typed(&mut editor, "").0, "hi ann!|");
    }

    #[test]
    fn passwords_are_neither_shown_nor_kept() {
        let mut editor = Editor::default();
        editor.set_prompt("> ");
        typed(&mut editor, "half a line");
        editor.hide(true);
        assert_eq!(typed(&mut editor, "secret\x15sesame").1, []);
        let shown = editor.area(SIZE);
        assert!(!String::from_utf8_lossy(&shown.draw).contains("sesame"));
        assert_eq!(typed(&mut editor, "\t\r").1, lines(&["sesame"]));
        editor.hide(false);
        assert_eq!(typed(&mut editor, "\x19\x10").0, "half a line|");
        let kept = serde_json::to_string(&editor).unwrap();
        assert!(!kept.contains("sesame") && !kept.contains("secret"), "{kept}");
    }

    #[test]
    fn strange_sequences_are_neither_typed_nor_swallow_what_follows() {
        check("a\x1b[?1;2cb", "ab|");
        check("a\x1b[1;2;3;4;5;6;7;8;9;10mb", "ab|");
        check("a\x1b[\x1b[Db", "b|a");
        check("a\x1b\x02b", "b|a");
        check("a\x1bxb", "ab|");
        check("\u{9b}31ma\u{7}\0\u{200b}", "31ma|");
    }

    #[test]
    fn broken_characters_are_replaced_as_elsewhere() {
        let mut editor = Editor::default();
        assert_eq!(typed(&mut editor, b"a\xe2\x82b\xff\x80").0, "a\u{FFFD}b\u{FFFD}\u{FFFD}|");
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same(keys in keys(), cuts in prop::collection::vec(1..9_usize, 0..60)) {
            let (mut whole, mut cut) = (Editor::default(), Editor::default());
            let expected = typed(&mut whole, &keys);
            let mut done = Vec::new();
            let mut rest = &keys[..];
            for at in cuts.into_iter().chain([usize::MAX]) {
                let (chunk, behind) = rest.split_at(at.min(rest.len()));
                done.extend(typed(&mut cut, chunk).1);
                rest = behind;
            }
            prop_assert_eq!((typed(&mut cut, "").0, done), expected);
            prop_assert_eq!(cut, whole);
        }

        #[test]
        fn whatever_is_typed_it_stays_sound_and_bounded(keys in keys(), saved in any::<bool>()) {
            let mut editor = Editor::default();
            let (first, second) = keys.split_at(keys.len() / 2);
            typed(&mut editor, first);
            if saved {
                let text = serde_json::to_string(&editor).unwrap();
                editor = serde_json::from_str(&text).unwrap();
            }
            for edit in typed(&mut editor, second).1 {
                if let Edit::Line(line) = edit {
                    prop_assert!(line.len() <= MAX && text::is_clean(&line));
                }
            }
            prop_assert!(editor.is_sound());
            prop_assert!(editor.typed().0.len() <= MAX);
            prop_assert!(!editor.area(SIZE).draw.iter().any(|byte| matches!(byte, 0..=9 | 11 | 12 | 14..=26)));
        }
    }

    fn keys() -> impl Strategy<Value = Vec<u8>> {
        let key = prop_oneof![
            4 => "[a-c ]".prop_map(String::into_bytes),
            2 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
            4 => (0_u8..0x20).prop_map(|byte| vec![byte]),
            2 => prop::sample::select(vec![
                "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[3~", "\x1bb", "\x1bf", "\x1bd", "\x7f", "\x1b[200~",
                "\x1b[201~", "\x1b[200~a\nb\x1b[201~", "\u{301}", "日",
            ]).prop_map(|text| text.as_bytes().to_vec()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ];
        prop::collection::vec(key, 0..80).prop_map(|keys| keys.concat())
    }
}
