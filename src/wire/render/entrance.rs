//! The texts that a person is shown on coming into a room. From the prompt upwards: their name and
//! the room with the others in it, the topic, as many of the last lines as the screen has rows for,
//! and for newcomers the greeting and how to get help.

use std::sync::Arc;

use super::page::{Page, columns};
use super::replay::lines_of;
use super::times::{day, span};
use super::{Marks, count, notice};
use crate::hub::entrance::ROWS;
use crate::hub::message::{Entrance, Kept, Line, Offset, Said, View, Welcome};
use crate::values::time::Wall;

/// The columns that are assumed for a screen whose size is not known.
const COLUMNS: u16 = 80;

/// How the lines of before are shown on a first screen. If its width is not known, they are broken between words at 80
/// columns, as the hub's own lines are: that screen is where the hub introduces itself, and a terminal would break it
/// inside of words. What is said later goes out in one piece, as programs behind a pipe want it.
fn at_first(view: View) -> View {
    if view.width > 1 { view } else { View { width: COLUMNS, usual: true, ..view } }
}

/// The last rendered replay of a room's lines, kept because most people who come in next are shown
/// the same.
#[derive(Clone, Debug)]
pub struct Replayed {
    lines: Arc<[Arc<Line>]>,
    new: Option<usize>,
    view: View,
    offset: Offset,
    /// The rows into which the lines had to fit.
    rows: usize,
    /// The day (since 1970, UTC) on which they were rendered: notices about other days depend on
    /// it.
    day: i64,
    bytes: Vec<u8>,
}

/// Appends the texts for a person who comes into a room. `last` is the replay that was rendered
/// last; it is used again if it fits, and replaced otherwise.
pub fn entrance(shown: &Entrance, view: View, now: Wall, last: &mut Option<Replayed>, out: &mut Vec<u8>) {
    let start = out.len();
    if let Some(welcome) = &shown.welcome {
        greeting(welcome, &mut Page::new(view, out));
    }
    let mut end = Vec::new();
    let page = &mut Page::new(view, &mut end);
    if let Some(topic) = &shown.topic {
        notice(page, &["topic of ", &shown.room, ": ", topic]);
    }
    if shown.private {
        notice(page, &["this room is private: what is said here is recorded nowhere"]);
    }
    here(shown, page);

    // The last row is for typing. A client whose size is not known may still turn out to be a
    // terminal that gets a line editor, and is then told so in one more row.
    let screen = usize::from(if shown.rows == 0 { ROWS - 1 } else { shown.rows }) - 1;
    let rows = screen.saturating_sub(rows_of(&out[start..], view) + rows_of(&end, view));
    let day = now.0.div_euclid(86_400_000);
    let is_same = |last: &Replayed| {
        Arc::ptr_eq(&last.lines, &shown.lines)
            && (last.new, last.view, last.offset, last.rows, last.day) == (shown.new, view, shown.offset, rows, day)
    };
    if let Some(last) = last.as_ref().filter(|last| is_same(last)) {
        out.extend_from_slice(&last.bytes);
    } else {
        let before = out.len();
        before_now(shown, rows, at_first(view), now, &mut Page::new(at_first(view), out));
        let (lines, bytes) = (shown.lines.clone(), out[before..].to_vec());
        *last = Some(Replayed { lines, new: shown.new, view, offset: shown.offset, rows, day, bytes });
    }
    out.append(&mut end);
}

fn greeting(welcome: &Welcome, out: &mut Page<'_>) {
    let kept = match welcome.kept {
        Kept::Nothing => "Nothing that is said is kept.".to_owned(),
        Kept::Lines { lines, time } => {
            let time = time.map_or_else(|| "until it closes".to_owned(), |time| format!("for {}", span(time)));
            match lines {
                1 => format!("The last line of a room is kept {time}."),
                lines => format!("The last {lines} lines of a room are kept {time}."),
            }
        }
        Kept::OnDisk { time: None, .. } => "What is said is kept.".to_owned(),
        Kept::OnDisk { time: Some(time), .. } => format!("What is said is kept for {}.", span(time)),
    };
    let (hub, help) = (&*welcome.hub, "Type /help or /quit.");
    let whole = format!("Welcome to {hub}. {kept} {help}");
    out.own();
    if out.room().is_none_or(|room| columns(&whole) + "-- ".len() <= room) {
        notice(out, &[&whole]);
    } else {
        notice(out, &["Welcome to ", hub, ". ", help]);
        notice(out, &[&kept]);
    }
    for row in welcome.greeting.iter().flat_map(|greeting| greeting.lines()) {
        notice(out, &[row]);
    }
}

/// Appends the line that tells the person's name, the room, and the others in it.
fn here(shown: &Entrance, out: &mut Page<'_>) {
    let with = company(&shown.others, shown.members);
    match shown.welcome {
        Some(_) => notice(out, &["You are ", &shown.nick, " in ", &shown.room, ", ", &with, "."]),
        None => notice(out, &["you are in ", &shown.room, " now, ", &with]),
    }
}

/// The other people among `members`, as a text: `with ann, bob and 3 others`.
fn company(others: &[Arc<str>], members: usize) -> String {
    let more = members.saturating_sub(1 + others.len());
    match (others, more) {
        ([], 0) => "alone".to_owned(),
        ([], more) => format!("with {}", count(more, "other", "others")),
        ([one], 0) => format!("with {one}"),
        ([first @ .., last], 0) => format!("with {} and {last}", first.join(", ")),
        (others, more) => format!("with {} and {}", others.join(", "), count(more, "other", "others")),
    }
}

/// Appends the room's last lines with a heading, as many as fit into `rows` rows.
fn before_now(shown: &Entrance, rows: usize, view: View, now: Wall, out: &mut Page<'_>) {
    let room = &*shown.room;
    if shown.new == Some(0) {
        return notice(out, &["nothing was said in ", room, " since you left"]);
    }
    let lines = &shown.lines[fitting(&shown.lines, rows.saturating_sub(1), view, shown.offset, now)..];
    let offset = shown.offset;
    if lines.is_empty() {
        if !shown.lines.is_empty() {
            notice(out, &["/history shows what was said in ", room, " before"]);
        }
        return;
    }
    let (times, all) = (if lines.len() == 1 { "time" } else { "times" }, lines.len());
    let head = match shown.new {
        None if all == 1 => format!("the last line in {room}"),
        None => format!("the last {all} lines in {room}"),
        Some(new) if new <= all => format!("{} in {room} since you left", count(new, "new line", "new lines")),
        Some(new) => format!("the last {all} of {new} new lines in {room} since you left"),
    };
    notice(out, &[&head, &format!(", {times} in {offset}:")]);
    lines_of(lines, false, &Marks::NONE, offset, now, out);
}

/// The index in `lines` from which on all lines fit into `rows` rows.
fn fitting(lines: &[Arc<Line>], rows: usize, view: View, offset: Offset, now: Wall) -> usize {
    let today = day(now, offset);
    // A notice of a new day takes a row, and so does a notice for a run of removed lines.
    let (mut used, mut first) = (0, lines.len());
    let mut behind: Option<&Arc<Line>> = None;
    let mut bytes = Vec::new();
    for (index, line) in lines.iter().enumerate().rev() {
        let is_gone = line.said == Said::Redacted;
        let own = match behind {
            Some(behind) if is_gone && behind.said == Said::Redacted => 0,
            _ if is_gone => 1,
            _ => {
                bytes.clear();
                lines_of(
                    std::slice::from_ref(line),
                    false,
                    &Marks::NONE,
                    offset,
                    line.at,
                    &mut Page::new(view, &mut bytes),
                );
                rows_of(&bytes, view)
            }
        };
        let on = day(line.at, offset);
        let turns = behind.is_some_and(|behind| day(behind.at, offset) != on);
        used += own + usize::from(turns);
        if used + usize::from(on != today) > rows {
            break;
        }
        (first, behind) = (index, Some(line));
    }
    first
}

/// The rows that rendered bytes take on a screen.
fn rows_of(bytes: &[u8], view: View) -> usize {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.strip_suffix("\r\n").map(|text| text.split("\r\n"));
    lines
        .into_iter()
        .flatten()
        .map(|line| if view.width > 1 { 1 } else { columns(line).div_ceil(COLUMNS.into()).max(1) })
        .sum()
}
