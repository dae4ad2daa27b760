//! The words of the first page, by number.

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
