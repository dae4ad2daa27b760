//! Checks whether each client got exactly the lines that it must get. Pure: it takes records of
//! what clients typed and received, and returns the first mistake in them.
//!
//! Each room has one client that only listens, from the room's opening on. The lines it gets are
//! the room's *script*: who came, went and said what, in the one order that all members see. All
//! other expectations follow from the scripts and from what each client has typed. The check walks
//! through a client's stream from the first byte: each line must be the next line of the script
//! that is not hidden from this client, or a private message, or the answer to its next command. A
//! client is not shown its own lines; they say where in the script each of its answers belongs. So
//! a line that is lost, doubled, torn, changed, out of order or meant for another client is found,
//! wherever it happens; and so is a typed line that was said never or twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use chathub::hub::account::Role;
use chathub::hub::archive::Reach;
use chathub::hub::command::{self, Meant};
use chathub::hub::ignore::Borne;
use chathub::hub::message::{Done, Entrance, Kept, Line, Message, Offset, Refusal, Replay, Said, Welcome};
use chathub::values::time::Wall;
use chathub::wire::render;

use crate::play::{Act, LOBBY, other_name};

/// Settings of the daemon under test: how many lines a newcomer is shown, and how many lines a room
/// keeps.
pub(crate) const REPLAY: usize = 20;
pub(crate) const KEPT: usize = 200;
/// The longest line that may be typed, in bytes.
pub(crate) const LONGEST: usize = 1024;

/// The state of a client's connection when its record was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Open, and everything sent to the client has arrived.
    Open,
    /// Closed by the hub after `/quit`.
    Quit,
    /// Closed by the hub after the client had closed its side.
    HungUp,
    /// Closed or reset by the client: bytes at the end of its stream may be missing.
    Cut,
}

/// What one client has typed and received.
#[derive(Clone)]
pub(crate) struct Record {
    /// The first name that the client takes; no other client ever takes it.
    pub(crate) nick: String,
    /// The acts that the client has typed, as far as they were handed to the kernel in full.
    pub(crate) acts: Vec<Act>,
    /// All bytes that the client has received.
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: End,
    /// The room whose script this client keeps. It goes there at once and does nothing else. `None`
    /// for all other clients.
    pub(crate) listens: Option<String>,
    /// Whether the hub echoes the client's keys. Such a client is shown its own lines too, and
    /// `bytes` is the content of its screen: see [`on_screen`].
    pub(crate) keys: bool,
}

/// The lines that stood on a terminal, without colours. In the stream of a terminal the typed line
/// is drawn, erased and drawn again; here only the lines that somebody said are left. Rows into
/// which one line was broken are joined.
pub(crate) fn on_screen(stream: &[u8]) -> Vec<u8> {
    let (mut rows, mut row, mut col, mut at) = (Vec::new(), Vec::new(), 0, 0);
    while let Some(byte) = stream.get(at) {
        let rest = &stream[at..];
        let mut length = 1;
        match (byte, rest.get(1)) {
            (0xff, Some(250)) => length = rest.iter().position(|byte| *byte == 240).map_or(rest.len(), |end| end + 1),
            (0xff, Some(251..=254)) => length = 3,
            (0xff, _) => length = 2,
            (b'\r', Some(b'\n')) => {
                rows.append(&mut row);
                rows.extend_from_slice(b"\r\n");
                (col, length) = (0, 2);
            }
            (b'\r', _) => col = 0,
            (b'\x1b', Some(b'[')) => {
                let end = rest[2..].iter().position(|byte| (0x40..=0x7e).contains(byte));
                match end.map(|end| (end + 3, rest[end + 2])) {
                    Some((end, b'J' | b'K')) => {
                        row.truncate(col);
                        length = end;
                    }
                    // Sequences for colours, and for bracketed paste.
                    Some((end, b'm' | b'h' | b'l')) => length = end,
                    // An unknown sequence stays in the text, so that the check finds it.
                    _ => row.push(*byte),
                }
            }
            _ => {
                row.truncate(col);
                row.push(*byte);
                col += 1;
            }
        }
        at += length;
    }
    let mut rows = joined(&rows);
    if !row.windows(2).any(|two| two == PROMPT_ENDS) {
        rows.append(&mut row);
    }
    rows
}

/// The same text, with the rows into which one line was broken joined.
pub(crate) fn joined(rows: &[u8]) -> Vec<u8> {
    let (mut lines, mut at) = (Vec::with_capacity(rows.len()), 0);
    while let Some(byte) = rows.get(at) {
        let rest = &rows[at..];
        if rest.starts_with(BROKEN) {
            lines.push(b' ');
            at += 2 + rest[2..].iter().take_while(|byte| **byte == b' ').count();
        } else {
            lines.push(*byte);
            at += 1;
        }
    }
    lines
}

/// The message to a client when the hub begins to echo its keys.
const EDITOR: &str = "-- you have a line editor: Tab completes, ^R searches; /mode line ends it";

/// The sequence at which the hub breaks a line into rows; the next row is indented.
const BROKEN: &[u8] = b"\r\n  ";

/// The end of the prompt, between the room's name and the typed text.
const PROMPT_ENDS: &[u8] = b"> ";

/// The number of missed lines, if `line` is the note that counts them.
fn note(line: &str) -> Option<usize> {
    let count = line.strip_prefix("-- you missed ")?;
    let count = count.strip_suffix(" lines").or_else(|| count.strip_suffix(" line"))?.parse().ok()?;
    (rendered_note(count) == line).then_some(count)
}

fn rendered_note(count: usize) -> String {
    let mut bytes = Vec::new();
    render::missed(count as u64, chathub::hub::message::View::default(), &mut bytes);
    String::from_utf8(bytes).expect("UTF-8").trim_end().to_owned()
}

/// A mistake that the check has found.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// The nickname of the client whose record shows it.
    pub(crate) client: String,
    /// The offset in that client's stream.
    pub(crate) offset: usize,
    pub(crate) what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.client, self.offset, self.what)
    }
}

/// Counts of the lines that were checked and found right.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) clients: usize,
    pub(crate) room_lines: usize,
    pub(crate) privates: usize,
    pub(crate) answers: usize,
    pub(crate) said: usize,
    /// Lines that a note counted as missed.
    pub(crate) missed: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.clients += other.clients;
        self.room_lines += other.room_lines;
        self.privates += other.privates;
        self.answers += other.answers;
        self.said += other.said;
        self.missed += other.missed;
    }
}

/// A line of a room's script, without its time.
struct Entry {
    text: String,
    what: What,
    /// The index of its author's record. The author is not shown the line.
    author: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Say {
        nick: String,
        text: String,
    },
    Me {
        nick: String,
        text: String,
    },
    Topic {
        nick: String,
        text: String,
    },
    Notice {
        text: String,
    },
    Joined {
        nick: String,
    },
    /// `reason` is empty if there is none.
    Left {
        nick: String,
        reason: String,
    },
    Renamed {
        from: String,
        to: String,
    },
}

impl What {
    fn is_kept(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::Me { .. } | Self::Topic { .. } | Self::Notice { .. })
    }

    fn is_presence(&self) -> bool {
        matches!(self, Self::Joined { .. } | Self::Left { .. } | Self::Renamed { .. })
    }

    /// The speaker of the line, if people who ignore the speaker do not see it.
    fn speaker(&self) -> Option<&str> {
        match self {
            Self::Say { nick, .. }
            | Self::Me { nick, .. }
            | Self::Topic { nick, .. }
            | Self::Renamed { from: nick, .. } => Some(nick),
            // A reason for leaving that comes from the hub is not the speaker's word.
            Self::Left { nick, reason } if !reason.is_empty() && reason != "connection lost" => Some(nick),
            _ => None,
        }
    }

    fn nick(&self) -> &str {
        match self {
            Self::Say { nick, .. }
            | Self::Me { nick, .. }
            | Self::Topic { nick, .. }
            | Self::Joined { nick }
            | Self::Left { nick, .. }
            | Self::Renamed { from: nick, .. } => nick,
            Self::Notice { .. } => "",
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Say { text, .. } | Self::Me { text, .. } | Self::Topic { text, .. } | Self::Notice { text } => text,
            _ => "",
        }
    }

    fn as_said(&self) -> Said {
        let arc = |text: &str| -> Arc<str> { text.into() };
        match self {
            Self::Say { nick, text } => Said::Say { nick: arc(nick), text: arc(text) },
            Self::Me { nick, text } => Said::Emote { nick: arc(nick), text: arc(text) },
            Self::Topic { nick, text } => Said::Topic { nick: Some(arc(nick)), text: arc(text) },
            Self::Notice { text } => Said::Notice { text: arc(text) },
            Self::Joined { nick } => Said::Joined { nick: arc(nick) },
            Self::Left { nick, .. } => Said::Left { nick: arc(nick), reason: None, words: false, moved: false },
            Self::Renamed { from, to } => Said::Renamed { from: arc(from), to: arc(to) },
        }
    }

    /// Parses a line of a room's script.
    fn parse(line: &str) -> Option<Self> {
        let own = str::to_owned;
        if let Some(text) = line.strip_prefix("-- notice: ") {
            return Some(Self::Notice { text: own(text) });
        }
        if let Some(rest) = line.strip_prefix("* ") {
            let (nick, rest) = rest.split_once(' ')?;
            let nick = own(nick);
            // Texts of these tests cannot be confused with the hub's words: each begins with its
            // speaker's name.
            return Some(if rest == "joined" {
                Self::Joined { nick }
            } else if rest == "left" || rest.starts_with("left for ") {
                Self::Left { nick, reason: String::new() }
            } else if let Some(reason) = rest.strip_prefix("left (").and_then(|rest| rest.strip_suffix(')')) {
                Self::Left { nick, reason: own(reason) }
            } else if let Some(to) = rest.strip_prefix("is now ") {
                Self::Renamed { from: nick, to: own(to) }
            } else if let Some(text) = rest.strip_prefix("set the topic: ") {
                Self::Topic { nick, text: own(text) }
            } else {
                Self::Me { nick, text: own(rest) }
            });
        }
        let (nick, text) = line.split_once(": ")?;
        (!nick.contains(' ') && !nick.starts_with("--")).then(|| Self::Say { nick: own(nick), text: own(text) })
    }
}

/// Whether a line (without its time) belongs to a room, and not to one client alone.
fn is_room_line(line: &str) -> bool {
    !(line.starts_with("-- ") && !line.starts_with("-- notice: ") || line.starts_with('['))
}

/// The line without `[12:34:56] ` at its beginning; `None` if it has no time.
fn without_time(line: &str) -> Option<&str> {
    let bytes = line.as_bytes();
    let is = bytes.len() > 11
        && bytes[..11]
            .iter()
            .zip(b"[00:00:00] ")
            .all(|(have, shape)| if *shape == b'0' { have.is_ascii_digit() } else { have == shape });
    is.then(|| &line[11..])
}

/// The line without its mark: `@ ` marks a line with the client's name in it; `> ` marks its own
/// line where there are no colours.
fn unmarked(text: &str) -> &str {
    text.strip_prefix("@ ").or_else(|| text.strip_prefix("> ")).unwrap_or(text)
}

/// Replaces `[12:34] ` at the beginning by `[--:--] `: the check does not know the time of a line.
fn blur(line: &str) -> String {
    let bytes = line.as_bytes();
    if bytes.len() > 8 && bytes[0] == b'[' && bytes[3] == b':' && &bytes[6..8] == b"] " {
        return format!("[--:--] {}", &line[8..]);
    }
    line.to_owned()
}

/// Whether the line is a date, `-- 2026-11-22`. A replay has one where the day changes.
fn is_day(line: &str) -> bool {
    line.len() == 13 && line.starts_with("-- 2") && line.as_bytes()[7] == b'-' && line.as_bytes()[10] == b'-'
}

fn rendered(message: &Message) -> Vec<String> {
    let mut bytes = Vec::new();
    render::message(message, chathub::hub::message::View::default(), Wall(0), &mut bytes);
    let text = String::from_utf8(joined(&bytes)).expect("UTF-8");
    text.split_terminator("\r\n").map(str::to_owned).collect()
}

/// Lines, each with its offset in the stream.
type Lines<'a> = Vec<(usize, &'a str)>;

/// The lines of a stream, and the bytes after the last line end.
fn lines(record: &Record) -> Result<(Lines<'_>, &[u8]), Wrong> {
    let mut lines = Vec::new();
    let mut at = 0;
    let bytes = &record.bytes;
    let wrong = |offset, what: String| Wrong { client: record.nick.clone(), offset, what };
    while let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[at..at + length];
        let line = line.strip_suffix(b"\r").ok_or_else(|| wrong(at, format!("no CR before LF in {}", shown(line))))?;
        let text = std::str::from_utf8(line).map_err(|error| wrong(at, format!("{error} in {}", shown(line))))?;
        // If times are shown, the mark comes after the time.
        let text = unmarked(text);
        if let Some(stray) = text.chars().find(|c| c.is_control()) {
            return Err(wrong(at, format!("{stray:?} in {}", shown(line))));
        }
        lines.push((at, text));
        at += length + 1;
    }
    Ok((lines, &bytes[at..]))
}

fn shown(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}

/// All scripts, with the author of each line.
struct Stage<'a> {
    records: &'a [Record],
    /// The texts that an administrator has said to all rooms.
    notices: &'a [String],
    scripts: BTreeMap<String, Vec<Entry>>,
    /// For each room, the index of the client that keeps its script.
    listeners: BTreeMap<String, usize>,
}

/// Checks all records, and returns how much was checked.
pub(crate) fn check(records: &[Record], notices: &[String]) -> Result<Tally, Wrong> {
    let stage = Stage::build(records, notices)?;
    stage.check_authors()?;
    let mut tally = Tally { clients: records.len(), ..Tally::default() };
    tally.said = stage.scripts.values().flatten().filter(|entry| entry.what.is_kept()).count();
    let mut privates: HashMap<(String, String), Vec<String>> = HashMap::new();
    let mut answered = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let mut walk = Walk::new(&stage, index)?;
        walk.run()?;
        tally.room_lines += walk.room_lines;
        tally.answers += walk.answers;
        tally.missed += walk.missed;
        for (from, text) in walk.privates {
            privates.entry((from, record.nick.clone())).or_default().push(text);
        }
        answered.push((walk.act, walk.refused));
    }
    tally.privates = check_privates(records, &answered, &privates)?;
    Ok(tally)
}

/// Checks private messages: each must arrive once, and in the order in which they were typed.
fn check_privates(
    records: &[Record],
    answered: &[(usize, BTreeSet<usize>)],
    received: &HashMap<(String, String), Vec<String>>,
) -> Result<usize, Wrong> {
    let mut count = 0;
    let mut pairs = BTreeSet::new();
    for (from, (done, refused)) in records.iter().zip(answered) {
        for to in records {
            let texts = |acts: &[Act]| -> Vec<String> {
                let sent = acts.iter().enumerate().filter(|(index, _)| !refused.contains(index));
                let texts = sent.filter_map(|(_, act)| match act {
                    Act::Msg { to: name, text } if *name == to.nick => Some(text.clone()),
                    _ => None,
                });
                texts.collect()
            };
            let (typed, sure) = (texts(&from.acts), texts(&from.acts[..*done]).len());
            let key = (from.nick.clone(), to.nick.clone());
            let got = received.get(&key).map_or(&[][..], Vec::as_slice);
            pairs.insert(key);
            count += got.len();
            let enough = got.len() >= sure || to.end == End::Cut;
            if !typed.starts_with(got) || !enough {
                let at = got.iter().zip(&typed).position(|(got, typed)| got != typed).unwrap_or(got.len());
                return Err(Wrong {
                    client: to.nick.clone(),
                    offset: 0,
                    what: format!(
                        "private messages from {}: number {at} is {:?}, expected {:?} ({} came, {sure} to {} were sent)",
                        from.nick,
                        got.get(at),
                        typed.get(at),
                        got.len(),
                        typed.len()
                    ),
                });
            }
        }
    }
    match received.keys().find(|pair| !pairs.contains(*pair)) {
        Some((from, to)) => Err(Wrong {
            client: to.clone(),
            offset: 0,
            what: format!("a private message from {from:?}, who is nobody"),
        }),
        None => Ok(count),
    }
}

impl<'a> Stage<'a> {
    fn build(records: &'a [Record], notices: &'a [String]) -> Result<Self, Wrong> {
        let mut stage = Self { records, notices, scripts: BTreeMap::new(), listeners: BTreeMap::new() };
        for (index, record) in records.iter().enumerate() {
            let Some(room) = &record.listens else { continue };
            let (lines, _) = lines(record)?;
            let entered = format!("-- you are in {room} now");
            let mut inside = room == LOBBY;
            let mut script = Vec::new();
            let mut in_replay = false;
            for (offset, line) in lines {
                if !inside {
                    inside = line.starts_with(&entered);
                    continue;
                }
                if line.starts_with("-- the last ") {
                    in_replay = true;
                } else if line == "-- end of history" || line.starts_with("-- You are ") {
                    in_replay = false;
                }
                if in_replay || !is_room_line(line) {
                    continue;
                }
                let what = What::parse(line).ok_or_else(|| Wrong {
                    client: record.nick.clone(),
                    offset,
                    what: format!("{line:?} is no line that anybody says"),
                })?;
                script.push(Entry { text: line.to_owned(), what, author: None });
            }
            let told: Vec<&str> = script
                .iter()
                .filter_map(|entry| match &entry.what {
                    What::Notice { text } => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            if told != notices {
                let what = format!("the notices in {room} are {told:?}, expected {notices:?}");
                return Err(Wrong { client: record.nick.clone(), offset: 0, what });
            }
            stage.scripts.insert(room.clone(), script);
            stage.listeners.insert(room.clone(), index);
        }
        stage.resolve()?;
        Ok(stage)
    }

    /// Finds the author of each line in the scripts.
    fn resolve(&mut self) -> Result<(), Wrong> {
        let by_nick: HashMap<&str, usize> =
            self.records.iter().enumerate().map(|(index, record)| (record.nick.as_str(), index)).collect();
        let others: Vec<String> = self.records.iter().map(|record| other_name(&record.nick)).collect();
        let by_nick: HashMap<&str, usize> =
            others.iter().enumerate().map(|(index, nick)| (nick.as_str(), index)).chain(by_nick).collect();
        for (room, script) in &mut self.scripts {
            // Walks from the end to the beginning: a guest is known only by the name that it takes
            // later.
            let mut guests: HashMap<String, Option<usize>> = HashMap::new();
            for (at, entry) in script.iter_mut().enumerate().rev() {
                let wrong = |what: String| Wrong { client: format!("the script of {room}"), offset: at, what };
                entry.author = match &entry.what {
                    What::Notice { .. } => None,
                    What::Renamed { from, to } => {
                        let who = *by_nick
                            .get(to.as_str())
                            .ok_or_else(|| wrong(format!("{:?}: {to} is nobody", entry.text)))?;
                        guests.insert(from.clone(), Some(who));
                        Some(who)
                    }
                    what => {
                        let nick = what.nick();
                        match by_nick.get(nick) {
                            Some(who) => Some(*who),
                            None if nick.starts_with("guest-") && what.is_presence() => {
                                let who = guests.get(nick).copied().flatten();
                                if matches!(what, What::Left { .. }) {
                                    // A guest that never took a name.
                                    guests.insert(nick.to_owned(), None);
                                    None
                                } else {
                                    guests.remove(nick);
                                    who
                                }
                            }
                            None => return Err(wrong(format!("{:?}: {nick} is nobody", entry.text))),
                        }
                    }
                };
            }
        }
        Ok(())
    }

    /// Checks that no text occurs twice in the scripts, and that each was typed.
    fn check_authors(&self) -> Result<(), Wrong> {
        let mut typed: HashMap<(usize, &str), usize> = HashMap::new();
        for (index, record) in self.records.iter().enumerate() {
            for act in &record.acts {
                if let Act::Say(text) | Act::Me(text) | Act::Topic(text) = act {
                    *typed.entry((index, text)).or_default() += 1;
                }
            }
        }
        for (room, script) in &self.scripts {
            let mut members = BTreeSet::from([self.records[self.listeners[room]].nick.as_str()]);
            for (at, entry) in script.iter().enumerate() {
                let is_possible = match &entry.what {
                    What::Joined { nick } => members.insert(nick),
                    What::Left { nick, .. } => members.remove(nick.as_str()),
                    What::Renamed { from, to } => members.remove(from.as_str()) && members.insert(to),
                    What::Notice { .. } => true,
                    what => members.contains(what.nick()),
                };
                if !is_possible {
                    let what = format!("{:?}, and {members:?} are there", entry.text);
                    return Err(Wrong { client: format!("the script of {room}"), offset: at, what });
                }
                if let (What::Left { reason, .. }, Some(author)) = (&entry.what, entry.author)
                    && !self.may_leave(author, reason)
                {
                    let what = format!("{:?}, and that was not why", entry.text);
                    return Err(Wrong { client: format!("the script of {room}"), offset: at, what });
                }
                if !entry.what.is_kept() || matches!(entry.what, What::Notice { .. }) {
                    continue;
                }
                let author = entry.author.expect("resolved");
                let left = typed.get_mut(&(author, entry.what.text()));
                match left {
                    Some(left) if *left > 0 => *left -= 1,
                    found => {
                        let what = match found {
                            Some(_) => format!("{:?} was said twice", entry.text),
                            None => format!("{:?} was never typed", entry.text),
                        };
                        return Err(Wrong { client: format!("the script of {room}"), offset: at, what });
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether client `who` can have left for this reason.
    fn may_leave(&self, who: usize, reason: &str) -> bool {
        let record = &self.records[who];
        let said = |act: &Act| matches!(act, Act::Quit(text) if text == reason);
        reason.is_empty()
            || record.acts.last().is_some_and(said)
            || record.end == End::Cut && reason == "connection lost"
    }

    /// The nicknames in a room before line `at` of its script.
    fn members(&self, room: &str, at: usize) -> BTreeSet<&str> {
        let mut members = BTreeSet::from([self.records[self.listeners[room]].nick.as_str()]);
        for entry in &self.scripts[room][..at] {
            match &entry.what {
                What::Joined { nick } => drop(members.insert(nick)),
                What::Left { nick, .. } => drop(members.remove(nick.as_str())),
                What::Renamed { from, to } => {
                    members.remove(from.as_str());
                    members.insert(to);
                }
                _ => {}
            }
        }
        members
    }
}

/// The room in which a client is.
enum Place<'a> {
    /// A room with a script; the client has seen the lines before `cursor`.
    Script { room: &'a str, cursor: usize },
    /// A room that only this client is in; and the lines it has said there.
    Alone { room: String, said: Vec<What> },
}

/// The check of one client's stream, from its first line to its last.
struct Walk<'a> {
    stage: &'a Stage<'a>,
    index: usize,
    record: &'a Record,
    lines: Lines<'a>,
    rest: &'a [u8],
    /// The index of the next line in `lines`.
    line: usize,
    /// The index of the first act that is neither answered nor said yet.
    act: usize,
    place: Place<'a>,
    /// For each room that it has left: up to which line of the script it was there.
    been: BTreeMap<&'a str, usize>,
    nick: String,
    /// Its new name, if it was renamed and the room has not shown that yet.
    renamed: Option<String>,
    times: bool,
    offset: Offset,
    quiet: bool,
    ignoring: BTreeSet<String>,
    /// Lines before this index in the script may be missing: they were hidden until just now, so it
    /// is not known whether they were shown.
    lax: usize,
    /// Lines that a note has counted as missed and that are not skipped yet: the next lines that
    /// would have been shown.
    debt: usize,
    /// The number of those missed lines that may have been skipped already, among lines that were
    /// hidden until just now.
    slack: usize,
    /// Lines shown out of turn, before the missed lines among which or after which they stand in
    /// the script: its own, and those with its name. They are not counted as missed.
    apart: BTreeSet<&'a str>,
    /// Its own lines before this index in the script are skipped already.
    owned: usize,
    missed: usize,
    /// The number of notices to all rooms that it has seen.
    notices: usize,
    /// The acts that were refused with a message.
    refused: BTreeSet<usize>,
    over: bool,
    room_lines: usize,
    answers: usize,
    privates: Vec<(String, String)>,
}

impl<'a> Walk<'a> {
    fn new(stage: &'a Stage<'a>, index: usize) -> Result<Self, Wrong> {
        let record = &stage.records[index];
        let (lines, rest) = lines(record)?;
        Ok(Self {
            stage,
            index,
            record,
            lines,
            rest,
            line: 0,
            act: 0,
            place: Place::Script { room: LOBBY, cursor: 0 },
            been: BTreeMap::new(),
            nick: String::new(),
            renamed: None,
            times: false,
            offset: Offset::default(),
            quiet: false,
            ignoring: BTreeSet::new(),
            lax: 0,
            debt: 0,
            slack: 0,
            apart: BTreeSet::new(),
            owned: 0,
            missed: 0,
            notices: 0,
            refused: BTreeSet::new(),
            over: false,
            room_lines: 0,
            answers: 0,
            privates: Vec::new(),
        })
    }

    /// The line without its time, if times are shown.
    fn untimed<'b>(&self, line: &'b str) -> &'b str {
        without_time(line).filter(|_| self.times).unwrap_or(line)
    }

    fn wrong(&self, what: impl Into<String>) -> Wrong {
        let offset = self.lines.get(self.line).map_or(self.record.bytes.len(), |(offset, _)| *offset);
        Wrong { client: self.record.nick.clone(), offset, what: what.into() }
    }

    fn run(&mut self) -> Result<(), Wrong> {
        if self.record.bytes.is_empty() && self.record.end == End::Cut {
            return Ok(());
        }
        if !self.lines.is_empty() {
            self.welcome()?;
        }
        while self.line < self.lines.len() {
            let line = self.lines[self.line].1;
            if self.over {
                return Err(self.wrong(format!("{line:?} after the goodbye")));
            }
            let untimed = self.untimed(line);
            if let Some((from, text)) = untimed.strip_prefix('[').and_then(|text| text.split_once(" -> you] ")) {
                if self.times && untimed == line {
                    return Err(self.wrong(format!("{line:?} without a time")));
                }
                self.privates.push((from.to_owned(), text.to_owned()));
                self.line += 1;
            } else if self.record.keys && line == EDITOR {
                self.line += 1;
            } else if let Some(count) = note(line) {
                self.told_of(count)?;
            } else if untimed.starts_with("[you -> ") || line.starts_with("-- ") && !line.starts_with("-- notice: ") {
                self.answer()?;
            } else {
                self.room_line(line)?;
            }
        }
        match self.record.end {
            End::Cut => Ok(()),
            End::Open | End::Quit | End::HungUp => self.finish(),
        }
    }

    fn finish(&mut self) -> Result<(), Wrong> {
        if !self.rest.is_empty() {
            return Err(self.wrong(format!("half a line at the end: {}", shown(self.rest))));
        }
        if self.over {
            return if self.act == self.record.acts.len() {
                Ok(())
            } else {
                Err(self.wrong(format!("{:?} was typed behind the quitting", self.record.acts[self.act])))
            };
        }
        if self.record.end == End::Quit {
            return Err(self.wrong("the end without a goodbye"));
        }
        self.own_acts()?;
        if let Some(act) = self.record.acts.get(self.act) {
            return Err(self.wrong(format!("{act:?} (number {}) had no consequence", self.act)));
        }
        if self.record.end == End::HungUp {
            return self.gone_from_here();
        }
        self.pay()?;
        if let Place::Script { room, cursor } = self.place
            && let Some(missing) = self.next_shown(room, cursor)
        {
            let missing = &self.stage.scripts[room][missing].text;
            return Err(self.wrong(format!("{missing:?} in {room} never arrived")));
        }
        if let (Place::Alone { .. }, Some(missing)) = (&self.place, self.stage.notices.last())
            && self.notices < self.stage.notices.len()
        {
            return Err(self.wrong(format!("the notice {missing:?} never arrived")));
        }
        Ok(())
    }

    fn is_own(&self, entry: &Entry) -> bool {
        // A client is shown a topic that it sets itself; and its own words, if the hub echoes its
        // keys.
        let is_shown = matches!(entry.what, What::Topic { .. })
            || self.record.keys && matches!(entry.what, What::Say { .. } | What::Me { .. });
        entry.author == Some(self.index) && !is_shown
    }

    fn is_hidden(&self, entry: &Entry) -> bool {
        self.is_own(entry)
            || self.apart.contains(&*entry.text)
            || self.quiet && entry.what.is_presence()
            || entry.what.speaker().is_some_and(|nick| self.ignoring.contains(nick))
    }

    fn next_shown(&self, room: &str, from: usize) -> Option<usize> {
        let script = &self.stage.scripts[room];
        (from..script.len()).find(|at| *at >= self.lax && !self.is_hidden(&script[*at]))
    }

    fn next_own(&self, room: &str, from: usize, to: usize) -> Option<usize> {
        let script = &self.stage.scripts[room];
        (from..to).find(|at| script[*at].author == Some(self.index))
    }

    /// The index in the script of the next line to be shown, after the missed lines.
    fn due(&self, room: &str, from: usize) -> usize {
        let end = self.stage.scripts[room].len();
        let (mut at, mut debt) = (from, self.debt);
        loop {
            match self.next_shown(room, at) {
                Some(shown) if debt > 0 => (at, debt) = (shown + 1, debt - 1),
                Some(shown) => return shown,
                None => return end,
            }
        }
    }

    /// Handles a note on `count` missed lines.
    fn told_of(&mut self, count: usize) -> Result<(), Wrong> {
        if let Place::Alone { .. } = self.place {
            return Err(self.wrong(format!("it has missed {count} lines where nobody else is")));
        }
        self.debt += count;
        self.missed += count;
        self.line += 1;
        Ok(())
    }

    /// Skips all missed lines that are not skipped yet.
    fn pay(&mut self) -> Result<(), Wrong> {
        let Place::Script { room, mut cursor } = self.place else { return Ok(()) };
        let script = &self.stage.scripts[room];
        let hidden_until_now = |at: &usize| *at < self.lax && !self.is_hidden(&script[*at]);
        let unsure = self.slack + (cursor..script.len()).filter(hidden_until_now).count();
        // Skips as many as were certainly missed; it may be unknown where the last of them stand.
        let sure = self.debt.saturating_sub(unsure);
        let end = self.due(room, cursor);
        for _ in 0..sure {
            let Some(shown) = self.next_shown(room, cursor) else {
                let debt = self.debt;
                return Err(self.wrong(format!("it has missed {debt} lines more in {room} than there are")));
            };
            self.pass(room, cursor, shown + 1)?;
            cursor = shown + 1;
        }
        if unsure > 0 && self.debt > 0 {
            self.lax = self.lax.max(end);
        }
        (self.debt, self.slack) = (0, 0);
        self.place = Place::Script { room, cursor };
        Ok(())
    }

    /// Skips the lines from `from` to `to`. Those of its own must be its next acts; those of others
    /// that would have been shown count as missed.
    fn pass(&mut self, room: &'a str, from: usize, to: usize) -> Result<(), Wrong> {
        let script = &self.stage.scripts[room];
        let shown = script[from..to].iter().filter(|entry| !self.is_hidden(entry)).count();
        let sure = (from..to).filter(|at| *at >= self.lax && !self.is_hidden(&script[*at])).count();
        if self.debt > 0 {
            self.slack += shown - sure;
        }
        self.debt = self.debt.saturating_sub(sure);
        for entry in &script[from..to] {
            if let What::Notice { text } = &entry.what
                && let Some(at) = self.stage.notices[self.notices..].iter().position(|notice| notice == text)
            {
                self.notices += at + 1;
            }
        }
        self.consume_own(room, from, to)
    }

    /// Handles a line of the room.
    fn room_line(&mut self, line: &str) -> Result<(), Wrong> {
        let text = match (self.times, without_time(line)) {
            (true, Some(text)) => unmarked(text),
            (false, None) => line,
            (true, None) => return Err(self.wrong(format!("{line:?} without a time"))),
            (false, Some(_)) => return Err(self.wrong(format!("{line:?} with a time"))),
        };
        if let Place::Alone { .. } = self.place {
            return self.line_alone(text);
        }
        let Place::Script { room, cursor } = self.place else { unreachable!("asked above") };
        let script = &self.stage.scripts[room];
        let mut at = cursor;
        // Counts lines before it: those that were not shown, and those of them that were certainly
        // missed.
        let (mut missing, mut sure) = (0, 0);
        let found = loop {
            let Some(entry) = script.get(at) else { break None };
            if !self.is_hidden(entry) {
                let is_told = (sure..=missing + self.slack).contains(&self.debt);
                if is_told && entry.text == text && (at >= self.lax || self.goes_on(room, at)) {
                    break Some(at);
                }
                if at >= self.lax {
                    sure += 1;
                }
                missing += 1;
                if sure > self.debt {
                    break None;
                }
            }
            at += 1;
        };
        if found.is_none() && self.debt > 0 && self.line_apart(text)? {
            return Ok(());
        }
        let Some(found) = found else {
            let due = script.get(self.due(room, cursor)).map_or("nothing", |entry| &entry.text);
            let elsewhere = match script.iter().position(|entry| entry.text == text) {
                Some(at) if self.is_own(&script[at]) => "which is its own",
                Some(at) if at < cursor => "which has been",
                Some(_) => "which comes later",
                None => "which nobody else has got",
            };
            let debt = match self.debt {
                0 => String::new(),
                debt => format!(", behind {debt} lines that it was told of"),
            };
            return Err(self.wrong(format!("{text:?}, {elsewhere}, when {due:?} was due in {room}{debt}")));
        };
        self.pass(room, cursor, found)?;
        (self.debt, self.slack) = (0, 0);
        let entry = &script[found];
        if entry.author == Some(self.index) {
            match self.record.acts.get(self.act) {
                Some(act) if is_what(act, &entry.what) => self.act += 1,
                other => return Err(self.wrong(format!("{text:?}, when {other:?} was to follow"))),
            }
        }
        if let What::Notice { text } = &entry.what {
            self.notice(text)?;
        }
        self.lax = 0;
        self.place = Place::Script { room, cursor: found + 1 };
        self.room_lines += 1;
        self.line += 1;
        Ok(())
    }

    /// Handles a line that was shown out of turn, after the note on missed lines around it. Returns
    /// whether it is one.
    fn line_apart(&mut self, text: &str) -> Result<bool, Wrong> {
        let Place::Script { room, cursor } = self.place else { return Ok(false) };
        let script = &self.stage.scripts[room];
        let to = self.due(room, cursor);
        let Some(at) = (cursor..to).find(|at| script[*at].text == text && !self.is_hidden(&script[*at])) else {
            return Ok(false);
        };
        let is_own = script[at].author == Some(self.index) && self.record.keys;
        let bytes = &self.record.bytes[self.lines[self.line].0..];
        let has_its_name = bytes.starts_with(b"@ ") || self.times && bytes.get(11..13) == Some(b"@ ");
        if !is_own && !has_its_name {
            return Ok(false);
        }
        self.consume_own(room, cursor, at + 1)?;
        self.apart.insert(&script[at].text);
        self.room_lines += 1;
        self.line += 1;
        Ok(true)
    }

    /// Handles a notice to all rooms. Notices come in their order; some may have been missed.
    fn notice(&mut self, text: &str) -> Result<(), Wrong> {
        match self.stage.notices[self.notices..].iter().position(|notice| notice == text) {
            Some(at) => {
                self.notices += at + 1;
                Ok(())
            }
            None => Err(self.wrong(format!("the notice {text:?} has been, or was never given"))),
        }
    }

    /// Whether the next lines of the stream are those of the script from `at` on. This decides
    /// where it is not known from which line on the script is shown, and people come and go
    /// repeatedly.
    fn goes_on(&self, room: &str, mut at: usize) -> bool {
        let script = &self.stage.scripts[room];
        let is_private = |line: &str| {
            let text = self.untimed(line);
            text.starts_with('[') && text.contains(" -> you] ")
        };
        let behind = self.lines[self.line + 1..].iter().map(|(_, line)| *line).filter(|line| !is_private(line));
        for line in behind.take(8) {
            let text = if self.times { without_time(line).map_or(line, unmarked) } else { line };
            if !is_room_line(text) {
                return true;
            }
            let next = (at + 1..script.len()).find(|at| !self.is_hidden(&script[*at]));
            match next {
                Some(next) if script[next].text == text => at = next,
                _ => return false,
            }
        }
        true
    }

    /// Skips its own lines from `from` to `to`, which must be its next acts.
    fn consume_own(&mut self, room: &'a str, from: usize, to: usize) -> Result<(), Wrong> {
        let mut at = from.max(self.owned);
        self.owned = self.owned.max(to);
        while let Some(own) = self.next_own(room, at, to) {
            let entry = &self.stage.scripts[room][own];
            let typed = self.record.acts.get(self.act);
            if matches!(&entry.what, What::Renamed { to, .. } if self.renamed.as_deref() == Some(to)) {
                self.renamed = None;
                at = own + 1;
                continue;
            }
            let is_next = typed.is_some_and(|act| is_what(act, &entry.what));
            if !is_next || self.renamed.is_some() {
                let what = format!("{:?} in {room} is its own, when {typed:?} was to follow", entry.text);
                return Err(self.wrong(what));
            }
            self.act += 1;
            at = own + 1;
        }
        Ok(())
    }

    /// Skips all of its own lines that can stand here and are its next acts.
    fn own_acts(&mut self) -> Result<(), Wrong> {
        match &mut self.place {
            // A client whose keys are echoed is shown its own lines, so they are checked when they
            // are shown.
            Place::Alone { .. } if self.record.keys => {}
            Place::Alone { said, .. } => {
                while let Some(Act::Say(text) | Act::Me(text)) = self.record.acts.get(self.act) {
                    let (nick, text) = (self.nick.clone(), text.clone());
                    said.push(match &self.record.acts[self.act] {
                        Act::Say(_) => What::Say { nick, text },
                        _ => What::Me { nick, text },
                    });
                    self.act += 1;
                }
            }
            Place::Script { room, cursor } => {
                let (room, mut cursor) = (*room, *cursor);
                loop {
                    let end = self.due(room, cursor);
                    let is_due = self.renamed.is_some()
                        || matches!(self.record.acts.get(self.act), Some(Act::Say(_) | Act::Me(_)));
                    let Some(own) = self.next_own(room, cursor, end).filter(|_| is_due) else { break };
                    self.pass(room, cursor, own + 1)?;
                    cursor = own + 1;
                }
                self.place = Place::Script { room, cursor };
            }
        }
        if let (Some(to), Place::Script { .. }) = (&self.renamed, &self.place) {
            return Err(self.wrong(format!("nobody was told that it is {to} now")));
        }
        match self.record.acts.get(self.act) {
            Some(act @ (Act::Say(_) | Act::Me(_))) => Err(self.wrong(format!("{act:?} was not said yet"))),
            _ => Ok(()),
        }
    }

    fn line_alone(&mut self, text: &str) -> Result<(), Wrong> {
        if !self.record.keys {
            self.own_acts()?;
        }
        let what = What::parse(text);
        if let Some(What::Notice { text }) = &what {
            self.notice(text)?;
        }
        let Place::Alone { said, room } = &mut self.place else { unreachable!("the caller has asked") };
        match (what, self.record.acts.get(self.act)) {
            (Some(what), Some(act)) if is_what(act, &what) && what.nick() == self.nick => {
                said.push(what);
                self.act += 1;
                self.line += 1;
                Ok(())
            }
            (Some(what @ What::Notice { .. }), _) => {
                said.push(what);
                self.line += 1;
                Ok(())
            }
            (_, act) => {
                let what = format!("{text:?} in {room}, where nobody else is, when {act:?} was to follow");
                Err(self.wrong(what))
            }
        }
    }

    // -- answers -------------------------------------------------------------------------------

    /// Takes the next lines, which must be `expected`.
    fn expect(&mut self, expected: &[String]) -> Result<(), Wrong> {
        for line in expected {
            while self.lines.get(self.line).is_some_and(|(_, got)| is_day(got)) {
                self.line += 1;
            }
            match self.lines.get(self.line) {
                Some((_, got)) if blur(got) == blur(line) => self.line += 1,
                Some((_, got)) => {
                    let act = self.record.acts.get(self.act);
                    return Err(self.wrong(format!("{got:?}, when {line:?} was due for {act:?}")));
                }
                // The rest of the stream was cut off.
                None if self.record.end == End::Cut => return Ok(()),
                None => return Err(self.wrong(format!("the end, when {line:?} was due"))),
            }
        }
        Ok(())
    }

    /// The last `most` of the kept lines of `what` that are not hidden because the client ignores
    /// their authors.
    fn history<'b>(
        &self,
        what: impl DoubleEndedIterator<Item = &'b What>,
        most: usize,
        when: Hidden,
        query: Option<&str>,
    ) -> Vec<Arc<Line>> {
        let kept = what.filter(|what| what.is_kept()).rev().take(KEPT);
        let seen = |what: &&What| what.speaker().is_none_or(|nick| !self.ignoring.contains(nick));
        let matches = |what: &&What| query.is_none_or(|query| what.text().contains(query));
        let mut lines: Vec<&What> = match when {
            Hidden::Before => kept.filter(seen).filter(matches).take(most).collect(),
            Hidden::After => kept.take(most).filter(seen).collect(),
        };
        lines.reverse();
        let line = |what: &What| {
            Arc::new(Line {
                seq: 0,
                at: Wall(0),
                author: None,
                said: what.as_said(),
                borne: Borne::default(),
                apart: None,
                origin: None,
            })
        };
        lines.into_iter().map(line).collect()
    }

    fn replay(&self, room: &str, lines: Vec<Arc<Line>>, of: Replay) -> Vec<String> {
        rendered(&Message::Replay { room: room.into(), of, lines: lines.into(), offset: Offset::default() })
            .into_iter()
            .filter(|line| !is_day(line))
            .map(|line| {
                // The heading names the reader's offset from UTC.
                if line.starts_with("-- ") { line.replace("in UTC:", &format!("in {}:", self.offset)) } else { line }
            })
            .collect()
    }

    /// Checks what a client is shown when it enters a room, after a greeting: the last lines that
    /// fit, or the lines since it was there last (from entry `been` on); the topic; its own name;
    /// who else is there.
    fn room_shown(&mut self, room: &str, at: usize, members: usize, been: Option<usize>) -> Result<(), Wrong> {
        let before = &self.stage.scripts.get(room).map_or(&[][..], |script| &script[..at]);
        let news = &before[been.unwrap_or(0)..];
        let lines = self.history(news.iter().map(|entry| &entry.what), REPLAY, Hidden::After, None);
        let new = been.map(|_| news.iter().filter(|entry| entry.what.is_kept()).count().min(KEPT));
        let topic = before.iter().rev().find(|entry| matches!(entry.what, What::Topic { .. }));
        // A topic set by somebody whom the client ignores is not shown.
        let topic = topic.filter(|topic| !self.ignoring.contains(topic.what.nick()));
        let topic = topic.map(|topic| format!("-- topic of {room}: {}", topic.what.text()));
        let head = self.lines.get(self.line).map_or("", |(_, line)| line).to_owned();
        // The number of lines that fit is not known, so it is taken from the heading.
        let counted = |head: &str| {
            let number = head.strip_prefix("-- the last ").or_else(|| head.strip_prefix("-- "))?;
            number.split(' ').next()?.parse::<usize>().ok()
        };
        let times = |line: &str, shown: usize| {
            format!("{line}, {} in {}:", if shown == 1 { "time" } else { "times" }, self.offset)
        };
        let (shown, head) = if new == Some(0) {
            (0, Some(format!("-- nothing was said in {room} since you left")))
        } else if lines.is_empty() {
            (0, None)
        } else if head == format!("-- /history shows what was said in {room} before") {
            (0, Some(head))
        } else {
            let shown = counted(&head).unwrap_or(1).min(lines.len());
            let line = match (shown, new) {
                (1, None) => format!("-- the last line in {room}"),
                (_, None) => format!("-- the last {shown} lines in {room}"),
                (_, Some(new)) if new <= shown => {
                    format!("-- {new} new {} in {room} since you left", if new == 1 { "line" } else { "lines" })
                }
                (_, Some(new)) => format!("-- the last {shown} of {new} new lines in {room} since you left"),
            };
            (shown, Some(times(&line, shown)))
        };
        let said = self.replay(room, lines[lines.len() - shown..].to_vec(), Replay::Last);
        let said = if shown == 0 { Vec::new() } else { said[1..said.len() - 1].to_vec() };
        let expected: Vec<String> = head.into_iter().chain(said).chain(topic).collect();
        self.expect(&expected)?;
        let Some((_, line)) = self.lines.get(self.line) else { return self.expect(&["-- who is here".to_owned()]) };
        let with = line
            .strip_prefix(&format!("-- you are in {room} now, "))
            .or_else(|| line.strip_prefix(&format!("-- You are {} in {room}, ", self.nick))?.strip_suffix('.'));
        let Some(with) = with else { return Err(self.wrong(format!("{line:?}, when it was to be told who is here"))) };
        let others = with.strip_prefix("with ").unwrap_or_default().replace(" and ", ", ");
        let mut count = 1;
        let mut named = BTreeSet::new();
        for other in others.split(", ").filter(|other| !other.is_empty()) {
            match other.split_once(' ') {
                Some((number, "other" | "others")) => count += number.parse::<usize>().unwrap_or(0),
                _ => {
                    count += 1;
                    named.insert(other);
                }
            }
        }
        // A room that only this client is in has no script.
        let is_kept = self.stage.scripts.contains_key(room);
        let there = if is_kept { self.stage.members(room, at) } else { BTreeSet::new() };
        if count != members || !named.is_subset(&there) || named.contains(&*self.nick) {
            return Err(self.wrong(format!("{line:?}, when there were {members}: {there:?}")));
        }
        self.line += 1;
        Ok(())
    }

    fn welcome(&mut self) -> Result<(), Wrong> {
        let told = self.lines.iter().find_map(|(_, line)| line.strip_prefix("-- You are "));
        let Some(nick) = told else {
            // The stream was cut off within the greeting.
            self.line = self.lines.len();
            return if self.record.end == End::Cut { Ok(()) } else { Err(self.wrong("no greeting")) };
        };
        self.nick = nick.split(' ').next().unwrap_or_default().to_owned();
        let kept = Kept::Lines { lines: KEPT, time: chathub::settings::Settings::default().history.keep };
        let welcome = Some(Welcome { hub: "chathub".into(), greeting: None, kept });
        let mut greeting = rendered(&Message::Entrance(Box::new(Entrance {
            welcome,
            nick: "".into(),
            room: LOBBY.into(),
            private: false,
            topic: None,
            others: Vec::new(),
            members: 1,
            lines: Vec::new().into(),
            new: None,
            offset: Offset::default(),
            rows: 0,
        })));
        // The greeting of the lobby ends with the list of people, which is checked below.
        greeting.pop();
        self.expect(&greeting)?;
        // The client that keeps the lobby's script was there before the script begins.
        if self.stage.listeners[LOBBY] == self.index {
            return self.room_shown(LOBBY, 0, 1, None);
        }
        // A guest that never took a name may have had the name of a later guest.
        let script = &self.stage.scripts[LOBBY];
        let is_it = |at: &usize| {
            let entry = &script[*at];
            matches!(&entry.what, What::Joined { nick } if *nick == self.nick)
                && entry.author.is_none_or(|author| author == self.index)
        };
        let known = |at: &usize| script[*at].author == Some(self.index);
        let mut places: Vec<usize> = (0..script.len()).filter(is_it).collect();
        if let Some(at) = places.iter().copied().find(known) {
            places = vec![at];
        }
        let (from, mut first) = (self.line, None);
        for at in places {
            self.line = from;
            match self.room_shown(LOBBY, at, self.stage.members(LOBBY, at).len() + 1, None) {
                Ok(()) => {
                    self.place = Place::Script { room: LOBBY, cursor: at + 1 };
                    return Ok(());
                }
                Err(wrong) => drop(first.get_or_insert(wrong)),
            }
        }
        Err(first.unwrap_or_else(|| self.wrong(format!("nobody was told that {} has come", self.nick))))
    }

    #[allow(clippy::too_many_lines, reason = "one arm an act")]
    fn answer(&mut self) -> Result<(), Wrong> {
        let line = self.lines[self.line].1;
        self.own_acts()?;
        let Some(act) = self.record.acts.get(self.act) else {
            return Err(self.wrong(format!("{line:?}, and nothing was asked")));
        };
        self.answers += 1;
        let done = |done| rendered(&Message::Done(done));
        match act {
            Act::Say(_) | Act::Me(_) => unreachable!("passed over or found missing above"),
            Act::Topic(_) => return Err(self.wrong(format!("{line:?}, when {act:?} was to be carried out"))),
            // Whether the recipient can take the message is unknown here.
            Act::Msg { to, .. } if is_refused(line, to) => {
                self.refused.insert(self.act);
                self.line += 1;
            }
            Act::Msg { to, text } => {
                // Its time is shown as those of the room's lines are.
                let untimed = self.untimed(line);
                if self.times == (untimed == line) || untimed != format!("[you -> {to}] {text}") {
                    return Err(self.wrong(format!("{line:?}, when {act:?} was to be carried out")));
                }
                self.line += 1;
                // Whether the recipient is away is unknown here. If the client ignores the
                // recipient, the answer leaves out the recipient's words.
                let away = format!("-- {to} has it now, and is away: ");
                let silent = format!("-- {to} has it now, and is away");
                let ignored = self.ignoring.contains(to);
                let is_away = |line: &str| line.starts_with(&away) || ignored && line == silent;
                if self.lines.get(self.line).is_some_and(|(_, line)| is_away(line)) {
                    self.line += 1;
                }
            }
            Act::Nick(name) => {
                self.expect(&done(Done::Named(name.as_str().into())))?;
                self.nick.clone_from(name);
                let listens = self.record.listens.as_deref() == Some(LOBBY);
                if !listens && matches!(self.place, Place::Script { .. }) {
                    self.renamed = Some(name.clone());
                }
            }
            Act::Join(room) => self.go(room)?,
            Act::Leave => self.go(LOBBY)?,
            Act::Who => self.who()?,
            Act::Rooms => self.rooms()?,
            Act::Help => self.expect(&rendered(&Message::Help { role: Role::Guest, all: false }))?,
            Act::HelpOn(name) => {
                self.expect(&rendered(&Message::HelpOn(command::find(name).expect("a command"))))?;
            }
            Act::History(count) => self.past(*count, None)?,
            Act::Search(query) => self.past(REPLAY, Some(query))?,
            Act::Time(what) => {
                let time = match *what {
                    "off" => None,
                    "on" => Some(if self.times { self.offset } else { Offset::default() }),
                    other => Some(Offset::parse(other).expect("an offset")),
                };
                self.expect(&done(time.map_or(Done::TimeOff, Done::TimeOn)))?;
                self.times = time.is_some();
                self.offset = time.unwrap_or_default();
            }
            Act::Color(on) => self.expect(&done(if *on { Done::ColorsOn } else { Done::ColorsOff }))?,
            Act::Quiet => {
                // Lines missed before this act are those that would have been shown before it.
                self.pay()?;
                let old = self.shown_from_here();
                self.expect(&done(if self.quiet { Done::NotQuiet } else { Done::Quiet }))?;
                self.quiet = !self.quiet;
                self.lax = old;
            }
            Act::Ignore(name) => {
                self.pay()?;
                self.expect(&done(Done::Ignored(name.as_str().into())))?;
                self.ignoring.insert(name.clone());
            }
            Act::Unignore(name) => {
                self.pay()?;
                let old = self.shown_from_here();
                self.expect(&done(Done::Unignored(name.as_str().into())))?;
                self.ignoring.remove(name);
                self.lax = old;
            }
            Act::Away(_) => self.expect(&done(Done::Away))?,
            Act::Back => self.expect(&done(Done::Back))?,
            Act::Unknown(word) => {
                let given = word.as_str().into();
                let refusal = match command::meant(word, Role::Guest) {
                    Meant::Nothing(nearest) => Refusal::UnknownCommand { given, nearest },
                    Meant::Several(names) => Refusal::SeveralCommands { given, names },
                    Meant::One(command) => return Err(self.wrong(format!("{word} is {command:?}"))),
                };
                self.expect(&rendered(&Message::Refused(refusal)))?;
            }
            Act::Overlong(bytes) => {
                let refusal = Refusal::LineTooLong { bytes: *bytes as u64, limit: LONGEST };
                self.expect(&rendered(&Message::Refused(refusal)))?;
            }
            Act::Sync(number) => {
                let refusal = Refusal::NoSuchPerson(format!("sync-{number}").into());
                self.expect(&rendered(&Message::Refused(refusal)))?;
            }
            Act::Quit(_) => {
                self.gone_from_here()?;
                self.expect(&["-- goodbye".to_owned()])?;
                self.over = true;
            }
        }
        self.act += 1;
        Ok(())
    }

    /// The index in the script of the next line that is shown, by the present state.
    fn shown_from_here(&self) -> usize {
        match self.place {
            Place::Script { room, cursor } => self.due(room, cursor),
            Place::Alone { .. } => 0,
        }
    }

    /// Checks that the room it leaves has no line left for it.
    fn gone_from_here(&mut self) -> Result<(), Wrong> {
        self.pay()?;
        let Place::Script { room, cursor } = self.place else { return Ok(()) };
        let script = &self.stage.scripts[room];
        let Some(left) = self.next_own(room, cursor, script.len()) else {
            return Err(self.wrong(format!("nobody was told that it has left {room}")));
        };
        if !matches!(script[left].what, What::Left { .. }) {
            return Err(self.wrong(format!("{:?} in {room}, when it was to leave", script[left].text)));
        }
        if let Some(missing) = self.next_shown(room, cursor).filter(|at| *at < left) {
            return Err(self.wrong(format!("{:?} in {room} never arrived", script[missing].text)));
        }
        self.been.insert(room, left + 1);
        (self.lax, self.owned) = (0, 0);
        self.apart.clear();
        Ok(())
    }

    fn go(&mut self, to: &str) -> Result<(), Wrong> {
        self.gone_from_here()?;
        let Some((room, script)) = self.stage.scripts.get_key_value(to) else {
            self.place = Place::Alone { room: to.to_owned(), said: Vec::new() };
            return self.room_shown(to, 0, 1, None);
        };
        if self.stage.listeners[to] == self.index {
            self.place = Place::Script { room, cursor: 0 };
            return self.room_shown(to, 0, 1, None);
        }
        let been = self.been.get(to).copied();
        let from = been.unwrap_or(0);
        let is_it = |entry: &Entry| entry.author == Some(self.index) && matches!(entry.what, What::Joined { .. });
        let Some(joined) = script[from..].iter().position(is_it).map(|at| at + from) else {
            return Err(self.wrong(format!("nobody was told that it has come into {to}")));
        };
        self.place = Place::Script { room, cursor: joined + 1 };
        self.room_shown(room, joined, self.stage.members(room, joined).len() + 1, been)
    }

    /// The places in the script at which an answer may have been made; its content may depend on
    /// that.
    fn places(&self) -> std::ops::RangeInclusive<usize> {
        match self.place {
            Place::Script { room, cursor } => {
                let shown = self.shown_from_here();
                // The answer was made before its next own line.
                cursor..=self.next_own(room, cursor, shown).unwrap_or(shown)
            }
            Place::Alone { .. } => 0..=0,
        }
    }

    /// Takes the next lines, which must be one of `choices`; returns its index. (All have the same
    /// number of lines, or differ in an earlier line.)
    fn expect_one_of(&mut self, choices: &[Vec<String>]) -> Result<usize, Wrong> {
        let from = self.line;
        let mut first = None;
        for (index, choice) in choices.iter().enumerate() {
            self.line = from;
            match self.expect(choice) {
                Ok(()) => return Ok(index),
                Err(wrong) => drop(first.get_or_insert(wrong)),
            }
        }
        Err(first.expect("there is a choice"))
    }

    fn who(&mut self) -> Result<(), Wrong> {
        let from = self.line;
        let mut names = BTreeSet::new();
        let head = self.lines[self.line].1;
        self.line += 1;
        let mut more = 0;
        while let Some((_, row)) = self.lines.get(self.line).filter(|(_, row)| row.starts_with("--   ")) {
            let row = &row[5..];
            self.line += 1;
            // A list of very many is cut short.
            if let Some(count) = row.strip_prefix("and ").and_then(|row| Some(row.split_once(" more")?.0)) {
                more = count.parse().map_err(|_| self.wrong(format!("{row:?} in {head:?}")))?;
                break;
            }
            for name in row.split_whitespace() {
                // Whether a person is away at this moment is unknown here.
                if !names.insert(name.trim_end_matches('*')) {
                    return Err(self.wrong(format!("{name} is listed twice")));
                }
            }
        }
        let is_cut = self.line == self.lines.len() && self.record.end == End::Cut;
        let mut expected = None;
        for at in self.places() {
            let (room, members) = match &self.place {
                Place::Script { room, .. } => (*room, self.stage.members(room, at)),
                Place::Alone { room, .. } => (room.as_str(), BTreeSet::from([self.nick.as_str()])),
            };
            let people = if members.len() == 1 { "person" } else { "people" };
            let first = format!("-- {} {people} in {room}:", members.len());
            let is_whole = is_cut || names.len() + more == members.len();
            if first == head && is_whole && names.is_subset(&members) {
                return Ok(());
            }
            expected.get_or_insert((first, members));
        }
        let what = format!("{head:?} {names:?} and {more} more, expected {expected:?}");
        self.line = from;
        Err(self.wrong(what))
    }

    /// Checks the answer to `/rooms`: the number of rooms is unknown, but the answer must be
    /// complete.
    fn rooms(&mut self) -> Result<(), Wrong> {
        let head = self.lines[self.line].1;
        let count = head.strip_prefix("-- ").and_then(|rest| rest.split_once(" room")).map(|(count, _)| count);
        let Some(count) = count.and_then(|count| count.parse::<usize>().ok()) else {
            return Err(self.wrong(format!("{head:?}, when {:?} was to be answered", Act::Rooms)));
        };
        self.line += 1;
        let mut seen = BTreeSet::new();
        while let Some((_, row)) = self.lines.get(self.line).filter(|(_, row)| row.starts_with("--   ")) {
            if !seen.insert(row[5..].split_whitespace().next().unwrap_or_default()) {
                return Err(self.wrong(format!("{row:?} twice")));
            }
            self.line += 1;
        }
        if seen.len() != count && !(self.line == self.lines.len() && self.record.end == End::Cut) {
            return Err(self.wrong(format!(
                "{} rooms are listed after {head:?}, before {:?}",
                seen.len(),
                self.lines.get(self.line).map(|(_, row)| row)
            )));
        }
        Ok(())
    }

    fn past(&mut self, most: usize, query: Option<&str>) -> Result<(), Wrong> {
        let of = || query.map_or(Replay::Last, |query| Replay::Search { query: query.into(), reach: Reach::All });
        let (asked, most) = (most, most.min(REPLAY));
        let shown = |room: &str, lines: Vec<Arc<Line>>| {
            let is_cut = query.is_none() && asked > REPLAY && lines.len() == REPLAY;
            let mut shown = self.replay(room, lines, of());
            shown.extend(is_cut.then(|| format!("-- no more than {REPLAY} lines are shown at once")));
            shown
        };
        let choices: Vec<Vec<String>> = match &self.place {
            Place::Script { room, .. } => self
                .places()
                .map(|at| {
                    let before = self.stage.scripts[*room][..at].iter().map(|entry| &entry.what);
                    shown(room, self.history(before, most, Hidden::Before, query))
                })
                .collect(),
            Place::Alone { room, said } => {
                // A notice may stand before own lines that were counted before it.
                let notice = said.iter().rposition(|what| matches!(what, What::Notice { .. }));
                let mut orders = vec![said.clone()];
                orders.extend((0..notice.unwrap_or(0)).map(|at| {
                    let mut said = said.clone();
                    said[at..=notice.expect("there is one")].rotate_right(1);
                    said
                }));
                orders.iter().map(|said| shown(room, self.history(said.iter(), most, Hidden::Before, query))).collect()
            }
        };
        self.expect_one_of(&choices).map(drop)
    }
}

/// Whether lines of ignored people are removed before the last few lines are taken, or from those.
#[derive(Clone, Copy)]
enum Hidden {
    Before,
    After,
}

/// Whether the line follows from the act.
fn is_what(act: &Act, what: &What) -> bool {
    match (act, what) {
        (Act::Say(typed), What::Say { text, .. })
        | (Act::Me(typed), What::Me { text, .. })
        | (Act::Topic(typed), What::Topic { text, .. }) => typed == text,
        _ => false,
    }
}

/// Whether the line is the answer to a private message that could not be delivered.
fn is_refused(line: &str, to: &str) -> bool {
    line == format!("-- {to} is not reading just now: nothing was sent")
}
