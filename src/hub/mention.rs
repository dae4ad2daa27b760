//! Lines that a client is shown apart from the room's log, because they look different to it: lines
//! with its own name in them, and its own lines if the hub shows it those.
//!
//! Everybody else is shown the room's log, which is rendered once. These few clients are told the
//! line at its place in the log, and the log skips it for them ([`Line::apart`]).

use std::sync::Arc;

use super::message::{Line, Message, Said};
use super::session::Session;
use super::{Hub, Turn};
use crate::values::id::{RoomId, SessionId};
use crate::values::name;
use crate::values::terminal::Mode;

/// The most people who are noticed by name in one line.
const NAMED: usize = 8;

/// The most words of a line that are looked at.
const WORDS: usize = 64;

/// Why a client is shown a line apart.
#[derive(Clone, Debug)]
pub(super) enum Apart {
    /// The client said it.
    Own,
    /// The client's name is in the line, in this spelling.
    Named(Arc<str>),
}

/// The words of a text that could be names, without the punctuation around them: `bob` for
/// "(bob's)" and for "@bob:".
fn words(text: &str) -> impl Iterator<Item = &str> {
    const BETWEEN: &[char] = &[
        ',', ':', ';', '!', '?', '(', ')', '[', ']', '<', '>', '"', '\'', '’', '“', '”', '@', '/', '*', '+', '&', '=',
    ];
    let parts = text.split(|c: char| c.is_whitespace() || BETWEEN.contains(&c));
    parts.map(|word| word.trim_matches(['.', '-', '_'])).filter(|word| !word.is_empty()).take(WORDS)
}

/// Whether the name that folds to `folded` is among the words of a text.
pub(super) fn names(text: &str, folded: &str) -> bool {
    words(text).any(|word| match word.is_ascii() {
        true => word.eq_ignore_ascii_case(folded),
        false => name::fold(word) == folded,
    })
}

impl Hub {
    /// The client that believes it bears the name that folds to `folded`. A client that believes it
    /// bears another name must not learn that this one is its own.
    fn named_so(&self, folded: &str) -> Option<&Session> {
        let found = [self.people.names.find(folded), self.people.unseen.find(folded)];
        let mut found = found.into_iter().flatten().filter_map(|id| self.session(id));
        found.find(|session| session.own_nick().folded() == folded)
    }

    /// The clients in the room that are shown apart a line by `author`, and why.
    pub(super) fn shown_apart(&self, room: RoomId, author: Option<SessionId>, said: &Said) -> Vec<(SessionId, Apart)> {
        let mut apart = Vec::new();
        let Some(author) = author.filter(|_| said.is_speech()).and_then(|author| self.session(author)) else {
            return apart;
        };
        if author.mode == Mode::Char {
            apart.push((author.id, Apart::Own));
        }
        let open = &self.rooms.open[&room];
        if open.members.len() < 2 || self.rests(open) {
            return apart;
        }
        let longest = self.settings.limits.name;
        let mut plain = String::new();
        for word in words(said.text()).filter(|word| word.chars().take(longest + 1).count() <= longest) {
            // Nearly all words are ASCII and no name: for these, the look-up allocates nothing.
            let found = if word.is_ascii() {
                plain.clear();
                plain.extend(word.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
                self.named_so(&plain)
            } else {
                self.named_so(&name::fold(word))
            };
            let named = found.filter(|named| {
                named.room == room
                    && named.id != author.id
                    // A crowded client reads nothing, and much waits for it already.
                    && !named.crowded
                    && !named.ignores(author)
            });
            if let Some(named) = named
                && !apart.iter().any(|(id, _)| *id == named.id)
            {
                apart.push((named.id, Apart::Named(named.own_nick().shown().into())));
                if apart.len() > NAMED {
                    break;
                }
            }
        }
        apart
    }
}

impl Turn<'_> {
    /// Shows `id` a line that the log of its room skips for it.
    pub(super) fn show_apart(&mut self, id: SessionId, line: &Arc<Line>, how: Apart) {
        let line = line.clone();
        let ring = self.hub.session(id).is_some_and(|session| session.bell);
        self.tell(
            id,
            match how {
                Apart::Own => Message::Line(line),
                Apart::Named(name) => Message::Mention { line, name, ring },
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_stands_around_them() {
        let found = |text: &str| words(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(found("bob: see (ann's), @guest-ab12... zoë!"), ["bob", "see", "ann", "s", "guest-ab12", "zoë"]);
        assert_eq!(found("a.b-c_d"), ["a.b-c_d"]);
        assert_eq!(found(&"x ".repeat(100)).len(), WORDS);
    }
}
