//! Clean-up before a signal or a panic ends the program: an incomplete file is removed, a terminal
//! without echo is restored.
//!
//! For this the signals that end a program are blocked, and one thread waits for them. It does the
//! clean-up and then dies of the same signal, so that the shell sees the usual exit status (130 for
//! Ctrl-C, 143 for SIGTERM). Signals that are ignored, as under nohup, stay ignored.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{SigSet, Signal, raise};

/// The signals with which a person, a terminal or a service manager ends a program.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// A clean-up.
type Act = Box<dyn FnOnce() + Send>;

/// The clean-up to do, if there is one, and whether the thread that waits for signals runs.
static BEFORE_END: Mutex<(Option<Act>, bool)> = Mutex::new((None, false));

/// A clean-up that is done if a signal or a panic ends the program before [`Self::disarm`]. There
/// is at most one at a time.
pub(super) struct BeforeEnd(());

impl BeforeEnd {
    /// From now on, `act` runs before a signal ends the program, and before the message of a panic
    /// is printed. Call this while the program has only one thread: threads started before it would
    /// still die of the signals.
    ///
    /// # Errors
    /// If the signals cannot be blocked or the thread cannot be started.
    pub(super) fn does(act: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let mut before = lock();
        if !before.1 {
            let ignored = ignored();
            let mut ending = SigSet::empty();
            ENDING.into_iter().filter(|signal| !ignored(*signal)).for_each(|signal| ending.add(signal));
            ending.thread_block()?;
            std::thread::Builder::new().name("signals".into()).spawn(move || die_of(ending))?;
            let tell = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                before_panic();
                tell(panic);
            }));
            before.1 = true;
        }
        before.0 = Some(Box::new(act));
        Ok(Self(()))
    }

    /// Whether the clean-up is still to be done. After a panic it has been done.
    pub(super) fn is_armed(&self) -> bool {
        lock().0.is_some()
    }

    /// Runs `last` while no signal can end the program, and then forgets the clean-up.
    pub(super) fn disarm<T>(&self, last: impl FnOnce() -> T) -> T {
        let mut before = lock();
        let done = last();
        before.0 = None;
        done
    }
}

/// The thread: waits for one of the signals `ending`, does the clean-up, and dies of that signal.
fn die_of(ending: SigSet) {
    let Ok(signal) = ending.wait() else { return };
    // The lock is never released: other threads that would disarm or register a clean-up wait here
    // until the end.
    let mut before = lock();
    if let Some(act) = before.0.take() {
        act();
    }
    let _ = ending.thread_unblock();
    let _ = raise(signal);
}

/// Does the clean-up in a panic, unless the lock is held: the panic may come from the code that
/// holds it.
fn before_panic() {
    if let Ok(mut before) = BEFORE_END.try_lock()
        && let Some(act) = before.0.take()
    {
        act();
    }
}

/// Locks the clean-up, even if a thread has panicked while it held the lock.
fn lock() -> MutexGuard<'static, (Option<Act>, bool)> {
    BEFORE_END.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A test whether a signal is ignored, by `SigIgn` in /proc/self/status (proc_pid_status(5)).
fn ignored() -> impl Fn(Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    move |signal| mask & (1 << (signal as i32 - 1)) != 0
}
