//! Prints rooms, their topics, and notices to them.

use std::io;
use std::time::Duration;

use super::screen::Screen;
use super::table::{Facts, Table, left, right};
use super::values::{count, span, time};
use crate::values::time::in_words;
use crate::wire::admin::result::{Closed, Room, RoomList, Said, Topic};

pub(in crate::ctl) fn list(to: &mut Screen<'_>, list: &RoomList) -> io::Result<()> {
    let mut table = Table::new([
        left("ROOM").shrinks(12).names(),
        right("MEMBERS"),
        right("LINES").spare(2),
        right("KEPT").spare(1),
        right("AGE").spare(3),
        left("OWNER").shrinks(10),
        left("MODES"),
        left("TOPIC").telling(),
    ]);
    for room in &list.rooms {
        table.row([
            room.name.clone(),
            room.members.to_string(),
            room.lines.to_string(),
            room.history_lines.to_string(),
            span(to.age(&room.since)),
            room.owner.clone().unwrap_or_default(),
            modes(room),
            room.topic.clone(),
        ]);
    }
    table.print(to, "room")
}

/// The modes of a room, as far as they differ from those of most rooms.
pub(in crate::ctl) fn modes(room: &Room) -> String {
    let words = [
        (room.private, "private"),
        (room.moderated, "moderated"),
        (room.registered, "registered"),
        (room.encrypted, "encrypted"),
        (room.topic_locked, "topic-locked"),
        (room.lasting, "lasting"),
    ];
    let words = words.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word.to_owned());
    let slow = (room.slow_s > 0).then(|| format!("slow {}", in_words(Duration::from_secs(room.slow_s))));
    words.chain(slow).collect::<Vec<_>>().join(", ")
}

pub(in crate::ctl) fn one(to: &mut Screen<'_>, room: &Room) -> io::Result<()> {
    let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    Facts(vec![
        ("Room", room.name.clone()),
        ("Owner", or(room.owner.as_deref().unwrap_or_default(), "nobody: operators have its say")),
        ("Moderators", or(&room.moderators.join(", "), "none")),
        ("Successor", or(room.successor.as_deref().unwrap_or_default(), "none")),
        ("Modes", or(&modes(room), "public, everybody speaks")),
        ("Topic", or(&room.topic, "(no topic)")),
        ("Members", room.members.to_string()),
        ("Since", time(&room.since)),
        ("Lines", format!("{}, {} kept in memory", room.lines, room.history_lines)),
    ])
    .print(to)
}

pub(in crate::ctl) fn set(to: &mut Screen<'_>, room: &Room) -> io::Result<()> {
    let modes = modes(room);
    let modes = if modes.is_empty() { "public, and everybody speaks" } else { &modes };
    to.done(&format!("{} is now: {modes}.", room.name))
}

pub(in crate::ctl) fn topic(to: &mut Screen<'_>, result: &Topic) -> io::Result<()> {
    to.told(if result.topic.is_empty() { "(no topic)" } else { &result.topic })
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
