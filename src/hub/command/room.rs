//! Commands about rooms: going there, topics, and the rights of owners and moderators.

use crate::values::name::{Name, TakenFor, fold, of_room};
use std::sync::Arc;
use std::time::Duration;

use super::super::account::Role;
use super::super::inbound::Arrives;
use super::super::message::{Done, Message, Refusal};
use super::super::ownership::{Change, MODES, Roll, SLOW};
use super::super::sanction;
use super::super::sanction::Order;
use super::super::speech::{Carrier, Deed, Rights};
use super::super::work;
use super::super::{By, Effect, Happening, Hub, Turn, What};
use super::operator::sign;
use super::sanctions::replaced;
use super::{Call, clip, split_word, taken_for, text_arg};
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::time::{parse_length, take_length};

impl Call<'_, '_> {
    /// The room that the caller is in, if the caller is its owner, a moderator of it, or an
    /// operator; else tells the caller so.
    fn own_room(&mut self) -> Option<RoomId> {
        let room = self.room();
        let id = room.id;
        if self.turn.hub.owns(self.id, room) {
            return Some(id);
        }
        let name = room.name.shown().into();
        let owner = self.turn.hub.owner_for(self.id, room);
        self.refuse(Refusal::NotYourRoom { room: name, owner });
        None
    }

    /// The caller's room, as [`Self::own_room`] finds it, and the person that an argument names.
    fn own_room_and(&mut self, name: &str) -> Option<(RoomId, SessionId)> {
        if name.is_empty() {
            self.usage();
            return None;
        }
        let room = self.own_room()?;
        Some((room, self.person(name)?))
    }

    /// The caller as an operator who moderates. `None` in the caller's own room: there it acts as
    /// the owner.
    fn by_operator(&self) -> Option<By> {
        let is_own = self.turn.hub.is_owner(self.id, self.room());
        let account = self.own().account.filter(|_| !is_own && self.turn.hub.role(self.id) == Role::Operator)?;
        Some(By::Operator { session: self.id, account })
    }

    /// The room that the caller is in, if the caller may give it away; else tells the caller so.
    fn ruled_room(&mut self) -> Option<RoomId> {
        let room = self.room();
        let id = room.id;
        if self.turn.hub.rules(self.id, room) {
            return Some(id);
        }
        let owner = self.turn.hub.owner_for(self.id, room);
        self.refuse(Refusal::ForOwner(owner));
        None
    }

    /// The account of the person here who bears that name, else the account of that name; tells the
    /// caller if there is none.
    fn account(&mut self, name: &str) -> Option<AccountId> {
        let here = self.turn.hub.find_for(self.id, name).filter(|id| !self.turn.hub.is_at_door(*id));
        let own = here.and_then(|id| self.turn.hub.people.sessions[&id].account);
        let found = own.or_else(|| self.turn.hub.accounts.find(&fold(name)));
        if found.is_none() {
            let refusal = if here.is_some() { Refusal::NotRegistered } else { Refusal::NoSuchAccount };
            self.refuse(refusal(clip(name)));
        }
        found
    }

    fn nick_of(&self, id: SessionId) -> Arc<str> {
        self.turn.hub.people.sessions[&id].nick_for(self.id).shown().into()
    }

    /// The caller as the author of an action, for the records. `None` without an account.
    fn owner(&self) -> Option<By> {
        Some(By::Operator { session: self.id, account: self.own().account? })
    }

    fn enrolled(&mut self, room: RoomId, roll: Roll, who: SessionId, on: bool) -> bool {
        let done = self.turn.enroll(room, roll, who, on);
        if !done {
            let limit = self.turn.hub.settings.limits.invited;
            self.refuse(Refusal::TooManyInvited(limit));
        }
        done
    }
}

pub(super) fn room(call: &mut Call<'_, '_>, args: &str) {
    let (word, rest) = split_word(args);
    let change = match (word, rest) {
        ("", _) => {
            let (room, hub) = (call.room(), &*call.turn.hub);
            let shown = |account: AccountId| hub.account_for(call.id, account);
            let message = Message::RoomIs {
                room: room.name.shown().into(),
                owner: hub.owner_for(call.id, room),
                modes: room.ownership.modes(),
                moderators: room.ownership.moderators.iter().copied().filter_map(shown).collect(),
                successor: room.ownership.successor.and_then(shown),
            };
            return call.tell(message);
        }
        ("successor", name) if !name.is_empty() => return successor(call, name),
        _ => match changes(args) {
            Ok(change) => change,
            Err(refusal) => return call.refuse(refusal),
        },
    };
    let Some(room) = call.own_room() else { return };
    if change.private == Some(true) && room == call.turn.hub.rooms.lobby {
        let name = call.room().name.shown().into();
        return call.refuse(Refusal::LobbyStaysPublic(name));
    }
    if change.encrypted == Some(true) {
        call.turn.hub.work.done += call.room().members.len().min(work::MOST) as u64;
        if let Err(refusal) = call.turn.hub.may_be_encrypted(room, Some(call.id)) {
            return call.refuse(refusal);
        }
    }
    if let Some(on) = change.lasting {
        if call.ruled_room().is_none() {
            return;
        }
        let owner = call.room().ownership.owner;
        let may = |hub: &Hub| hub.may_last(room, owner).and_then(|()| hub.may_last_from(call.id, room));
        if on && let Err(refusal) = may(call.turn.hub) {
            return call.refuse(refusal);
        }
    }
    // Every member is told of the change, so it is judged like a line that is said.
    let Some(heard) = call.turn.heard(call.id, Carrier::Modes, "") else { return };
    call.turn.hub.work.done += work::SHOWN + 2 * call.room().members.len().min(work::MOST) as u64;
    let by = call.by_operator();
    let before = call.turn.effects.len();
    call.turn.set_modes_heard(&heard, room, change, by);
    sign(call, before);
}

/// Reads several modes in a row as one change: `registered slow 5s`.
fn changes(args: &str) -> Result<Change, Refusal> {
    let (mut change, mut left) = (Change::default(), args);
    while !left.is_empty() {
        let (word, behind) = split_word(left);
        let one = if let Some((_, one)) = MODES.iter().find(|(mode, _)| *mode == word) {
            left = behind;
            *one
        } else if word == "slow" {
            let (time, rest) = slow(behind)?;
            left = rest;
            Change { slow: Some(time), ..Change::default() }
        } else {
            return Err(Refusal::NoSuchMode(clip(left)));
        };
        change = change.and(one).ok_or(Refusal::ModesContradict)?;
    }
    Ok(change)
}

/// The time behind `slow`, or zero for `off`, and the text after it.
fn slow(text: &str) -> Result<(Duration, &str), Refusal> {
    match (split_word(text), take_length(text)) {
        (("off", rest), _) => Ok((Duration::ZERO, rest)),
        (("" | "0", _), _) => Err(Refusal::SlowOutside),
        (_, Ok(Some((time, rest)))) if (SLOW.0..=SLOW.1).contains(&time) => Ok((time, rest)),
        (_, Ok(Some(_))) => Err(Refusal::SlowOutside),
        (_, Err(why)) => Err(Refusal::NoLength { why, or_reason: false }),
        ((word, _), Ok(None)) => Err(match parse_length(word) {
            Err(why) => Refusal::NoLength { why, or_reason: false },
            Ok(_) => Refusal::SlowOutside,
        }),
    }
}

/// `/room successor NAME` and `/room successor none`.
fn successor(call: &mut Call<'_, '_>, name: &str) {
    let Some(room) = call.ruled_room() else { return };
    let shown: Arc<str> = call.room().name.shown().into();
    let Some(owner) = call.room().ownership.owner else { return call.refuse(Refusal::ForOwner(None)) };
    let account = if name == "none" {
        None
    } else {
        let Some(account) = call.account(name) else { return };
        if account == owner {
            let nick = clip(name);
            return call.refuse(Refusal::OwnsRoom { nick, room: shown });
        }
        Some(account)
    };
    call.turn.set_successor(room, account);
    let name = account.and_then(|account| call.turn.hub.account_for(call.id, account));
    call.done(Done::Successor { room: shown, name });
}

pub(super) fn transfer(call: &mut Call<'_, '_>, args: &str) {
    let Some(room) = call.ruled_room() else { return };
    if room == call.turn.hub.rooms.lobby {
        let name = call.room().name.shown().into();
        return call.refuse(Refusal::LobbyIsNobodys(name));
    }
    let Some(account) = call.account(args) else { return };
    if call.room().ownership.owner == Some(account) {
        let (nick, room) = (clip(args), call.room().name.shown().into());
        return call.refuse(Refusal::OwnsRoom { nick, room });
    }
    // A new owner has to be here to see it; operators may choose an absent one.
    let is_here = call.turn.hub.logged_in_to(account).any(|other| call.room().members.contains(&other));
    if !is_here && call.turn.hub.role(call.id) != Role::Operator {
        return call.refuse(Refusal::MustBeHere(clip(args)));
    }
    if call.room().ownership.lasts
        && let Err(refusal) = call.turn.hub.may_last(room, Some(account))
    {
        return call.refuse(refusal);
    }
    // Every member is told of the change, so it is judged like a line that is said.
    let Some(heard) = call.turn.heard(call.id, Carrier::Modes, "") else { return };
    call.turn.hub.work.done += work::SHOWN + 2 * call.room().members.len().min(work::MOST) as u64;
    let (by, before) = (call.by_operator(), call.turn.effects.len());
    call.turn.give_room_heard(&heard, room, account, by);
    sign(call, before);
}

pub(super) fn moderator(call: &mut Call<'_, '_>, args: &str) {
    appoint(call, args, true);
}

pub(super) fn unmoderator(call: &mut Call<'_, '_>, args: &str) {
    appoint(call, args, false);
}

fn appoint(call: &mut Call<'_, '_>, args: &str, on: bool) {
    // Moderators may resign on their own.
    let Some(account) = call.account(args) else { return };
    let resigns = !on && call.own().account == Some(account) && call.turn.hub.moderates(call.id, call.room());
    let room = if resigns { Some(call.room().id) } else { call.ruled_room() };
    let Some(room) = room else { return };
    let shown: Arc<str> = call.room().name.shown().into();
    if on && call.room().ownership.owner == Some(account) {
        return call.refuse(Refusal::OwnsRoom { nick: clip(args), room: shown });
    }
    let there: Vec<SessionId> = call.turn.hub.logged_in_to(account).filter(|other| *other != call.id).collect();
    let mut heard = None;
    if let Some(other) = there.first() {
        heard = call.turn.heard(call.id, Carrier::Invitation(*other), &shown);
        if heard.is_none() {
            return;
        }
    }
    if !call.turn.set_moderator(room, account, on) {
        let limit = call.turn.hub.settings.limits.invited;
        return call.refuse(Refusal::TooManyInvited(limit));
    }
    if let Some(heard) = heard {
        for other in there {
            call.turn.tell_of_rights(&heard, other, Rights::Say, on);
        }
    }
    let name = call.turn.hub.account_for(call.id, account).unwrap_or_default();
    call.done(Done::Moderator { name, room: shown, on });
}

pub(super) fn invite(call: &mut Call<'_, '_>, args: &str) {
    let (name, _) = split_word(args);
    let Some((room, other)) = call.own_room_and(name) else { return };
    let shown: Arc<str> = call.room().name.shown().into();
    let ignored = call.turn.hub.people.sessions[&other].ignores(call.own());
    let arrives = if ignored { Arrives::No } else { Arrives::Yes };
    let mut heard = None;
    if other != call.id {
        heard = call.turn.heard(call.id, Carrier::Invitation(other), &shown);
        if heard.is_none() {
            return;
        }
        if let Err(refusal) = call.turn.hub.reach(call.id, other, &shown, arrives, call.turn.now.mono) {
            return call.refuse(refusal);
        }
    }
    if !call.enrolled(room, Roll::Invited, other, true) {
        return;
    }
    if let Some(by) = call.owner() {
        call.turn.readmit(other, room, by);
    }
    if let Some(heard) = heard.filter(|_| !ignored) {
        call.turn.hub.work.done += work::SHOWN;
        call.turn.ask_in(&heard, other);
    }
    let nick = call.nick_of(other);
    call.done(Done::Invited { nick, room: shown });
}

pub(super) fn uninvite(call: &mut Call<'_, '_>, args: &str) {
    let (name, _) = split_word(args);
    let Some((room, other)) = call.own_room_and(name) else { return };
    call.turn.enroll(room, Roll::Invited, other, false);
    let (nick, room) = (call.nick_of(other), call.room().name.shown().into());
    call.done(Done::Uninvited { nick, room });
}

pub(super) fn voice(call: &mut Call<'_, '_>, args: &str) {
    give_voice(call, args, true);
}

pub(super) fn unvoice(call: &mut Call<'_, '_>, args: &str) {
    give_voice(call, args, false);
}

fn give_voice(call: &mut Call<'_, '_>, args: &str, on: bool) {
    let (name, _) = split_word(args);
    let Some((room, other)) = call.own_room_and(name) else { return };
    let shown: Arc<str> = call.room().name.shown().into();
    let mut heard = None;
    if other != call.id {
        heard = call.turn.heard(call.id, Carrier::Invitation(other), &shown);
        if heard.is_none() {
            return;
        }
    }
    if !call.enrolled(room, Roll::Voiced, other, on) {
        return;
    }
    if let Some(heard) = heard {
        call.turn.tell_of_rights(&heard, other, Rights::Voice, on);
    }
    let nick = call.nick_of(other);
    call.done(Done::VoiceOf { nick, on });
}

pub(super) fn expel(call: &mut Call<'_, '_>, args: &str) {
    let (name, reason) = split_word(args);
    if name.is_empty() {
        return call.usage();
    }
    let line = call.line(args);
    let Some(room) = call.own_room() else { return };
    let Some(other) = call.person_meant(name, &line) else { return };
    if other == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    let target = &call.turn.hub.rooms.open[&room];
    if room == call.turn.hub.rooms.lobby {
        let room = target.name.shown().into();
        return call.refuse(Refusal::NotOutOfLobby(room));
    }
    if call.turn.hub.is_owner(other, target) {
        let (nick, room) = (call.nick_of(other), target.name.shown().into());
        return call.refuse(Refusal::OwnsRoom { nick, room });
    }
    if call.turn.hub.moderates(other, target) {
        let (nick, room) = (call.nick_of(other), target.name.shown().into());
        return call.refuse(Refusal::ModeratesRoom { nick, room });
    }
    if call.turn.hub.owns(other, target) {
        let nick = call.nick_of(other);
        return call.refuse(Refusal::IsOperator(nick));
    }
    let (shown, is_here): (Arc<str>, bool) = (target.name.shown().into(), target.members.contains(&other));
    let limit = call.turn.hub.settings.limits.invited;
    if call.turn.hub.moderation.sanctions.count_of_room(room) >= limit {
        return call.refuse(Refusal::TooManyInvited(limit));
    }
    let kind = sanction::Kind::Expulsion { room, name: target.name.clone() };
    let Some(by) = call.owner() else { return };
    // If nobody may hear the caller, the expulsion carries no reason.
    let heard = text_arg(reason).and_then(|reason| call.turn.heard(call.id, Carrier::Reason, &reason));
    let order = call.turn.hub.order(&call.turn.hub.people.sessions[&other], kind);
    let order = Order { reason: Turn::words(heard.as_ref()), ..order };
    let (id, former) = call.turn.sanction(order, by);
    if let Some(heard) = &heard {
        call.turn.note_grounds(call.id, Deed::Sanction(id), &heard.grounds());
    }
    call.turn.enroll(room, Roll::Invited, other, false);
    call.turn.enroll(room, Roll::Voiced, other, false);
    let nick = call.nick_of(other);
    if is_here {
        call.turn.tell_of_expulsion(heard.as_ref(), other, shown.clone());
        let lobby = call.turn.hub.rooms.lobby;
        call.turn.enter(other, lobby);
    }
    call.done(Done::ExpelledOther { nick, room: shown, replaced: replaced(former) });
}

pub(super) fn join(call: &mut Call<'_, '_>, args: &str) {
    if args.is_empty() {
        return call.usage();
    }
    // A text that is no room's name is refused below, with the reason.
    let typed = of_room(args).unwrap_or(args);
    if let Some(room) = call.turn.hub.find_room(typed) {
        if room == call.own().room {
            let name = call.room().name.shown().into();
            return call.refuse(Refusal::AlreadyHere(name));
        }
        if !call.turn.hub.may_enter(call.id, &call.turn.hub.rooms.open[&room]) {
            return call.refuse(Refusal::RoomNotOpen(clip(typed)));
        }
        if let Some(refusal) = call.turn.hub.needs_encryption_in(call.id, &call.turn.hub.rooms.open[&room]) {
            return call.refuse(refusal);
        }
        if call.turn.heard(call.id, Carrier::Entering, typed).is_none() {
            return;
        }
        call.turn.hub.work.done += work::SHOWN;
        return call.turn.enter(call.id, room);
    }
    let name = match Name::parse(typed, call.turn.hub.settings.limits.room_name) {
        Ok(name) => name,
        Err(invalid) => return call.refuse(Refusal::InvalidName(invalid)),
    };
    // A room kept from before a restart keeps its name even if a newer rule forbids it. A name that
    // reads as a length of time is harmless for a room.
    let is_kept = call.turn.hub.recording.dormant.contains_key(name.folded());
    if let Some(taken_for) = taken_for(&name).filter(|taken_for| !is_kept && *taken_for != TakenFor::Time) {
        return call.refuse(Refusal::NameTakenFor(name.shown().into(), taken_for));
    }
    let lookalike = call.turn.hub.rooms.names.lookalikes(&name).next();
    if let Some(room) = lookalike {
        let other = &call.turn.hub.rooms.open[&room];
        if !call.turn.hub.sees(call.id, other) {
            return call.refuse(Refusal::RoomNotOpen(clip(typed)));
        }
        let other = other.name.shown().into();
        return call.refuse(Refusal::RoomLooksLike(other));
    }
    // If the caller is the last member of its present room, that room will close and make place for
    // the new one.
    let limit = call.turn.hub.settings.limits.rooms;
    let leaves_empty =
        call.own().room != call.turn.hub.rooms.lobby && call.room().members.len() == 1 && !call.room().ownership.lasts;
    if call.turn.hub.room_count() - usize::from(leaves_empty) >= limit {
        return call.refuse(Refusal::TooManyRooms(limit));
    }
    let opened_from = call.turn.hub.counted_opener(call.id);
    let most = call.turn.hub.settings.limits.rooms_per_address;
    let leaves_own = leaves_empty && call.room().opened_from == opened_from;
    if let Some(from) = opened_from
        && call.turn.hub.rooms_opened_from(from) - usize::from(leaves_own) >= most
    {
        return call.refuse(Refusal::TooManyRoomsFromAddress(most));
    }
    // A room's name can say as much as a line, so it is judged like one.
    let Some(heard) = call.turn.heard(call.id, Carrier::Room, typed) else { return };
    let room = Some(name.shown().into());
    let nick = Some(call.nick());
    let (session, now) = (Some(call.id), call.turn.now);
    let id = call.turn.open_heard(&heard, name);
    let owner = call.own().account;
    if let Some(room) = call.turn.hub.rooms.open.get_mut(&id) {
        room.ownership.owner = owner;
        room.ownership.unseen = owner.is_some() && room.unseen_of.is_some();
    }
    call.turn.hub.opened_from(id, opened_from);
    call.turn.hub.work.done += work::SHOWN;
    let opened = Happening { session, nick, room, ..Happening::new(What::RoomOpened, now) };
    call.turn.effects.push(Effect::Happened(opened));
    call.turn.enter(call.id, id);
}

pub(super) fn leave(call: &mut Call<'_, '_>, _: &str) {
    let lobby = call.turn.hub.rooms.lobby;
    if call.own().room == lobby {
        let name = call.room().name.shown().into();
        return call.refuse(Refusal::AlreadyHere(name));
    }
    call.turn.hub.work.done += work::SHOWN;
    call.turn.enter(call.id, lobby);
}

pub(super) fn topic(call: &mut Call<'_, '_>, args: &str) {
    if args.is_empty() {
        let room = call.room();
        let message = Message::Topic { room: room.name.shown().into(), topic: call.turn.hub.topic_for(call.id, room) };
        return call.tell(message);
    }
    let limit = call.turn.hub.settings.limits.topic;
    if args.len() > limit {
        return call.refuse(Refusal::TopicTooLong(limit));
    }
    if let Some(refusal) = call.turn.hub.keeps_topic(call.id) {
        return call.refuse(refusal);
    }
    let Some(heard) = call.turn.heard(call.id, Carrier::Topic, args) else { return };
    call.turn.hub.work.done += work::SHOWN;
    call.turn.set_topic_heard(heard);
}
