//! Values to the bytes that people see: UTF-8, CR LF, nothing that could move a cursor.
//!
//! All texts of the hub stand here, so that they can be read, tested and changed in one place. What
//! came from people is cleaned once more on its way out: no bug elsewhere lets a control character
//! through to a terminal.

pub mod page;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use self::page::{Page, Style, columns};
use crate::hub::account::Role;
use crate::hub::archive::Reach;
use crate::hub::command::{COMMANDS, Command};
use crate::hub::message::{Asked, Done, Farewell, Kept, Line, Message, Offset, Refusal, Replay, Said, View};
use crate::values::terminal::Mode;
use crate::values::time::{Wall, in_words};

/// Appends a room's line as seen in `view`, with its line end.
pub fn line(line: &Line, view: View, out: &mut Vec<u8>) {
    let mut page = Page::new(view, out);
    if let Some(offset) = view.time {
        clock(line.at, offset, Clock::Seconds, &mut page);
    }
    said(&line.said, &mut page);
}

fn said(said: &Said, out: &mut Page<'_>) {
    // What goes on in a further row stands below the text, not below the time or the name.
    let spoken = |out: &mut Page<'_>, before: &str, nick: &str, between: &str, text: &str| {
        out.text(before);
        out.name(nick);
        out.text(between);
        out.hang();
        out.text(text);
    };
    match said {
        Said::Say { nick, text } => spoken(out, "", nick, ": ", text),
        Said::Emote { nick, text } => {
            out.text("* ");
            out.hang();
            out.name(nick);
            pieces(out, &[" ", text]);
        }
        Said::Notice { text } => {
            out.text("-- notice: ");
            out.hang();
            out.text(text);
        }
        Said::Topic { nick: Some(nick), text } if text.is_empty() => spoken(out, "* ", nick, " cleared the topic", ""),
        Said::Topic { nick: Some(nick), text } => spoken(out, "* ", nick, " set the topic: ", text),
        Said::Topic { nick: None, text } if text.is_empty() => pieces(out, &["-- the topic was cleared"]),
        Said::Topic { nick: None, text } => spoken(out, "-- the topic is now: ", "", "", text),
        Said::Redacted => pieces(out, &["-- this line was removed by an operator"]),
        Said::Joined { nick } => aside(out, &[nick, " joined"]),
        Said::Left { nick, reason: None } => aside(out, &[nick, " left"]),
        Said::Left { nick, reason: Some(reason) } => aside(out, &[nick, " left (", reason, ")"]),
        Said::Renamed { from, to } => aside(out, &[from, " is now ", to]),
        Said::Gathered { joined, left, names, members } => {
            aside(out, &[&gathered(*joined, *left, names), &format!("; {members} here now")]);
        }
    }
    out.end();
}

/// Something about coming and going.
fn aside(out: &mut Page<'_>, texts: &[&str]) {
    out.style(Style::Dim);
    out.text("* ");
    out.hang();
    pieces(out, texts);
}

/// `ann, bob, eve and 54 more joined, 12 left`
fn gathered(joined: u32, left: u32, names: &[Arc<str>]) -> String {
    let mut text = String::new();
    if joined > 0 {
        let more = joined as usize - names.len().min(joined as usize);
        match names {
            [first @ .., last] if more == 0 && !first.is_empty() => {
                let _ = write!(text, "{} and {last}", first.join(", "));
            }
            _ => text.push_str(&names.join(", ")),
        }
        if more > 0 {
            let _ = write!(text, " and {more} more");
        }
        text.push_str(" joined");
    }
    if left > 0 {
        let _ = write!(text, "{}{left} left", if joined > 0 { ", " } else { "" });
    }
    text
}

/// Appends texts, each cleaned, without a line end.
fn pieces(out: &mut Page<'_>, pieces: &[&str]) {
    for piece in pieces {
        out.text(piece);
    }
}

/// A notice of the hub: `-- ` and the texts.
fn notice(out: &mut Page<'_>, texts: &[&str]) {
    out.style(Style::Dim);
    out.text("-- ");
    out.hang();
    pieces(out, texts);
    out.end();
}

/// A row of a table in a notice.
fn row(out: &mut Page<'_>, texts: &[&str]) {
    out.text("--   ");
    out.hang();
    pieces(out, texts);
    out.end();
}

#[derive(Clone, Copy)]
enum Clock {
    Seconds,
    Minutes,
}

/// `10:01:02` or `10:01`
fn time_of_day(at: Wall, offset: Offset, clock: Clock) -> String {
    let seconds = local_seconds(at, offset).rem_euclid(86_400);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match clock {
        Clock::Seconds => format!("{hours:02}:{minutes:02}:{:02}", seconds % 60),
        Clock::Minutes => format!("{hours:02}:{minutes:02}"),
    }
}

/// `[10:01:02] ` or `[10:01] `
fn clock(at: Wall, offset: Offset, clock: Clock, out: &mut Page<'_>) {
    out.style(Style::Dim);
    pieces(out, &["[", &time_of_day(at, offset, clock), "]"]);
    out.style(Style::Plain);
    out.text(" ");
}

fn local_seconds(at: Wall, offset: Offset) -> i64 {
    at.0.div_euclid(1000) + i64::from(offset.minutes()) * 60
}

/// The day of a point in time, as `2026-11-22`.
fn day(at: Wall, offset: Offset) -> String {
    // Days to civil date, by the shifted year that begins in March.
    let days = local_seconds(at, offset).div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-11-22 10:01 UTC`
fn date_and_time(at: Wall) -> String {
    let offset = Offset::default();
    format!("{} {} UTC", day(at, offset), time_of_day(at, offset, Clock::Minutes))
}

/// Who else is among `members` people: `with 2 others`.
fn company(members: usize) -> String {
    match members {
        0 | 1 => "alone".to_owned(),
        2 => "with 1 other".to_owned(),
        _ => format!("with {} others", members - 1),
    }
}

/// `3 lines`, `1 line`
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How long a time is, in its two largest units: `2 h 5 min`.
fn length(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A time as one would say it: `30 days`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        0..7200 => (seconds.div_ceil(60), "minute"),
        7200..172_800 => (seconds.div_ceil(3600), "hour"),
        _ => (seconds.div_ceil(86_400), "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// The usage of a command, as `/msg NAME TEXT`.
fn usage(command: &Command) -> String {
    format!("/{} {}", command.name, command.usage).trim_end().to_owned()
}

/// Appends what one client is told, who sees it in `view`.
#[allow(clippy::too_many_lines, reason = "one arm a message: all texts in one place")]
pub fn message(message: &Message, view: View, now: Wall, out: &mut Vec<u8>) {
    let out = &mut Page::new(view, out);
    match message {
        Message::Welcome { hub, greeting, nick, room, members, kept } => {
            let company = company(*members);
            notice(out, &["Welcome to ", hub, ". You are ", nick, " in ", room, ", ", &company, "."]);
            let kept = match kept {
                Kept::Nothing => "Nothing that is said is kept.".to_owned(),
                Kept::Lines(1) => "The last line of a room is kept until it closes.".to_owned(),
                Kept::Lines(kept) => format!("The last {kept} lines of a room are kept until it closes."),
                Kept::OnDisk { time: None, shown } => format!("What is said is kept; /history shows {shown} lines."),
                Kept::OnDisk { time: Some(time), shown } => {
                    format!("What is said is kept for {}; /history shows {shown} lines.", span(*time))
                }
            };
            notice(out, &[&kept, " Type /help or /quit."]);
            if let Some(greeting) = greeting {
                notice(out, &[greeting]);
            }
        }
        Message::Entered { room, members } => {
            notice(out, &["you are in ", room, " now, ", &company(*members)]);
        }
        Message::Topic { room, topic: Some(topic) } => notice(out, &["topic of ", room, ": ", topic]),
        Message::Topic { room, topic: None } => notice(out, &[room, " has no topic"]),
        Message::Replay { room, of, lines, offset } => replay(room, of, lines, *offset, now, out),
        Message::PrivateFrom { nick, text } => private(out, ["[", nick, " -> you] "], text),
        Message::PrivateTo { nick, text, away } => {
            private(out, ["[you -> ", nick, "] "], text);
            is_away(nick, away.as_deref(), out);
        }
        Message::Who { room, people, total, beginning, is_part } => {
            let begin = beginning_with(beginning.as_deref());
            notice(out, &[&at_least(*is_part), &count(*total, "person", "people"), " in ", room, &begin, ":"]);
            let names = people.iter().map(|(nick, away)| if *away { format!("{nick}*") } else { nick.to_string() });
            names_in_columns(&names.collect::<Vec<_>>(), out);
            let part = format!("/who {room} ab*");
            more(people.len(), *total, beginning.is_some(), &part, out);
        }
        Message::Rooms { rooms, total, beginning, is_part } => {
            let begin = beginning_with(beginning.as_deref());
            notice(out, &[&at_least(*is_part), &count(*total, "room", "rooms"), &begin, ":"]);
            let widest = rooms.iter().map(|(name, ..)| columns(name)).max().unwrap_or(0).max(16);
            for (name, members, topic) in rooms {
                let people = count(*members, "person", "people");
                cells(out, &[(name, widest), (&people, 11)], topic.as_deref().unwrap_or(""));
            }
            more(rooms.len(), *total, beginning.is_some(), "/rooms ab*", out);
        }
        Message::Whois { nick, room, since, idle, away, account } => {
            notice(
                out,
                &[nick, " is in ", room, ", connected since ", &date_and_time(*since), ", idle ", &length(*idle)],
            );
            if let Some((name, role)) = account {
                notice(out, &[nick, " is logged in as ", name, ", ", article(*role)]);
            }
            is_away(nick, away.as_deref(), out);
        }
        Message::Help(role) => {
            notice(out, &["what you type is said to the room; //x says \"/x\"; commands:"]);
            for command in COMMANDS.iter().filter(|command| command.role <= *role) {
                cells(out, &[(&usage(command), 20)], command.about);
            }
            notice(out, &["/help and a command tells more of it"]);
        }
        Message::HelpOn(command) => {
            notice(out, &[&usage(command), ": ", command.about]);
            if !command.detail.is_empty() {
                row(out, &[command.detail]);
            }
            if !command.aliases.is_empty() {
                row(out, &["also: /", &command.aliases.join(", /")]);
            }
        }
        Message::AtDoor { hub, greeting, register, wait } => {
            notice(out, &["Welcome to ", hub, ". It is for those who are registered: /login NAME"]);
            let wait = length(wait.as_secs());
            let register = if *register { "Or take a name by /nick NAME, and /register it. " } else { "" };
            notice(out, &[register, "You have ", &wait, ". Type /help or /quit."]);
            if let Some(greeting) = greeting {
                notice(out, &[greeting]);
            }
        }
        Message::RoomIs { room, owner, private, moderated } => {
            let owner = owner.as_deref().map_or_else(|| "nobody's".to_owned(), |owner| format!("{owner}'s"));
            notice(out, &[room, " is ", mode(*private, *moderated), ", and ", &owner]);
        }
        Message::Invitation { from, room } => notice(out, &[from, " invites you to ", room, ": /join ", room]),
        Message::Bans { bans, .. } if bans.is_empty() => notice(out, &["nobody is banned"]),
        Message::Bans { bans, total } => {
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
        Message::Report { from, about, text } => notice(out, &[from, " reports ", about, ": ", text]),
        Message::Ignoring(names) if names.is_empty() => notice(out, &["you ignore nobody"]),
        Message::Ignoring(names) => notice(out, &["you ignore ", &names.join(", ")]),
        Message::Done(what) => done(what, now, out),
        Message::Refused(why) => refusal(why, out),
        Message::HereIAm => notice(out, &["yes, here"]),
        Message::Goodbye(why) => goodbye(why, out),
    }
}

fn private(out: &mut Page<'_>, [before, nick, behind]: [&str; 3], text: &str) {
    out.text(before);
    out.name(nick);
    out.text(behind);
    out.hang();
    out.text(text);
    out.end();
}

fn is_away(nick: &str, away: Option<&str>, out: &mut Page<'_>) {
    match away {
        None => {}
        Some("") => notice(out, &[nick, " is away"]),
        Some(text) => notice(out, &[nick, " is away: ", text]),
    }
}

/// How a list goes on that does not show all; `part` shows some of the others.
fn more(listed: usize, total: usize, is_part: bool, part: &str, out: &mut Page<'_>) {
    match total.saturating_sub(listed) {
        0 => {}
        more if is_part => row(out, &[&format!("and {more} more; a longer beginning shows fewer")]),
        more => row(out, &[&format!("and {more} more; {part} lists those that begin with ab")]),
    }
}

fn beginning_with(beginning: Option<&str>) -> String {
    beginning.map(|beginning| format!(" beginning with {beginning}")).unwrap_or_default()
}

fn at_least(is_part: bool) -> String {
    if is_part { "at least ".to_owned() } else { String::new() }
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

fn replay(room: &str, of: &Replay, lines: &[Arc<Line>], offset: Offset, now: Wall, out: &mut Page<'_>) {
    let today = day(now, offset);
    let head = match of {
        Replay::Last if lines.is_empty() => return notice(out, &["no earlier lines in ", room]),
        Replay::Last if lines.len() == 1 => format!("the last line in {room}, time in {offset}:"),
        Replay::Last => format!("the last {} lines in {room}, times in {offset}:", lines.len()),
        Replay::Search { query, reach } if lines.is_empty() => {
            notice(out, &["no line kept in ", room, " has \"", query, "\""]);
            return looked_back(*reach, out);
        }
        Replay::Search { query, .. } => {
            format!("{} in {room} with \"{query}\", times in {offset}:", count(lines.len(), "line", "lines"))
        }
    };
    notice(out, &[&head]);
    let mut shown = today;
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
        said(&line.said, out);
    }
    if gone > 0 {
        removed(gone, out);
    }
    notice(
        out,
        &[match of {
            Replay::Last => "end of history",
            Replay::Search { .. } => "end of search",
        }],
    );
    if let Replay::Search { reach, .. } = of {
        looked_back(*reach, out);
    }
}

/// What a search has left out, if it has.
fn looked_back(reach: Reach, out: &mut Page<'_>) {
    match reach {
        Reach::All => {}
        Reach::Since(time) => {
            notice(out, &["it went back to ", &date_and_time(time), "; what is older was not looked at"]);
        }
        Reach::Busy => {
            notice(out, &["only the last lines could be looked at: many others are searching; try again in a moment"]);
        }
        Reach::Memory => notice(out, &["only the last lines could be looked at: the recorded ones cannot be read now"]),
    }
}

fn banned(reason: Option<&str>, end: &Option<Wall>, out: &mut Page<'_>) {
    let end = until(end);
    match reason {
        None => notice(out, &["you are banned", &end]),
        Some(reason) => notice(out, &["you are banned", &end, ": ", reason]),
    }
}

/// What stands in place of lines that were removed.
fn removed(gone: usize, out: &mut Page<'_>) {
    notice(out, &[&count(gone, "line was", "lines were"), " removed by an operator"]);
}

/// The same, to whoever has said for how long: what was understood.
fn until_in(end: &Option<Wall>, now: Wall) -> String {
    let left = end.map(|end| u64::try_from(end.0.saturating_sub(now.0)).unwrap_or(0));
    let left = left.map_or_else(String::new, |left| format!(", in {}", in_words(Duration::from_millis(left))));
    until(end) + &left
}

fn until(until: &Option<Wall>) -> String {
    until.map_or_else(|| " until further notice".to_owned(), |until| format!(" until {}", date_and_time(until)))
}

fn done(done: &Done, now: Wall, out: &mut Page<'_>) {
    match done {
        Done::Named(nick) => notice(out, &["you are ", nick, " now"]),
        Done::RenamedByAdmin(nick) => notice(out, &["an operator has named you ", nick]),
        Done::Away => notice(out, &["you are marked as away; /back ends it"]),
        Done::Back => notice(out, &["you are no longer marked as away"]),
        Done::Ignored(nick) => notice(out, &["you ignore ", nick, " now; /unignore ", nick, " ends it"]),
        Done::Unignored(nick) => notice(out, &["you no longer ignore ", nick]),
        Done::Quiet => notice(out, &["arrivals and departures are hidden now; /quiet again shows them"]),
        Done::NotQuiet => notice(out, &["arrivals and departures are shown now"]),
        Done::TimeOn(offset) => {
            notice(out, &["times are shown now, in ", &offset.to_string(), "; /time off hides them"])
        }
        Done::TimeOff => notice(out, &["times are not shown now"]),
        Done::ColorsOn => notice(out, &["colours are shown now; /color off ends it"]),
        Done::ColorsOff => notice(out, &["colours are not shown now; /color on shows them"]),
        Done::Holding => notice(out, &["what others say waits now until you press Enter; /hold again ends it"]),
        Done::NotHolding => notice(out, &["what others say is shown at once"]),
        Done::Mode(Mode::Char) => {
            notice(out, &["you have a line editor: Tab completes, Up recalls, ^R searches; /mode line ends it"]);
        }
        Done::Mode(Mode::Line) => notice(out, &["your program edits your lines now; /mode char ends it"]),
        Done::TypingShows => {
            notice(out, &["careful: your program shows what you type next, and so may the screen behind you"]);
        }
        Done::Interrupted => notice(out, &["what you had typed is gone; /quit leaves"]),
        Done::ReportNoted(nick) => {
            notice(out, &["no operator is here, or reads, just now; administrators see that you reported ", nick]);
        }
        Done::Reported(nick) => notice(out, &["your report about ", nick, " is passed on to the operators"]),
        Done::Muted(end) => notice(out, &["an operator has muted you", &until(end), ": nobody sees what you say"]),
        Done::MutedFor { offence, until: end } => {
            notice(out, &["you are muted", &until(&Some(*end)), ", for ", &offence.to_string()]);
        }
        Done::Unmuted => notice(out, &["you may speak again"]),
        Done::SlowedDown { lines, bytes } => {
            let lines = count(*lines as usize, "line", "lines");
            notice(
                out,
                &[&format!("slow down: your lines wait in turn, up to {lines} or {bytes} bytes a second pass")],
            );
        }
        Done::GivesWay => {
            notice(out, &["much is said here at the moment: your lines wait for room between those of others"]);
        }
        Done::Dropping => notice(out, &["too fast for too long: lines of yours are dropped until you pause"]),
        Done::Dropped(number) => {
            let number = usize::try_from(*number).unwrap_or(usize::MAX);
            notice(out, &[&count(number, "line of yours was", "lines of yours were"), " dropped: nobody saw them"]);
        }
        Done::Private => notice(out, &["this room is private: what is said here is recorded nowhere"]),
        Done::RoomMode { room, private, moderated } => {
            let more = if *private { "; what is said here is recorded nowhere" } else { "" };
            notice(out, &[room, " is ", mode(*private, *moderated), " now", more]);
        }
        Done::Invited { nick, room } => notice(out, &[nick, " may come into ", room]),
        Done::Uninvited { nick, room } => notice(out, &[nick, " is not invited to ", room, " any more"]),
        Done::Voice { room, on: true } => notice(out, &["you may speak in ", room, " while it is moderated"]),
        Done::Voice { room, on: false } => notice(out, &["you may not speak in ", room, " while it is moderated"]),
        Done::VoiceOf { nick, on: true } => notice(out, &[nick, " may speak here while it is moderated"]),
        Done::VoiceOf { nick, on: false } => notice(out, &[nick, " may not speak here while it is moderated"]),
        Done::Expelled { room, reason: None } => notice(out, &["you were sent out of ", room]),
        Done::Expelled { room, reason: Some(reason) } => notice(out, &["you were sent out of ", room, ": ", reason]),
        Done::ExpelledOther { nick, room } => {
            notice(out, &[nick, " may not come into ", room, " until you invite them"])
        }
        Done::Kicked(nick) => notice(out, &["you have disconnected ", nick]),
        Done::MutedOther { nick, until: end, shadow: false } => notice(out, &[nick, " is muted", &until_in(end, now)]),
        Done::MutedOther { nick, until: end, shadow: true } => {
            notice(out, &[nick, " is muted", &until_in(end, now), ", and does not know"]);
        }
        Done::UnmutedOther(nick) => notice(out, &[nick, " may speak again"]),
        Done::Banned { id, hit, until: end } => {
            let hit = count(*hit, "person", "people");
            notice(out, &["ban ", &id.to_string(), " holds", &until_in(end, now), "; disconnected: ", &hit]);
        }
        Done::Unbanned(id) => notice(out, &["ban ", &id.to_string(), " is lifted"]),
        Done::Strikes { nick, count: 0 } => notice(out, &["nothing counts against ", nick]),
        Done::Strikes { nick, count: strikes } => {
            notice(out, &[&count(*strikes as usize, "strike", "strikes"), " against ", nick]);
        }
        Done::MadeOperator(name) => notice(out, &[name, " is an operator now"]),
        Done::Asks(Asked::New { least }) => {
            let least = count(*least, "character", "characters");
            notice(out, &["type a new password of at least ", &least, "; an empty line cancels"]);
        }
        Done::Asks(Asked::Again) => notice(out, &["type it again"]),
        Done::Asks(Asked::Of(name)) => notice(out, &["type the password of ", name, "; an empty line cancels"]),
        Done::Asks(Asked::Present) => notice(out, &["type your present password; an empty line cancels"]),
        Done::AsksNoMore(Some(command)) => {
            notice(out, &["no password is asked for any more; ", command, " asks again"]);
        }
        Done::AsksNoMore(None) => notice(out, &["no password is asked for any more"]),
        Done::Cancelled => notice(out, &["cancelled"]),
        Done::Registered(name) => {
            notice(out, &[name, " is registered, and nobody else can have that name; /login ", name, " next time"]);
        }
        Done::LoggedIn { name, role: Role::Operator } => {
            notice(out, &["welcome, ", name, ": you are logged in, as an operator"]);
        }
        Done::LoggedIn { name, .. } => notice(out, &["welcome, ", name, ": you are logged in"]),
        Done::LoggedOut(nick) => notice(out, &["you are logged out; you are ", nick, " now"]),
        Done::PasswordChanged => notice(out, &["your password is changed"]),
        Done::Unregistered(name) => notice(out, &[name, " is not registered any more; you are a guest now"]),
        Done::AccountRemoved => notice(out, &["your account was removed by an operator; you are a guest now"]),
        Done::RoleChanged(role) => notice(out, &["your account is that of ", article(*role), " now"]),
        Done::NameReclaimed(nick) => {
            notice(out, &["the name you had is registered, and its owner has come; you are ", nick, " now"]);
        }
        Done::RoomClosed { room, reason: None } => notice(out, &[room, " was closed by an operator"]),
        Done::RoomClosed { room, reason: Some(reason) } => {
            notice(out, &[room, " was closed by an operator: ", reason]);
        }
    }
}

fn mode(private: bool, moderated: bool) -> &'static str {
    match (private, moderated) {
        (false, false) => "public",
        (false, true) => "public and moderated",
        (true, false) => "private",
        (true, true) => "private and moderated",
    }
}

fn article(role: Role) -> &'static str {
    match role {
        Role::Guest => "a guest",
        Role::Member => "a member",
        Role::Operator => "an operator",
    }
}

fn refusal(refusal: &Refusal, out: &mut Page<'_>) {
    match refusal {
        Refusal::UnknownCommand { given, nearest: Some(nearest) } => {
            notice(out, &["there is no command /", given, "; did you mean /", nearest, "? (nothing was said)"]);
        }
        Refusal::UnknownCommand { given, nearest: None } => {
            notice(out, &["there is no command /", given, "; /help lists them (nothing was said)"]);
        }
        Refusal::Usage(command) => notice(out, &["usage: ", &usage(command), " (", command.about, ")"]),
        Refusal::NoSuchPerson(name) => notice(out, &["nobody called ", name, " is connected"]),
        Refusal::NoSuchRoom(name) => notice(out, &["there is no room ", name, "; /rooms lists them"]),
        Refusal::RoomLooksLike(name) => {
            notice(out, &["that looks too much like the room ", name, ", which is open; /join ", name, " goes there"])
        }
        Refusal::InvalidName(why) => notice(out, &["that name ", &why.to_string()]),
        Refusal::NameTaken(name) => notice(out, &["that name is taken, or looks too much like one that is: ", name]),
        Refusal::NameReserved(name) => notice(out, &["the name ", name, " is reserved"]),
        Refusal::NameTakenFor(name, what) => {
            notice(out, &["the name ", name, " could be taken for ", &what.to_string(), "; take another one"]);
        }
        Refusal::AlreadyHere(room) => notice(out, &["you are in ", room, " already"]),
        Refusal::AlreadyNamed(name) => notice(out, &["you are ", name, " already"]),
        Refusal::TooManyRoomsFromAddress(limit) => {
            let rooms = count(*limit, "room", "rooms");
            notice(out, &["there are ", &rooms, " opened from your address already, and no more are allowed"]);
        }
        Refusal::TooManyRooms(limit) => {
            notice(out, &["there are ", &count(*limit, "room", "rooms"), " already, and no more are allowed"]);
        }
        Refusal::TooManyIgnored(limit) => {
            notice(out, &["you ignore ", &count(*limit, "name", "names"), " already, and no more are allowed"]);
        }
        Refusal::NotIgnored(name) => notice(out, &["you do not ignore ", name]),
        Refusal::NobodyToReplyTo => notice(out, &["nobody has sent you a private message yet"]),
        Refusal::ReplyGone(name) => notice(out, &[name, " has gone; nobody saw that"]),
        Refusal::ToYourself => notice(out, &["that is you"]),
        Refusal::Muted(end) => notice(out, &["you are muted", &until(end), ": nobody saw that"]),
        Refusal::LineTooLong { bytes, limit } => {
            let text = format!("that line was too long, nobody saw it: {bytes} bytes, at most {limit} are allowed");
            notice(out, &[&text]);
        }
        Refusal::Banned { reason, until: end } => banned(reason.as_deref(), end, out),
        Refusal::NameBanned { name, reason: None } => notice(out, &["nobody may be called ", name, " here"]),
        Refusal::NameBanned { name, reason: Some(reason) } => {
            notice(out, &["nobody may be called ", name, " here: ", reason]);
        }
        Refusal::StillSearching => notice(out, &["your last search is still under way"]),
        Refusal::TopicTooLong(limit) => notice(out, &[&format!("that is too long: at most {limit} bytes are allowed")]),
        Refusal::NoCharMode => {
            notice(out, &["your program sends whole lines; the line editor needs a telnet client on a terminal"]);
        }
        Refusal::BadOffset(given) => notice(out, &[given, " is not an offset from UTC such as +01:00 or -03:30"]),
        Refusal::Full => notice(out, &["the hub is full; try again later"]),
        Refusal::TooManyFromAddress(limit) => {
            let connections = count(*limit, "connection", "connections");
            notice(out, &["there are ", &connections, " from your address already, and no more are allowed"]);
        }
        Refusal::RoleNeeded(Role::Operator) => notice(out, &["that is for operators"]),
        Refusal::RoleNeeded(_) => notice(out, &["that is for those who have logged in"]),
        Refusal::LogInFirst => notice(out, &["log in first: /login NAME (nobody saw that)"]),
        Refusal::NameRegistered(name) => {
            notice(out, &[name, " is registered, or looks like a registered name; if it is yours: /login ", name]);
        }
        Refusal::NameFirst(name) => {
            notice(out, &[name, " cannot be registered; take a name of your own by /nick first"]);
        }
        Refusal::LoggedIn(name) => notice(out, &["you are logged in already, as ", name, "; /logout ends that"]),
        Refusal::RegisteringClosed => notice(out, &["only operators register names here"]),
        Refusal::NoAccounts => notice(out, &["nothing is recorded here now, so no names can be registered"]),
        Refusal::NamesUnread => notice(out, &["names cannot be looked up just now; try again in a moment"]),
        Refusal::AccountsUnread => notice(out, &["accounts cannot be looked up just now; try again in a moment"]),
        Refusal::BansUnread => {
            notice(out, &["the hub cannot look up just now who may come in; please try again in a moment"]);
        }
        Refusal::TooManyAccounts(limit) => {
            notice(out, &["there are ", &count(*limit, "account", "accounts"), " already, and no more are allowed"]);
        }
        Refusal::PasswordShort(least) => {
            let least = count(*least, "character", "characters");
            notice(out, &["a password has at least ", &least]);
        }
        Refusal::PasswordLong(most) => notice(out, &["a password has at most ", &count(*most, "byte", "bytes")]),
        Refusal::PasswordIsName => notice(out, &["a password that is the name protects nothing"]),
        Refusal::PasswordIsCommand => notice(out, &["a password that is a command could not be typed when asked for"]),
        Refusal::PasswordsDiffer => notice(out, &["that was not the same twice; nothing is changed"]),
        Refusal::WrongPassword => notice(out, &["no such name, or not its password"]),
        Refusal::NotYourPassword => notice(out, &["that is not your password"]),
        Refusal::NotReading(nick) => notice(out, &[nick, " is not reading just now: nothing was sent"]),
        Refusal::SentALot(nick) => {
            notice(out, &[nick, " is being sent a lot just now: nothing was sent; try again in a moment"]);
        }
        Refusal::CouldBePassword => {
            notice(out, &["nobody saw that, as it could be a password; if it is none, send it again"]);
        }
        Refusal::WithoutSlash(command) => {
            let text = ["nobody saw that: it looks like /", command.name, " without the slash; ", TO_SAY_IT];
            notice(out, &text);
        }
        Refusal::TooManyAttempts(wait) => {
            let seconds = usize::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(usize::MAX);
            notice(out, &["too often; try again in ", &count(seconds, "second", "seconds")]);
        }
        Refusal::HashingBusy => notice(out, &["too many others are logging in just now; try again in a moment"]),
        Refusal::HashingFailed => notice(out, &["your password could not be checked; please tell an operator"]),
        Refusal::RoomNotOpen(room) => notice(out, &["a room of the name ", room, " is not open to you"]),
        Refusal::NotYourRoom { room, owner: Some(owner) } => notice(out, &[room, " is ", owner, "'s room"]),
        Refusal::NotYourRoom { room, owner: None } => {
            notice(out, &[room, " is nobody's room; who is logged in and opens one by /join owns it"]);
        }
        Refusal::NoVoice(Some(owner)) => {
            notice(out, &["this room is moderated, and nobody saw that; ask ", owner, " to let you speak"]);
        }
        Refusal::NoVoice(None) => notice(out, &["this room is moderated, and nobody saw that"]),
        Refusal::TooManyInvited(limit) => {
            notice(out, &["there are ", &count(*limit, "name", "names"), " on that list, and no more are allowed"]);
        }
        Refusal::IsOperator(nick) => notice(out, &[nick, " is an operator: only administrators change that"]),
        Refusal::HitsYourself => notice(out, &["that would keep yourself out"]),
        Refusal::TooManyBans(limit) => {
            notice(out, &["there are ", &count(*limit, "ban", "bans"), " already, and no more are allowed"]);
        }
        Refusal::NoSuchBan(which) => notice(out, &["there is no ban ", which, "; /bans lists them"]),
        Refusal::NoTarget(why) => notice(out, &[&why.to_string()]),
        Refusal::TooWide(text) => notice(out, &[text, " is too large a part of the Internet"]),
        Refusal::NotByAddress(text) => {
            notice(out, &[text, " is written like an address; whoever is here is called by name"]);
        }
        Refusal::NoLength { why, or_reason } => {
            let more = if *or_reason { "; a reason begins with a word" } else { "" };
            notice(out, &[&why.to_string(), more]);
        }
        Refusal::NoSuchAccount(name) => notice(out, &[name, " is not registered"]),
        Refusal::NotNow => notice(out, &["that cannot be done just now; try again later"]),
        Refusal::HouseRules => notice(out, &["the house rules here do not allow that; nobody saw it"]),
        Refusal::Repeated => notice(out, &["you have said that often enough; nobody saw it again"]),
        Refusal::NetworkNotAllowed => notice(out, &["this hub is not open to your network"]),
        Refusal::Stopping => notice(out, &["the hub is shutting down; try again later"]),
    }
}

/// What begins like a command with a password can be said all the same.
const TO_SAY_IT: &str = "to say it, put a word first";

fn goodbye(why: &Farewell, out: &mut Page<'_>) {
    match why {
        Farewell::Hangup | Farewell::Quit(_) | Farewell::Lost => notice(out, &["goodbye"]),
        Farewell::Kicked(None) => notice(out, &["you were disconnected by an operator"]),
        Farewell::Kicked(Some(reason)) => notice(out, &["you were disconnected by an operator: ", reason]),
        Farewell::Banned { reason, until: end } => banned(reason.as_deref(), end, out),
        Farewell::TooSlow => notice(out, &["you were disconnected: you did not take what was sent to you"]),
        Farewell::MailboxFull => notice(out, &["you were disconnected: too much was waiting for you"]),
        Farewell::NotLoggedIn => notice(out, &["you have not logged in; goodbye"]),
        Farewell::Elsewhere => notice(out, &["you were disconnected: you have logged in from elsewhere"]),
        Farewell::GaveWay => {
            notice(out, &["the hub is full, and you have said nothing yet: you make place for others; come again"]);
        }
        Farewell::Shutdown(None) => notice(out, &["the hub is shutting down; goodbye"]),
        Farewell::Shutdown(Some(text)) => notice(out, &["the hub is shutting down: ", text]),
    }
}

/// Appends what a reader is told that fell too far behind its room.
pub fn missed(lines: u64, view: View, out: &mut Vec<u8>) {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    notice(&mut Page::new(view, out), &["you missed ", &count(lines, "line", "lines")]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::ignore::Borne;
    use crate::values::terminal::Colors;

    fn shown(value: &Message) -> String {
        let mut out = Vec::new();
        message(value, View::default(), Wall(1_795_341_662_123), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn what_came_from_people_is_cleaned_on_its_way_out() {
        let dirty = Message::PrivateFrom { nick: "a\x1b[2Jn".into(), text: "x\r\n\u{9b}31m\u{202e}y\u{7}".into() };
        assert_eq!(shown(&dirty), "[a[2Jn -> you] x31my\r\n");
    }

    const WIDE: View = View { time: None, colors: Colors::None, width: 40, ascii: false };

    fn seen(value: &Message, view: View) -> String {
        let mut out = Vec::new();
        message(value, view, Wall(1_795_341_662_123), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn lines_go_on_below_their_text_at_the_width_of_the_terminal() {
        let said = Said::Say { nick: "ann".into(), text: "a text that is longer than forty columns".into() };
        let at = |view| {
            let line =
                Line { seq: 1, at: Wall(1_795_341_662_123), author: None, said: said.clone(), borne: Borne::default() };
            let mut out = Vec::new();
            super::line(&line, view, &mut out);
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(at(WIDE), "ann: a text that is longer than forty\r\n     columns\r\n");
        let timed = View { time: Some(Offset::default()), ..WIDE };
        assert_eq!(at(timed), "[10:01:02] ann: a text that is longer\r\n                than forty columns\r\n");
        let colored = View { colors: Colors::Basic, ..timed };
        let bare: String =
            at(colored).split("\x1b[").map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect();
        assert_eq!(bare, at(timed), "colours take no room");
        assert!(at(colored).starts_with("\x1b[2m[10:01:02]\x1b[22m"));
        let ascii = View { ascii: true, ..View::default() };
        assert_eq!(
            seen(&Message::PrivateFrom { nick: "zoë".into(), text: "naïve – 日".into() }, ascii),
            "[zoe -> you] naive - ?\r\n"
        );
    }

    #[test]
    fn tables_fit_any_width() {
        let rooms = [("lobby", 12, Some("welcome to all of you who are here")), ("tea", 1, None)];
        let rooms: Vec<_> =
            rooms.iter().map(|(name, members, topic)| ((*name).into(), *members, topic.map(Into::into))).collect();
        let rooms = Message::Rooms { total: rooms.len(), rooms, beginning: None, is_part: false };
        assert_eq!(
            seen(&rooms, View { width: 60, ..WIDE }),
            "-- 2 rooms:\r\n\
             --   lobby            12 people   welcome to all of you who\r\n\
             \x20                                 are here\r\n\
             --   tea              1 person\r\n"
        );
        let people = (0..30).map(|number| (format!("person{number}").into(), number % 7 == 0)).collect();
        let who = Message::Who { room: "lobby".into(), people, total: 30, beginning: None, is_part: false };
        for width in (20..=240).step_by(4) {
            for table in [&rooms, &who, &Message::Help(Role::Guest)] {
                for row in seen(table, View { width, ..WIDE }).lines() {
                    assert!(columns(row) < usize::from(width), "{width}: {row:?}");
                }
            }
        }
    }

    #[test]
    fn days_and_times_are_right_at_the_edges() {
        assert_eq!(day(Wall(0), Offset::default()), "1970-01-01");
        assert_eq!(day(Wall(-1), Offset::default()), "1969-12-31");
        assert_eq!(day(Wall(951_782_400_000), Offset::default()), "2000-02-29");
        assert_eq!(day(Wall(1_795_341_662_123), Offset::default()), "2026-11-22");
        let west = Offset::parse("-12:00").expect("an offset");
        assert_eq!(day(Wall(0), west), "1969-12-31");
        assert_eq!(date_and_time(Wall(1_795_341_662_123)), "2026-11-22 10:01 UTC");
    }

    #[test]
    fn gathered_lines_name_a_few_and_count_the_rest() {
        let names: Vec<Arc<str>> = vec!["ann".into(), "bob".into()];
        assert_eq!(gathered(2, 0, &names), "ann and bob joined");
        assert_eq!(gathered(5, 1, &names), "ann, bob and 3 more joined, 1 left");
        assert_eq!(gathered(0, 7, &[]), "7 left");
    }

    #[test]
    fn help_shows_every_command_of_the_table_and_fits_eighty_columns() {
        let help = shown(&Message::Help(Role::Operator));
        for command in COMMANDS {
            assert!(help.contains(&format!("/{} ", command.name)), "{}", command.name);
            shown(&Message::HelpOn(command)).lines().for_each(|line| assert!(line.len() < 80, "{line}"));
        }
        help.lines().for_each(|line| assert!(line.len() < 80, "{line}"));
    }
}
