//! Encrypted clients: what they are owed is sealed in records, and the records are written.
//!
//! What is sealed counts as sent: the client's reader goes on behind it at once, whether or not the socket takes the
//! record. A record is marked in the connection's slot before a byte of it leaves the process. The next one is sealed
//! only when the socket has taken all of it, so there is never more than one mark's worth to be made again.
//!
//! A process that takes over knows from the last mark how much was sealed. It passes over that in the replay, keeps the
//! bytes that the last records held, and seals these again: see [`Resuming`]. If the records are not the same, nothing
//! more is sent to the client.

use std::io::{ErrorKind, IoSlice};
use std::sync::atomic::Ordering;

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};

use super::write::{BYTES, WRITES};
use super::{Client, Rounds};
use crate::hub::message::Farewell;
use crate::net::connection::Connection;
use crate::net::keep::fault;
use crate::net::keep::tape::{Cut, Mark, Sealed, Slot};
use crate::values::id::SessionId;
use crate::wire::stream::log::Log;
use crate::wire::stream::reader::MAX_PIECES;
use crate::wire::tls::record::Alert;
use crate::wire::tls::seal::{Sealer, Tag};

/// The most bytes that are sealed under one mark.
const RUN: usize = 64 << 10;

/// The same for a client whose socket was full: more than it takes waits here, where it counts for no bound.
const SHORT_RUN: usize = 2 << 10;

/// When as many sealed bytes wait for full sockets, all runs are short.
const MANY: usize = 8 << 20;

/// An encrypted client's outgoing direction.
#[derive(Debug)]
pub(super) struct Sealing {
    slot: Slot,
    sealer: Sealer,
    /// The number of the last mark.
    number: u64,
    /// Bytes sealed so far, in all, and by the handshake.
    end: u64,
    /// Sealed bytes that the socket has not taken.
    rest: Vec<u8>,
    /// How many times the client has asked us to update our keys, and up to which time we have.
    asked: u64,
    answered: u64,
    /// The alert that the client is sent last.
    alert: Alert,
    /// Whether it was sealed: nothing comes behind it.
    closed: bool,
    /// Whether the socket was full the last time.
    was_full: bool,
    /// During a replay: what is still to be made of the last mark.
    resuming: Option<Resuming>,
}

/// The last mark of a former process, whose records are still to be made again.
#[derive(Debug)]
struct Resuming {
    mark: Mark,
    /// How many bytes the socket has taken in all.
    taken: u64,
    /// What the records hold, as far as the replay has come.
    content: Vec<u8>,
}

/// What a snapshot holds of an encrypted client's outgoing direction.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SavedSealing {
    /// The kernel's number for the socket. It stands here and not where it stands for others: a release that knows no
    /// encryption then finds the connection gone, and writes nothing into it.
    pub(super) cookie: u64,
    /// Whether nothing is to be written to it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) gone: bool,
    /// The number of the last mark whose records are sealed.
    mark: u64,
    asked: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alert: Option<u8>,
    /// Bytes of these records that the socket had not taken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    rest: String,
    /// In the middle of a replay: what the next mark's records hold, as far as the replay had come.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    content: String,
}

impl SavedSealing {
    /// What a snapshot says of a client whose connection is gone, or is not to be written to. The machine may still need
    /// the secret of what it has sent.
    pub(super) fn gone(slot: &Slot) -> Self {
        Self { cookie: slot.cookie(), gone: true, ..Self::default() }
    }
}

impl Sealing {
    /// The outgoing direction of a connection that was handed over just now.
    pub(super) fn begin(slot: &Slot) -> Option<Self> {
        let mark = slot.last_mark().filter(|mark| mark.number == 1)?;
        Some(Self::of(slot, &mark))
    }

    /// Goes on behind what `mark` stands for.
    fn of(slot: &Slot, mark: &Mark) -> Self {
        let suite = slot.suite().expect("a slot with a mark has its suite");
        Self {
            slot: slot.clone(),
            sealer: mark.sealer_behind(suite),
            number: mark.number,
            end: mark.end(),
            rest: Vec::new(),
            asked: 0,
            answered: mark.answered,
            alert: Alert::CLOSE_NOTIFY,
            closed: matches!(mark.sealed, Sealed::Alert(_)),
            was_full: true,
            resuming: None,
        }
    }

    /// Seals what `mark` stands for, in `rest`. Returns the tag.
    fn seal_again(&mut self, mark: &Mark, content: &[u8]) -> Tag {
        let tag = match mark.sealed {
            Sealed::Nothing => Tag::default(),
            Sealed::Data(_) => self.sealer.data([content], &mut self.rest),
            Sealed::Update => self.sealer.update(false, &mut self.rest),
            Sealed::Alert(alert) => self.sealer.alert(alert, &mut self.rest),
        };
        self.end = mark.at + self.rest.len() as u64;
        tag
    }

    /// The outgoing direction of a client in a replay, with what a snapshot says of it; `None` for a client that has
    /// connected since. `taken` is how many bytes its socket has taken in all. Returns also how many bytes of what the
    /// client is sent were sealed, in all: the replay passes over them. `None` if that is not known: its slot is gone
    /// or damaged, or the socket has taken more than was sealed.
    pub(super) fn resume(slot: &Slot, saved: Option<SavedSealing>, sent: u64, taken: u64) -> Option<(Self, u64)> {
        let saved = saved.unwrap_or_else(|| SavedSealing { mark: 1, ..SavedSealing::default() });
        let mark = slot.last_mark()?;
        let bytes = |text: &str| Base64::decode_vec(text).ok();
        let alert = saved.alert.map_or(Alert::CLOSE_NOTIFY, Alert);
        if mark.number == saved.mark {
            let mut sealing = Self { asked: saved.asked, alert, ..Self::of(slot, &mark) };
            let rest = bytes(&saved.rest)?;
            sealing.keep_rest(&rest, taken)?;
            return Some((sealing, sent));
        }
        if mark.number < saved.mark || mark.sealed == Sealed::Nothing {
            return None;
        }
        let suite = slot.suite()?;
        // What the snapshot holds of a mark's content is of the next one: if another came since, that was sent.
        let content = if mark.number == saved.mark + 1 { bytes(&saved.content)? } else { Vec::new() };
        let begun = content.len() as u64;
        let sealing = Self {
            slot: slot.clone(),
            sealer: Sealer::new(suite, mark.secret.clone(), mark.sequence),
            number: mark.number - 1,
            end: mark.at,
            rest: Vec::new(),
            asked: saved.asked,
            answered: mark.answered,
            alert,
            closed: false,
            was_full: true,
            resuming: Some(Resuming { taken, content, mark: mark.clone() }),
        };
        // What the records held must lie behind what was sent before.
        (mark.plain + begun == sent.max(mark.plain) && sent <= mark.plain_end()).then(|| (sealing, mark.plain_end()))
    }

    /// Of the bytes that were sealed last, keeps those that the socket has not taken.
    fn keep_rest(&mut self, sealed: &[u8], taken: u64) -> Option<()> {
        let left = usize::try_from(self.end.checked_sub(taken)?).ok()?;
        self.rest = sealed[sealed.len().checked_sub(left)?..].to_vec();
        Some(())
    }

    /// Notes what a client is passed over in a replay, from byte `sent` of all that it is sent on.
    pub(super) fn pass_over<'a>(&mut self, mut sent: u64, taken: usize, pieces: impl IntoIterator<Item = &'a [u8]>) {
        let Some(Resuming { mark, content, .. }) = &mut self.resuming else { return };
        let end = sent + taken as u64;
        for piece in pieces {
            let piece = &piece[..piece.len().min(usize::try_from(end - sent).unwrap_or(usize::MAX))];
            let before = usize::try_from(mark.plain.saturating_sub(sent)).unwrap_or(usize::MAX);
            content.extend_from_slice(piece.get(before..).unwrap_or_default());
            sent += piece.len() as u64;
        }
    }

    /// Makes the last mark's records again, if the replay has come behind what they hold: `sent` bytes. Returns `false`
    /// if they are not the same.
    pub(super) fn finish_resuming(&mut self, sent: u64) -> bool {
        let Some(resuming) = self.resuming.take_if(|resuming| sent >= resuming.mark.plain_end()) else { return true };
        let Resuming { mark, taken, mut content } = resuming;
        let is_whole = content.len() as u64 == mark.plain_end() - mark.plain;
        let tag = self.seal_again(&mark, &content);
        zeroize::Zeroize::zeroize(&mut content);
        (self.number, self.closed) = (mark.number, matches!(mark.sealed, Sealed::Alert(_)));
        let sealed = std::mem::take(&mut self.rest);
        // The records are made to be compared, and only then written: the same number must never seal something else.
        is_whole && tag == mark.tag && self.end == mark.end() && self.keep_rest(&sealed, taken).is_some()
    }

    /// Whether nothing of a former process's last mark is left to be made.
    pub(super) const fn is_resumed(&self) -> bool {
        self.resuming.is_none()
    }

    /// What a snapshot says.
    pub(super) fn saved(&self) -> SavedSealing {
        let content = self.resuming.as_ref().map(|resuming| Base64::encode_string(&resuming.content));
        SavedSealing {
            cookie: self.slot.cookie(),
            gone: false,
            mark: self.number,
            asked: self.asked,
            alert: (self.alert != Alert::CLOSE_NOTIFY).then_some(self.alert.0),
            rest: Base64::encode_string(&self.rest),
            content: content.unwrap_or_default(),
        }
    }

    /// Sealed bytes that wait for the socket.
    pub(super) const fn waiting(&self) -> usize {
        self.rest.len()
    }

    #[cfg(test)]
    pub(super) fn waiting_bytes(&self) -> &[u8] {
        &self.rest
    }

    /// Marks what `seal` appends to `into`, and counts it as sealed.
    fn seal(
        &mut self,
        sealed: Sealed,
        plain: u64,
        into: &mut Vec<u8>,
        seal: impl FnOnce(&mut Sealer, &mut Vec<u8>) -> Tag,
    ) {
        debug_assert!(self.rest.is_empty() && into.is_empty(), "there is one mark at a time");
        let (secret, sequence) = (self.sealer.secret().clone(), self.sealer.sequence());
        let tag = seal(&mut self.sealer, into);
        if sealed == Sealed::Update {
            self.answered = self.asked;
        }
        self.number += 1;
        let (number, answered, at) = (self.number, self.answered, self.end);
        fault::point("seal.sealed");
        self.slot.mark(&Mark { number, sealed, plain, at, sequence, answered, tag, secret });
        fault::point("seal.marked");
        self.end += into.len() as u64;
    }
}

/// What one turn of an encrypted client has come to.
enum Turn {
    /// It is owed nothing more.
    Through,
    /// Its turn is over, and it is owed more.
    More,
    /// Its socket is full.
    Full,
    /// The connection is broken.
    Broken,
    /// A cut could not be recorded: it waits for the next snapshot.
    Waits,
}

impl Rounds {
    /// Writes to an encrypted client what it is owed, as much as its socket takes and one turn allows.
    pub(super) fn write_sealed(&mut self, key: usize) {
        let turn = self.turn_of_sealed(key);
        match turn {
            Turn::Waits => {}
            Turn::More => self.catch_up(key),
            Turn::Full => self.found_full(key),
            Turn::Broken if self.clients[key].closing.is_some() => self.drop_client(key),
            Turn::Broken => self.give_up(key, Farewell::Lost),
            Turn::Through => self.is_through(key),
        }
    }

    fn turn_of_sealed(&mut self, key: usize) -> Turn {
        let client = &mut *self.clients[key];
        let log = client.room.and_then(|room| self.rooms.get(&room)).map(|room| &room.log);
        let Some(sealing) = &mut client.sealing else { return Turn::Broken };
        let mut sealed = std::mem::take(&mut self.sealed);
        let mut writes = 0;
        let begun = client.sent;
        let turn = loop {
            if !sealing.rest.is_empty() {
                fault::point("write.before");
                let written = client.connection.write(&[IoSlice::new(&sealing.rest)]);
                match counted(&self.exchanges.counts, &client.connection, written) {
                    Ok(taken) => {
                        fault::point("write.after");
                        self.waiting -= taken;
                        sealing.rest.drain(..taken);
                    }
                    Err(turn) => break turn,
                }
                if sealing.rest.is_empty() {
                    sealing.rest = Vec::new();
                }
                continue;
            }
            if sealing.closed {
                break Turn::Through;
            }
            if writes == WRITES || client.sent - begun > BYTES {
                break Turn::More;
            }
            writes += 1;
            sealed.clear();
            let mut through = false;
            if sealing.asked > sealing.answered || sealing.sealer.is_worn() {
                sealing.seal(Sealed::Update, client.sent, &mut sealed, |sealer, into| sealer.update(false, into));
            } else {
                if client.reader.needs_frame(log) {
                    // As for others: the cut is recorded before it takes effect.
                    let (id, sent) = (client.connection.id, client.sent);
                    if !self.cuts.append(Cut { order: self.orders, id, sent, to: Cut::FRAME }) {
                        self.cuts_full = true;
                        break Turn::Waits;
                    }
                    let lines = client.reader.frame(log);
                    self.exchanges.counts.deliveries.fetch_add(lines, Ordering::Relaxed);
                }
                let run = if sealing.was_full || self.waiting > MANY { SHORT_RUN } else { RUN };
                let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
                let (count, owed) = client.reader.gather(log, &mut pieces);
                let len = owed.min(run);
                // Then it is owed nothing more.
                through = len == owed && count < MAX_PIECES && !client.reader.is_typing() && client.closing.is_none();
                if len > 0 {
                    let mut left = len;
                    let content = pieces[..count].iter().map_while(|piece| {
                        let some = piece.get(..left.min(piece.len())).filter(|some| !some.is_empty())?;
                        left -= some.len();
                        Some(some)
                    });
                    let sealed_as = Sealed::Data(len as u64);
                    sealing.seal(sealed_as, client.sent, &mut sealed, |sealer, into| sealer.data(content, into));
                    let lines = client.reader.advance(log, len);
                    self.exchanges.counts.deliveries.fetch_add(lines, Ordering::Relaxed);
                    client.sent += len as u64;
                } else {
                    client.reader.advance(log, 0);
                    if client.closing.is_none() {
                        break Turn::Through;
                    }
                    let alert = sealing.alert;
                    sealing
                        .seal(Sealed::Alert(alert), client.sent, &mut sealed, |sealer, into| sealer.alert(alert, into));
                    sealing.closed = true;
                }
            }
            fault::point("write.before");
            let written = client.connection.write(&[IoSlice::new(&sealed)]);
            let written = counted(&self.exchanges.counts, &client.connection, written);
            let taken = match written {
                Ok(taken) => {
                    fault::point("write.after");
                    taken
                }
                Err(Turn::Full) => 0,
                Err(turn) => break turn,
            };
            sealing.was_full = taken < sealed.len();
            if sealing.was_full {
                sealing.rest = sealed[taken..].to_vec();
                self.waiting += sealing.rest.len();
            } else if through {
                break Turn::Through;
            }
        };
        sealing.was_full |= matches!(turn, Turn::Full);
        if matches!(turn, Turn::Broken) {
            self.waiting -= std::mem::take(&mut sealing.rest).len();
        }
        self.sealed = sealed;
        turn
    }

    /// An encrypted client has asked us to update our keys.
    pub(super) fn rekey(&mut self, id: SessionId) {
        self.with_sealing(id, |sealing| sealing.asked += 1);
    }

    /// An encrypted client has broken the protocol: the last that it is sent says how.
    pub(super) fn alert(&mut self, id: SessionId, alert: Alert) {
        self.with_sealing(id, |sealing| sealing.alert = alert);
    }

    fn with_sealing(&mut self, id: SessionId, change: impl FnOnce(&mut Sealing)) {
        if let Some(key) = self.key(id)
            && let Some(sealing) = &mut self.clients[key].sealing
        {
            change(sealing);
            self.look(key);
        }
    }
}

/// Counts what a socket has taken.
fn counted(counts: &super::Counts, connection: &Connection, written: std::io::Result<usize>) -> Result<usize, Turn> {
    match written {
        Ok(taken) => {
            counts.writes.fetch_add(1, Ordering::Relaxed);
            counts.bytes.fetch_add(taken as u64, Ordering::Relaxed);
            connection.taken.fetch_add(taken as u64, Ordering::Relaxed);
            Ok(taken)
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Turn::Full),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
        Err(_) => Err(Turn::Broken),
    }
}

impl Client {
    /// How many bytes wait for the client: those that it is owed, and those that are sealed.
    pub(super) fn behind(&self, log: Option<&Log>) -> u64 {
        (self.reader.behind(log) + self.sealing.as_ref().map_or(0, |sealing| sealing.waiting())) as u64
    }
}
