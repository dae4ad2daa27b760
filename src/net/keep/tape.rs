//! The tape: what the hub was told since its last snapshot, in memory that outlives the process.
//!
//! A memory file, kept in the service manager's descriptor store, holds two generations of
//! * a snapshot of the state machine and of what clients are owed, and behind it the inputs since;
//! * the cuts: decisions of the rounds that do not follow from the inputs alone.
//!
//! An input is committed by one store to a word that says where the tape ends. What a client sends is
//! received straight onto the tape, behind its end, so it costs no system call and no copy; if the
//! process dies before that is committed, the kernel's own count says how much of it was received.
//!
//! A new generation is written beside the old one, and begins to count with one store as well.
//!
//! Without a service manager that keeps it, the tape is a buffer for what is being received, and
//! nothing is kept.

use std::fmt;
use std::hash::Hasher as _;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use siphasher::sip::SipHasher13;

use super::fault;
use crate::kernel::{self, Mapping};
use crate::values::id::SessionId;
use crate::values::time::{Mono, Now, Wall};

/// The most that is received at a time, in bytes.
pub const CHUNK: usize = 8 * 1024;

/// How long the tape grows, in bytes, before it is replaced by a snapshot: some ten thousands of lines,
/// which are replayed in less than a tenth of a second.
pub const LENGTH: u64 = 4 * 1024 * 1024;

/// [`LENGTH`]; tests of debug builds set another by `CHATHUB_TAPE`.
#[must_use]
pub fn length() -> u64 {
    let asked = if cfg!(debug_assertions) { std::env::var("CHATHUB_TAPE").ok() } else { None };
    asked.and_then(|bytes| bytes.parse().ok()).unwrap_or(LENGTH)
}

/// The same for the cuts: some hundred thousands.
const CUTS_LENGTH: u64 = 4 * 1024 * 1024;

/// "chathub" and a zero.
const MAGIC: u64 = u64::from_le_bytes(*b"chathub\0");

/// The layout of the file. One that is not known is not touched.
const LAYOUT: u64 = 1;

/// The two halves of the file for snapshots and inputs, and for cuts. Only what is used takes memory.
const INPUTS: u64 = 1 << 34;
const CUTS: u64 = 1 << 30;
const PAGE: u64 = 64 * 1024;
const TOTAL: u64 = PAGE + 2 * INPUTS + 2 * CUTS;

/// Words of the first page.
mod word {
    pub(super) const MAGIC: usize = 0;
    pub(super) const LAYOUT: usize = 1;
    /// Which generation counts.
    pub(super) const GENERATION: usize = 2;
    /// The record that is being handled, plus one.
    pub(super) const HANDLING: usize = 3;
    /// The record that was being handled when a process died, plus one, and how often that was so.
    pub(super) const SUSPECT: usize = 4;
    pub(super) const SUSPECTED: usize = 5;
    /// Processes that took over since one ran for a while; those that crashed count for more.
    pub(super) const TAKEN_OVER: usize = 6;
    /// Everybody was told goodbye: there is nothing to take over.
    pub(super) const CLOSED: usize = 7;
    /// Since when a record is being handled, in microseconds of `CLOCK_MONOTONIC`; zero if none is.
    pub(super) const SINCE: usize = 8;
    /// The last process crashed: it was not killed from outside.
    pub(super) const CRASHED: usize = 9;
    /// How often a process crashed of the suspect.
    pub(super) const CRASHES: usize = 10;

    /// Words of each generation, from here on.
    pub(super) const GENERATIONS: usize = 16;
    pub(super) const EACH: usize = 16;
    pub(super) const EPOCH: usize = 0;
    pub(super) const MACHINE: usize = 1;
    pub(super) const OWED: usize = 2;
    pub(super) const CHECK: usize = 3;
    pub(super) const START: usize = 4;
    pub(super) const END: usize = 5;
    pub(super) const CUTS_END: usize = 6;
    /// Whose input is being received behind the end, plus one.
    pub(super) const RECEIVING: usize = 7;
}

/// The first page, shared by those who write the tape. Words, each written by one of them.
#[derive(Debug)]
struct Head(Arc<Mapping>);

impl Head {
    fn get(&self, word: usize) -> u64 {
        self.0.word(word).load(Ordering::Acquire)
    }

    /// Takes effect behind everything written before, whenever the process dies: a killed process's
    /// stores are all there, in the order in which it made them.
    fn set(&self, word: usize, value: u64) {
        self.0.word(word).store(value, Ordering::Release);
    }

    fn of(generation: u64, word: usize) -> usize {
        word::GENERATIONS + usize::from(generation % 2 == 1) * word::EACH + word
    }
}

/// What kind of input a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Bytes that a client has sent.
    Bytes = 1,
    /// An input, as JSON.
    Input = 2,
    /// Nothing any more: it made the process die.
    Poison = 3,
}

/// One record of the tape.
#[derive(Debug)]
pub struct Record {
    /// Where it stands.
    pub at: u64,
    /// What it holds.
    pub kind: Kind,
    /// Of which client, if it is bytes.
    pub id: SessionId,
    /// When it came.
    pub now: Now,
    /// Where its content stands.
    pub content: Range<usize>,
}

impl Record {
    /// The same, so many bytes farther along: a snapshot has moved it.
    #[must_use]
    pub fn moved(self, bytes: isize) -> Self {
        let content = self.content.start.wrapping_add_signed(bytes)..self.content.end.wrapping_add_signed(bytes);
        Self { at: self.at.wrapping_add_signed(bytes as i64), content, ..self }
    }
}

/// Before each record's content: its check, length, kind, a word that is not used, client, and time.
pub(super) const RECORD: usize = 40;

fn record_head(kind: Kind, id: SessionId, now: Now, content: &[u8]) -> [u8; RECORD] {
    let mut head = [0; RECORD];
    head[4..8].copy_from_slice(&u32::try_from(content.len()).expect("at most 4 GiB").to_le_bytes());
    head[8..12].copy_from_slice(&(kind as u32).to_le_bytes());
    head[16..24].copy_from_slice(&id.0.to_le_bytes());
    head[24..32].copy_from_slice(&now.mono.0.to_le_bytes());
    head[32..40].copy_from_slice(&now.wall.0.to_le_bytes());
    let check = check(&[&head[4..], content]).to_le_bytes();
    head[..4].copy_from_slice(&check[..4]);
    head
}

fn check(parts: &[&[u8]]) -> u64 {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write(part);
    }
    hasher.finish()
}

/// The input that the last processes were handling when they died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Where it stands.
    pub at: u64,
    /// How many processes in a row died while they handled it.
    pub deaths: u64,
    /// How many of them crashed, and were not killed from outside.
    pub crashes: u64,
}

/// See [`Tape::is_hopeless`].
const HOPELESS: u64 = 400;

/// What a crash counts in that.
const CRASH: u64 = 20;

/// Why a tape cannot be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is no tape.
    NoTape,
    /// Its layout is another release's.
    Layout(u64),
    /// It does not fit together.
    Damaged(&'static str),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTape => f.write_str("it is no tape"),
            Self::Layout(layout) => write!(f, "its layout is {layout}, and only {LAYOUT} is known"),
            Self::Damaged(what) => write!(f, "it is damaged: {what}"),
        }
    }
}

/// What is kept, and where.
#[derive(Debug)]
struct Kept {
    file: OwnedFd,
    head: Arc<Head>,
    generation: u64,
    /// One is away while a snapshot is written to it, or its memory is given back.
    halves: [Option<Mapping>; 2],
    cuts: Cuts,
    end: usize,
    start: usize,
}

/// The tape, written by the driver.
#[derive(Debug)]
pub struct Tape {
    kept: Option<Kept>,
    buffer: Box<[u8]>,
}

/// A decision of the rounds: it is applied behind so many orders, when the client's socket has taken so
/// many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Orders since the snapshot.
    pub order: u64,
    /// Whom it concerns.
    pub id: SessionId,
    /// Bytes that its socket had taken.
    pub sent: u64,
    /// The next line that it is shown: those before are let go of. Or [`Self::FRAME`].
    pub to: u64,
}

impl Cut {
    /// No lines are let go of: what the client is owed was put together with what is typed on its
    /// terminal, to be written next.
    pub const FRAME: u64 = u64::MAX;
}

const CUT: usize = 40;

/// The cuts, written by the rounds. The tape holds them as well, for a moment at each snapshot.
#[derive(Clone, Debug)]
pub struct Cuts {
    kept: Option<Arc<Mutex<KeptCuts>>>,
}

#[derive(Debug)]
struct KeptCuts {
    head: Arc<Head>,
    halves: [Mapping; 2],
    /// Orders that this process had carried out when the snapshot was made that counts.
    base: u64,
    /// The same for the snapshot that is being written; and where the first cut since then stands.
    next: Option<(u64, usize)>,
}

/// A half of the file to which a snapshot can be written, while inputs go on being kept in the other.
#[derive(Debug)]
pub struct Blank {
    place: Mapping,
    /// Where the first record stands that the snapshot does not contain.
    from: usize,
}

/// A snapshot that was written, and does not count yet.
#[derive(Debug)]
pub struct Written {
    place: Mapping,
    /// Where the first record stands that the snapshot does not contain, and how many bytes from there on have gone
    /// along already.
    from: usize,
    along: usize,
    machine: usize,
    owed: usize,
    check: u64,
}

/// A half of the file that counts no more.
#[derive(Debug)]
pub struct Old {
    place: Mapping,
    file: OwnedFd,
    /// What is in use of the file: where, and how many bytes.
    used: [(u64, u64); 2],
}

impl Written {
    /// Where the records begin.
    fn start(&self) -> usize {
        usize::try_from(aligned((self.machine + self.owed) as u64)).expect("it is mapped")
    }
}

impl Blank {
    /// Writes what is to be kept, as JSON.
    ///
    /// # Errors
    /// If there is no room for it; the half is blank again.
    pub fn write(mut self, machine: &impl Serialize, owed: &impl Serialize) -> Result<Written, (Self, io::Error)> {
        let place = self.place.bytes_mut();
        let whole = place.len();
        let mut rest = &mut *place;
        let mut left = [0; 2];
        let written = serde_json::to_writer(&mut rest, machine)
            .map(|()| left[0] = rest.len())
            .and_then(|()| serde_json::to_writer(&mut rest, owed))
            .map(|()| left[1] = rest.len());
        if let Err(error) = written {
            return Err((self, error.into()));
        }
        let (machine, owed) = (whole - left[0], left[0] - left[1]);
        let check = check(&[&place[..machine + owed]]);
        Ok(Written { place: self.place, from: self.from, along: 0, machine, owed, check })
    }
}

impl Old {
    /// Gives its memory back. That takes a while where it was much.
    #[must_use]
    pub fn cleared(self) -> Mapping {
        for (at, len) in self.used {
            // Memory that is not given back is used again: no harm but its size.
            let _ = kernel::give_back(&self.file, at, len);
        }
        self.place
    }
}

impl Tape {
    /// A tape on which nothing is kept.
    #[must_use]
    pub fn unkept() -> (Self, Cuts) {
        (Self { kept: None, buffer: vec![0; CHUNK].into() }, Cuts { kept: None })
    }

    /// An empty tape, of generation 0: it counts from its first snapshot on.
    ///
    /// # Errors
    /// Those of memfd_create(2) and mmap(2).
    pub fn new() -> io::Result<(Self, Cuts)> {
        let file = kernel::memory_file("chathub-tape", TOTAL)?;
        let (tape, cuts) = Self::map(file)?;
        let head = &tape.kept.as_ref().expect("it is mapped").head;
        head.set(word::LAYOUT, LAYOUT);
        head.set(word::MAGIC, MAGIC);
        Ok((tape, cuts))
    }

    fn map(file: OwnedFd) -> io::Result<(Self, Cuts)> {
        let half = |at: u64, len: u64| Mapping::new(&file, TOTAL, at, usize::try_from(len).map_err(io::Error::other)?);
        let head = Arc::new(Head(Arc::new(half(0, PAGE)?)));
        let halves = [half(PAGE, INPUTS)?, half(PAGE + INPUTS, INPUTS)?];
        let cuts = [half(PAGE + 2 * INPUTS, CUTS)?, half(PAGE + 2 * INPUTS + CUTS, CUTS)?];
        let cuts = KeptCuts { head: head.clone(), halves: cuts, base: 0, next: None };
        let cuts = Cuts { kept: Some(Arc::new(Mutex::new(cuts))) };
        let halves = halves.map(Some);
        let kept = Kept { file, head, generation: 0, halves, cuts: cuts.clone(), end: 0, start: 0 };
        Ok((Self { kept: Some(kept), buffer: Box::default() }, cuts))
    }

    /// The tape that a former process has left; `None` if that process had said goodbye to everybody,
    /// or had not begun.
    ///
    /// # Errors
    /// [`Unusable`]: then nothing of it is to be believed.
    pub fn open(file: OwnedFd) -> Result<Option<(Self, Cuts)>, Unusable> {
        if !kernel::is_memory_file(&file, TOTAL) {
            return Err(Unusable::NoTape);
        }
        let (mut tape, cuts) = Self::map(file).map_err(|_| Unusable::NoTape)?;
        let kept = tape.kept.as_mut().expect("it is mapped");
        let head = &kept.head;
        if head.get(word::MAGIC) != MAGIC {
            return Err(Unusable::NoTape);
        }
        if head.get(word::LAYOUT) != LAYOUT {
            return Err(Unusable::Layout(head.get(word::LAYOUT)));
        }
        let generation = head.get(word::GENERATION);
        if generation == 0 || head.get(word::CLOSED) != 0 {
            return Ok(None);
        }
        let of = |word| head.get(Head::of(generation, word));
        let (machine, owed, start, end) = (of(word::MACHINE), of(word::OWED), of(word::START), of(word::END));
        let lengths = machine.checked_add(owed).ok_or(Unusable::Damaged("lengths"))?;
        if start != aligned(lengths) || end < start || end > INPUTS - 2 * CHUNK as u64 || of(word::CUTS_END) > CUTS {
            return Err(Unusable::Damaged("lengths"));
        }
        kept.generation = generation;
        kept.start = usize::try_from(start).map_err(|_| Unusable::Damaged("lengths"))?;
        kept.end = usize::try_from(end).map_err(|_| Unusable::Damaged("lengths"))?;
        let written = of(word::CHECK);
        let (machine, owed) = tape.snapshots();
        if check(&[machine, owed]) != written {
            return Err(Unusable::Damaged("the snapshot"));
        }
        Ok(Some((tape, cuts)))
    }

    /// Which program has left inputs in `file` that only it can handle again; `None` if there are none.
    #[must_use]
    pub fn left_by(file: BorrowedFd<'_>) -> Option<u64> {
        let (tape, _) = Self::open(file.try_clone_to_owned().ok()?).ok()??;
        (!tape.is_empty()).then(|| tape.epoch())
    }

    /// Whether anything is kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// The memory file, to be stored.
    #[must_use]
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.kept.as_ref().map(|kept| kept.file.as_fd())
    }

    fn now(&self, word: usize) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.head.get(Head::of(kept.generation, word)))
    }

    /// Which program wrote the inputs: only it leads to the same outcomes again.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.now(word::EPOCH)
    }

    /// From here on, inputs are written by this program. To be said when there are none.
    pub fn set_epoch(&self, epoch: u64) {
        if let Some(kept) = &self.kept {
            kept.head.set(Head::of(kept.generation, word::EPOCH), epoch);
        }
    }

    /// The snapshots of the state machine and of what clients are owed.
    #[must_use]
    pub fn snapshots(&self) -> (&[u8], &[u8]) {
        let Some(kept) = &self.kept else { return (&[], &[]) };
        let len = |word| usize::try_from(self.now(word)).unwrap_or(0);
        let bytes = kept.half().bytes();
        bytes[..len(word::MACHINE) + len(word::OWED)].split_at(len(word::MACHINE))
    }

    /// The inputs since the snapshot.
    ///
    /// # Errors
    /// [`Unusable::Damaged`] from the first on that is.
    pub fn records(&self) -> Result<Vec<Record>, Unusable> {
        let Some(kept) = &self.kept else { return Ok(Vec::new()) };
        let (mut at, mut records) = (kept.start, Vec::new());
        let tape = &kept.half().bytes()[..kept.end];
        while at < kept.end {
            let damaged = Unusable::Damaged("an input");
            let head = tape.get(at..at + RECORD).ok_or(damaged.clone())?;
            let number = |range: Range<usize>| {
                let mut bytes = [0; 8];
                bytes[..range.len()].copy_from_slice(&head[range]);
                u64::from_le_bytes(bytes)
            };
            let content = at + RECORD..at + RECORD + usize::try_from(number(4..8)).expect("32 bits");
            let bytes = tape.get(content.clone()).ok_or(damaged.clone())?;
            if check(&[&head[4..], bytes]) & u64::from(u32::MAX) != number(0..4) {
                return Err(damaged);
            }
            let kind = match number(8..12) {
                1 => Kind::Bytes,
                2 => Kind::Input,
                3 => Kind::Poison,
                _ => return Err(damaged),
            };
            let now = Now { mono: Mono(number(24..32)), wall: Wall(number(32..40).cast_signed()) };
            let next = step(content.end);
            records.push(Record { at: at as u64, kind, id: SessionId(number(16..24)), now, content });
            at = next;
        }
        Ok(records)
    }

    /// What stands there, as [`Record::content`] says.
    #[must_use]
    pub fn content(&self, range: Range<usize>) -> &[u8] {
        match &self.kept {
            Some(kept) => &kept.half().bytes()[range],
            None => &self.buffer[range],
        }
    }

    /// Bytes of inputs since the snapshot.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| (kept.end - kept.start) as u64)
    }

    /// Whether the cuts are so many that a snapshot is to take their place.
    #[must_use]
    pub fn has_many_cuts(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| {
            let generation = kept.head.get(word::GENERATION);
            kept.head.get(Head::of(generation, word::CUTS_END)) > CUTS_LENGTH
        })
    }

    /// Whether there was no input since the snapshot.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes an input and commits it. Returns where the record stands, and its content.
    pub fn append(&mut self, now: Now, content: &[u8]) -> (u64, Range<usize>) {
        let Some(kept) = &mut self.kept else { return (0, 0..0) };
        let at = kept.end;
        let head = record_head(Kind::Input, SessionId(0), now, content);
        let place = kept.half_mut().bytes_mut();
        place[at..at + RECORD].copy_from_slice(&head);
        place[at + RECORD..at + RECORD + content.len()].copy_from_slice(content);
        kept.commit(at + RECORD + content.len());
        (at as u64, at + RECORD..at + RECORD + content.len())
    }

    /// Commits that client `id` has its turn again, with what it has sent before. Returns where that stands.
    pub fn append_turn(&mut self, id: SessionId, now: Now) -> u64 {
        let Some(kept) = &mut self.kept else { return 0 };
        let at = kept.end;
        let head = record_head(Kind::Bytes, id, now, &[]);
        kept.half_mut().bytes_mut()[at..at + RECORD].copy_from_slice(&head);
        kept.commit(at + RECORD);
        at as u64
    }

    /// Receives what client `id` has sent, at most [`CHUNK`] bytes, by `read`, and commits it. Returns
    /// where the record stands, and its content.
    ///
    /// # Errors
    /// Those of `read`; nothing is committed then, nor if it reads nothing.
    pub fn receive(
        &mut self,
        id: SessionId,
        now: Now,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<(u64, Range<usize>)> {
        let Some(kept) = &mut self.kept else {
            let count = read(&mut self.buffer)?;
            return Ok((0, 0..count));
        };
        let at = kept.end;
        let receiving = Head::of(kept.generation, word::RECEIVING);
        kept.head.set(receiving, id.0 + 1);
        let place = &mut kept.half_mut().bytes_mut()[at..at + RECORD + CHUNK];
        let count = read(&mut place[RECORD..]);
        fault::point("input.read");
        if let Ok(count) = count
            && count > 0
        {
            let head = record_head(Kind::Bytes, id, now, &place[RECORD..RECORD + count]);
            place[..RECORD].copy_from_slice(&head);
            fault::point("input.written");
            kept.commit(at + RECORD + count);
            fault::point("input.committed");
        }
        kept.head.set(receiving, 0);
        Ok((at as u64, at + RECORD..at + RECORD + count?))
    }

    /// Commits `len` bytes of client `id` that a former process received behind the end of the tape.
    pub fn recover(&mut self, id: SessionId, now: Now, len: usize) -> (u64, Range<usize>) {
        let Some(kept) = &mut self.kept else { return (0, 0..0) };
        let at = kept.end;
        let place = &mut kept.half_mut().bytes_mut()[at..at + RECORD + CHUNK];
        let head = record_head(Kind::Bytes, id, now, &place[RECORD..RECORD + len]);
        place[..RECORD].copy_from_slice(&head);
        kept.commit(at + RECORD + len);
        kept.head.set(Head::of(kept.generation, word::RECEIVING), 0);
        (at as u64, at + RECORD..at + RECORD + len)
    }

    /// Whose input was being received when the process died.
    #[must_use]
    pub fn receiving(&self) -> Option<SessionId> {
        self.now(word::RECEIVING).checked_sub(1).map(SessionId)
    }

    /// Record `at` is being handled from now on, until [`Self::handled`].
    pub fn handling(&self, at: u64, since: Mono) {
        if let Some(kept) = &self.kept {
            kept.head.set(word::SINCE, since.0);
            kept.head.set(word::HANDLING, at + 1);
        }
    }

    /// No record is being handled.
    pub fn handled(&self) {
        if let Some(kept) = &self.kept {
            kept.head.set(word::HANDLING, 0);
            kept.head.set(word::SINCE, 0);
        }
    }

    /// Whether a record is being handled.
    #[must_use]
    pub fn is_handling(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.head.get(word::HANDLING) != 0)
    }

    /// From now on, a crash of this process is known to the next one. To be called once.
    pub fn tell_of_crashes(&self) {
        if let Some(kept) = &self.kept {
            kernel::tell_of_crashes(kept.head.0.clone(), word::CRASHED, word::SINCE);
        }
    }

    /// This process is going to die of what it is handling.
    pub fn crashes(&self) {
        if let Some(kept) = &self.kept {
            kept.head.set(word::CRASHED, 1);
        }
    }

    /// What the death of the last process tells. To be asked once, by the one that takes over.
    pub fn autopsy(&self) -> Option<Suspect> {
        let head = &self.kept.as_ref()?.head;
        let (handling, crashed) = (head.get(word::HANDLING), head.get(word::CRASHED));
        head.set(word::TAKEN_OVER, head.get(word::TAKEN_OVER) + if crashed == 0 { 1 } else { CRASH });
        let same = handling != 0 && head.get(word::SUSPECT) == handling;
        let before = |word| if same { head.get(word) } else { 0 };
        head.set(word::SUSPECTED, before(word::SUSPECTED) + 1);
        head.set(word::CRASHES, before(word::CRASHES) + crashed);
        head.set(word::SUSPECT, handling);
        for word in [word::HANDLING, word::SINCE, word::CRASHED] {
            head.set(word, 0);
        }
        let (deaths, crashes) = (head.get(word::SUSPECTED), head.get(word::CRASHES));
        (handling != 0).then(|| Suspect { at: handling - 1, deaths, crashes })
    }

    /// Makes nothing of a record, so that it is handled no more.
    pub fn poison(&mut self, record: &Record) {
        let Some(kept) = &mut self.kept else { return };
        let at = usize::try_from(record.at).expect("it was read there");
        let place = kept.half_mut().bytes_mut();
        let head = record_head(Kind::Poison, record.id, record.now, &place[record.content.clone()]);
        place[at..at + RECORD].copy_from_slice(&head);
    }

    /// Whether too many processes in a row took over and died before they had run for a while. Whatever
    /// it is that they die of, it is in what they take over.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.head.get(word::TAKEN_OVER) > HOPELESS)
    }

    /// This process has run for a while.
    pub fn settled(&self) {
        if let Some(kept) = &self.kept {
            kept.head.set(word::TAKEN_OVER, 0);
        }
    }

    /// Everybody was told goodbye: nobody has anything to take over.
    pub fn close(&self) {
        if let Some(kept) = &self.kept {
            kept.head.set(word::CLOSED, 1);
        }
    }

    /// Begins a new generation with these snapshots, and forgets the old one.
    pub fn snapshot(&mut self, machine: &[u8], owed: &[u8], epoch: u64) {
        let Some(from) = self.kept.as_ref().map(|kept| kept.end) else { return };
        self.snapshot_of(machine, owed, from, epoch);
    }

    /// Begins a new generation with these snapshots, which do not contain the records from `from` on.
    pub fn snapshot_of(&mut self, machine: &[u8], owed: &[u8], from: usize, epoch: u64) {
        let Some(mut blank) = self.blank(from) else { return };
        let place = blank.place.bytes_mut();
        place[..machine.len()].copy_from_slice(machine);
        place[machine.len()..machine.len() + owed.len()].copy_from_slice(owed);
        let check = check(&[machine, owed]);
        let written = Written { place: blank.place, from, along: 0, machine: machine.len(), owed: owed.len(), check };
        if let Some(old) = self.count(written, epoch) {
            self.take_back(old.cleared());
        }
    }

    /// The half of the file that does not count, for a snapshot of what is now, while inputs go on being kept.
    /// `None` if it is away already, or nothing is kept.
    pub fn begin(&mut self) -> Option<Blank> {
        let from = self.kept.as_ref()?.end;
        self.blank(from)
    }

    fn blank(&mut self, from: usize) -> Option<Blank> {
        let kept = self.kept.as_mut()?;
        fault::point("snapshot.started");
        let place = kept.halves[usize::from(kept.generation.is_multiple_of(2))].take()?;
        Some(Blank { place, from })
    }

    /// Copies at most `most` bytes of the inputs since a snapshot was begun behind it. Whether these were all, so
    /// that to have it count takes no time.
    pub fn copy_since(&self, written: &mut Written, most: usize) -> bool {
        let Some(kept) = &self.kept else { return true };
        let (from, to) = (written.from + written.along, kept.end);
        let some = (to - from).min(most);
        let place = written.start() + written.along;
        written.place.bytes_mut()[place..place + some].copy_from_slice(&kept.half().bytes()[from..from + some]);
        written.along += some;
        some == to - from
    }

    /// Has a snapshot count from now on, with the records that came since it was begun, and the cuts.
    pub fn count(&mut self, written: Written, epoch: u64) -> Option<Old> {
        let kept = self.kept.as_mut()?;
        let start = written.start();
        let Written { mut place, from, along, machine, owed, check } = written;
        let (old, new) = (kept.generation, kept.generation + 1);
        let head = kept.head.clone();
        let of = |word| Head::of(new, word);
        let end = start + (kept.end - from);
        // What is being received, and was not committed, is copied as well.
        let receiving = head.get(Head::of(old, word::RECEIVING));
        let behind = if receiving == 0 { 0 } else { RECORD + CHUNK };
        place.bytes_mut()[start + along..end + behind]
            .copy_from_slice(&kept.half().bytes()[from + along..kept.end + behind]);
        for (word, value) in [
            (word::EPOCH, epoch),
            (word::MACHINE, machine as u64),
            (word::OWED, owed as u64),
            (word::CHECK, check),
            (word::START, start as u64),
            (word::END, end as u64),
            (word::RECEIVING, receiving),
        ] {
            head.set(of(word), value);
        }
        fault::point("snapshot.written");
        // Where records stand is said anew.
        head.set(word::HANDLING, 0);
        head.set(word::SUSPECT, 0);
        let cuts = kept.cuts.clone();
        let mut cuts = cuts.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner));
        let used = cuts.as_mut().map_or(0, |cuts| cuts.go_over(old, new));
        head.set(word::GENERATION, new);
        drop(cuts);
        fault::point("snapshot.flipped");
        let index = u64::from(old % 2 == 1);
        let used = [
            (PAGE + index * INPUTS, (kept.end as u64 + CHUNK as u64).next_multiple_of(PAGE)),
            (PAGE + 2 * INPUTS + index * CUTS, used.next_multiple_of(PAGE)),
        ];
        kept.halves[usize::from(new % 2 == 1)] = Some(place);
        let place = kept.halves[usize::from(old % 2 == 1)].take()?;
        (kept.generation, kept.start, kept.end) = (new, start, end);
        // Without a descriptor more, the memory is used again and not given back.
        let file = kept.file.try_clone();
        match file {
            Ok(file) => Some(Old { place, file, used }),
            Err(_) => {
                self.take_back(place);
                None
            }
        }
    }

    /// Takes the half that does not count back.
    pub fn take_back(&mut self, place: Mapping) {
        if let Some(kept) = &mut self.kept {
            kept.halves[usize::from(kept.generation.is_multiple_of(2))] = Some(place);
        }
    }

    /// Takes back the half to which nothing could be written.
    pub fn leave_blank(&mut self, blank: Blank) {
        self.take_back(blank.place);
    }

    /// Where the records begin, and where they end.
    #[must_use]
    pub fn extent(&self) -> Range<usize> {
        self.kept.as_ref().map_or(0..0, |kept| kept.start..kept.end)
    }
}

/// Where the next record may start behind one that ends there.
fn step(end: usize) -> usize {
    end.next_multiple_of(8)
}

fn aligned(len: u64) -> u64 {
    len.next_multiple_of(8)
}

impl Kept {
    fn half(&self) -> &Mapping {
        self.halves[usize::from(self.generation % 2 == 1)].as_ref().expect("the half that counts is never away")
    }

    fn half_mut(&mut self) -> &mut Mapping {
        self.halves[usize::from(self.generation % 2 == 1)].as_mut().expect("the half that counts is never away")
    }

    fn commit(&mut self, end: usize) {
        self.end = step(end);
        self.head.set(Head::of(self.generation, word::END), self.end as u64);
    }
}

impl KeptCuts {
    fn half(&self) -> (u64, usize) {
        let generation = self.head.get(word::GENERATION);
        (generation, usize::from(generation % 2 == 1))
    }

    fn end(&self, generation: u64) -> usize {
        usize::try_from(self.head.get(Head::of(generation, word::CUTS_END))).unwrap_or(usize::MAX)
    }

    /// Takes the cuts that were made since the snapshot was begun over from generation `old` to `new`. Returns how
    /// many bytes the old ones take.
    fn go_over(&mut self, old: u64, new: u64) -> u64 {
        let end = self.end(old);
        let (base, from) = self.next.take().unwrap_or((self.base, end));
        let [even, odd] = &mut self.halves;
        let (before, after) = if old % 2 == 1 { (odd, even) } else { (even, odd) };
        let mut at = 0;
        for cut in before.bytes().get(from..end).unwrap_or_default().chunks_exact(CUT) {
            // Orders are counted from the snapshot on.
            if let Some(cut) = Cut::read(cut) {
                Cut { order: cut.order.saturating_sub(base - self.base), ..cut }
                    .write(&mut after.bytes_mut()[at..at + CUT]);
                at += CUT;
            }
        }
        self.head.set(Head::of(new, word::CUTS_END), at as u64);
        self.base = base;
        end as u64
    }
}

impl Cut {
    fn write(self, place: &mut [u8]) {
        for (place, value) in place[8..].chunks_exact_mut(8).zip([self.order, self.id.0, self.sent, self.to]) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        let check = check(&[&place[8..]]);
        place[..8].copy_from_slice(&check.to_le_bytes());
    }

    fn read(place: &[u8]) -> Option<Self> {
        let number = |at: usize| place.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        (number(0)? == check(&[place.get(8..)?])).then_some(())?;
        Some(Self { order: number(8)?, id: SessionId(number(16)?), sent: number(24)?, to: number(32)? })
    }
}

impl Cuts {
    fn lock(&self) -> Option<MutexGuard<'_, KeptCuts>> {
        // Both threads that hold it end the process if they panic.
        Some(self.kept.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes a cut and commits it; its order counts from the start of this process. Whether there was room for
    /// it: it is not to be made otherwise, until the next snapshot.
    pub fn append(&mut self, cut: Cut) -> bool {
        let Some(mut kept) = self.lock() else { return true };
        let (generation, half) = kept.half();
        let at = kept.end(generation);
        let cut = Cut { order: cut.order.saturating_sub(kept.base), ..cut };
        let Some(place) = kept.halves[half].bytes_mut().get_mut(at..at + CUT) else { return false };
        cut.write(place);
        kept.head.set(Head::of(generation, word::CUTS_END), (at + CUT) as u64);
        true
    }

    /// What is owed is being written down, behind `orders` orders since the start of this process: the cuts from
    /// the last `left` on stay recorded.
    pub fn begin(&self, orders: u64, left: usize) {
        if let Some(mut kept) = self.lock() {
            let (generation, _) = kept.half();
            let from = kept.end(generation).saturating_sub(left * CUT);
            kept.next = Some((orders, from));
        }
    }

    /// The cuts since the snapshot.
    ///
    /// # Errors
    /// [`Unusable::Damaged`].
    pub fn all(&self) -> Result<Vec<Cut>, Unusable> {
        let Some(kept) = self.lock() else { return Ok(Vec::new()) };
        let (generation, half) = kept.half();
        let damaged = Unusable::Damaged("a cut");
        let bytes = kept.halves[half].bytes().get(..kept.end(generation)).ok_or(damaged.clone())?;
        bytes.chunks(CUT).map(Cut::read).collect::<Option<_>>().ok_or(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono: u64) -> Now {
        Now { mono: Mono(mono), wall: Wall(7) }
    }

    fn reopened(tape: &Tape) -> Result<Option<(Tape, Cuts)>, Unusable> {
        Tape::open(tape.file().expect("it is kept").try_clone_to_owned().expect("a descriptor"))
    }

    fn contents(tape: &Tape) -> Vec<(Kind, u64, Vec<u8>)> {
        let records = tape.records().expect("sound");
        records
            .iter()
            .map(|record| (record.kind, record.now.mono.0, tape.content(record.content.clone()).to_vec()))
            .collect()
    }

    #[test]
    fn what_was_committed_is_there_for_the_next_process() {
        let (mut tape, mut cuts) = Tape::new().expect("a memory file");
        assert!(reopened(&tape).expect("sound").is_none(), "there is nothing before the first snapshot");
        tape.snapshot(b"machine", b"owed", 5);
        tape.append(at(1), b"{}");
        let (_, range) = tape
            .receive(SessionId(9), at(2), |place| {
                place[..5].copy_from_slice(b"hello");
                Ok(5)
            })
            .expect("it reads");
        assert_eq!(tape.content(range), b"hello");
        assert!(tape.receive(SessionId(9), at(3), |_| Err(io::ErrorKind::WouldBlock.into())).is_err());
        let cut = Cut { order: 3, id: SessionId(9), sent: 100, to: 7 };
        assert!(cuts.append(cut));

        let (mut next, next_cuts) = reopened(&tape).expect("sound").expect("something to take over");
        assert_eq!(next.snapshots(), (&b"machine"[..], &b"owed"[..]));
        assert_eq!(next.epoch(), 5);
        assert_eq!(contents(&next), [(Kind::Input, 1, b"{}".to_vec()), (Kind::Bytes, 2, b"hello".to_vec())]);
        assert_eq!(next_cuts.all(), Ok(vec![cut]));
        assert_eq!(next.receiving(), None);

        next.snapshot(b"later", b"", 6);
        next.append(at(4), b"[]");
        let (last, last_cuts) = reopened(&next).expect("sound").expect("something to take over");
        assert_eq!(last.snapshots(), (&b"later"[..], &b""[..]));
        assert_eq!(contents(&last), [(Kind::Input, 4, b"[]".to_vec())]);
        assert_eq!(last_cuts.all(), Ok(vec![]));
        last.close();
        assert!(reopened(&last).expect("sound").is_none(), "after a goodbye there is nothing to take over");
    }

    #[test]
    fn what_was_being_received_is_found() {
        let (mut tape, _cuts) = Tape::new().expect("a memory file");
        tape.snapshot(b"", b"", 0);
        let file = tape.file().expect("kept").try_clone_to_owned().expect("a descriptor");
        let _ = tape.receive(SessionId(4), at(1), |_| {
            // As if the process died here.
            let (next, _) = Tape::open(file).expect("sound").expect("something to take over");
            assert_eq!(next.receiving(), Some(SessionId(4)));
            assert!(next.is_empty());
            Ok(0)
        });
        assert_eq!(tape.receiving(), None);
    }

    #[test]
    fn a_record_that_processes_die_of_is_counted_and_can_be_made_nothing_of() {
        let (mut tape, _cuts) = Tape::new().expect("a memory file");
        tape.snapshot(b"", b"", 0);
        tape.append(at(1), b"good");
        let (bad, _) = tape.append(at(2), b"bad");
        for deaths in 1..=3 {
            tape.handling(bad, Mono(1));
            if deaths > 1 {
                tape.crashes();
            }
            assert_eq!(tape.autopsy(), Some(Suspect { at: bad, deaths, crashes: deaths - 1 }));
        }
        assert_eq!(tape.autopsy(), None, "one that did not die of it clears it");
        tape.handling(bad, Mono(1));
        assert_eq!(tape.autopsy(), Some(Suspect { at: bad, deaths: 1, crashes: 0 }));
        let record = tape.records().expect("sound").pop().expect("two records");
        tape.poison(&record);
        assert_eq!(contents(&tape)[1].0, Kind::Poison);
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let (mut tape, mut cuts) = Tape::new().expect("a memory file");
        tape.snapshot(&[b'm'; 100], &[b'o'; 50], 1);
        for count in 0..20 {
            tape.append(at(count), format!("input {count}").as_bytes());
        }
        cuts.append(Cut { order: 1, id: SessionId(1), sent: 1, to: 1 });
        let file = tape.file().expect("kept");
        let sound = |file: BorrowedFd<'_>| -> Result<(), Unusable> {
            let (tape, cuts) = Tape::open(file.try_clone_to_owned().expect("a descriptor"))?.ok_or(Unusable::NoTape)?;
            tape.records()?;
            cuts.all().map(drop)
        };
        assert_eq!(sound(file), Ok(()));
        let end = PAGE + INPUTS + 150 + tape.len();
        let places =
            (PAGE + INPUTS..end).step_by(3).chain(PAGE + 2 * INPUTS + CUTS..PAGE + 2 * INPUTS + CUTS + CUT as u64);
        for place in places {
            let place = i64::try_from(place).expect("a place");
            let mut byte = [0];
            nix::sys::uio::pread(file, &mut byte, place).expect("it reads");
            nix::sys::uio::pwrite(file, &[byte[0] ^ 0x10], place).expect("it writes");
            // The unused word and the padding between records bear nothing.
            let found = sound(file).is_err();
            nix::sys::uio::pwrite(file, &byte, place).expect("it writes");
            let padding = byte[0] == 0;
            assert!(found || padding, "damage at {place}");
        }
        assert_eq!(sound(file), Ok(()));
    }
}
