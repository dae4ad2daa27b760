//! Rooms, their topics, and what the hub says in them.

use std::io;

use super::screen::Screen;
use super::table::{Side, Table};
use super::values::{count, time};
use crate::wire::admin::result::{Closed, RoomList, Said, Topic};

pub(in crate::ctl) fn list(to: &mut Screen<'_>, list: &RoomList) -> io::Result<()> {
    let mut table = Table::new(&[
        ("ROOM", Side::Left),
        ("MEMBERS", Side::Right),
        ("LINES", Side::Right),
        ("KEPT", Side::Right),
        ("SINCE", Side::Left),
        ("TOPIC", Side::Left),
    ]);
    for room in &list.rooms {
        table.row([
            room.name.clone(),
            room.members.to_string(),
            room.lines.to_string(),
            room.history_lines.to_string(),
            time(&room.since),
            room.topic.clone(),
        ]);
    }
    table.print(to, "room")
}

pub(in crate::ctl) fn topic(to: &mut Screen<'_>, result: &Topic) -> io::Result<()> {
    to.line(if result.topic.is_empty() { "(no topic)" } else { &result.topic })
}

pub(in crate::ctl) fn topic_set(to: &mut Screen<'_>, result: &Topic) -> io::Result<()> {
    to.done(&if result.topic.is_empty() {
        format!("The topic of {} is cleared.", result.room)
    } else {
        format!("The topic of {} is now: {}", result.room, result.topic)
    })
}

pub(in crate::ctl) fn closed(to: &mut Screen<'_>, result: &Closed) -> io::Result<()> {
    to.done(&format!("Closed {}; {} moved to the lobby.", result.room, count(result.moved, "client")))
}

pub(in crate::ctl) fn said(to: &mut Screen<'_>, result: &Said) -> io::Result<()> {
    to.done(&format!("Said to {} in {}.", count(result.clients, "client"), count(result.rooms, "room")))
}
