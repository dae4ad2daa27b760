//! Slots: the secret state of encrypted connections, which a process that takes over needs and
//! nobody else may see. A slot has the traffic secrets of one connection, and marks of the records
//! sealed last.
//!
//! A snapshot has no secrets: it says how often a client has updated its keys, and the slot has the
//! secret after that many updates. As long as a snapshot counts, its secret stays in the slot,
//! beside the one for the next snapshot.
//!
//! Before a record leaves the process, a mark says what it holds: which bytes of all that the
//! client is sent, sealed with which secret and record number. So a process that takes over can
//! make the same record again, if the client's socket has not taken all of it. A slot has two
//! marks, written in turn; the one with the higher number counts.
//!
//! After its connection has ended, a slot keeps the secret of the client's direction until the next
//! snapshot counts. Until then a process that takes over would decrypt that input again from the
//! tape. Then the slot is wiped, and free for another connection.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroize as _;

use super::layout::check;
use crate::kernel::{self, Mapping};
use crate::wire::tls::handover::{FINGERPRINT, Handover};
use crate::wire::tls::record::{Alert, BESIDE, MOST_WRITTEN};
use crate::wire::tls::seal::{Sealer, Tag, sealed_len};
use crate::wire::tls::suite::{SECRET, Secret, Suite};

/// Length of all slots, in bytes. Only pages that are used take memory.
pub(super) const SLOTS: u64 = (MOST as u64 + 1) * 8 * WORDS as u64;

/// Words in a slot, of 8 bytes.
const WORDS: usize = 64;

/// The most slots in use at a time. The place before the first one holds how many were ever used.
const MOST: usize = 524_287;

/// The index of each word in a slot.
mod word {
    use super::SECRET;

    /// The kernel's number for the socket; 0 if the slot is free.
    pub(super) const COOKIE: usize = 0;
    pub(super) const SUITE: usize = 1;
    pub(super) const GROUP: usize = 2;
    /// Bytes that the handshake has read from the socket, and written to it.
    pub(super) const READ: usize = 3;
    pub(super) const WRITTEN: usize = 4;
    /// 1 if the client has shown a certificate.
    pub(super) const SHOWN: usize = 5;
    pub(super) const FINGERPRINT: usize = 6;
    /// 1 if the connection has ended.
    pub(super) const CLOSED: usize = 10;
    /// Which of the two `RECEIVE` secrets belongs to the snapshot that counts, and which to the one
    /// begun last: 0 or 1.
    pub(super) const COUNTED: usize = 11;
    pub(super) const LATEST: usize = 12;
    /// Two secrets of what the client sends. Each is a number of key updates, and the secret after
    /// that many.
    pub(super) const RECEIVE: [usize; 2] = [13, 13 + 1 + SECRET / 8];
    /// Two marks. Each has the words below, which count from its beginning.
    pub(super) const MARKS: [usize; 2] = [27, 27 + MARK];
    pub(super) const MARK: usize = SECRET_OF_MARK + SECRET / 8;
    pub(super) const NUMBER: usize = 0;
    pub(super) const CHECK: usize = 1;
    pub(super) const KIND: usize = 2;
    pub(super) const PLAIN: usize = 3;
    pub(super) const AT: usize = 4;
    pub(super) const SEQUENCE: usize = 5;
    pub(super) const ANSWERED: usize = 6;
    pub(super) const TAG: usize = 7;
    pub(super) const SECRET_OF_MARK: usize = 9;

    const _: () = assert!(MARKS[1] + MARK <= super::WORDS);
}

/// The content of the records that were sealed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// Nothing yet.
    Nothing,
    /// This many bytes of the client's output: at most 64 KiB.
    Data(u64),
    /// An update of our keys (RFC 8446, section 4.6.3).
    Update,
    /// An alert. No record comes behind it.
    Alert(Alert),
}

/// A mark: where in the stream the records are that were sealed last, and all that is needed to
/// make them again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The mark's number: it rises by one with each mark of a connection.
    pub number: u64,
    /// What the records hold.
    pub sealed: Sealed,
    /// How many bytes the client was sent before these records, counted before encryption.
    pub plain: u64,
    /// How many bytes the socket was given before these records, in all.
    pub at: u64,
    /// The record number of the first of these records.
    pub sequence: u64,
    /// How many of the client's requests to update our keys have been answered.
    pub answered: u64,
    /// The tag of these records.
    pub tag: Tag,
    /// The secret with which they are sealed.
    pub secret: Secret,
}

impl Mark {
    /// A sealer that goes on behind these records.
    #[must_use]
    pub fn sealer_behind(&self, suite: Suite) -> Sealer {
        let records = match self.sealed {
            Sealed::Data(len) => len.div_ceil(MOST_WRITTEN as u64),
            Sealed::Alert(_) => 1,
            Sealed::Nothing | Sealed::Update => 0,
        };
        let mut sealer = Sealer::new(suite, self.secret.clone(), self.sequence + records);
        if self.sealed == Sealed::Update {
            sealer.update(false, &mut Vec::new());
        }
        sealer
    }

    /// How many bytes the client was sent including these records, counted before encryption.
    #[must_use]
    pub const fn plain_end(&self) -> u64 {
        match self.sealed {
            Sealed::Data(len) => self.plain + len,
            _ => self.plain,
        }
    }

    /// How many bytes the socket was given including these records, in all.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.at
            + match self.sealed {
                Sealed::Nothing => 0,
                Sealed::Data(len) => sealed_len(usize::try_from(len).unwrap_or(usize::MAX / 2)) as u64,
                Sealed::Update => BESIDE as u64 + 5,
                Sealed::Alert(_) => BESIDE as u64 + 2,
            }
    }
}

/// All slots of the tape.
#[derive(Clone, Debug)]
pub struct Slots(Arc<Mutex<Table>>);

#[derive(Debug)]
struct Table {
    /// Whether there is a tape, and so snapshots and a next process.
    kept: bool,
    /// `None` if no tape is kept, until the first encrypted connection.
    memory: Option<Arc<Mapping>>,
    /// Indices of slots that were used before and are free.
    free: Vec<usize>,
    /// Indices of slots whose connections have ended. Their secrets may be needed until the next
    /// snapshot counts. The first `frozen` of them ended before the snapshot that is being written
    /// was begun.
    closed: Vec<usize>,
    frozen: usize,
    /// Indices of slots that have got a new secret for the snapshot that is being written.
    renewed: Vec<usize>,
    /// Cookies of connections that have a slot and have not ended.
    in_use: HashSet<u64>,
}

/// The slot of one connection.
#[derive(Clone, Debug)]
pub struct Slot {
    memory: Arc<Mapping>,
    index: usize,
    /// The cookie of the connection that has the slot. After its end another connection may have
    /// it.
    of: u64,
}

impl Slots {
    pub(super) fn new(memory: Option<Mapping>) -> Self {
        let table = Table {
            kept: memory.is_some(),
            memory: memory.map(Arc::new),
            free: Vec::new(),
            closed: Vec::new(),
            frozen: 0,
            renewed: Vec::new(),
            in_use: HashSet::new(),
        };
        Self(Arc::new(Mutex::new(table)))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic of a thread that holds the lock ends the process.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slots that a former process has left, by cookie. Call it once, before any slot is
    /// [taken](Self::take).
    #[must_use]
    pub fn found(&self) -> HashMap<u64, Slot> {
        let mut table = self.table();
        let Some(memory) = table.memory.clone() else { return HashMap::new() };
        let used = usize::try_from(memory.word(0).load(Ordering::Acquire)).map_or(0, |used| used.min(MOST));
        let mut found = HashMap::new();
        for index in 1..=used {
            let mut slot = Slot { memory: memory.clone(), index, of: 0 };
            let cookie = slot.cookie();
            slot.of = cookie;
            let is_closed = slot.is_closed();
            if cookie == 0 {
                table.free.push(index);
                continue;
            }
            // The input of a connection that has ended may still be on the tape: see `release`.
            if !is_closed {
                table.in_use.insert(cookie);
            }
            // A connection may have two slots: its first one was closed because no client had it
            // yet.
            if !is_closed || !found.contains_key(&cookie) {
                found.insert(cookie, slot);
            }
        }
        found
    }

    /// Whether a connection has a slot and has not ended.
    #[must_use]
    pub fn is_in_use(&self, cookie: u64) -> bool {
        self.table().in_use.contains(&cookie)
    }

    /// Gives a connection a slot.
    ///
    /// # Errors
    /// `StorageFull` if all slots are in use. Where no tape is kept, those of memfd_create(2) and
    /// mmap(2), for the first slot.
    pub fn take(&self, handover: &Handover) -> io::Result<Slot> {
        let mut table = self.table();
        let memory = match &table.memory {
            Some(memory) => memory.clone(),
            None => {
                let file = kernel::memory_file("chathub-slots", SLOTS)?;
                let len = usize::try_from(SLOTS).map_err(io::Error::other)?;
                table.memory.insert(Arc::new(Mapping::new(&file, SLOTS, 0, len)?)).clone()
            }
        };
        let index = table.free.pop().map_or_else(
            || {
                let used = memory.word(0).load(Ordering::Acquire) + 1;
                let index = usize::try_from(used).ok().filter(|index| *index <= MOST);
                index.inspect(|_| memory.word(0).store(used, Ordering::Release))
            },
            Some,
        );
        let slot = Slot { memory, index: index.ok_or(io::ErrorKind::StorageFull)?, of: handover.cookie };
        slot.fill(handover);
        table.in_use.insert(handover.cookie);
        Ok(slot)
    }

    /// Notes that a slot's connection has ended.
    pub fn close(&self, slot: &Slot) {
        if !slot.is_closed() {
            self.release(slot);
        }
    }

    /// Notes that the connection of a slot that was [found](Self::found) has ended, whether or not
    /// that was noted before. Call it only after all inputs on the tape are handled again: they may
    /// include what the connection had sent, and until the next snapshot each process that takes
    /// over decrypts that anew.
    pub fn release(&self, slot: &Slot) {
        if slot.cookie() != slot.of {
            return;
        }
        slot.set(word::CLOSED, 1);
        // Nothing more is sent to the client: the secrets of that direction are not needed any
        // more.
        slot.wipe_words(word::MARKS[0]..word::MARKS[1] + word::MARK);
        let mut table = self.table();
        table.in_use.remove(&slot.of);
        if table.kept {
            table.closed.push(slot.index);
        } else {
            // No process reads the input again, and no snapshot comes.
            slot.wipe();
            table.free.push(slot.index);
        }
    }

    /// Wipes all slots: no connection is carried on.
    pub fn wipe_all(&self) {
        let table = self.table();
        let Some(memory) = table.memory.clone() else { return };
        let used = usize::try_from(memory.word(0).load(Ordering::Acquire)).map_or(0, |used| used.min(MOST));
        (1..=used).for_each(|index| Slot { memory: memory.clone(), index, of: 0 }.wipe());
    }

    /// Stores a secret for the snapshot that is begun now: the one after the client has updated its
    /// keys `updates` times.
    pub fn keep(&self, slot: &Slot, updates: u64, secret: &Secret) {
        let (counted, latest) = (slot.get(word::COUNTED), usize::from(slot.get(word::LATEST) == 1));
        if slot.is_closed() || slot.receive(latest).0 == updates {
            return;
        }
        let other = usize::from(counted == 0);
        slot.put_receive(other, updates, secret);
        slot.set(word::LATEST, other as u64);
        self.table().renewed.push(slot.index);
    }

    /// Notes that a snapshot is begun.
    pub(super) fn freeze(&self) {
        let mut table = self.table();
        table.frozen = table.closed.len();
    }

    /// Notes that the snapshot begun last counts now.
    pub(super) fn count(&self) {
        let mut table = self.table();
        let Some(memory) = table.memory.clone() else { return };
        for index in std::mem::take(&mut table.renewed) {
            let slot = Slot { memory: memory.clone(), index, of: 0 };
            slot.set(word::COUNTED, slot.get(word::LATEST));
        }
        let frozen = std::mem::take(&mut table.frozen);
        let closed: Vec<_> = table.closed.drain(..frozen).collect();
        for index in closed {
            Slot { memory: memory.clone(), index, of: 0 }.wipe();
            table.free.push(index);
        }
    }
}

impl Slot {
    fn word(&self, word: usize) -> &std::sync::atomic::AtomicU64 {
        self.memory.word(self.index * WORDS + word)
    }

    fn get(&self, word: usize) -> u64 {
        self.word(word).load(Ordering::Acquire)
    }

    fn set(&self, word: usize, value: u64) {
        self.word(word).store(value, Ordering::Release);
    }

    fn put(&self, word: usize, bytes: &[u8]) {
        for (at, bytes) in bytes.chunks(8).enumerate() {
            let mut value = [0; 8];
            value[..bytes.len()].copy_from_slice(bytes);
            self.set(word + at, u64::from_le_bytes(value));
            value.zeroize();
        }
    }

    fn take<const N: usize>(&self, word: usize) -> [u8; N] {
        let mut bytes = [0; N];
        self.read(word, &mut bytes);
        bytes
    }

    fn read(&self, word: usize, bytes: &mut [u8]) {
        for (at, bytes) in bytes.chunks_mut(8).enumerate() {
            bytes.copy_from_slice(&self.get(word + at).to_le_bytes()[..bytes.len()]);
        }
    }

    fn secret(&self, word: usize) -> Option<Secret> {
        Secret::made(self.suite()?.secret_len(), |bytes| self.read(word, bytes))
    }

    /// The connection's cookie; 0 if the slot is free.
    #[must_use]
    pub fn cookie(&self) -> u64 {
        self.get(word::COOKIE)
    }

    /// The cipher suite; `None` if the slot is free or damaged.
    #[must_use]
    pub fn suite(&self) -> Option<Suite> {
        u16::try_from(self.get(word::SUITE)).ok().and_then(Suite::of)
    }

    /// The group of the key exchange (RFC 8446, section 4.2.7).
    #[must_use]
    pub fn group(&self) -> u16 {
        u16::try_from(self.get(word::GROUP)).unwrap_or(0)
    }

    /// How many bytes the handshake has read from the socket, and written to it.
    #[must_use]
    pub fn handshake(&self) -> (u64, u64) {
        (self.get(word::READ), self.get(word::WRITTEN))
    }

    /// The digest of the client's certificate; `None` if it has shown none.
    #[must_use]
    pub fn fingerprint(&self) -> Option<[u8; FINGERPRINT]> {
        (self.get(word::SHOWN) == 1).then(|| self.take(word::FINGERPRINT))
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.of == 0 || self.cookie() != self.of || self.get(word::CLOSED) != 0
    }

    fn fill(&self, handover: &Handover) {
        self.wipe();
        self.set(word::SUITE, handover.suite as u64);
        self.set(word::GROUP, handover.group.into());
        self.set(word::READ, handover.read);
        self.set(word::WRITTEN, handover.written);
        self.set(word::SHOWN, handover.fingerprint.is_some().into());
        self.put(word::FINGERPRINT, &handover.fingerprint.unwrap_or_default());
        self.put_receive(0, 0, &handover.client);
        self.mark(&Mark {
            number: 1,
            sealed: Sealed::Nothing,
            plain: 0,
            at: handover.written,
            sequence: 0,
            answered: 0,
            tag: Tag::default(),
            secret: handover.server.clone(),
        });
        // From here on the slot is in use.
        self.set(word::COOKIE, handover.cookie);
    }

    fn wipe(&self) {
        // The cookie is wiped first: from then on the slot is free.
        self.wipe_words(0..WORDS);
    }

    fn wipe_words(&self, words: std::ops::Range<usize>) {
        words.for_each(|word| self.set(word, 0));
    }

    fn put_receive(&self, which: usize, updates: u64, secret: &Secret) {
        // If the process dies between these writes, no snapshot asks for this secret.
        self.set(word::RECEIVE[which], u64::MAX);
        self.put(word::RECEIVE[which] + 1, secret.bytes());
        self.set(word::RECEIVE[which], updates);
    }

    fn receive(&self, which: usize) -> (u64, usize) {
        (self.get(word::RECEIVE[which]), word::RECEIVE[which] + 1)
    }

    /// The secret of what the client sends, after `updates` updates of its keys. `None` if the slot
    /// does not have it. From now on it is the one that belongs to the snapshot that counts.
    #[must_use]
    pub fn unlock(&self, updates: u64) -> Option<Secret> {
        let which = (0..2).find(|which| self.receive(*which).0 == updates)?;
        for word in [word::COUNTED, word::LATEST] {
            self.set(word, which as u64);
        }
        self.secret(self.receive(which).1)
    }

    /// Writes a mark. From then on it counts, in place of the one before.
    pub fn mark(&self, mark: &Mark) {
        let base = word::MARKS[usize::from(mark.number % 2 == 1)];
        let set = |word: usize, value: u64| self.set(base + word, value);
        let (kind, content) = match mark.sealed {
            Sealed::Nothing => (1, 0),
            Sealed::Data(len) => (2, len),
            Sealed::Update => (3, 0),
            Sealed::Alert(Alert(number)) => (4, number.into()),
        };
        set(word::KIND, kind << 32 | content);
        set(word::PLAIN, mark.plain);
        set(word::AT, mark.at);
        set(word::SEQUENCE, mark.sequence);
        set(word::ANSWERED, mark.answered);
        self.put(base + word::TAG, &mark.tag);
        self.put(base + word::SECRET_OF_MARK, mark.secret.bytes());
        set(word::CHECK, self.check(base, mark.number));
        set(word::NUMBER, mark.number);
    }

    fn check(&self, base: usize, number: u64) -> u64 {
        let mut bytes = [0; 8 * (word::MARK - word::KIND)];
        for (at, bytes) in bytes.chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&self.get(base + word::KIND + at).to_le_bytes());
        }
        let check = check(&[&number.to_le_bytes(), &bytes]);
        bytes.zeroize();
        check
    }

    /// The mark that counts. `None` if there is none, if it is damaged, or if it does not follow
    /// the mark before.
    #[must_use]
    pub fn last_mark(&self) -> Option<Mark> {
        let [even, odd] = word::MARKS;
        let number = |base: usize| self.get(base + word::NUMBER);
        let (last, before) = if number(even) > number(odd) { (even, odd) } else { (odd, even) };
        let mark = self.read_mark(last)?;
        // The mark before may be half overwritten by the next one: then it says nothing.
        let before = self.read_mark(before).filter(|before| before.number + 1 == mark.number);
        before.is_none_or(|before| (before.end(), before.plain_end()) == (mark.at, mark.plain)).then_some(mark)
    }

    fn read_mark(&self, base: usize) -> Option<Mark> {
        let get = |word: usize| self.get(base + word);
        let number = get(word::NUMBER);
        if number == 0 || get(word::CHECK) != self.check(base, number) {
            return None;
        }
        let content = get(word::KIND) & u64::from(u32::MAX);
        let sealed = match get(word::KIND) >> 32 {
            1 => Sealed::Nothing,
            2 => Sealed::Data(content),
            3 => Sealed::Update,
            4 => Sealed::Alert(Alert(u8::try_from(content).ok()?)),
            _ => return None,
        };
        Some(Mark {
            number,
            sealed,
            plain: get(word::PLAIN),
            at: get(word::AT),
            sequence: get(word::SEQUENCE),
            answered: get(word::ANSWERED),
            tag: self.take(base + word::TAG),
            secret: self.secret(base + word::SECRET_OF_MARK)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tape;
    use super::*;

    fn handover(cookie: u64) -> Handover {
        let suite = Suite::Aes256;
        let secret = |byte| Secret::new(&vec![byte; suite.secret_len()]).expect("it fits");
        let (client, server) = (secret(1), secret(2));
        Handover { suite, group: 29, cookie, read: 500, written: 1500, client, server, fingerprint: Some([4; 32]) }
    }

    /// The slots of a tape, and what the next process finds in them.
    fn found_again(tape: &Tape) -> (Slots, HashMap<u64, Slot>) {
        let file = tape.file().expect("kept").try_clone_to_owned().expect("a descriptor");
        let slots = Tape::map(file).expect("it is a tape").0.slots().clone();
        let found = slots.found();
        (slots, found)
    }

    #[test]
    fn secrets_that_were_handed_over_are_found_by_the_next_process() {
        let (tape, _) = Tape::new().expect("a memory file");
        for cookie in [7, 8] {
            tape.slots().take(&handover(cookie)).expect("there is room");
        }
        let (_, found) = found_again(&tape);
        assert_eq!(found.len(), 2);
        for (cookie, slot) in found {
            let expected = handover(cookie);
            assert_eq!((slot.cookie(), slot.suite(), slot.group()), (cookie, Some(Suite::Aes256), 29));
            assert_eq!((slot.handshake(), slot.fingerprint()), ((500, 1500), Some([4; 32])));
            assert_eq!(slot.unlock(0), Some(expected.client));
            assert_eq!(slot.unlock(1), None);
            let mark = slot.last_mark().expect("the first");
            assert_eq!((mark.secret, mark.sealed, mark.at), (expected.server, Sealed::Nothing, 1500));
        }
    }

    #[test]
    fn the_last_mark_counts_and_a_damaged_one_does_not() {
        let (tape, _) = Tape::new().expect("a memory file");
        let slot = tape.slots().take(&handover(7)).expect("there is room");
        let first = slot.last_mark().expect("the first");
        for (number, sealed) in [
            (2, Sealed::Data(60)),
            (3, Sealed::Update),
            (4, Sealed::Alert(Alert::BAD_RECORD_MAC)),
            (5, Sealed::Data(9000)),
        ] {
            let before = slot.last_mark().expect("the one before");
            let (plain, at) = (before.plain_end(), before.end());
            let mark = Mark { number, sealed, plain, at, sequence: 9, answered: 2, tag: [3; 16], ..first.clone() };
            slot.mark(&Mark { at: at + 1, ..mark.clone() });
            assert_eq!(slot.last_mark(), None, "it does not stand behind the one before");
            slot.mark(&mark);
            assert_eq!(slot.last_mark(), Some(mark));
        }
        let records = 60 + 22 + 5 + 22 + 2 + 22 + 9000 + 44;
        assert_eq!(slot.last_mark().map(|mark| (mark.plain_end(), mark.end())), Some((9060, 1500 + records)));
        // Each word of the mark that counts.
        let base = slot.index * WORDS + word::MARKS[1];
        for at in (word::CHECK..word::MARK).map(|word| base + word) {
            let value = slot.memory.word(at).fetch_xor(1 << 17, Ordering::AcqRel);
            assert_eq!(slot.last_mark(), None, "word {}", at - base);
            slot.memory.word(at).store(value, Ordering::Release);
        }
        assert!(slot.last_mark().is_some());
    }

    #[test]
    fn a_secret_stays_as_long_as_a_snapshot_needs_it() {
        let (mut tape, _) = Tape::new().expect("a memory file");
        let slots = tape.slots().clone();
        let slot = slots.take(&handover(7)).expect("there is room");
        let secret = |byte| Secret::new(&[byte; 48]).expect("it fits");
        tape.snapshot(b"{}", b"{}", 1);
        // A snapshot is begun and fails; the next one is begun, and again; then it counts.
        let mut counted = 0;
        for (updates, counts) in [(3_u8, false), (4, false), (5, true), (6, false), (9, true)] {
            let blank = tape.begin().expect("the other half is free");
            slots.keep(&slot, updates.into(), &secret(updates));
            slots.keep(&slot, updates.into(), &secret(updates));
            assert!((0..2).any(|which| slot.receive(which).0 == counted), "the one that goes with the snapshot stays");
            if counts {
                let written = blank.write(&1, &2).expect("there is room");
                let old = tape.make_current(written, 1).expect("a half");
                tape.return_half(old.cleared());
                assert_eq!(slot.unlock(updates.into()), Some(secret(updates)));
                counted = updates.into();
            } else {
                tape.return_blank(blank);
            }
        }
    }

    #[test]
    fn a_closed_slot_is_wiped_and_free_behind_the_next_snapshot() {
        let (mut tape, _) = Tape::new().expect("a memory file");
        let slots = tape.slots().clone();
        let slot = slots.take(&handover(7)).expect("there is room");
        tape.snapshot(b"{}", b"{}", 1);
        let blank = tape.begin().expect("the other half is free");
        slots.close(&slot);
        slots.close(&slot);
        assert!(slot.is_closed() && !slots.is_in_use(7));
        assert_eq!((slot.last_mark(), slot.unlock(0).is_some()), (None, true));
        let written = blank.write(&1, &2).expect("there is room");
        let old = tape.make_current(written, 1).expect("a half");
        tape.return_half(old.cleared());
        assert!(slot.unlock(0).is_some(), "it ended behind the snapshot: its input stands on the tape");
        assert_ne!(slots.take(&handover(8)).expect("there is room").index, slot.index);
        tape.snapshot(b"{}", b"{}", 1);
        assert!((0..WORDS).all(|word| slot.get(word) == 0), "nothing is left of it");
        assert_eq!(slots.take(&handover(9)).expect("there is room").index, slot.index);
        assert_eq!(found_again(&tape).1.len(), 2);
        slots.wipe_all();
        assert_eq!(found_again(&tape).1.len(), 0);
    }

    /// A process takes over, and makes a snapshot in the middle of what it handles again. It dies,
    /// and so do others.
    #[test]
    fn a_slot_is_not_wiped_before_a_replay_has_handled_its_end() {
        let (mut tape, _) = Tape::new().expect("a memory file");
        let slot = tape.slots().take(&handover(7)).expect("there is room");
        tape.snapshot(b"{}", b"{}", 1);
        tape.slots().close(&slot);
        for _ in 0..3 {
            let file = tape.file().expect("kept").try_clone_to_owned().expect("a descriptor");
            tape = Tape::open(file).expect("sound").expect("something to take over").0;
            let found = tape.slots().found();
            assert!(!tape.slots().is_in_use(7));
            assert_eq!(found[&7].unlock(0), Some(handover(7).client));
            tape.snapshot(b"{}", b"{}", 1);
            tape.snapshot(b"{}", b"{}", 1);
        }
        let found = tape.slots().found();
        tape.slots().release(&found[&7]);
        tape.snapshot(b"{}", b"{}", 1);
        assert!((0..WORDS).all(|word| slot.get(word) == 0), "nothing is left of it");
    }

    #[test]
    fn slots_work_without_a_tape() {
        let (tape, _) = Tape::unkept();
        assert!(tape.slots().found().is_empty());
        let slot = tape.slots().take(&handover(7)).expect("there is memory");
        assert_eq!(slot.unlock(0), Some(handover(7).client));
        // There are no snapshots: they are wiped at once, and used again.
        for cookie in 8..1000 {
            tape.slots().close(&slot);
            assert!((0..WORDS).all(|word| slot.get(word) == 0), "nothing is left of it");
            let next = tape.slots().take(&handover(cookie)).expect("there is memory");
            assert_eq!(next.index, slot.index);
            tape.slots().close(&slot);
            assert!(!next.is_closed(), "it is another's now");
            tape.slots().close(&next);
            assert_eq!(tape.slots().take(&handover(7)).expect("there is memory").index, slot.index);
        }
    }
}
