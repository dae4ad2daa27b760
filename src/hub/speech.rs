//! Speaking: how fast, and who hears it.

use super::message::{Done, Message, Refusal, Said};
use super::pace::{Verdict, Word};
use super::session::Mute;
use super::strike::Offence;
use super::{By, Effect, Hub, What, command, refuse, tell};
use crate::values::id::SessionId;
use crate::values::network::Origin;
use crate::values::text;
use crate::values::time::Now;
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

impl Hub {
    /// Judges a line of `bytes` bytes from `session` that is there at `now`, before it is handed over:
    /// [`Verdict::Hold`] means to hand it over then and to read nothing more until then.
    pub fn judge(&mut self, session: SessionId, bytes: u64, now: Now, effects: &mut Vec<Effect>) -> Verdict {
        let Some(sender) = self.sessions.get_mut(&session) else { return Verdict::Pass };
        let room = self.rooms.get_mut(&sender.room).expect("everybody is in a room");
        let is_heard = sender.at_door.is_none();
        if is_heard
            && room.crowd.is_over(now.mono)
            && let Some((until, word)) = sender.pace.gives_way(now.mono, &self.settings.pace)
        {
            if word.is_some() {
                tell(session, Message::Done(Done::GivesWay), effects);
            }
            return Verdict::Hold(until);
        }
        let (verdict, word) = sender.pace.judge(bytes, now.mono, &self.settings.pace);
        if verdict == Verdict::Pass && is_heard {
            let people = room.members.len();
            room.crowd.charge(people, now.mono, &self.settings.pace);
        }
        if verdict == Verdict::Drop {
            sender.dropped += 1;
            self.counters.lines_dropped += 1;
        }
        let done = match word {
            None => return verdict,
            Some(Word::SlowedDown) => {
                Done::SlowedDown { lines: self.settings.pace.lines, bytes: self.settings.pace.bytes }
            }
            Some(Word::GivesWay) => Done::GivesWay,
            Some(Word::Dropping) => Done::Dropping,
            Some(Word::Dropped(count)) => Done::Dropped(count),
        };
        tell(session, Message::Done(done), effects);
        if word == Some(Word::Dropping) {
            self.happened(What::Flood, session, None, None, now, effects);
            self.strike(session, Offence::Flood, now, effects);
        }
        verdict
    }

    pub(super) fn line(&mut self, id: SessionId, text: &str, now: Now, effects: &mut Vec<Effect>) {
        debug_assert!(text::is_clean(text), "lines are cleaned at the edge");
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.lines == 0 {
            self.places.speak(id, Origin::of(session.peer.ip()));
        }
        session.lines += 1;
        session.spoke = now.mono;
        self.counters.lines_received += 1;
        if text::is_blank(text) {
            return self.answers_nothing(id);
        }
        // A space before a command is a slip, and " /msg bob ..." nothing for everybody to hear.
        let command = text.trim_start().strip_prefix('/').filter(|rest| !rest.starts_with('/'));
        if !self.may_at_door(id, command, effects) {
            return;
        }
        match text.trim_start().strip_prefix('/') {
            Some(rest) if !rest.starts_with('/') => {
                self.counters.commands += 1;
                self.answers_nothing(id);
                command::run(self, id, rest, now, effects);
            }
            _ if self.keeps_to_itself(id, text, now, effects) => {}
            Some(escaped) => self.say(id, escaped, now, effects),
            None => self.say(id, text, now, effects),
        }
    }

    /// Who hears `id` now; it is told if nobody does, unless it is not to know.
    pub(super) fn hearing(&mut self, id: SessionId, now: Now, effects: &mut Vec<Effect>) -> Hearing {
        let Some(mute) = self.sessions[&id].muted(now) else { return Hearing::All };
        self.counters.lines_muted += 1;
        if mute.shadow {
            return Hearing::Nobody;
        }
        refuse(id, Refusal::Muted(mute.until.map(|(_, wall)| wall)), effects);
        Hearing::Refused
    }

    /// Whether `id` may show `text` to others in another way than by saying it: as a name, a topic. It is
    /// told if not. Who is not to know of a mute is told something that can happen to anybody.
    pub(super) fn may_show(&mut self, id: SessionId, text: &str, now: Now, effects: &mut Vec<Effect>) -> bool {
        match self.hearing(id, now, effects) {
            Hearing::All => self.suits_the_house(id, text, now, effects),
            Hearing::Nobody => {
                refuse(id, Refusal::NotNow, effects);
                false
            }
            Hearing::Refused => false,
        }
    }

    /// Whether the filters let `text` pass; `id` is told if not.
    pub(super) fn suits_the_house(&mut self, id: SessionId, text: &str, now: Now, effects: &mut Vec<Effect>) -> bool {
        let Some(action) = self.filters.judge(text) else { return true };
        self.counters.lines_filtered += 1;
        refuse(id, Refusal::HouseRules, effects);
        if action == Action::Strike {
            self.strike(id, Offence::Words, now, effects);
        }
        false
    }

    pub(super) fn say(&mut self, id: SessionId, text: &str, now: Now, effects: &mut Vec<Effect>) {
        let nick = self.sessions[&id].nick.shown().into();
        self.speak(id, Said::Say { nick, text: text.into() }, now, effects);
    }

    /// `id` says something to its room.
    pub(super) fn speak(&mut self, id: SessionId, said: Said, now: Now, effects: &mut Vec<Effect>) {
        match self.hearing(id, now, effects) {
            Hearing::All => {
                if let Some(refusal) = self.silenced(id) {
                    refuse(id, refusal, effects);
                } else if self.suits_the_house(id, said.text(), now, effects)
                    && !self.is_repetition(id, said.text(), now, effects)
                {
                    self.post(self.sessions[&id].room, Some(id), said, now, effects);
                }
            }
            Hearing::Nobody | Hearing::Refused => {}
        }
    }

    pub(super) fn mute(&mut self, id: SessionId, mute: Option<Mute>, by: By, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let former = std::mem::replace(&mut session.mute, mute.map(Box::new));
        let (what, done) = match mute {
            Some(mute) => (What::Muted, Done::Muted(mute.until.map(|(_, wall)| wall))),
            None => (What::Unmuted, Done::Unmuted),
        };
        // Who is not to know of the mute is not told of its end either.
        let hidden = mute.or(former.as_deref().copied()).is_some_and(|mute| mute.shadow);
        if !hidden {
            tell(id, Message::Done(done), effects);
        }
        let text = hidden.then(|| "without being told".into());
        self.happened(what, id, Some(by), text, now, effects);
    }
}
