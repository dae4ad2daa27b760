//! Coming into a room: what a client is shown there, and what is new to it if it was there before.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::history::newest;
use super::mention::names;
use super::message::{Done, Entrance, Line, Message, Welcome};
use super::room::Room;
use super::session::Session;
use super::{Hub, Turn, work};
use crate::values::id::{RoomId, SessionId};
use crate::values::time::Wall;

/// The most rooms remembered that a client has left. A further room replaces the one left first.
const ROOMS_LEFT: usize = 16;

/// The most people that are named to a client that comes in.
const NAMED: usize = 3;

/// The number of a room's last lines that are looked at to find who has spoken.
const LOOKED_AT: usize = 32;

/// The rows that are assumed for a screen whose size is not known.
pub const ROWS: u16 = 24;

/// The rooms that a client has left, the latest at the end: each with the number of the next line
/// at that time. There are at most 16.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Left(Vec<(RoomId, u64)>);

impl Left {
    /// Notes that the client leaves `room`; `next` is the number of the first line that it has not
    /// seen.
    pub(super) fn leave(&mut self, room: RoomId, next: u64) {
        self.0.retain(|(known, _)| *known != room);
        if self.0.len() >= ROOMS_LEFT {
            self.0.remove(0);
        }
        self.0.push((room, next));
    }

    /// The number of the first line of `room` that the client has not seen; `None` if it is not
    /// known to have been there.
    pub(super) fn since(&self, room: RoomId) -> Option<u64> {
        self.0.iter().find(|(known, _)| *known == room).map(|(_, next)| *next)
    }
}

/// The point from which the lines of a room are new to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// The lines of this number and higher ones.
    Line(u64),
    /// The lines that were said after this time.
    Time(Wall),
}

impl Since {
    fn is_new(self, line: &Line) -> bool {
        match self {
            Self::Line(seq) => line.seq >= seq,
            Self::Time(time) => line.at > time,
        }
    }
}

impl Session {
    /// So many of a room's last lines were shown for certain when the client came into it, if each takes a row. How many
    /// it were is known only to what renders them.
    fn surely_shown(&self) -> usize {
        // Nothing is known of a screen when its client connects.
        let rows = if self.left.is_some() && self.terminal.rows > 0 { self.terminal.rows } else { ROWS };
        // A row is for typing, one for the heading of the lines, up to two each for the greeting, for the topic and for who
        // else is here.
        usize::from(rows.saturating_sub(8))
    }
}

impl Hub {
    /// The names of at most `NAMED` people in `room` besides `viewer`: those who spoke last, then
    /// those who came to the hub first.
    fn company(&self, viewer: SessionId, room: &Room) -> Vec<Arc<str>> {
        let Some(own) = self.people.sessions.get(&viewer) else { return Vec::new() };
        let mut blinkers = self.blinkers(own);
        let heard = room.history.iter_for(viewer).rev().take(LOOKED_AT).filter(|line| !blinkers.hide(line));
        let spoke: Vec<SessionId> =
            heard.filter_map(|line| line.author).filter(|author| room.members.contains(author)).collect();
        let mut named = Vec::new();
        for other in spoke.into_iter().chain(room.members.iter().take(2 * NAMED + 1).copied()) {
            if named.len() == NAMED {
                break;
            }
            if other != viewer && !named.contains(&other) {
                named.push(other);
            }
        }
        named.iter().filter_map(|id| Some(self.session(*id)?.nick_for(viewer).shown().into())).collect()
    }
}

impl Turn<'_> {
    /// Shows `id` the room that it has just come into: the last lines, or those that are new by
    /// `since`.
    pub(super) fn show_room(&mut self, id: SessionId, room: RoomId, welcome: Option<Welcome>, since: Option<Since>) {
        let horizon = self.hub.horizon(self.now);
        let count = self.hub.settings.history.replay;
        let most = self.hub.settings.limits.mailbox / 2;
        let from = self.hub.people.sessions[&id].sees_from;
        let shown = self.hub.rooms.open.get_mut(&room).expect("it is in that room");
        if shown.history.is_due(horizon) {
            shown.history.let_go(horizon, usize::MAX);
        }
        // New lines are counted even if none are shown unasked.
        let (lines, new, looked_at) = match since {
            Some(since) => {
                let all = shown.history.iter_for(id);
                let new: Vec<&Arc<Line>> =
                    all.rev().take_while(|line| since.is_new(line)).filter(|line| line.seq >= from).collect();
                (newest(new.iter().rev().copied(), count, most), Some(new.len()), new.len())
            }
            None => {
                let mut lines = match shown.history.has_unheard_of(id) {
                    false => shown.history.replay(count, most),
                    true => newest(shown.history.iter_for(id), count, most),
                };
                if lines.first().is_some_and(|line| line.seq < from) {
                    lines = lines.iter().filter(|line| line.seq >= from).cloned().collect();
                }
                let looked_at = lines.len();
                (lines, None, looked_at)
            }
        };
        self.hub.work.done += work::SHARED * looked_at as u64;
        let (hub, shown) = (&*self.hub, &self.hub.rooms.open[&room]);
        let own = &hub.people.sessions[&id];
        let entrance = Entrance {
            welcome,
            nick: own.own_nick().shown().into(),
            room: shown.name.shown().into(),
            private: shown.ownership.private,
            topic: hub.topic_for(id, shown),
            others: hub.company(id, shown),
            members: shown.members.len(),
            lines: hub.shown_to(own, lines),
            new,
            offset: own.view.time.unwrap_or_default(),
            rows: own.terminal.rows,
        };
        self.tell(id, Message::Entrance(Box::new(entrance)));
    }

    /// Tells `id`, which has logged in, how many lines were said in its room since its account was
    /// here last (`last`), and how many of them name it: unless it was shown them when it connected,
    /// and none does. What was said since then is not new to it.
    pub(super) fn tell_what_is_new(&mut self, id: SessionId, last: Wall) {
        let Some(own) = self.hub.session(id) else { return };
        let (from, room, horizon) = (own.sees_from, &self.hub.rooms.open[&own.room], self.hub.horizon(self.now));
        let new = room.history.iter_for(id).rev().take_while(|line| line.at > last);
        let mut blinkers = self.hub.blinkers(own);
        let new = new.filter(|line| line.seq >= from && horizon.keeps(line) && !blinkers.hide(line));
        let (mut lines, mut naming) = (0, 0);
        for line in new.filter(|line| line.at < own.since) {
            lines += 1;
            naming += usize::from(
                line.author != Some(id) && line.said.is_speech() && names(line.said.text(), own.own_nick().folded()),
            );
        }
        let shown = own.surely_shown().min(self.hub.settings.history.replay);
        let room: Arc<str> = room.name.shown().into();
        self.hub.work.done += work::SHARED * lines as u64;
        if lines > shown || naming > 0 {
            self.done(id, Done::NewSince { room, lines, naming, last });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rooms_that_were_left_last_are_remembered() {
        let mut left = Left::default();
        for room in 0..20 {
            left.leave(RoomId(room), 100 + room);
        }
        left.leave(RoomId(5), 200);
        assert_eq!(left.0.len(), ROOMS_LEFT);
        assert_eq!([3, 4, 5, 19].map(|room| left.since(RoomId(room))), [None, Some(104), Some(200), Some(119)]);
    }
}
