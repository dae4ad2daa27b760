//! A line editor for terminals that send each key as it is hit.
//!
//! Bytes come in, [`Edit`]s come out, and between them there is a text with a cursor in it, to be drawn
//! by [`super::screen`].
//!
//! | to change | see |
//! | --- | --- |
//! | which bytes are which key; how a paste is told from typing | `keys` |
//! | how the text and its cursor change | `draft` |
//! | lines typed before, which can be recalled | `recall` |
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

/// The longest text that lines typed before are searched for, in bytes.
const QUERY: usize = 64;

/// The line that somebody is editing, and what keys may bring back into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Editor {
    keys: Keys,
    /// When the last byte came of a string of the terminal that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<Mono>,
    draft: Draft,
    /// The prompt before the text on the screen.
    prompt: String,
    /// The text that was cut last, for ^Y to put back.
    killed: String,
    recall: Recall,
    searching: Option<Search>,
    completing: Option<Completing>,
    /// The lines of a paste that waits for the answer whether they are to be sent.
    pasted: VecDeque<String>,
    /// The end of that paste did not come, and the next key was not meant for the question.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unasked: bool,
    /// Lines of a paste that are to be sent: each is given out before any more bytes are looked at.
    ready: VecDeque<String>,
    /// What was being typed before a password was asked for; `None` if none is being typed.
    set_aside: Option<Box<Draft>>,
}

/// A search through the lines typed before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Search {
    /// The text that is searched for, at most [`QUERY`] bytes.
    query: String,
    /// The index in [`Recall`] of the line that holds it, if one does.
    at: Option<usize>,
    /// What was being typed before the search.
    before: Draft,
}

/// A completion that Tab goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Completing {
    /// The byte of the text at which the completed word begins.
    from: usize,
    /// What Tab puts there in turn; the last is what was typed.
    words: Vec<String>,
    /// The index in `words` of the word that is there now.
    at: usize,
}

/// What was being typed when lines are no longer edited here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Draws what was typed, as it is to stay in sight. Nothing if nothing was, or it is a password.
    pub shown: Vec<u8>,
    /// What a line was to be, and the bytes of a key that were not all there yet.
    pub line: Vec<u8>,
    /// A CR ended the line before: a LF or NUL that follows belongs to it.
    pub after_cr: bool,
    /// Lines that were sent, and not given out yet.
    pub ready: VecDeque<String>,
    /// There was a paste, which is not sent.
    pub pasted: bool,
}

/// What a key has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Sent a line: cleaned, and no longer than the limit.
    Line(String),
    /// Sent a line, or pasted a text, of this many bytes, which is longer than allowed. Of a line, what fits can be
    /// recalled.
    TooLong(u64),
    /// ^C: what was being typed is gone.
    Interrupt,
    /// ^D on an empty line.
    Leave,
    /// Tab: wants the word before the cursor completed. [`Editor::complete`] does it.
    Complete,
    /// ^L: wants the screen cleared and drawn again.
    Redraw,
    /// Its terminal has answered where the cursor is: in which column, from 1 on. Nobody has typed that.
    Column(u16),
    /// Its terminal has answered of which kind it is: whether that reflows rows.
    Kind(bool),
}

impl Editor {
    /// Takes bytes off `input`, which came `at` that time, until one of them does something, or nothing is left
    /// (`None`). Lines may have `max` bytes.
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

    /// The text being typed, and the cursor's place in it as a byte offset.
    #[must_use]
    pub fn typed(&self) -> (&str, usize) {
        (&self.draft.text, self.draft.cursor)
    }

    /// Whether lines are waiting to be given out.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether what was loaded from a snapshot fits together.
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

    /// Sets the prompt before the text on the screen.
    pub fn set_prompt(&mut self, prompt: &str) {
        prompt.clone_into(&mut self.prompt);
    }

    /// From now on what is typed is not shown (a password), or is shown again. What was being typed before is set
    /// aside meanwhile.
    pub fn hide(&mut self, hidden: bool) {
        self.leave_off();
        if hidden && self.set_aside.is_none() {
            self.set_aside = Some(Box::new(std::mem::take(&mut self.draft)));
        } else if !hidden && let Some(before) = self.set_aside.take() {
            self.draft = *before;
        }
    }

    /// Goes on with a line that was being put together from bytes: those so far, how many of it were too many, and
    /// whether a LF or NUL that follows belongs to the line before.
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

    /// What is left for whoever goes on with it; the terminal has that size.
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

    /// Clears the line, whatever is under way; ^Y brings back what stood there.
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

    /// Erases the character before the cursor.
    pub fn erase(&mut self) {
        self.leave_off();
        let range = self.draft.left()..self.draft.cursor;
        self.draft.cut(range);
    }

    /// Completes the text from byte `from` to the cursor to the first of `words`; Tab goes on to the others, and after
    /// the last back to what was typed. The line may have `max` bytes.
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

    /// How it is drawn on a terminal of that size.
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

    /// Ends a completion or a search under way, with the text as it is.
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
                // What is pasted while a password is asked for is not kept.
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

    /// Takes a key while a search is under way. Returns whether that is all that the key does.
    fn search_key(&mut self, key: Key) -> bool {
        let Some(search) = &mut self.searching else { return false };
        let found = match key {
            Key::Char(c) => {
                let mut query = Draft::of(std::mem::take(&mut search.query));
                query.insert(c.encode_utf8(&mut [0; 4]), QUERY);
                search.query = query.text;
                // The line found so far stays found as long as it holds the longer query, too.
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
            // Any other key ends the search with the line that was found, and then does its own work.
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
        // A password is not kept.
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

    /// A text was pasted. One line is put where the cursor is; of several the person is asked whether to send them.
    /// What is pasted while they are asked is added.
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

/// A line as it can be edited: with spaces for tabs, whose width depends on the column that they stand in. Pasted lines
/// that are sent without being edited keep their tabs.
fn drawable(line: &str) -> String {
    line.replace('\t', " ")
}

#[cfg(test)]
mod tests;
