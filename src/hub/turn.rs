//! A turn: the handling of one input.

use std::sync::Arc;

use zeroize::Zeroize as _;

use super::message::{Done, Farewell, Message, Refusal};
use super::ownership::Told;
use super::presence::Presence;
use super::redaction::Remover;
use super::strike::Offence;
use super::{AT_A_TIME, Effect, Happening, Hub, Input, News, What, complete};
use crate::settings::{self, Settings};
use crate::values::CopyOnWrite;
use crate::values::id::SessionId;
use crate::values::network::Origin;
use crate::values::roster::Roster;
use crate::values::time::Now;
use crate::values::words::Filters;

/// The handling of one [`Input`](super::Input). Every method that changes the hub and tells people
/// is a method of the turn, so that one time holds for the whole input.
pub(super) struct Turn<'a> {
    pub hub: &'a mut Hub,
    /// The time of the input.
    pub now: Now,
    /// The effects so far, in the order in which they are carried out.
    pub effects: &'a mut Vec<Effect>,
}

impl Turn<'_> {
    pub(super) fn tell(&mut self, to: SessionId, message: Message) {
        self.effects.push(Effect::Tell { to, message });
    }

    /// Tells `to` that something was done.
    pub(super) fn done(&mut self, to: SessionId, done: Done) {
        self.tell(to, Message::Done(done));
    }

    pub(super) fn refuse(&mut self, to: SessionId, refusal: Refusal) {
        self.tell(to, Message::Refused(refusal));
    }

    /// Hands the input to the method that handles it.
    pub(super) fn take(mut self, input: Input) {
        // Cost left over from the input before is charged to nobody.
        (self.hub.work.done, self.hub.work.charged) = (0, 0);
        // Sanctions end at once, not at the next tick: one of several mutes of a person may end
        // before another.
        if self.hub.moderation.sanctions.next_end().is_some_and(|end| end <= self.now.mono) {
            self.expire_sanctions();
        }
        match input {
            Input::Connect { session, peer, encrypted, certificate } => {
                self.connect(session, peer, encrypted, certificate);
            }
            Input::Line { session, .. } if self.hub.moderation.outgoing.iter().any(|(one, _)| *one == session) => {}
            Input::Line { session, mut text } => {
                if self.hub.people.sessions.get(&session).is_some_and(|session| session.dialogue.is_some()) {
                    self.answered(session, text);
                } else {
                    let said = self.hub.counters.lines_said;
                    self.line(session, &text);
                    if said == self.hub.counters.lines_said {
                        // No room heard the line, so it may hold a password.
                        text.zeroize();
                    }
                }
                self.hub.settle(session, self.now);
                self.release(session);
            }
            Input::Terminal { session, terminal } => {
                if let Some(own) = self.hub.people.sessions.get_mut(&session) {
                    let answers = terminal.answers && !own.terminal.answers;
                    own.terminal = terminal;
                    // The client may have been asked for a password already, for example by its
                    // first line. Now the hub knows its program, and can ask it to hide the typing.
                    let is_hidden = own.asking.is_hidden();
                    self.suit(session);
                    if answers && is_hidden {
                        self.hide_typing(session, true);
                    }
                }
            }
            Input::Mode { session, mode } => self.edited_by(session, mode),
            Input::Shown { session } => {
                if self.hub.people.sessions.contains_key(&session) {
                    self.tell(session, Message::Done(Done::TypingShows));
                }
            }
            Input::Complete { session, line } => {
                if self.hub.people.sessions.get(&session).is_some_and(|session| session.dialogue.is_none()) {
                    let (from, words, work) = complete::complete(self.hub, session, &line, self.now);
                    self.hub.work.done += work;
                    self.hub.settle(session, self.now);
                    if !words.is_empty() {
                        self.effects.push(Effect::Complete { session, from, words });
                    }
                }
            }
            Input::Overlong { session, bytes } => {
                if let Some(sender) = self.hub.people.sessions.get_mut(&session) {
                    self.hub.counters.lines_received += 1;
                    self.hub.counters.lines_too_long += 1;
                    self.hub.people.places.speak(session, Origin::of(sender.peer.ip()));
                    sender.lines += 1;
                    sender.spoke = self.now.mono;
                    let limit = self.hub.settings.limits.line;
                    self.refuse(session, Refusal::LineTooLong { bytes, limit });
                    self.strike(session, Offence::TooLong);
                    self.release(session);
                }
            }
            Input::Foreign { session } => self.see_off_foreign(session),
            Input::Kick { session, reason, by } => self.kick(session, reason, by),
            Input::Unmute { session, by } => self.unmute(session, by),
            Input::Rename { session, nick, by } => {
                if self.hub.people.sessions.contains_key(&session)
                    && self.hub.may_bear(session, &nick, self.now).is_ok()
                {
                    self.tell(session, Message::Done(Done::RenamedByAdmin(nick.shown().into())));
                    self.rename(session, nick, Some(by), true);
                }
            }
            Input::Topic { room, text, by } => {
                if self.hub.rooms.open.contains_key(&room) {
                    self.set_topic(room, None, text, Some(by));
                }
            }
            Input::SetRoom { room, change, by } => self.set_modes(room, change, None, Some(by), Told::All),
            Input::GiveRoom { room, to, by } => {
                if self.hub.accounts.get(to).is_some() && room != self.hub.rooms.lobby {
                    self.give_room(room, to, None, Some(by), Told::All);
                }
            }
            Input::Lockdown { newcomers, time, by } => self.begin_lockdown(newcomers, time, by),
            Input::LockdownOff { by } => self.end_lockdown(by),
            Input::CloseRoom { room, reason, by } => self.close_room(room, reason, by),
            Input::Announce { room, text, by } => self.announce(room, &text, by),
            Input::Interrupted { session } => {
                if self.hub.people.sessions.contains_key(&session) && !self.cancel(session) {
                    self.tell(session, Message::Done(Done::Interrupted));
                }
            }
            Input::Redact { what, account, by } => {
                self.redact(&what, account, Remover::Administrator(by));
            }
            Input::Sanction { order, by } => {
                self.sanction(*order, by);
            }
            Input::Lift { id, by } => self.lift(id, by),
            Input::AddAccount { name, hashed, role, by } => {
                // `may_add_account` has already refused accounts that cannot be made.
                let _ = self.add_account(name, hashed, role, by);
            }
            Input::ChangeAccount { account, hashed, role, by } => {
                self.change_account(account, hashed, role, Some(by));
            }
            Input::Certify { account, certificate, on, by } => self.certify(account, certificate, on, Some(by)),
            Input::UnlockAccount { account } => {
                self.hub.unlock_account(account);
            }
            Input::RemoveAccount { account, by } => {
                self.remove_account(account, Some(by));
            }
            Input::CloseReport { id, note, by } => {
                self.close_report(id, note, by);
            }
            Input::ForgetWords { account } => {
                self.erase_reports(account);
                self.erase_memos(account);
            }
            Input::Tick => self.tick(),
            Input::Peering(incoming) => self.peering(incoming),
            Input::News(news) => self.take_news(news),
        }
        // Nobody is charged for arrivals, nor for an administrator's commands.
        self.hub.work.done = 0;
    }

    /// Hands the daemon's news to the method that handles it.
    fn take_news(&mut self, news: News) {
        match news {
            News::Gone { session, why } => {
                if self.hub.people.sessions.contains_key(&session) {
                    match why {
                        Farewell::TooSlow => self.hub.counters.closed_slow += 1,
                        Farewell::MailboxFull => self.hub.counters.closed_mailbox += 1,
                        _ => {}
                    }
                    self.depart(session, why);
                }
            }
            News::Archive(recalled) => self.archive(recalled.map(|recalled| *recalled)),
            News::Recalled(recalled) => {
                let mut recalled = *recalled;
                self.recall_rooms(&mut recalled);
                self.recall(recalled);
            }
            News::Recorded { through } => {
                self.hub.recording.backlog.done(through);
                self.hub.recording.progress = self.now.mono;
            }
            News::Found { session, number, found } => {
                self.found(session, number, *found);
                self.hub.settle(session, self.now);
            }
            News::Hashed { number, answer } => self.hashed(number, answer),
            News::Crowded { session, on } => {
                if let Some(session) = self.hub.people.sessions.get_mut(&session) {
                    session.crowded = on;
                }
                if !on {
                    self.deliver_memos(session);
                }
            }
            News::NotOnDisk { session } => {
                if self.hub.people.sessions.contains_key(&session) {
                    self.done(session, Done::NotOnDisk);
                }
            }
            News::BegunAnew => self.record_again(),
            News::Settings(settings) => {
                self.configure(*settings);
                self.open_door();
            }
            News::Stop { message } => self.stop(message),
        }
    }

    fn tick(&mut self) {
        self.see_out();
        self.close_door();
        self.see_off_idle();
        self.look_after_lasting();
        self.expire_memos();
        self.change_clocks();
        self.let_go();
        self.let_go_of_reports();
        self.tick_peering();
        // Rooms beyond `AT_A_TIME` stay due, for the next tick.
        for _ in 0..AT_A_TIME {
            let Some((_, id)) = self.hub.rooms.deadlines.first().copied().filter(|(at, _)| *at <= self.now.mono) else {
                break;
            };
            self.hub.rooms.deadlines.pop_first();
            let Some(room) = self.hub.rooms.open.get_mut(&id) else { continue };
            let members = room.members.len();
            if let Some(gathered) = room.presence.flush(members)
                && members > 0
            {
                self.tell_gathered(id, gathered);
            }
        }
    }

    fn stop(&mut self, message: Option<Arc<str>>) {
        if std::mem::replace(&mut self.hub.stopping, true) {
            return;
        }
        self.effects
            .push(Effect::Happened(Happening { text: message.clone(), ..Happening::new(What::Stopping, self.now) }));
        // After the next start, `/seen` can tell that they were here until now.
        let here: Vec<_> = self.hub.people.logged_in.iter().map(|(account, _)| *account).collect();
        here.into_iter().for_each(|account| self.seen(account));
        let why = Farewell::Shutdown(message);
        for (id, _) in std::mem::take(&mut self.hub.people.sessions).iter() {
            self.tell(id, Message::Goodbye(why.clone()));
            self.effects.push(Effect::Close { session: id, why: why.clone() });
        }
        // Everybody leaves at once, so nobody is told of departures, and the indexes are simply
        // emptied.
        self.hub.people.names = Roster::new(self.hub.key);
        self.hub.people.unseen = Roster::new(self.hub.key);
        self.hub.people.places.clear();
        self.hub.people.beginnings.clear();
        self.hub.people.former.clear();
        self.hub.people.logged_in.clear();
        self.hub.people.operators.clear();
        self.hub.rooms.openers.clear();
        self.hub.people.ignored.clear();
        self.hub.zones.clear();
        self.hub.rooms.deadlines.clear();
        let lobby = self.hub.rooms.lobby;
        self.hub.rooms.open.retain(|id, room| {
            let was_in = !room.members.is_empty();
            room.members.clear();
            room.presence = Presence::default();
            if *id != lobby {
                if Some(*id) != self.hub.door.room {
                    self.hub.rooms.names.release(&room.name);
                }
                if !room.ownership.lasts || was_in {
                    self.effects.push(Effect::Shut(*id));
                }
            }
            *id == lobby
        });
        self.hub.door.clear();
        self.hub.rooms.lasting = self.hub.lasting().count();
    }

    fn configure(&mut self, settings: Settings) {
        if settings.filters != self.hub.settings.filters {
            self.hub.moderation.filters = Filters::new(&settings.filters.refuse, &settings.filters.strike);
        }
        let always_changed = settings.access.always != self.hub.settings.access.always;
        let kept = |history: &settings::History| (history.keep, history.keep_lines, history.keep_bytes);
        let kept_changed = kept(&settings.history) != kept(&self.hub.settings.history);
        let idle_changed = settings.idle != self.hub.settings.idle;
        let memos_changed = settings.memos.keep != self.hub.settings.memos.keep;
        let former = std::mem::replace(&mut self.hub.settings, settings);
        if kept_changed {
            self.hub.count_kept(self.now);
            self.trim_reports();
        }
        if idle_changed {
            self.look_for_idle_again();
        }
        if memos_changed {
            self.look_through_memos();
        }
        if always_changed {
            self.hub.people.places.clear();
            for session in self.hub.people.sessions.values() {
                let is_silent = session.lines == 0 && !self.hub.is_always_let_in(session.peer);
                self.hub.people.places.come(session.id, Origin::of(session.peer.ip()), is_silent);
            }
        }
        let limits = &self.hub.settings.history;
        for room in self.hub.rooms.open.values_mut() {
            room.kept = Some(room.id) != self.hub.door.room && limits.keeps(&room.name);
            if !room.kept {
                room.history = CopyOnWrite::default();
            }
            room.history.trim(limits);
        }
        for dormant in self.hub.recording.dormant.values_mut() {
            dormant.history.trim(limits);
        }
        self.move_lobby();
        self.tell_of_encryption(&former);
    }
}
