//! Answers as people read them: tables, sentences, times. Nothing here talks to the daemon.
//!
//! Every text that came from the daemon passes [`escape`] (or, as JSON, [`json`]) on its way out:
//! [`Table::row`] and `Screen::line` do it, so that no caller can forget.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::schema;
use crate::settings::Word as _;
use crate::values::time::in_words;
use crate::wire::admin::describe::Description;
use crate::wire::admin::result::{
    AccountDone, AccountList, AdminConnection, Ban, BanList, BanTest, Banned, Client, ClientList, Closed, DiskHistory,
    HistoryStats, Kicked, Line, LineKind, LogLevel, Metrics, Muted, Redacted, Reloaded, Renamed, RoomList, Said,
    Status, Stopped, Topic, Unbanned,
};
use crate::wire::admin::value::{Role, Time};

// ---------------------------------------------------------------------------------------------
// Escaping

/// Whether a character could do more to a terminal than stand there: controls, and what turns,
/// hides or breaks the text around it.
fn is_unsafe(c: char) -> bool {
    c.is_control() // C0, DEL, C1
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // bidi
            | '\u{2028}' | '\u{2029}' // line and paragraph separators
            | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' // unseen
            | '\u{e0000}'..='\u{e007f}') // tags
}

/// The text with everything spelled out that must not reach a terminal.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unsafe(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// On one line.
    Compact,
    /// Indented.
    Pretty,
}

/// JSON that is as safe on a terminal as [`escape`] makes text, and means the same.
#[must_use]
pub fn json(value: &Value, layout: Layout) -> String {
    let text = match layout {
        Layout::Compact => value.to_string(),
        Layout::Pretty => format!("{value:#}"),
    };
    let risky = |c: char| c != '\n' && is_unsafe(c); // the newlines are the layout's: those of strings are escaped
    if !text.contains(risky) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if risky(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

// ---------------------------------------------------------------------------------------------
// Where it goes

/// Standard output, and how it wants things.
pub struct Screen<'a> {
    out: &'a mut dyn Write,
    /// Columns and rows, if it is a terminal.
    pub terminal: Option<(usize, usize)>,
    /// `--json`.
    pub json: bool,
    /// Headings and counts are wanted.
    pub legend: bool,
    /// `--quiet`.
    pub quiet: bool,
}

impl<'a> Screen<'a> {
    /// A screen that is no terminal and wants everything.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, terminal: None, json: false, legend: true, quiet: false }
    }

    /// Writes one line, escaped.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", escape(text))
    }

    /// Writes one line that says that something was done, unless that is not wanted.
    pub(super) fn done(&mut self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.line(text) }
    }

    /// Writes a result as JSON.
    pub(super) fn json(&mut self, value: &Value) -> io::Result<()> {
        let layout = if self.terminal.is_some() { Layout::Pretty } else { Layout::Compact };
        writeln!(self.out, "{}", json(value, layout))
    }

    /// Writes one object of a stream, on one line.
    pub(super) fn json_line(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.out, "{}", json(value, Layout::Compact))
    }

    /// Writes a record of comma-separated values (RFC 4180), each escaped and between quotes. What a
    /// spreadsheet could take for a formula stands behind an apostrophe.
    fn csv(&mut self, values: &[&str]) -> io::Result<()> {
        let quoted = values.iter().map(|value| {
            let formula = if value.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
            format!("\"{formula}{}\"", escape(value).replace('"', "\"\""))
        });
        write!(self.out, "{}\r\n", quoted.collect::<Vec<_>>().join(","))
    }

    /// Writes a text of this program, or escape sequences of its own. Nothing from outside!
    pub(super) fn verbatim(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn legend(&mut self, text: &str) -> io::Result<()> {
        if self.legend { writeln!(self.out, "\n{text}") } else { Ok(()) }
    }
}

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// For texts.
    Left,
    /// For numbers.
    Right,
}

/// Columns as wide as what stands in them.
pub struct Table {
    columns: &'static [(&'static str, Side)],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one.
    #[must_use]
    pub fn new(columns: &'static [(&'static str, Side)]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row; each cell is escaped. A cell that is empty shows as `-`.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len());
        let shown = |cell: String| if cell.is_empty() { "-".into() } else { escape(&cell).into_owned() };
        self.rows.push(cells.map(shown).into());
    }

    /// The lines of the table, cut to `width` if it is known; the heading first, if it is wanted.
    #[must_use]
    pub fn lines(&self, heading: bool, width: Option<usize>) -> Vec<String> {
        let heading = heading.then(|| self.columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
        let rows = || heading.iter().chain(&self.rows);
        let widths: Vec<usize> =
            (0..self.columns.len()).map(|n| rows().map(|row| row[n].width()).max().unwrap_or(0)).collect();
        let line = |row: &Vec<String>| {
            let mut line = String::new();
            for (n, cell) in row.iter().enumerate() {
                let gap = " ".repeat(widths[n] - cell.width());
                let (before, after) = if self.columns[n].1 == Side::Right { (&*gap, "") } else { ("", &*gap) };
                let space = if n == 0 { "" } else { "  " };
                let _ = write!(line, "{space}{before}{cell}{after}");
            }
            cut(line.trim_end(), width)
        };
        rows().map(line).collect()
    }

    fn print(&self, to: &mut Screen<'_>, thing: &str) -> io::Result<()> {
        if !self.rows.is_empty() {
            for line in self.lines(to.legend, to.terminal.map(|(columns, _)| columns)) {
                writeln!(to.out, "{line}")?;
            }
        }
        to.legend(&format!("{} listed.", count(self.rows.len() as u64, thing)))
    }
}

/// The line, no wider than `width`; what was cut shows as an ellipsis.
pub(super) fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if line.width() > width => {
            let mut used = 1;
            let mut kept = String::new();
            for c in line.chars() {
                used += c.width().unwrap_or(0);
                if used > width {
                    break;
                }
                kept.push(c);
            }
            kept.push('\u{2026}');
            kept
        }
        _ => line.to_owned(),
    }
}

// ---------------------------------------------------------------------------------------------
// Values

/// `1 client`, `2 clients`.
#[must_use]
pub fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// A point in time to the second, UTC: `2026-11-22 10:01:02Z`.
#[must_use]
pub fn time(time: &Time) -> String {
    let text = time.to_string();
    format!("{} {}Z", &text[..10], &text[11..19])
}

/// A time span by its two greatest units: `2h 3min`.
#[must_use]
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let two = |n: u64, unit: &str, m: u64, part: &str| {
        if m == 0 { format!("{n}{unit}") } else { format!("{n}{unit} {m}{part}") }
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => two(minutes, "min", rest, "s"),
        (0, _, _) => two(hours, "h", minutes, "min"),
        _ => two(days, "d", hours, "h"),
    }
}

/// A number of bytes: `512B`, `1.5K`, `2.0M`.
#[must_use]
pub fn bytes(number: u64) -> String {
    let tenths = |unit: u64, name: &str| {
        let tenths = u128::from(number) * 10 / u128::from(unit);
        format!("{}.{}{name}", tenths / 10, tenths % 10)
    };
    match number {
        0 => "0".into(),
        1..0x400 => format!("{number}B"),
        0x400..0x10_0000 => tenths(0x400, "K"),
        0x10_0000..0x4000_0000 => tenths(0x10_0000, "M"),
        _ => tenths(0x4000_0000, "G"),
    }
}

/// `192.0.2.1:50312` or `[2001:db8::7]:50312`.
#[must_use]
pub fn address(addr: &str, port: u16) -> String {
    if addr.contains(':') { format!("[{addr}]:{port}") } else { format!("{addr}:{port}") }
}

fn muted_until(until: &str) -> String {
    match until.parse::<Time>() {
        Ok(until) => format!("muted until {}", time(&until)),
        Err(_) => "muted".into(), // "lifted": until somebody lifts it
    }
}

/// What is worth saying of a client besides the columns.
#[must_use]
pub fn notes(client: &Client) -> String {
    let mut notes = Vec::new();
    if client.telnet {
        notes.push("telnet".to_owned());
    }
    if let Some(until) = &client.muted {
        let how = if client.shadow { ", and does not know" } else { "" };
        notes.push(muted_until(until) + how);
    }
    if client.strikes > 0 {
        notes.push(count(u64::from(client.strikes), "strike"));
    }
    if client.dropped > 0 {
        notes.push(format!("dropped {}", client.dropped));
    }
    if client.missed > 0 {
        notes.push(format!("missed {}", client.missed));
    }
    if let Some(why) = &client.away {
        notes.push(if why.is_empty() { "away".into() } else { format!("away: {why}") });
    }
    notes.join(", ")
}

// ---------------------------------------------------------------------------------------------
// Results, one function each

/// `key: value` lines, the keys ending in the same column.
struct Facts(Vec<(&'static str, String)>);

impl Facts {
    fn print(self, to: &mut Screen<'_>) -> io::Result<()> {
        let width = self.0.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        for (key, value) in self.0 {
            let colon = if key.is_empty() { ' ' } else { ':' };
            to.line(format!("{key:>width$}{colon} {value}").trim_end())?;
        }
        Ok(())
    }
}

pub(super) fn status(to: &mut Screen<'_>, status: &Status) -> io::Result<()> {
    let since = format!("{} since {} ({})", status.state, time(&status.since), span(status.uptime_s));
    let mut facts = vec![
        ("State", since),
        ("Version", format!("{}, process {}", status.version, status.pid)),
        (
            "Clients",
            format!("{} of at most {}; {} at the busiest", status.clients, status.clients_max, status.clients_peak),
        ),
        ("Rooms", format!("{} of at most {}", status.rooms, status.rooms_max)),
        ("History", format!("{} in memory", count(status.history_lines, "line"))),
    ];
    if !status.recording.is_empty() {
        facts.push(("Recording", status.recording.clone()));
    }
    let mut key = "Listening";
    for listener in &status.listeners {
        facts.push((std::mem::take(&mut key), format!("{} on {}", listener.name, listener.addr)));
    }
    if !status.admins.is_empty() {
        facts.push(("Administrators", holders(&status.admins)));
    }
    let sockets = if status.activated { "handed over by the service manager" } else { "its own" };
    facts.push(("Sockets", sockets.into()));
    facts.push(("Survival", status.survival.clone()));
    let turns = &status.turns;
    if let Some(at) = &turns.longest_at {
        let millis = |micros: u64| format!("{}.{} ms", micros / 1000, micros % 1000 / 100);
        let (longest, part) = (millis(turns.longest_us), millis(turns.longest_doing_us));
        let longest = format!("{longest}, {part} of it {}, at {}", turns.longest_doing, time(at));
        facts.push(("Turns", format!("{} of the loop; the longest took {longest}", turns.count)));
    }
    facts.push(("Settings", status.config.clone().unwrap_or_else(|| "defaults; no file was read".into())));
    facts.push(("Log level", status.log_level.word().into()));
    let mut key = "Counters";
    for (name, value) in status.counters.iter().filter(|(_, value)| value.as_f64() != Some(0.0)) {
        facts.push((std::mem::take(&mut key), format!("{name} {value}")));
    }
    Facts(facts).print(to)
}

/// Who holds how many connections of the admin socket, whoever has most first.
fn holders(admins: &[AdminConnection]) -> String {
    let mut of: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for one in admins {
        let (all, idle) = of.entry(one.uid).or_default();
        *all += 1;
        *idle += u64::from(one.idle_s.is_some());
    }
    let mut of: Vec<_> = of.into_iter().collect();
    of.sort_by_key(|(uid, (all, _))| (std::cmp::Reverse(*all), *uid));
    let each: Vec<String> = of
        .into_iter()
        .map(|(uid, (all, idle))| {
            let name =
                nix::unistd::User::from_uid(uid.into()).ok().flatten().map_or_else(String::new, |user| user.name);
            let name = if name.is_empty() { format!("user {uid}") } else { name };
            format!(
                "{name}: {}{}",
                count(all, "connection"),
                if idle > 0 { format!(" ({idle} idle)") } else { String::new() }
            )
        })
        .collect();
    each.join(", ")
}

pub(super) fn clients(to: &mut Screen<'_>, list: &ClientList) -> io::Result<()> {
    let mut table = Table::new(&[
        ("ID", Side::Left),
        ("NICK", Side::Left),
        ("ROOM", Side::Left),
        ("ADDRESS", Side::Left),
        ("SINCE", Side::Left),
        ("IDLE", Side::Right),
        ("LINES", Side::Right),
        ("BEHIND", Side::Right),
        ("NOTES", Side::Left),
    ]);
    for client in &list.clients {
        table.row([
            client.id.clone(),
            client.nick.clone(),
            client.room.clone(),
            address(&client.addr, client.port),
            time(&client.since),
            span(client.idle_s),
            client.lines.to_string(),
            bytes(client.behind_bytes),
            notes(client),
        ]);
    }
    table.print(to, "client")
}

pub(super) fn client(to: &mut Screen<'_>, client: &Client) -> io::Result<()> {
    let mut facts = vec![
        ("Id", client.id.clone()),
        ("Nick", client.nick.clone()),
        ("Address", address(&client.addr, client.port)),
        ("Room", client.room.clone()),
        ("Since", time(&client.since)),
        ("Idle", span(client.idle_s)),
        ("Telnet", if client.telnet { "yes" } else { "no" }.into()),
        ("Sent", format!("{}, {} dropped (sent too fast)", count(client.lines, "line"), client.dropped)),
        (
            "Behind",
            format!("{}, {} missed (read too slowly)", bytes(client.behind_bytes), count(client.missed, "line")),
        ),
    ];
    if let Some(why) = &client.away {
        facts.push(("Away", if why.is_empty() { "yes".into() } else { why.clone() }));
    }
    if let Some(until) = &client.muted {
        let until =
            until.parse::<Time>().map_or_else(|_| "until lifted".into(), |until| format!("until {}", time(&until)));
        facts.push(("Muted", until));
    }
    Facts(facts).print(to)
}

/// `ann (c7)` if one was named, the ids otherwise: only one can be matched for certain.
fn whom(asked: &[&str], ids: &[String]) -> String {
    match (asked, ids) {
        ([who], [id]) if who != id => format!("{who} ({id})"),
        _ => ids.join(", "),
    }
}

pub(super) fn kicked(to: &mut Screen<'_>, asked: &[&str], result: &Kicked) -> io::Result<()> {
    to.done(&format!("Disconnected {}.", whom(asked, &result.kicked)))?;
    result.banned.iter().try_for_each(|ban| to.done(&format!("Banned {} {} ({}).", ban.target, ban_end(ban), ban.id)))
}

fn ban_end(ban: &Ban) -> String {
    let long = ban.until.and_then(|until| u64::try_from(until.0.0.saturating_sub(ban.since.0.0)).ok());
    until(ban.until, long.map(Duration::from_millis))
}

/// Until when, and how long that is: what was understood of what somebody has typed.
fn until(end: Option<Time>, long: Option<Duration>) -> String {
    let Some(end) = end else { return "until it is lifted".to_owned() };
    let long = long.map_or_else(String::new, |long| format!(", in {}", in_words(long)));
    format!("until {}{long}", time(&end))
}

pub(super) fn ban_added(to: &mut Screen<'_>, result: &Banned) -> io::Result<()> {
    let hit = if result.disconnected.is_empty() { "nobody".to_owned() } else { result.disconnected.join(", ") };
    match &result.ban {
        Some(ban) => to.done(&format!("Banned {} {} ({}); disconnected {hit}.", ban.target, ban_end(ban), ban.id)),
        None => to.line(&format!("It would disconnect {hit}.")),
    }
}

pub(super) fn bans(to: &mut Screen<'_>, list: &BanList) -> io::Result<()> {
    ban_table(&list.bans).print(to, "ban")?;
    if list.unread {
        to.legend(UNREAD)?;
    }
    if list.persistent { Ok(()) } else { to.legend("They end with the daemon: nothing is recorded.") }
}

fn ban_table(bans: &[Ban]) -> Table {
    let mut table = Table::new(&[
        ("ID", Side::Left),
        ("TARGET", Side::Left),
        ("SINCE", Side::Left),
        ("UNTIL", Side::Left),
        ("BY", Side::Left),
        ("REASON", Side::Left),
    ]);
    for ban in bans {
        table.row([
            ban.id.clone(),
            ban.target.clone(),
            time(&ban.since),
            ban.until.as_ref().map(time).unwrap_or_default(),
            ban.by.clone(),
            ban.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

pub(super) fn ban_removed(to: &mut Screen<'_>, result: &Unbanned) -> io::Result<()> {
    to.done(&format!("Lifted the ban of {} ({}).", result.removed.target, result.removed.id))
}

pub(super) fn ban_tested(to: &mut Screen<'_>, result: &BanTest) -> io::Result<()> {
    ban_table(&result.bans).print(to, "ban")?;
    let hit = if result.clients.is_empty() { "nobody".to_owned() } else { result.clients.join(", ") };
    to.line(&format!("A ban of it would disconnect {hit}."))
}

pub(super) fn accounts(to: &mut Screen<'_>, list: &AccountList) -> io::Result<()> {
    let mut table = Table::new(&[
        ("NAME", Side::Left),
        ("ROLE", Side::Left),
        ("SINCE", Side::Left),
        ("SEEN", Side::Left),
        ("CLIENT", Side::Left),
        ("NOTES", Side::Left),
    ]);
    for account in &list.accounts {
        table.row([
            account.name.clone(),
            role(account.role).to_owned(),
            time(&account.since),
            time(&account.seen),
            account.client.clone().unwrap_or_default(),
            if account.password { "" } else { "no password" }.to_owned(),
        ]);
    }
    table.print(to, "account")?;
    if list.unread { to.legend(UNREAD) } else { Ok(()) }
}

/// Below a list that may lack something.
const UNREAD: &str = "There may be more on disk, which cannot be read now: see \"chathub ctl status\".";

fn role(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Operator => "operator",
    }
}

pub(super) fn account_added(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    let AccountDone { account } = done;
    to.done(&format!("Made the account {} ({}).", account.name, role(account.role)))
}

pub(super) fn account_password(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    to.done(&format!("{} has another password.", done.account.name))
}

pub(super) fn account_unlocked(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    to.done(&format!("{} can be tried again at once.", done.account.name))
}

pub(super) fn account_role(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    to.done(&format!("{} is {} now.", done.account.name, role(done.account.role)))
}

pub(super) fn account_removed(to: &mut Screen<'_>, done: &AccountDone) -> io::Result<()> {
    to.done(&format!("Removed the account {}.", done.account.name))
}

pub(super) fn muted(to: &mut Screen<'_>, (asked, long): (&[&str], Option<Duration>), result: &Muted) -> io::Result<()> {
    to.done(&format!("Muted {} {}.", whom(asked, &result.muted), until(result.until, long)))
}

pub(super) fn unmuted(to: &mut Screen<'_>, asked: &[&str], result: &Muted) -> io::Result<()> {
    to.done(&format!("Unmuted {}.", whom(asked, &result.muted)))
}

pub(super) fn renamed(to: &mut Screen<'_>, result: &Renamed) -> io::Result<()> {
    to.done(&format!("{} ({}) is now {}.", result.from, result.id, result.nick))
}

pub(super) fn rooms(to: &mut Screen<'_>, list: &RoomList) -> io::Result<()> {
    let mut table = Table::new(&[
        ("ROOM", Side::Left),
        ("MEMBERS", Side::Right),
        ("LINES", Side::Right),
        ("KEPT", Side::Right),
        ("SINCE", Side::Left),
        ("TOPIC", Side::Left),
    ]);
    for room in &list.rooms {
        table.row([
            room.name.clone(),
            room.members.to_string(),
            room.lines.to_string(),
            room.history_lines.to_string(),
            time(&room.since),
            room.topic.clone(),
        ]);
    }
    table.print(to, "room")
}

pub(super) fn topic(to: &mut Screen<'_>, result: &Topic) -> io::Result<()> {
    to.line(if result.topic.is_empty() { "(no topic)" } else { &result.topic })
}

pub(super) fn topic_set(to: &mut Screen<'_>, result: &Topic) -> io::Result<()> {
    to.done(&if result.topic.is_empty() {
        format!("The topic of {} is cleared.", result.room)
    } else {
        format!("The topic of {} is now: {}", result.room, result.topic)
    })
}

pub(super) fn closed(to: &mut Screen<'_>, result: &Closed) -> io::Result<()> {
    to.done(&format!("Closed {}; {} moved to the lobby.", result.room, count(result.moved, "client")))
}

/// One line of history. Not a [`Table`]: it comes as a stream, which is never held as a whole.
pub(super) fn history_line(to: &mut Screen<'_>, line: &Line) -> io::Result<()> {
    let said = match line.kind {
        LineKind::Say => format!("{}: {}", line.nick, line.text),
        LineKind::Emote => format!("* {} {}", line.nick, line.text),
        LineKind::Notice => format!("-- {}", line.text),
        LineKind::Redacted => "-- (removed)".to_owned(),
        LineKind::Topic => format!("-- {} set the topic: {}", line.nick, line.text),
    };
    let room = escape(&line.room);
    let gap = " ".repeat(8_usize.saturating_sub(room.width()));
    to.line(&format!("{}  {room}{gap}  {said}", time(&line.t)))
}

pub(super) fn history_heading(to: &mut Screen<'_>) -> io::Result<()> {
    if to.legend { to.line("TIME (UTC)            ROOM      LINE") } else { Ok(()) }
}

pub(super) fn history_end(to: &mut Screen<'_>, number: u64) -> io::Result<()> {
    to.legend(&format!("{} listed.", count(number, "line")))
}

/// A heading by RFC 4180.
pub(super) fn history_csv_heading(to: &mut Screen<'_>) -> io::Result<()> {
    if to.legend { to.csv(&["seq", "time", "room", "nick", "kind", "text"]) } else { Ok(()) }
}

pub(super) fn history_csv_line(to: &mut Screen<'_>, line: &Line) -> io::Result<()> {
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

pub(super) fn redacted(to: &mut Screen<'_>, result: &Redacted) -> io::Result<()> {
    let lines = count(result.lines, "line");
    match (result.dry_run, result.lines) {
        (_, 0) => to.done("No such line is kept."),
        (true, _) => to.line(&format!("{lines} would be made unreadable.")),
        (false, _) => to.done(&format!("{lines} made unreadable.")),
    }
}

pub(super) fn backed_up(to: &mut Screen<'_>, path: &str, length: u64) -> io::Result<()> {
    to.done(&format!("Copied {} to {path}.", bytes(length)))
}

pub(super) fn history_stats(to: &mut Screen<'_>, stats: &HistoryStats) -> io::Result<()> {
    let mut table = Table::new(&[("ROOM", Side::Left), ("LINES", Side::Right), ("OLDEST", Side::Left)]);
    for room in &stats.rooms {
        let oldest = room.oldest.as_ref().map(time).unwrap_or_default();
        table.row([room.room.clone(), room.lines.to_string(), oldest]);
    }
    if let Some(disk) = &stats.disk {
        return history_on_disk(to, stats, disk);
    }
    table.print(to, "room")?;
    let kept = if stats.persistent { "outlives the daemon" } else { "ends with the daemon" };
    to.legend(&format!(
        "{} ({}) in memory, at most {} a room; history {kept}.",
        count(stats.lines, "line"),
        bytes(stats.bytes),
        stats.lines_per_room
    ))
}

fn history_on_disk(to: &mut Screen<'_>, stats: &HistoryStats, disk: &DiskHistory) -> io::Result<()> {
    let mut table = Table::new(&[
        ("ROOM", Side::Left),
        ("ON DISK", Side::Right),
        ("IN MEMORY", Side::Right),
        ("OLDEST", Side::Left),
        ("NEWEST", Side::Left),
    ]);
    let in_memory = |name: &str| stats.rooms.iter().find(|room| room.room == name).map_or(0, |room| room.lines);
    for room in &disk.rooms {
        let memory = in_memory(&room.room).to_string();
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
            format!("{} ({}), at most {} a room", count(stats.lines, "line"), bytes(stats.bytes), stats.lines_per_room),
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

pub(super) fn said(to: &mut Screen<'_>, result: &Said) -> io::Result<()> {
    to.done(&format!("Said to {} in {}.", count(result.clients, "client"), count(result.rooms, "room")))
}

pub(super) fn metrics(to: &mut Screen<'_>, metrics: &Metrics) -> io::Result<()> {
    metrics.text.lines().try_for_each(|line| to.line(line))
}

pub(super) fn log_level(to: &mut Screen<'_>, result: &LogLevel) -> io::Result<()> {
    to.line(result.level.word())
}

pub(super) fn log_level_set(to: &mut Screen<'_>, result: &LogLevel) -> io::Result<()> {
    to.done(&format!("The log level is now {}, until the next start.", result.level.word()))
}

pub(super) fn reloaded(to: &mut Screen<'_>, result: &Reloaded) -> io::Result<()> {
    if result.applied.is_empty() && result.restart.is_empty() {
        return to.done("Settings read; nothing has changed.");
    }
    if !result.applied.is_empty() {
        to.done(&format!("In force now: {}.", result.applied.join(", ")))?;
    }
    if !result.restart.is_empty() {
        to.done(&format!("In force after a restart: {}.", result.restart.join(", ")))?;
    }
    Ok(())
}

pub(super) fn stopped(to: &mut Screen<'_>, result: &Stopped) -> io::Result<()> {
    to.done(&format!(
        "Stopped; {} told goodbye.",
        if result.clients == 1 { "1 client was".into() } else { format!("{} clients were", result.clients) }
    ))?;
    if result.gave_up > 0 {
        let had = if result.gave_up == 1 { "1 client had" } else { &format!("{} clients had", result.gave_up) };
        to.done(&format!("Gave up on some: {had} not taken all that was owed when the deadline came."))?;
    }
    Ok(())
}

pub(super) fn commands(to: &mut Screen<'_>, description: &Description) -> io::Result<()> {
    let mut table =
        Table::new(&[("COMMAND", Side::Left), ("EFFECT", Side::Left), ("REPLIES", Side::Left), ("ABOUT", Side::Left)]);
    for command in &description.commands {
        let effect = if command.changes { "changes" } else { "reads" };
        table.row([command.name.clone(), effect.into(), command.replies.replace('_', " "), command.about.clone()]);
    }
    table.print(to, "command")
}

pub(super) fn command(to: &mut Screen<'_>, description: &Description) -> io::Result<()> {
    for command in &description.commands {
        to.line(&format!("{}: {}", command.name, command.about))?;
        for (heading, schema) in [("ARGUMENT", &command.args), ("RESULT", &command.result)] {
            let columns: &[_] = match heading {
                "ARGUMENT" => {
                    &[("ARGUMENT", Side::Left), ("TYPE", Side::Left), ("", Side::Left), ("ABOUT", Side::Left)]
                }
                _ => &[("RESULT", Side::Left), ("TYPE", Side::Left), ("", Side::Left), ("ABOUT", Side::Left)],
            };
            let mut table = Table::new(columns);
            for field in schema::fields(schema) {
                let need = if field.required { "always" } else { "optional" };
                table.row([field.name, field.kind, need.into(), field.about]);
            }
            if !table.rows.is_empty() {
                to.line("")?;
                for line in table.lines(to.legend, to.terminal.map(|(columns, _)| columns)) {
                    to.line(&line)?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json as object;

    #[test]
    fn nothing_that_moves_a_terminal_is_let_through() {
        assert_eq!(escape("plain \u{e9}\u{4e2d} text"), "plain \u{e9}\u{4e2d} text");
        assert_eq!(escape("\x1b[2J\x07"), "\\u{1b}[2J\\u{7}");
        assert_eq!(escape("a\u{9b}31mb\u{7f}"), "a\\u{9b}31mb\\u{7f}");
        assert_eq!(escape("x\u{202e}y\u{2066}"), "x\\u{202e}y\\u{2066}");
        assert_eq!(escape("a\tb\r\nc\u{2028}"), "a\\tb\\r\\nc\\u{2028}");
    }

    #[test]
    fn json_is_safe_and_means_the_same() {
        let value = object!({"text": "\x1b[2J \u{9b} \u{202e} \u{e0041} \n"});
        let text = json(&value, Layout::Compact);
        assert!(!text.contains(is_unsafe), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
    }

    proptest! {
        #[test]
        fn any_text_is_safe_either_way(text in any::<String>()) {
            prop_assert!(!escape(&text).contains(is_unsafe));
            let value = Value::String(text);
            let shown = json(&value, Layout::Compact);
            prop_assert!(!shown.contains(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), value);
        }
    }

    #[test]
    fn columns_are_as_wide_as_they_look() {
        let mut table = Table::new(&[("A", Side::Left), ("N", Side::Right), ("B", Side::Left)]);
        table.row(["\u{4e2d}\u{6587}".into(), "7".into(), "x".into()]);
        table.row(["e\u{301}".into(), "10".into(), String::new()]);
        assert_eq!(table.lines(true, None), ["A      N  B", "\u{4e2d}\u{6587}   7  x", "e\u{301}     10  -"]);
        assert_eq!(table.lines(false, Some(9)), ["\u{4e2d}\u{6587}   7\u{2026}", "e\u{301}     10\u{2026}"]);
    }

    #[test]
    fn spans_and_sizes_are_short() {
        let spans = [0, 59, 60, 61, 3600, 7380, 86_400, 100_000].map(span);
        assert_eq!(spans, ["0s", "59s", "1min", "1min 1s", "1h", "2h 3min", "1d", "1d 3h"]);
        assert_eq!([0, 512, 1536, 3 << 20, 5 << 30].map(bytes), ["0", "512B", "1.5K", "3.0M", "5.0G"]);
        assert_eq!(bytes(u64::MAX), "17179869183.9G");
    }
}
