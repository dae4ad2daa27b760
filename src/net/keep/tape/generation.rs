//! Snapshots on the tape: a new generation is written beside the one that counts, and then takes
//! its place.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::PoisonError;

use serde::Serialize;

use super::layout::{CUTS, Head, INPUTS, PAGE, aligned, check};
use super::record::RECORD;
use super::{CHUNK, Tape, word};
use crate::kernel::{self, Mapping};
use crate::net::keep::fault;

/// The half of the file that does not count, for a new snapshot. Inputs go on being written to the
/// other half.
#[derive(Debug)]
pub struct Blank {
    place: Mapping,
    /// Where the first record begins that is not part of the snapshot.
    from: usize,
}

/// A snapshot that is written but does not count yet.
#[derive(Debug)]
pub struct Written {
    place: Mapping,
    /// Where the first record begins that is not part of the snapshot.
    from: usize,
    /// How many bytes of records, from `from` on, are already copied behind the snapshot.
    copied: usize,
    /// Length of the machine's snapshot, in bytes.
    machine: usize,
    /// Length of the snapshot of what clients are owed, in bytes.
    owed: usize,
    check: u64,
}

/// The half of the file that no longer counts.
#[derive(Debug)]
pub struct Old {
    place: Mapping,
    file: OwnedFd,
    /// The two parts of the file that this half uses: the start and the length of each, in bytes.
    used: [(u64, u64); 2],
}

impl Written {
    /// Where the first record begins in this half, in bytes.
    fn start(&self) -> usize {
        usize::try_from(aligned((self.machine + self.owed) as u64)).expect("it is mapped")
    }
}

impl Blank {
    /// Writes both snapshots, as JSON.
    ///
    /// # Errors
    /// The snapshots do not fit. The half comes back, and can be used again.
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
        Ok(Written { place: self.place, from: self.from, copied: 0, machine, owed, check })
    }
}

impl Old {
    /// Gives the half's memory back to the kernel. With many megabytes that takes a while.
    #[must_use]
    pub fn cleared(self) -> Mapping {
        for (at, len) in self.used {
            // If the kernel does not take it back, the next snapshot overwrites this memory.
            let _ = kernel::give_back(&self.file, at, len);
        }
        self.place
    }
}

impl Tape {
    /// The snapshots that count: of the state machine, and of what clients are owed. Both are empty
    /// if the tape is not kept.
    #[must_use]
    pub fn snapshots(&self) -> (&[u8], &[u8]) {
        let Some(kept) = &self.kept else { return (&[], &[]) };
        let len = |word| usize::try_from(self.now(word)).unwrap_or(0);
        let bytes = kept.half().bytes();
        bytes[..len(word::MACHINE) + len(word::OWED)].split_at(len(word::MACHINE))
    }

    /// Begins a new generation with these snapshots and no records.
    pub fn snapshot(&mut self, machine: &[u8], owed: &[u8], epoch: u64) {
        let Some(from) = self.kept.as_ref().map(|kept| kept.end) else { return };
        self.snapshot_of(machine, owed, from, epoch);
    }

    /// Begins a new generation with these snapshots and the records from `from` on, which are
    /// copied.
    pub fn snapshot_of(&mut self, machine: &[u8], owed: &[u8], from: usize, epoch: u64) {
        let Some(mut blank) = self.blank(from) else { return };
        let place = blank.place.bytes_mut();
        place[..machine.len()].copy_from_slice(machine);
        place[machine.len()..machine.len() + owed.len()].copy_from_slice(owed);
        let check = check(&[machine, owed]);
        let written = Written { place: blank.place, from, copied: 0, machine: machine.len(), owed: owed.len(), check };
        if let Some(old) = self.make_current(written, epoch) {
            self.return_half(old.cleared());
        }
    }

    /// Takes the half of the file that does not count, for a snapshot of the present state. `None`
    /// if another snapshot uses it, or the tape is not kept.
    pub fn begin(&mut self) -> Option<Blank> {
        let from = self.kept.as_ref()?.end;
        self.blank(from)
    }

    fn blank(&mut self, from: usize) -> Option<Blank> {
        let kept = self.kept.as_mut()?;
        fault::point("snapshot.started");
        let place = kept.halves[usize::from(kept.generation.is_multiple_of(2))].take()?;
        self.slots.freeze();
        Some(Blank { place, from })
    }

    /// Copies at most `most` bytes of the inputs that came since the snapshot was begun to the
    /// place behind it. Returns whether all are copied now: then [`Self::make_current`] takes no
    /// time.
    pub fn copy_since(&self, written: &mut Written, most: usize) -> bool {
        let Some(kept) = &self.kept else { return true };
        let (from, to) = (written.from + written.copied, kept.end);
        let some = (to - from).min(most);
        let place = written.start() + written.copied;
        written.place.bytes_mut()[place..place + some].copy_from_slice(&kept.half().bytes()[from..from + some]);
        written.copied += some;
        some == to - from
    }

    /// Makes `written` the generation that counts, with the records and cuts that came since it was
    /// begun. Returns the half that counted before.
    pub fn make_current(&mut self, written: Written, epoch: u64) -> Option<Old> {
        let kept = self.kept.as_mut()?;
        let start = written.start();
        let Written { mut place, from, copied, machine, owed, check } = written;
        let (old, new) = (kept.generation, kept.generation + 1);
        let head = kept.head.clone();
        let of = |word| Head::of(new, word);
        let end = start + (kept.end - from);
        // Bytes that are being received and are not committed yet are copied too.
        let receiving = head.get(Head::of(old, word::RECEIVING));
        let behind = if receiving == 0 { 0 } else { RECORD + CHUNK };
        place.bytes_mut()[start + copied..end + behind]
            .copy_from_slice(&kept.half().bytes()[from + copied..kept.end + behind]);
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
        // The records are at other places now. The next call of [`Self::handling`] says where.
        head.set(word::HANDLING, 0);
        head.set(word::SUSPECT, 0);
        let cuts = kept.cuts.clone();
        let mut cuts = cuts.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner));
        let used = cuts.as_mut().map_or(0, |cuts| cuts.copy_to_next(old, new));
        head.set(word::GENERATION, new);
        drop(cuts);
        self.slots.count();
        fault::point("snapshot.flipped");
        let index = u64::from(old % 2 == 1);
        let used = [
            (PAGE + index * INPUTS, (kept.end as u64 + CHUNK as u64).next_multiple_of(PAGE)),
            (PAGE + 2 * INPUTS + index * CUTS, used.next_multiple_of(PAGE)),
        ];
        kept.halves[usize::from(new % 2 == 1)] = Some(place);
        let place = kept.halves[usize::from(old % 2 == 1)].take()?;
        (kept.generation, kept.start, kept.end) = (new, start, end);
        // Without a descriptor for it, the half's memory is not given back, and the next snapshot
        // overwrites it.
        let file = kept.file.try_clone();
        match file {
            Ok(file) => Some(Old { place, file, used }),
            Err(_) => {
                self.return_half(place);
                None
            }
        }
    }

    /// Takes back the half that does not count, so that the next snapshot can use it.
    pub fn return_half(&mut self, place: Mapping) {
        if let Some(kept) = &mut self.kept {
            kept.halves[usize::from(kept.generation.is_multiple_of(2))] = Some(place);
        }
    }

    /// Takes back a half to which no snapshot could be written.
    pub fn return_blank(&mut self, blank: Blank) {
        self.return_half(blank.place);
    }
}
