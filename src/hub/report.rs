//! Reports: what people tell the operators about each other, as a queue that outlives everything.
//!
//! A report has a number, who made it, about whom, in which room, why, and the numbers of the lines in question. The
//! lines themselves stay where they are, in history: so what is redacted there is redacted here, and nothing that was
//! said in private gets onto disk by way of a report.
//!
//! It is open until an operator or an administrator closes it. No report pushes an open one out: where there are too
//! many, of one person, of one address or in all, another one is refused, and of the last quarter of all places each
//! address has one. Of the closed ones the first to be closed goes first, and each when what is said is not kept any
//! longer either.
//!
//! An operator is told nothing of reports about themselves: those are for the others, and for administrators.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::account::Role;
use super::archive::{Found, Reach, Record, Selector};
use super::inbound::Arrives;
use super::leavers::Leaver;
use super::message::{Done, Line, Message, Refusal, Said, ShownLine, ShownReport};
use super::ownership::Guest;
use super::sanction::Author;
use super::session::Session;
use super::speech::Carrier;
use super::strike::Offence;
use super::{By, Effect, Happening, Hub, Turn, What, work};
use crate::settings::Settings;
use crate::values::id::{AccountId, ReportId, RoomId, SessionId};
use crate::values::name;
use crate::values::network::Origin;
use crate::values::rate::Allowance;
use crate::values::time::{Now, Wall};

/// So many of the last lines of somebody are in question when they are reported.
const LINES: usize = 10;

/// So many at most, when the same is reported again.
const LINES_IN_ALL: usize = 20;

/// From one address there may be so many times as many reports as one person may send.
const REPORTERS: u32 = 5;

/// Reports of one address that are refused because they come too soon, before each further one is a strike.
const SPARED: u32 = 5;

/// The part of all open reports that one person can have made, and that can have come from one address.
const OF_ONE: usize = 20;
const OF_ADDRESS: usize = 8;

/// The most operators who are told of one report: those who have been here longest.
const TOLD: usize = 100;

/// Somebody in a report, as they were when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Their name; empty if they were erased since.
    pub name: Arc<str>,
    /// The account they were logged in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The client.
    pub session: SessionId,
}

impl Party {
    fn of(session: &Session) -> Self {
        Self { name: session.nick.shown().into(), account: session.account, session: session.id }
    }

    /// Somebody who has left a moment ago.
    fn of_leaver(leaver: &Leaver) -> Self {
        Self { name: leaver.nick.shown().into(), account: leaver.account, session: leaver.id }
    }

    /// Whether both are the same person, as far as can be told.
    fn is(&self, other: &Self) -> bool {
        self.session == other.session || (self.account.is_some() && self.account == other.account)
    }

    /// What they are called in a list.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { "(erased)" } else { &self.name }
    }

    fn guest(&self) -> Guest {
        self.account.map_or(Guest::Session(self.session), Guest::Account)
    }
}

/// That a report was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// By whom.
    pub by: Author,
    /// When.
    pub at: Wall,
    /// What they had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Arc<str>>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its number.
    pub id: ReportId,
    /// When it was made.
    pub at: Wall,
    /// When the same was reported last.
    pub last: Wall,
    /// How often, the first time included.
    pub times: u32,
    /// Who made it.
    pub by: Party,
    /// They were muted without being told.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub shadow: bool,
    /// About whom.
    pub about: Party,
    /// The room in which the lines were said, or where its author was.
    pub room: RoomId,
    /// The room's name.
    pub room_name: Arc<str>,
    /// Why; empty if nothing was said.
    pub reason: Arc<str>,
    /// The reason was erased.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub erased: bool,
    /// The numbers of the lines in question, rising.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<u64>,
    /// Where it came from, for as long as that counts. It is not on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// That it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

impl Report {
    /// Whether it is about somebody who is logged in to that account, or is that client.
    fn is_about(&self, session: &Session) -> bool {
        self.about.session == session.id || (self.about.account.is_some() && self.about.account == session.account)
    }

    /// Whether its reason is among the lines that are meant: as if its author had said it.
    fn is_meant(&self, what: &Selector) -> bool {
        // Who has everything removed that was said at some time does not mean what was told to the operators.
        let is_about_somebody = what.client.is_some() || what.nick.is_some() || what.text.is_some();
        is_about_somebody
            && what.from.is_none()
            && what.to.is_none()
            && what.room.as_deref().is_none_or(|room| name::fold(&self.room_name) == room)
            && what.client.is_none_or(|client| self.by.session == client)
            && what.nick.as_deref().is_none_or(|nick| name::fold(&self.by.name) == nick)
            && what.since.is_none_or(|since| self.at >= since)
            && what.until.is_none_or(|until| self.at < until)
            && what.text.as_deref().is_none_or(|text| name::fold(&self.reason).contains(text))
    }

    /// Lets go of what was written in it.
    fn erase(&mut self) {
        (self.reason, self.erased) = ("".into(), true);
        if let Some(closed) = &mut self.closed {
            closed.note = None;
        }
    }

    /// `r12 about bob (c5)`
    fn title(&self) -> String {
        format!("{} about {} ({})", self.id, self.about.shown(), self.about.session)
    }
}

/// All reports, and how often people have made some of late.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "SavedReports")]
pub struct Reports {
    by_session: Allowance<SessionId>,
    by_origin: Allowance<Origin>,
    /// Those that were refused because they came too soon.
    refused: Allowance<Origin>,
    next: u64,
    kept: BTreeMap<ReportId, Arc<Report>>,
    open: BTreeSet<ReportId>,
    closed: BTreeSet<(Wall, ReportId)>,
    /// The open ones, by who made them and where they came from.
    of_person: BTreeMap<Guest, BTreeSet<ReportId>>,
    of_origin: BTreeMap<Origin, usize>,
}

/// What is read of it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SavedReports {
    by_session: Allowance<SessionId>,
    by_origin: Allowance<Origin>,
    refused: Allowance<Origin>,
    next: u64,
    kept: Vec<Report>,
}

impl From<SavedReports> for Reports {
    fn from(saved: SavedReports) -> Self {
        let SavedReports { by_session, by_origin, refused, next, kept } = saved;
        let mut this = Self { by_session, by_origin, refused, next, ..Self::default() };
        kept.into_iter().for_each(|report| this.put(report));
        this
    }
}

impl Serialize for Reports {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Saving<'a> {
            by_session: &'a Allowance<SessionId>,
            by_origin: &'a Allowance<Origin>,
            refused: &'a Allowance<Origin>,
            next: u64,
            kept: Vec<&'a Report>,
        }
        let Self { by_session, by_origin, refused, next, kept, .. } = self;
        let kept = kept.values().map(|report| &**report).collect();
        Saving { by_session, by_origin, refused, next: *next, kept }.serialize(to)
    }
}

impl Reports {
    /// All of them as they are now, without indexes: to be written down.
    pub(super) fn frozen(&self) -> Self {
        Self {
            by_session: self.by_session.clone(),
            by_origin: self.by_origin.clone(),
            refused: self.refused.clone(),
            next: self.next,
            kept: self.kept.clone(),
            ..Self::default()
        }
    }

    /// The number for the next one.
    fn next_id(&self) -> ReportId {
        ReportId(self.next.max(1))
    }

    /// From now on, numbers are no lower than this.
    pub(super) fn number_from(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// Puts a report in, in place of the one with its number.
    pub(super) fn put(&mut self, report: Report) {
        self.remove(report.id);
        self.number_from(report.id.0.saturating_add(1));
        match &report.closed {
            None => {
                self.open.insert(report.id);
                self.of_person.entry(report.by.guest()).or_default().insert(report.id);
                if let Some(origin) = report.origin {
                    *self.of_origin.entry(origin).or_default() += 1;
                }
            }
            Some(closed) => _ = self.closed.insert((closed.at, report.id)),
        }
        self.kept.insert(report.id, Arc::new(report));
    }

    /// Lets go of a report.
    fn remove(&mut self, id: ReportId) {
        let Some(report) = self.kept.remove(&id) else { return };
        if let Some(closed) = &report.closed {
            self.closed.remove(&(closed.at, id));
        }
        if self.open.remove(&id) {
            if let Some(theirs) = self.of_person.get_mut(&report.by.guest()) {
                theirs.remove(&id);
                if theirs.is_empty() {
                    self.of_person.remove(&report.by.guest());
                }
            }
            if let Some(origin) = report.origin
                && let Some(count) = self.of_origin.get_mut(&origin)
            {
                *count -= 1;
                if *count == 0 {
                    self.of_origin.remove(&origin);
                }
            }
        }
    }

    /// One report.
    #[must_use]
    pub fn get(&self, id: ReportId) -> Option<&Arc<Report>> {
        self.kept.get(&id)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Report>> + ExactSizeIterator {
        self.kept.values()
    }

    /// Those from that one on, by number.
    pub fn iter_from(&self, first: ReportId) -> impl Iterator<Item = &Arc<Report>> {
        self.kept.range(first..).map(|(_, report)| report)
    }

    /// The open ones, by number.
    pub fn open(&self) -> impl ExactSizeIterator<Item = &Arc<Report>> {
        self.open.iter().map(|id| &self.kept[id])
    }

    /// Those among these numbers.
    pub fn among(&self, range: core::ops::RangeInclusive<ReportId>) -> impl Iterator<Item = &Arc<Report>> {
        self.kept.range(range).map(|(_, report)| report)
    }

    /// An open one of the same person about the same one, for the same reason.
    fn same(&self, by: &Party, about: &Party, reason: &str) -> Option<ReportId> {
        let theirs = self.of_person.get(&by.guest())?;
        let reason = name::fold(reason);
        let is_same = |id: &&ReportId| {
            let known = &self.kept[*id];
            !known.erased && known.about.is(about) && name::fold(&known.reason) == reason
        };
        theirs.iter().find(is_same).copied()
    }

    /// Why no more can be open of that person or from there, where so many may be open in all.
    fn refuse(&self, by: &Party, origin: Origin, most: usize) -> Option<Refusal> {
        let (of_one, of_address) = ((most / OF_ONE).max(1), (most / OF_ADDRESS).max(1));
        let from_there = self.of_origin.get(&origin).copied().unwrap_or(0);
        if self.open.len() >= most {
            Some(Refusal::ReportsFull(self.open.len()))
        } else if self.of_person.get(&by.guest()).is_some_and(|theirs| theirs.len() >= of_one) {
            Some(Refusal::TooManyReports(of_one))
        } else if from_there >= of_address || (from_there > 0 && self.open.len() >= most - most / 4) {
            Some(Refusal::TooManyReportsFromAddress(from_there))
        } else {
            None
        }
    }

    /// Lets go of closed ones beyond so many, and of those that were closed before `since`; says which.
    fn trim(&mut self, most: usize, since: Option<Wall>) -> Vec<ReportId> {
        let mut gone = Vec::new();
        while let Some((at, id)) = self.closed.first().copied()
            && (self.closed.len() > most || since.is_some_and(|since| at < since))
        {
            self.remove(id);
            gone.push(id);
        }
        gone
    }

    /// Panics if the indexes disagree.
    pub(super) fn check_invariants(&self) {
        let (open, closed): (Vec<_>, Vec<_>) = self.kept.values().partition(|report| report.closed.is_none());
        assert!(open.iter().map(|report| report.id).eq(self.open.iter().copied()), "what is open is known");
        assert_eq!(closed.len(), self.closed.len(), "what is closed is known");
        assert_eq!(self.of_person.values().map(BTreeSet::len).sum::<usize>(), open.len(), "each is somebody's");
        let from_somewhere = open.iter().filter(|report| report.origin.is_some()).count();
        assert_eq!(self.of_origin.values().sum::<usize>(), from_somewhere, "each is counted where it came from");
        assert!(self.kept.keys().all(|id| id.0 < self.next), "numbers rise");
    }
}

/// What is to be closed, and what of it is closed already.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ToClose {
    /// Those that are open.
    pub open: Vec<ReportId>,
    /// Those that were named one by one and are closed.
    pub closed: Vec<Arc<Report>>,
}

/// Why a line in question is shown to somebody, or is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It is there, and may be seen; it may have been redacted.
    Line(Arc<Line>),
    /// It was said in private.
    Private,
    /// It is not in memory.
    Missing,
}

impl Hub {
    /// All reports that are kept.
    #[must_use]
    pub fn reports(&self) -> &Reports {
        &self.moderation.reports
    }

    /// Counts a report of `id`, or says how long it is too soon for one.
    fn may_report(&mut self, id: SessionId, now: Now) -> Result<(), Duration> {
        let Some(session) = self.people.sessions.get(&id) else { return Ok(()) };
        let origin = Origin::of(session.peer.ip());
        let (burst, every) = (self.settings.moderation.reports, self.settings.moderation.report_every);
        self.moderation.reports.by_session.take(id, burst, every, now.mono)?;
        let of_origin = (burst.saturating_mul(REPORTERS), every / REPORTERS);
        self.moderation.reports.by_origin.take(origin, of_origin.0, of_origin.1, now.mono).inspect_err(|_| {
            self.moderation.reports.by_session.give_back(id, every);
        })
    }

    /// The room in which `about` has said something last that `from` may see, and the numbers of these lines.
    fn lines_in_question(&mut self, from: SessionId, about: SessionId) -> (RoomId, Vec<u64>) {
        let own = &self.people.sessions[&from];
        // One who has left has said it here, if anywhere.
        let other = self.people.sessions.get(&about).map_or(own.room, |other| other.room);
        let mut looked_at = 0;
        let mut lines_in = |id: RoomId| {
            let room = &self.rooms.open[&id];
            if id != own.room && room.ownership.private {
                return Vec::new();
            }
            let sees_from = if id == own.room { own.sees_from } else { room.ownership.visible_from };
            let mut lines: Vec<u64> = room
                .history
                .iter()
                .rev()
                .take(work::MOST)
                .inspect(|_| looked_at += 1)
                .take_while(|line| line.seq >= sees_from)
                .filter(|line| line.author == Some(about) && line.said != Said::Redacted)
                .take(LINES)
                .map(|line| line.seq)
                .collect();
            lines.reverse();
            lines
        };
        let here = lines_in(own.room);
        let (room, lines) = match here.is_empty() && own.room != other {
            true => (other, lines_in(other)),
            false => (own.room, here),
        };
        let found = if lines.is_empty() { (own.room, lines) } else { (room, lines) };
        self.work.done += looked_at;
        found
    }

    /// What is known of the line `number` of a report, for somebody: an operator in chat, or an administrator.
    #[must_use]
    pub fn evidence(&self, report: &Report, number: u64, reader: Option<SessionId>) -> Evidence {
        let reader = reader.and_then(|id| self.people.sessions.get(&id)).filter(|reader| reader.room == report.room);
        if let Some(room) = self.rooms.open.get(&report.room) {
            let is_public = !room.ownership.private && number >= room.ownership.visible_from;
            if !is_public && reader.is_none_or(|reader| number < reader.sees_from) {
                return Evidence::Private;
            }
            if let Some(line) = room.history.find(number) {
                return Evidence::Line(line.clone());
            }
        }
        let dormant = self.recording.dormant.values().find(|(id, _)| *id == report.room);
        dormant
            .and_then(|(_, history)| history.find(number))
            .map_or(Evidence::Missing, |line| Evidence::Line(line.clone()))
    }

    /// How many reports are open that `id` is to see.
    pub(super) fn open_reports_for(&self, id: SessionId) -> usize {
        let Some(session) = self.people.sessions.get(&id) else { return 0 };
        self.moderation.reports.open().filter(|report| !report.is_about(session)).count()
    }

    /// The report of that number, if `id` is to see it.
    pub(super) fn report_for(&self, id: SessionId, report: ReportId) -> Option<&Arc<Report>> {
        let session = self.people.sessions.get(&id)?;
        self.moderation.reports.get(report).filter(|report| !report.is_about(session))
    }

    /// The name of an account that a party was logged in to.
    #[must_use]
    pub fn account_of(&self, party: &Party) -> Option<Arc<str>> {
        party.account.and_then(|id| self.accounts.get(id)).map(|account| account.name.shown().into())
    }

    /// What is meant by `words`, which are numbers and ranges of reports, for who is not `reader`'s concern.
    ///
    /// # Errors
    /// The first word that means no report.
    pub fn reports_to_close<'w>(
        &self,
        words: impl Iterator<Item = &'w str>,
        reader: Option<SessionId>,
    ) -> Result<ToClose, &'w str> {
        let reader = reader.and_then(|id| self.people.sessions.get(&id));
        let mut found = ToClose::default();
        for word in words {
            let range = ReportId::parse_range(word).ok_or(word)?;
            let is_one = range.start() == range.end();
            let mut meant = self
                .moderation
                .reports
                .among(range)
                .filter(|report| reader.is_none_or(|reader| !report.is_about(reader)))
                .peekable();
            if meant.peek().is_none() {
                return Err(word);
            }
            for report in meant {
                match report.closed {
                    None => found.open.push(report.id),
                    Some(_) if is_one => found.closed.push(report.clone()),
                    Some(_) => {}
                }
            }
        }
        found.open.sort_unstable();
        found.open.dedup();
        Ok(found)
    }

    fn reports_kept(settings: &Settings) -> usize {
        settings.moderation.reports_kept as usize
    }
}

impl Turn<'_> {
    /// `from` reports `about`.
    pub(super) fn report(&mut self, from: SessionId, about: SessionId, reason: &str) {
        let Some(own) = self.hub.people.sessions.get(&from) else { return };
        let left = || self.hub.moderation.leavers.iter(self.now.mono).find(|leaver| leaver.id == about);
        let here = self.hub.people.sessions.get(&about).map(|other| Party::of(other));
        let Some(whom) = here.or_else(|| left().map(Party::of_leaver)) else { return };
        let by = Party::of(own);
        let (origin, shadow) = (Origin::of(own.peer.ip()), own.muted(self.now).is_some_and(|mute| mute.shadow));
        if let Err(wait) = self.hub.may_report(from, self.now) {
            self.hub.counters.reports_refused += 1;
            self.refuse(from, Refusal::TooManyAttempts(wait));
            let every = self.hub.settings.moderation.report_every;
            if self.hub.moderation.reports.refused.take(origin, SPARED, every, self.now.mono).is_err() {
                self.strike(from, Offence::Flood);
            }
            return;
        }
        // Of what is said again and again there is nothing new in a report either.
        if !reason.is_empty() && self.heard(from, Carrier::Report, reason).is_none() {
            return;
        }
        self.trim_reports();
        let (room, lines) = self.hub.lines_in_question(from, about);
        if let Some(id) = self.hub.moderation.reports.same(&by, &whom, reason) {
            return self.report_again(from, id, &lines);
        }
        let most = Hub::reports_kept(&self.hub.settings);
        if let Some(refusal) = self.hub.moderation.reports.refuse(&by, origin, most) {
            self.hub.counters.reports_refused += 1;
            return self.refuse(from, refusal);
        }
        let opened = &self.hub.rooms.open[&room];
        let report = Report {
            id: self.hub.moderation.reports.next_id(),
            at: self.now.wall,
            last: self.now.wall,
            times: 1,
            by,
            shadow,
            about: whom,
            room,
            room_name: opened.name.shown().into(),
            reason: reason.into(),
            erased: false,
            lines,
            origin: Some(origin),
            closed: None,
        };
        let is_private = opened.ownership.private;
        self.hub.counters.reports += 1;
        self.keep_report(report.clone());
        self.happened(What::Reported, from, None, Some(report.title().into()));
        let (told, here) = self.tell_operators(from, about, &report);
        let done = Done::Reported {
            id: report.id,
            about: report.about.name.clone(),
            here,
            told,
            lines: report.lines.len(),
            room: report.room_name.clone(),
            is_private,
        };
        self.done(from, done);
    }

    /// The same is reported again.
    fn report_again(&mut self, from: SessionId, id: ReportId, lines: &[u64]) {
        let Some(known) = self.hub.moderation.reports.get(id) else { return };
        let mut report = (**known).clone();
        report.times = report.times.saturating_add(1);
        report.last = self.now.wall;
        let newest = report.lines.last().copied().unwrap_or(0);
        // What was in question first stays.
        let place = LINES_IN_ALL - report.lines.len().min(LINES_IN_ALL);
        report.lines.extend(lines.iter().copied().filter(|line| *line > newest).take(place));
        let times = report.times;
        self.keep_report(report);
        self.done(from, Done::ReportedAgain { id, times });
    }

    fn keep_report(&mut self, report: Report) {
        self.record(Record::Report(Box::new(report.clone())));
        self.hub.moderation.reports.put(report);
    }

    /// Tells the operators who are here of a report, but for those whom it is by or about: how many of them are told,
    /// and how many there are.
    fn tell_operators(&mut self, from: SessionId, about: SessionId, report: &Report) -> (usize, usize) {
        let concerned = [from, about];
        let others = self.hub.people.operators.iter().copied();
        let others: Vec<_> = others
            .filter(|id| !concerned.contains(id))
            .filter(|id| self.hub.people.sessions.get(id).is_some_and(|session| !report.is_about(session)))
            .take(TOLD)
            .collect();
        self.hub.work.done += others.len() as u64;
        let mut told = 0;
        for operator in others.iter().copied() {
            if self.hub.reach(from, operator, &report.reason, Arrives::Yes, self.now.mono).is_ok() {
                let message = Message::Report {
                    id: report.id,
                    from: report.by.name.clone(),
                    shadow: report.shadow,
                    about: report.about.name.clone(),
                    reason: report.reason.clone(),
                };
                self.tell(operator, message);
                told += 1;
            }
        }
        (told, others.len())
    }

    /// Tells an operator who has just come how many reports are open, if any are.
    pub(super) fn tell_of_reports(&mut self, id: SessionId) {
        self.trim_reports();
        let open = self.hub.open_reports_for(id);
        if open > 0 {
            self.done(id, Done::ReportsOpen(open));
        }
    }

    /// Closes a report. Whether it was open.
    pub(super) fn close_report(&mut self, id: ReportId, note: Option<Arc<str>>, by: By) -> bool {
        let Some(known) = self.hub.moderation.reports.get(id).filter(|known| known.closed.is_none()) else {
            return false;
        };
        let closed = Closed { by: self.hub.author(by), at: self.now.wall, note };
        let report = Report { closed: Some(closed), origin: None, ..(**known).clone() };
        let text = format!("{}, by {} ({})", report.title(), report.by.shown(), report.by.session);
        self.keep_report(report);
        let (by, text) = (Some(by), Some(text.into()));
        self.effects.push(Effect::Happened(Happening { by, text, ..Happening::new(What::ReportClosed, self.now) }));
        self.trim_reports();
        true
    }

    /// Lets go of closed reports that are too many, or too old.
    pub(super) fn trim_reports(&mut self) {
        let settings = &self.hub.settings;
        let (most, since) = (Hub::reports_kept(settings), settings.history.keep.map(|keep| self.now.wall.before(keep)));
        for id in self.hub.moderation.reports.trim(most, since) {
            self.record(Record::Unreport(id));
        }
    }

    /// Lets go of the reasons that are among the lines that are meant.
    pub(super) fn redact_reports(&mut self, what: &Selector) {
        let meant = |report: &&Arc<Report>| !report.erased && report.is_meant(what);
        let meant: Vec<Report> =
            self.hub.moderation.reports.iter().filter(meant).map(|report| (**report).clone()).collect();
        for mut report in meant {
            report.erase();
            self.keep_report(report);
        }
    }

    /// Lets go of what reports by or about an account say of it: its name, and why.
    pub(super) fn erase_reports(&mut self, account: AccountId) {
        let Some(name) = self.hub.accounts.get(account).map(|account| account.name.folded().to_owned()) else { return };
        let is_theirs = |party: &Party| party.account == Some(account) || name::fold(&party.name) == name;
        let theirs: Vec<Report> = self
            .hub
            .moderation
            .reports
            .iter()
            .filter(|report| is_theirs(&report.by) || is_theirs(&report.about))
            .map(|report| (**report).clone())
            .collect();
        for mut report in theirs {
            let (by, about) = (is_theirs(&report.by), is_theirs(&report.about));
            for (party, theirs) in [(&mut report.by, by), (&mut report.about, about)] {
                if theirs {
                    (party.name, party.account) = ("".into(), None);
                }
            }
            report.erase();
            self.keep_report(report);
        }
    }

    /// Takes a report that stands on disk, unless it is known.
    pub(super) fn recall_report(&mut self, report: Report) {
        let reports = &mut self.hub.moderation.reports;
        match reports.get(report.id).cloned() {
            None => reports.put(report),
            // It is that one, as it is now.
            Some(known) if (known.at, known.by.session) == (report.at, report.by.session) => {}
            Some(known) => {
                // Another file's: people know the number of this one.
                let id = ReportId(reports.next_id().0.max(report.id.0 + 1));
                self.record(Record::Report(Box::new((*known).clone())));
                self.keep_report(Report { id, ..report });
            }
        }
    }

    /// Lines of a report were looked for on disk.
    pub(super) fn found_for_report(&mut self, id: SessionId, report: ReportId, found: Found) {
        let lines: Vec<_> = found.lines.into_iter().map(Arc::new).collect();
        // It may have been erased meanwhile, and whoever asked may be no operator any more.
        if self.hub.role(id) == Role::Operator
            && let Some(report) = self.hub.report_for(id, report).cloned()
        {
            let missing = match found.reach {
                Reach::All | Reach::Since(_) => ShownLine::Gone,
                Reach::Memory | Reach::Busy => ShownLine::Unread,
            };
            self.show_report(id, &report, &lines, &missing);
        }
    }

    /// Shows a report to `id`, with the lines in question as far as these are there: in memory, or in `found`. Of the
    /// others it says `missing`.
    pub(super) fn show_report(
        &mut self,
        id: SessionId,
        report: &Arc<Report>,
        found: &[Arc<Line>],
        missing: &ShownLine,
    ) {
        let hub = &*self.hub;
        let lines = report.lines.iter().map(|number| {
            let line = match hub.evidence(report, *number, Some(id)) {
                Evidence::Line(line) => ShownLine::Line(line),
                Evidence::Private => ShownLine::Private,
                Evidence::Missing => match found.iter().find(|line| line.seq == *number) {
                    Some(line) => ShownLine::Line(line.clone()),
                    None => missing.clone(),
                },
            };
            (*number, line)
        });
        let lines: Vec<_> = lines.collect();
        let now = |party: &Party| {
            let session = hub.people.sessions.get(&party.session)?;
            let room = hub.rooms.open.get(&session.room).map(|room| hub.room_for(id, room))?;
            Some((session.nick.shown().into(), room))
        };
        let shown = ShownReport {
            by_now: now(&report.by),
            by_account: hub.account_of(&report.by),
            about_now: now(&report.about),
            about_account: hub.account_of(&report.about),
            lines,
            offset: hub.people.sessions.get(&id).and_then(|session| session.view.time).unwrap_or_default(),
            report: report.clone(),
        };
        self.hub.work.done += work::REPLAYED * report.lines.len() as u64;
        self.tell(id, Message::ReportShown(Box::new(shown)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::Account;
    use super::super::archive::Recalled;
    use super::super::{Effect, Input, News};
    use super::*;
    use crate::values::name::Name;
    use crate::values::time::Mono;
    use proptest::prelude::*;

    const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_000) };

    /// A hub with these reports on disk, in which olga is an operator.
    fn hub(reports: Vec<Report>) -> (Hub, SessionId) {
        let mut effects = Vec::new();
        let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut effects);
        let olga = Account {
            id: AccountId(1),
            name: Name::parse("olga", 24).expect("a name"),
            hashed: None,
            role: Role::Operator,
            since: Wall(1),
            seen: Wall(1),
            places: Vec::new(),
        };
        let recalled = Recalled { accounts: vec![olga], reports, last_line: 50, ..Recalled::default() };
        hub.handle(News::Archive(Some(Box::new(recalled))), NOW, &mut effects);
        let session = SessionId(2001);
        let peer = ([192, 0, 2, 1], 1024).into();
        hub.handle(Input::Connect { session, peer }, NOW, &mut effects);
        hub.log_in(session, AccountId(1));
        (hub, session)
    }

    #[test]
    fn lines_that_are_on_disk_are_looked_for_there_and_a_disk_that_cannot_be_read_is_told() {
        let line = Line {
            seq: 3,
            at: Wall(5),
            author: Some(SessionId(999)),
            said: Said::Say { nick: "bob".into(), text: "you fool".into() },
            borne: super::super::ignore::Borne::default(),
        };
        let shown_of = |found: Vec<Line>, reach| {
            let (mut hub, olga) = hub(vec![Report { lines: vec![3], room: RoomId(7), ..report(4, 1, 1, None) }]);
            let mut effects = Vec::new();
            hub.handle(Input::Line { session: olga, text: "/reports r4".into() }, NOW, &mut effects);
            let search = effects.iter().find_map(|effect| match effect {
                Effect::Search(search) => Some(search.clone()),
                _ => None,
            });
            let number = search.expect("it is looked for").number;
            let found = Box::new(Found { lines: found, through: 50, reach });
            effects.clear();
            hub.handle(News::Found { session: olga, number, found }, NOW, &mut effects);
            let shown = effects.into_iter().find_map(|effect| match effect {
                Effect::Tell { message: Message::ReportShown(shown), .. } => Some(shown.lines),
                _ => None,
            });
            shown.expect("it is shown")
        };
        assert_eq!(shown_of(vec![line.clone()], Reach::All), [(3, ShownLine::Line(Arc::new(line)))]);
        assert_eq!(shown_of(Vec::new(), Reach::All), [(3, ShownLine::Gone)]);
        assert_eq!(shown_of(Vec::new(), Reach::Memory), [(3, ShownLine::Unread)]);
    }

    #[test]
    fn another_file_s_reports_get_numbers_that_are_free() {
        let (mut hub, _) = hub(vec![report(4, 1, 1, None)]);
        let known = hub.reports().get(ReportId(4)).cloned().expect("it was recalled");
        let other = Report { at: Wall(77), ..report(4, 2, 1, Some(80)) };
        let same = Report { reason: "as it was".into(), ..(*known).clone() };
        let recalled = Recalled { reports: vec![same, report(3, 5, 1, None)], ..Recalled::default() };
        hub.handle(News::Recalled(Box::new(recalled)), NOW, &mut Vec::new());
        assert_eq!(hub.reports().get(ReportId(4)), Some(&known), "what the hub knows is newer");
        let recalled = Recalled { reports: vec![other], ..Recalled::default() };
        hub.handle(News::Recalled(Box::new(recalled)), NOW, &mut Vec::new());
        let all: Vec<_> = hub.reports().iter().map(|report| (report.id.0, report.by.session.0)).collect();
        assert_eq!(all, [(3, 5), (4, 1), (5, 2)]);
        hub.check_invariants();
    }

    #[test]
    fn reasons_are_redacted_as_what_their_authors_say_is_and_by_nothing_that_only_says_when() {
        let (hub, _) = hub(vec![
            Report { reason: "she lives in Elm Street".into(), ..report(1, 10, 1, None) },
            report(2, 11, 1, None),
        ]);
        let left = |what: Selector| {
            let (mut hub, mut effects) = (hub.clone(), Vec::new());
            let by = By::Admin { uid: 0, pid: 1 };
            hub.handle(Input::Redact { what: Arc::new(what), account: None, by }, NOW, &mut effects);
            hub.reports().iter().filter(|report| !report.erased).map(|report| report.id.0).collect::<Vec<_>>()
        };
        let all = Selector { since: Some(Wall(0)), room: Some("lobby".into()), ..Selector::default() };
        assert_eq!(left(all), [1, 2]);
        assert_eq!(left(Selector { client: Some(SessionId(11)), ..Selector::default() }), [1]);
        assert_eq!(left(Selector { text: Some("elm street".into()), ..Selector::default() }), [2]);
        assert_eq!(left(Selector { nick: Some("ann".into()), ..Selector::default() }), [] as [u64; 0]);
        assert_eq!(left(Selector { nick: Some("bob".into()), ..Selector::default() }), [1, 2], "it is about him");
    }

    fn report(id: u64, by: u64, origin: u8, closed: Option<i64>) -> Report {
        let party = |session| Party { name: "ann".into(), account: None, session: SessionId(session) };
        Report {
            id: ReportId(id),
            at: Wall(0),
            last: Wall(0),
            times: 1,
            by: party(by),
            shadow: false,
            about: party(999),
            room: RoomId(0),
            room_name: "lobby".into(),
            reason: "why".into(),
            erased: false,
            lines: Vec::new(),
            origin: Some(Origin::of([192, 0, 2, origin].into())),
            closed: closed.map(|at| Closed { by: Author::Hub, at: Wall(at), note: None }),
        }
    }

    #[test]
    fn fifty_trolls_leave_place_for_a_report_from_elsewhere_and_push_none_out() {
        const MOST: usize = 200;
        let mut reports = Reports::default();
        reports.put(report(1, 1, 1, None));
        // Fifty of them behind four addresses, each with as many names as they like.
        for number in 0..10_000_u64 {
            let (by, low) = (100 + number % 500, 10 + u8::try_from(number % 4).expect("small"));
            let next = report(reports.next_id().0, by, low, None);
            if reports.refuse(&next.by, next.origin.expect("it has one"), MOST).is_none() {
                reports.put(next);
            }
        }
        assert_eq!(reports.open().len(), 1 + 4 * MOST / OF_ADDRESS);
        assert!(reports.get(ReportId(1)).is_some(), "it is there still");
        // With as many addresses as they like, each has one place of the last quarter.
        for low in 20..40 {
            for _ in 0..MOST {
                let next = report(reports.next_id().0, u64::from(low), low, None);
                if reports.refuse(&next.by, next.origin.expect("it has one"), MOST).is_none() {
                    reports.put(next);
                }
            }
        }
        assert!(reports.open().len() < MOST, "{}", reports.open().len());
        let (by, origin) = (report(9, 9, 99, None).by, Origin::of([198, 51, 100, 1].into()));
        assert_eq!(reports.refuse(&by, origin, MOST), None, "there is place for somebody else");
        reports.check_invariants();
    }

    #[test]
    fn numbers_and_ranges_of_reports_are_read() {
        let one = |number| Some(ReportId(number)..=ReportId(number));
        assert_eq!((ReportId::parse_range("r12"), ReportId::parse_range("R1")), (one(12), one(1)));
        let some = Some(ReportId(3)..=ReportId(9));
        assert_eq!((ReportId::parse_range("r3-r9"), ReportId::parse_range("r3-9")), (some.clone(), some));
        for wrong in ["", "r", "12", "r-1", "r+1", "r1-", "r9-r3", "rude", "r1-r2-r3", "r99999999999999999999"] {
            assert_eq!(ReportId::parse_range(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_a_list_would_keep(
            steps in prop::collection::vec((1..12_u64, 0..4_u64, 0..3_u8, prop::option::of(0..5_i64), 0..6_u8), 0..60),
        ) {
            let mut reports = Reports::default();
            let mut model: BTreeMap<u64, Report> = BTreeMap::new();
            for (id, by, low, closed, what) in steps {
                match what {
                    0 => {
                        reports.remove(ReportId(id));
                        model.remove(&id);
                    }
                    1 => {
                        let gone = reports.trim(2, closed.map(Wall));
                        for id in &gone {
                            model.remove(&id.0);
                        }
                        let left: Vec<_> = model.values().filter_map(|report| report.closed.as_ref()).collect();
                        prop_assert!(left.len() <= 2 && left.iter().all(|one| closed.is_none_or(|at| one.at.0 >= at)));
                    }
                    _ => {
                        reports.put(report(id, by, low, closed));
                        model.insert(id, report(id, by, low, closed));
                    }
                }
                reports.check_invariants();
                prop_assert!(reports.iter().map(|report| &**report).eq(model.values()));
            }
            let again: Reports = serde_json::from_str(&serde_json::to_string(&reports).expect("plain")).expect("the same");
            again.check_invariants();
            prop_assert!(again.iter().eq(reports.iter()));
            prop_assert_eq!(again.next, reports.next);
        }
    }
}
