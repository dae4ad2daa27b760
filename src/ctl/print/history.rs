//! Prints lines of history as text or as comma-separated values, the counts of `history-stats`, and
//! the results of `redact` and `backup`.

use std::io;

use unicode_width::UnicodeWidthStr as _;

use super::escape::escape;
use super::screen::Screen;
use super::table::{FULL, Facts, Table, cut, left, right};
use super::values::{bytes, count, time};
use crate::wire::admin::result::{DiskHistory, HistoryStats, Line, LineKind, Redacted};

pub(in crate::ctl) fn heading(to: &mut Screen<'_>) -> io::Result<()> {
    if to.legend { to.heading(&format!("{:20}  {:ROOM$}  LINE", "TIME (UTC)", "ROOM")) } else { Ok(()) }
}

/// The columns of a room's name, which is cut to them on a terminal. They are known beforehand, as
/// those of a [`Table`] are not.
const ROOM: usize = 12;

/// Prints a line as text, as it arrives. Returns whether the room's name was cut.
pub(in crate::ctl) fn line(to: &mut Screen<'_>, line: &Line) -> io::Result<bool> {
    let said = match line.kind {
        LineKind::Say => format!("{}: {}", line.nick, line.text),
        LineKind::Emote => format!("* {} {}", line.nick, line.text),
        LineKind::Notice => format!("-- {}", line.text),
        LineKind::Redacted => "-- (removed)".to_owned(),
        LineKind::Topic => match (&*line.nick, &*line.text) {
            ("", "") => "-- the topic was cleared".to_owned(),
            (nick, "") => format!("-- {nick} cleared the topic"),
            ("", text) => format!("-- an administrator set the topic: {text}"),
            (nick, text) => format!("-- {nick} set the topic: {text}"),
        },
    };
    let room = escape(&line.room);
    let shown = cut(&room, to.columns().map(|_| ROOM));
    let gap = " ".repeat(ROOM.saturating_sub(shown.width()));
    to.hanging(&format!("{}  {shown}{gap}  ", time(&line.t)), &said)?;
    Ok(shown != *room)
}

/// Prints the number of lines. `left_out`: whether a room's name was cut.
pub(in crate::ctl) fn end(to: &mut Screen<'_>, number: u64, left_out: bool) -> io::Result<()> {
    let full = if left_out { FULL } else { "" };
    to.legend(&format!("{} listed.{full}", count(number, "line")))
}

/// The heading of comma-separated values (RFC 4180).
pub(in crate::ctl) fn csv_heading(to: &mut Screen<'_>) -> io::Result<()> {
    if to.legend { to.csv(&["seq", "time", "room", "nick", "kind", "text"]) } else { Ok(()) }
}

pub(in crate::ctl) fn csv_line(to: &mut Screen<'_>, line: &Line) -> io::Result<()> {
    let kind = serde_json::to_value(line.kind)?;
    to.csv(&[
        &line.seq.to_string(),
        &line.t.to_string(),
        &line.room,
        &line.nick,
        kind.as_str().unwrap_or_default(),
        &line.text,
    ])
}

pub(in crate::ctl) fn redacted(to: &mut Screen<'_>, result: &Redacted) -> io::Result<()> {
    let lines = count(result.lines, "line");
    let topics = count(result.topics, "topic");
    match (result.dry_run, result.lines, result.topics) {
        (_, 0, 0) => to.done("No such line is kept."),
        (true, _, 0) => to.told(&format!("{lines} would be made unreadable.")),
        (true, ..) => to.told(&format!("{lines} would be made unreadable, {topics} cleared.")),
        (false, _, 0) => to.done(&format!("{lines} made unreadable.")),
        (false, ..) => to.done(&format!("{lines} made unreadable, {topics} cleared.")),
    }
}

pub(in crate::ctl) fn backed_up(to: &mut Screen<'_>, path: &str, length: u64) -> io::Result<()> {
    to.done(&format!("Copied {} to {path}.", bytes(length)))
}

pub(in crate::ctl) fn stats(to: &mut Screen<'_>, stats: &HistoryStats) -> io::Result<()> {
    let mut table = Table::new([left("ROOM").shrinks(12), right("LINES"), left("OLDEST")]);
    for room in &stats.rooms {
        let oldest = room.oldest.as_ref().map(time).unwrap_or_default();
        table.row([room.room.clone(), room.lines.to_string(), oldest]);
    }
    if let Some(disk) = &stats.disk {
        return on_disk(to, stats, disk);
    }
    table.print(to, "room")?;
    let kept = if stats.persistent { "outlives the daemon" } else { "ends with the daemon" };
    to.legend(&format!(
        "{} ({}) in memory, at most {} a room; history {kept}.",
        lines_in_memory(stats),
        bytes(stats.bytes),
        stats.lines_per_room
    ))
}

/// The lines in memory: `3 lines and 2 said in private`.
fn lines_in_memory(stats: &HistoryStats) -> String {
    let private = if stats.private > 0 { format!(" and {} said in private", stats.private) } else { String::new() };
    count(stats.lines, "line") + &private
}

fn on_disk(to: &mut Screen<'_>, stats: &HistoryStats, disk: &DiskHistory) -> io::Result<()> {
    let mut table = Table::new([
        left("ROOM").shrinks(12),
        right("ON DISK"),
        right("IN MEMORY"),
        left("OLDEST").spare(1),
        left("NEWEST").spare(2),
    ]);
    let kept_of = |name: &str| stats.rooms.iter().find(|room| room.room == name).map_or(0, |room| room.lines);
    for room in &disk.rooms {
        let memory = kept_of(&room.room).to_string();
        table.row([room.room.clone(), room.lines.to_string(), memory, time(&room.oldest), time(&room.newest)]);
    }
    for room in stats.rooms.iter().filter(|room| disk.rooms.iter().all(|on_disk| on_disk.room != room.room)) {
        let oldest = room.oldest.as_ref().map(time).unwrap_or_default();
        table.row([room.room.clone(), "0".into(), room.lines.to_string(), oldest, String::new()]);
    }
    table.print(to, "room")?;
    if !to.legend {
        return Ok(());
    }
    let mut facts = vec![
        ("On disk", format!("{} ({}) in {}", count(disk.lines, "line"), bytes(disk.bytes), disk.file)),
        (
            "In memory",
            format!("{} ({}), at most {} a room", lines_in_memory(stats), bytes(stats.bytes), stats.lines_per_room),
        ),
        (
            "Waiting",
            format!(
                "{} for the disk; {} not recorded since the start",
                bytes(disk.waiting_bytes),
                count(disk.lost, "line")
            ),
        ),
        ("Indexed", disk.indexed_to.as_ref().map_or_else(|| "nothing yet".into(), |to| format!("up to {}", time(to)))),
    ];
    if let Some(trouble) = &disk.trouble {
        facts.push(("Trouble", trouble.clone()));
    }
    if let Some(aside) = &disk.set_aside {
        facts.push(("Set aside", aside.clone()));
    }
    Facts(facts).print(to)
}
