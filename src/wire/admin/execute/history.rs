//! Commands about history, carried out on the hub: which lines are meant. Those on disk are read by others.

use std::sync::Arc;

use super::{Answer, InRoom, Stored};
use crate::hub::Effect;
use crate::hub::archive::{Record, Selector};
use crate::hub::{By, Hub, Input, message};
use crate::values::id::SessionId;
use crate::values::name;
use crate::values::name::Name;
use crate::values::time::Now;
use crate::wire::admin::args::{HistoryArgs, RedactArgs};
use crate::wire::admin::execute::one;
use crate::wire::admin::execute::rooms::find_room;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{Line, LineKind, Redacted};
use crate::wire::admin::value::{Text, Time};

pub(super) fn history(hub: &Hub, args: &HistoryArgs, query: Option<&str>) -> Result<Answer, ControlError> {
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

pub(super) fn in_memory<'a>(
    hub: &'a Hub,
    what: &'a Selector,
) -> impl Iterator<Item = (&'a Name, &'a Arc<message::Line>)> {
    hub.rooms()
        .flat_map(|room| room.history.iter().map(move |line| (room, line)))
        .filter(|(room, line)| what.matches(room.name.folded(), line))
        .map(|(room, line)| (&room.name, line))
}

/// What is meant, in its two parts: on disk up to the first line that waits, and the lines that wait.
pub(super) fn stored(hub: &Hub, what: Selector, last: Option<u64>) -> Stored {
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

pub(super) fn redact(
    hub: &mut Hub,
    args: &RedactArgs,
    by: By,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Result<Answer, ControlError> {
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
    if args.dry_run {
        if hub.is_recording() {
            return Ok(Answer::Count(stored(hub, what, None)));
        }
        return one(&Redacted { lines: readable(hub, &what), dry_run: true });
    }
    let lines = readable(hub, &what);
    hub.handle(Input::Redact { what: Arc::new(what), by }, now, effects);
    match hub.backlog().iter().next_back() {
        Some((number, Record::Redact(_))) => Ok(Answer::Redacting(number)),
        _ => one(&Redacted { lines, dry_run: false }),
    }
}

pub(super) fn readable(hub: &Hub, what: &Selector) -> u64 {
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
