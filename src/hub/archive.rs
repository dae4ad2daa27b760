//! What outlives the hub, as values: records on their way to the disk, and what comes back from it.
//!
//! The hub writes nothing. It hands out numbered [`Record`]s and keeps each until it is told that the
//! record is on disk ([`Backlog`]). After a crash it hands out again what may not have been written. Writing a
//! record twice is the same as writing it once, so the writer needs to know nothing of crashes.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::history::{redacted, weight};
use super::lasting::Lasting;
use super::memo::Memo;
use super::message::{Line, Said};
use super::report::Report;
use super::retention::Horizon;
use super::sanction::Sanction;
use crate::values::id::AccountId;
use crate::values::id::{MemoId, ReportId, SanctionId};
use crate::values::id::{RoomId, SessionId};
use crate::values::name::{self, Name};
use crate::values::network::Origin;
use crate::values::time::Wall;

/// Something to be written. Writing it a second time changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Record {
    /// A line that was said.
    Line {
        room: RoomId,
        name: Name,
        /// The line; it is of a kind that is kept.
        line: Arc<Line>,
    },
    /// A room has closed, or has become private: its recorded lines are not shown to those who open a room of that name
    /// later.
    Closed { room: RoomId, name: Name },
    /// A sanction was made, or has changed. One of the same number is replaced.
    #[serde(alias = "Ban")]
    Sanction(Box<Sanction>),
    /// A sanction was lifted, or has ended.
    #[serde(alias = "Unban")]
    Lifted(SanctionId),
    /// An account as it is now. An account of the same number is replaced.
    Account(Box<Account>),
    /// The account of this number was removed.
    Unaccount(AccountId),
    /// A lasting room as it is now. One of the same name is replaced.
    Lasting(Box<Lasting>),
    /// The room of that name no longer lasts.
    Passing(Name),
    /// A report as it is now. A report of the same number is replaced.
    Report(Box<Report>),
    /// A report is kept no longer.
    Unreport(ReportId),
    /// A message kept for somebody, as it is now. One of the same number is replaced.
    Memo(Box<Memo>),
    /// A message was shown, or is kept no longer.
    Unmemo(MemoId),
    /// The selected lines, of all recorded before this, are to be made unreadable.
    Redact(Arc<Selector>),
    /// The numbers up to this one may have been given to clients: no later hub gives one of them again.
    Given(SessionId),
}

impl Record {
    /// Whether the record is of a deed whose author is told that it is done. Nobody is told so of a line or a closed
    /// room, and the hub itself reserves numbers.
    #[must_use]
    pub const fn is_of_a_deed(&self) -> bool {
        !matches!(self, Self::Line { .. } | Self::Closed { .. } | Self::Given(_))
    }

    /// What the record counts against `history.queue`, in bytes.
    fn weight(&self) -> usize {
        match self {
            Self::Line { line, .. } => weight(line),
            Self::Report(report) => 256 + report.reason.len(),
            Self::Memo(memo) => 256 + memo.text.len(),
            // This is about what they take. They are few: everything that leads to one of them is limited.
            Self::Closed { .. }
            | Self::Sanction(_)
            | Self::Lifted(_)
            | Self::Account(_)
            | Self::Unaccount(_)
            | Self::Unreport(_)
            | Self::Unmemo(_)
            | Self::Lasting(_)
            | Self::Passing(_)
            | Self::Redact(_)
            | Self::Given(_) => 256,
        }
    }
}

/// The records that are not known to be on disk, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Backlog {
    /// The number of the next record.
    next: u64,
    waiting: VecDeque<(u64, Arc<Record>)>,
    /// The weights of all waiting records, in bytes.
    #[serde(skip)]
    bytes: usize,
    /// How many lines were dropped in the present gap; the gap ends when half of the queue is free.
    lost: u64,
    /// The waiting records that redact lines: on disk these lines may still be readable.
    #[serde(skip)]
    redactions: VecDeque<(u64, Arc<Selector>)>,
}

/// What became of a line that was to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was taken, as the record of this number.
    As(u64),
    /// It was dropped, as the first line of a gap.
    FirstLost,
    /// It was dropped, as a further line of a gap.
    Lost,
}

impl Backlog {
    /// Takes a line, unless more than `limit` bytes would wait with it. After a line was dropped, those that follow are
    /// dropped too until half of the queue is free: history then has few long gaps instead of many short ones.
    pub(super) fn push_line(&mut self, record: Record, limit: usize) -> Taken {
        let limit = if self.lost > 0 { limit / 2 } else { limit };
        if self.bytes + record.weight() > limit {
            self.lost += 1;
            return if self.lost == 1 { Taken::FirstLost } else { Taken::Lost };
        }
        Taken::As(self.push(record))
    }

    /// How many lines were dropped in the gap that has just ended; `None` if there was no gap. Asking forgets the
    /// number.
    pub(super) fn series_ended(&mut self) -> Option<u64> {
        (self.lost > 0).then(|| std::mem::take(&mut self.lost))
    }

    /// Takes a record, however much waits: records other than lines are few. Returns its number.
    pub(super) fn push(&mut self, record: Record) -> u64 {
        let number = self.next;
        self.next += 1;
        self.bytes += record.weight();
        if let Record::Redact(what) = &record {
            self.redactions.push_back((number, what.clone()));
        }
        self.waiting.push_back((number, Arc::new(record)));
        number
    }

    /// Forgets the records up to the number `through`, which are on disk.
    pub(super) fn done(&mut self, through: u64) {
        while let Some((number, record)) = self.waiting.front()
            && *number <= through
        {
            self.bytes -= record.weight();
            self.waiting.pop_front();
        }
        while self.redactions.front().is_some_and(|(number, _)| *number <= through) {
            self.redactions.pop_front();
        }
        if self.waiting.is_empty() && self.waiting.capacity() > 1024 {
            self.waiting = VecDeque::new();
        }
    }

    /// Drops the oldest waiting lines that `horizon` does not keep: they need not go to disk. Looks at no more than
    /// `most` records.
    pub(super) fn let_go(&mut self, horizon: Horizon, most: usize) {
        let mut place = 0;
        for _ in 0..most {
            match self.waiting.get(place).map(|(_, record)| &**record) {
                Some(Record::Line { line, .. }) if !horizon.keeps(line) => {
                    if let Some((_, record)) = self.waiting.remove(place) {
                        self.bytes -= record.weight();
                    }
                }
                Some(Record::Line { .. }) | None => break,
                // Few records that are not lines stand between lines.
                Some(_) => place += 1,
            }
        }
    }

    /// Makes the selected lines among the waiting ones unreadable. Returns how many records were looked at.
    pub(super) fn redact(&mut self, what: &Selector) -> usize {
        for (_, record) in &mut self.waiting {
            if let Record::Line { room, name, line } = &**record
                && line.said != Said::Redacted
                && what.matches(name.folded(), line)
            {
                self.bytes -= record.weight();
                let line = Arc::new(redacted(line));
                *record = Arc::new(Record::Line { room: *room, name: name.clone(), line });
                self.bytes += record.weight();
            }
        }
        self.waiting.len()
    }

    /// What has to be made unreadable on disk, and may not be yet.
    pub fn redactions(&self) -> impl ExactSizeIterator<Item = &Arc<Selector>> {
        self.redactions.iter().map(|(_, what)| what)
    }

    /// Drops everything: nothing is recorded any more.
    pub(super) fn clear(&mut self) {
        self.waiting = VecDeque::new();
        self.redactions = VecDeque::new();
        (self.bytes, self.lost) = (0, 0);
    }

    /// The number of the next record.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The waiting records, with their numbers.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Record)> + ExactSizeIterator {
        self.waiting.iter().map(|(number, record)| (*number, &**record))
    }

    /// The weights of all waiting records, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Checks what was read from a snapshot, and weighs it. `next_line` is the number of the next line that is said.
    ///
    /// # Errors
    /// What does not fit together.
    pub(super) fn revive(&mut self, next_line: u64) -> Result<(), String> {
        let mut before = None;
        for (number, record) in &self.waiting {
            if before >= Some(*number) || *number >= self.next {
                return Err(format!("record {number} is not in its place"));
            }
            before = Some(*number);
            if let Record::Line { line, .. } = &**record
                && (line.seq >= next_line || !line.said.is_kept())
            {
                return Err(format!("line {} cannot be recorded", line.seq));
            }
        }
        self.bytes = self.waiting.iter().map(|(_, record)| record.weight()).sum();
        let redactions = self.waiting.iter().filter_map(|(number, record)| match &**record {
            Record::Redact(what) => Some((*number, what.clone())),
            _ => None,
        });
        self.redactions = redactions.collect();
        Ok(())
    }

    /// Panics if the weight or the order is wrong.
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.bytes, self.waiting.iter().map(|(_, record)| record.weight()).sum::<usize>());
        assert!(self.waiting.iter().zip(self.waiting.iter().skip(1)).all(|(one, other)| one.0 < other.0));
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a store tells when it has opened what is on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recalled {
    /// The highest number of a line that was ever given, as far as the disk knows.
    pub last_line: u64,
    /// The highest number of a room that was ever given, as far as the disk knows.
    pub last_room: u64,
    /// The highest number of a client that was ever given, as far as the disk knows. Clients are numbered from there
    /// on, so that a line's author stays one client.
    pub last_session: u64,
    /// The highest number of a sanction that was ever given, as far as the disk knows. No number is given again, so that
    /// it names the same one in the journal, in what people were told, and in what they type.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_sanction: u64,
    /// Likewise of an account.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_account: u64,
    /// Likewise of a report.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_report: u64,
    /// Likewise of a message kept for somebody.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_memo: u64,
    /// The sanctions, by age.
    pub sanctions: Vec<Sanction>,
    /// The accounts, by age.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// The rooms that last.
    #[serde(default)]
    pub lasting: Vec<Lasting>,
    /// The reports, by age.
    #[serde(default)]
    pub reports: Vec<Report>,
    /// The messages kept for people who are not here, by age.
    #[serde(default)]
    pub memos: Vec<Memo>,
    /// The file could not be read: there may be bans and accounts on disk that are not named here.
    #[serde(default)]
    pub unread: bool,
    /// The rooms that were open when recording ended; first the one that was spoken in last.
    pub rooms: Vec<RecalledRoom>,
}

/// A room as the disk knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecalledRoom {
    /// The number that it keeps.
    pub room: RoomId,
    /// The name as it was shown.
    pub name: String,
    /// The last lines, oldest first.
    pub lines: Vec<Line>,
}

/// A search that a person asked for. The hub itself looks through what is still in the backlog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// The client that asks; it has one search under way at a time.
    pub session: SessionId,
    /// The number of the search; [`Found`](super::News::Found) bears it too.
    pub number: u64,
    /// The room whose lines are searched.
    pub room: RoomId,
    /// The room's name.
    pub name: Name,
    /// The text as typed, short enough to be shown in the answer.
    pub shown: Arc<str>,
    /// The text, folded.
    pub query: Arc<str>,
    /// The most lines that are found: the newest matches.
    pub limit: usize,
    /// The number of the first line that the client may see.
    #[serde(default)]
    pub from: u64,
    /// The origin of the client: searches from one origin wait for each other.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// If set, the search is not for a text but for the lines of these numbers, to show this report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<(ReportId, Vec<u64>)>,
}

/// What a search on disk has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The lines that match, oldest first.
    pub lines: Vec<Line>,
    /// The highest number of a line that was looked at; what is newer is in memory.
    pub through: u64,
    /// How far back the search looked.
    pub reach: Reach,
}

/// How far back a search looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// As far as necessary: to the beginning of what is kept, or until there were enough matches.
    All,
    /// To this time, because further back would have taken too long.
    Since(Wall),
    /// Only through memory, because the disk could not be read.
    Memory,
    /// Only through memory, because too many others are searching.
    Busy,
}

/// Which lines of history are selected: those that match all fields that are set. If none is set, all lines are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// Lines of the room whose name folds to this.
    pub room: Option<String>,
    /// Lines that the client of this number said.
    pub client: Option<SessionId>,
    /// Lines said under the name that folds to this.
    pub nick: Option<String>,
    /// Lines of this number or a higher one.
    pub from: Option<u64>,
    /// Lines of this number or a lower one.
    pub to: Option<u64>,
    /// Lines said then or later.
    pub since: Option<Wall>,
    /// Lines said before then.
    pub until: Option<Wall>,
    /// Lines that have this in their folded text.
    pub text: Option<String>,
}

impl Selector {
    /// Whether this selects `line`, a line of the room whose folded name is `room`.
    #[must_use]
    pub fn matches(&self, room: &str, line: &Line) -> bool {
        self.room.as_deref().is_none_or(|wanted| wanted == room)
            && self.client.is_none_or(|client| line.author == Some(client) && !line.said.nick().is_empty())
            && self.from.is_none_or(|from| line.seq >= from)
            && self.to.is_none_or(|to| line.seq <= to)
            && self.since.is_none_or(|since| line.at >= since)
            && self.until.is_none_or(|until| line.at < until)
            && self.nick.as_deref().is_none_or(|nick| name::fold(line.said.nick()) == nick)
            && self.text.as_deref().is_none_or(|text| name::fold(line.said.text()).contains(text))
    }
}
