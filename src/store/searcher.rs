//! The thread that answers people's searches, one at a time, in the order of [`queue`].

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::health::lock;
use super::{Answer, Reader, Source, Tell, queue};
use crate::hub::archive::{Found, Reach, Search};

/// How long one search may read.
const SEARCH_TIME: Duration = Duration::from_millis(250);

/// How long one search may read while [`MANY`] or more others wait.
const SHORT_SEARCH_TIME: Duration = Duration::from_millis(50);

/// The number of waiting searches from which each may read for a shorter time.
const MANY: usize = 8;

/// The searching thread. After each search it rests as long as the search took. So searches take at
/// most half of a processor, however many people search.
pub(super) struct Searcher {
    pub(super) source: Source,
    pub(super) tell: Tell,
}

impl Searcher {
    pub(super) fn run(self, asked: &Receiver<Search>) {
        let Self { source, tell } = self;
        let mut open: Option<((u64, Option<Duration>), Reader)> = None;
        let mut waiting = queue::Queue::default();
        let answer = |search: &Search, found| {
            tell(Answer::Found { session: search.session, number: search.number, found: Box::new(found) });
        };
        let nothing = |reach| Found { lines: Vec::new(), through: 0, reach };
        loop {
            let first = if waiting.len() == 0 { asked.recv().ok() } else { None };
            for search in first.into_iter().chain(asked.try_iter()) {
                if let Some(refused) = waiting.push(search) {
                    answer(&refused, nothing(Reach::Busy));
                }
            }
            // The queue is empty only if all senders are gone.
            let Some(search) = waiting.pop() else { return };
            let begin = Instant::now();
            let time = if waiting.len() < MANY { SEARCH_TIME } else { SHORT_SEARCH_TIME };
            let state = {
                let health = lock(&source.health);
                (health.generation, health.keep)
            };
            if open.as_ref().is_none_or(|(of, _)| *of != state) {
                open = source.open().ok().map(|reader| (state, reader));
            }
            let found = open.as_ref().map(|(_, reader)| reader.search(&search, begin + time));
            let found = match found {
                Some(Ok(found)) => found,
                _ => {
                    open = None;
                    nothing(Reach::Memory)
                }
            };
            answer(&search, found);
            std::thread::sleep(begin.elapsed().min(SEARCH_TIME));
        }
    }
}
