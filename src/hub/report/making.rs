//! Making a report.

use std::time::Duration;

use super::{Party, Report};
use crate::hub::inbound::Arrives;
use crate::hub::message::{Done, Message, Refusal, Said};
use crate::hub::speech::Carrier;
use crate::hub::strike::Offence;
use crate::hub::{Hub, Turn, What, work};
use crate::values::id::{ReportId, RoomId, SessionId};
use crate::values::network::Origin;
use crate::values::time::Now;

/// The number of lines in question: the last ones of the person reported.
const LINES: usize = 10;

/// The most lines in question of one report, if it is made several times.
const LINES_IN_ALL: usize = 20;

/// The factor by which one address may make more reports than one client.
const REPORTERS: u32 = 5;

/// The number of reports from one address that may be refused for coming too soon; each further
/// refusal is a strike.
const SPARED: u32 = 5;

/// The most operators who are told of one report; those who connected first are told.
const TOLD: usize = 100;

impl Hub {
    /// Counts a report of `id`. The error is the time by which it comes too soon.
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

    /// The numbers of the last lines of `about` that `from` may see, and the room of these lines:
    /// the room of `from` if `about` said any there, else that of `about`. Without any lines, it is
    /// the room of `from`.
    fn lines_in_question(&mut self, from: SessionId, about: SessionId) -> (RoomId, Vec<u64>) {
        let own = &self.people.sessions[&from];
        // A person who has left can have said them only in the room of `from`.
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
}

impl Turn<'_> {
    /// Makes a report of `from` about `about`.
    pub(in crate::hub) fn report(&mut self, from: SessionId, about: SessionId, reason: &str) {
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
        // The reason is judged like a line: repeating the same text again and again is refused.
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
            is_among_them: [from, about].iter().any(|id| self.hub.people.operators.contains(id)),
            told,
            lines: report.lines.len(),
            room: report.room_name.clone(),
            is_private,
        };
        self.done(from, done);
    }

    /// Counts another time that `from` makes the same report.
    fn report_again(&mut self, from: SessionId, id: ReportId, lines: &[u64]) {
        let Some(known) = self.hub.moderation.reports.get(id) else { return };
        let mut report = (**known).clone();
        report.times = report.times.saturating_add(1);
        report.last = self.now.wall;
        let newest = report.lines.last().copied().unwrap_or(0);
        // The lines that were in question first stay.
        let place = LINES_IN_ALL - report.lines.len().min(LINES_IN_ALL);
        report.lines.extend(lines.iter().copied().filter(|line| *line > newest).take(place));
        let times = report.times;
        self.keep_report(report);
        self.done(from, Done::ReportedAgain { id, times });
    }

    /// Tells the operators who are here of a report, except the person who made it and the one it
    /// is about. Returns how many were told, and how many there are, at most `TOLD`.
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
}
