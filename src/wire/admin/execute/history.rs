//! Commands about history: they select lines in memory and on disk.

use std::sync::Arc;

use super::rooms::{find_room, no_room};
use super::{Answer, Beside, Call, InRoom, Stored, naming, one};
use crate::hub::archive::{Record, Selector};
use crate::hub::redaction::Meant;
use crate::hub::retention::Horizon;
use crate::hub::{Hub, Input, message};
use crate::values::id::{AccountId, SessionId};
use crate::values::name;
use crate::wire::admin::args::{HistoryArgs, NoArgs, RedactArgs, SearchArgs};
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{HistoryStats, Line, LineKind, Redacted, RoomHistory};
use crate::wire::admin::value::{Text, Time};

pub(in crate::wire::admin) fn dump(call: &mut Call<'_>, args: &HistoryArgs) -> Result<Answer, ControlError> {
    history(call, args, None)
}

pub(in crate::wire::admin) fn search(call: &mut Call<'_>, args: &SearchArgs) -> Result<Answer, ControlError> {
    let SearchArgs { query, room, last, since, until } = args;
    let args = HistoryArgs { room: room.clone(), last: *last, since: *since, until: *until };
    history(call, &args, Some(query))
}

pub(in crate::wire::admin) fn stats(call: &mut Call<'_>, NoArgs {}: &NoArgs) -> Result<Answer, ControlError> {
    let hub = &*call.hub;
    let rooms: Vec<_> = hub
        .rooms()
        .map(|room| {
            let private = room.ownership.private_among(&room.history);
            let oldest = room.history.iter().find(|line| !room.ownership.is_private_line(line.seq));
            RoomHistory {
                room: room.name.shown().into(),
                lines: (room.history.len() - private) as u64,
                private: private as u64,
                oldest: oldest.map(|line| Time(line.at)),
            }
        })
        .collect();
    let stats = HistoryStats {
        lines: rooms.iter().map(|room| room.lines).sum(),
        private: rooms.iter().map(|room| room.private).sum(),
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
    if let Some(nick) = args.nick.as_deref().filter(|_| args.client.is_none()) {
        naming::is_of_one(call.hub, nick, call.now)?;
    }
    let horizon = call.hub.horizon(call.now);
    // Memory holds lines of open rooms only; closed rooms are known on disk.
    let unknown = args.room.as_deref().filter(|room| call.hub.find_room(room).is_none());
    if let Some(room) = unknown.filter(|_| !call.hub.is_recording()) {
        return Err(no_room(room));
    }
    if args.dry_run {
        let meant = call.hub.meant(&what, None);
        let Meant { lines, private, topics, .. } = meant;
        if call.hub.is_recording() {
            let beside = Beside { memory: lines, private, topics };
            let room = unknown.map(str::to_owned);
            return Ok(Answer::Count(Stored { room, ..stored(call.hub, horizon, what, None) }, beside));
        }
        return one(&Redacted { lines, topics, dry_run: true });
    }
    remove(call, what, None)
}

/// Makes lines unreadable. With an `account`, also topics that were set by people who were logged
/// in to it.
pub(super) fn remove(call: &mut Call<'_>, what: Selector, account: Option<AccountId>) -> Result<Answer, ControlError> {
    let Meant { lines, private, topics, .. } = call.hub.meant(&what, account);
    call.change(Input::Redact { what: Arc::new(what), account, by: call.by });
    // The redaction is the last record of its kind; records behind it are about topics.
    let record = call.hub.backlog().iter().rev().find(|(_, record)| matches!(record, Record::Redact(_)));
    match record {
        Some((number, _)) if call.hub.is_recording() => {
            Ok(Answer::Redacting(number, Beside { memory: lines, private, topics }))
        }
        _ => one(&Redacted { lines, topics, dry_run: false }),
    }
}

fn history(call: &Call<'_>, args: &HistoryArgs, query: Option<&str>) -> Result<Answer, ControlError> {
    let hub = &*call.hub;
    let horizon = hub.horizon(call.now);
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
        return Ok(Answer::Stored(Stored { room, ..stored(hub, horizon, what, last) }));
    }
    // Memory holds lines of open rooms only.
    args.room.as_deref().map(|room| find_room(hub, room)).transpose()?;
    let tail = in_memory(hub, horizon, &what);
    Ok(Answer::Lines(Stored { what, last, tail, ..Stored::default() }))
}

/// `what` without those parts for which a line's texts have to be folded.
fn at_a_glance(what: &Selector) -> Selector {
    Selector { nick: None, text: None, ..what.clone() }
}

/// The lines in memory that are selected at a glance, except those that were said in private.
fn in_memory(hub: &Hub, horizon: Horizon, what: &Selector) -> Vec<InRoom> {
    let what = at_a_glance(what);
    let mut lines = Vec::new();
    for room in hub.rooms().filter(|room| what.room.as_deref().is_none_or(|wanted| wanted == room.name.folded())) {
        let kept = room.history.iter().filter(|line| !room.ownership.is_private_line(line.seq) && horizon.keeps(line));
        let selected = kept.filter(|line| what.matches(room.name.folded(), line));
        lines.extend(selected.map(|line| (room.name.clone(), line.clone())));
    }
    lines
}

/// The selected lines in two parts: those on disk, up to the first line that waits to be written,
/// and those that wait. Lines that are older than history is kept are left out, even if they are
/// still on disk.
fn stored(hub: &Hub, horizon: Horizon, what: Selector, last: Option<u64>) -> Stored {
    let since = what.since.into_iter().chain(horizon.since).max();
    let from = Some(what.from.unwrap_or(0).max(horizon.from)).filter(|from| *from > 0);
    let what = Selector { since, from, ..what };
    let waiting = || {
        hub.backlog().iter().filter_map(|(_, record)| match record {
            Record::Line { name, line, .. } => Some((name, line)),
            _ => None,
        })
    };
    let first = waiting().next().map(|(_, line)| line.seq);
    let glance = at_a_glance(&what);
    let tail: Vec<InRoom> = waiting()
        .filter(|(name, line)| glance.matches(name.folded(), line))
        .map(|(name, line)| (name.clone(), line.clone()))
        .collect();
    // Lines that are said from now on are left out.
    let to = first.map_or_else(|| hub.last_line(), |first| first - 1);
    let to = what.to.map_or(to, |wanted| wanted.min(to));
    let removed = hub.backlog().redactions().cloned().collect();
    Stored { what: Selector { to: Some(to), ..what }, last, tail, room: None, removed }
}

/// A line of `room` in the form of the protocol.
#[must_use]
pub fn history_line(room: &str, line: &message::Line) -> Line {
    let is_there = !matches!(line.said, message::Said::Redacted);
    Line {
        seq: line.seq,
        t: Time(line.at),
        room: room.into(),
        nick: line.said.nick().into(),
        client: line.author.filter(|_| is_there).map(|id| id.to_string()),
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
