//! Lists and tables of people, rooms, commands and bans.

use std::sync::Arc;

use super::page::{Page, columns};
use super::times::{date_and_time, span, until};
use super::{count, notice, pieces, row, usage};
use crate::hub::account::Role;
use crate::hub::command::{COMMANDS, Command, Group};
use crate::hub::message::{Listed, ShownBearer, ShownCertificate, ShownLeaver, ShownRoom, ShownSanction};
use crate::hub::ownership::Modes;
use crate::values::time::in_words;

/// The head of a list: how many entries there are, and which ones are listed, as in
/// `at least 3 people in lobby beginning with an`.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    /// The number of entries, listed or not.
    pub(super) total: usize,
    /// The beginning of the names that were asked for; `None` for all names.
    pub(super) beginning: Option<&'a str>,
    /// Whether the search stopped early, so that there may be more entries than `total`.
    pub(super) is_part: bool,
}

impl Found<'_> {
    fn at_least(self) -> &'static str {
        if self.is_part { "at least " } else { "" }
    }

    fn beginning(self) -> String {
        self.beginning.map(|beginning| format!(" beginning with {beginning}")).unwrap_or_default()
    }

    /// Appends a row about the entries that are not among the `listed` ones. `part` is a command
    /// that lists some of them.
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

/// Appends the people of a room, each given as name and whether they are away, which a star shows.
pub(super) fn who(room: &str, people: &[(Arc<str>, bool)], found: Found<'_>, out: &mut Page<'_>) {
    let total = count(found.total, "person", "people");
    notice(out, &[found.at_least(), &total, " in ", room, &found.beginning(), ":"]);
    let names = people.iter().map(|(nick, away)| if *away { format!("{nick}*") } else { nick.to_string() });
    names_in_columns(&names.collect::<Vec<_>>(), out);
    found.more(people.len(), &format!("/who {room} ab*"), out);
}

/// Appends rooms, one in a row. Owner and modes stand before the topic, if they are not as in most
/// rooms. The topic stands in quotation marks, so that it cannot look like words of the hub about
/// the room.
pub(super) fn rooms(rooms: &[ShownRoom], found: Found<'_>, out: &mut Page<'_>) {
    notice(out, &[found.at_least(), &count(found.total, "room", "rooms"), &found.beginning(), ":"]);
    let widest = rooms.iter().map(|room| columns(&room.name)).max().unwrap_or(0).max(16);
    for room in rooms {
        let people = count(room.members, "person", "people");
        let Modes { private, moderated, registered, encrypted, slow, lasting, .. } = room.modes;
        let words = [
            (private, "private"),
            (moderated, "moderated"),
            (registered, "registered"),
            (encrypted, "encrypted"),
            (lasting, "lasting"),
        ];
        let owner = room.owner.as_deref().map(|owner| format!("{owner}'s"));
        let modes = words.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word.to_owned());
        let slow = (!slow.is_zero()).then(|| format!("slow {}", in_words(slow)));
        let noted: Vec<String> = owner.into_iter().chain(modes).chain(slow).collect();
        let noted = (!noted.is_empty()).then(|| format!("[{}]", noted.join(", ")));
        let topic = room.topic.as_deref().map(|topic| format!("\"{topic}\""));
        let text: Vec<String> = noted.into_iter().chain(topic).collect();
        cells(out, &[(&room.name, widest), (&people, 11)], &text.join(" "));
    }
    found.more(rooms.len(), "/rooms ab*", out);
}

/// Appends the certificates that log in to an account, one in a row, and what can be done with the
/// certificate of this connection.
pub(super) fn certificates(name: &str, shown: &[ShownCertificate], own: Option<&str>, out: &mut Page<'_>) {
    match shown {
        [] => notice(out, &["no certificate logs in to ", name, "; /help certificate tells how one does"]),
        [_] => notice(out, &["1 certificate logs in to ", name, ":"]),
        more => notice(out, &[&more.len().to_string(), " certificates log in to ", name, ":"]),
    }
    for (number, one) in (1_usize..).zip(shown) {
        let own = if one.is_own { ", this connection's" } else { "" };
        let since = format!("since {}{own}", date_and_time(one.since));
        cells(out, &[(&number.to_string(), 1), (&one.short, 16)], &since);
    }
    if let Some(own) = own {
        notice(out, &["this connection's is ", own, ": /certificate add has it log you in"]);
    }
}

/// Appends the commands that a newcomer needs, grouped by subject.
pub(super) fn help(role: Role, out: &mut Page<'_>) {
    notice(out, &["what you type is said to the room; what begins with / is a command:"]);
    let first = |group| COMMANDS.iter().filter(move |command| command.first && command.group == group);
    let shown: Vec<&Command> = Group::ALL.into_iter().flat_map(first).collect();
    // The usage without optional arguments.
    let usage = |command: &Command| usage(command).split(" [").next().unwrap_or_default().to_owned();
    let widest = shown.iter().map(|command| usage(command).len()).max().unwrap_or(0);
    for command in shown {
        cells(out, &[(&usage(command), widest + 1)], command.about);
    }
    let all = COMMANDS.iter().filter(|command| command.role <= role).count();
    notice(out, &[&format!("/help all lists all {all}; /help and a command explains it")]);
}

/// Appends the names of all commands that `role` may use, grouped by subject.
pub(super) fn help_all(role: Role, out: &mut Page<'_>) {
    notice(out, &["all commands; a unique beginning is enough; /help and one explains it:"]);
    for group in Group::ALL {
        let names = COMMANDS.iter().filter(|command| command.role <= role && command.group == group);
        let names: Vec<&str> = names.map(|command| command.name).collect();
        if !names.is_empty() {
            cells(out, &[(group.name(), 10)], &names.join(", "));
        }
    }
}

/// Appends the help on one command.
pub(super) fn help_on(command: &Command, out: &mut Page<'_>) {
    notice(out, &[&usage(command), ": ", command.about]);
    for detail in command.detail.lines() {
        row(out, &[detail]);
    }
    if !command.aliases.is_empty() {
        row(out, &["also: /", &command.aliases.join(", /")]);
    }
}

/// Appends a page of sanctions.
pub(super) fn sanctions(shown: &[ShownSanction], (page, pages): (usize, usize), what: Listed, out: &mut Page<'_>) {
    if shown.is_empty() {
        let nothing = match (page, what) {
            (1, Listed::Bans) => "nobody is banned",
            (1, Listed::Filters) => "operators have made no filters; /filter WORD makes one",
            (1, Listed::All) => "nothing is in force",
            _ => "there is no such page",
        };
        return notice(out, &[nothing]);
    }
    for one in shown {
        let mask = one.mask.as_deref().map_or_else(String::new, |mask| format!(" ({mask})"));
        let whom = match (&one.name, one.by_address) {
            (Some(name), true) => format!("{name} and their address{mask}"),
            (Some(name), false) => format!("{name}{mask}"),
            (None, _) => "an address".to_owned(),
        };
        let from = one.from.as_deref().map_or_else(String::new, |room| format!(" from {room}"));
        let word = if what == Listed::Bans { String::new() } else { format!("{}{from}: ", one.word) };
        let reason = one.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
        cells(out, &[(&one.called, 6)], &format!("{word}{whom}{}, by {}{reason}", until(&one.until), one.by));
    }
    if page < pages {
        let command = match what {
            Listed::Bans => "/bans",
            Listed::Filters => "/filters",
            Listed::All => "/sanctions",
        };
        notice(out, &[&format!("page {page} of {pages}; {command} {} shows the next", page + 1)]);
    }
}

/// Appends a page of the people who have left in the last minutes.
pub(super) fn leavers(shown: &[ShownLeaver], page: usize, is_more: bool, out: &mut Page<'_>) {
    if shown.is_empty() && page > 1 {
        return notice(out, &["there is no such page"]);
    }
    if shown.is_empty() {
        return notice(out, &["nobody who had said something has left in the last 15 minutes"]);
    }
    for one in shown {
        let why = one.why.as_deref().map_or_else(String::new, |why| format!(" ({why})"));
        let before =
            if one.former.is_empty() { String::new() } else { format!(", before that {},", one.former.join(", ")) };
        cells(
            out,
            &[(&one.id.to_string(), 6)],
            &format!("{}{before} left {} ago{why}; {}", one.nick, span(one.ago), one.from),
        );
    }
    if is_more {
        notice(out, &[&format!("/left {} shows the next page", page + 1)]);
    }
}

/// Appends the people whom an ambiguous name can mean, one in a row.
pub(super) fn bearers(people: &[ShownBearer], out: &mut Page<'_>) {
    for one in people {
        let state = match (one.is_here, one.ago) {
            (true, None) => "here now".to_owned(),
            (true, Some(ago)) => format!("here now, called so until {} ago", span(ago)),
            (false, ago) => format!("left {} ago", span(ago.unwrap_or_default())),
        };
        let from = one.from.as_deref().map_or_else(String::new, |from| format!("; {from}"));
        let text = format!("{}, {state}{from}", one.nick);
        match one.id {
            Some(id) => cells(out, &[(&id.to_string(), 6)], &text),
            None => cells(out, &[], &text),
        }
    }
}

/// Appends the other people who bear, or have borne, the name of a person who was just shown.
pub(super) fn others_of_that_name(people: &[ShownBearer], out: &mut Page<'_>) {
    notice(out, &["others were called so of late:"]);
    bearers(people, out);
}

/// `text` padded with spaces to `width` columns.
fn padded(text: &str, width: usize) -> String {
    let fill = width.saturating_sub(columns(text));
    format!("{text}{:fill$}", "")
}

/// Appends a row of a table: cells, each with its width in columns, and a text that may take
/// several rows.
pub(super) fn cells(out: &mut Page<'_>, cells: &[(&str, usize)], text: &str) {
    out.own();
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

/// Appends names in columns, in the known width or in one that fits any terminal.
fn names_in_columns(names: &[String], out: &mut Page<'_>) {
    const BEFORE: usize = 5;
    out.own();
    let room = out.room().unwrap_or_default().saturating_sub(BEFORE);
    let widest = names.iter().map(|name| columns(name)).max().unwrap_or(0) + 2;
    // The space behind the last name of a row needs no room.
    let across = ((room + 2) / widest).max(1);
    for names in names.chunks(across) {
        let cells: String = names.iter().map(|name| padded(name, widest)).collect();
        row(out, &[cells.trim_end()]);
    }
}
