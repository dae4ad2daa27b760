//! What outlives the hub, as values: records on their way to the disk, and what comes back from it.
//!
//! The hub writes nothing. It hands out numbered [`Record`]s and keeps each until it is told that the
//! record is on disk ([`Backlog`]). So a hub whose state was recovered after a crash hands out again
//! what may not have been written, and whoever writes needs to know nothing of crashes: writing a
//! record twice is the same as writing it once.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::history::weight;
use super::lasting::Lasting;
use super::message::Line;
use super::moderation::Ban;
use crate::values::id::AccountId;
use crate::values::id::BanId;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::{self, Name};
use crate::values::network::Origin;
use crate::values::time::Wall;

/// Something to be written. Writing it a second time changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A line that was said.
    Line {
        /// In which room.
        room: RoomId,
        /// The room's name.
        name: Name,
        /// The line; it is of a kind that is kept.
        line: Arc<Line>,
    },
    /// The last one has left a room: it is not shown again to those who open one of that name.
    Closed {
        /// The room.
        room: RoomId,
        /// Its name.
        name: Name,
    },
    /// Somebody is kept out. A ban of the same number is replaced.
    Ban(Box<Ban>),
    /// A ban is lifted, or has ended.
    Unban(BanId),
    /// An account as it is now. One of the same number is replaced.
    Account(Box<Account>),
    /// An account is no more.
    Unaccount(AccountId),
    /// A room that lasts, as it is now. One of the same name is replaced.
    Lasting(Box<Lasting>),
    /// The room of that name does not last any more.
    Passing(Name),
    /// What is selected, of all that was recorded before, is to be unreadable.
    Redact(Arc<Selector>),
    /// Clients may have numbers up to this: no later hub gives one of them again.
    Given(SessionId),
}

impl Record {
    /// What it counts against `history.queue`.
    fn weight(&self) -> usize {
        match self {
            Self::Line { line, .. } => weight(line),
            // About as much as they take: few of them come, each behind something that was limited.
            Self::Closed { .. }
            | Self::Ban(_)
            | Self::Unban(_)
            | Self::Account(_)
            | Self::Unaccount(_)
            | Self::Lasting(_)
            | Self::Passing(_)
            | Self::Redact(_)
            | Self::Given(_) => 256,
        }
    }
}

/// Records that are not known to be on disk, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Backlog {
    /// The number of the next record.
    next: u64,
    waiting: VecDeque<(u64, Arc<Record>)>,
    /// What they weigh.
    #[serde(skip)]
    bytes: usize,
    /// Lines left out since there was no place, while there still is none to speak of.
    lost: u64,
}

/// What became of a line that was to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It has this number.
    As(u64),
    /// There was no place for it; the first of a series.
    FirstLost,
    /// Nor for this one.
    Lost,
}

impl Backlog {
    /// Takes a line, unless more than `limit` bytes of lines would wait. After one was refused, so are
    /// those that follow until half of the place is free: history then has few long gaps instead of many
    /// short ones.
    pub(super) fn push_line(&mut self, record: Record, limit: usize) -> Taken {
        let limit = if self.lost > 0 { limit / 2 } else { limit };
        if self.bytes + record.weight() > limit {
            self.lost += 1;
            return if self.lost == 1 { Taken::FirstLost } else { Taken::Lost };
        }
        Taken::As(self.push(record))
    }

    /// The lines lost in the series that has just ended, once.
    pub(super) fn series_ended(&mut self) -> Option<u64> {
        (self.lost > 0).then(|| std::mem::take(&mut self.lost))
    }

    /// Takes a record, which there are few of.
    pub(super) fn push(&mut self, record: Record) -> u64 {
        let number = self.next;
        self.next += 1;
        self.bytes += record.weight();
        self.waiting.push_back((number, Arc::new(record)));
        number
    }

    /// All records up to `through` are on disk.
    pub(super) fn done(&mut self, through: u64) {
        while let Some((number, record)) = self.waiting.front()
            && *number <= through
        {
            self.bytes -= record.weight();
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() && self.waiting.capacity() > 1024 {
            self.waiting = VecDeque::new();
        }
    }

    /// Lets go of everything: nothing is recorded any more.
    pub(super) fn clear(&mut self) {
        self.waiting = VecDeque::new();
        (self.bytes, self.lost) = (0, 0);
    }

    /// Those that wait, with their numbers.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Record)> + ExactSizeIterator {
        self.waiting.iter().map(|(number, record)| (*number, &**record))
    }

    /// What the lines that wait weigh, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether what was read fits together, where the next line has that number; the weights are taken.
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
        Ok(())
    }

    /// Panics if the weight is wrong.
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.bytes, self.waiting.iter().map(|(_, record)| record.weight()).sum::<usize>());
        assert!(self.waiting.iter().zip(self.waiting.iter().skip(1)).all(|(one, other)| one.0 < other.0));
    }
}

/// What a store tells when it has opened what is on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recalled {
    /// The highest number of a line that was ever given, as far as the disk knows.
    pub last_line: u64,
    /// The highest number of a room, likewise.
    pub last_room: u64,
    /// The highest number of a client, likewise. Whoever numbers clients goes on from there, so that a
    /// line's author stays one client.
    pub last_session: u64,
    /// The bans, by age.
    pub bans: Vec<Ban>,
    /// The accounts, by age.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// The rooms that last.
    #[serde(default)]
    pub lasting: Vec<Lasting>,
    /// What is on disk could not be read. There may be bans and accounts that are not named here.
    #[serde(default)]
    pub unread: bool,
    /// The rooms that were open when recording ended, the one spoken in last first.
    pub rooms: Vec<RecalledRoom>,
}

/// A room as the disk knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecalledRoom {
    /// Its number.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// The last lines, oldest first.
    pub lines: Vec<Line>,
}

/// A search that a person asked for. What is still in the backlog is the hub's to look through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Who asks. One search at a time.
    pub session: SessionId,
    /// Tells it from that session's other ones.
    pub number: u64,
    /// Only lines of this room.
    pub room: RoomId,
    /// The room's name.
    pub name: Name,
    /// What was typed, short enough to be told back.
    pub shown: Arc<str>,
    /// The text, folded.
    pub query: Arc<str>,
    /// How many lines at most: the last ones.
    pub limit: usize,
    /// The first line that whoever asks may see.
    #[serde(default)]
    pub from: u64,
    /// Where whoever asks comes from: searches of one address wait for each other.
    #[serde(default)]
    pub origin: Option<Origin>,
}

/// What a search on disk has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Oldest first.
    pub lines: Vec<Line>,
    /// The highest number of a line that was looked at; what is newer is in memory.
    pub through: u64,
    /// How far back it looked.
    pub reach: Reach,
}

/// How far back a search looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// To the beginning of what is kept, or until there were enough matches.
    All,
    /// To that time: further back would have taken too long.
    Since(Wall),
    /// Only through what is in memory: the disk could not be read.
    Memory,
    /// Likewise, because too many others are searching.
    Busy,
}

/// Which lines are meant. What is not said does not matter; a selector that says nothing means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// Of the room whose name folds to this.
    pub room: Option<String>,
    /// Of the client with this number.
    pub client: Option<SessionId>,
    /// Under the name that folds to this.
    pub nick: Option<String>,
    /// With this number or a higher one.
    pub from: Option<u64>,
    /// With this number or a lower one.
    pub to: Option<u64>,
    /// Said then or later.
    pub since: Option<Wall>,
    /// Said before then.
    pub until: Option<Wall>,
    /// With this text in it; folded.
    pub text: Option<String>,
}

impl Selector {
    /// Whether it means a line of the room whose folded name is `room`.
    #[must_use]
    pub fn matches(&self, room: &str, line: &Line) -> bool {
        self.room.as_deref().is_none_or(|wanted| wanted == room)
            && self.client.is_none_or(|client| line.author == Some(client))
            && self.from.is_none_or(|from| line.seq >= from)
            && self.to.is_none_or(|to| line.seq <= to)
            && self.since.is_none_or(|since| line.at >= since)
            && self.until.is_none_or(|until| line.at < until)
            && self.nick.as_deref().is_none_or(|nick| name::fold(line.said.nick()) == nick)
            && self.text.as_deref().is_none_or(|text| name::fold(line.said.text()).contains(text))
    }
}
