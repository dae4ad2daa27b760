//! Memos: messages that were left for a person who was not here.

use std::sync::Arc;

use super::page::Page;
use super::times::{Clock, clock, day};
use super::{count, notice, private};
use crate::hub::memo::Memo;
use crate::hub::message::Offset;
use crate::values::time::Wall;

/// Appends memos, the oldest first, with a heading, their times, and a notice where a day begins.
/// `left` is the number of further memos, which the person gets when they log in again.
pub(super) fn memos(memos: &[Arc<Memo>], left: usize, offset: Offset, now: Wall, out: &mut Page<'_>) {
    let times = if memos.len() == 1 { "time" } else { "times" };
    let number = count(memos.len(), "message was", "messages were");
    notice(out, &[&number, " left for you, ", times, " in ", &offset.to_string(), ":"]);
    let mut shown = day(now, offset);
    for memo in memos {
        let on = day(memo.at, offset);
        if on != shown {
            notice(out, &[&on]);
            shown = on;
        }
        clock(memo.at, offset, Clock::Minutes, out);
        private(out, ["[", &memo.name, " -> you] "], &memo.text);
    }
    if left > 0 {
        notice(out, &[&count(left, "more waits", "more wait"), " until you log in again"]);
    }
}
