//! Commands about rooms, and what the hub says in them.

use super::{Call, accounts, clean_line, line_of};
use crate::hub::ownership::Change;
use crate::hub::{Hub, Input};
use crate::values::id::RoomId;
use crate::wire::admin::args::{CloseArgs, LockdownArgs, RoomArgs, RoomSetArgs, SayArgs, TopicArgs};
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{Closed, Lockdown, Room, Said, Topic};
use crate::wire::admin::value::{Time, Whole};

pub(in crate::wire::admin) fn get(call: &mut Call<'_>, args: &RoomArgs) -> Result<Room, ControlError> {
    let id = find_room(call.hub, &args.room)?;
    Ok(room(call.hub, call.hub.room(id).expect("it was found")))
}

pub(in crate::wire::admin) fn set(call: &mut Call<'_>, args: &RoomSetArgs) -> Result<Room, ControlError> {
    let id = find_room(call.hub, &args.room)?;
    if args.private == Some(true) && id == call.hub.lobby() {
        return Err(ControlError::new(ErrorCode::Conflict, "the lobby cannot be private"));
    }
    if args.encrypted == Some(true) {
        call.hub.may_be_encrypted(id, None)?;
    }
    let change = Change {
        private: args.private,
        moderated: args.moderated,
        registered: args.registered,
        encrypted: args.encrypted,
        slow: args.slow_s.map(Whole::seconds),
        topic_locked: args.topic_locked,
        lasting: args.lasting,
    };
    let owner = args.owner.as_deref().map(|name| accounts::find(call.hub, name)).transpose()?;
    if owner.is_some() && id == call.hub.lobby() {
        return Err(ControlError::new(ErrorCode::Conflict, "the lobby belongs to nobody"));
    }
    let room_now = call.hub.room(id).expect("it was found");
    let owns = owner.or(room_now.ownership.owner);
    if args.lasting.unwrap_or(room_now.ownership.lasts) && (args.lasting == Some(true) || owner.is_some()) {
        call.hub.may_last(id, owns)?;
    }
    if let Some(to) = owner {
        call.change(Input::GiveRoom { room: id, to, by: call.by });
    } else if change == Change::default() {
        let message = "nothing says what is to be changed: give \"private\", \"moderated\", \"registered\", \"encrypted\", \
                       \"topic_locked\", \"slow_s\", \"lasting\" or \"owner\"";
        return Err(ControlError::new(ErrorCode::BadArgument, message));
    }
    let before = room(call.hub, call.hub.room(id).expect("it was found"));
    if change != Change::default() {
        call.change(Input::SetRoom { room: id, change, by: call.by });
    }
    // An empty room that no longer lasts is closed at once.
    Ok(call.hub.room(id).map_or(Room { lasting: false, ..before }, |now| room(call.hub, now)))
}

pub(in crate::wire::admin) fn topic(call: &mut Call<'_>, args: &TopicArgs) -> Result<Topic, ControlError> {
    let id = find_room(call.hub, &args.room)?;
    if let Some(text) = &args.text {
        let text = clean_line("text", text)?;
        let limit = call.hub.settings().limits.topic;
        if text.len() > limit {
            return Err(ControlError::argument("text", format_args!("a topic has at most {limit} bytes")));
        }
        call.change(Input::Topic { room: id, text, by: call.by });
    }
    let room = call.hub.room(id).expect("it was found");
    Ok(Topic { room: room.name.shown().into(), topic: room.topic.as_ref().into() })
}

pub(in crate::wire::admin) fn close(call: &mut Call<'_>, args: &CloseArgs) -> Result<Closed, ControlError> {
    let id = find_room(call.hub, &args.room)?;
    if id == call.hub.lobby() {
        return Err(ControlError::new(ErrorCode::Conflict, "the lobby cannot be closed"));
    }
    let reason = line_of("reason", args.reason.as_ref())?;
    let room = call.hub.room(id).expect("it was found");
    let closed = Closed { room: room.name.shown().into(), moved: room.members.len() as u64 };
    call.change(Input::CloseRoom { room: id, reason, by: call.by });
    Ok(closed)
}

pub(in crate::wire::admin) fn lockdown(call: &mut Call<'_>, args: &LockdownArgs) -> Result<Lockdown, ControlError> {
    let LockdownArgs { for_s, newcomers, off } = *args;
    if off {
        if for_s.is_some() || newcomers.is_some() {
            let why = "it ends at once, in whatever way it was: leave out \"for_s\" and \"newcomers\"";
            return Err(ControlError::argument("off", why));
        }
        if call.hub.lockdown().is_none() {
            return Err(ControlError::new(ErrorCode::Conflict, "there is no lockdown"));
        }
        call.change(Input::LockdownOff { by: call.by });
    } else {
        call.change(Input::Lockdown { newcomers, time: for_s.map(Whole::seconds), by: call.by });
    }
    Ok(call.hub.lockdown().map_or(Lockdown { until: None, newcomers: None }, Lockdown::from))
}

pub(in crate::wire::admin) fn say(call: &mut Call<'_>, args: &SayArgs) -> Result<Said, ControlError> {
    let text = clean_line("text", &args.text)?;
    let room = args.room.as_deref().map(|room| find_room(call.hub, room)).transpose()?;
    let (rooms, clients) = match room.and_then(|room| call.hub.room(room)) {
        Some(room) => (1, room.members.len()),
        None => (
            call.hub.rooms().filter(|room| !call.hub.rests(room)).count(),
            call.hub.sessions().filter(|session| session.at_door.is_none()).count(),
        ),
    };
    call.change(Input::Announce { room, text, by: call.by });
    Ok(Said { rooms: rooms as u64, clients: clients as u64 })
}

pub(super) fn find_room(hub: &Hub, name: &str) -> Result<RoomId, ControlError> {
    hub.find_room(name).ok_or_else(|| no_room(name))
}

pub(super) fn no_room(name: &str) -> ControlError {
    ControlError::new(ErrorCode::NotFound, format!("no room {name:?}"))
}

pub(super) fn room(hub: &Hub, room: &crate::hub::room::Room) -> Room {
    Room {
        name: room.name.shown().into(),
        topic: room.topic.as_ref().into(),
        members: room.members.len() as u64,
        since: Time(room.since),
        lines: room.lines,
        history_lines: room.history.len() as u64,
        owner: hub.owner_of(room).as_deref().map(Into::into),
        private: room.ownership.private,
        moderated: room.ownership.moderated,
        registered: room.ownership.registered,
        encrypted: room.ownership.encrypted,
        topic_locked: room.ownership.is_topic_locked(),
        slow_s: room.ownership.modes().slow.as_secs(),
        lasting: room.ownership.lasts,
        moderators: hub
            .names_of(room.ownership.moderators.iter().copied())
            .iter()
            .map(|name| (**name).into())
            .collect(),
        successor: hub.names_of(room.ownership.successor).first().map(|name| (**name).into()),
    }
}
