//! A line editor for clients that send each key at once (char mode).
//!
//! It takes a client's bytes and returns [`Edit`]s. In between it holds the draft, a text with a
//! cursor, which [`super::screen`] draws.
//!
//! | to change | see |
//! | --- | --- |
//! | which bytes are which key; how a paste is recognised | `keys` |
//! | how the text and its cursor change | `draft` |
//! | the history of typed lines | `recall` |
//! | what each key does; searching, completing, pasting, hiding a password | here |
//!
//! An escape is part of a key until the next byte shows that it is not; the time, which is given along, matters to a
//! paste, and to a string of the terminal that does not end. Which words complete another is not known here:
//! [`Edit::Complete`] asks for them.

mod draft;
mod keys;
mod recall;

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use self::draft::Draft;
use self::keys::{Key, Keys, PASTE_BYTES, Paste, STRING_PAUSE, Typed};
use self::recall::Recall;
use super::screen::{self, Area, Size};
use super::sequence::{self, Byte, Sequence};
use crate::hub::command::holds_password;
use crate::values::text;
use crate::values::time::Mono;

/// The longest text that can be searched for in the history, in bytes.
const QUERY: usize = 64;

/// The state of a person's line editor: the draft, and the texts that keys can bring back into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Editor {
    keys: Keys,
    /// When the last byte came of a string of the terminal that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<Mono>,
    draft: Draft,
    /// The prompt that is drawn before the draft.
    prompt: String,
    /// The text that was cut last; ^Y inserts it.
    killed: String,
    recall: Recall,
    searching: Option<Search>,
    completing: Option<Completing>,
    /// The lines of a paste, while the person is asked whether to send them.
    pasted: VecDeque<String>,
    /// Whether the paste was ended by a timeout: then the next key was not meant for the question.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unasked: bool,
    /// Lines of a paste that the person wants to send. They are returned one by one before any
    /// further byte is read.
    ready: VecDeque<String>,
    /// The draft from before a password was asked for; `Some` while the draft is a password.
    set_aside: Option<Box<Draft>>,
}

/// A search in the history of typed lines (^R).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Search {
    /// The searched text, at most [`QUERY`] bytes.
    query: String,
    /// The index in [`Recall`] of the found line; `None` if no line contains the text.
    at: Option<usize>,
    /// The draft from before the search.
    before: Draft,
}

/// A completion under way: further Tabs replace the word by the next candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Completing {
    /// The byte offset at which the completed word begins.
    from: usize,
    /// The candidates in turn; the last one is the text as it was typed.
    words: Vec<String>,
    /// The index in `words` of the candidate in the draft now.
    at: usize,
}

/// What the editor leaves behind when its client goes back to line mode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The bytes that draw the draft a last time, so that it stays in sight. Empty if nothing was
    /// typed, or a password.
    pub shown: Vec<u8>,
    /// The text of the draft, followed by the bytes of an incomplete key.
    pub line: Vec<u8>,
    /// Whether the last byte was a CR that ended a line: a LF or NUL that follows belongs to it.
    pub after_cr: bool,
    /// Lines of a paste that the person has sent and that were not returned yet.
    pub ready: VecDeque<String>,
    /// Whether there was a paste that is dropped now.
    pub pasted: bool,
}

/// A result of typed keys, for the caller to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A sent line: cleaned, and no longer than the limit.
    Line(String),
    /// A sent line or a pasted text that is too long; this many bytes. The part of a line that fits
    /// is in the history.
    TooLong(u64),
    /// ^C: the draft is cleared.
    Interrupt,
    /// ^D on an empty line: the person wants to leave.
    Leave,
    /// Tab: the word before the cursor is to be completed, by a call of [`Editor::complete`].
    Complete,
    /// ^L: the screen is to be cleared and drawn again.
    Redraw,
    /// No key, but the terminal's answer where its cursor is: the column, from 1 on.
    Column(u16),
    /// No key, but the terminal's answer of which kind it is: whether this kind reflows rows.
    Kind(bool),
}

impl Editor {
    /// Takes bytes off `input`, which came at the time `at`, until there is a result; `None` if all
    /// bytes are taken. A line may have at most `max` bytes.
    pub fn next(&mut self, input: &mut &[u8], max: usize, at: Mono) -> Option<Edit> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(if line.len() > max { Edit::TooLong(line.len() as u64) } else { Edit::Line(line) });
            }
            let (&byte, rest) = input.split_first()?;
            if self.heard.take().is_some_and(|last| at.since(last) >= STRING_PAUSE) {
                self.keys.interrupt();
            }
            let (typed, used) = self.keys.take(byte, at);
            self.heard = self.keys.is_within_string().then_some(at);
            if used == Byte::Used {
                *input = rest;
            }
            let edit = match typed {
                None => None,
                Some(Typed::Key(key)) => self.key(key, max),
                Some(Typed::Column(column)) => Some(Edit::Column(column)),
                Some(Typed::Kind(reflows)) => Some(Edit::Kind(reflows)),
                Some(Typed::Paste(paste)) => self.paste(&paste, max),
            };
            if edit.is_some() {
                return edit;
            }
        }
    }

    /// The text of the draft, and the byte offset of the cursor in it.
    #[must_use]
    pub fn typed(&self) -> (&str, usize) {
        (&self.draft.text, self.draft.cursor)
    }

    /// Whether sent lines wait to be returned by [`Self::next`].
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether a value that was loaded from a snapshot is consistent.
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
            && self.keys.is_sound()
    }

    /// Sets the prompt that is drawn before the draft.
    pub fn set_prompt(&mut self, prompt: &str) {
        prompt.clone_into(&mut self.prompt);
    }

    /// With `true`, hides what is typed from now on (a password), and sets the draft aside. With
    /// `false`, shows the draft from before again.
    pub fn hide(&mut self, hidden: bool) {
        self.leave_off();
        if hidden && self.set_aside.is_none() {
            self.set_aside = Some(Box::new(std::mem::take(&mut self.draft)));
        } else if !hidden && let Some(before) = self.set_aside.take() {
            self.draft = *before;
        }
    }

    /// Takes over an unfinished line when char mode begins: its bytes so far, the number of bytes
    /// that were dropped because it is too long, and whether a LF or NUL that follows belongs to
    /// the line before.
    pub fn take_over(&mut self, line: &[u8], over: u64, after_cr: bool) {
        let mut sequence = Sequence::default();
        let (mut at, mut whole) = (0, 0);
        while let Some(&byte) = line.get(at) {
            if sequence.take(byte).1 == Byte::Used {
                at += 1;
            }
            if sequence == Sequence::Between {
                whole = at;
            }
        }
        let text = sequence::without(&line[..whole]);
        self.draft.insert(&text::clean(&text), usize::MAX);
        self.draft.over += over;
        self.keys.take_over(sequence, after_cr && line.is_empty());
    }

    /// Ends the editor when line mode begins, and returns what it leaves behind. `size` is that of
    /// the terminal.
    #[must_use]
    pub fn leave(mut self, size: Size) -> Left {
        if self.searching.as_ref().is_some_and(|search| search.at.is_none()) {
            self.key(Key::Cancel, usize::MAX);
        }
        let Draft { text, .. } = self.draft;
        let is_shown = self.set_aside.is_none() && !text.is_empty();
        let (begun, after_cr) = self.keys.begun();
        Left {
            shown: if is_shown { screen::area(&self.prompt, &text, text.len(), size).draw } else { Vec::new() },
            line: [text.as_bytes(), &begun].concat(),
            after_cr,
            ready: self.ready,
            pasted: self.keys.is_pasting() || !self.pasted.is_empty(),
        }
    }

    /// Clears the draft and ends whatever is under way; ^Y brings the text back.
    pub fn interrupt(&mut self) {
        self.leave_off();
        self.keys.interrupt();
        self.pasted.clear();
        self.recall.at = None;
        let typed = std::mem::take(&mut self.draft).text;
        if !typed.is_empty() && self.set_aside.is_none() {
            self.killed = typed;
        }
    }

    /// Erases the grapheme before the cursor.
    pub fn erase(&mut self) {
        self.leave_off();
        let range = self.draft.left()..self.draft.cursor;
        self.draft.cut(range);
    }

    /// Replaces the text from byte `from` to the cursor by the first of `words`. Further Tabs go on
    /// to the other words, and after the last one to the text as it was typed. The line may have at
    /// most `max` bytes.
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

    /// The draft, or a question in its place, as it is drawn on a terminal of this size.
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
        if self.keys.is_pasting() {
            return screen::area("(being pasted: ^C drops it) ", "", 0, size);
        }
        if !self.pasted.is_empty() {
            let commands = match self.pasted.iter().filter(|line| is_command(line)).count() {
                0 => String::new(),
                1 => ", 1 of them a command".to_owned(),
                count => format!(", {count} of them commands"),
            };
            let lines = self.pasted.len();
            let question = format!("{lines} lines pasted{commands}: Enter sends them, any other key does not ");
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

    /// Ends a completion or a search under way; the draft stays as it is.
    fn leave_off(&mut self) {
        self.completing = None;
        self.searching = None;
    }

    fn key(&mut self, key: Key, max: usize) -> Option<Edit> {
        if !self.pasted.is_empty() {
            if std::mem::take(&mut self.unasked) && key != Key::Interrupt {
                return None;
            }
            let lines = std::mem::take(&mut self.pasted);
            if key == Key::Enter {
                // A text that is pasted where a password is asked for does not go into the history.
                if self.set_aside.is_none() {
                    let lines = lines.iter().filter(|line| !holds_password(line));
                    lines.for_each(|line| self.recall.add(&drawable(line)));
                }
                self.ready = lines;
                return None;
            }
            // Any other key drops the paste, and does nothing else.
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

    /// Handles a key during a search. Returns whether the key is used up by that.
    fn search_key(&mut self, key: Key) -> bool {
        let Some(search) = &mut self.searching else { return false };
        let found = match key {
            Key::Char(c) => {
                let mut query = Draft::of(std::mem::take(&mut search.query));
                query.insert(c.encode_utf8(&mut [0; 4]), QUERY);
                search.query = query.text;
                // The line found so far stays found if it contains the longer query too.
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
            // Any other key ends the search with the found line, and then has its usual effect.
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
        // A password is not kept for ^Y.
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

    /// Handles a paste. A single line is inserted at the cursor. For several lines, the person is
    /// asked whether to send them; a further paste adds to those.
    fn paste(&mut self, paste: &Paste, max: usize) -> Option<Edit> {
        self.leave_off();
        let waiting: usize = self.pasted.iter().map(|line| line.len() + 1).sum();
        if paste.over > 0 || waiting + paste.bytes.len() > PASTE_BYTES {
            return Some(Edit::TooLong(paste.bytes.len() as u64 + paste.over));
        }
        let lines = paste.bytes.split(|byte| matches!(byte, b'\r' | b'\n'));
        let lines = lines.map(|line| text::clean(&sequence::without(line)).into_owned());
        let mut lines: VecDeque<_> = lines.filter(|line| !text::is_blank(line)).collect();
        if (lines.len() > 1 && self.set_aside.is_none()) || !self.pasted.is_empty() {
            self.pasted.extend(lines);
            self.unasked = paste.is_cut;
        } else if let Some(line) = lines.pop_front() {
            self.draft.insert(&drawable(&line), max);
        }
        None
    }
}

/// Whether a line is carried out, and not said. Two slashes begin a line that is said with one.
fn is_command(line: &str) -> bool {
    line.trim_start().strip_prefix('/').is_some_and(|rest| !rest.starts_with('/'))
}

/// A line for the draft or the history: with a space for each tab, whose width would depend on its
/// column. Pasted lines that are sent unedited keep their tabs.
fn drawable(line: &str) -> String {
    line.replace('\t', " ")
}

#[cfg(test)]
mod tests;
