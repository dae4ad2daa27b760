//! Lists of people, rooms, commands and bans, and the tables that they stand in.

use std::sync::Arc;

use super::page::{Page, columns};
use super::times::until;
use super::{count, notice, pieces, row, usage};
use crate::hub::account::Role;
use crate::hub::command::{COMMANDS, Command};
use crate::hub::message::{ShownBan, ShownRoom};
use crate::hub::ownership::Modes;
use crate::values::time::in_words;

/// How many there are, and which of them: `at least 3 people in lobby beginning with an`.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    /// How many there are, listed or not.
    pub(super) total: usize,
    /// How the names begin that were looked for, if not all were.
    pub(super) beginning: Option<&'a str>,
    /// Not all were looked at: there may be more than `total`.
    pub(super) is_part: bool,
}

impl Found<'_> {
    fn at_least(self) -> &'static str {
        if self.is_part { "at least " } else { "" }
    }

    fn beginning(self) -> String {
        self.beginning.map(|beginning| format!(" beginning with {beginning}")).unwrap_or_default()
    }

    /// How a list of `listed` goes on; `part` is a command that shows some of the others.
    fn more(self, listed: usize, part: &str, out: &mut Page<'_>) {
        match self.total.saturating_sub(listed) {
            0 => {}
            more if self.beginning.is_some() => {
                row(out, &[&format!("and {more} more; a longer beginning shows fewer")]);
            }
            more => row(out, &[&format!("and {more} more; {part} lists those that begin with ab")]),
        }
    }
}

/// Appends people of a room, as name and whether they are away, which a star shows.
pub(super) fn who(room: &str, people: &[(Arc<str>, bool)], found: Found<'_>, out: &mut Page<'_>) {
    let total = count(found.total, "person", "people");
    notice(out, &[found.at_least(), &total, " in ", room, &found.beginning(), ":"]);
    let names = people.iter().map(|(nick, away)| if *away { format!("{nick}*") } else { nick.to_string() });
    names_in_columns(&names.collect::<Vec<_>>(), out);
    found.more(people.len(), &format!("/who {room} ab*"), out);
}

/// Appends rooms, one a row: whose each is and how it is stands before its topic, if it is not as most are.
pub(super) fn rooms(rooms: &[ShownRoom], found: Found<'_>, out: &mut Page<'_>) {
    notice(out, &[found.at_least(), &count(found.total, "room", "rooms"), &found.beginning(), ":"]);
    let widest = rooms.iter().map(|room| columns(&room.name)).max().unwrap_or(0).max(16);
    for room in rooms {
        let people = count(room.members, "person", "people");
        let Modes { private, moderated, registered, slow, lasting, .. } = room.modes;
        let words = [(private, "private"), (moderated, "moderated"), (registered, "registered"), (lasting, "lasting")];
        let owner = room.owner.as_deref().map(|owner| format!("{owner}'s"));
        let modes = words.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word.to_owned());
        let slow = (!slow.is_zero()).then(|| format!("slow {}", in_words(slow)));
        let noted: Vec<String> = owner.into_iter().chain(modes).chain(slow).collect();
        let topic = room.topic.as_deref().unwrap_or("");
        let text = match noted.is_empty() {
            true => topic.to_owned(),
            false => format!("[{}] {topic}", noted.join(", ")),
        };
        cells(out, &[(&room.name, widest), (&people, 11)], text.trim_end());
    }
    found.more(rooms.len(), "/rooms ab*", out);
}

/// Appends the commands that `role` may use.
pub(super) fn help(role: Role, out: &mut Page<'_>) {
    notice(out, &["what you type is said to the room; //x says \"/x\"; commands:"]);
    for command in COMMANDS.iter().filter(|command| command.role <= role) {
        cells(out, &[(&usage(command), 20)], command.about);
    }
    notice(out, &["/help and a command tells more of it"]);
}

/// Appends what there is to know of one command.
pub(super) fn help_on(command: &Command, out: &mut Page<'_>) {
    notice(out, &[&usage(command), ": ", command.about]);
    for detail in command.detail.lines() {
        row(out, &[detail]);
    }
    if !command.aliases.is_empty() {
        row(out, &["also: /", &command.aliases.join(", /")]);
    }
}

/// Appends the newest of `total` bans.
pub(super) fn bans(bans: &[ShownBan], total: usize, out: &mut Page<'_>) {
    if bans.is_empty() {
        return notice(out, &["nobody is banned"]);
    }
    for ban in bans {
        let whom = ban.name.as_deref().unwrap_or("an address");
        let reason = ban.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
        let text = format!("{whom}{}, by {}{reason}", until(&ban.until), ban.by);
        cells(out, &[(&ban.id.to_string(), 6)], &text);
    }
    let left = total - bans.len();
    if left > 0 {
        notice(out, &["and ", &count(left, "older ban", "older bans")]);
    }
}

/// `text` filled up with spaces to `width` columns.
fn padded(text: &str, width: usize) -> String {
    let fill = width.saturating_sub(columns(text));
    format!("{text}{:fill$}", "")
}

/// A row of a table: cells, each as wide as said, and a text that may take several rows.
fn cells(out: &mut Page<'_>, cells: &[(&str, usize)], text: &str) {
    out.text("--   ");
    for (at, (cell, width)) in cells.iter().enumerate() {
        if at + 1 == cells.len() && text.is_empty() {
            out.text(cell);
        } else {
            pieces(out, &[&padded(cell, *width), " "]);
        }
    }
    out.hang();
    out.text(text);
    out.end();
}

/// Names side by side, in the width that is known, or one that fits any terminal.
fn names_in_columns(names: &[String], out: &mut Page<'_>) {
    const WIDTH: usize = 75;
    const BEFORE: usize = 5;
    let room = out.room().unwrap_or(WIDTH).saturating_sub(BEFORE);
    let widest = names.iter().map(|name| columns(name)).max().unwrap_or(0) + 2;
    // The space behind the last name of a row may lie beyond it.
    let across = ((room + 2) / widest).max(1);
    for names in names.chunks(across) {
        let cells: String = names.iter().map(|name| padded(name, widest)).collect();
        row(out, &[cells.trim_end()]);
    }
}
