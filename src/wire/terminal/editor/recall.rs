//! Recall: the history of typed lines, which the arrow keys bring back.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::keys::Key;
use crate::values::text;

/// The most lines in the history.
const RECALLED_LINES: usize = 50;

/// The most bytes in the history.
const RECALLED_BYTES: usize = 4 * 1024;

/// The history of typed lines, and the place in it while the person browses it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Recall {
    /// The lines, oldest first.
    pub(super) lines: VecDeque<String>,
    /// While the person browses: the index of the shown line, and the draft from before.
    pub(super) at: Option<(usize, String)>,
}

impl Recall {
    /// Adds a sent line; the oldest lines make room for it. A blank line, or one equal to the last,
    /// is not added.
    pub(super) fn add(&mut self, line: &str) {
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

    /// Goes one line back in the history ([`Key::Older`]) or forward, and returns the line to show;
    /// `None` if there is none. Behind the newest line comes the draft again: `typed`, which is
    /// remembered at the first step.
    pub(super) fn step(&mut self, key: Key, typed: &str) -> Option<String> {
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

    /// The index of the newest line, below index `before`, that contains `query`; `None` if there
    /// is none or `query` is empty.
    pub(super) fn find(&self, query: &str, before: usize) -> Option<usize> {
        (0..before.min(self.lines.len())).rev().find(|&at| !query.is_empty() && self.lines[at].contains(query))
    }
}
