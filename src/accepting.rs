//! What a loop that takes connections does after an error: it goes on at once, or it pauses.
//!
//! It knows no sockets and does not wait: the loop of each program waits in its own way, and writes
//! its own line to the journal.

use std::io;
use std::time::Duration;

use crate::kernel::is_about_one_connection;

/// The first pause and the longest. Each is twice as long as the one before.
pub const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// After this many errors in a row, each of them about one connection, the loop pauses all the same.
/// A security module that refuses accept(2) itself answers `EPERM` as a firewall does, and leaves
/// the connection in the backlog: without a pause, the loop would take a whole processor.
const MANY: u32 = 64;

/// A pause that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// How long to wait before the next attempt.
    pub length: Duration,
    /// Whether this is the first pause since a connection was taken: only that one is worth a line
    /// in the journal.
    pub is_first: bool,
}

/// The pauses of one loop.
#[derive(Debug)]
pub struct Pauses {
    next: Duration,
    /// Errors about one connection since a connection was taken, or since the last pause.
    in_a_row: u32,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { next: PAUSE.0, in_a_row: 0 }
    }
}

impl Pauses {
    /// What follows from an error of accept(2). `None`: the error is about the one connection that
    /// the call would have returned, and the next call may succeed. Otherwise the process or the
    /// system is out of descriptors or memory, and connections stay in the backlog meanwhile.
    pub fn after(&mut self, error: &io::Error) -> Option<Pause> {
        if is_about_one_connection(error) {
            self.in_a_row += 1;
            if self.in_a_row < MANY {
                return None;
            }
        }
        Some(self.pause())
    }

    /// The next pause, whatever the error was: for a loop in which an attempt that fails leaves the
    /// connection where it was.
    pub fn pause(&mut self) -> Pause {
        let pause = Pause { length: self.next, is_first: self.next == PAUSE.0 };
        (self.next, self.in_a_row) = ((self.next * 2).min(PAUSE.1), 0);
        pause
    }

    /// A connection was taken: the next pause is a short one again.
    pub fn end(&mut self) {
        *self = Self::default();
    }
}

/// All connections that wait, for a program that cannot start and turns them away. `take` accepts
/// one, without waiting. It ends when none waits any more, and not at an error about one of them:
/// the others would make the service manager start the program again.
pub fn waiting<T>(mut take: impl FnMut() -> io::Result<T>) -> impl Iterator<Item = T> {
    let mut pauses = Pauses::default();
    std::iter::from_fn(move || {
        loop {
            match take() {
                Ok(taken) => {
                    pauses.end();
                    return Some(taken);
                }
                Err(error) if pauses.after(&error).is_none() => {}
                Err(_) => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn only_what_the_system_is_out_of_makes_a_pause_and_each_is_longer() {
        let mut pauses = Pauses::default();
        for errno in [Errno::ECONNABORTED, Errno::EPROTO, Errno::ENETUNREACH, Errno::EPERM, Errno::EINTR] {
            assert_eq!(pauses.after(&errno.into()), None, "{errno}");
        }
        assert_eq!(pauses.after(&io::ErrorKind::ConnectionAborted.into()), None);
        let mut pause =
            |errno: Errno| pauses.after(&errno.into()).map(|pause| (pause.length.as_millis(), pause.is_first));
        for errno in [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM] {
            assert!(pause(errno).is_some(), "{errno}");
        }
        assert_eq!(pause(Errno::EMFILE), Some((1600, false)));
        assert_eq!(pause(Errno::EMFILE), Some((2000, false)));
        assert_eq!(pause(Errno::EMFILE), Some((2000, false)));
        pauses.end();
        assert_eq!(pauses.pause(), Pause { length: PAUSE.0, is_first: true });
        assert_eq!(pauses.pause(), Pause { length: PAUSE.0 * 2, is_first: false });
    }

    #[test]
    fn all_who_wait_are_turned_away_though_some_have_gone() {
        let mut found =
            [Ok(1), Err(Errno::ECONNABORTED), Ok(2), Err(Errno::EPROTO), Err(Errno::EAGAIN), Ok(3)].into_iter();
        let taken: Vec<i32> = waiting(|| found.next().expect("it stops before").map_err(Into::into)).collect();
        assert_eq!(taken, [1, 2]);
        assert_eq!(waiting(|| Err::<(), _>(Errno::EPERM.into())).count(), 0);
    }

    #[test]
    fn errors_about_one_connection_that_do_not_end_make_a_pause() {
        let mut pauses = Pauses::default();
        for round in 0..3 {
            let went_on = std::iter::repeat_with(|| pauses.after(&Errno::EPERM.into())).take_while(Option::is_none);
            assert_eq!(went_on.count(), 63, "round {round}");
        }
        assert_eq!(pauses.next, PAUSE.0 * 8);
        pauses.end();
        assert_eq!(pauses.after(&Errno::EPERM.into()), None);
    }
}
