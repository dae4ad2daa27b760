//! Cuts: decisions of the rounds that do not follow from the inputs alone, and are on the tape
//! beside them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::layout::{Head, check};
use super::{Tape, Unusable, word};
use crate::kernel::Mapping;
use crate::values::id::SessionId;

/// The length of the cuts, in bytes, at which a new snapshot is due: about 100,000 cuts.
const CUTS_LENGTH: u64 = 4 * 1024 * 1024;

/// A decision of the rounds that depends on timing. A replay makes it again after the same order,
/// when the client's socket has taken the same number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// How many orders came before the cut, since the snapshot.
    pub order: u64,
    /// The client that missed lines, or for which a frame was composed.
    pub id: SessionId,
    /// How many bytes the client was sent before the cut, in all.
    pub sent: u64,
    /// The number of the next line that the client is shown, so that it misses the lines before; or
    /// [`Self::FRAME`].
    pub to: u64,
}

impl Cut {
    /// Stands in place of a line number if no lines were missed, and a frame was composed: from
    /// what the client was owed, and what is typed on its terminal.
    pub const FRAME: u64 = u64::MAX;
}

pub(super) const CUT: usize = 40;

/// The tape's cuts. The rounds write them; the tape holds their lock for a moment at each snapshot.
#[derive(Clone, Debug)]
pub struct Cuts {
    pub(super) kept: Option<Arc<Mutex<KeptCuts>>>,
}

#[derive(Debug)]
pub(super) struct KeptCuts {
    pub(super) head: Arc<Head>,
    pub(super) halves: [Mapping; 2],
    /// How many orders this process's rounds had applied at the snapshot that counts.
    pub(super) base: u64,
    /// How many orders had been applied at the snapshot that is being written, and the offset in
    /// bytes of the first cut after it.
    pub(super) next: Option<(u64, usize)>,
}

impl Tape {
    /// Whether the number of cuts calls for a new snapshot.
    #[must_use]
    pub fn has_many_cuts(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| {
            let generation = kept.head.get(word::GENERATION);
            kept.head.get(Head::of(generation, word::CUTS_END)) > CUTS_LENGTH
        })
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

    /// Copies the cuts that were made since the new snapshot was begun, from generation `old` to
    /// `new`. Returns how many bytes all cuts of `old` take.
    pub(super) fn copy_to_next(&mut self, old: u64, new: u64) -> u64 {
        let end = self.end(old);
        let (base, from) = self.next.take().unwrap_or((self.base, end));
        let [even, odd] = &mut self.halves;
        let (before, after) = if old % 2 == 1 { (odd, even) } else { (even, odd) };
        let mut at = 0;
        for cut in before.bytes().get(from..end).unwrap_or_default().chunks_exact(CUT) {
            // `Cut::order` counts from the snapshot.
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
        // A panic of either thread that holds the lock ends the process.
        Some(self.kept.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes a cut and commits it. `cut.order` counts from the start of this process. Returns
    /// `false` if the tape has no room: then the caller must not make the cut before the next
    /// snapshot.
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

    /// Notes that a snapshot of what clients are owed is begun, after `orders` orders since the
    /// start of this process. The last `left` cuts, and all later ones, come after the new
    /// snapshot.
    pub fn begin(&self, orders: u64, left: usize) {
        if let Some(mut kept) = self.lock() {
            let (generation, _) = kept.half();
            let from = kept.end(generation).saturating_sub(left * CUT);
            kept.next = Some((orders, from));
        }
    }

    /// All cuts since the snapshot.
    ///
    /// # Errors
    /// [`Unusable::Damaged`] if a cut is damaged.
    pub fn all(&self) -> Result<Vec<Cut>, Unusable> {
        let Some(kept) = self.lock() else { return Ok(Vec::new()) };
        let (generation, half) = kept.half();
        let damaged = Unusable::Damaged("a cut");
        let bytes = kept.halves[half].bytes().get(..kept.end(generation)).ok_or(damaged.clone())?;
        bytes.chunks(CUT).map(Cut::read).collect::<Option<_>>().ok_or(damaged)
    }
}
