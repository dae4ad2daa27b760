//! Commands about rooms, carried out on the hub.

use crate::hub::Hub;
use crate::values::id::RoomId;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::Room;
use crate::wire::admin::value::Time;

pub(super) fn find_room(hub: &Hub, name: &str) -> Result<RoomId, ControlError> {
    hub.find_room(name).ok_or_else(|| ControlError::new(ErrorCode::NotFound, format!("no room {name:?}")))
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
    }
}
