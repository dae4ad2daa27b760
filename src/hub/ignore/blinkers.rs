//! Hiding lines of history from a reader.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Ignored, Shunned};
use crate::hub::Hub;
use crate::hub::message::Line;
use crate::hub::session::Session;
use crate::values::id::SessionId;
use crate::values::name;

/// A filter that tells which lines of history are hidden from one client, although their authors
/// may have left since, or bear other names. It is made once for all lines of an answer.
pub(in crate::hub) struct Blinkers<'a> {
    hub: &'a Hub,
    reader: &'a Session,
    names: Vec<Shunned>,
    /// The answers so far, by author and name: whether their lines are hidden.
    known: BTreeMap<(Option<SessionId>, &'a str), bool>,
}

impl<'a> Blinkers<'a> {
    /// Whether `line` is hidden.
    pub(in crate::hub) fn hide(&mut self, line: &'a Line) -> bool {
        if self.reader.ignoring.is_empty() || !line.said.is_of_a_person() {
            return false;
        }
        if line.borne.is_hidden_by(&self.names) {
            return true;
        }
        let nick = line.said.nick();
        *self.known.entry((line.author, nick)).or_insert_with(|| {
            let folded = name::fold(nick);
            let author = line.author;
            let is_ignored = |ignored: &Ignored| {
                *ignored.folded == *folded || author.is_some_and(|author| ignored.sessions.contains(&author))
            };
            let author = author.and_then(|author| self.hub.session(author));
            self.reader.ignoring.iter().any(is_ignored)
                || author.is_some_and(|author| author.borne.is_hidden_by(&self.names))
        })
    }
}

impl Hub {
    /// The [`Blinkers`] of `reader`.
    pub(in crate::hub) fn blinkers<'a>(&'a self, reader: &'a Session) -> Blinkers<'a> {
        Blinkers { hub: self, reader, names: reader.shunned(), known: BTreeMap::new() }
    }

    /// The `lines` of history that are not hidden from `reader`.
    pub(in crate::hub) fn shown_to(&self, reader: &Session, lines: Arc<[Arc<Line>]>) -> Arc<[Arc<Line>]> {
        let mut blinkers = self.blinkers(reader);
        let hidden: Vec<bool> = lines.iter().map(|line| blinkers.hide(line)).collect();
        if !hidden.contains(&true) {
            // A shared list is rendered once for everybody who is shown all of it.
            return lines;
        }
        lines.iter().zip(hidden).filter(|(_, hidden)| !hidden).map(|(line, _)| line.clone()).collect()
    }
}
