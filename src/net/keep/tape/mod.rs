//! The tape: a snapshot of the state machine, and all inputs since, in memory that outlives the
//! process.
//!
//! The tape is a memory file in the service manager's descriptor store. It has two halves, one for
//! each of two generations. A generation has
//! - a snapshot of the state machine and of what clients are owed, and behind it the inputs since;
//! - the cuts: decisions of the rounds that do not follow from the inputs alone.
//!
//! Beside the generations there are slots, with the secrets of encrypted connections. These are
//! part of no snapshot.
//!
//! An input is committed by one store, to the word that says where the tape ends. The kernel
//! receives a client's bytes straight onto the tape, behind its end: that needs no further system
//! call and no copy. If the process dies before it commits those bytes, the kernel's count of bytes
//! read from the socket tells how many they are.
//!
//! A new generation is written into the half that does not count. One store then makes it the one
//! that counts.
//!
//! If the service manager does not keep descriptors, the tape keeps nothing, and is only a buffer
//! for receiving.
//!
//! The tape does not know what inputs and snapshots mean: to the tape they are bytes.
//!
//! | to change | see |
//! | --- | --- |
//! | where things are in the file, and how large each part is | `layout`; its first page: `word` |
//! | the contents of a record; reading and checking records | `record` |
//! | appending an input; receiving from a socket onto the tape | `write` |
//! | taking snapshots while inputs go on | `generation` |
//! | decisions of the rounds that are recorded | `cuts` |
//! | the secrets of encrypted connections, and the marks of their last records | `slots` |
//! | when an input at which processes die is left out | `deaths`, bounds in [`super::recovery`] |

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use crate::kernel::{self, Mapping};

mod cuts;
mod deaths;
mod generation;
mod layout;
mod record;
mod slots;
mod word;
mod write;

use cuts::KeptCuts;
pub use cuts::{Cut, Cuts};
pub use deaths::Suspect;
pub use generation::{Blank, Old, Written};
use layout::{CUTS, Head, INPUTS, LAYOUT, MAGIC, PAGE, TOTAL, aligned, check};
pub use record::{Kind, Record};
use slots::SLOTS;
pub use slots::{Mark, Sealed, Slot, Slots};

/// The most bytes that [`Tape::receive`] takes from a socket in one call.
pub const CHUNK: usize = 8 * 1024;

/// The length of the inputs, in bytes, at which a new snapshot is due: tens of thousands of lines.
/// To handle that many again takes less than 0.1 s.
pub const LENGTH: u64 = 4 * 1024 * 1024;

/// Returns [`LENGTH`]. In debug builds tests set another length by `CHATHUB_TAPE`.
#[must_use]
pub fn length() -> u64 {
    let asked = if cfg!(debug_assertions) { std::env::var("CHATHUB_TAPE").ok() } else { None };
    asked.and_then(|bytes| bytes.parse().ok()).unwrap_or(LENGTH)
}

/// Why a tape cannot be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// The file is no tape.
    NoTape,
    /// The file has the layout of another release: its number.
    Layout(u64),
    /// The tape does not fit together: which part.
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

/// A tape that is kept: its file, mapped.
#[derive(Debug)]
struct Kept {
    file: OwnedFd,
    head: Arc<Head>,
    generation: u64,
    /// The halves of the file for snapshots and inputs. The half that does not count is `None`
    /// while a snapshot is written to it, or its memory is given back.
    halves: [Option<Mapping>; 2],
    cuts: Cuts,
    /// Where the next record begins in the half that counts, in bytes.
    end: usize,
    /// Where the first record begins in the half that counts, in bytes.
    start: usize,
}

/// The tape. The driver writes all of it except the cuts, which the rounds write.
#[derive(Debug)]
pub struct Tape {
    /// `None` if the service manager does not keep the tape.
    kept: Option<Kept>,
    /// Where a tape that is not kept receives input: [`CHUNK`] bytes. Empty if the tape is kept.
    buffer: Box<[u8]>,
    slots: Slots,
}

impl Tape {
    /// A tape that keeps nothing.
    #[must_use]
    pub fn unkept() -> (Self, Cuts) {
        let tape = Self { kept: None, buffer: vec![0; CHUNK].into(), slots: Slots::new(None) };
        (tape, Cuts { kept: None })
    }

    /// An empty tape, of generation 0. It can be taken over only after its first snapshot.
    ///
    /// # Errors
    /// Any error of memfd_create(2) and mmap(2).
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
        let cuts = [half(PAGE + 2 * INPUTS, CUTS - SLOTS)?, half(PAGE + 2 * INPUTS + CUTS, CUTS - SLOTS)?];
        // Former releases do not use the end of the last part: their cuts never become so many.
        let slots = Slots::new(Some(half(TOTAL - SLOTS, SLOTS)?));
        let cuts = KeptCuts { head: head.clone(), halves: cuts, base: 0, next: None };
        let cuts = Cuts { kept: Some(Arc::new(Mutex::new(cuts))) };
        let halves = halves.map(Some);
        let kept = Kept { file, head, generation: 0, halves, cuts: cuts.clone(), end: 0, start: 0 };
        Ok((Self { kept: Some(kept), buffer: Box::default(), slots }, cuts))
    }

    /// The tape that a former process has left. `None` if that process had told all clients
    /// goodbye, or had not made its first snapshot.
    ///
    /// # Errors
    /// [`Unusable`]. Nothing on the tape is used then.
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
        if start != aligned(lengths)
            || end < start
            || end > INPUTS - 2 * CHUNK as u64
            || of(word::CUTS_END) > CUTS - SLOTS
        {
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

    /// The [`epoch`](Self::epoch) of the program that has left inputs on the tape in `file`. `None`
    /// if there are no inputs, or no usable tape.
    #[must_use]
    pub fn left_by(file: BorrowedFd<'_>) -> Option<u64> {
        let (tape, _) = Self::open(file.try_clone_to_owned().ok()?).ok()??;
        (!tape.is_empty()).then(|| tape.epoch())
    }

    /// The slots on the tape that a former process has left, by cookie, even if the rest of the
    /// tape is damaged. `None` if `file` is no tape, or has another layout.
    #[must_use]
    pub fn slots_of(file: &OwnedFd) -> Option<HashMap<u64, Slot>> {
        let file = file.try_clone().ok().filter(|file| kernel::is_memory_file(file, TOTAL))?;
        let (tape, _) = Self::map(file).ok()?;
        let head = &tape.kept.as_ref()?.head;
        (head.get(word::MAGIC) == MAGIC && head.get(word::LAYOUT) == LAYOUT).then(|| tape.slots.found())
    }

    /// Whether the tape outlives the process.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// The memory file, for the descriptor store; `None` if the tape is not kept.
    #[must_use]
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.kept.as_ref().map(|kept| kept.file.as_fd())
    }

    /// A word of the generation that counts; 0 if the tape is not kept.
    fn now(&self, word: usize) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.head.get(Head::of(kept.generation, word)))
    }

    /// The hash of the program that writes the inputs. Only the same program gets the same outcomes
    /// from them.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.now(word::EPOCH)
    }

    /// Notes that this program writes the inputs from now on. Call it only while there are no
    /// inputs.
    pub fn set_epoch(&self, epoch: u64) {
        if let Some(kept) = &self.kept {
            kept.head.set(Head::of(kept.generation, word::EPOCH), epoch);
        }
    }

    /// Length of the records since the snapshot, in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| (kept.end - kept.start) as u64)
    }

    /// Whether no record came since the snapshot.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Notes that all clients were told goodbye: the next process has nothing to take over.
    pub fn close(&self) {
        if let Some(kept) = &self.kept {
            kept.head.set(word::CLOSED, 1);
        }
    }

    /// The slots of encrypted connections.
    #[must_use]
    pub const fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Where the records begin and end in the half that counts, in bytes.
    #[must_use]
    pub fn extent(&self) -> Range<usize> {
        self.kept.as_ref().map_or(0..0, |kept| kept.start..kept.end)
    }
}

impl Kept {
    fn half(&self) -> &Mapping {
        self.halves[usize::from(self.generation % 2 == 1)].as_ref().expect("the half that counts is never away")
    }

    fn half_mut(&mut self) -> &mut Mapping {
        self.halves[usize::from(self.generation % 2 == 1)].as_mut().expect("the half that counts is never away")
    }
}

#[cfg(test)]
mod tests;
