//! Deaths of processes: which input was being handled, how many processes died at it, and when
//! taking over is given up.

use super::record::{Kind, RECORD, Record, record_head};
use super::{Tape, word};
use crate::kernel;
use crate::values::time::Mono;

/// The input that the last process was handling when it died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Where the input's record begins.
    pub at: u64,
    /// How many processes in a row died while they handled it.
    pub deaths: u64,
    /// How many of these crashed. The others were killed from outside.
    pub crashes: u64,
}

/// Taking over is given up when [`word::TAKEN_OVER`] is more than this: more than 400 processes in
/// a row were killed, or more than 20 crashed.
const HOPELESS: u64 = 400;

/// What a process that crashed adds to that count. One that was killed adds 1.
const CRASH: u64 = 20;

impl Tape {
    /// Notes that the record at `at` is being handled, since `since`, until [`Self::handled`] is
    /// called.
    pub fn handling(&self, at: u64, since: Mono) {
        if let Some(kept) = &self.kept {
            kept.head.set(word::SINCE, since.0);
            kept.head.set(word::HANDLING, at + 1);
        }
    }

    /// Notes that no record is being handled.
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

    /// Has this process's signal handlers note a crash on the tape, for the next process. Call it
    /// once.
    pub fn tell_of_crashes(&self) {
        if let Some(kept) = &self.kept {
            kernel::tell_of_crashes(kept.head.0.clone(), word::CRASHED, word::SINCE);
        }
    }

    /// Notes for the next process that this one crashed while it handled the record.
    pub fn note_crash(&self) {
        if let Some(kept) = &self.kept {
            kept.head.set(word::CRASHED, 1);
        }
    }

    /// The input that the last process was handling when it died; `None` if it was handling none.
    /// Adds this death to the counts, so call it only once, when taking over.
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

    /// Marks a record as [`Kind::Poison`]: it is not handled again.
    pub fn poison(&mut self, record: &Record) {
        let Some(kept) = &mut self.kept else { return };
        let at = usize::try_from(record.at).expect("it was read there");
        let place = kept.half_mut().bytes_mut();
        let head = record_head(Kind::Poison, record.id, record.now, &place[record.content.clone()]);
        place[at..at + RECORD].copy_from_slice(&head);
    }

    /// Whether taking over is given up: too many processes in a row took over and died before they
    /// had run for a while, so the cause is in what they take over.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.head.get(word::TAKEN_OVER) > HOPELESS)
    }

    /// This process has run for a while: the count of those that died begins anew.
    pub fn forget_take_overs(&self) {
        if let Some(kept) = &self.kept {
            kept.head.set(word::TAKEN_OVER, 0);
        }
    }
}
