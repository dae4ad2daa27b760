//! Rendering: turns messages and lines into the bytes that people see, in UTF-8 with CR LF.
//!
//! All texts of the hub are here, so that they can be read, tested and changed in one place. Text
//! that came from people is cleaned once more, so that no bug elsewhere lets a control character
//! through to a terminal.
//!
//! | to change | see |
//! | --- | --- |
//! | a line of a room; a goodbye; a private message | here |
//! | the texts on coming into a room | [`entrance`] |
//! | confirmations of what was done | `done` |
//! | refusals | `refusal` |
//! | the answer to /seen | `seen` |
//! | lists and tables: people, rooms, commands, bans | `lists` |
//! | lines of history, and results of searches | `replay` |
//! | places of a name or a searched text in a line | `hits` |
//! | memos: messages that were left for somebody | `memos` |
//! | reports, as operators see them | `reports` |
//! | times and lengths of time | `times` |
//! | the colour of a name | `colors` |
//! | where rows are broken, how other characters become ASCII | [`page`] |
//!
//! Nothing here knows the reader: everybody with the same view gets the same bytes. The texts of
//! the admin protocol and of `chathub ctl` are not here, but with their code.

mod colors;
mod done;
mod entrance;
mod hits;
mod lists;
mod memos;
pub mod page;
mod refusal;
mod replay;
mod reports;
mod seen;
mod times;

use std::fmt::Write as _;
use std::sync::Arc;

use self::done::done;
pub use self::entrance::{Replayed, entrance};
use self::hits::hits;
use self::lists::Found;
use self::page::{Page, Style};
use self::refusal::refusal;
use self::replay::replay;
use self::times::{Clock, clock, date_and_time, length, until};
use crate::hub::account::Role;
use crate::hub::command::Command;
use crate::hub::message::{Farewell, Line, Message, Said, View};
use crate::hub::ownership::Modes;
use crate::values::name;
use crate::values::terminal::Colors;
use crate::values::time::{Wall, in_words};

/// Moves the cursor to the upper left, and clears the screen (ECMA-48: CUP, ED).
const CLEAR_SCREEN: &[u8] = b"\x1b[H\x1b[2J";

/// Appends a room's line, rendered in `view`, with CR LF.
pub fn line(line: &Line, view: View, out: &mut Vec<u8>) {
    let mut page = Page::new(view, out);
    stamp(line.at, view, &mut page);
    said(&line.said, &Marks::NONE, &mut page);
}

/// Appends the time of day, if `view` shows times.
fn stamp(at: Wall, view: View, out: &mut Page<'_>) {
    if let Some(offset) = view.time {
        clock(at, offset, Clock::Seconds, out);
    }
}

/// Appends a line as its own author sees it: with the name in bold, or with `> ` before it if
/// `view` has no colours.
fn own_line(line: &Line, view: View, out: &mut Vec<u8>) {
    let mut page = Page::new(view, out);
    let own = line.said.is_speech();
    stamp(line.at, view, &mut page);
    if own && view.colors == Colors::None {
        page.text("> ");
    }
    said(&line.said, &Marks { own, ..Marks::NONE }, &mut page);
}

/// Appends a line that mentions its reader's `name`; `ring` adds a bell.
fn mention(line: &Line, name: &str, ring: bool, view: View, out: &mut Vec<u8>) {
    let mut page = Page::new(view, out);
    stamp(line.at, view, &mut page);
    if ring {
        page.ring();
    }
    page.style(Style::Bold);
    page.text("@ ");
    page.style(Style::Plain);
    said(&line.said, &Marks { wanted: &name::fold(name), ..Marks::NONE }, &mut page);
}

/// The parts of a line that are highlighted.
struct Marks<'a> {
    /// Each place of this folded text in the line's text; empty for none.
    wanted: &'a str,
    /// Whether those places stand between stars if the view has no colours.
    stars: bool,
    /// Whether the author's name is highlighted, because the author is the reader.
    own: bool,
}

impl Marks<'_> {
    /// Highlights nothing.
    const NONE: Self = Marks { wanted: "", stars: false, own: false };
}

fn said(said: &Said, marks: &Marks<'_>, out: &mut Page<'_>) {
    let text_of = |out: &mut Page<'_>, text: &str| {
        if marks.wanted.is_empty() {
            out.text(text);
        } else {
            out.marked(text, &hits(text, marks.wanted), marks.stars);
        }
    };
    let name_of = |out: &mut Page<'_>, nick: &str| {
        if marks.own {
            out.style(Style::Bold);
        }
        out.name(nick);
        out.style(Style::Plain);
    };
    // Further rows of a line are indented to the beginning of its text, behind the time and the
    // name.
    let spoken = |out: &mut Page<'_>, before: &str, nick: &str, between: &str, text: &str| {
        out.text(before);
        name_of(out, nick);
        out.text(between);
        out.hang();
        text_of(out, text);
    };
    match said {
        Said::Say { nick, text } => spoken(out, "", nick, ": ", text),
        Said::Emote { nick, text } => {
            out.text("* ");
            out.hang();
            name_of(out, nick);
            out.text(" ");
            text_of(out, text);
        }
        Said::Notice { text } => {
            out.own();
            out.text("-- notice: ");
            out.hang();
            text_of(out, text);
        }
        Said::Topic { nick: Some(nick), text } if text.is_empty() => spoken(out, "* ", nick, " cleared the topic", ""),
        Said::Topic { nick: Some(nick), text } => spoken(out, "* ", nick, " set the topic: ", text),
        Said::Topic { nick: None, text } => {
            out.own();
            if text.is_empty() {
                pieces(out, &["-- the topic was cleared"]);
            } else {
                spoken(out, "-- the topic is now: ", "", "", text);
            }
        }
        Said::Redacted => {
            out.own();
            pieces(out, &["-- this line was removed by a moderator"]);
        }
        Said::Joined { nick } => aside(out, &[nick, " joined"]),
        Said::Left { nick, reason: None, .. } => aside(out, &[nick, " left"]),
        Said::Left { nick, reason: Some(to), moved: true, .. } => aside(out, &[nick, " left for ", to]),
        Said::Left { nick, reason: Some(reason), .. } => aside(out, &[nick, " left (", reason, ")"]),
        Said::Renamed { from, to } => aside(out, &[from, " is now ", to]),
        Said::Gathered { joined, left, renamed, names, members } => {
            aside(out, &[&gathered(*joined, *left, *renamed, names), &format!("; {members} here now")]);
        }
    }
    out.end();
}

/// Appends a line about coming and going, with `* ` before it.
fn aside(out: &mut Page<'_>, texts: &[&str]) {
    out.own();
    out.style(Style::Dim);
    out.text("* ");
    out.hang();
    pieces(out, texts);
}

/// A text such as `ann, bob, eve and 54 more joined, 12 left, 3 took other names`.
fn gathered(joined: u32, left: u32, renamed: u32, names: &[Arc<str>]) -> String {
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
    if renamed > 0 {
        let before = if joined + left > 0 { ", " } else { "" };
        let _ = write!(text, "{before}{renamed} took {}", if renamed == 1 { "another name" } else { "other names" });
    }
    text
}

/// Appends texts, each cleaned, without ending the line.
fn pieces(out: &mut Page<'_>, pieces: &[&str]) {
    for piece in pieces {
        out.text(piece);
    }
}

/// Appends a notice of the hub: a line of `-- ` and the texts.
fn notice(out: &mut Page<'_>, texts: &[&str]) {
    out.own();
    out.style(Style::Dim);
    out.text("-- ");
    out.hang();
    pieces(out, texts);
    out.end();
}

/// Appends a row of a table in a notice.
fn row(out: &mut Page<'_>, texts: &[&str]) {
    out.own();
    out.text("--   ");
    out.hang();
    pieces(out, texts);
    out.end();
}

/// A number with its noun: `3 lines`, `1 line`.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The usage of a command, such as `/msg NAME TEXT`.
fn usage(command: &Command) -> String {
    format!("/{} {}", command.name, command.usage).trim_end().to_owned()
}

/// Appends a message for one client, rendered in `view`. `now` is the present time of day.
#[allow(clippy::too_many_lines, reason = "one arm a message: all texts in one place")]
pub fn message(message: &Message, view: View, now: Wall, out: &mut Vec<u8>) {
    match message {
        Message::Line(said) => return own_line(said, view, out),
        Message::Mention { line, name, ring } => return mention(line, name, *ring, view, out),
        Message::Clear => return out.extend_from_slice(CLEAR_SCREEN),
        Message::Entrance(shown) => return entrance::entrance(shown, view, now, &mut None, out),
        _ => {}
    }
    let out = &mut Page::new(view, out);
    match message {
        Message::Line(_) | Message::Mention { .. } | Message::Clear | Message::Entrance(_) => {}
        Message::Topic { room, topic: Some(topic) } => notice(out, &["topic of ", room, ": ", topic]),
        Message::Topic { room, topic: None } => notice(out, &[room, " has no topic"]),
        Message::Replay { room, of, lines, offset } => replay(room, of, lines, *offset, now, out),
        Message::PrivateFrom { nick, text, ring } => {
            stamp(now, view, out);
            if *ring {
                out.ring();
            }
            private(out, ["[", nick, " -> you] "], text);
        }
        Message::PrivateTo { nick, text, away } => {
            stamp(now, view, out);
            private(out, ["[you -> ", nick, "] "], text);
            match away.as_deref() {
                None => {}
                Some("") => notice(out, &[nick, " has it now, and is away"]),
                Some(away) => notice(out, &[nick, " has it now, and is away: ", away]),
            }
        }
        Message::MemoLeft { nick, text } => {
            stamp(now, view, out);
            private(out, ["[you -> ", nick, "] "], text);
            notice(out, &[nick, " is not here, and gets it on logging in"]);
        }
        Message::Memos { memos, left, offset } => memos::memos(memos, *left, *offset, now, out),
        Message::Who { room, people, total, beginning, is_part } => {
            let found = Found { total: *total, beginning: beginning.as_deref(), is_part: *is_part };
            lists::who(room, people, found, out);
        }
        Message::Rooms { rooms, total, beginning, is_part } => {
            let found = Found { total: *total, beginning: beginning.as_deref(), is_part: *is_part };
            lists::rooms(rooms, found, out);
        }
        Message::Certificates { name, shown, own } => lists::certificates(name, shown, own.as_deref(), out),
        Message::Whois { nick, room, since, idle, away, account, encrypted } => {
            notice(
                out,
                &[nick, " is in ", room, ", connected since ", &date_and_time(*since), ", idle ", &length(*idle)],
            );
            if let Some((name, role)) = account {
                notice(out, &[nick, " is logged in as ", name, ", ", article(*role)]);
            }
            if *encrypted {
                notice(out, &["the connection of ", nick, " is encrypted"]);
            }
            is_away(nick, away.as_deref(), out);
        }
        Message::Seen(found) => seen::seen(found, out),
        Message::Help { role, all: false } => lists::help(*role, out),
        Message::Help { role, all: true } => lists::help_all(*role, out),
        Message::Greeting { hub, text } => {
            notice(out, &["Welcome to ", hub, ". Type /help or /quit."]);
            text.lines().for_each(|row| notice(out, &[row]));
        }
        Message::Rules(text) if text.is_empty() => notice(out, &["no house rules are written down"]),
        Message::Rules(text) => text.lines().for_each(|row| notice(out, &[row])),
        Message::HelpOn(command) => lists::help_on(command, out),
        Message::AtDoor { hub, greeting, register, wait, lockdown, banned } => {
            match lockdown {
                _ if *banned => {
                    notice(out, &["Welcome to ", hub, "."]);
                    notice(out, &["This address is banned; an operator can log in: /login NAME"]);
                }
                None => notice(out, &["Welcome to ", hub, ". It is for those who are registered: /login NAME"]),
                Some(_) => notice(
                    out,
                    &["Welcome to ", hub, ". Only registered people come in", &until(lockdown), ": /login NAME"],
                ),
            }
            if *register && lockdown.is_none() && !banned {
                notice(out, &["Or take a name by /nick NAME, and /register it."]);
            }
            notice(out, &["You have ", &length(wait.as_secs()), ". Type /help or /quit."]);
            for row in greeting.iter().flat_map(|greeting| greeting.lines()) {
                notice(out, &[row]);
            }
        }
        Message::RoomIs { room, owner, modes, moderators, successor } => {
            let owner = owner.as_deref().map_or_else(|| "nobody's".to_owned(), |owner| format!("{owner}'s"));
            let mut more = more_modes(modes);
            if !moderators.is_empty() {
                let _ = write!(more, "; moderators: {}", moderators.join(", "));
            }
            if let Some(successor) = successor {
                let _ = write!(more, "; successor: {successor}");
            }
            notice(out, &[room, " is ", mode(modes), ", and ", &owner, &more]);
        }
        Message::Invitation { from, room } => notice(out, &[from, " invites you to ", room, ": /join ", room]),
        Message::Sanctions { shown, page, pages, total: _, what } => {
            lists::sanctions(shown, (*page, *pages), *what, out);
        }
        Message::Bearers(others) => lists::others_of_that_name(others, out),
        Message::Leavers { shown, page, is_more } => lists::leavers(shown, *page, *is_more, out),
        Message::Report { id, from, shadow, about, reason } => {
            let (id, because) = (id.to_string(), if reason.is_empty() { "" } else { ": " });
            let shadow = if *shadow { " (muted, and does not know)" } else { "" };
            notice(out, &["report ", &id, ": ", from, shadow, " reports ", about, because, reason]);
        }
        Message::Reports { reports, page, pages, total, all } => {
            reports::list(reports, reports::Part { page: *page, pages: *pages, total: *total, all: *all }, now, out);
        }
        Message::ReportShown(report) => reports::one(report, now, out),
        Message::Ignoring(names) if names.is_empty() => notice(out, &["you ignore nobody"]),
        Message::Ignoring(names) => notice(out, &["you ignore ", &names.join(", ")]),
        Message::Done(what) => done(what, now, out),
        Message::Refused(why) => refusal(why, out),
        Message::HereIAm => notice(out, &["yes, here"]),
        Message::Goodbye(why) => goodbye(why, out),
    }
}

/// Appends a private message.
fn private(out: &mut Page<'_>, [before, nick, behind]: [&str; 3], text: &str) {
    out.style(Style::Bold);
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

/// Appends a notice that the client is banned, until when and why.
fn banned(reason: Option<&str>, end: &Option<Wall>, out: &mut Page<'_>) {
    let end = until(end);
    match reason {
        None => notice(out, &["you are banned", &end]),
        Some(reason) => notice(out, &["you are banned", &end, ": ", reason]),
    }
}

fn mode(modes: &Modes) -> &'static str {
    match (modes.private, modes.moderated) {
        (false, false) => "public",
        (false, true) => "public and moderated",
        (true, false) => "private",
        (true, true) => "private and moderated",
    }
}

/// The further modes of a room as a text, such as `; only registered people speak`; empty if there
/// are none.
fn more_modes(modes: &Modes) -> String {
    let mut text = String::new();
    if modes.registered {
        text.push_str("; only registered people speak");
    }
    if modes.encrypted {
        text.push_str("; only encrypted connections come in");
    }
    if !modes.slow.is_zero() {
        let _ = write!(text, "; each says one line in {}", in_words(modes.slow));
    }
    text.push_str(match modes.topic_locked {
        Some(true) => "; operators set its topic",
        Some(false) => "; everybody sets its topic",
        None => "",
    });
    text.push_str(if modes.lasting { "; it is kept while empty" } else { "" });
    text
}

fn article(role: Role) -> &'static str {
    match role {
        Role::Guest => "a guest",
        Role::Member => "a member",
        Role::Operator => "an operator",
    }
}

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
        Farewell::Idle => notice(out, &["you have sent nothing for long; goodbye"]),
        Farewell::GaveWay => {
            notice(out, &["the hub is full, and you have said nothing yet: you make place for others; come again"]);
        }
        Farewell::NoChat => notice(
            out,
            &["this is a chat hub for telnet and nc, and your program speaks something else: nobody saw what it sent"],
        ),
        Farewell::Shutdown(None) => notice(out, &["the hub is shutting down; goodbye"]),
        Farewell::Shutdown(Some(text)) => notice(out, &["the hub is shutting down: ", text]),
    }
}

/// Appends the note that a client missed `lines` lines of its room, because they were dropped
/// before they were sent.
pub fn missed(lines: u64, view: View, out: &mut Vec<u8>) {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    notice(&mut Page::new(view, out), &["you missed ", &count(lines, "line", "lines")]);
}

#[cfg(test)]
mod tests;
