//! Coming and going: who is let in, under which name, and what the others are told of it.

use core::net::SocketAddr;
use std::sync::Arc;

use super::account::Role;
use super::message::{Farewell, Kept, Message, Refusal, Replay, Said, View};
use super::pace::Pace;
use super::room::Step;
use super::session::Session;
use super::{By, Effect, Happening, Hub, What, command, ignore, login, places, refuse, strike, tell, work};
use crate::settings::WhileUnread;
use crate::values::CopyOnWrite;
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::name::{self, Name};
use crate::values::network::{Network, Origin};
use crate::values::terminal::{Mode, Terminal};
use crate::values::time::Now;

impl Hub {
    pub(super) fn connect(&mut self, id: SessionId, peer: SocketAddr, now: Now, effects: &mut Vec<Effect>) {
        self.give(id, effects);
        let origin = Origin::of(peer.ip());
        if let Some(refusal) = self.may_connect(peer, origin, now, effects) {
            let text = match &refusal {
                Refusal::Banned { .. } => "banned",
                Refusal::NetworkNotAllowed => "network not allowed",
                Refusal::BansUnread => "bans not read yet",
                Refusal::Stopping => "stopping",
                Refusal::Full => "full",
                _ => "too many from this address",
            };
            let text = Some(text.into());
            let (session, peer) = (Some(id), Some(peer));
            effects.push(Effect::Happened(Happening { session, peer, text, ..Happening::new(What::Refused, now) }));
            refuse(id, refusal, effects);
            effects.push(Effect::Close { session: id, why: Farewell::Hangup });
            return;
        }
        let is_silent = !self.is_always_let_in(peer);
        self.places.come(id, origin, is_silent);
        self.counters.connections += 1;
        let nick = self.guest_name(peer, id);
        let shown: Arc<str> = nick.shown().into();
        let lobby = self.lobby;
        let at_door = self.has_door().then(|| now.mono.after(self.settings.accounts.door));
        let first = if at_door.is_some() { self.door_room(now, effects) } else { lobby };
        let session = Session {
            id,
            peer,
            nick,
            room: first,
            since: now.wall,
            spoke: now.mono,
            away: None,
            quiet: false,
            view: View::default(),
            terminal: Terminal::default(),
            colors: None,
            wants: None,
            asked: Mode::Line,
            mode: Mode::Line,
            holds: false,
            ignoring: Vec::new(),
            borne: ignore::Borne::default(),
            private_from: None,
            inbound: None,
            crowded: false,
            account: None,
            dialogue: None,
            asking: login::Asking::default(),
            at_door,
            sees_from: 0,
            mute: None,
            last_said: strike::LastSaid::default(),
            searching: None,
            pace: Pace::default(),
            lines: 0,
            dropped: 0,
        };
        self.sessions.insert(id, CopyOnWrite::new(session));
        self.peak = self.peak.max(self.sessions.len());
        self.beginnings.insert(self.sessions[&id].nick.folded(), id);
        // The same address and port give the same name again.
        self.take_up_name(id);
        if let Some(until) = at_door {
            self.door.waits(id, until);
            self.rooms.get_mut(&first).expect("it was opened").members.insert(id);
            effects.push(Effect::Enter { session: id, room: first });
            self.greet_at_door(id, effects);
            return self.happened(What::Arrived, id, None, None, now, effects);
        }
        let history = &self.settings.history;
        let room = self.rooms.get_mut(&lobby).expect("the lobby is never shut");
        let kept = match history.lines {
            _ if !room.kept => Kept::Nothing,
            _ if self.recording => Kept::OnDisk { time: history.keep, shown: command::at_once(history) },
            0 => Kept::Nothing,
            lines => Kept::Lines(lines),
        };
        room.members.insert(id);
        effects.push(Effect::Enter { session: id, room: lobby });
        let greeting = &self.settings.hub.greeting;
        let welcome = Message::Welcome {
            hub: self.settings.hub.name.as_str().into(),
            greeting: (!greeting.is_empty()).then(|| greeting.as_str().into()),
            nick: shown.clone(),
            room: room.name.shown().into(),
            members: room.members.len(),
            kept,
        };
        tell(id, welcome, effects);
        self.show_room(id, lobby, effects);
        self.happened(What::Arrived, id, None, None, now, effects);
        self.present(lobby, id, &shown, Step::Joined, now, effects);
    }

    /// Why nobody comes in from there now. Where all places are taken, somebody may have to go.
    pub(super) fn may_connect(
        &mut self,
        peer: SocketAddr,
        origin: Origin,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Option<Refusal> {
        let has = |networks: &[Network]| networks.iter().any(|network| network.has(peer.ip()));
        let access = &self.settings.access;
        let always = has(&access.always);
        if !always && !access.networks.is_empty() && !has(&access.networks) {
            self.counters.refused_network += 1;
            return Some(Refusal::NetworkNotAllowed);
        }
        if !always
            && !self.bans.is_empty()
            && let Some(ban) = self.bans.of_address(peer.ip(), now.wall).next()
        {
            self.counters.refused_banned += 1;
            return Some(Refusal::Banned { reason: ban.reason.clone(), until: ban.until });
        }
        if self.unread && !always && access.unread == WhileUnread::Closed {
            self.counters.refused_unread += 1;
            return Some(Refusal::BansUnread);
        }
        let limits = &self.settings.limits;
        let from_here = self.places.of(origin);
        if self.stopping {
            self.counters.refused_stopping += 1;
            return Some(Refusal::Stopping);
        }
        if !always && from_here >= limits.clients_per_address {
            self.counters.refused_address += 1;
            return Some(Refusal::TooManyFromAddress(limits.clients_per_address));
        }
        let reserve = match always {
            true => places::RESERVE,
            false if self.familiar.has(origin) => places::RESERVE_OF_OPERATORS,
            false => 0,
        };
        if self.sessions.len() >= limits.clients {
            if let Some(other) = self.places.who_gives_way(origin) {
                self.counters.gave_way += 1;
                tell(other, Message::Goodbye(Farewell::GaveWay), effects);
                self.depart(other, Farewell::GaveWay, now, effects);
            } else if self.sessions.len() >= limits.clients.saturating_add(reserve) {
                self.counters.refused_full += 1;
                return Some(Refusal::Full);
            }
        }
        None
    }

    /// A name made of the address and port, which tells nothing about them.
    pub(super) fn guest_name(&mut self, peer: SocketAddr, id: SessionId) -> Name {
        let mut take = |name: Name| self.roster.claim(&name, id).ok().map(|()| name);
        let key = &self.key;
        (4..=8)
            .find_map(|length| take(Name::guest(key, peer.ip(), peer.port(), length)))
            .or_else(|| {
                // The same address and port twice at a time, or five collisions: the number decides.
                let text = format!("{}-{}", name::guest(key, peer.ip(), peer.port(), 8), id.0);
                take(Name::parse(&text, text.len()).ok()?)
            })
            .expect("a name with a number that is never given twice is free")
    }

    /// Shows `id` the topic and the last lines of the room it has just come into.
    pub(super) fn show_room(&mut self, id: SessionId, room: RoomId, effects: &mut Vec<Effect>) {
        let offset = self.sessions[&id].view.time.unwrap_or_default();
        let count = self.settings.history.replay;
        let room = self.rooms.get_mut(&room).expect("it is in that room");
        let name: Arc<str> = room.name.shown().into();
        if let Some(topic) = room.topic() {
            tell(id, Message::Topic { room: name.clone(), topic: Some(topic) }, effects);
        }
        if count == 0 && !room.history.is_empty() {
            // What is kept is not shown unasked.
            return;
        }
        let from = self.sessions[&id].sees_from;
        let mut lines = room.history.replay(count, self.settings.limits.mailbox / 2);
        if lines.first().is_some_and(|line| line.seq < from) {
            lines = lines.iter().filter(|line| line.seq >= from).cloned().collect();
        }
        self.work += work::SHARED * lines.len() as u64;
        let lines = self.shown_to(&self.sessions[&id], lines);
        tell(id, Message::Replay { room: name, of: Replay::Last, lines, offset }, effects);
    }

    pub(super) fn depart(&mut self, id: SessionId, why: Farewell, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get(&id) else { return };
        let (room, nick, peer) = (session.room, session.nick.clone(), session.peer);
        let reason: Option<Arc<str>> = match &why {
            Farewell::Hangup | Farewell::Quit(None) | Farewell::Shutdown(_) => None,
            Farewell::Quit(Some(text)) => Some(text.clone()),
            Farewell::Lost => Some("connection lost".into()),
            Farewell::Kicked(None) => Some("kicked".into()),
            Farewell::Kicked(Some(reason)) => Some(format!("kicked: {reason}").into()),
            Farewell::Banned { reason: None, .. } => Some("banned".into()),
            Farewell::Banned { reason: Some(reason), .. } => Some(format!("banned: {reason}").into()),
            Farewell::TooSlow | Farewell::MailboxFull => Some("too slow".into()),
            Farewell::NotLoggedIn => None,
            Farewell::Elsewhere => Some("logged in from elsewhere".into()),
            Farewell::GaveWay => Some("made place for others".into()),
        };
        // What people say stays out of the journal, a last word too.
        let noted = if matches!(why, Farewell::Quit(_)) { None } else { reason.clone() };
        self.happened(What::Departed, id, None, noted, now, effects);
        effects.push(Effect::Close { session: id, why });
        if let Some(session) = self.sessions.remove(&id) {
            self.door.left(id, session.at_door);
            if session.dialogue.is_some() {
                effects.push(Effect::SecretSpent);
            }
            if let Some(account) = session.account {
                self.logged_in.remove(&(account, id));
                self.operators.remove(&id);
                self.seen(account, now, effects);
            }
            self.ignores_no_more(&session);
        }
        self.beginnings.remove(nick.folded(), id);
        self.places.go(id, Origin::of(peer.ip()));
        self.roster.release(&nick);
        self.leave(id, &nick, room, reason, now, effects);
    }

    /// `id` is in `room` no more; an empty room but the lobby is shut.
    pub(super) fn leave(
        &mut self,
        id: SessionId,
        nick: &Name,
        room: RoomId,
        reason: Option<Arc<str>>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(left) = self.rooms.get_mut(&room) else { return };
        left.members.remove(&id);
        if left.members.is_empty() && room != self.lobby {
            self.shut(room, now, effects);
        } else {
            self.present(room, id, &nick.shown().into(), Step::Left(reason), now, effects);
        }
    }

    /// Tells the room of coming or going, now or gathered with others.
    pub(super) fn present(
        &mut self,
        id: RoomId,
        who: SessionId,
        nick: &Arc<str>,
        step: Step,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let room = self.rooms.get_mut(&id).expect("the caller has it");
        if room.closing {
            return;
        }
        let before = room.presence.flush_at;
        let members = room.members.len();
        let said = room.presence.note(who, nick, step, members, now, &self.settings);
        if let Some(at) = room.presence.flush_at
            && before.is_none()
        {
            self.deadlines.insert((at, id));
        }
        match said {
            Some(said) => self.post(id, Some(who), said, now, effects),
            None => self.counters.presence_gathered += 1,
        }
    }

    pub(super) fn kick(
        &mut self,
        id: SessionId,
        reason: Option<Arc<str>>,
        by: By,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        if !self.sessions.contains_key(&id) {
            return;
        }
        self.counters.kicked += 1;
        self.happened(What::Kicked, id, Some(by), reason.clone(), now, effects);
        let why = Farewell::Kicked(reason);
        tell(id, Message::Goodbye(why.clone()), effects);
        self.depart(id, why, now, effects);
    }

    /// Gives `id` a name that [`Self::may_bear`] has allowed, and tells its room.
    pub(super) fn rename(&mut self, id: SessionId, nick: Name, by: Option<By>, now: Now, effects: &mut Vec<Effect>) {
        self.lay_down_name(id);
        let session = self.sessions.get_mut(&id).expect("the caller has it");
        let old = std::mem::replace(&mut session.nick, nick.clone());
        let room = session.room;
        self.roster.release(&old);
        self.roster.claim(&nick, id).expect("the caller has asked");
        self.beginnings.remove(old.folded(), id);
        self.beginnings.insert(nick.folded(), id);
        self.take_up_name(id);
        self.happened(What::Renamed, id, by, Some(old.shown().into()), now, effects);
        if self.is_at_door(id) {
            // Nobody sees it.
            return;
        }
        let (from, to) = (old.shown().into(), nick.shown().into());
        // Newcomers often begin with this: in a burst of them, they are told of once.
        if !self.rooms.get_mut(&room).is_some_and(|room| room.presence.rename(id, &to)) {
            self.post(room, Some(id), Said::Renamed { from, to }, now, effects);
        }
    }

    /// `id` is logged in to that account from now on, or to none.
    pub(super) fn set_account(&mut self, id: SessionId, account: Option<AccountId>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if let Some(former) = std::mem::replace(&mut session.account, account) {
            self.logged_in.remove(&(former, id));
        }
        self.logged_in.extend(account.map(|account| (account, id)));
        self.note_role(id);
    }

    /// Accounts have changed: who is an operator is looked up anew.
    pub(super) fn note_roles(&mut self) {
        let members: Vec<SessionId> = self.logged_in.iter().map(|(_, id)| *id).collect();
        members.into_iter().for_each(|id| self.note_role(id));
    }

    pub(super) fn note_role(&mut self, id: SessionId) {
        if self.role(id) != Role::Operator {
            self.operators.remove(&id);
        } else if self.operators.insert(id)
            && let Some(session) = self.sessions.get(&id)
        {
            self.familiar.note(Origin::of(session.peer.ip()));
        }
    }
}
