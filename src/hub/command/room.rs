//! Commands about rooms: going there, topics, and what an owner does.

use crate::values::name::{Name, TakenFor};
use std::sync::Arc;

use super::super::inbound::Arrives;
use super::super::message::{Done, Message, Refusal};
use super::super::ownership::Roll;
use super::super::pace::Kind;
use super::super::speech::Carrier;
use super::super::work;
use super::super::{Effect, Happening, What};
use super::{Call, clip, split_word, taken_for, text_arg};
use crate::values::id::{RoomId, SessionId};

impl Call<'_, '_> {
    /// The room that the caller is in, if it has its say there; it is told if not.
    fn own_room(&mut self) -> Option<RoomId> {
        let room = self.room();
        let id = room.id;
        if self.turn.hub.owns(self.id, room) {
            return Some(id);
        }
        let name = room.name.shown().into();
        let owner = self.turn.hub.owner_of(room);
        self.refuse(Refusal::NotYourRoom { room: name, owner });
        None
    }

    /// The room, and the person that an argument names.
    fn own_room_and(&mut self, name: &str) -> Option<(RoomId, SessionId)> {
        if name.is_empty() {
            self.usage();
            return None;
        }
        let room = self.own_room()?;
        Some((room, self.person(name)?))
    }

    fn nick_of(&self, id: SessionId) -> Arc<str> {
        self.turn.hub.people.sessions[&id].nick_for(self.id).shown().into()
    }

    fn enrolled(&mut self, room: RoomId, roll: Roll, who: SessionId, on: bool) -> bool {
        let done = self.turn.hub.enroll(room, roll, who, on);
        if !done {
            let limit = self.turn.hub.settings.limits.invited;
            self.refuse(Refusal::TooManyInvited(limit));
        }
        done
    }
}

pub(super) fn room(call: &mut Call<'_, '_>, args: &str) {
    let ownership = &call.room().ownership;
    let (private, moderated) = (ownership.private, ownership.moderated);
    let (private, moderated) = match args {
        "" => {
            let room = call.room();
            let message = Message::RoomIs {
                room: room.name.shown().into(),
                owner: call.turn.hub.owner_of(room),
                private,
                moderated,
            };
            return call.tell(message);
        }
        "private" => (true, moderated),
        "public" => (false, moderated),
        "moderated" => (private, true),
        "free" => (private, false),
        _ => return call.usage(),
    };
    let Some(room) = call.own_room() else { return };
    // Each of them is told.
    if !call.turn.is_in_time(call.id, Kind::Rooms, false) {
        return;
    }
    call.turn.hub.work.done += work::SHOWN + 2 * call.room().members.len().min(work::MOST) as u64;
    call.turn.set_mode(room, private, moderated, call.id);
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
    call.turn.hub.enroll(room, Roll::Expelled, other, false);
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
    call.turn.hub.enroll(room, Roll::Invited, other, false);
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
    // Who is sent much already hears of it by being heard.
    if let Some(heard) = heard
        && call.turn.hub.reach(call.id, other, &shown, Arrives::Yes, call.turn.now.mono).is_ok()
    {
        call.turn.tell_of_voice(&heard, other, on);
    }
    let nick = call.nick_of(other);
    call.done(Done::VoiceOf { nick, on });
}

pub(super) fn expel(call: &mut Call<'_, '_>, args: &str) {
    let (name, reason) = split_word(args);
    let Some((room, other)) = call.own_room_and(name) else { return };
    if other == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    let target = &call.turn.hub.rooms.open[&room];
    if call.turn.hub.owns(other, target) {
        let nick = call.nick_of(other);
        return call.refuse(Refusal::IsOperator(nick));
    }
    let (shown, is_here): (Arc<str>, bool) = (target.name.shown().into(), target.members.contains(&other));
    if !call.enrolled(room, Roll::Expelled, other, true) {
        return;
    }
    call.turn.hub.enroll(room, Roll::Invited, other, false);
    call.turn.hub.enroll(room, Roll::Voiced, other, false);
    let nick = call.nick_of(other);
    if is_here {
        // Who is not heard sends them out without a word.
        let heard = text_arg(reason).and_then(|reason| call.turn.heard(call.id, Carrier::Reason, &reason));
        call.turn.tell_of_expulsion(heard.as_ref(), other, shown.clone());
        let lobby = call.turn.hub.rooms.lobby;
        call.turn.enter(other, lobby);
    }
    call.done(Done::ExpelledOther { nick, room: shown });
}

pub(super) fn join(call: &mut Call<'_, '_>, args: &str) {
    let typed = args.strip_prefix('#').unwrap_or(args);
    if typed.is_empty() {
        return call.usage();
    }
    if let Some(room) = call.turn.hub.find_room(typed) {
        if room == call.own().room {
            let name = call.room().name.shown().into();
            return call.refuse(Refusal::AlreadyHere(name));
        }
        if !call.turn.hub.may_enter(call.id, &call.turn.hub.rooms.open[&room]) {
            return call.refuse(Refusal::RoomNotOpen(clip(typed)));
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
    // One that is kept from before was opened when nobody asked. No length of time stands where a room does.
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
    // The room that is left behind by its only member makes place for the new one.
    let limit = call.turn.hub.settings.limits.rooms;
    let leaves_empty = call.own().room != call.turn.hub.rooms.lobby && call.room().members.len() == 1;
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
    // A room's name can be as good as a line.
    let Some(heard) = call.turn.heard(call.id, Carrier::Room, typed) else { return };
    let room = Some(name.shown().into());
    let nick = Some(call.nick());
    let (session, now) = (Some(call.id), call.turn.now);
    let id = call.turn.open_heard(&heard, name);
    let owner = call.own().account;
    if let Some(room) = call.turn.hub.rooms.open.get_mut(&id) {
        room.ownership.owner = owner;
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
    if call.room().ownership.owner.is_some() && !call.turn.hub.owns(call.id, call.room()) {
        let (room, owner) = (call.room().name.shown().into(), call.turn.hub.owner_of(call.room()));
        return call.refuse(Refusal::NotYourRoom { room, owner });
    }
    let Some(heard) = call.turn.heard(call.id, Carrier::Topic, args) else { return };
    call.turn.hub.work.done += work::SHOWN;
    call.turn.set_topic_heard(heard);
}
