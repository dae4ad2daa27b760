//! What is put in order before a signal or a panic ends the program: a file that is not whole, a terminal that shows no
//! keys.
//!
//! The signals that end a program are blocked then, and one thread waits for them: it does what is to be done and dies
//! of the same signal, so that the shell sees what it expects (130 for Ctrl-C, 143 for SIGTERM). Signals that are
//! ignored, as by nohup, stay so.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{SigSet, Signal, raise};

/// The signals by which a person, a terminal or a service manager ends a program.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

type Act = Box<dyn FnOnce() + Send>;

/// What is to be done, and whether the thread runs that does it.
static BEFORE_END: Mutex<(Option<Act>, bool)> = Mutex::new((None, false));

/// Something is to be done before a signal ends the program, until [`Self::disarm`]. One thing at a time.
pub(super) struct BeforeEnd(());

impl BeforeEnd {
    /// From now on, a signal that ends the program has this done first, and so has a panic, before it is told. To be
    /// called while there is one thread.
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

    /// Whether it is still to be done: after a panic it is not.
    pub(super) fn is_armed(&self) -> bool {
        lock().0.is_some()
    }

    /// Does `last` while no signal can end the program. What was to be done before that is not done any more.
    pub(super) fn disarm<T>(&self, last: impl FnOnce() -> T) -> T {
        let mut before = lock();
        let done = last();
        before.0 = None;
        done
    }
}

/// Waits for one of these signals, does what is to be done, and dies of it.
fn die_of(ending: SigSet) {
    let Ok(signal) = ending.wait() else { return };
    // Locked for good: no other thread gets beyond this any more.
    let mut before = lock();
    if let Some(act) = before.0.take() {
        act();
    }
    let _ = ending.thread_unblock();
    let _ = raise(signal);
}

/// Does what is to be done, unless whoever panics is about to do it.
fn before_panic() {
    if let Ok(mut before) = BEFORE_END.try_lock()
        && let Some(act) = before.0.take()
    {
        act();
    }
}

fn lock() -> MutexGuard<'static, (Option<Act>, bool)> {
    BEFORE_END.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a signal is ignored, as the kernel tells it (proc_pid_status(5), `SigIgn`).
fn ignored() -> impl Fn(Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    move |signal| mask & (1 << (signal as i32 - 1)) != 0
}
