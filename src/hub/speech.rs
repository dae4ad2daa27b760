//! Speaking: how fast, and who hears it.

use super::Turn;
use super::What;
use super::message::{Done, Refusal, Said};
use super::pace::{Verdict, Word};
use super::strike::Offence;
use crate::values::id::SessionId;
use crate::values::network::Origin;
use crate::values::text;
use crate::values::words::Action;

/// Who hears what somebody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hearing {
    /// Whoever is meant.
    All,
    /// Nobody, and its author is not to know.
    Nobody,
    /// Nobody, and its author was told.
    Refused,
}

impl Turn<'_> {
    /// Judges a line of `bytes` bytes from `session` that is there at `now`, before it is handed over:
    /// [`Verdict::Hold`] means to hand it over then and to read nothing more until then.
    pub(super) fn judge(&mut self, session: SessionId, bytes: u64) -> Verdict {
        let Some(sender) = self.hub.people.sessions.get_mut(&session) else { return Verdict::Pass };
        let room = self.hub.rooms.open.get_mut(&sender.room).expect("everybody is in a room");
        let is_heard = sender.at_door.is_none();
        if is_heard
            && room.crowd.is_over(self.now.mono)
            && let Some((until, word)) = sender.pace.gives_way(self.now.mono, &self.hub.settings.pace)
        {
            if word.is_some() {
                self.done(session, Done::GivesWay);
            }
            return Verdict::Hold(until);
        }
        let (verdict, word) = sender.pace.judge(bytes, self.now.mono, &self.hub.settings.pace);
        if verdict == Verdict::Pass && is_heard {
            let people = room.members.len();
            room.crowd.charge(people, self.now.mono, &self.hub.settings.pace);
        }
        if verdict == Verdict::Drop {
            sender.dropped += 1;
            self.hub.counters.lines_dropped += 1;
        }
        let done = match word {
            None => return verdict,
            Some(Word::SlowedDown) => {
                Done::SlowedDown { lines: self.hub.settings.pace.lines, bytes: self.hub.settings.pace.bytes }
            }
            Some(Word::GivesWay) => Done::GivesWay,
            Some(Word::Dropping) => Done::Dropping,
            Some(Word::Dropped(count)) => Done::Dropped(count),
        };
        self.done(session, done);
        if word == Some(Word::Dropping) {
            self.happened(What::Flood, session, None, None);
            self.strike(session, Offence::Flood);
        }
        verdict
    }

    pub(super) fn line(&mut self, id: SessionId, text: &str) {
        debug_assert!(text::is_clean(text), "lines are cleaned at the edge");
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        if session.lines == 0 {
            self.hub.people.places.speak(id, Origin::of(session.peer.ip()));
        }
        session.lines += 1;
        session.spoke = self.now.mono;
        self.hub.counters.lines_received += 1;
        if text::is_blank(text) {
            return self.hub.answers_nothing(id);
        }
        // A space before a command is a slip, and " /msg bob ..." nothing for everybody to hear.
        let command = text.trim_start().strip_prefix('/').filter(|rest| !rest.starts_with('/'));
        if !self.may_at_door(id, command) {
            return;
        }
        match text.trim_start().strip_prefix('/') {
            Some(rest) if !rest.starts_with('/') => {
                self.hub.counters.commands += 1;
                self.hub.answers_nothing(id);
                self.command(id, rest);
            }
            _ if self.keeps_to_itself(id, text) => {}
            Some(escaped) => self.say(id, escaped),
            None => self.say(id, text),
        }
    }

    /// Who hears `id` now; it is told if nobody does, unless it is not to know.
    pub(super) fn hearing(&mut self, id: SessionId) -> Hearing {
        if let Some(until) = self.hub.locked_out(id) {
            self.refuse(id, Refusal::LockedOut(until));
            return Hearing::Refused;
        }
        let Some(mute) = self.hub.people.sessions[&id].muted(self.now) else { return Hearing::All };
        self.hub.counters.lines_muted += 1;
        if mute.shadow {
            return Hearing::Nobody;
        }
        self.refuse(id, Refusal::Muted(mute.until.map(|(_, wall)| wall)));
        Hearing::Refused
    }

    /// Whether `id` may show `text` to others in another way than by saying it: as a name, a topic. It is
    /// told if not. Who is not to know of a mute is told something that can happen to anybody.
    pub(super) fn may_show(&mut self, id: SessionId, text: &str) -> bool {
        match self.hearing(id) {
            Hearing::All => self.suits_the_house(id, text),
            Hearing::Nobody => {
                self.refuse(id, Refusal::NotNow);
                false
            }
            Hearing::Refused => false,
        }
    }

    /// Whether the filters let `text` pass; `id` is told if not.
    pub(super) fn suits_the_house(&mut self, id: SessionId, text: &str) -> bool {
        let Some(action) = self.hub.moderation.filters.judge(text) else { return true };
        self.hub.counters.lines_filtered += 1;
        self.refuse(id, Refusal::HouseRules);
        if action == Action::Strike {
            self.strike(id, Offence::Words);
        }
        false
    }

    pub(super) fn say(&mut self, id: SessionId, text: &str) {
        let nick = self.hub.people.sessions[&id].nick.shown().into();
        self.speak(id, Said::Say { nick, text: text.into() });
    }

    /// `id` says something to its room.
    pub(super) fn speak(&mut self, id: SessionId, said: Said) {
        match self.hearing(id) {
            Hearing::All => {
                if let Some(refusal) = self.hub.silenced(id) {
                    self.refuse(id, refusal);
                } else if self.suits_the_house(id, said.text()) && !self.is_repetition(id, said.text()) {
                    self.post(self.hub.people.sessions[&id].room, Some(id), said);
                }
            }
            Hearing::Nobody | Hearing::Refused => {}
        }
    }
}
