//! Recorded history for an administrator: read from disk on a thread that may wait, and sent as it
//! is read.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::holders::{Admins, Copier};
use super::{Connection, Gone};
use crate::hub::archive::Selector;
use crate::hub::message;
use crate::store::{Query, Source, Trouble};
use crate::values::name;
use crate::wire::admin::execute::{Beside, InRoom, Stored, history};
use crate::wire::admin::message::{ControlError, ErrorCode, Place, Reply};
use crate::wire::admin::result::{
    BackupPiece, Count, DiskRoom, HistoryStats, Line, Lines, Redacted, ReportLine, ReportLineState, ReportShown,
};
use crate::wire::admin::value::Time;

/// How long a copy of the file is kept for an administrator who takes nothing of it. Meanwhile it
/// takes space on disk.
const COPY_PATIENCE: Duration = Duration::from_secs(600);

/// How long a copy waits until that of a connection that is gone has been removed.
const GIVES_BACK: Duration = Duration::from_secs(5);

/// The most lines in one answer.
const AT_ONCE: usize = 10_000;

/// The most lines whose text is made at a time.
pub(super) const PAGE: usize = 256;

/// The turn to read the disk: see [`Admins::reading`].
struct Reading<'a> {
    admins: &'a Admins,
    turn: Option<MutexGuard<'a, ()>>,
}

impl<'a> Reading<'a> {
    /// Waits for the turn. Call it on a thread that may wait.
    fn begin(admins: &'a Admins) -> Self {
        let mut reading = Self { admins, turn: None };
        reading.go_on();
        reading
    }

    fn go_on(&mut self) {
        self.turn = Some(self.admins.reading.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Does what may wait for an administrator; others read meanwhile.
    fn pause<T>(&mut self, what: impl FnOnce() -> T) -> T {
        self.turn = None;
        let done = what();
        self.go_on();
        done
    }
}

impl Connection {
    /// Has the disk read on a thread that may wait, when it is this connection's turn.
    pub(super) async fn read_disk<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let admins = self.admins.clone();
        tokio::task::spawn_blocking(move || {
            let _turn = Reading::begin(&admins);
            read()
        })
        .await
    }

    /// Sends the lines on disk as they are read, and then those in memory. For an administrator who
    /// did not ask for a stream, all lines go into one answer, of at most [`AT_ONCE`] lines.
    pub(super) async fn stored(&mut self, id: &Value, stored: Stored, source: Source, more: bool) -> Result<(), Gone> {
        let (sender, mut pages) = mpsc::channel::<Result<Page, ControlError>>(2);
        let (asked, admins) = (id.clone(), self.admins.clone());
        // This thread may wait for the administrator, because nothing waits for it. It also makes
        // the text of the lines.
        tokio::task::spawn_blocking(move || {
            let mut reading = Reading::begin(&admins);
            let Stored { what, last, tail, room: unknown, removed } = stored.selected();
            let page = |lines: &[InRoom]| match more {
                true => Page { text: written(&asked, lines), lines: Vec::new(), count: lines.len() },
                false => Page { text: String::new(), lines: told(lines), count: lines.len() },
            };
            let stored = |lines: Vec<(message::Line, String)>| match more {
                true => {
                    let text = lines.iter().fold(String::new(), |mut text, (line, room)| {
                        text.push_str(&Reply::done(&asked, Place::More, &history::history_line(room, line)));
                        text
                    });
                    Page { text, lines: Vec::new(), count: lines.len() }
                }
                false => Page {
                    text: String::new(),
                    lines: lines.iter().map(|(line, room)| history::history_line(room, line)).collect(),
                    count: lines.len(),
                },
            };
            let query = Query { what, last };
            let read = source.open().and_then(|reader| {
                if let (Some(_), Some(room), []) = (&unknown, &query.what.room, &tail[..])
                    && !reader.knows(room)?
                {
                    return Ok(false);
                }
                let mut take = |lines| {
                    let page = stored(hidden(lines, &query.what, &removed));
                    reading.pause(|| sender.blocking_send(Ok(page)).is_ok())
                };
                reader.dump(&query, &mut take).map(|()| true)
            });
            match read {
                Ok(true) => {
                    for lines in tail.chunks(PAGE) {
                        let page = page(lines);
                        if reading.pause(|| sender.blocking_send(Ok(page)).is_err()) {
                            return;
                        }
                    }
                }
                Ok(false) => {
                    let _ = reading.pause(|| sender.blocking_send(Err(no_room(&unknown.unwrap_or_default()))));
                }
                Err(trouble) => drop(reading.pause(|| sender.blocking_send(Err(unreadable(&trouble))))),
            }
        });
        let (mut whole, mut count) = (Vec::new(), 0);
        while let Some(page) = pages.recv().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => return self.say(&Reply::refused(id, &error)).await,
            };
            count += page.count as u64;
            if more {
                self.say(&page.text).await?;
                continue;
            }
            whole.extend(page.lines);
            if whole.len() > AT_ONCE {
                let message = format!("that is more than {AT_ONCE} lines: ask for a stream, with \"more\": true");
                return self.say(&Reply::refused(id, &ControlError::new(ErrorCode::BadArgument, message))).await;
            }
        }
        if more {
            return self.say(&Reply::done(id, Place::Last, &Count { count })).await;
        }
        let id = id.clone();
        self.say_made(move || Reply::done(&id, Place::Last, &Lines { lines: whole, count })).await
    }

    /// Sends a copy of the history file. The copy is made beside the file, and removed at the end. One
    /// is made at a time.
    pub(super) async fn backup(&mut self, id: &Value, source: Source) -> Result<(), Gone> {
        let permit = match self.admins.may_copy(&self.place, GIVES_BACK).await {
            Ok(permit) => permit,
            Err(copier) => {
                let whose = match copier {
                    Some(Copier { uid, pid }) => format!("for process {pid} of user {uid}"),
                    None => "for a connection that has ended".to_owned(),
                };
                let message = format!("a copy is being made already, {whose}: one is made at a time, try again later");
                return self.say(&Reply::refused(id, &ControlError::new(ErrorCode::Busy, message))).await;
            }
        };
        let (sender, mut pieces) = mpsc::channel::<Result<String, ControlError>>(2);
        let asked = id.clone();
        tokio::task::spawn_blocking(move || {
            // The copy takes its place on disk until this thread has closed it, whether or not the
            // connection is still there.
            let _permit = permit;
            let copied = source.copy(&mut |offset, total, bytes| {
                let piece = BackupPiece { offset, total, data: Base64::encode_string(bytes) };
                sender.blocking_send(Ok(Reply::done(&asked, Place::More, &piece))).is_ok()
            });
            if let Err(trouble) = copied {
                let code = match trouble {
                    Trouble::Unavailable(_) => ErrorCode::Conflict,
                    Trouble::Damaged(_) | Trouble::Newer(_) | Trouble::Foreign => ErrorCode::Internal,
                };
                let _ = sender.blocking_send(Err(ControlError::new(code, format!("cannot make the copy: {trouble}"))));
            }
        });
        let mut count = 0;
        while let Some(piece) = pieces.recv().await {
            match piece {
                Ok(piece) => self.say_within(COPY_PATIENCE, &piece).await?,
                Err(error) => return self.say(&Reply::refused(id, &error)).await,
            }
            count += 1;
        }
        self.say(&Reply::done(id, Place::Last, &Count { count })).await
    }
}

/// Lines on their way to an administrator: as text for a stream, or as values for one answer.
struct Page {
    text: String,
    lines: Vec<Line>,
    count: usize,
}

pub(super) fn told(lines: &[InRoom]) -> Vec<Line> {
    lines.iter().map(|(room, line)| history::history_line(room.shown(), line)).collect()
}

pub(super) fn written(id: &Value, lines: &[InRoom]) -> String {
    told(lines).iter().fold(String::new(), |mut text, line| {
        text.push_str(&Reply::done(id, Place::More, line));
        text
    })
}

pub(super) fn unreadable(trouble: &Trouble) -> ControlError {
    ControlError::new(ErrorCode::Internal, format!("the recorded history cannot be read: {trouble}"))
}

/// The error for a reading thread that has panicked. The panic's message is in the journal.
pub(super) fn broken() -> ControlError {
    ControlError::new(ErrorCode::Internal, "the recorded history could not be read")
}

/// The error for a room that is not open, and of which nothing is on disk.
fn no_room(name: &str) -> ControlError {
    ControlError::new(ErrorCode::NotFound, format!("no room {name:?}"))
}

/// Hides, among lines from disk, those that are redacted already but not yet on disk.
fn hidden(
    lines: Vec<(message::Line, String)>,
    what: &Selector,
    removed: &[Arc<Selector>],
) -> Vec<(message::Line, String)> {
    if removed.is_empty() {
        return lines;
    }
    let left = |(line, room): (message::Line, String)| {
        let folded = name::fold(&room);
        if !removed.iter().any(|removed| removed.matches(&folded, &line)) {
            return Some((line, room));
        }
        let line = message::Line { author: None, said: message::Said::Redacted, ..line };
        what.matches(&folded, &line).then_some((line, room))
    };
    lines.into_iter().filter_map(left).collect()
}

/// Refuses a room that is neither open nor on disk. If the disk cannot be read now, the room counts
/// as known.
pub(super) fn knows_room(
    Stored { what, tail, room: unknown, .. }: &Stored,
    source: &Source,
) -> Result<(), ControlError> {
    let (Some(unknown), Some(room), []) = (unknown, &what.room, &tail[..]) else { return Ok(()) };
    let is_known = source.open().and_then(|reader| reader.knows(room)).unwrap_or(true);
    if is_known { Ok(()) } else { Err(no_room(unknown)) }
}

pub(super) fn count(stored: Stored, beside: Beside, source: &Source) -> Result<Redacted, ControlError> {
    let is_readable = |line: &message::Line| line.said != message::Said::Redacted;
    let Stored { what, tail, removed, room: unknown, .. } = stored.selected();
    let query = Query { what, last: None };
    let mut on_disk = 0;
    let mut take = |lines| {
        let lines = hidden(lines, &query.what, &removed);
        on_disk += lines.iter().filter(|(line, _)| is_readable(line)).count() as u64;
        true
    };
    let reader = source.open().map_err(|trouble| unreadable(&trouble))?;
    if let (Some(unknown), Some(room), []) = (&unknown, &query.what.room, &tail[..])
        && !reader.knows(room).map_err(|trouble| unreadable(&trouble))?
    {
        return Err(no_room(unknown));
    }
    reader.dump(&query, &mut take).map_err(|trouble| unreadable(&trouble))?;
    let waiting = tail.iter().filter(|(_, line)| is_readable(line)).count() as u64;
    Ok(Redacted { lines: on_disk + waiting + beside.private, topics: beside.topics, dry_run: true })
}

/// A report, with the lines in question that are only on disk.
pub(super) fn with_lines(mut shown: ReportShown, source: &Source) -> ReportShown {
    let is_gone = |line: &&mut ReportLine| line.state == ReportLineState::Gone;
    let numbers: Vec<u64> = shown.lines.iter_mut().filter(is_gone).map(|line| line.seq).collect();
    match source.open().and_then(|reader| reader.lines(&numbers)) {
        Ok(found) => {
            for (line, room) in found {
                let Some(shown) = shown.lines.iter_mut().find(|shown| shown.seq == line.seq) else { continue };
                (shown.state, shown.line) = match line.said {
                    message::Said::Redacted => (ReportLineState::Redacted, None),
                    _ => (ReportLineState::Kept, Some(history::history_line(&room, &line))),
                };
            }
        }
        // The report is sent even if those lines cannot be read.
        Err(trouble) => shown.trouble = Some(trouble.to_string()),
    }
    shown
}

pub(super) fn by_room(mut stats: HistoryStats, source: &Source) -> Result<HistoryStats, ControlError> {
    if let Some(disk) = &mut stats.disk {
        // A fault of the disk is part of the answer. The rooms on disk are then missing from it.
        match source.open().and_then(|reader| reader.stats()) {
            Ok(read) => {
                disk.indexed_to = read.indexed_to.map(Time);
                disk.rooms = read
                    .rooms
                    .into_iter()
                    .map(|(room, lines, oldest, newest)| DiskRoom {
                        room,
                        lines,
                        oldest: Time(oldest),
                        newest: Time(newest),
                    })
                    .collect();
            }
            Err(trouble) => disk.trouble = Some(disk.trouble.take().unwrap_or_else(|| trouble.to_string())),
        }
    }
    Ok(stats)
}
