//! The indices of the words in the first page of the memory file.

/// Holds [`super::layout::MAGIC`].
pub(super) const MAGIC: usize = 0;
/// Holds [`super::layout::LAYOUT`].
pub(super) const LAYOUT: usize = 1;
/// The number of the generation that counts; 0 before the first snapshot.
pub(super) const GENERATION: usize = 2;
/// Where the record begins that is being handled, plus one; 0 if none is.
pub(super) const HANDLING: usize = 3;
/// Where the record begins that the last process was handling when it died, plus one; 0 if it was
/// handling none.
pub(super) const SUSPECT: usize = 4;
/// How many processes in a row died while they handled that record.
pub(super) const SUSPECTED: usize = 5;
/// How many processes have taken over since one last ran for a while. One that crashed counts 20.
pub(super) const TAKEN_OVER: usize = 6;
/// 1 after all clients were told goodbye: there is nothing to take over.
pub(super) const CLOSED: usize = 7;
/// Since when that record is being handled, in microseconds of `CLOCK_MONOTONIC`; 0 if none is.
pub(super) const SINCE: usize = 8;
/// 1 if the last process crashed; 0 if it ended, or was killed from outside.
pub(super) const CRASHED: usize = 9;
/// How many processes in a row crashed while they handled the record of [`SUSPECT`].
pub(super) const CRASHES: usize = 10;

/// The words of the two generations begin here, [`EACH`] for either. The indices below count from
/// the first word of a generation.
pub(super) const GENERATIONS: usize = 16;
pub(super) const EACH: usize = 16;
/// The hash of the program that writes the inputs.
pub(super) const EPOCH: usize = 0;
/// Length of the machine's snapshot, in bytes.
pub(super) const MACHINE: usize = 1;
/// Length of the snapshot of what clients are owed, in bytes.
pub(super) const OWED: usize = 2;
/// The check sum of both snapshots.
pub(super) const CHECK: usize = 3;
/// Where the first record begins.
pub(super) const START: usize = 4;
/// Where the last record ends.
pub(super) const END: usize = 5;
/// Length of the cuts, in bytes.
pub(super) const CUTS_END: usize = 6;
/// The client whose input is being received behind the end, plus one; 0 if none is.
pub(super) const RECEIVING: usize = 7;
