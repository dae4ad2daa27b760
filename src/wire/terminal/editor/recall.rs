//! Recall: lines typed before, which the arrow keys bring back.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::keys::Key;
use crate::values::text;

/// The most lines that are kept.
const RECALLED_LINES: usize = 50;

/// The most bytes that are kept in all.
const RECALLED_BYTES: usize = 4 * 1024;

/// Lines typed before, and the one that is shown of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Recall {
    /// The lines, oldest first.
    pub(super) lines: VecDeque<String>,
    /// The index of the line that is being looked at, and what was being typed before.
    pub(super) at: Option<(usize, String)>,
}

impl Recall {
    /// Keeps a line that was sent; the oldest make room for it. A blank line is not kept, nor one like the last.
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

    /// Goes from the line that is shown to the one before ([`Key::Older`]) or behind. Behind the newest comes `typed`
    /// again, which was being typed.
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

    /// The index of the newest line before index `before` that holds `query`.
    pub(super) fn find(&self, query: &str, before: usize) -> Option<usize> {
        (0..before.min(self.lines.len())).rev().find(|&at| !query.is_empty() && self.lines[at].contains(query))
    }
}
