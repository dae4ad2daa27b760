//! Clients that come and go: which connections are let in, under which names, and what others are
//! told.

use super::Turn;
use core::net::SocketAddr;
use std::sync::Arc;

use super::account::Role;
use super::message::{Done, Farewell, Kept, Line, Message, Refusal, Said, View, Welcome};
use super::pace::Pace;
use super::presence::{Gathered, Step};
use super::room::Room;
use super::session::Session;
use super::{By, Effect, Happening, Hub, What, command, ignore, login, places};
use crate::settings::{HubSettings, WhileUnread};
use crate::values::CopyOnWrite;
use crate::values::fingerprint::Fingerprint;
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::name::{self, Name};
use crate::values::network::{Network, Origin};
use crate::values::terminal::{Mode, Terminal};

impl Hub {
    /// Claims a name for the client `id`, made from its address and port; it reveals neither.
    pub(super) fn guest_name(&mut self, peer: SocketAddr, id: SessionId) -> Name {
        let mut take = |name: Name| self.people.names.claim(&name, id).ok().map(|()| name);
        let key = &self.key;
        (4..=8)
            .find_map(|length| take(Name::guest(key, peer.ip(), peer.port(), length)))
            .or_else(|| {
                // Two clients use the same address and port at one time, or five names in a row are
                // taken: the client's number makes the name unique.
                let text = format!("{}-{}", name::guest(key, peer.ip(), peer.port(), 8), id.0);
                take(Name::parse(&text, text.len()).ok()?)
            })
            .expect("a name with a number that is never given twice is free")
    }

    /// The greeting of a client that comes into the lobby from outside.
    pub(super) fn welcome(&self) -> Welcome {
        let history = &self.settings.history;
        let kept = match history.lines {
            _ if !self.rooms.open[&self.rooms.lobby].kept => Kept::Nothing,
            _ if self.recording.on => Kept::OnDisk { time: history.keep, shown: command::at_once(history) },
            0 => Kept::Nothing,
            lines => {
                let most = usize::try_from(history.keep_lines).ok().filter(|most| *most > 0).unwrap_or(lines);
                Kept::Lines { lines: lines.min(most), time: history.keep }
            }
        };
        let HubSettings { name, greeting, .. } = &self.settings.hub;
        let greeting = (!greeting.is_empty()).then(|| greeting.as_str().into());
        Welcome { hub: name.as_str().into(), greeting, kept }
    }

    /// Notes that `id` is logged in to `account` from now on, or to no account.
    pub(super) fn set_account(&mut self, id: SessionId, account: Option<AccountId>) {
        let Some(session) = self.people.sessions.get_mut(&id) else { return };
        if let Some(former) = std::mem::replace(&mut session.account, account) {
            self.people.logged_in.remove(&(former, id));
        }
        self.people.logged_in.extend(account.map(|account| (account, id)));
        self.note_role(id);
    }

    /// Looks up again which clients are operators, because accounts have changed.
    pub(super) fn note_roles(&mut self) {
        let members: Vec<SessionId> = self.people.logged_in.iter().map(|(_, id)| *id).collect();
        members.into_iter().for_each(|id| self.note_role(id));
    }

    pub(super) fn note_role(&mut self, id: SessionId) {
        if self.role(id) != Role::Operator {
            self.people.operators.remove(&id);
        } else if self.people.operators.insert(id)
            && let Some(session) = self.people.sessions.get(&id)
        {
            self.people.familiar.note(Origin::of(session.peer.ip()));
        }
    }
}

impl Turn<'_> {
    pub(super) fn connect(
        &mut self,
        id: SessionId,
        peer: SocketAddr,
        encrypted: bool,
        certificate: Option<Fingerprint>,
    ) {
        self.give(id);
        self.trim_reports();
        let origin = Origin::of(peer.ip());
        if let Some(refusal) = self.may_connect(peer, encrypted, origin) {
            let text = match &refusal {
                Refusal::Banned { .. } => "banned",
                Refusal::NetworkNotAllowed => "network not allowed",
                Refusal::EncryptionRequired(_) => "not encrypted",
                Refusal::BansUnread => "bans not read yet",
                Refusal::Stopping => "stopping",
                Refusal::Full => "full",
                _ => "too many from this address",
            };
            let text = Some(text.into());
            let (session, peer) = (Some(id), Some(peer));
            self.effects.push(Effect::Happened(Happening {
                session,
                peer,
                text,
                ..Happening::new(What::Refused, self.now)
            }));
            self.refuse(id, refusal);
            self.effects.push(Effect::Close { session: id, why: Farewell::Hangup });
            return;
        }
        let is_silent = !self.hub.is_always_let_in(peer);
        self.hub.people.places.come(id, origin, is_silent);
        self.hub.counters.connections += 1;
        self.hub.counters.connections_encrypted += u64::from(encrypted);
        let nick = self.hub.guest_name(peer, id);
        let shown: Arc<str> = nick.shown().into();
        let lobby = self.hub.rooms.lobby;
        let is_banned = self.hub.ban_of_address(peer, self.now).is_some();
        let is_held = self.hub.has_door() || is_banned;
        // A client with a known certificate is at the door until it is logged in, so that nobody
        // sees a guest come.
        let known = certificate.and_then(|certificate| self.hub.accounts.of_certificate(&certificate));
        let at_door = (is_held || known.is_some()).then(|| self.now.mono.after(self.hub.settings.accounts.door));
        let first = if at_door.is_some() { self.door_room() } else { lobby };
        let last_said = if is_silent { self.hub.moderation.leavers.said_from(origin, self.now.mono) } else { None };
        let sees_from = self.hub.rooms.open[&lobby]
            .ownership
            .shown_from(self.hub.next_line, self.hub.is_secure_from(peer, encrypted));
        let session = Session {
            id,
            peer,
            encrypted,
            certificate: certificate.map(Box::new),
            nick,
            room: first,
            since: self.now.wall,
            spoke: self.now.mono,
            away: None,
            quiet: false,
            bell: false,
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
            heard: self.now.mono,
            sees_from,
            left: None,
            mute: None,
            last_said,
            veil: None,
            searching: None,
            pace: Pace::default(),
            lines: 0,
            dropped: 0,
        };
        self.hub.people.sessions.insert(id, CopyOnWrite::new(session));
        self.hub.may_be_idle_from(self.now.mono);
        self.hub.people.peak = self.hub.people.peak.max(self.hub.people.sessions.len());
        self.hub.people.beginnings.insert(self.hub.people.sessions[&id].nick.folded(), id);
        // The name may be one that somebody ignores: the same address and port give the same name
        // again.
        self.hub.take_up_name(id);
        self.hub.note_mute(id, self.now);
        if let Some(until) = at_door {
            self.hub.door.waits(id, until);
            self.hub.rooms.open.get_mut(&first).expect("it was opened").members.insert(id);
            self.effects.push(Effect::Enter { session: id, room: first });
            self.happened(What::Arrived, id, None, None);
            if known.is_some_and(|account| self.log_in_by_certificate(id, account)) {
                return;
            }
            if !is_held {
                let welcome = self.hub.welcome();
                self.come_in(id, None, Some(welcome));
                return;
            }
            self.hub.counters.held_at_door += 1;
            return self.greet_at_door(id);
        }
        self.hub.rooms.open.get_mut(&lobby).expect("the lobby is never shut").members.insert(id);
        self.effects.push(Effect::Enter { session: id, room: lobby });
        let welcome = self.hub.welcome();
        self.show_room(id, lobby, Some(welcome), None);
        if let Some(until) = self.hub.locked_out(id) {
            self.done(id, Done::LockedDown(until));
        }
        self.happened(What::Arrived, id, None, None);
        self.present(lobby, id, &shown, Step::Joined);
    }

    /// The reason to refuse a connection from `peer` now; `None` if it is let in. If all places are
    /// taken, a silent client may be disconnected to make place.
    pub(super) fn may_connect(&mut self, peer: SocketAddr, encrypted: bool, origin: Origin) -> Option<Refusal> {
        let has = |networks: &[Network]| networks.iter().any(|network| network.has(peer.ip()));
        let access = &self.hub.settings.access;
        let always = has(&access.always);
        if !always && !access.networks.is_empty() && !has(&access.networks) {
            self.hub.counters.refused_network += 1;
            return Some(Refusal::NetworkNotAllowed);
        }
        if let Some(ban) = self.hub.ban_of_address(peer, self.now)
            && !self.hub.may_knock(ban, origin)
        {
            let refusal = Refusal::Banned { reason: ban.reason.clone(), until: ban.until };
            self.hub.counters.refused_banned += 1;
            return Some(refusal);
        }
        if !self.hub.is_secure_from(peer, encrypted)
            && let Some(refusal) = self.hub.keeps_plain_out()
        {
            self.hub.counters.refused_plain += 1;
            return Some(refusal);
        }
        let access = &self.hub.settings.access;
        if self.hub.recording.unread && !always && access.unread == WhileUnread::Closed {
            self.hub.counters.refused_unread += 1;
            return Some(Refusal::BansUnread);
        }
        let limits = &self.hub.settings.limits;
        let from_here = self.hub.people.places.of(origin);
        if self.hub.stopping {
            self.hub.counters.refused_stopping += 1;
            return Some(Refusal::Stopping);
        }
        if !always && from_here >= limits.clients_per_address {
            self.hub.counters.refused_address += 1;
            return Some(Refusal::TooManyFromAddress(limits.clients_per_address));
        }
        let reserve = match always {
            true => places::RESERVE,
            false if self.hub.people.familiar.has(origin) => places::RESERVE_OF_OPERATORS,
            false => 0,
        };
        if self.hub.people.sessions.len() >= limits.clients {
            if let Some(other) = self.hub.people.places.who_gives_way(origin) {
                self.hub.counters.gave_way += 1;
                self.tell(other, Message::Goodbye(Farewell::GaveWay));
                self.depart(other, Farewell::GaveWay);
            } else if self.hub.people.sessions.len() >= limits.clients.saturating_add(reserve) {
                self.hub.counters.refused_full += 1;
                return Some(Refusal::Full);
            }
        }
        None
    }

    pub(super) fn depart(&mut self, id: SessionId, why: Farewell) {
        let Some(session) = self.hub.people.sessions.get(&id) else { return };
        let (room, nick, peer) = (session.room, session.nick.clone(), session.peer);
        let words = matches!(why, Farewell::Quit(Some(_)));
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
            Farewell::Idle => Some("idle".into()),
            Farewell::GaveWay => Some("made place for others".into()),
            Farewell::NoChat => Some("no chat program".into()),
        };
        // The journal does not hold what people say, not even their last words.
        let noted = if matches!(why, Farewell::Quit(_)) { None } else { reason.clone() };
        let left_why = noted.clone();
        self.happened(What::Departed, id, None, noted);
        self.effects.push(Effect::Close { session: id, why });
        self.hub.put_off_unseen_name(id);
        if let Some(session) = self.hub.people.sessions.remove(&id) {
            self.hub.door.left(id, session.at_door);
            self.hub.idleness.left(id);
            if session.dialogue.is_some() {
                self.effects.push(Effect::SecretSpent);
            }
            if let Some(account) = session.account {
                self.hub.people.logged_in.remove(&(account, id));
                self.hub.people.operators.remove(&id);
                self.seen(account);
            }
            self.hub.ignores_no_more(&session);
            self.hub.forget_laid_down(&session);
            self.hub.zones.forget(id);
            self.hub.moderation.leavers.note(&session, left_why, self.now.mono);
            self.hub.moderation.asked.remove(&id);
        }
        self.hub.people.beginnings.remove(nick.folded(), id);
        self.hub.people.places.go(id, Origin::of(peer.ip()));
        self.hub.people.names.release(&nick);
        self.leave(id, &nick, room, Step::Left { reason, words, to: None });
    }

    /// Takes `id` out of `room`, and tells the room so by `gone`. Then an empty room is shut,
    /// except that the lobby stays open and a lasting room rests.
    pub(super) fn leave(&mut self, id: SessionId, nick: &Name, room: RoomId, gone: Step) {
        let Some(left) = self.hub.rooms.open.get_mut(&room) else { return };
        left.members.remove(&id);
        if left.members.is_empty() && room != self.hub.rooms.lobby {
            if left.ownership.lasts { self.rest(room) } else { self.shut(room) }
        } else {
            self.present(room, id, &nick.shown().into(), gone);
        }
    }

    /// Tells a room of a step of `who`: at once, or gathered with others.
    pub(super) fn present(&mut self, id: RoomId, who: SessionId, nick: &Arc<str>, step: Step) {
        let room = self.hub.rooms.open.get_mut(&id).expect("the caller has it");
        if room.closing {
            return;
        }
        let before = room.presence.flush_at;
        let members = room.members.len();
        let aloud = !matches!(step, Step::Renamed { aloud: false, .. });
        let said = room.presence.note(who, nick, step, members, self.now, &self.hub.settings);
        if let Some(at) = room.presence.flush_at
            && before.is_none()
        {
            self.hub.rooms.deadlines.insert((at, id));
        }
        match said {
            Some(said) if aloud => drop(self.post(id, Some(who), said)),
            Some(_) => {}
            None => self.hub.counters.presence_gathered += 1,
        }
    }

    /// Tells a room the steps that were gathered. A client that believes it bears another name than
    /// the one shown is told the line with the name that it knows.
    pub(super) fn tell_gathered(&mut self, room: RoomId, gathered: Gathered) {
        let Gathered { author, mut said, shown } = gathered;
        if let Said::Left { reason: to, moved, .. } = &mut said
            && *moved
        {
            // The room may have become private since the departure.
            let room = to.as_deref().and_then(|name| self.hub.room(self.hub.find_room(name)?));
            if !room.is_some_and(Room::is_known_to_all) {
                (*to, *moved) = (None, false);
            }
        }
        let unseen = shown.iter().find_map(|id| {
            let session = self.hub.people.sessions.get(id)?;
            (session.room == room && session.is_renamed_unseen()).then_some((*id, session))
        });
        let own = unseen.and_then(|(id, session)| {
            let Said::Gathered { joined, left, renamed, names, members } = said.clone() else { return None };
            let own: Arc<str> = session.own_nick().shown().into();
            let name = |(one, name): (&SessionId, &Arc<str>)| if *one == id { own.clone() } else { name.clone() };
            let names = shown.iter().zip(&*names).map(name).collect();
            Some((id, session.quiet, Said::Gathered { joined, left, renamed, names, members }))
        });
        let line = self.post(room, author.or(own.as_ref().map(|(id, _, _)| *id)), said);
        if let Some((id, false, said)) = own {
            self.tell(id, Message::Line(Arc::new(Line { said, ..(*line).clone() })));
        }
    }

    pub(super) fn kick(&mut self, id: SessionId, reason: Option<Arc<str>>, by: By) {
        if !self.hub.people.sessions.contains_key(&id) {
            return;
        }
        self.hub.counters.kicked += 1;
        self.happened(What::Kicked, id, Some(by), reason.clone());
        let why = Farewell::Kicked(reason);
        self.tell(id, Message::Goodbye(why.clone()));
        self.depart(id, why);
    }

    /// Gives `id` a name that [`Self::may_bear`] has allowed. If `aloud`, its room is told.
    pub(super) fn rename(&mut self, id: SessionId, nick: Name, by: Option<By>, aloud: bool) {
        self.hub.put_off_unseen_name(id);
        let kept_from = self.hub.kept_from(id, self.now);
        self.hub.lay_down_name(id);
        let session = self.hub.people.sessions.get_mut(&id).expect("the caller has it");
        let old = std::mem::replace(&mut session.nick, nick.clone());
        // A guest's name tells nobody apart, and nobody sees names at the door.
        let is_known = !old.is_guest() && session.at_door.is_none();
        let room = session.room;
        if is_known {
            self.hub.lays_down(id, &old, self.now);
        }
        self.hub.people.names.release(&old);
        self.hub.people.names.claim(&nick, id).expect("the caller has asked");
        self.hub.people.beginnings.remove(old.folded(), id);
        self.hub.people.beginnings.insert(nick.folded(), id);
        self.hub.take_up_name(id);
        self.stay_kept_from(id, kept_from);
        self.happened(What::Renamed, id, by, Some(old.shown().into()));
        if self.hub.is_at_door(id) {
            // Nobody sees others at the door.
            return;
        }
        self.present(room, id, &nick.shown().into(), Step::Renamed { from: old.shown().into(), aloud });
    }
}
