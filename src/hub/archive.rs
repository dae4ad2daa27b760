//! What outlives the hub, as values: records on their way to the disk, and records that come back
//! from it.
//!
//! The hub writes nothing. It hands out numbered [`Record`]s, and keeps each in its [`Backlog`]
//! until the daemon reports that it is on disk. After a crash, it hands out once more the records
//! that may not have been written. Writing a record twice has the same result as writing it once,
//! so the writer needs to know nothing of crashes.

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

/// A piece of data to be written to disk. Writing it a second time changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Record {
    /// A line that was said.
    Line {
        room: RoomId,
        name: Name,
        /// The line, which is of a kind that is kept.
        line: Arc<Line>,
        /// Whether only secure connections were let into the room when it was said.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        encrypted: bool,
    },
    /// A room has closed, or has become private: people who open a room of that name later are not
    /// shown its recorded lines.
    Closed { room: RoomId, name: Name },
    /// A sanction was made, or has changed. It replaces the sanction with the same number.
    #[serde(alias = "Ban")]
    Sanction(Box<Sanction>),
    /// A sanction was lifted, or has ended.
    #[serde(alias = "Unban")]
    Lifted(SanctionId),
    /// The present state of an account. It replaces the account with the same number.
    Account(Box<Account>),
    /// The account of this number was removed.
    Unaccount(AccountId),
    /// The present state of a lasting room. It replaces the room with the same name.
    Lasting(Box<Lasting>),
    /// The room of that name no longer lasts.
    Passing(Name),
    /// The present state of a report. It replaces the report with the same number.
    Report(Box<Report>),
    /// A report is kept no longer.
    Unreport(ReportId),
    /// The present state of a message kept for somebody. It replaces the message with the same
    /// number.
    Memo(Box<Memo>),
    /// A message was shown, or is kept no longer.
    Unmemo(MemoId),
    /// The selected lines, among all recorded before this, are to be made unreadable.
    Redact(Arc<Selector>),
    /// The numbers up to this one may have been given to clients: no later hub may give them again.
    Given(SessionId),
}

impl Record {
    /// Whether the record is of an action whose author is told that it is done. Lines and closed
    /// rooms have no such author, and the hub reserves numbers by itself.
    #[must_use]
    pub const fn is_of_a_deed(&self) -> bool {
        !matches!(self, Self::Line { .. } | Self::Closed { .. } | Self::Given(_))
    }

    /// The bytes that the record counts against `history.queue`.
    fn weight(&self) -> usize {
        match self {
            Self::Line { line, .. } => weight(line),
            Self::Report(report) => 256 + report.reason.len(),
            Self::Memo(memo) => 256 + memo.text.len(),
            // An estimate of their size. They are few, because each command that leads to one is
            // limited.
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

/// The records that may not be on disk yet, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Backlog {
    /// The number of the next record.
    next: u64,
    waiting: VecDeque<(u64, Arc<Record>)>,
    /// The weights of all waiting records, in bytes.
    #[serde(skip)]
    bytes: usize,
    /// Lines dropped in the current gap; the gap ends when half of the queue is free.
    lost: u64,
    /// The waiting records that redact lines: until they are done, these lines may be readable on
    /// disk.
    #[serde(skip)]
    redactions: VecDeque<(u64, Arc<Selector>)>,
}

/// What the backlog did with a line that was to be recorded.
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
    /// Takes a line, unless more than `limit` bytes would wait with it. Once a line was dropped,
    /// further lines are dropped until half of the queue is free: so history has few long gaps
    /// instead of many short ones.
    pub(super) fn push_line(&mut self, record: Record, limit: usize) -> Taken {
        let limit = if self.lost > 0 { limit / 2 } else { limit };
        if self.bytes + record.weight() > limit {
            self.lost += 1;
            return if self.lost == 1 { Taken::FirstLost } else { Taken::Lost };
        }
        Taken::As(self.push(record))
    }

    /// Ends a gap: returns how many lines were dropped in it, and resets that number. `None` if
    /// there was no gap.
    pub(super) fn series_ended(&mut self) -> Option<u64> {
        (self.lost > 0).then(|| std::mem::take(&mut self.lost))
    }

    /// Takes a record, even if much waits: records other than lines are few. Returns its number.
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

    /// Drops the oldest waiting lines that `horizon` does not keep, because they need not go to
    /// disk. Looks at `most` records at most.
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
                // Records of other kinds are rare among lines, so they are passed over.
                Some(_) => place += 1,
            }
        }
    }

    /// Makes the selected lines among the waiting records unreadable. Returns how many records were
    /// looked at.
    pub(super) fn redact(&mut self, what: &Selector) -> usize {
        for (_, record) in &mut self.waiting {
            if let Record::Line { room, name, line, encrypted } = &**record
                && line.said != Said::Redacted
                && what.matches(name.folded(), line)
            {
                self.bytes -= record.weight();
                let line = Arc::new(redacted(line));
                *record = Arc::new(Record::Line { room: *room, name: name.clone(), line, encrypted: *encrypted });
                self.bytes += record.weight();
            }
        }
        self.waiting.len()
    }

    /// The lines that have to be made unreadable on disk, and may still be readable there.
    pub fn redactions(&self) -> impl ExactSizeIterator<Item = &Arc<Selector>> {
        self.redactions.iter().map(|(_, what)| what)
    }

    /// Drops all records, because recording has ended.
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

    /// Checks a backlog from a snapshot, and computes its weight. `next_line` is the number of the
    /// next line that is said.
    ///
    /// # Errors
    /// The first thing that does not fit.
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

    /// Panics if the weight or the order of the records is wrong.
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.bytes, self.waiting.iter().map(|(_, record)| record.weight()).sum::<usize>());
        assert!(self.waiting.iter().zip(self.waiting.iter().skip(1)).all(|(one, other)| one.0 < other.0));
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a store reports when it has opened the file on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recalled {
    /// The highest line number that the disk knows to have been given.
    pub last_line: u64,
    /// The highest room number that the disk knows to have been given.
    pub last_room: u64,
    /// The highest client number that the disk knows to have been given. New clients get higher
    /// ones, so that the author of a recorded line stays one client.
    pub last_session: u64,
    /// The highest sanction number that the disk knows to have been given. No number is given
    /// again, so that it names the same sanction in the journal, in messages to people, and in what
    /// they type.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_sanction: u64,
    /// The highest account number that the disk knows to have been given.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_account: u64,
    /// The highest report number that the disk knows to have been given.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_report: u64,
    /// The highest number that the disk knows to have been given to a message kept for somebody.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_memo: u64,
    /// The sanctions, the oldest first.
    pub sanctions: Vec<Sanction>,
    /// The accounts, the oldest first.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// The rooms that last.
    #[serde(default)]
    pub lasting: Vec<Lasting>,
    /// The reports, the oldest first.
    #[serde(default)]
    pub reports: Vec<Report>,
    /// The messages kept for people who are not here, the oldest first.
    #[serde(default)]
    pub memos: Vec<Memo>,
    /// Whether the file could not be read: bans and accounts may be on disk that are not listed
    /// here.
    #[serde(default)]
    pub unread: bool,
    /// The rooms that were open when recording ended; the room with the newest line comes first.
    pub rooms: Vec<RecalledRoom>,
}

/// A room as the disk knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecalledRoom {
    /// The number, which the room keeps.
    pub room: RoomId,
    /// The name as it was shown.
    pub name: String,
    /// The last lines, oldest first.
    pub lines: Vec<Line>,
    /// The number of the first line that is shown to connections that are not secure: those before it were said while
    /// the room was encrypted, or before that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub plain_from: u64,
}

/// A search that a person has asked for. The hub itself searches the lines that are still in the
/// backlog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// The client that asks. Each client has at most one search under way.
    pub session: SessionId,
    /// The number of the search, which [`Found`](super::News::Found) carries as well.
    pub number: u64,
    /// The room whose lines are searched.
    pub room: RoomId,
    /// The room's name.
    pub name: Name,
    /// The text as typed, cut so that it can be shown in the answer.
    pub shown: Arc<str>,
    /// The text, folded.
    pub query: Arc<str>,
    /// The most lines to find; the newest matches are kept.
    pub limit: usize,
    /// The number of the first line that the client may see.
    #[serde(default)]
    pub from: u64,
    /// The origin of the client. Searches from one origin run one after another.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// For a search that shows a report instead: the report, and the numbers of the lines in
    /// question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<(ReportId, Vec<u64>)>,
}

/// The result of a search on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The lines that match, oldest first.
    pub lines: Vec<Line>,
    /// The highest number of a line that was looked at; newer lines are in memory.
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

/// Selects lines of history: those that match all fields that are set. If no field is set, all
/// lines are selected.
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
    /// Lines said at this time or later.
    pub since: Option<Wall>,
    /// Lines said before this time.
    pub until: Option<Wall>,
    /// Lines whose folded text contains this.
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
