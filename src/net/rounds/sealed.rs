//! Encrypted clients: what they are owed is sealed in records, and the records are written.
//!
//! Bytes count as sent when they are sealed. The client's cursor then moves behind them, whether or
//! not the socket takes the record. Before a byte of a record leaves the process, the connection's
//! slot gets a mark of the record. The next record is sealed only when the socket has taken all of
//! this one, so a process that takes over has the records of one mark to make again at most.
//!
//! That process knows from the last mark how much was sealed. It passes over that much in the
//! replay, keeps the bytes that the last records held, and seals these again: see [`Resuming`]. If
//! the records come out differently, nothing more is sent to the client.

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

/// The most bytes that are sealed under one mark for a client whose socket was full. Bytes that the
/// socket then does not take wait here, and no bound on mail counts them.
const SHORT_RUN: usize = 2 << 10;

/// Sealed bytes waiting for full sockets, in all, above which every run is a short one.
const MANY: usize = 8 << 20;

/// An encrypted client's outgoing direction.
#[derive(Debug)]
pub(super) struct Sealing {
    slot: Slot,
    sealer: Sealer,
    /// The number of the last mark.
    number: u64,
    /// Bytes that the socket was given in all: those of the handshake, and all that was sealed
    /// since.
    end: u64,
    /// Sealed bytes that the socket has not taken yet.
    rest: Vec<u8>,
    /// How often the client has asked us to update our keys (RFC 8446, section 4.6.3), and how many
    /// of these requests the last update answers.
    asked: u64,
    answered: u64,
    /// The alert that the client is sent at the end.
    alert: Alert,
    /// Whether that alert was sealed: no record comes behind it.
    closed: bool,
    /// Whether the socket was full after the last write.
    was_full: bool,
    /// During a replay: the records of the last mark, as far as they are not made again.
    resuming: Option<Resuming>,
}

/// The last mark of a former process, while its records are still to be made again.
#[derive(Debug)]
struct Resuming {
    mark: Mark,
    /// How many bytes the socket has taken in all.
    taken: u64,
    /// The bytes that the records hold, as far as the replay has come.
    content: Vec<u8>,
}

/// An encrypted client's outgoing direction, in a snapshot.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SavedSealing {
    /// The kernel's number for the socket. It stands here, and not where that of other clients
    /// stands. So a release that knows no encryption finds the connection gone, and writes nothing
    /// into it.
    pub(super) cookie: u64,
    /// Whether nothing more may be written to the client.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) gone: bool,
    /// The number of the last mark whose records are sealed.
    mark: u64,
    asked: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alert: Option<u8>,
    /// Bytes of the last mark's records that the socket had not taken, in Base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    rest: String,
    /// In a snapshot made during a replay: the bytes that the next mark's records hold, as far as
    /// the replay had come, in Base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    content: String,
}

impl SavedSealing {
    /// For a client whose connection is gone, or must not be written to. Its cookie is still
    /// needed: the machine may need the secret of what the client has sent.
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

    /// A sealer that goes on behind the records of `mark`.
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

    /// Seals the records of `mark` again, into `rest`. Returns their tag.
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

    /// An encrypted client's outgoing direction, for a replay. `saved` is what the snapshot says of
    /// it; `None` for a client that connected after the snapshot. `taken` is how many bytes the
    /// socket has taken in all. Returns also how many bytes of what the client is sent were sealed,
    /// in all: the replay passes over that many. `None` if that is not known: the slot is gone or
    /// damaged, or the socket has taken more than was sealed.
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
        // `content` in a snapshot is that of the mark behind it. If a later mark has come since,
        // those records were sent.
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
        // The bytes that the last records hold must begin where those sent before them end.
        (mark.plain + begun == sent.max(mark.plain) && sent <= mark.plain_end()).then(|| (sealing, mark.plain_end()))
    }

    /// Keeps, of the bytes that were sealed last, those that the socket has not taken.
    fn keep_rest(&mut self, sealed: &[u8], taken: u64) -> Option<()> {
        let left = usize::try_from(self.end.checked_sub(taken)?).ok()?;
        self.rest = sealed[sealed.len().checked_sub(left)?..].to_vec();
        Some(())
    }

    /// Collects, of the bytes that the replay passes over, those that the last records hold. The
    /// first of `pieces` begins at byte `sent` of all that the client is sent.
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

    /// Makes the records of the last mark again, once the replay has passed over all that they
    /// hold. `sent` is how far the replay has come, in bytes. Returns `false` if the records come
    /// out differently.
    pub(super) fn finish_resuming(&mut self, sent: u64) -> bool {
        let Some(resuming) = self.resuming.take_if(|resuming| sent >= resuming.mark.plain_end()) else { return true };
        let Resuming { mark, taken, mut content } = resuming;
        let is_whole = content.len() as u64 == mark.plain_end() - mark.plain;
        let tag = self.seal_again(&mark, &content);
        zeroize::Zeroize::zeroize(&mut content);
        (self.number, self.closed) = (mark.number, matches!(mark.sealed, Sealed::Alert(_)));
        let sealed = std::mem::take(&mut self.rest);
        // The records are compared first, and written only if they are the same: one record number
        // must never seal two different contents.
        is_whole && tag == mark.tag && self.end == mark.end() && self.keep_rest(&sealed, taken).is_some()
    }

    /// Whether the records of a former process's last mark have been made again.
    pub(super) const fn is_resumed(&self) -> bool {
        self.resuming.is_none()
    }

    /// This direction, for a snapshot.
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

    /// Bytes that are sealed and wait for the socket.
    pub(super) const fn waiting(&self) -> usize {
        self.rest.len()
    }

    #[cfg(test)]
    pub(super) fn waiting_bytes(&self) -> &[u8] {
        &self.rest
    }

    /// Seals by calling `seal`, which appends to `into`, and marks the result in the slot.
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

/// How a turn of an encrypted client has ended.
enum Turn {
    /// It is owed nothing more.
    Through,
    /// Its turn is over, and it is owed more.
    More,
    /// Its socket is full.
    Full,
    /// The connection is broken.
    Broken,
    /// The tape had no room for a cut: the turn goes on after the next snapshot.
    Waits,
}

impl Rounds {
    /// Writes to an encrypted client the bytes it is owed, as many as its socket and one turn
    /// allow.
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
                    // As for other clients, the tape keeps the cut before it takes effect.
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
                // Whether the client is owed nothing more after this record.
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

    /// An encrypted client has asked us to update our keys (RFC 8446, section 4.6.3).
    pub(super) fn rekey(&mut self, id: SessionId) {
        self.with_sealing(id, |sealing| sealing.asked += 1);
    }

    /// An encrypted client has broken the protocol: `alert` is the last record sent to it.
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

/// Counts what a socket has taken. An error becomes the end of the turn; an interrupted write has
/// taken nothing.
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
    /// Bytes that wait for the client: those that it is owed, and those that are sealed already.
    pub(super) fn behind(&self, log: Option<&Log>) -> u64 {
        (self.reader.behind(log) + self.sealing.as_ref().map_or(0, |sealing| sealing.waiting())) as u64
    }
}
