//! Commands about history: which lines are meant, in memory and on disk.

use std::sync::Arc;

use super::rooms::{find_room, no_room};
use super::{Answer, Call, InRoom, Stored, one};
use crate::hub::archive::{Record, Selector};
use crate::hub::{Hub, Input, message};
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::wire::admin::args::{HistoryArgs, NoArgs, RedactArgs, SearchArgs};
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{HistoryStats, Line, LineKind, Redacted, RoomHistory};
use crate::wire::admin::value::{Text, Time};

pub(in crate::wire::admin) fn dump(call: &mut Call<'_>, args: &HistoryArgs) -> Result<Answer, ControlError> {
    history(call.hub, args, None)
}

pub(in crate::wire::admin) fn search(call: &mut Call<'_>, args: &SearchArgs) -> Result<Answer, ControlError> {
    let SearchArgs { query, room, last, since, until } = args;
    let args = HistoryArgs { room: room.clone(), last: *last, since: *since, until: *until };
    history(call.hub, &args, Some(query))
}

pub(in crate::wire::admin) fn stats(call: &mut Call<'_>, NoArgs {}: &NoArgs) -> Result<Answer, ControlError> {
    let hub = &*call.hub;
    let rooms: Vec<_> = hub
        .rooms()
        .map(|room| RoomHistory {
            room: room.name.shown().into(),
            lines: room.history.len() as u64,
            oldest: room.history.iter().next().map(|line| Time(line.at)),
        })
        .collect();
    let stats = HistoryStats {
        lines: rooms.iter().map(|room| room.lines).sum(),
        bytes: hub.rooms().map(|room| room.history.bytes() as u64).sum(),
        lines_per_room: hub.settings().history.lines as u64,
        persistent: hub.is_recording(),
        rooms,
        disk: None,
    };
    if hub.is_recording() { Ok(Answer::Stats(stats)) } else { one(&stats) }
}

pub(in crate::wire::admin) fn backup(call: &mut Call<'_>, NoArgs {}: &NoArgs) -> Result<Answer, ControlError> {
    if call.hub.is_recording() {
        Ok(Answer::Backup)
    } else {
        Err(ControlError::new(ErrorCode::Conflict, "nothing is recorded (history.persist)"))
    }
}

pub(in crate::wire::admin) fn redact(call: &mut Call<'_>, args: &RedactArgs) -> Result<Answer, ControlError> {
    let bad = |message: String| ControlError::new(ErrorCode::BadArgument, message);
    let client = |text: &Text<32>| {
        let number = text.strip_prefix('c').and_then(|number| number.parse().ok());
        number.map(SessionId).ok_or_else(|| bad(format!("{:?} is no client's id, such as \"c7\"", &**text)))
    };
    let what = Selector {
        room: args.room.as_deref().map(name::fold),
        client: args.client.as_ref().map(client).transpose()?,
        nick: args.nick.as_deref().map(name::fold),
        from: args.from_seq,
        to: args.to_seq,
        since: args.since.map(|since| since.0),
        until: args.until.map(|until| until.0),
        text: args.query.as_deref().map(name::fold),
    };
    if what == Selector::default() {
        return Err(bad("nothing says which lines: name a room, client, nick, number, time or text".to_owned()));
    }
    // What is in memory is of rooms that are open; which others there have been, the disk knows.
    let unknown = args.room.as_deref().filter(|room| call.hub.find_room(room).is_none());
    if let Some(room) = unknown.filter(|_| !call.hub.is_recording()) {
        return Err(no_room(room));
    }
    if args.dry_run {
        if call.hub.is_recording() {
            let room = unknown.map(str::to_owned);
            return Ok(Answer::Count(Stored { room, ..stored(call.hub, what, None) }));
        }
        return one(&Redacted { lines: readable(call.hub, &what), dry_run: true });
    }
    let lines = readable(call.hub, &what);
    call.change(Input::Redact { what: Arc::new(what), by: call.by });
    match call.hub.backlog().iter().next_back() {
        Some((number, Record::Redact(_))) => Ok(Answer::Redacting(number)),
        _ => one(&Redacted { lines, dry_run: false }),
    }
}

fn history(hub: &Hub, args: &HistoryArgs, query: Option<&str>) -> Result<Answer, ControlError> {
    let what = Selector {
        room: args.room.as_deref().map(name::fold),
        since: args.since.map(|since| since.0),
        until: args.until.map(|until| until.0),
        text: query.map(name::fold),
        ..Selector::default()
    };
    let last = args.last.map(|last| last.0);
    if hub.is_recording() {
        let room = args.room.as_deref().filter(|room| hub.find_room(room).is_none()).map(str::to_owned);
        return Ok(Answer::Stored(Stored { room, ..stored(hub, what, last) }));
    }
    // What is in memory is of rooms that are open.
    args.room.as_deref().map(|room| find_room(hub, room)).transpose()?;
    let mut lines: Vec<(&Name, &Arc<message::Line>)> = in_memory(hub, &what).collect();
    lines.sort_by_key(|(_, line)| line.seq);
    let last = last.map_or(usize::MAX, |last| usize::try_from(last).unwrap_or(usize::MAX));
    let skip = lines.len().saturating_sub(last);
    Ok(Answer::Lines(lines[skip..].iter().map(|(room, line)| ((*room).clone(), (*line).clone())).collect()))
}

fn in_memory<'a>(hub: &'a Hub, what: &'a Selector) -> impl Iterator<Item = (&'a Name, &'a Arc<message::Line>)> {
    hub.rooms()
        .flat_map(|room| room.history.iter().map(move |line| (room, line)))
        .filter(|(room, line)| what.matches(room.name.folded(), line))
        .map(|(room, line)| (&room.name, line))
}

/// What is meant, in its two parts: on disk up to the first line that waits, and the lines that wait.
fn stored(hub: &Hub, what: Selector, last: Option<u64>) -> Stored {
    let waiting = || {
        hub.backlog().iter().filter_map(|(_, record)| match record {
            Record::Line { name, line, .. } => Some((name, line)),
            _ => None,
        })
    };
    let first = waiting().next().map(|(_, line)| line.seq);
    let mut tail: Vec<InRoom> = waiting()
        .filter(|(name, line)| what.matches(name.folded(), line))
        .map(|(name, line)| (name.clone(), line.clone()))
        .collect();
    // Of what is said from now on, nothing.
    let to = first.map_or_else(|| hub.last_line(), |first| first - 1);
    let to = what.to.map_or(to, |wanted| wanted.min(to));
    let last = last.map(|last| {
        let skip = tail.len().saturating_sub(usize::try_from(last).unwrap_or(usize::MAX));
        tail.drain(..skip);
        last - tail.len() as u64
    });
    Stored { what: Selector { to: Some(to), ..what }, last, tail, room: None }
}

fn readable(hub: &Hub, what: &Selector) -> u64 {
    in_memory(hub, what).filter(|(_, line)| line.said != message::Said::Redacted).count() as u64
}

/// A line of `room` as the protocol has it.
#[must_use]
pub fn history_line(room: &str, line: &message::Line) -> Line {
    Line {
        seq: line.seq,
        t: Time(line.at),
        room: room.into(),
        nick: line.said.nick().into(),
        kind: match &line.said {
            message::Said::Emote { .. } => LineKind::Emote,
            message::Said::Notice { .. } => LineKind::Notice,
            message::Said::Topic { .. } => LineKind::Topic,
            message::Said::Redacted => LineKind::Redacted,
            _ => LineKind::Say,
        },
        text: line.said.text().into(),
    }
}
