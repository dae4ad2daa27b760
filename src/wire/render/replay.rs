//! Lines from before: history, and the results of searches.

use std::sync::Arc;

use super::page::Page;
use super::times::{Clock, clock, date_and_time, day};
use super::{Marks, count, notice, said};
use crate::hub::archive::Reach;
use crate::hub::message::{Line, Offset, Replay, Said};
use crate::values::name;
use crate::values::time::Wall;

/// Appends the lines that a person has asked for, with a heading: see [`lines_of`].
pub(super) fn replay(room: &str, of: &Replay, lines: &[Arc<Line>], offset: Offset, now: Wall, out: &mut Page<'_>) {
    let head = match of {
        Replay::Last | Replay::Numbered if lines.is_empty() => return notice(out, &["no earlier lines in ", room]),
        Replay::Last | Replay::Numbered if lines.len() == 1 => format!("the last line in {room}, time in {offset}:"),
        Replay::Last | Replay::Numbered => format!("the last {} lines in {room}, times in {offset}:", lines.len()),
        Replay::Search { query, reach } if lines.is_empty() => {
            notice(out, &["no line kept in ", room, " has \"", query, "\""]);
            return looked_back(*reach, out);
        }
        Replay::Search { query, .. } => {
            format!("{} in {room} with \"{query}\", times in {offset}:", count(lines.len(), "line", "lines"))
        }
    };
    notice(out, &[&head]);
    let wanted = match of {
        Replay::Search { query, .. } => name::fold(query),
        Replay::Last | Replay::Numbered => String::new(),
    };
    let marks = Marks { wanted: &wanted, stars: true, own: false };
    lines_of(lines, *of == Replay::Numbered, &marks, offset, now, out);
    notice(
        out,
        &[match of {
            Replay::Last | Replay::Numbered => "end of history",
            Replay::Search { .. } => "end of search",
        }],
    );
    if let Replay::Search { reach, .. } = of {
        looked_back(*reach, out);
    }
}

/// Appends lines from before, the oldest first, with their times, and a notice where a day begins.
pub(super) fn lines_of(
    lines: &[Arc<Line>],
    numbered: bool,
    marks: &Marks<'_>,
    offset: Offset,
    now: Wall,
    out: &mut Page<'_>,
) {
    let mut shown = day(now, offset);
    let mut gone = 0;
    for line in lines {
        if line.said == Said::Redacted {
            gone += 1;
            continue;
        }
        if gone > 0 {
            removed(std::mem::take(&mut gone), out);
        }
        let on = day(line.at, offset);
        if on != shown {
            notice(out, &[&on]);
            shown = on;
        }
        clock(line.at, offset, Clock::Minutes, out);
        if numbered {
            // What the hub says has an author only where one person alone is told it.
            let author = line.author.filter(|_| !line.said.nick().is_empty());
            let author = author.map_or_else(String::new, |author| format!(" {author}"));
            out.text(&format!("#{}{author} ", line.seq));
        }
        said(&line.said, marks, out);
    }
    if gone > 0 {
        removed(gone, out);
    }
}

/// Appends a notice about lines that a search has not looked at, if there are any.
fn looked_back(reach: Reach, out: &mut Page<'_>) {
    match reach {
        Reach::All => {}
        Reach::Since(time) => {
            notice(out, &["it went back to ", &date_and_time(time), "; what is older was not looked at"]);
        }
        Reach::Busy => {
            notice(out, &["only the last lines were looked at: many are searching; try again soon"]);
        }
        Reach::Memory => notice(out, &["only the last lines were looked at: the recorded ones cannot be read now"]),
    }
}

/// Appends the notice in place of `gone` lines that were removed.
fn removed(gone: usize, out: &mut Page<'_>) {
    notice(out, &[&count(gone, "line was", "lines were"), " removed by a moderator"]);
}
